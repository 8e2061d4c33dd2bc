//! Schema resolution: pairs of types, records, enums, defaults and aliases.

use sabot_decode::{EnumType, RowErrorKind, Target, UuidType};
use sabot_testkit::avro::{logical, long, sized};

use crate::common::{decode, fields, good, reader, record, refusal};

const UUID: &str = "89791762-2336-4186-9674-299b90a802e2";

/// A writer's type and a reader's, a body, and the value.
const PAIRS: &[(&str, &str, &[u8], &str)] = &[
    (INT, LONG, b"\x05", "-3"),
    (INT, r#""float""#, b"\x05", "-3.0"),
    (INT, r#""double""#, b"\xff\xff\xff\xff\x0f", "-2147483648.0"),
    (LONG, r#""float""#, b"\x82\x80\x80\x10", "16777216.0"),
    (
        LONG,
        r#""double""#,
        b"\x80\x80\x80\x80\x80\x40",
        "1099511627776.0",
    ),
    (r#""float""#, r#""double""#, &0.5f32.to_le_bytes(), "0.5"),
    (STRING, BYTES, b"\x04\xc3\xa9", "c3a9"),
    (BYTES, STRING, b"\x04\xc3\xa9", "é"),
    (
        r#"{"type": "array", "items": "int"}"#,
        r#"{"type": "array", "items": "double"}"#,
        b"\x02\x04\0",
        "[2.0]",
    ),
    (
        r#"{"type": "map", "values": "int"}"#,
        r#"{"type": "map", "values": "long"}"#,
        b"\x02\x02k\x04\0",
        "{k: 2}",
    ),
    // Logical types: a finer unit, and one side alone.
    (TIME_MILLIS, TIME_MICROS, b"\x02", "00:00:00.001"),
    (MILLIS, NANOS, b"\x02", "1970-01-01T00:00:00.001Z"),
    (LONG, MILLIS, b"\x02", "1970-01-01T00:00:00.001Z"),
    (INT, MILLIS, b"\x02", "1970-01-01T00:00:00.001Z"),
    (MILLIS, LONG, b"\x02", "1"),
    (DECIMAL, WIDER, b"\x02\x64", "10.0"),
    (BYTES, WIDER, b"\x02\x64", "10.0"),
    (TEXT_UUID, STRING, ID, UUID),
    (STRING, TEXT_UUID, ID, "89791762233641869674299b90a802e2"),
    (BYTES, TEXT_UUID, ID, "89791762233641869674299b90a802e2"),
];

const INT: &str = r#""int""#;
const LONG: &str = r#""long""#;
const STRING: &str = r#""string""#;
const BYTES: &str = r#""bytes""#;
const TIME_MILLIS: &str = r#"{"type": "int", "logicalType": "time-millis"}"#;
const TIME_MICROS: &str = r#"{"type": "long", "logicalType": "time-micros"}"#;
const MILLIS: &str = r#"{"type": "long", "logicalType": "timestamp-millis"}"#;
const NANOS: &str = r#"{"type": "long", "logicalType": "timestamp-nanos"}"#;
const DECIMAL: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}"#;
const WIDER: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 1}"#;
const TEXT_UUID: &str = r#"{"type": "string", "logicalType": "uuid"}"#;
const ID: &[u8] = b"\x4889791762-2336-4186-9674-299b90a802e2";

#[test]
fn pairs_that_match() {
    for (writer, reader_type, body, value) in PAIRS {
        let what = format!("{writer} as {reader_type}");
        let decoded = good(&reader(&record(reader_type)), &record(writer), &[body.to_vec()]);
        assert_eq!(decoded.column("f"), [*value], "{what}");

        // The same where either side, or both, may be null.
        let null_or = |ty: &str| record(&format!(r#"["null", {ty}]"#));
        let (onto, nullable) = (reader(&null_or(reader_type)), null_or(writer));
        let present = [&long(1), *body].concat();
        let decoded = good(&onto, &nullable, &[present.clone(), long(0)]);
        assert_eq!(decoded.column("f"), [*value, "null"], "null or {what} or null");
        let decoded = good(&onto, &record(writer), &[body.to_vec()]);
        assert_eq!(decoded.column("f"), [*value], "{what} or null");
        let decoded = decode(&reader(&record(reader_type)), &nullable, &[long(0), present]);
        assert_eq!(decoded.column("f")[1], *value, "null or {what}");
        assert_eq!(decoded.bad, [(0, 1, "f".to_owned(), RowErrorKind::Unresolvable)]);
    }
}

#[test]
fn pairs_that_do_not() {
    let named = |ty: &str, name: &str, rest: &str| format!(r#"{{"type": "{ty}", "name": "{name}", {rest}}}"#);
    let decimal = |p: u8, s: u8| {
        format!(r#"{{"type": "bytes", "logicalType": "decimal", "precision": {p}, "scale": {s}}}"#)
    };
    for (writer, reader_type) in [
        (r#""long""#.to_owned(), r#""int""#.to_owned()),
        (r#""double""#.into(), r#""float""#.into()),
        (r#""int""#.into(), r#""string""#.into()),
        (r#""boolean""#.into(), r#""int""#.into()),
        (r#""null""#.into(), r#""int""#.into()),
        (r#""string""#.into(), named("enum", "E", r#""symbols": ["A"]"#)),
        (
            r#"{"type": "array", "items": "int"}"#.into(),
            r#"{"type": "map", "values": "int"}"#.into(),
        ),
        (
            r#"{"type": "array", "items": "string"}"#.into(),
            r#"{"type": "array", "items": "int"}"#.into(),
        ),
        (
            named("fixed", "F", r#""size": 2"#),
            named("fixed", "F", r#""size": 3"#),
        ),
        (
            named("fixed", "F", r#""size": 2"#),
            named("fixed", "G", r#""size": 2"#),
        ),
        (
            named("enum", "E", r#""symbols": ["A"]"#),
            named("enum", "G", r#""symbols": ["A"]"#),
        ),
        (
            named("record", "A", r#""fields": []"#),
            named("record", "B", r#""fields": []"#),
        ),
        (logical("int", "date"), logical("long", "timestamp-millis")),
        (
            logical("long", "timestamp-micros"),
            logical("long", "timestamp-millis"),
        ),
        (
            logical("long", "timestamp-millis"),
            logical("long", "local-timestamp-millis"),
        ),
        (decimal(4, 2), decimal(4, 1)),
        (decimal(5, 2), decimal(4, 2)),
        (r#"["null", "string"]"#.into(), r#"["null", "int"]"#.into()),
        (r#""string""#.into(), r#"["null", "int"]"#.into()),
    ] {
        let error = refusal(&reader(&record(&reader_type)), &record(&writer));
        assert!(error.starts_with("field f"), "{error}");
    }
}

#[test]
fn names_match_unqualified_or_by_alias() {
    let ty = |name: &str, rest: &str| {
        record(&format!(
            r#"{{"type": "fixed", "name": "{name}", "size": 1{rest}}}"#
        ))
    };
    for (writer, reader_schema) in [
        (ty("a.F", ""), ty("b.F", "")),
        (ty("a.F", ""), ty("b.G", r#", "aliases": ["a.F"]"#)),
        (ty("b.F", ""), ty("b.G", r#", "aliases": ["F"]"#)),
    ] {
        assert_eq!(
            good(&reader(&reader_schema), &writer, &[vec![7]]).column("f"),
            ["07"]
        );
    }
    let error = refusal(&reader(&ty("b.G", r#", "aliases": ["F"]"#)), &ty("a.F", ""));
    assert!(error.contains(r#"fixed "a.F""#), "{error}");
}

#[test]
fn fields_are_reordered_skipped_and_renamed() {
    let writer = fields(
        r#"{"name": "a", "type": "int"}, {"name": "gone", "type": {"type": "array", "items": "string"}},
           {"name": "b", "type": "string"}, {"name": "old", "type": "long"}"#,
    );
    let reader_schema = fields(
        r#"{"name": "b", "type": "string"}, {"name": "new", "aliases": ["other", "old"], "type": "long"},
           {"name": "a", "type": "long"}, {"name": "a2", "aliases": ["a"], "type": "int", "default": 9}"#,
    );
    let gone = [
        long(-2),
        long(5),
        sized("x"),
        sized("yy"),
        long(1),
        sized(""),
        long(0),
    ]
    .concat();
    let body = [long(1), gone, sized("bee"), long(4)].concat();
    let decoded = good(&reader(&reader_schema), &writer, &[body]);
    assert_eq!(decoded.names(), ["b", "new", "a", "a2"]);
    for (column, value) in [("b", "bee"), ("new", "4"), ("a", "1"), ("a2", "9")] {
        assert_eq!(decoded.column(column), [value], "{column}");
    }
}

#[test]
fn defaults_of_every_type() {
    for (ty, default, value) in [
        (r#""null""#, "null", "null"),
        (r#""boolean""#, "true", "true"),
        (r#""int""#, "-7", "-7"),
        (r#""long""#, "9007199254740993", "9007199254740993"),
        (r#""float""#, "1", "1.0"),
        (r#""double""#, r#""NaN""#, "NaN"),
        (r#""bytes""#, r#""\u00ff\u0000""#, "ff00"),
        (r#""string""#, r#""ö""#, "ö"),
        (
            r#"{"type": "fixed", "name": "F", "size": 2}"#,
            r#""\u0001\u00fe""#,
            "01fe",
        ),
        (
            r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#,
            r#""B""#,
            "B",
        ),
        (r#"{"type": "array", "items": "int"}"#, "[1, 2]", "[1, 2]"),
        (r#"{"type": "array", "items": "int"}"#, "[]", "[]"),
        (
            r#"{"type": "map", "values": ["null", "int"]}"#,
            r#"{"k": null, "l": 1}"#,
            "{k: , l: 1}",
        ),
        (r#"["null", "int"]"#, "null", "null"),
        (r#"["int", "null"]"#, "3", "3"),
        (r#"["null", "int"]"#, "3", "3"),
        (r#"["string", "int", "null"]"#, r#""x""#, "{string=x}"),
        // Text that names a float is one only where no branch takes text.
        (r#"["double", "string"]"#, r#""NaN""#, "{string=NaN}"),
        (r#"["int", "double"]"#, r#""NaN""#, "{double=NaN}"),
        (
            r#"{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}"#,
            r#""\u0001\u0000""#,
            "2.56",
        ),
        (r#"{"type": "int", "logicalType": "date"}"#, "1", "1970-01-02"),
        (
            r#"{"type": "string", "logicalType": "uuid"}"#,
            r#""89791762-2336-4186-9674-299b90a802e2""#,
            "89791762233641869674299b90a802e2",
        ),
        (
            r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": {"type": "array", "items": "string"}, "default": ["d"]}]}"#,
            r#"{"x": 1}"#,
            "{x: 1, y: [d]}",
        ),
    ] {
        let reader_schema = fields(&format!(
            r#"{{"name": "f", "type": {ty}, "default": {default}}}, {{"name": "g", "type": "int"}}"#
        ));
        let writer = fields(r#"{"name": "g", "type": "int"}"#);
        let decoded = good(&reader(&reader_schema), &writer, &[long(1), long(2)]);
        assert_eq!(decoded.column("f"), [value, value], "{ty}");
        assert_eq!(decoded.column("g"), ["1", "2"], "{ty}");
    }
}

#[test]
fn defaults_that_are_missing_or_wrong() {
    let deep = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}"#;
    for (field, path) in [
        (r#""type": "int""#.to_owned(), "field f:"),
        (r#""type": ["null", "int"]"#.into(), "field f:"),
        (r#""type": "int", "default": 2147483648"#.into(), "field f:"),
        (r#""type": "int", "default": "1""#.into(), "field f:"),
        (r#""type": "bytes", "default": "Ā""#.into(), "field f:"),
        (
            r#""type": {"type": "fixed", "name": "F", "size": 2}, "default": "x""#.into(),
            "field f:",
        ),
        (
            r#""type": {"type": "enum", "name": "E", "symbols": ["A"]}, "default": "B""#.into(),
            "field f:",
        ),
        (
            r#""type": {"type": "string", "logicalType": "uuid"}, "default": "no""#.into(),
            "field f:",
        ),
        (
            r#""type": {"type": "bytes", "logicalType": "decimal", "precision": 1}, "default": "z""#.into(),
            "field f:",
        ),
        (
            // Arrow's days are signed.
            r#""type": {"type": "fixed", "name": "F", "size": 12, "logicalType": "duration"},
               "default": "\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0080\u0000\u0000\u0000\u0000""#
                .into(),
            "field f:",
        ),
        (r#""type": ["null", "int"], "default": "x""#.into(), "field f:"),
        (format!(r#""type": {deep}, "default": {{}}"#), "field f.x:"),
    ] {
        let reader_schema = fields(&format!(r#"{{"name": "f", {field}}}"#));
        let error = refusal(&reader(&reader_schema), &fields(""));
        assert!(error.starts_with(path), "{field}: {error}");
    }
    // Of a writer, and of a reader's field that the writer has, a default means nothing.
    let careless = fields(r#"{"name": "f", "type": "int", "default": "none"}"#);
    assert_eq!(good(&reader(&careless), &careless, &[long(1)]).column("f"), ["1"]);
}

#[test]
fn defaults_within_lists_and_dropped_fields() {
    let item = |fields: &str| {
        record(&format!(
            r#"{{"type": "array", "items": {{"type": "record", "name": "P", "fields": [{fields}]}}}}"#
        ))
    };
    let writer = item("");
    let reader_schema = item(
        r#"{"name": "p", "default": {"a": [1], "b": "x"}, "type": {"type": "record", "name": "Q", "fields": [
            {"name": "a", "type": {"type": "array", "items": "int"}}, {"name": "b", "type": "string"}]}}"#,
    );
    let bodies = [[long(2), long(0)].concat(), long(0)];
    let decoded = good(&reader(&reader_schema), &writer, &bodies);
    assert_eq!(
        decoded.column("f"),
        ["[{p: {a: [1], b: x}}, {p: {a: [1], b: x}}]", "[]"]
    );
    let mut target = reader(&reader_schema);
    target.projection = Some(vec!["f[].p.b".into()]);
    assert_eq!(
        good(&target, &writer, &bodies).column("f"),
        ["[{p: {b: x}}, {p: {b: x}}]", "[]"]
    );
}

#[test]
fn enums_by_symbol() {
    let ty = |symbols: &str, rest: &str| {
        record(&format!(
            r#"{{"type": "enum", "name": "E", "symbols": [{symbols}]{rest}}}"#
        ))
    };
    let writer = ty(r#""A", "B", "C""#, r#", "default": "A""#);
    let bodies = [long(0), long(1), long(2)];
    for (mapping, values) in [
        (EnumType::Dictionary, ["A", "D", "C"]),
        (EnumType::Utf8, ["A", "D", "C"]),
        (EnumType::Int32, ["2", "1", "0"]),
    ] {
        let mut target = reader(&ty(r#""C", "D", "A""#, r#", "default": "D""#));
        target.mapping.enums = mapping;
        assert_eq!(good(&target, &writer, &bodies).column("f"), values);
    }
    let decoded = decode(&reader(&ty(r#""C", "A""#, "")), &writer, &bodies);
    assert_eq!(decoded.bad, [(1, 0, "f".to_owned(), RowErrorKind::Unresolvable)]);
    assert_eq!(decoded.column("f")[2], "C");
    // More symbols at the reader's end need no mapping, and the writer's own bound holds.
    let decoded = decode(
        &reader(&ty(r#""A", "B", "C", "D""#, "")),
        &writer,
        &[long(3), long(2)],
    );
    assert_eq!(
        decoded.bad,
        [(0, 0, "f".to_owned(), RowErrorKind::InvalidEnumIndex(3))]
    );
}

#[test]
fn uuids_as_text_are_made_canonical() {
    let writer = record(r#"{"type": "string", "logicalType": "uuid"}"#);
    let mut target = Target::default();
    target.mapping.uuids = UuidType::Utf8;
    let decoded = decode(&target, &writer, &[sized(UUID.to_uppercase()), sized("x")]);
    assert_eq!(decoded.column("f")[0], UUID);
    assert_eq!(decoded.bad, [(1, 0, "f".to_owned(), RowErrorKind::InvalidText)]);
}

#[test]
fn finer_units_can_overflow() {
    let ty = |unit: &str| {
        record(&format!(
            r#"{{"type": "long", "logicalType": "timestamp-{unit}"}}"#
        ))
    };
    let decoded = decode(&reader(&ty("nanos")), &ty("millis"), &[long(i64::MAX), long(2)]);
    assert_eq!(
        decoded.bad,
        [(0, 0, "f".to_owned(), RowErrorKind::NumberOutOfRange)]
    );
    assert_eq!(decoded.column("f")[1], "1970-01-01T00:00:00.002Z");
}
