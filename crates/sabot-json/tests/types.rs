//! Each Arrow type: what becomes which value, and what is refused where.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType as T, Field, Fields, Schema, TimeUnit};
use sabot_decode::{Decoder, DecoderFactory, OutputSchema, Payload, RowErrorKind as K, Target};
use sabot_json::JsonFactory;

fn field(data_type: T) -> Field {
    Field::new("v", data_type, true)
}

fn extension(data_type: T, name: &str) -> Field {
    field(data_type).with_metadata(HashMap::from([(
        "ARROW:extension:name".to_owned(),
        name.to_owned(),
    )]))
}

fn open(fields: Vec<Field>) -> Box<dyn Decoder> {
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(fields)));
    JsonFactory::new().open(&target).expect("the schema fits JSON")
}

type Bad = (u32, u32, String, K);

fn decode(decoder: &mut dyn Decoder, messages: &[&[u8]]) -> (RecordBatch, Vec<Bad>) {
    let rows: Vec<_> = messages.iter().map(|text| Payload::unframed(text)).collect();
    let mut errors = Vec::new();
    assert_eq!(
        decoder.decode(&rows, &mut |error| errors.push(error)).taken,
        rows.len()
    );
    let bad = errors
        .iter()
        .map(|e| (e.slot, e.byte_offset, decoder.field_path(e.path), e.kind))
        .collect();
    (decoder.flush().expect("flushing never fails").batch, bad)
}

fn show(batch: &RecordBatch, column: usize, row: usize) -> String {
    let options = FormatOptions::new().with_null("null");
    ArrayFormatter::try_new(batch.column(column), &options)
        .expect("every type can be shown")
        .value(row)
        .to_string()
}

#[test]
fn values_of_each_type() {
    let list = T::List(Arc::new(field(T::Int64)));
    let members = Fields::from(vec![
        Field::new("a", T::Int64, true),
        Field::new("b", T::Utf8, true),
    ]);
    let entries = Fields::from(vec![
        Field::new("key", T::Utf8, false),
        Field::new("value", T::Int64, true),
    ]);
    let map = T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), false);
    let utc = Some("+00:00".into());
    let cases = [
        (field(T::Boolean), "true", "true"),
        (field(T::Int8), "-128", "-128"),
        (field(T::Int16), "1e2", "100"),
        (field(T::Int32), "1.0", "1"),
        (field(T::Int64), "-9223372036854775808", "-9223372036854775808"),
        (field(T::Int64), "9007199254740993.0", "9007199254740993"),
        (field(T::UInt8), "255", "255"),
        (field(T::UInt16), "65535", "65535"),
        (field(T::UInt32), "4294967295", "4294967295"),
        (field(T::UInt64), "18446744073709551615", "18446744073709551615"),
        (field(T::Float32), "0.1", "0.1"),
        // Between two floats, and nearer to the upper one than an f64 can tell.
        (field(T::Float32), "1.00000005960464477539062501", "1.0000001"),
        (field(T::Float32), "4611686293305294849", "4.6116866e18"),
        (field(T::Float64), "-0", "-0.0"),
        (field(T::Int64), "-0", "0"),
        (field(T::Float64), "-1e-7", "-1e-7"),
        (
            field(T::Float64),
            "123456789012345678901234567890",
            "1.2345678901234568e29",
        ),
        (field(T::Decimal32(9, 2)), "12.34", "12.34"),
        (
            field(T::Decimal64(18, 0)),
            "999999999999999999",
            "999999999999999999",
        ),
        (
            field(T::Decimal128(38, 20)),
            "0.10000000000000000555",
            "0.10000000000000000555",
        ),
        (field(T::Decimal128(4, 2)), "\"-1.5\"", "-1.50"),
        (
            field(T::Decimal256(50, 0)),
            "12345678901234567890123456789012345678901234567890",
            "12345678901234567890123456789012345678901234567890",
        ),
        (
            field(T::Utf8),
            r#""gr\u00f6\u00dfer \ud83d\ude00 \"\\\/\b\f\n\r\t""#,
            "größer 😀 \"\\/\u{8}\u{c}\n\r\t",
        ),
        (field(T::LargeUtf8), "\"x\"", "x"),
        (
            field(T::Utf8View),
            "\"longer than twelve bytes\"",
            "longer than twelve bytes",
        ),
        (field(T::Binary), "\"AP8=\"", "00ff"),
        (field(T::LargeBinary), "\"\"", ""),
        (field(T::BinaryView), "\"AP8=\"", "00ff"),
        (field(T::FixedSizeBinary(2)), "\"AP8=\"", "00ff"),
        (
            extension(T::FixedSizeBinary(16), "arrow.uuid"),
            "\"89791762-2336-4186-9674-299b90a802e2\"",
            "89791762233641869674299b90a802e2",
        ),
        (field(T::Date32), "\"2024-02-29\"", "2024-02-29"),
        (field(T::Date32), "19782", "2024-02-29"),
        (field(T::Date64), "\"2024-02-29\"", "2024-02-29T00:00:00"),
        (
            field(T::Time32(TimeUnit::Millisecond)),
            "\"23:59:59.5\"",
            "23:59:59.500",
        ),
        (field(T::Time64(TimeUnit::Microsecond)), "1", "00:00:00.000001"),
        (
            field(T::Timestamp(TimeUnit::Millisecond, utc)),
            "\"2024-02-29T01:00:00.25+01:00\"",
            "2024-02-29T00:00:00.250Z",
        ),
        (
            field(T::Timestamp(TimeUnit::Nanosecond, None)),
            "\"2024-02-29T01:00:00.000000001\"",
            "2024-02-29T01:00:00.000000001",
        ),
        (
            field(T::Timestamp(TimeUnit::Second, None)),
            "0",
            "1970-01-01T00:00:00",
        ),
        (field(T::Duration(TimeUnit::Second)), "60", "PT60S"),
        (
            field(T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8))),
            "\"x\"",
            "x",
        ),
        (field(list), "[1, null, 3]", "[1, null, 3]"),
        (
            field(T::Struct(members)),
            r#"{"b": "x", "a": 1, "unknown": [{}]}"#,
            "{a: 1, b: x}",
        ),
        (field(map), r#"{"x": 1, "y": null, "x": 2}"#, "{y: null, x: 2}"),
        (
            extension(T::Utf8, "arrow.json"),
            r#"{"a" : [1.50, "x"]}"#,
            r#"{"a" : [1.50, "x"]}"#,
        ),
        (field(T::Null), "null", "null"),
    ];
    for (field, json, expected) in cases {
        let message = format!(" {{\"v\":\t{json} }}\r\n");
        let mut decoder = open(vec![field.clone()]);
        let (batch, bad) = decode(&mut *decoder, &[message.as_bytes(), b"{\"v\": null}", b"{}"]);
        assert_eq!(bad, [], "{field} {json}");
        assert_eq!(show(&batch, 0, 0), expected, "{field} {json}");
        assert_eq!(
            (show(&batch, 0, 1), show(&batch, 0, 2)),
            ("null".into(), "null".into()),
            "{field}"
        );
    }
}

#[test]
fn what_does_not_fit_is_refused_where_it_stands() {
    let number = |found| K::TypeMismatch {
        expected: "a whole number",
        found,
    };
    let string = |found| K::TypeMismatch {
        expected: "a string",
        found,
    };
    let cases = [
        (field(T::Int64), "3.7", K::NumberOutOfRange),
        (field(T::Int64), "9223372036854775808", K::NumberOutOfRange),
        (field(T::Int64), "1e19", K::NumberOutOfRange),
        (field(T::Int64), "\"1\"", number("a string")),
        (field(T::Int64), "true", number("a boolean")),
        (field(T::UInt8), "-1", K::NumberOutOfRange),
        (field(T::UInt8), "256", K::NumberOutOfRange),
        (field(T::Float32), "1e39", K::NumberOutOfRange),
        (field(T::Decimal128(4, 2)), "100.00", K::DecimalOverflow),
        (field(T::Decimal128(4, 2)), "1.001", K::DecimalOverflow),
        (field(T::Decimal128(4, 2)), "\"x\"", K::InvalidText),
        (
            field(T::Boolean),
            "1",
            K::TypeMismatch {
                expected: "a boolean",
                found: "a number",
            },
        ),
        (field(T::Utf8), "1", string("a number")),
        (field(T::Utf8), "{}", string("an object")),
        (field(T::Binary), "\"AP8\"", K::InvalidText),
        (
            field(T::FixedSizeBinary(3)),
            "\"AP8=\"",
            K::WrongSize {
                expected: 3,
                found: 2,
            },
        ),
        (
            extension(T::FixedSizeBinary(16), "arrow.uuid"),
            "\"89791762\"",
            K::InvalidText,
        ),
        (field(T::Date32), "\"2023-02-29\"", K::InvalidText),
        (field(T::Time32(TimeUnit::Second)), "86400", K::NumberOutOfRange),
        (field(T::Time64(TimeUnit::Nanosecond)), "-1", K::NumberOutOfRange),
        (
            field(T::Timestamp(TimeUnit::Second, Some("UTC".into()))),
            "\"2024-02-29T00:00:00\"",
            K::InvalidText,
        ),
        (
            field(T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8))),
            "[]",
            string("an array"),
        ),
        (
            field(T::Null),
            "0",
            K::TypeMismatch {
                expected: "null",
                found: "a number",
            },
        ),
        (Field::new("v", T::Int64, false), "null", K::MissingValue),
    ];
    for (field, json, kind) in cases {
        let (good, message) = (b"{\"v\":null}", format!("{{ \"v\": {json}}}"));
        let mut decoder = open(vec![field.clone()]);
        let (batch, bad) = decode(&mut *decoder, &[good, message.as_bytes(), good]);
        let bad: Vec<_> = bad
            .into_iter()
            .filter(|bad| field.is_nullable() || bad.0 == 1)
            .collect();
        assert_eq!(bad, [(1, 7, "v".to_owned(), kind)], "{field} {json}");
        assert_eq!(batch.num_rows(), 3);
    }
}

#[test]
fn errors_name_the_path_and_the_byte() {
    let price = Field::new("price", T::Int64, false);
    let items = Field::new(
        "items",
        T::List(Arc::new(field(T::Struct(vec![price].into())))),
        true,
    );
    let entries = Fields::from(vec![
        Field::new("key", T::Utf8, false),
        Field::new("value", T::Int64, true),
    ]);
    let labels = Field::new(
        "labels",
        T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), false),
        true,
    );
    let mut decoder = open(vec![Field::new(
        "order",
        T::Struct(vec![items, labels].into()),
        true,
    )]);
    let cases: [(&str, u32, &str, K); 4] = [
        (
            r#"{"order": {"items": [{"price": 1}, {"price": "x"}]}}"#,
            45,
            "order.items[].price",
            K::TypeMismatch {
                expected: "a whole number",
                found: "a string",
            },
        ),
        (
            r#"{"order": {"items": [{"price": 1}, {}]}}"#,
            35,
            "order.items[].price",
            K::MissingValue,
        ),
        (
            r#"{"order": {"labels": {"a": 1, "b": []}}}"#,
            35,
            "order.labels{}",
            K::TypeMismatch {
                expected: "a whole number",
                found: "an array",
            },
        ),
        (
            r#"["order"]"#,
            0,
            "",
            K::TypeMismatch {
                expected: "an object",
                found: "an array",
            },
        ),
    ];
    for (message, byte_offset, path, kind) in cases {
        let (_, bad) = decode(&mut *decoder, &[message.as_bytes()]);
        assert_eq!(bad, [(0, byte_offset, path.to_owned(), kind)], "{message}");
    }
}

#[test]
fn messages_stand_alone() {
    let mut decoder = open(vec![field(T::Int64)]);
    let messages: [&[u8]; 5] = [
        b"{\"v\":1",
        b",\"v\":2}",
        b"{\"v\":3}",
        b"{\"v\":4}{\"v\":5}",
        b"{\"v\":6}",
    ];
    let (batch, bad) = decode(&mut *decoder, &messages);
    assert_eq!(bad.iter().map(|bad| bad.0).collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!((show(&batch, 0, 2), show(&batch, 0, 4)), ("3".into(), "6".into()));
}

#[test]
fn limits_refuse_one_message() {
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(vec![field(T::List(Arc::new(field(
        T::Int64,
    ))))])));
    target.limits.depth = 3;
    target.limits.row_items = 4;
    target.limits.row_bytes = 60;
    let mut decoder = JsonFactory::new().open(&target).unwrap();
    let long = format!("{{\"v\":[1]{}}}", " ".repeat(60));
    let deep = "[".repeat(100_000);
    let cases: [(&str, Option<(u32, K)>); 6] = [
        (r#"{"v":[1,2,3,4],"x":[[1]]}"#, None),
        (
            r#"{"v":[1,2,3,4,5]}"#,
            Some((5, K::LimitExceeded("items in one message"))),
        ),
        (
            r#"{"v":[1],"x":[[[1]]]}"#,
            Some((15, K::LimitExceeded("nesting"))),
        ),
        (r#"{"v":[1],"x":"[[[[[["}"#, None),
        (&long, Some((0, K::LimitExceeded("bytes in one message")))),
        (&deep, Some((0, K::LimitExceeded("bytes in one message")))),
    ];
    for (message, expected) in cases {
        let (_, bad) = decode(&mut *decoder, &[message.as_bytes()]);
        assert_eq!(bad.first().map(|bad| (bad.1, bad.3)), expected, "{message:.50}");
    }
    target.limits.row_bytes = 1 << 20;
    let mut decoder = JsonFactory::new().open(&target).unwrap();
    let closed = format!("{{\"x\":{deep}{}}}", "]".repeat(100_000));
    for message in [&deep, &closed] {
        assert_eq!(decode(&mut *decoder, &[message.as_bytes()]).1.len(), 1);
    }
}

#[test]
fn schemas_that_json_cannot_fill_are_refused() {
    let entries = Fields::from(vec![
        Field::new("key", T::Int64, false),
        Field::new("value", T::Int64, true),
    ]);
    let int_keys = T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), false);
    let entries = Fields::from(vec![
        Field::new("key", T::Utf8, false),
        Field::new("value", T::Int64, true),
    ]);
    let sorted_keys = T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), true);
    let twice = vec![Field::new("v", T::Int64, true), Field::new("v", T::Utf8, true)];
    for fields in [
        vec![field(int_keys)],
        vec![field(sorted_keys)],
        vec![field(T::Float16)],
        twice,
    ] {
        let mut target = Target::default();
        target.output = OutputSchema::Arrow(Arc::new(Schema::new(fields)));
        assert!(JsonFactory::new().open(&target).is_err());
    }
}
