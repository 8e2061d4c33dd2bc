//! The tables of docs/type-mapping.md: each row has exactly one case here, named by its first cell,
//! and what the row names has to come up in its case.

mod columns;
mod given;
mod promotions;

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef};
use sabot_decode::{Payload, Target};

use crate::common::{Decoded, KEY, feed, good, open};

const DOCUMENT: &str = include_str!("../../../../../docs/type-mapping.md");

/// The rows of Avro's table that has these cells for its head.
fn rows(head: &str) -> Vec<Vec<String>> {
    let (_, behind) = DOCUMENT.split_once("\n## Avro\n").expect("Avro has a part");
    let (avro, _) = behind.split_once("\n## ").expect("others follow");
    let (_, table) = avro
        .split_once(&format!("\n{head}\n"))
        .unwrap_or_else(|| panic!("no table {head}"));
    let lines = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            let cells = line.trim_matches('|').split(" | ").chain([""]);
            let cells = cells.map(|cell| cell.trim().trim_matches('|').trim().to_owned());
            cells.collect()
        })
        .collect()
}

/// What is in backquotes.
fn words(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Each row with its case: every row has one, and every case a row.
fn pairs<C>(head: &str, mut cases: Vec<(&str, C)>) -> Vec<(Vec<String>, C)> {
    let rows = rows(head).into_iter();
    let pairs = rows.map(|row| {
        let at = cases.iter().position(|(key, _)| *key == row[0]);
        let at = at.unwrap_or_else(|| panic!("no case is for the row {row:?}"));
        let (_, case) = cases.remove(at);
        (row, case)
    });
    let pairs = pairs.collect();
    let left: Vec<_> = cases.iter().map(|(key, _)| *key).collect();
    assert!(left.is_empty(), "no row of {head} is for {left:?}");
    pairs
}

/// Checks that what a cell names comes up in what was tried: types, metadata or schemas, as text.
fn mentions(row: &[String], cell: &str, tried: &str) {
    for word in words(cell) {
        // `Decimal128(precision, scale)` is there as `Decimal128`.
        let name = word.split('(').next().expect("a first part");
        let name = name.rsplit("::").next().expect("a last part");
        let name = if let Some(unit) = name.strip_prefix('-') {
            unit
        } else {
            name
        };
        assert!(
            tried.contains(name),
            "{row:?} names {word}, which its case has not: {tried}"
        );
    }
}

/// The first column of a row, which is good.
fn read(target: &Target, writer: &str, body: Vec<u8>) -> (Field, String) {
    let decoded = good(target, writer, &[body]);
    first(&decoded)
}

fn first(decoded: &Decoded) -> (Field, String) {
    let field = decoded.batch.schema().field(0).clone();
    let value = decoded.column(field.name()).remove(0);
    (field, value)
}

/// The type without the metadata of what is in it.
fn bare(data_type: &DataType) -> DataType {
    let field = |field: &FieldRef| {
        let inner = bare(field.data_type());
        Arc::new(Field::new(field.name(), inner, field.is_nullable()))
    };
    match data_type {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Union(fields, mode) => {
            DataType::Union(fields.iter().map(|(id, of)| (id, field(of))).collect(), *mode)
        }
        other => other.clone(),
    }
}

/// Whether a row is bad.
fn is_bad(target: &Target, writer: &str, body: &[u8]) -> bool {
    let mut decoder = open(target, writer).unwrap_or_else(|error| panic!("{error}: {writer}"));
    !feed(&mut *decoder, &[Payload::with_key(KEY, body)])
        .bad
        .is_empty()
}

fn fixed(size: usize, rest: &str) -> String {
    format!(r#"{{"type": "fixed", "name": "F", "size": {size}{rest}}}"#)
}

fn decimal(base: &str, precision: u32, scale: u32) -> String {
    let base = match base.strip_prefix("fixed") {
        Some(size) => format!(r#""type": "fixed", "name": "F", "size": {size}"#),
        None => format!(r#""type": "{base}""#),
    };
    format!(r#"{{{base}, "logicalType": "decimal", "precision": {precision}, "scale": {scale}}}"#)
}
