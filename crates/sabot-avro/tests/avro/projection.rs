//! Keeping a part of the columns.

use sabot_avro::AvroFactory;
use sabot_decode::{Decoder, DecoderFactory, OutputSchema, RowErrorKind, Target, UnionType};
use sabot_testkit::avro::{long, sized};

use crate::common::{decode, fields, good, open, reader, refusal};

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
        (&["who.age", "id"], &[("who", "{age: 40}"), ("id", "7")]),
        (
            &["who.age, id,who.name", "id"],
            &[("who", "{age: 40, name: me}"), ("id", "7")],
        ),
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
        assert_eq!(
            decoded.names(),
            columns.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "{paths:?}"
        );
        assert_eq!(decoded.batch.num_rows(), 2);
        for (name, value) in columns {
            assert_eq!(decoded.column(name), [*value, *value], "{paths:?}");
        }
    }
}

/// What stands behind the last value kept is not looked at, unless it is asked for or nothing is projected away.
#[test]
fn the_tail_of_a_message_is_left_unseen() {
    let writer = fields(ORDER);
    let whole = body();
    let longer = [&whole[..], &[0]].concat();
    for (paths, last_kept_end) in [
        (&["id"][..], 1),
        (&["flag", "id"], 2),
        (&["lines.sku"], 18),
        (&["id", "by.sku"], 26),
        (&["who.name"], 30),
        (&[], 0),
    ] {
        let mut target = target(paths);
        let bodies: Vec<_> = (0..whole.len()).map(|end| whole[..end].to_vec()).collect();
        let bodies = [&bodies[..], &[whole.clone(), longer.clone()]].concat();
        let decoded = decode(&target, &writer, &bodies);
        let slots: Vec<_> = decoded.bad.iter().map(|bad| bad.0).collect();
        assert_eq!(slots, (0..last_kept_end).collect::<Vec<_>>(), "{paths:?}");

        target.check_tail = true;
        let decoded = decode(&target, &writer, &bodies);
        let slots: Vec<_> = decoded.bad.iter().map(|bad| bad.0).collect();
        let all = 0..whole.len() as u32;
        assert_eq!(
            slots,
            all.chain([whole.len() as u32 + 1]).collect::<Vec<_>>(),
            "{paths:?}"
        );
    }
    // The last field is kept, or fields are dropped by the reader alone.
    let mut narrower = reader(&fields(r#"{"name": "id", "type": "long"}"#));
    for target in [target(&["who"]), target(&["who.age"]), narrower.clone()] {
        let decoded = decode(&target, &writer, &[whole.clone(), longer.clone()]);
        assert_eq!(decoded.bad.len(), 1);
        assert_eq!(decoded.bad[0].3, RowErrorKind::TrailingBytes(1));
    }
    narrower.projection = Some(vec!["id".into()]);
    good(&narrower, &writer, &[whole, longer]);
}

/// Within a union, a list or a default nothing ends early, since something stands behind.
#[test]
fn only_the_end_of_a_message_is_left_unseen() {
    let pair = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "string"}]}"#;
    let one = [long(7), sized("seven")].concat();
    let tail = fields(&format!(
        r#"{{"name": "a", "type": {pair}}}, {{"name": "l", "type": {{"type": "array", "items": "P"}}}}, {{"name": "z", "type": ["string", "P"]}}"#
    ));
    let body = [&one[..], &long(2), &one, &one, &long(0), &long(1), &one].concat();
    for (paths, names, values) in [
        (
            &["a.x", "l.x"][..],
            &["a", "l"][..],
            &["{x: 7}", "[{x: 7}, {x: 7}]"][..],
        ),
        (&["l.x"], &["l"], &["[{x: 7}, {x: 7}]"]),
        (
            &["l.y", "z"],
            &["l", "z"],
            &["[{y: seven}, {y: seven}]", "{P={x: 7, y: seven}}"],
        ),
    ] {
        let decoded = good(&target(paths), &tail, &[body.clone(), body.clone()]);
        for (name, value) in names.iter().zip(values) {
            assert_eq!(decoded.column(name), [*value, *value], "{paths:?}");
        }
    }
    // A record that may be null is the last value, and so is the message itself.
    let writer = format!(
        r#"["null", {}]"#,
        fields(&format!(
            r#"{{"name": "p", "type": {pair}}}, {{"name": "q", "type": "long"}}"#
        ))
    );
    let kept = target(&["value.p.x"]);
    let decoded = decode(
        &kept,
        &writer,
        &[[long(1), long(7)].concat(), long(0), long(1), long(2)],
    );
    assert_eq!(decoded.column("value")[..2], ["{p: {x: 7}}", "null"]);
    let bad: Vec<_> = decoded.bad.iter().map(|bad| (bad.0, bad.3)).collect();
    assert_eq!(
        bad,
        [
            (2, RowErrorKind::Truncated),
            (3, RowErrorKind::InvalidUnionIndex(2))
        ]
    );
    // A default has an end of its own.
    let mut onto = reader(&fields(&format!(
        r#"{{"name": "d", "type": {pair}, "default": {{"x": 1, "y": "default"}}}}, {{"name": "id", "type": "long"}}, {{"name": "n", "type": "long"}}"#
    )));
    onto.projection = Some(vec!["d.x".into(), "id".into()]);
    let writer = fields(
        r#"{"name": "n", "type": "long"}, {"name": "id", "type": "long"}, {"name": "gone", "type": "string"}"#,
    );
    let decoded = good(&onto, &writer, &[[long(1), long(2)].concat()]);
    assert_eq!(
        (decoded.column("d"), decoded.column("id")),
        (vec!["{x: 1}".to_owned()], vec!["2".to_owned()])
    );
}

/// Neighbours that are skipped are one step, and yet an error names the right one.
#[test]
fn an_error_names_the_field_that_was_skipped() {
    let writer = fields(
        r#"{"name": "b", "type": "boolean"}, {"name": "d", "type": "double"}, {"name": "i", "type": ["null", "int"]},
           {"name": "l", "type": ["long", "null"]}, {"name": "s", "type": "string"},
           {"name": "u", "type": ["null", "int", "string"]}, {"name": "n", "type": "null"},
           {"name": "a", "type": {"type": "array", "items": ["null", "float"]}},
           {"name": "o", "type": ["null", {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}]},
           {"name": "kept", "type": "int"}"#,
    );
    let body = [
        vec![1; 9],
        [long(1), long(5)].concat(),
        [long(0), long(1 << 40)].concat(),
        sized("text"),
        [long(2), sized("u")].concat(),
        [long(2), long(0), long(1), vec![0; 4], long(0)].concat(),
        [long(1), long(6)].concat(),
        long(9),
    ]
    .concat();
    let decoded = good(&target(&["kept"]), &writer, std::slice::from_ref(&body));
    assert_eq!(decoded.column("kept"), ["9"]);
    // The first byte of each field, spoilt: a branch or a length that is not.
    for (at, name, kind) in [
        (9, "i", RowErrorKind::InvalidUnionIndex(2)),
        (11, "l", RowErrorKind::InvalidUnionIndex(2)),
        (18, "s", RowErrorKind::InvalidLength(2)),
        (23, "u", RowErrorKind::InvalidUnionIndex(2)),
    ] {
        let mut spoilt = body.clone();
        spoilt[at] = 4;
        if name == "s" {
            spoilt.truncate(at + 2);
        }
        if name == "u" {
            spoilt[at] = 6;
        }
        let decoded = decode(&target(&["kept"]), &writer, &[spoilt]);
        let (_, byte_offset, path, found) = decoded.bad[0].clone();
        let kind = if name == "u" {
            RowErrorKind::InvalidUnionIndex(3)
        } else {
            kind
        };
        assert_eq!((byte_offset, path.as_str(), found), (at as u32, name, kind));
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
        ("id[]", "field id: a projection cannot select within long"),
        (
            "who[].age",
            "field who: the projection has [] where the schema has a record",
        ),
        (
            "lines{}",
            "field lines[]: the projection has {} where the schema has a record",
        ),
        (
            "lines[][].sku",
            "field lines[]: the projection has [] where the schema has a record",
        ),
        (
            "by[].sku",
            "field by{}: the projection has [] where the schema has a record",
        ),
        (
            "who,who.nam",
            "field who.nam: the projection names a field that the schema does not have; did you mean name?",
        ),
        ("lines.SKU", "did you mean sku?"),
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
}

const EVENT: &str = r#"{"name": "u", "type": ["null", "int", "string",
    {"type": "record", "name": "a.P", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "string"}]},
    {"type": "record", "name": "b.P", "fields": [{"name": "x", "type": "double"}, {"name": "z", "type": ["int", "a.P"]}]},
    {"type": "array", "items": "a.P"}]}, {"name": "id", "type": "long"}"#;

fn events() -> Vec<Vec<u8>> {
    let pair = [long(1), sized("one")].concat();
    let other = [&1.5f64.to_le_bytes()[..], &long(1), &pair].concat();
    let list = [long(1), pair.clone(), long(0)].concat();
    let values = [vec![], long(7), sized("text"), pair, other, list];
    let events = values.iter().enumerate();
    events
        .map(|(branch, value)| [long(branch as i64), value.clone(), long(branch as i64)].concat())
        .collect()
}

/// The rows of branches that are dropped are known to be of them, and nothing more.
#[test]
fn branches_of_unions() {
    let writer = fields(EVENT);
    let dense = ["{null=}", "{int=}", "{string=}", "{a.P=}", "{b.P=}", "{array=}"];
    for (paths, kept) in [
        (&["u<a.P>.y"][..], &[(3, "{a.P={y: one}}")][..]),
        (&["u<a.P>"], &[(3, "{a.P={x: 1, y: one}}")]),
        (
            &["u<int>", "u<b.P>.z<P>.x"],
            &[(1, "{int=7}"), (4, "{b.P={z: {P={x: 1}}}}")],
        ),
        (&["u<b.P>.z<int>"], &[(4, "{b.P={z: {P=}}}")]),
        (
            &["u<array>.x", "u<string>"],
            &[(2, "{string=text}"), (5, "{array=[{x: 1}]}")],
        ),
    ] {
        for with_id in [false, true] {
            let mut paths = paths.to_vec();
            if with_id {
                paths.push("id");
            }
            let decoded = good(&target(&paths), &writer, &events());
            let mut expected = dense;
            kept.iter().for_each(|(row, value)| expected[*row] = value);
            assert_eq!(decoded.column("u"), expected, "{paths:?}");
            if with_id {
                assert_eq!(decoded.column("id"), ["0", "1", "2", "3", "4", "5"]);
            }
            // The same by a reader schema, and by the Arrow schema that comes out of it.
            let mut onto = reader(&writer);
            onto.projection = target(&paths).projection;
            assert_eq!(good(&onto, &writer, &events()).column("u"), expected);
            onto.output = OutputSchema::Arrow(good(&reader(&writer), &writer, &[]).batch.schema());
            assert_eq!(good(&onto, &writer, &events()).batch, decoded.batch, "{paths:?}");
        }
    }
}

/// A struct has no members for branches that are dropped.
#[test]
fn branches_of_unions_as_structs() {
    let writer = fields(EVENT);
    let mut members = target(&["u<int>", "u<a.P>.y", "id"]);
    members.mapping.unions = UnionType::Struct;
    let decoded = good(&members, &writer, &events());
    let mut whole = Target::default();
    whole.mapping.unions = UnionType::Struct;
    let mut onto = target(&["u<int>", "u<a.P>.y", "id"]);
    onto.output = OutputSchema::Arrow(good(&whole, &writer, &[]).batch.schema());
    assert_eq!(good(&onto, &writer, &events()).batch, decoded.batch);
    let nothing = "{int: , a.P: }";
    assert_eq!(
        decoded.column("u"),
        [
            "null",
            "{int: 7, a.P: }",
            nothing,
            "{int: , a.P: {y: one}}",
            nothing,
            nothing
        ]
    );
    assert_eq!(decoded.column("id"), ["0", "1", "2", "3", "4", "5"]);
}

/// What is wrong within a value that is dropped is found as in any other.
#[test]
fn branches_that_are_dropped_are_checked() {
    let writer = fields(EVENT);
    let cut = [long(3), long(1), long(9)].concat();
    let decoded = decode(&target(&["u<int>", "id"]), &writer, &[cut]);
    assert_eq!(decoded.bad[0].2, "u<a.P>");
}

#[test]
fn paths_that_are_no_branches() {
    let writer = fields(EVENT);
    for (path, expected) in [
        (
            "u.x",
            "by its branches: <null>, <int>, <string>, <a.P>, <b.P>, <array>",
        ),
        ("u<P>", "did you mean <a.P> or <b.P>?"),
        ("u<a.P>.z", "field u<a.P>.z:"),
        ("u<int>.x", "field u<int>: a projection cannot select within int"),
        ("u<a.P", "not a field's path"),
        ("u<>", "not a field's path"),
        ("u<a.P>x", "not a field's path"),
        ("[]u", "not a field's path"),
        ("u[x]", "not a field's path"),
    ] {
        let error = refusal(&target(&[path]), &writer);
        assert!(error.contains(expected), "{path}: {error}");
    }
}

/// How many steps of skipping there are in the list that begins with `first`, in a decoder's `Debug`: nothing else shows that
/// neighbours are merged.
fn skip_steps(decoder: &dyn Decoder, first: &str) -> usize {
    let text = format!("{decoder:?}");
    let (_, rest) = text.split_once(first).expect("a plan is shown");
    let (rest, _) = rest.split_once(']').expect("a list has an end");
    1 + rest.matches("SkipStep {").count()
}

/// What always takes as many bytes is stepped over at once, whatever it is made of.
#[test]
fn neighbours_are_skipped_in_one_step() {
    let fixed = r#"{"type": "record", "name": "F", "fields": [{"name": "x", "type": "boolean"}, {"name": "y", "type": "double"},
        {"name": "z", "type": {"type": "fixed", "name": "Three", "size": 3}}, {"name": "n", "type": "null"}]}"#;
    let writer = fields(&format!(
        r#"{{"name": "a", "type": "boolean"}}, {{"name": "b", "type": "double"}}, {{"name": "c", "type": {fixed}}},
           {{"name": "d", "type": "float"}}, {{"name": "kept", "type": "int"}}"#
    ));
    let decoder = open(&target(&["kept"]), &writer).expect("it is compiled");
    assert_eq!(skip_steps(&*decoder, "skip_steps: [(SkipStep { kind: Bytes,"), 1);
    let body = [vec![1; 1 + 8 + 12 + 4], long(7)].concat();
    assert_eq!(good(&target(&["kept"]), &writer, &[body]).column("kept"), ["7"]);

    // Between others, and within a list's items.
    let mixed = |name: &str| {
        format!(
            r#"{{"type": "record", "name": "{name}", "fields": [{{"name": "a", "type": "boolean"}}, {{"name": "b", "type": "float"}},
               {{"name": "s", "type": "string"}}, {{"name": "c", "type": "double"}}, {{"name": "d", "type": "boolean"}}]}}"#
        )
    };
    let writer = fields(&format!(
        r#"{{"name": "l", "type": {{"type": "array", "items": {}}}}}, {{"name": "kept", "type": "int"}}"#,
        mixed("P")
    ));
    let decoder = open(&target(&["kept"]), &writer).expect("it is compiled");
    assert_eq!(skip_steps(&*decoder, "Record([SkipStep { kind: Bytes,"), 3);
    let item = [vec![1; 5], sized("text"), vec![1; 9]].concat();
    let body = [long(2), item.clone(), item, long(0), long(7)].concat();
    assert_eq!(good(&target(&["kept"]), &writer, &[body]).column("kept"), ["7"]);
}
