//! The Arrow types and metadata of Avro's types.
//!
//! What Arrow's types cannot say is in a field's metadata, so that a batch can be read back by
//! whoever knows the keys: those of arrow-avro where it has one. `given.rs` reads them again, so a
//! key that is written here may have to be read there.

use std::collections::HashMap;

use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, IntervalUnit, TimeUnit as ArrowUnit};
use sabot_codec::{STRUCT_UNION, UNION_KEY, extension};
use sabot_decode::{BigDecimalType, EnumType, Mapping, UuidType, WideDecimalType};

use super::node::Form;
use crate::schema::{At, Decimal, Kind, Logical, TimeUnit};

/// Digits of a 128-bit decimal. Narrower ones are 128 bits wide too: that is what every reader of
/// Parquet and Arrow takes.
const MAX_PRECISION_128: u16 = 38;

/// The metadata that holds an enum's symbols, as a JSON array.
pub(super) const ENUM_SYMBOLS: &str = "avro.enum.symbols";

/// The type of anything but records, arrays, maps and unions.
pub(super) fn leaf(at: At<'_>, mapping: &Mapping) -> DataType {
    let logical = at.ty().logical.and_then(|logical| logical_type(logical, mapping));
    logical.unwrap_or_else(|| match at.kind() {
        Kind::Boolean => DataType::Boolean,
        Kind::Int => DataType::Int32,
        Kind::Long => DataType::Int64,
        Kind::Float => DataType::Float32,
        Kind::Double => DataType::Float64,
        Kind::Bytes => mapping.bytes.data_type(),
        Kind::String => mapping.strings.data_type(),
        Kind::Fixed(size) => DataType::FixedSizeBinary(*size as i32),
        Kind::Enum(_) => match mapping.enums {
            EnumType::Utf8 => mapping.strings.data_type(),
            EnumType::Int32 => DataType::Int32,
            _ => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        },
        Kind::Null | Kind::Array(_) | Kind::Map(_) | Kind::Union(_) | Kind::Record(_) => DataType::Null,
    })
}

/// `None` where the type is its base type's.
fn logical_type(logical: Logical, mapping: &Mapping) -> Option<DataType> {
    Some(match logical {
        Logical::Decimal(decimal) => return decimal_type(decimal, mapping),
        Logical::BigDecimal => match mapping.big_decimals {
            BigDecimalType::Utf8 => mapping.strings.data_type(),
            BigDecimalType::Decimal128 { scale } => DataType::Decimal128(38, scale),
            BigDecimalType::Decimal256 { scale } => DataType::Decimal256(76, scale),
            _ => return None,
        },
        Logical::Uuid if mapping.uuids == UuidType::Utf8 => mapping.strings.data_type(),
        Logical::Uuid => DataType::FixedSizeBinary(16),
        Logical::Date => DataType::Date32,
        Logical::TimeMillis => DataType::Time32(ArrowUnit::Millisecond),
        Logical::TimeMicros => DataType::Time64(ArrowUnit::Microsecond),
        Logical::Timestamp { unit, is_utc } => {
            let unit = match unit {
                TimeUnit::Millis => ArrowUnit::Millisecond,
                TimeUnit::Micros => ArrowUnit::Microsecond,
                TimeUnit::Nanos => ArrowUnit::Nanosecond,
            };
            DataType::Timestamp(unit, is_utc.then(|| mapping.time_zone.name()).flatten())
        }
        Logical::Duration => DataType::Interval(IntervalUnit::MonthDayNano),
    })
}

fn decimal_type(decimal: Decimal, mapping: &Mapping) -> Option<DataType> {
    let (precision, scale) = (decimal.precision, decimal.scale as i8);
    if precision <= MAX_PRECISION_128 {
        return Some(DataType::Decimal128(precision as u8, scale));
    }
    if precision <= Decimal::MAX_ARROW_PRECISION {
        return Some(DataType::Decimal256(precision as u8, scale));
    }
    (mapping.wide_decimals == WideDecimalType::Utf8).then(|| mapping.strings.data_type())
}

/// Bytes that a value of a leaf takes in its column, without its validity and what is in its text.
pub(super) fn width_bytes(data_type: &DataType) -> usize {
    match data_type {
        DataType::Null => 0,
        DataType::Boolean => 1,
        DataType::Utf8 | DataType::Binary => 4,
        DataType::LargeUtf8 | DataType::LargeBinary => 8,
        DataType::FixedSizeBinary(size) => usize::try_from(*size).unwrap_or(0),
        DataType::Dictionary(key, _) => width_bytes(key),
        other => other.primitive_width().unwrap_or(16),
    }
}

/// What Arrow's types cannot say: documentation, names, logical types, an enum's symbols. The keys
/// are arrow-avro's where it has one.
pub(super) fn metadata(at: At<'_>, doc: Option<&str>) -> HashMap<String, String> {
    let ty = at.ty();
    let mut metadata = HashMap::new();
    let mut put = |key: &str, value: &str| metadata.insert(key.to_owned(), value.to_owned());
    if let Some(named) = &ty.named {
        put("avro.name", named.name.short());
        if !named.name.namespace().is_empty() {
            put("avro.namespace", named.name.namespace());
        }
    }
    // The field's own documentation says more than its type's.
    if let Some(doc) = doc.or_else(|| ty.named.as_ref().and_then(|named| named.doc.as_deref())) {
        put("avro.doc", doc);
    }
    if let Some(name) = &ty.logical_name {
        put("avro.logicalType", name);
    }
    if let Kind::Enum(symbols) = &ty.kind {
        let symbols: Vec<_> = symbols
            .symbols
            .iter()
            .map(|symbol| serde_json::Value::from(&**symbol))
            .collect();
        put(ENUM_SYMBOLS, &serde_json::Value::from(symbols).to_string());
    }
    metadata
}

/// Says what is more than its Arrow type: a UUID's 16 bytes, JSON text, the members of a union.
pub(super) fn mark(metadata: &mut HashMap<String, String>, at: At<'_>, data_type: &DataType, form: &Form) {
    let is_uuid = at.ty().logical == Some(Logical::Uuid) && *data_type == DataType::FixedSizeBinary(16);
    let mut put = |key: &str, value: &str| metadata.insert(key.to_owned(), value.to_owned());
    match (form, data_type) {
        (Form::Json, _) => put(EXTENSION_TYPE_NAME_KEY, extension::JSON),
        (Form::Union(_), DataType::Struct(_)) => put(UNION_KEY, STRUCT_UNION),
        _ if is_uuid => put(EXTENSION_TYPE_NAME_KEY, extension::UUID),
        _ => None,
    };
}
