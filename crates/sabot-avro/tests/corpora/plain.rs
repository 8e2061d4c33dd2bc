//! Values in a form that every reader's can be brought into: JSON whose strings begin with `f:` for
//! floating point (the bits of the double), `x:` for bytes, `dec:` for decimals (the unscaled
//! number) and `dur:` for durations. `make.py` has the same for fastavro.

use apache_avro::types::Value;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type, IntervalMonthDayNanoType,
    Time32MillisecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field};
use serde_json::{Map, Value as Json, json};

fn bytes(bytes: &[u8]) -> Json {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    Json::String(format!("x:{}", digits.collect::<String>()))
}

fn float(value: f64) -> Json {
    Json::String(format!("f:{:016x}", value.to_bits()))
}

fn uuid(bytes: &[u8]) -> Json {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Json::String(parts.join("-"))
}

fn decimal(bytes: &[u8]) -> Json {
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        0xff
    } else {
        0
    };
    let mut wide = [sign; 32];
    wide[32 - bytes.len()..].copy_from_slice(bytes);
    Json::String(format!("dec:{}", i256::from_be_bytes(wide)))
}

/// The rows of a batch: records as objects, all else as the value itself.
pub(crate) fn rows(batch: &RecordBatch, is_record: bool) -> Vec<Json> {
    let schema = batch.schema();
    (0..batch.num_rows())
        .map(|row| {
            let columns = schema.fields().iter().zip(batch.columns());
            let mut values =
                columns.map(|(field, column)| (field.name().clone(), of_array(field, column, row)));
            if is_record {
                Json::Object(values.collect())
            } else {
                values.next().expect("what is no record is one column").1
            }
        })
        .collect()
}

fn of_array(field: &Field, array: &ArrayRef, row: usize) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    let list = |items: ArrayRef, item: &Field| -> Vec<Json> {
        (0..items.len()).map(|at| of_array(item, &items, at)).collect()
    };
    match field.data_type() {
        DataType::Null => Json::Null,
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int32 | DataType::Date32 | DataType::Time32(_) => of_i32(array, row),
        DataType::Int64 | DataType::Time64(_) | DataType::Timestamp(..) => of_i64(array, row),
        DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Binary => bytes(array.as_binary::<i32>().value(row)),
        DataType::Utf8 => json!(array.as_string::<i32>().value(row)),
        DataType::FixedSizeBinary(_) => {
            let value = array.as_fixed_size_binary().value(row);
            match field.metadata().get("ARROW:extension:name").map(String::as_str) {
                Some("arrow.uuid") => uuid(value),
                _ => bytes(value),
            }
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            let key = dictionary.keys().value(row) as usize;
            json!(dictionary.values().as_string::<i32>().value(key))
        }
        DataType::Decimal128(..) => json!(format!(
            "dec:{}",
            array.as_primitive::<Decimal128Type>().value(row)
        )),
        DataType::Decimal256(..) => json!(format!(
            "dec:{}",
            array.as_primitive::<Decimal256Type>().value(row)
        )),
        DataType::Interval(_) => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            let millis = value.nanoseconds / 1_000_000;
            json!(format!("dur:{},{},{millis}", value.months, value.days))
        }
        DataType::List(item) => Json::Array(list(array.as_list::<i32>().value(row), item)),
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else {
                panic!("a map has entries: {field}");
            };
            let map = array.as_map().value(row);
            let keys = list(map.column(0).clone(), &fields[0]).into_iter();
            let values = list(map.column(1).clone(), &fields[1]);
            let keys = keys.map(|key| key.as_str().expect("keys are strings").to_owned());
            Json::Object(keys.zip(values).collect())
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            let members = columns.map(|(field, column)| (field.name().clone(), of_array(field, column, row)));
            Json::Object(members.collect())
        }
        DataType::Union(fields, _) => {
            let union = array.as_union();
            let id = union.type_id(row);
            let (_, branch) = fields
                .iter()
                .find(|(branch, _)| *branch == id)
                .expect("the union has it");
            of_array(branch, union.child(id), union.value_offset(row))
        }
        other => panic!("no file has a column of {other}"),
    }
}

fn of_i32(array: &ArrayRef, row: usize) -> Json {
    match array.data_type() {
        DataType::Time32(_) => json!(array.as_primitive::<Time32MillisecondType>().value(row)),
        DataType::Date32 => json!(array.as_primitive::<arrow_array::types::Date32Type>().value(row)),
        _ => json!(array.as_primitive::<Int32Type>().value(row)),
    }
}

/// What has 64 bits, whatever they stand for.
fn of_i64(array: &ArrayRef, row: usize) -> Json {
    let data = array.to_data();
    let bits = arrow_array::PrimitiveArray::<Int64Type>::from(
        data.into_builder()
            .data_type(DataType::Int64)
            .build()
            .expect("64 bits are 64 bits"),
    );
    json!(bits.value(row))
}

/// A value as apache-avro reads it.
pub(crate) fn of_apache(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Int(value) | Value::Date(value) | Value::TimeMillis(value) => json!(value),
        Value::Long(value)
        | Value::TimeMicros(value)
        | Value::TimestampMillis(value)
        | Value::TimestampMicros(value)
        | Value::TimestampNanos(value)
        | Value::LocalTimestampMillis(value)
        | Value::LocalTimestampMicros(value)
        | Value::LocalTimestampNanos(value) => json!(value),
        Value::Float(value) => float((*value).into()),
        Value::Double(value) => float(*value),
        Value::Bytes(value) | Value::Fixed(_, value) => bytes(value),
        Value::String(value) | Value::Enum(_, value) => json!(value),
        Value::Union(_, value) => of_apache(value),
        Value::Array(items) => items.iter().map(of_apache).collect(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), of_apache(value)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Value::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), of_apache(value)));
            Json::Object(fields.collect::<Map<_, _>>())
        }
        Value::Decimal(value) => decimal(&Vec::<u8>::try_from(value).expect("it was read from bytes")),
        Value::BigDecimal(value) => json!(value.to_string()),
        Value::Duration(value) => {
            let (months, days, millis) = (value.months(), value.days(), value.millis());
            json!(format!(
                "dur:{},{},{}",
                u32::from(months),
                u32::from(days),
                u32::from(millis)
            ))
        }
        Value::Uuid(value) => json!(value.to_string()),
    }
}
