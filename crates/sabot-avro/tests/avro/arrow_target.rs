//! Columns given as an Arrow schema. That every schema of the other tests is read again onto its
//! own columns, `common::good` checks.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit, UnionFields, UnionMode};
use sabot_avro::AvroFactory;
use sabot_decode::{
    DecoderFactory, OutputSchema, Payload, RowErrorKind, SchemaKey, Target, TimeZone, WriterSchema,
};
use sabot_testkit::avro::{logical, long, sized};

use crate::common::{KEY, decode, feed, fields, good, open, record, refusal};

fn onto(columns: Vec<Field>) -> Target {
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(columns)));
    target
}

fn column(data_type: DataType) -> Target {
    onto(vec![Field::new("f", data_type, false)])
}

fn marked(field: Field, metadata: &[(&str, &str)]) -> Field {
    let metadata = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    field.with_metadata(metadata.collect::<HashMap<_, _>>())
}

const INT: &str = r#""int""#;
const LONG: &str = r#""long""#;
const STRING: &str = r#""string""#;
const BYTES: &str = r#""bytes""#;
const FIXED: &str = r#"{"type": "fixed", "name": "F", "size": 2}"#;
const UUID: &str = r#"{"type": "string", "logicalType": "uuid"}"#;
const DATE: &str = r#"{"type": "int", "logicalType": "date"}"#;
const TIME_MILLIS: &str = r#"{"type": "int", "logicalType": "time-millis"}"#;
const TIME_MICROS: &str = r#"{"type": "long", "logicalType": "time-micros"}"#;
const MILLIS: &str = r#"{"type": "long", "logicalType": "timestamp-millis"}"#;
const MICROS: &str = r#"{"type": "long", "logicalType": "timestamp-micros"}"#;
const LOCAL_MILLIS: &str = r#"{"type": "long", "logicalType": "local-timestamp-millis"}"#;
const DURATION: &str = r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#;
const FIXED_UUID: &str = r#"{"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"}"#;
const FIXED_DECIMAL: &str =
    r#"{"type": "fixed", "name": "D", "size": 2, "logicalType": "decimal", "precision": 4, "scale": 1}"#;
const DECIMAL: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 1}"#;
const BIG: &str = r#"{"type": "bytes", "logicalType": "big-decimal"}"#;
const ENUM: &str = r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#;
const BERLIN_MILLIS: &str = r#"Timestamp(ms, "Europe/Berlin")"#;
const BERLIN_NANOS: &str = r#"Timestamp(ns, "Europe/Berlin")"#;
const ID: &[u8] = b"\x4889791762-2336-4186-9674-299B90A802E2";

/// A writer's type, a body, a column that takes it, and the value there.
const TAKEN: &[(&str, &[u8], &str, &str)] = &[
    (r#""null""#, b"", "Null", "null"),
    (r#""boolean""#, b"\x01", "Boolean", "true"),
    (INT, b"\x0e", "Int32", "7"),
    (INT, b"\x0e", "Int64", "7"),
    (INT, b"\x0e", "Float32", "7.0"),
    (INT, b"\x0e", "Float64", "7.0"),
    (LONG, b"\x0e", "Int64", "7"),
    (LONG, b"\x0e", "Float32", "7.0"),
    (LONG, b"\x0e", "Float64", "7.0"),
    (r#""float""#, &1.5f32.to_le_bytes(), "Float32", "1.5"),
    (r#""float""#, &1.5f32.to_le_bytes(), "Float64", "1.5"),
    (r#""double""#, &1.5f64.to_le_bytes(), "Float64", "1.5"),
    (STRING, b"\x04ab", "Utf8", "ab"),
    (STRING, b"\x04ab", "LargeUtf8", "ab"),
    (STRING, b"\x04ab", "Utf8View", "ab"),
    (STRING, b"\x04ab", "Binary", "6162"),
    (STRING, b"\x04ab", "BinaryView", "6162"),
    (BYTES, b"\x04ab", "Utf8", "ab"),
    (BYTES, b"\x04ab", "LargeBinary", "6162"),
    (FIXED, b"ab", "FixedSizeBinary(2)", "6162"),
    (FIXED, b"ab", "Binary", "6162"),
    (FIXED, b"ab", "BinaryView", "6162"),
    (ENUM, b"\x02", "Dictionary(Int32, Utf8)", "B"),
    (ENUM, b"\x02", "Utf8", "B"),
    (ENUM, b"\x02", "LargeUtf8", "B"),
    (ENUM, b"\x02", "Utf8View", "B"),
    (UUID, ID, "Utf8", "89791762-2336-4186-9674-299B90A802E2"),
    (
        FIXED_UUID,
        &[0x11; 16],
        "Utf8",
        "11111111-1111-1111-1111-111111111111",
    ),
    (
        FIXED_UUID,
        &[0x11; 16],
        "FixedSizeBinary(16)",
        "11111111111111111111111111111111",
    ),
    (DECIMAL, b"\x04\x04\xd2", "Decimal128(4, 1)", "123.4"),
    (DECIMAL, b"\x04\x04\xd2", "Decimal128(20, 1)", "123.4"),
    (DECIMAL, b"\x04\x04\xd2", "Decimal256(50, 1)", "123.4"),
    (DECIMAL, b"\x04\x04\xd2", "Utf8", "123.4"),
    (DECIMAL, b"\x04\x04\xd2", "Binary", "04d2"),
    (FIXED_DECIMAL, b"\x04\xd2", "Decimal128(4, 1)", "123.4"),
    (FIXED_DECIMAL, b"\x04\xd2", "Decimal256(40, 1)", "123.4"),
    (FIXED_DECIMAL, b"\x04\xd2", "LargeUtf8", "123.4"),
    (BYTES, b"\x04\x04\xd2", "Decimal128(4, 1)", "123.4"),
    (BIG, b"\x06\x02\x7b\x02", "Decimal128(4, 2)", "12.30"),
    (BIG, b"\x06\x02\x7b\x02", "Utf8", "12.3"),
    (BIG, b"\x06\x02\x7b\x02", "Binary", "027b02"),
    (DATE, b"\x02", "Date32", "1970-01-02"),
    (INT, b"\x02", "Date32", "1970-01-02"),
    (TIME_MILLIS, b"\x02", "Time32(ms)", "00:00:00.001"),
    (TIME_MILLIS, b"\x02", "Time64(µs)", "00:00:00.001"),
    (TIME_MICROS, b"\x02", "Time64(µs)", "00:00:00.000001"),
    (MILLIS, b"\x02", BERLIN_MILLIS, "1970-01-01T00:00:00.001Z"),
    (MILLIS, b"\x02", BERLIN_NANOS, "1970-01-01T00:00:00.001Z"),
    (MICROS, b"\xd0\x0f", BERLIN_NANOS, "1970-01-01T00:00:00.001Z"),
    (LONG, b"\x02", BERLIN_MILLIS, "1970-01-01T00:00:00.001Z"),
    (LOCAL_MILLIS, b"\x02", "Timestamp(µs)", "1970-01-01T00:00:00.001"),
    (
        DURATION,
        b"\x01\0\0\0\x02\0\0\0\x03\0\0\0",
        "Interval(MonthDayNano)",
        "1 mons 2 days 0.003000000 secs",
    ),
    (DURATION, &[0; 12], "Binary", "000000000000000000000000"),
];

#[test]
fn what_columns_take() {
    for (writer, body, data_type, value) in TAKEN {
        let what = format!("{writer} onto {data_type}");
        let data_type: DataType = data_type.parse().unwrap();
        let body = body.to_vec();
        let decoded = good(
            &column(data_type.clone()),
            &record(writer),
            std::slice::from_ref(&body),
        );
        assert_eq!(decoded.column("f"), [*value], "{what}");

        // A column that may be null takes the same, and nulls.
        let nullable = onto(vec![Field::new("f", data_type.clone(), true)]);
        let decoded = good(&nullable, &record(writer), std::slice::from_ref(&body));
        assert_eq!(decoded.column("f"), [*value], "{what}, nullable");
        if data_type == DataType::Null {
            continue;
        }
        let union = record(&format!(r#"["null", {writer}]"#));
        let bodies = [[long(1), body].concat(), long(0)];
        let decoded = good(&nullable, &union, &bodies);
        assert_eq!(decoded.column("f"), [*value, "null"], "null or {what}, nullable");
        // One that may not takes rows that are not null.
        let decoded = decode(&column(data_type), &union, &bodies);
        assert_eq!(decoded.column("f")[0], *value, "null or {what}");
        let expected = [(1, 1, "f".into(), RowErrorKind::Unresolvable)];
        assert_eq!(decoded.bad, expected, "null or {what}");
    }
}

#[test]
fn what_columns_do_not_take() {
    use DataType as T;
    let local = T::Timestamp(TimeUnit::Millisecond, None);
    let utc = |unit| T::Timestamp(unit, Some("UTC".into()));
    for (writer, data_type) in [
        (r#""long""#.to_owned(), T::Int32),
        (r#""double""#.into(), T::Float32),
        (r#""boolean""#.into(), T::Int32),
        (r#""int""#.into(), T::Utf8),
        (r#""int""#.into(), T::Boolean),
        (r#""string""#.into(), T::Int32),
        (r#""string""#.into(), T::FixedSizeBinary(16)),
        (r#""string""#.into(), T::Decimal128(4, 1)),
        (
            r#""string""#.into(),
            T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8)),
        ),
        (ENUM.into(), T::Int32),
        (ENUM.into(), T::Binary),
        (r#"{"type": "fixed", "name": "F", "size": 2}"#.into(), T::Utf8),
        (
            r#"{"type": "fixed", "name": "F", "size": 2}"#.into(),
            T::FixedSizeBinary(3),
        ),
        (DECIMAL.into(), T::Decimal128(4, 2)),
        (DECIMAL.into(), T::Decimal128(3, 1)),
        (FIXED_DECIMAL.into(), T::Decimal128(3, 1)),
        (logical("int", "date"), T::Time32(TimeUnit::Millisecond)),
        (logical("long", "timestamp-millis"), local.clone()),
        (
            logical("long", "local-timestamp-millis"),
            utc(TimeUnit::Millisecond),
        ),
        (logical("long", "timestamp-micros"), utc(TimeUnit::Millisecond)),
        (logical("long", "time-micros"), T::Time32(TimeUnit::Millisecond)),
        (r#"{"type": "array", "items": "int"}"#.into(), T::Int32),
        (r#"{"type": "record", "name": "P", "fields": []}"#.into(), T::Utf8),
    ] {
        let error = refusal(&column(data_type.clone()), &record(&writer));
        assert!(
            error.starts_with("field f: the writer's"),
            "{writer} onto {data_type}: {error}"
        );
        assert!(error.contains("cannot be read as"), "{error}");
    }
    for data_type in [
        T::Int8,
        T::UInt64,
        T::Float16,
        T::Date64,
        T::Timestamp(TimeUnit::Second, None),
        T::Time32(TimeUnit::Second),
        T::Time64(TimeUnit::Nanosecond),
        T::Duration(TimeUnit::Second),
        T::Interval(IntervalUnit::YearMonth),
        T::Decimal128(5, -2),
        T::Dictionary(Box::new(T::Int8), Box::new(T::Utf8)),
        T::LargeList(Arc::new(Field::new("item", T::Int32, false))),
        T::Map(Arc::new(entries(T::Utf8, false)), true),
        T::Map(Arc::new(entries(T::Int32, false)), false),
        T::Map(Arc::new(entries(T::Utf8, true)), false),
    ] {
        let inner = T::Struct(vec![Field::new("x", data_type.clone(), true)].into());
        let error = AvroFactory.open(&column(inner)).unwrap_err();
        assert!(
            error.to_string().starts_with("field f.x: "),
            "{data_type}: {error}"
        );
    }
}

fn entries(key: DataType, is_nullable: bool) -> Field {
    let pair = vec![
        Field::new("keys", key, is_nullable),
        Field::new("values", DataType::Int64, true),
    ];
    Field::new("kv", DataType::Struct(pair.into()), false)
}

/// With names, metadata and columns that no writer has.
fn given() -> Arc<Schema> {
    let item = marked(Field::new("element", DataType::Int64, true), &[("their", "own")]);
    let columns = vec![
        marked(
            Field::new("list", DataType::List(Arc::new(item)), true),
            &[("PARQUET:field_id", "7")],
        ),
        Field::new(
            "map",
            DataType::Map(Arc::new(entries(DataType::LargeUtf8, false)), false),
            false,
        ),
        Field::new("absent", DataType::Utf8View, true),
        Field::new(
            "p",
            DataType::Struct(
                vec![
                    Field::new("y", DataType::Float64, false),
                    Field::new("gone", DataType::Boolean, true),
                ]
                .into(),
            ),
            true,
        ),
    ];
    let metadata = HashMap::from([("table".to_owned(), "t".to_owned())]);
    Arc::new(Schema::new_with_metadata(columns, metadata))
}

/// A writer onto them, and a body of it.
fn onto_given() -> (Target, String, Vec<u8>) {
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(given());
    let writer = fields(
        r#"{"name": "p", "type": {"type": "record", "name": "any.Name", "fields": [{"name": "x", "type": "string"}, {"name": "y", "type": "int"}]}},
           {"name": "more", "type": "string"}, {"name": "map", "type": {"type": "map", "values": ["null", "int"]}},
           {"name": "list", "type": ["null", {"type": "array", "items": "int"}]}"#,
    );
    let body = [
        sized("x"),
        long(3),
        sized("more"),
        [long(1), sized("k"), long(1), long(4), long(0)].concat(),
        [long(1), long(2), long(5), long(6), long(0)].concat(),
    ]
    .concat();
    (target, writer, body)
}

#[test]
fn the_given_schema_is_kept() {
    let (target, writer, body) = onto_given();
    let decoded = good(&target, &writer, std::slice::from_ref(&body));
    assert_eq!(decoded.batch.schema(), given());
    assert_eq!(decoded.column("list"), ["[5, 6]"]);
    assert_eq!(decoded.column("map"), ["{k: 4}"]);
    assert_eq!(decoded.column("absent"), ["null"]);
    assert_eq!(decoded.column("p"), ["{y: 3.0, gone: }"]);
    // Without a projection a row is read to its end.
    let decoded = decode(
        &target,
        &writer,
        &[body[..body.len() - 1].to_vec(), [&body[..], &[0]].concat()],
    );
    assert_eq!(decoded.bad.len(), 2);
}

#[test]
fn the_given_schema_and_a_projection() {
    let (mut target, writer, body) = onto_given();
    target.projection = Some(vec!["p.y".into(), "list".into()]);
    let decoded = good(&target, &writer, &[body]);
    assert_eq!(decoded.names(), ["p", "list"]);
    assert_eq!(decoded.column("p"), ["{y: 3.0}"]);
    assert_eq!(decoded.batch.schema().field(1), given().field(0));
    for (path, expected) in [
        ("p.none", "field p.none:"),
        ("absent.x", "cannot select within Utf8View"),
    ] {
        target.projection = Some(vec![path.into()]);
        let error = AvroFactory.open(&target).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn fields_that_are_not_there() {
    let target = onto(vec![
        Field::new("a", DataType::Int32, true),
        Field::new("b", DataType::Int32, false),
    ]);
    let error = refusal(&target, &fields(r#"{"name": "a", "type": "int"}"#));
    assert_eq!(
        error,
        "field b: the writer's record has no such field, and the column may not be null"
    );
    // A field's former name.
    let renamed = fields(
        r#"{"name": "now", "aliases": ["b"], "type": "int"}, {"name": "a", "aliases": ["b"], "type": "int"}"#,
    );
    let decoded = good(&target, &renamed, &[[long(1), long(2)].concat()]);
    assert_eq!(
        (decoded.column("a"), decoded.column("b")),
        (vec!["2".to_owned()], vec!["1".to_owned()])
    );
    // Names differ by case.
    assert!(refusal(&target, &fields(r#"{"name": "B", "type": "int"}"#)).starts_with("field b:"));
    let twice = onto(vec![
        Field::new("a", DataType::Int32, true),
        Field::new("a", DataType::Int32, true),
    ]);
    assert!(
        AvroFactory
            .open(&twice)
            .unwrap_err()
            .to_string()
            .starts_with("field a: two fields")
    );
}

#[test]
fn symbols_of_several_writers() {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let writers = [["A", "B"], ["C", "B"], ["B", "D"]];
    let writers = writers.map(|symbols| {
        record(&format!(
            r#"{{"type": "enum", "name": "E", "symbols": {symbols:?}}}"#
        ))
    });
    for is_nullable in [false, true] {
        let target = onto(vec![Field::new("f", dictionary.clone(), is_nullable)]);
        let mut decoder = AvroFactory.open(&target).unwrap();
        decoder.decode(&[Payload::tombstone()], &mut |error| panic!("{error:?}"));
        for (id, writer) in writers.iter().enumerate().take(2) {
            decoder
                .prepare(SchemaKey::Id(id as u32), &WriterSchema::avro(writer.as_str()))
                .unwrap();
        }
        let rows = [(0, 0), (0, 2), (1, 0), (1, 2), (0, 0)].map(|(id, body): (u32, u8)| (id, [body]));
        let rows: Vec<_> = rows
            .iter()
            .map(|(id, body)| Payload::with_key(SchemaKey::Id(*id), body))
            .collect();
        let decoded = feed(&mut *decoder, &rows);
        assert_eq!(decoded.column("f")[1..], ["A", "B", "C", "B", "A"]);
        // Symbols that come later do not move the earlier ones, within a batch or after it.
        feed(&mut *decoder, &rows[..1]);
        decoder.decode(&rows, &mut |error| panic!("{error:?}"));
        decoder
            .prepare(SchemaKey::Id(2), &WriterSchema::avro(writers[2].as_str()))
            .unwrap();
        let last = Payload::with_key(SchemaKey::Id(2), &[2]);
        assert_eq!(
            feed(&mut *decoder, &[last]).column("f"),
            ["A", "B", "C", "B", "A", "D"]
        );
        // Nothing but bad rows, and nothing at all.
        let broken = Payload::with_key(KEY, &[]);
        let mut empty = AvroFactory.open(&target).unwrap();
        empty.decode(&[Payload::refused(KEY, RowErrorKind::UnknownSchema)], &mut |_| {});
        assert_eq!(empty.flush().unwrap().batch.num_rows(), 1);
        decoder
            .prepare(KEY, &WriterSchema::avro(writers[0].as_str()))
            .unwrap();
        decoder.decode(&[broken], &mut |_| {});
        assert_eq!(decoder.flush().unwrap().batch.num_rows(), 1);
    }
    // Symbols in the metadata are all there are.
    for (data_type, values) in [(dictionary, ["B", "C"]), (DataType::Int32, ["0", "1"])] {
        let field = marked(
            Field::new("f", data_type, false),
            &[("avro.enum.symbols", r#"["B", "C"]"#)],
        );
        let target = onto(vec![field.clone()]);
        let decoded = decode(&target, &writers[1], &[long(1), long(0)]);
        assert_eq!(decoded.column("f"), values);
        let decoded = decode(&target, &writers[0], &[long(0), long(1)]);
        assert_eq!(
            (decoded.bad.len(), decoded.bad[0].3),
            (1, RowErrorKind::Unresolvable)
        );
        let spoilt = marked(field, &[("avro.enum.symbols", "B, C")]);
        assert!(
            AvroFactory
                .open(&onto(vec![spoilt]))
                .unwrap_err()
                .to_string()
                .contains("no list of symbols")
        );
    }
}

#[test]
fn unions() {
    let record_of = |name: &str, field: &str| {
        format!(r#"{{"type": "record", "name": "{name}", "fields": [{{"name": "{field}", "type": "int"}}]}}"#)
    };
    let struct_of = |name: &str, field: &str| {
        Field::new(
            name,
            DataType::Struct(vec![Field::new(field, DataType::Int64, true)].into()),
            false,
        )
    };
    let branches = vec![
        struct_of("b.P", "x"),
        struct_of("Q", "y"),
        Field::new("text", DataType::Utf8, false),
        Field::new("number", DataType::Float64, false),
        Field::new("nothing", DataType::Null, true),
    ];
    let union = DataType::Union(
        UnionFields::try_new(0..5, branches.clone()).unwrap(),
        UnionMode::Dense,
    );
    let target = onto(vec![
        Field::new("f", union, true),
        Field::new("g", DataType::Int32, true),
    ]);
    // By name where there are several records, in any order; by type elsewhere.
    let writer = record(&format!(
        r#"["null", {}, {}, "int", {}, {}]"#,
        record_of("Q", "y"),
        record_of("b.P", "x"),
        FIXED_UUID,
        record_of("Z", "z"),
    ));
    let bodies = [
        long(0),
        [long(1), long(5)].concat(),
        [long(2), long(6)].concat(),
        [long(3), long(7)].concat(),
        [long(4), vec![0x11; 16]].concat(),
        [long(5), long(8)].concat(),
    ];
    let decoded = decode(&target, &writer, &bodies);
    assert_eq!(
        decoded.column("f")[..5],
        [
            "{nothing=}",
            "{Q={y: 5}}",
            "{b.P={x: 6}}",
            "{number=7.0}",
            "{text=11111111-1111-1111-1111-111111111111}"
        ]
    );
    assert_eq!(decoded.bad, [(5, 1, "f".into(), RowErrorKind::Unresolvable)]);
    // A union that the writer lacks is null where it has a branch for it.
    let absent = good(&target, &fields(r#"{"name": "g", "type": "int"}"#), &[long(1)]);
    assert_eq!(absent.column("f"), ["{nothing=}"]);
    let without = DataType::Union(
        UnionFields::try_new(0..4, branches[..4].to_vec()).unwrap(),
        UnionMode::Dense,
    );
    let target = onto(vec![
        Field::new("f", without, true),
        Field::new("g", DataType::Int32, true),
    ]);
    assert!(refusal(&target, &fields(r#"{"name": "g", "type": "int"}"#)).starts_with("field f: "));
}

/// As many as there are type ids.
#[test]
fn a_union_of_128_branches() {
    let sizes = 1..=128;
    let branch = |size: i32| Field::new(format!("F{size}"), DataType::FixedSizeBinary(size), false);
    let branches = UnionFields::try_new(0..=127, sizes.clone().map(branch)).unwrap();
    let fixed = |size: i32| format!(r#"{{"type": "fixed", "name": "F{size}", "size": {size}}}"#);
    let writer = format!("[{}]", sizes.map(fixed).collect::<Vec<_>>().join(", "));
    let bodies = [[long(0), vec![1]].concat(), [long(127), vec![2; 128]].concat()];
    let target = column(DataType::Union(branches, UnionMode::Dense));
    let decoded = good(&target, &record(&writer), &bodies);
    let last = format!("{{F128={}}}", "02".repeat(128));
    assert_eq!(decoded.column("f"), ["{F1=01}", &last]);
}

/// Members of a struct may all be null.
#[test]
fn members_of_a_union_that_may_not_be_null() {
    let members = DataType::Struct(vec![Field::new("int", DataType::Int32, false)].into());
    let field = marked(Field::new("f", members, true), &[("avro.union", "struct")]);
    assert!(
        AvroFactory
            .open(&onto(vec![field]))
            .unwrap_err()
            .to_string()
            .starts_with("field f<int>: a member")
    );
}

#[test]
fn anything_as_json() {
    let json = |is_nullable| {
        let field = Field::new("f", DataType::Utf8View, is_nullable);
        onto(vec![marked(field, &[("ARROW:extension:name", "arrow.json")])])
    };
    for (writer, body, expected) in [
        (r#""int""#, long(7), "7"),
        (r#""string""#, sized("7"), "\"7\""),
        (
            r#"{"type": "array", "items": ["null", "long"]}"#,
            [long(2), long(0), long(1), long(2), long(0)].concat(),
            r#"[null,{"long":2}]"#,
        ),
        (
            r#"["int", "string"]"#,
            [long(1), sized("x")].concat(),
            r#"{"string":"x"}"#,
        ),
        (r#"["null", "string"]"#, [long(1), sized("x")].concat(), "\"x\""),
    ] {
        for is_nullable in [true, false] {
            if is_nullable || !writer.contains("null\", \"string") {
                let decoded = good(&json(is_nullable), &record(writer), std::slice::from_ref(&body));
                assert_eq!(decoded.column("f"), [expected], "{writer}");
            }
        }
    }
    assert_eq!(
        good(&json(true), &record(r#"["null", "string"]"#), &[long(0)]).column("f"),
        ["null"]
    );
    let whole = good(
        &json(false),
        &record(r#"["null", "string"]"#),
        &[long(0), [long(1), sized("x")].concat()],
    );
    assert_eq!(whole.column("f"), ["null", r#"{"string":"x"}"#]);
}

#[test]
fn messages_that_are_no_records() {
    let value = onto(vec![
        Field::new("value", DataType::Int64, true),
        Field::new("more", DataType::Utf8, true),
    ]);
    let decoded = good(&value, r#""int""#, &[long(7)]);
    assert_eq!(
        (decoded.column("value"), decoded.column("more")),
        (vec!["7".to_owned()], vec!["null".to_owned()])
    );
    let decoded = good(
        &value,
        r#"["null", "int"]"#,
        &[long(0), [long(1), long(7)].concat()],
    );
    assert_eq!(decoded.column("value"), ["null", "7"]);
    let columns = onto(vec![Field::new("f", DataType::Int64, false)]);
    assert!(refusal(&columns, r#""int""#).contains("cannot be read as"));
    // A record that may be null fills the columns where it is there.
    let decoded = decode(
        &columns,
        &format!(r#"["null", {}]"#, record(r#""int""#)),
        &[[long(1), long(7)].concat(), long(0)],
    );
    assert_eq!(decoded.column("f")[0], "7");
    assert_eq!(decoded.bad, [(1, 1, String::new(), RowErrorKind::Unresolvable)]);
}

#[test]
fn instants_without_a_zone() {
    let timestamp = DataType::Timestamp(TimeUnit::Millisecond, None);
    let mut target = column(timestamp.clone());
    target.mapping.time_zone = TimeZone::None;
    let writer = record(&logical("long", "timestamp-millis"));
    assert_eq!(
        good(&target, &writer, &[long(1)]).column("f"),
        ["1970-01-01T00:00:00.001"]
    );
    assert!(refusal(&target, &record(&logical("long", "local-timestamp-millis"))).contains("cannot be read"));
    // Unless the metadata says which it is.
    let local = marked(
        Field::new("f", timestamp, false),
        &[("avro.logicalType", "local-timestamp-millis")],
    );
    let mut target = onto(vec![local]);
    target.mapping.time_zone = TimeZone::None;
    good(
        &target,
        &record(&logical("long", "local-timestamp-millis")),
        &[long(1)],
    );
    assert!(refusal(&target, &writer).contains("cannot be read"));
}

#[test]
fn limits_hold() {
    let mut data_type = DataType::Int32;
    for _ in 0..200 {
        data_type = DataType::Struct(vec![Field::new("x", data_type, true)].into());
    }
    let error = AvroFactory.open(&column(data_type)).unwrap_err();
    assert!(error.to_string().contains("nests deeper"), "{error}");
    assert!(open(&column(DataType::Int32), "{").is_err());
}
