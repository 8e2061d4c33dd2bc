//! A projection means the same for every codec: one table of paths, over Avro, JSON and a given
//! Arrow schema.

use sabot::arrow_array::RecordBatch;
use sabot::avro::AvroFactory;
use sabot::decode::{DecoderFactory, OutputSchema, Payload, PlanError, SchemaKey, Target, WriterSchema};
use sabot::json::JsonFactory;
use sabot_testkit::avro::{long, sized};

const WRITER: &str = r#"{"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"},
    {"name": "note", "type": ["null", "string"]},
    {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
        {"name": "sku", "type": "string"}, {"name": "price", "type": "double"}, {"name": "count", "type": "int"}]}}},
    {"name": "by", "type": {"type": "map", "values": "Line"}},
    {"name": "grid", "type": {"type": "array", "items": {"type": "array", "items": "Line"}}},
    {"name": "who", "type": ["null", {"type": "record", "name": "Who", "fields": [
        {"name": "name", "type": "string"}, {"name": "age", "type": "int"}]}]}
]}"#;

const MESSAGE: &str = r#"{"id": 7, "note": "n", "lines": [{"sku": "a", "price": 0.5, "count": 1}, {"sku": "b", "price": 1.5, "count": 2}],
    "by": {"k": {"sku": "c", "price": 2.5, "count": 3}}, "grid": [[{"sku": "d", "price": 3.5, "count": 4}], []],
    "who": {"name": "me", "age": 40}}"#;

/// [`MESSAGE`] in Avro.
fn message() -> Vec<u8> {
    let line =
        |sku: &str, price: f64, count| [sized(sku), price.to_le_bytes().to_vec(), long(count)].concat();
    let list = |items: &[Vec<u8>]| match items {
        [] => long(0),
        items => [long(items.len() as i64), items.concat(), long(0)].concat(),
    };
    let note = [long(1), sized("n")].concat();
    let by = [sized("k"), line("c", 2.5, 3)].concat();
    let lines = list(&[line("a", 0.5, 1), line("b", 1.5, 2)]);
    let grid = list(&[list(&[line("d", 3.5, 4)]), list(&[])]);
    let who = [long(1), sized("me"), long(40)].concat();
    [long(7), note, lines, list(&[by]), grid, who].concat()
}

/// Decodes one message, with a writer schema if there is one.
fn decode(
    factory: &dyn DecoderFactory,
    target: &Target,
    writer: Option<&WriterSchema>,
    message: &[u8],
) -> Result<RecordBatch, PlanError> {
    let mut decoder = factory.open(target)?;
    if let Some(writer) = writer {
        decoder.prepare(SchemaKey::Absent, writer)?;
    }
    let progress = decoder.decode(&[Payload::unframed(message)], &mut |error| panic!("{error:?}"));
    assert_eq!(progress.taken, 1);
    Ok(decoder.flush().expect("flushing never fails for data").batch)
}

/// The message projected to `paths` by Avro, by Avro onto a given schema, and by JSON onto the
/// same.
fn decode_each(paths: Option<&[&str]>) -> [Result<RecordBatch, PlanError>; 3] {
    let writer = WriterSchema::avro(WRITER);
    let whole =
        decode(&AvroFactory, &Target::default(), Some(&writer), &message()).expect("the schema is right");
    let mut target = Target::default();
    target.projection = paths.map(|paths| paths.iter().map(|path| (*path).to_owned()).collect());
    let first = decode(&AvroFactory, &target, Some(&writer), &message());
    target.output = OutputSchema::Arrow(whole.schema());
    [
        first,
        decode(&AvroFactory, &target, Some(&writer), &message()),
        decode(&JsonFactory::new(), &target, None, MESSAGE.as_bytes()),
    ]
}

#[test]
fn the_same_paths_give_the_same_columns() {
    for paths in [
        None,
        Some(&["id"][..]),
        Some(&[]),
        Some(&["who", "id"]),
        Some(&["who.age, id, who.name"]),
        Some(&["who.age", "who"]),
        Some(&["lines.price"]),
        Some(&["lines[].price", "lines.sku"]),
        Some(&["lines[]"]),
        Some(&["by{}.sku, by.price"]),
        Some(&["grid.count"]),
        Some(&["grid[].sku"]),
        Some(&["grid[][].sku", "\"grid\".\"count\""]),
        Some(&[" note ,id,id"]),
    ] {
        let [avro, given, json] = decode_each(paths).map(|decoded| decoded.expect("the paths are right"));
        assert_eq!(avro, given, "{paths:?}");
        assert_eq!(avro, json, "{paths:?}");
    }
}

#[test]
fn the_same_paths_are_refused() {
    for (paths, expected) in [
        (
            &["ID"][..],
            "field ID: the projection names a field that the schema does not have; did you mean id?",
        ),
        (
            &["who", "who.nmae"],
            "field who.nmae: the projection names a field that the schema does not have; did you mean name?",
        ),
        (
            &["lines[].SKU"],
            "field lines[].SKU: the projection names a field that the schema does not have; did you mean sku?",
        ),
        (
            &["by.x"],
            "field by{}.x: the projection names a field that the schema does not have; there are sku, price, count",
        ),
        (
            &["who[].age"],
            "field who: the projection has [] where the schema has a record",
        ),
        (
            &["grid[][][].sku"],
            "field grid[][]: the projection has [] where the schema has a record",
        ),
        (
            &["who<Who>"],
            "field who: the projection has <Who> where the schema has a record",
        ),
        (&["id.x"], "field id: a projection cannot select within "),
        (&["note[]"], "field note: a projection cannot select within "),
        (&["id,"], "\"id,\" is not a field's path: expected a name"),
        (&["a\"b"], "\"a\\\"b\" is not a field's path: expected '.'"),
    ] {
        for (decoded, codec) in decode_each(Some(paths))
            .into_iter()
            .zip(["Avro", "Avro onto Arrow", "JSON"])
        {
            let error = decoded.expect_err("the path leads nowhere").to_string();
            assert!(error.starts_with(expected), "{paths:?} with {codec}: {error}");
        }
    }
}
