//! What a column should hold, by `serde_json`.

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field};
use serde_json::{Map, Value};

/// Whether row `row` holds the members of `value`, which is an object. Types are those that
/// inference makes, and maps.
///
/// # Panics
///
/// Where it does not, saying which column.
pub(crate) fn assert_row(batch: &RecordBatch, row: usize, value: &Value, context: &str) {
    let object = value.as_object().expect("a message is an object");
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let expected = object.get(field.name()).unwrap_or(&Value::Null);
        assert_cell(field, column, row, expected, context);
    }
}

fn assert_cell(field: &Field, column: &dyn Array, row: usize, value: &Value, context: &str) {
    let place = || format!("{} should be {value}\nof {context}", field.name());
    if value.is_null() || column.is_null(row) {
        assert!(value.is_null() && column.is_null(row), "{}", place());
        return;
    }
    match field.data_type() {
        DataType::Utf8 => assert_text(field, column.as_string::<i32>().value(row), value, &place()),
        DataType::LargeUtf8 => assert_text(field, column.as_string::<i64>().value(row), value, &place()),
        DataType::Utf8View => assert_text(field, column.as_string_view().value(row), value, &place()),
        DataType::Dictionary(..) => {
            let column = column.as_any_dictionary();
            let key = column.normalized_keys()[row];
            assert_eq!(
                Some(column.values().as_string::<i32>().value(key)),
                value.as_str(),
                "{}",
                place()
            );
        }
        DataType::List(item) => {
            let items = column.as_list::<i32>().value(row);
            let expected = value.as_array().expect("a list comes from an array");
            assert_eq!(items.len(), expected.len(), "{}", place());
            for (at, value) in expected.iter().enumerate() {
                assert_cell(item, &items, at, value, context);
            }
        }
        DataType::Struct(_) => {
            let column = column.as_struct();
            for (field, member) in column.fields().iter().zip(column.columns()) {
                let expected = value
                    .as_object()
                    .expect("a struct comes from an object")
                    .get(field.name());
                assert_cell(field, member, row, expected.unwrap_or(&Value::Null), context);
            }
        }
        DataType::Map(..) => assert_map(
            column,
            row,
            value.as_object().expect("a map comes from an object"),
            context,
        ),
        _ => assert_scalar(column, row, value, &place()),
    }
}

/// Booleans and numbers.
fn assert_scalar(column: &dyn Array, row: usize, value: &Value, place: &str) {
    // `serde_json` reads the integer -0 as a float.
    let zero = (value.as_f64() == Some(0.0)).then_some(0);
    match column.data_type() {
        DataType::Boolean => assert_eq!(Some(column.as_boolean().value(row)), value.as_bool(), "{place}"),
        DataType::Int64 => {
            let found = column.as_primitive::<Int64Type>().value(row);
            assert_eq!(Some(found), value.as_i64().or(zero), "{place}");
        }
        DataType::UInt64 => {
            let found = column.as_primitive::<UInt64Type>().value(row);
            assert_eq!(Some(found), value.as_u64().or(zero.map(|_| 0)), "{place}");
        }
        DataType::Decimal128(20, 0) => {
            let found = column.as_primitive::<Decimal128Type>().value(row);
            assert_eq!(
                found.to_string(),
                zero.map_or(value.to_string(), |zero| zero.to_string()),
                "{place}"
            );
        }
        DataType::Float64 => {
            let found = column.as_primitive::<Float64Type>().value(row);
            assert_eq!(Some(found.to_bits()), value.as_f64().map(f64::to_bits), "{place}");
        }
        other => panic!("the model has no {other}"),
    }
}

fn assert_map(column: &dyn Array, row: usize, expected: &Map<String, Value>, context: &str) {
    let map = column.as_map();
    let entries = map.value(row);
    assert_eq!(entries.len(), expected.len(), "entries of {context}");
    let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1));
    for (at, key) in keys.iter().enumerate() {
        let expected = &expected[key.expect("keys are not null")];
        assert_cell(&entries.fields()[1], values, at, expected, context);
    }
}

fn assert_text(field: &Field, found: &str, value: &Value, place: &str) {
    let parsed = || serde_json::from_str::<Value>(found).expect("text of other values is JSON");
    let has = |key: &str| field.metadata().contains_key(key);
    match value {
        Value::String(text) if !has("ARROW:extension:name") => assert_eq!(found, text, "{place}"),
        Value::Array(_) | Value::Object(_) => {
            assert!(has("ARROW:extension:name"), "{place}");
            assert_eq!(&parsed(), value, "{place}");
        }
        _ => {
            assert!(has("ARROW:extension:name") || has("sabot:json"), "{place}");
            assert_eq!(&parsed(), value, "{place}");
        }
    }
}
