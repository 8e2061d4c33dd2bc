//! What must hold for any bytes at all as a message. The fuzz target, the property tests and the
//! replayed findings share it.
//!
//! `serde_json` is the judge of what is JSON, and of its values. The differences:
//!
//! - The limit of nesting: 128 there, [`sabot_decode::Limits::depth`] here. What nests too deep is
//!   judged by that alone.
//! - A message is an object.

use std::sync::{Arc, LazyLock};

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType as T, Field, Fields, Schema, TimeUnit};
use sabot_decode::{Decoder, DecoderFactory, OutputSchema, Payload, RowError, RowErrorKind, Slots, Target};
use sabot_json::JsonFactory;
use serde_json::Value;

#[path = "../model/mod.rs"]
pub(crate) mod model;

/// Less than `serde_json` allows.
const DEPTH: usize = 32;

/// Decodes `text` alone with an inferred schema, and between others onto columns of each type.
///
/// # Panics
///
/// If an invariant is broken.
pub(crate) fn check(text: &[u8]) {
    let error = check_inferred(text);
    if let Some(error) = error {
        check_fault(text, &error);
    }
    check_columns(text, error.is_some());
}

/// Accepts or refuses what `serde_json` does, with the same values.
fn check_inferred(text: &[u8]) -> Option<RowError> {
    let shown = String::from_utf8_lossy(text);
    let mut target = Target::default();
    target.limits.depth = DEPTH;
    let (slots, error) = decode(open(&target), &[text]);
    let error = error.into_iter().next();
    assert_eq!(slots.batch.num_rows(), 1);
    assert_eq!(slots.valid.is_none(), error.is_none(), "{shown}");
    let judged = serde_json::from_slice::<Value>(text);
    let kind = error.map(|error| error.kind);
    match (judged, kind) {
        (Ok(value), None) => model::assert_row(&slots.batch, 0, &value, &shown),
        (Ok(value), Some(RowErrorKind::LimitExceeded("nesting"))) => {
            assert!(depth(&value) > DEPTH, "{shown}");
        }
        (Ok(value), Some(RowErrorKind::TypeMismatch { .. })) => assert!(!value.is_object(), "{shown}"),
        (Ok(_), Some(kind)) => panic!("refused as {kind}: {shown}"),
        (Err(judged), None) => panic!("accepted in spite of {judged}: {shown}"),
        (Err(judged), Some(RowErrorKind::NumberOutOfRange)) => {
            assert_eq!(
                judged.to_string().split(" at ").next(),
                Some("number out of range"),
                "{shown}"
            );
        }
        (Err(judged), Some(kind)) => assert!(
            matches!(
                kind,
                RowErrorKind::Syntax(_)
                    | RowErrorKind::Truncated
                    | RowErrorKind::InvalidUtf8
                    | RowErrorKind::LimitExceeded("nesting")
            ),
            "{kind} instead of {judged}: {shown}"
        ),
    }
    error
}

/// What comes before a fault is the beginning of a message.
fn check_fault(text: &[u8], error: &RowError) {
    assert_ne!(
        error.kind,
        RowErrorKind::Syntax("not JSON"),
        "the fault was not found"
    );
    let at = error.byte_offset as usize;
    assert!(at <= text.len());
    if error.kind == RowErrorKind::Truncated {
        assert_eq!(at, text.len());
        return;
    }
    let (_, before) = decode(open(&Target::default()), &[&text[..at]]);
    let is_beginning = before.iter().all(|before| {
        matches!(
            before.kind,
            RowErrorKind::Truncated | RowErrorKind::TypeMismatch { .. }
        )
    });
    assert!(
        is_beginning,
        "{error:?} {before:?}: {}",
        String::from_utf8_lossy(text)
    );
}

/// Whatever it holds, neither its neighbours nor the columns suffer.
fn check_columns(text: &[u8], is_bad: bool) {
    let (slots, errors) = decode(open(&TARGET), &[GOOD, text, GOOD]);
    assert!(!is_bad || !errors.is_empty());
    assert!(
        errors
            .iter()
            .all(|error| error.slot == 1 && error.byte_offset as usize <= text.len())
    );
    for (column, alone) in slots.batch.columns().iter().zip(ALONE.columns()) {
        for row in [0, 2] {
            assert_eq!(&column.slice(row, 1), alone);
        }
    }
}

/// Decodes in one call.
fn decode(mut decoder: Box<dyn Decoder>, texts: &[&[u8]]) -> (Slots, Vec<RowError>) {
    let rows: Vec<_> = texts.iter().map(|text| Payload::unframed(text)).collect();
    let mut errors = Vec::new();
    let progress = decoder.decode(&rows, &mut |error| errors.push(error));
    assert_eq!(progress.taken, rows.len());
    let slots = decoder.flush().expect("flushing never fails");
    validate(&slots.batch);
    (slots, errors)
}

fn validate(batch: &RecordBatch) {
    for column in batch.columns() {
        column.to_data().validate_full().expect("columns are well-formed");
    }
}

fn open(target: &Target) -> Box<dyn Decoder> {
    JsonFactory::new().open(target).expect("the target is supported")
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

const GOOD: &[u8] = br#"{"text":"x","dictionary":"y","list":[{"a":1}],"map":{"k":[1.5]},"int8":1}"#;
/// What becomes of it alone.
static ALONE: LazyLock<RecordBatch> = LazyLock::new(|| decode(open(&TARGET), &[GOOD]).0.batch);

/// A column of each type.
static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let field = |name: &str, data_type: T| Field::new(name, data_type, true);
    let json = field("json", T::Utf8)
        .with_metadata([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())].into());
    let entries = Fields::from(vec![
        Field::new("key", T::Utf8, false),
        field("value", T::List(Arc::new(field("item", T::Float64)))),
    ]);
    let fields = vec![
        field("bool", T::Boolean),
        field("int8", T::Int8),
        field("int64", T::Int64),
        field("uint64", T::UInt64),
        field("float32", T::Float32),
        field("float64", T::Float64),
        field("decimal", T::Decimal128(20, 5)),
        field("wide_decimal", T::Decimal256(60, 10)),
        field("text", T::Utf8),
        field("view", T::Utf8View),
        field("bytes", T::LargeBinary),
        field("fixed", T::FixedSizeBinary(2)),
        field("date", T::Date32),
        field("time", T::Time64(TimeUnit::Nanosecond)),
        field(
            "timestamp",
            T::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ),
        field("dictionary", T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8))),
        Field::new(
            "list",
            T::List(Arc::new(field(
                "item",
                T::Struct(vec![field("a", T::Int64)].into()),
            ))),
            true,
        ),
        field(
            "map",
            T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), false),
        ),
        json,
    ];
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(fields)));
    target.limits.depth = DEPTH;
    target
});
