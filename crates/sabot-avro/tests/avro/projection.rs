//! Keeping a part of the columns.

use sabot_avro::AvroFactory;
use sabot_decode::{DecoderFactory, Target};

use crate::common::{fields, good, long, reader, refusal, sized};

const ORDER: &str = r#"
    {"name": "id", "type": "long"},
    {"name": "flag", "type": "boolean"}, {"name": "ratio", "type": "double"},
    {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
        {"name": "sku", "type": "string"}, {"name": "price", "type": ["null", "float"]}]}}},
    {"name": "by", "type": {"type": "map", "values": ["null", "Line"]}},
    {"name": "who", "type": ["null", {"type": "record", "name": "Who", "fields": [
        {"name": "name", "type": "string"}, {"name": "age", "type": "int"}]}]}"#;

fn target(paths: &[&str]) -> Target {
    let mut target = Target::default();
    target.projection = Some(paths.iter().map(|path| (*path).to_owned()).collect());
    target
}

fn body() -> Vec<u8> {
    let line = |sku: &str| [sized(sku), long(0)].concat();
    let lines = [long(2), line("a"), line("b"), long(0)].concat();
    let by = [long(1), sized("k"), long(1), line("c"), long(0)].concat();
    let who = [long(1), sized("me"), long(40)].concat();
    [long(7), vec![1], 0.5f64.to_le_bytes().to_vec(), lines, by, who].concat()
}

#[test]
fn paths_keep_what_is_below_them() {
    let writer = fields(ORDER);
    for (paths, columns) in [
        (&["id"][..], &[("id", "7")][..]),
        (&["who.age", "id"], &[("id", "7"), ("who", "{age: 40}")]),
        (&["who", "who.age"], &[("who", "{name: me, age: 40}")]),
        (&["lines.sku"], &[("lines", "[{sku: a}, {sku: b}]")]),
        (
            &["lines[].price", "by{}.sku"],
            &[("lines", "[{price: }, {price: }]"), ("by", "{k: {sku: c}}")],
        ),
        (&["ratio"], &[("ratio", "0.5")]),
        (&[], &[]),
    ] {
        let decoded = good(&target(paths), &writer, &[body(), body()]);
        let names: Vec<_> = decoded
            .batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        assert_eq!(
            names,
            columns.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "{paths:?}"
        );
        assert_eq!(decoded.batch.num_rows(), 2);
        for (name, value) in columns {
            assert_eq!(decoded.column(name), [*value, *value], "{paths:?}");
        }
    }
}

#[test]
fn dropped_fields_of_the_reader_need_no_writer() {
    let mut target = reader(&fields(
        r#"{"name": "new", "type": "int"}, {"name": "id", "type": "long"}"#,
    ));
    target.projection = Some(vec!["id".into()]);
    assert_eq!(good(&target, &fields(ORDER), &[body()]).column("id"), ["7"]);
}

#[test]
fn a_message_that_is_no_record_is_one_column() {
    let writer = r#"{"type": "array", "items": "int"}"#;
    let body = [long(1), long(4), long(0)].concat();
    assert_eq!(
        good(&target(&["value"]), writer, &[body]).column("value"),
        ["[4]"]
    );
    assert!(refusal(&target(&["other"]), writer).contains("field other"));
    assert!(refusal(&target(&[]), writer).contains("only column"));
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    for (path, expected) in [
        ("none", "field none:"),
        ("who.none", "field who.none:"),
        ("lines.none", "field lines[].none:"),
        ("id.x", "field id: a projection cannot select within long"),
        ("", "not a field's path"),
        ("a..b", "not a field's path"),
        (".", "not a field's path"),
    ] {
        let error = refusal(&target(&[path]), &fields(ORDER));
        assert!(error.contains(expected), "{path}: {error}");
        let mut onto = reader(&fields(ORDER));
        onto.projection = target(&[path]).projection;
        assert!(AvroFactory.open(&onto).is_err(), "{path}");
    }
    let union = fields(
        r#"{"name": "u", "type": ["int", {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}]}"#,
    );
    assert!(refusal(&target(&["u.x"]), &union).contains("cannot select within union"));
}
