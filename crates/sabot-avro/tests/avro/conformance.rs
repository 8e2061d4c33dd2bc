//! The invariants of every decoder.

use sabot_avro::AvroFactory;
use sabot_decode::{EnumType, SchemaKey, StringType, Target, UnionType, UuidType, WriterSchema};
use sabot_testkit::avro::{cat, long, sized};
use sabot_testkit::conformance::{Corpus, check};

use crate::common::{fields, reader};

const A: SchemaKey = SchemaKey::Id(1);
const B: SchemaKey = SchemaKey::GlobalId(2);

/// Every base type and logical type, nullable and not.
fn every_type() -> String {
    let types = [
        r#""boolean""#,
        r#""int""#,
        r#"["null", "long"]"#,
        r#"["float", "null"]"#,
        r#""double""#,
        r#""bytes""#,
        r#"["null", "string"]"#,
        r#"{"type": "fixed", "name": "F", "size": 3}"#,
        r#"{"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}"#,
        r#"{"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}"#,
        r#"["null", {"type": "fixed", "name": "D", "size": 20, "logicalType": "decimal", "precision": 45}]"#,
        r#"{"type": "long", "logicalType": "timestamp-micros"}"#,
        r#"["null", {"type": "fixed", "name": "I", "size": 12, "logicalType": "duration"}]"#,
        r#"["null", {"type": "string", "logicalType": "uuid"}]"#,
        r#"["null", "int", "string", {"type": "array", "items": "long"}]"#,
        r#""null""#,
    ];
    let types = types
        .iter()
        .enumerate()
        .map(|(at, ty)| format!(r#"{{"name": "f{at}", "type": {ty}}}"#));
    fields(&types.collect::<Vec<_>>().join(", "))
}

fn every_type_bodies() -> [Vec<u8>; 3] {
    [few_values(), all_values(), some_values()]
}

fn few_values() -> Vec<u8> {
    let (zero, one) = (long(0), long(1));
    cat(&[
        &[1],
        &long(-5),
        &zero,
        &one,
        &1.5f64.to_le_bytes(),
        &sized([0, 255]),
        &zero,
        b"abc",
        &long(2),
        &sized([0xff]),
        &zero,
        &long(1 << 50),
        &zero,
        &zero,
        &zero,
    ])
}

fn all_values() -> Vec<u8> {
    let (zero, one) = (long(0), long(1));
    cat(&[
        &[0],
        &long(i64::from(i32::MIN)),
        &one,
        &long(i64::MIN),
        &zero,
        &2f32.to_le_bytes(),
        &f64::NAN.to_le_bytes(),
        &sized([]),
        &one,
        &sized("größer"),
        b"\0\0\0",
        &zero,
        &sized([]),
        &one,
        &[0xff; 20],
        &long(-1),
        &one,
        &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0],
        &one,
        &sized("89791762-2336-4186-9674-299b90a802e2"),
        &long(3),
        &long(-2),
        &long(2),
        &long(7),
        &long(8),
        &long(1),
        &long(9),
        &zero,
    ])
}

fn some_values() -> Vec<u8> {
    let (zero, one) = (long(0), long(1));
    cat(&[
        &[1],
        &zero,
        &one,
        &zero,
        &one,
        &0f64.to_le_bytes(),
        &sized("x".repeat(40)),
        &one,
        &sized(""),
        b"xyz",
        &one,
        &sized([0, 100]),
        &zero,
        &zero,
        &zero,
        &zero,
        &long(2),
        &sized("longer than twelve bytes"),
    ])
}

#[test]
fn every_type_in_every_mapping() {
    let mut other = Target::default();
    other.mapping.strings = StringType::LargeUtf8;
    other.mapping.enums = EnumType::Utf8;
    other.mapping.uuids = UuidType::Utf8;
    other.mapping.unions = UnionType::Struct;
    let mut views = Target::default();
    views.mapping.strings = StringType::Utf8View;
    views.mapping.enums = EnumType::Int32;
    let mut corpus = Corpus::new().schema(A, WriterSchema::avro(every_type()));
    for body in every_type_bodies() {
        corpus = corpus.good(A, body);
    }
    let corpus = corpus.bad(A, []).bad(A, [7]).bad(A, [0xff; 30]);
    for target in [Target::default(), other, views, reader(&every_type())] {
        check(&AvroFactory, &target, &corpus);
    }
}

/// Lists, maps and records within each other, and two writers onto one reader.
#[test]
fn nested_types_of_two_writers() {
    let point = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": ["null", "int"]}, {"name": "s", "type": "string"}]}"#;
    let old = fields(&format!(
        r#"{{"name": "id", "type": "int"}}, {{"name": "points", "type": {{"type": "array", "items": {point}}}}},
           {{"name": "by", "type": {{"type": "map", "values": ["null", "P"]}}}}, {{"name": "gone", "type": ["string", "P"]}}"#
    ));
    let new = fields(&format!(
        r#"{{"name": "by", "type": ["null", {{"type": "map", "values": ["null", {point}]}}]}}, {{"name": "id", "type": "long"}},
           {{"name": "tags", "type": {{"type": "array", "items": "string"}}}}, {{"name": "points", "type": {{"type": "array", "items": "P"}}}}"#
    ));
    let point = r#"{"type": "record", "name": "P", "fields": [{"name": "s", "type": "string"},
        {"name": "d", "type": {"type": "map", "values": "int"}, "default": {"k": 1}}, {"name": "x", "type": ["null", "long"]}]}"#;
    let onto = fields(&format!(
        r#"{{"name": "id", "type": "long"}}, {{"name": "tags", "type": {{"type": "array", "items": "string"}}, "default": ["none"]}},
           {{"name": "points", "type": {{"type": "array", "items": {point}}}}}, {{"name": "by", "type": ["null", {{"type": "map", "values": ["null", "P"]}}]}}"#
    ));
    let (zero, one) = (long(0), long(1));
    let full = cat(&[&one, &long(3), &sized("s")]);
    let empty = cat(&[&zero, &sized("")]);
    let points = cat(&[
        &long(2),
        &full,
        &empty,
        &long(-1),
        &long(full.len() as i64),
        &full,
        &zero,
    ]);
    let by = cat(&[&long(2), &sized("k"), &one, &full, &sized("l"), &zero, &zero]);
    let corpus = Corpus::new()
        .schema(A, WriterSchema::avro(old))
        .schema(B, WriterSchema::avro(new))
        .good(A, cat(&[&long(7), &points, &by, &zero, &sized("gone")]))
        .good(B, cat(&[&zero, &long(1 << 40), &zero, &zero]))
        .good(
            B,
            cat(&[&one, &by, &long(8), &one, &sized("tag"), &zero, &points]),
        )
        .good(A, cat(&[&long(9), &zero, &zero, &one, &full]))
        .bad(B, cat(&[&zero, &long(1), &zero, &zero, &zero]));
    // Bad after the last value that the projection keeps.
    let bad_tail = cat(&[&long(9), &zero, &zero, &long(2)]);
    let with_tail = corpus.clone().bad(A, bad_tail);
    check(&AvroFactory, &reader(&onto), &with_tail);
    let mut target = reader(&onto);
    target.projection = Some(vec!["points[].d".into(), "by{}.x".into(), "tags".into()]);
    target.mapping.unions = UnionType::Struct;
    check(&AvroFactory, &target, &corpus);
    target.check_tail = true;
    check(&AvroFactory, &target, &with_tail);
}

#[test]
fn messages_that_are_no_records() {
    for (writer, bodies) in [
        (r#""string""#, [sized("x"), sized("")]),
        (
            r#"["null", "int", "string"]"#,
            [cat(&[&long(2), &sized("x")]), long(0)],
        ),
        (
            r#"{"type": "array", "items": "null"}"#,
            [cat(&[&long(5), &long(0)]), long(0)],
        ),
    ] {
        let [first, second] = bodies;
        let corpus = Corpus::new()
            .schema(A, WriterSchema::avro(writer))
            .good(A, first)
            .good(A, second)
            .bad(A, [0x80]);
        check(&AvroFactory, &Target::default(), &corpus);
    }
}
