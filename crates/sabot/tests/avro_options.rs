//! Each choice of `Codec::avro()` and the column that comes out by it: a table, from a schema and a
//! message to a field. What each type becomes in all its variants, the tests of sabot-avro say.

use std::sync::Arc;

use sabot::arrow_schema::DataType as T;
use sabot::arrow_schema::{Field, FieldRef, Schema, TimeUnit, UnionMode};
use sabot::decode::Mapping;
use sabot::{
    BigDecimalType, BinaryType, Codec, EnumType, ErrorKind, Limits, RecursionType, Sabot, StringType,
    TimeZone, UnionType, UuidType, WideDecimalType,
};

const CODEC: &str = include_str!("../src/encoding.rs");

/// An option, the type of the field `f` that it is tried with, a value, and what the column has to
/// be.
type Case = (&'static str, fn(Codec) -> Codec, &'static str, &'static [u8], T);

const ENUM: &str = r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#;
const UUID: &str = r#"{"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"}"#;
const WIDE: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 80, "scale": 1}"#;
const BIG: &str = r#"{"type": "bytes", "logicalType": "big-decimal"}"#;
const INSTANT: &str = r#"{"type": "long", "logicalType": "timestamp-micros"}"#;

fn record(ty: &str) -> String {
    format!(r#"{{"type": "record", "name": "R", "fields": [{{"name": "f", "type": {ty}}}]}}"#)
}

/// The field of the one column that a message without a frame becomes.
fn field(codec: Codec, ty: &str, message: &[u8]) -> FieldRef {
    let codec = codec.writer_schema(record(ty));
    let mut decoder = Sabot::payloads(codec).open().expect("the options are valid");
    let (batch, bad) = decoder.decode(&[Some(message)]).expect("the message is good");
    assert_eq!((batch.num_rows(), bad.len()), (1, 0), "{ty}");
    assert_eq!(decoder.schema().as_ref(), Some(batch.schema_ref()));
    Arc::clone(&batch.schema().fields()[0])
}

fn cases() -> Vec<Case> {
    [texts(), numbers(), others()].concat()
}

fn texts() -> Vec<Case> {
    let string = "\"string\"";
    vec![
        (
            "strings",
            |c| c.strings(StringType::Utf8),
            string,
            b"\x02x",
            T::Utf8,
        ),
        (
            "strings",
            |c| c.strings(StringType::LargeUtf8),
            string,
            b"\x02x",
            T::LargeUtf8,
        ),
        (
            "strings",
            |c| c.strings(StringType::Utf8View),
            string,
            b"\x02x",
            T::Utf8View,
        ),
        (
            "binaries",
            |c| c.binaries(BinaryType::Binary),
            "\"bytes\"",
            b"\x02x",
            T::Binary,
        ),
        (
            "binaries",
            |c| c.binaries(BinaryType::LargeBinary),
            "\"bytes\"",
            b"\x02x",
            T::LargeBinary,
        ),
        (
            "binaries",
            |c| c.binaries(BinaryType::BinaryView),
            "\"bytes\"",
            b"\x02x",
            T::BinaryView,
        ),
        (
            "enums",
            |c| c.enums(EnumType::Dictionary),
            ENUM,
            &[0],
            T::Dictionary(T::Int32.into(), T::Utf8.into()),
        ),
        ("enums", |c| c.enums(EnumType::Utf8), ENUM, &[0], T::Utf8),
        ("enums", |c| c.enums(EnumType::Int32), ENUM, &[0], T::Int32),
    ]
}

fn numbers() -> Vec<Case> {
    vec![
        (
            "wide_decimals",
            |c| c.wide_decimals(WideDecimalType::Binary),
            WIDE,
            &[2, 5],
            T::Binary,
        ),
        (
            "wide_decimals",
            |c| c.wide_decimals(WideDecimalType::Utf8),
            WIDE,
            &[2, 5],
            T::Utf8,
        ),
        (
            "big_decimals",
            |c| c.big_decimals(BigDecimalType::Binary),
            BIG,
            &[6, 2, 5, 2],
            T::Binary,
        ),
        (
            "big_decimals",
            |c| c.big_decimals(BigDecimalType::Utf8),
            BIG,
            &[6, 2, 5, 2],
            T::Utf8,
        ),
        (
            "big_decimals",
            |c| c.big_decimals(BigDecimalType::Decimal128 { scale: 3 }),
            BIG,
            &[6, 2, 5, 2],
            T::Decimal128(38, 3),
        ),
        (
            "big_decimals",
            |c| c.big_decimals(BigDecimalType::Decimal256 { scale: 3 }),
            BIG,
            &[6, 2, 5, 2],
            T::Decimal256(76, 3),
        ),
    ]
}

fn others() -> Vec<Case> {
    let timestamp = |zone: Option<&str>| T::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    let members = T::Struct(
        vec![
            Field::new("int", T::Int32, true),
            Field::new("string", T::Utf8, true),
        ]
        .into(),
    );
    let nested = r#"["null", "R"]"#;
    vec![
        (
            "uuids",
            |c| c.uuids(UuidType::FixedSizeBinary),
            UUID,
            &[7; 16],
            T::FixedSizeBinary(16),
        ),
        ("uuids", |c| c.uuids(UuidType::Utf8), UUID, &[7; 16], T::Utf8),
        (
            "unions",
            |c| c.unions(UnionType::Struct),
            r#"["int", "string"]"#,
            &[0, 2],
            members,
        ),
        (
            "recursion",
            |c| c.recursion(RecursionType::Json),
            nested,
            &[2, 0],
            T::Utf8,
        ),
        (
            "recursion",
            |c| c.recursion(RecursionType::Binary),
            nested,
            &[2, 0],
            T::Binary,
        ),
        (
            "recursion",
            |c| c.recursion(RecursionType::Unroll(0)),
            nested,
            &[0],
            T::Null,
        ),
        (
            "time_zone",
            |c| c.time_zone(TimeZone::Utc),
            INSTANT,
            &[2],
            timestamp(Some("UTC")),
        ),
        (
            "time_zone",
            |c| c.time_zone(TimeZone::None),
            INSTANT,
            &[2],
            timestamp(None),
        ),
        (
            "time_zone",
            |c| c.time_zone(TimeZone::Named("Asia/Tokyo".into())),
            INSTANT,
            &[2],
            timestamp(Some("Asia/Tokyo")),
        ),
    ]
}

#[test]
fn each_choice_of_a_type() {
    let cases = cases();
    for (option, set, ty, message, data_type) in &cases {
        let field = field(set(Codec::avro()), ty, message);
        assert_eq!(field.data_type(), data_type, "{option} of {ty}");
    }
    // A dense union is not written out in the table.
    let union = field(
        Codec::avro().unions(UnionType::Dense),
        r#"["int", "string"]"#,
        &[0, 2],
    );
    assert!(matches!(union.data_type(), T::Union(_, UnionMode::Dense)));
    // Every choice that the codec has is there.
    let choices = CODEC
        .split("pub fn ")
        .filter(|text| text.contains("(mut self, to: "));
    let choices = choices.filter_map(|text| text.split_once("(mut self, to: "));
    let names: Vec<_> = choices
        .map(|(name, _)| name)
        .filter(|name| !name.contains('('))
        .collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        assert!(
            cases.iter().any(|(option, ..)| *option == name),
            "{name} has no case"
        );
    }
}

#[test]
fn choices_of_whole_schemas() {
    let int = |codec| field(codec, "\"int\"", &[14]);
    let mut mapping = Mapping::default();
    mapping.enums = EnumType::Int32;
    assert_eq!(
        *field(Codec::avro().mapping(mapping), ENUM, &[0]).data_type(),
        T::Int32
    );
    assert_eq!(
        *int(Codec::avro().reader_schema(record("\"double\""))).data_type(),
        T::Float64
    );
    let given = Arc::new(Schema::new(vec![Field::new("f", T::Float32, true)]));
    assert_eq!(
        *int(Codec::avro().arrow_schema(given)),
        Field::new("f", T::Float32, true)
    );
    assert_eq!(*int(Codec::avro().first_writer_schema()).data_type(), T::Int32);
    let inner = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int"}]}"#;
    let x = T::Struct(vec![Field::new("x", T::Int32, false)].into());
    assert_eq!(
        *field(Codec::avro().select(["f.x"]), inner, &[2, 4]).data_type(),
        x
    );
}

#[test]
fn what_is_refused() {
    let mut limits = Limits::default();
    limits.depth = 1;
    let list = r#"{"type": "array", "items": "int"}"#;
    for (codec, ty) in [
        (Codec::avro().recursion(RecursionType::Refuse), r#"["null", "R"]"#),
        (
            Codec::avro().big_decimals(BigDecimalType::Decimal128 { scale: 39 }),
            BIG,
        ),
        (Codec::avro().time_zone(TimeZone::Named(" ".into())), INSTANT),
        (Codec::avro().limits(limits), list),
        (Codec::avro().select(["g"]), "\"int\""),
        (Codec::avro().reader_schema(record(list)), "\"int\""),
    ] {
        let opened = Sabot::payloads(codec.writer_schema(record(ty))).open();
        let decoded = opened.and_then(|mut decoder| decoder.decode(&[Some(&[0])]).map(|_| ()));
        let error = decoded.expect_err("it is refused");
        assert!(
            matches!(error.kind(), ErrorKind::Schema | ErrorKind::Config),
            "{ty}: {error}"
        );
    }
    // What is not decoded is looked at only where that is asked for.
    let pair = r#"{"type": "record", "name": "R", "fields": [{"name": "f", "type": "int"}, {"name": "g", "type": "boolean"}]}"#;
    for (codec, bad) in [
        (Codec::avro().select(["f"]), 0),
        (Codec::avro().select(["f"]).check_tail(), 1),
    ] {
        let codec = codec.writer_schema(pair);
        let decoder = Sabot::payloads(codec).on_error(sabot::OnError::Skip).open();
        let (_, found) = decoder
            .and_then(|mut decoder| decoder.decode(&[Some(&[2])]))
            .expect("bad rows are skipped");
        assert_eq!(found.len(), bad);
    }
}
