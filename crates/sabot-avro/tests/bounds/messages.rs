//! Messages that stand for more than they are.
//!
//! Each row is worth less than a row may be, and all of them together more than a batch may: by
//! nulls of a kilobyte, items of no bytes, defaults, and text that is made of a byte or none.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use sabot_decode::{
    OutputSchema, Payload, RowErrorKind, Stop, StringType, Target, UnionType, WideDecimalType, WriterSchema,
};
use sabot_testkit::alloc::count;
use sabot_testkit::avro::{array, long};

use crate::{KEY, open};

/// What a batch, and a row, may take.
const LIMIT_BYTES: usize = 1 << 20;
/// A column that grows holds what it had and twice as much.
const PEAK_MULTIPLE: usize = 3;

fn limited() -> Target {
    let mut target = Target::default();
    target.limits.batch_bytes = LIMIT_BYTES;
    target.limits.row_bytes = LIMIT_BYTES;
    target
}

fn record(fields: &str) -> String {
    format!(r#"{{"type": "record", "name": "R", "fields": [{fields}]}}"#)
}

fn list_of(items: &str) -> String {
    record(&format!(
        r#"{{"name": "f", "type": {{"type": "array", "items": {items}}}}}"#
    ))
}

/// A list of so many items of one byte, which is 0.
fn zeros(count: usize) -> Vec<u8> {
    [long(count as i64), vec![0; count], long(0)].concat()
}

/// Decodes all of `bodies`, flushing where it is full: what is gathered stays within the limit, and
/// what is allocated meanwhile within a multiple. Gives the rows that are bad, which they are for
/// their own size.
fn check(target: &Target, writer: &str, bodies: &[Vec<u8>]) -> Vec<u32> {
    let mut decoder = open(target);
    decoder
        .prepare(KEY, &WriterSchema::avro(writer))
        .expect("the schema is read");
    let rows: Vec<_> = bodies.iter().map(|body| Payload::with_key(KEY, body)).collect();
    let (mut taken, mut bad) = (0, Vec::new());
    let limit_bytes = target.limits.batch_bytes;
    while taken < rows.len() {
        let (progress, counts) = count(|| {
            decoder.decode(&rows[taken..], &mut |error| {
                assert!(matches!(error.kind, RowErrorKind::LimitExceeded(_)), "{error:?}");
                bad.push(taken as u32 + error.slot);
            })
        });
        assert!(counts.peak_bytes <= PEAK_MULTIPLE * limit_bytes, "{counts:?}");
        let held_bytes = decoder.buffered_bytes();
        assert!(held_bytes <= limit_bytes, "{held_bytes}");
        assert!(matches!(progress.stop, Stop::Done | Stop::Full) && progress.taken > 0);
        taken += progress.taken;
        decoder.flush().expect("flushing never fails");
    }
    bad
}

#[test]
fn nulls_of_a_kilobyte() {
    let writer = list_of(r#"["null", {"type": "fixed", "name": "F", "size": 1024}]"#);
    // One row beyond what a row may be, which costs itself alone and leaves nothing behind.
    let bad = check(
        &limited(),
        &writer,
        &[zeros(60_000), zeros(1), zeros(1), zeros(1)],
    );
    assert_eq!(bad, [0]);
    // As many rows as a block has, each of nearly a batch.
    assert!(check(&limited(), &writer, &vec![zeros(900); 64]).is_empty());
}

#[test]
fn nulls_of_two_gigabytes() {
    let writer = list_of(r#"["null", {"type": "fixed", "name": "F", "size": 2147483647}]"#);
    // 192 bytes in all, and no limit but those that everybody has.
    let bad = check(&Target::default(), &writer, &vec![zeros(1); 64]);
    assert_eq!(bad.len(), 64);
}

/// Four fields before it make the plan one for blocks, though the last step is taken by rows.
fn behind_four_numbers(field: &str) -> String {
    let numbers = ["a", "b", "c", "d"].map(|name| format!(r#"{{"name": "{name}", "type": "long"}}"#));
    record(&format!("{}, {field}", numbers.join(", ")))
}

#[test]
fn text_of_items_without_bytes() {
    // A record within itself is text: here of a list of nulls, each of which is a word there.
    let writer = behind_four_numbers(
        r#"{"name": "z", "type": {"type": "array", "items": "null"}}, {"name": "n", "type": ["null", "R"]}"#,
    );
    let inner = [vec![0; 4], long(200_000), long(0), vec![0]].concat();
    let body = [&[0; 4][..], &[0, 2], &inner].concat();
    assert!(check(&limited(), &writer, &vec![body; 64]).is_empty());
}

#[test]
fn defaults_of_items_without_bytes() {
    let items = |fields: &str| {
        behind_four_numbers(&format!(
            r#"{{"name": "z", "type": {{"type": "array", "items": {{"type": "record", "name": "P", "fields": [{fields}]}}}}}}"#
        ))
    };
    let default = format!(
        r#"{{"name": "d", "type": "string", "default": "{}"}}"#,
        "x".repeat(1000)
    );
    let mut target = limited();
    target.output = OutputSchema::Reader(WriterSchema::avro(items(&default)));
    let body = [&[0; 4][..], &long(900), &long(0)].concat();
    assert!(check(&target, &items(""), &vec![body; 64]).is_empty());
}

#[test]
fn symbols_as_text() {
    let symbol = format!(
        r#"{{"type": "enum", "name": "E", "symbols": ["{}"]}}"#,
        "x".repeat(100_000)
    );
    let mut target = limited();
    let item = Arc::new(Field::new("item", DataType::LargeUtf8, false));
    for (data_type, writer, bodies, bad) in [
        (
            DataType::List(item),
            list_of(&symbol),
            vec![zeros(1000), zeros(8)],
            &[0][..],
        ),
        (
            DataType::LargeUtf8,
            record(&format!(r#"{{"name": "f", "type": {symbol}}}"#)),
            vec![vec![0]; 1000],
            &[],
        ),
    ] {
        let field = Field::new("f", data_type, false);
        target.output = OutputSchema::Arrow(Arc::new(Schema::new(vec![field])));
        assert_eq!(check(&target, &writer, &bodies), bad);
    }
}

#[test]
fn decimals_as_text() {
    // No byte at all stands for zero, with a thousand digits after the point.
    let writer = list_of(r#"{"type": "bytes", "logicalType": "decimal", "precision": 1000, "scale": 1000}"#);
    let mut target = limited();
    target.mapping.wide_decimals = WideDecimalType::Utf8;
    assert_eq!(check(&target, &writer, &[zeros(60_000), zeros(900)]), [0]);
}

#[test]
fn records_as_text() {
    // Children without children, a byte each, and a thousand names in the text.
    let nulls: Vec<_> = (0..1000)
        .map(|at| format!(r#"{{"name": "n{at}", "type": "null"}}, "#))
        .collect();
    let children = r#"{"name": "c", "type": {"type": "array", "items": "R"}}"#;
    let writer = record(&format!("{}{children}", nulls.concat()));
    let mut target = limited();
    target.mapping.strings = StringType::LargeUtf8;
    assert_eq!(check(&target, &writer, &[zeros(5000), zeros(10)]), [0]);
}

/// A batch ends near its limit, not where what its rows might take at the most would reach it.
#[test]
fn batches_are_as_large_as_they_may_be() {
    let fields = |ty: &str| {
        let fields: Vec<_> = (0..30)
            .map(|field| {
                let ty = ty.replace('@', &field.to_string());
                format!(r#"{{"name": "f{field}", "type": {ty}}}"#)
            })
            .collect();
        record(&fields.join(", "))
    };
    let mut target = limited();
    target.limits.batch_bytes = 64 << 10;
    target.mapping.unions = UnionType::Dense;
    for (writer, body) in [
        (fields(r#""boolean""#), vec![1; 30]),
        (fields(r#"["null", "boolean"]"#), vec![0; 30]),
        (
            fields(r#"["null", "int", {"type": "fixed", "name": "F@", "size": 400}]"#),
            vec![0; 30],
        ),
        (
            fields(r#"{"type": "array", "items": "boolean"}"#),
            [2, 1, 0].repeat(30),
        ),
    ] {
        let mut decoder = open(&target);
        decoder
            .prepare(KEY, &WriterSchema::avro(&*writer))
            .expect("the schema is read");
        let rows = vec![Payload::with_key(KEY, &body); 100_000];
        let progress = decoder.decode(&rows, &mut |error| panic!("{error:?}"));
        assert_eq!(progress.stop, Stop::Full, "{writer}");
        let held_bytes = decoder.buffered_bytes();
        assert!(
            held_bytes > target.limits.batch_bytes / 2,
            "{held_bytes} bytes: {writer}"
        );
    }
}

/// Lists within lists are taken together, of whichever rows they are, and a few rows at a time:
/// each counts what it takes.
#[test]
fn lists_of_lists_a_few_rows_at_a_time() {
    let item = |fields: &str| {
        format!(r#"{{"type": "record", "name": "I", "fields": [{{"name": "x", "type": "int"}}{fields}]}}"#)
    };
    let nulls: String = (0..100)
        .map(|at| format!(r#", {{"name": "n{at}", "type": ["null", "long"], "default": null}}"#))
        .collect();
    let lists = |fields: &str| list_of(&array(&item(fields)));
    let mut target = limited();
    target.output = OutputSchema::Reader(WriterSchema::avro(lists(&nulls)));
    let full = [long(10), long(1).repeat(10), long(0)].concat();
    let body = |empty: usize| {
        let inner = [long(0).repeat(empty), full.repeat(16 - empty)].concat();
        [long(16), inner, long(0)].concat()
    };
    let bodies: Vec<_> = (0..100)
        .map(|row| body(if row % 4 == 0 { 4 } else { 0 }))
        .collect();
    for rows_at_once in [1, 4, 5, 64] {
        let mut decoder = open(&target);
        decoder
            .prepare(KEY, &WriterSchema::avro(lists("")))
            .expect("the schema is read");
        let rows: Vec<_> = bodies.iter().map(|body| Payload::with_key(KEY, body)).collect();
        let mut taken = 0;
        while taken < rows.len() {
            let chunk = &rows[taken..(taken + rows_at_once).min(rows.len())];
            let progress = decoder.decode(chunk, &mut |error| panic!("{error:?}"));
            taken += progress.taken;
            let held_bytes = decoder.buffered_bytes();
            assert!(held_bytes <= LIMIT_BYTES, "{held_bytes}, {rows_at_once} at once");
            if progress.stop == Stop::Full {
                decoder.flush().expect("flushing never fails");
            }
        }
    }
}
