//! Whether Arrow columns hold the model's values.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time32MillisecondType, Time64MicrosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::{DataType, TimeUnit};

use super::model::{decimal, uuid};
use super::types::{Base, Logical, Ty};
use super::values::Val;

/// Whether `row` is the message `val`.
pub(crate) fn is_row(ty: &Ty, val: &Val, batch: &RecordBatch, row: usize) -> bool {
    match (val, &ty.base) {
        (Val::Record(values), Base::Record(_, fields)) => {
            let names = batch.schema();
            values.len() == batch.num_columns()
                && fields
                    .iter()
                    .zip(names.fields())
                    .all(|(a, b)| a.name == *b.name())
                && fields
                    .iter()
                    .zip(values)
                    .zip(batch.columns())
                    .all(|((field, val), column)| is_value(&field.ty, val, column, row))
        }
        _ => batch.num_columns() == 1 && is_value(ty, val, batch.column(0), row),
    }
}

fn is_value(ty: &Ty, val: &Val, array: &dyn Array, row: usize) -> bool {
    if let (Val::Union(at, val), Base::Union(branches)) = (val, &ty.base) {
        let branch = &branches[*at];
        if branches.iter().filter(|ty| !ty.is_null()).count() <= 1 {
            return is_value(branch, val, array, row);
        }
        if let Some(union) = array.as_union_opt() {
            let id = union.type_id(row);
            return id as usize == *at && is_value(branch, val, union.child(id), union.value_offset(row));
        }
        // A struct of nullable members, of which one is set: null has none.
        let members = array.as_struct();
        let places = (0..branches.len()).filter(|at| !branches[*at].is_null());
        return members.is_null(row) == branch.is_null()
            && places
                .zip(members.columns())
                .all(|(place, member)| match place == *at {
                    true => is_value(branch, val, member, row),
                    false => member.is_null(row),
                });
    }
    if let Val::Null = val {
        return *array.data_type() == DataType::Null || array.is_null(row);
    }
    array.is_valid(row) && is_present(ty, val, array, row)
}

fn is_present(ty: &Ty, val: &Val, array: &dyn Array, row: usize) -> bool {
    match (val, &ty.base) {
        (Val::Boolean(value), _) => array.as_boolean().value(row) == *value,
        (Val::Int(value), _) => int(ty.logical, array, row) == *value,
        (Val::Long(value), _) => long(array, row) == *value,
        (Val::Float(value), _) => array.as_primitive::<Float32Type>().value(row).to_bits() == value.to_bits(),
        (Val::Double(value), _) => {
            array.as_primitive::<Float64Type>().value(row).to_bits() == value.to_bits()
        }
        (Val::Bytes(bytes), _) => is_bytes(ty, bytes, array, row),
        (Val::Text(value), _) if ty.logical == Some(Logical::Uuid) => {
            uuid(value).is_some_and(|id| is_uuid(id, array, row))
        }
        (Val::Text(value), _) => text(array, row) == value,
        (Val::Enum(at), Base::Enum(_, symbols)) => match array.data_type() {
            DataType::Int32 => array.as_primitive::<Int32Type>().value(row) == *at as i32,
            DataType::Dictionary(..) => {
                let keys = array.as_dictionary::<Int32Type>();
                text(keys.values(), keys.keys().value(row) as usize) == symbols.symbols[*at]
            }
            _ => text(array, row) == symbols.symbols[*at],
        },
        (Val::Array(items), Base::Array(ty)) => {
            let list = array.as_list::<i32>().value(row);
            list.len() == items.len()
                && items
                    .iter()
                    .enumerate()
                    .all(|(at, item)| is_value(ty, item, &list, at))
        }
        (Val::Map(entries), Base::Map(ty)) => {
            let map = array.as_map().value(row);
            map.len() == entries.len()
                && entries.iter().enumerate().all(|(at, (key, val))| {
                    text(map.column(0), at) == key && is_value(ty, val, map.column(1), at)
                })
        }
        (Val::Record(values), Base::Record(_, fields)) => {
            let columns = array.as_struct();
            values.len() == columns.num_columns()
                && fields.iter().zip(values).all(|(field, val)| {
                    let column = columns.column_by_name(&field.name);
                    column.is_some_and(|column| is_value(&field.ty, val, column, row))
                })
        }
        _ => panic!("{val:?} is no {ty:?}"),
    }
}

fn int(logical: Option<Logical>, array: &dyn Array, row: usize) -> i32 {
    match logical {
        Some(Logical::Date) => array.as_primitive::<Date32Type>().value(row),
        Some(Logical::TimeMillis) => array.as_primitive::<Time32MillisecondType>().value(row),
        _ => array.as_primitive::<Int32Type>().value(row),
    }
}

fn long(array: &dyn Array, row: usize) -> i64 {
    match array.data_type() {
        DataType::Time64(_) => array.as_primitive::<Time64MicrosecondType>().value(row),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().value(row)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row)
        }
        DataType::Timestamp(..) => array.as_primitive::<TimestampNanosecondType>().value(row),
        _ => array.as_primitive::<Int64Type>().value(row),
    }
}

fn text(array: &dyn Array, row: usize) -> &str {
    match array.data_type() {
        DataType::LargeUtf8 => array.as_string::<i64>().value(row),
        DataType::Utf8View => array.as_string_view().value(row),
        _ => array.as_string::<i32>().value(row),
    }
}

fn is_uuid(id: [u8; 16], array: &dyn Array, row: usize) -> bool {
    match array.data_type() {
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row) == id,
        _ => text(array, row).len() == 36 && uuid(text(array, row)) == Some(id),
    }
}

fn is_bytes(ty: &Ty, bytes: &[u8], array: &dyn Array, row: usize) -> bool {
    match (ty.logical, array.data_type()) {
        (Some(Logical::Decimal(..)), DataType::Decimal128(..)) => {
            let read = array.as_primitive::<Decimal128Type>().value(row);
            decimal(bytes) == Some(i256::from_i128(read))
        }
        // Wider ones are their bytes.
        (Some(Logical::Decimal(..)), DataType::Decimal256(..)) => {
            decimal(bytes) == Some(array.as_primitive::<Decimal256Type>().value(row))
        }
        (Some(Logical::Uuid), _) => bytes.try_into().is_ok_and(|id| is_uuid(id, array, row)),
        (Some(Logical::Duration), _) => {
            let read = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            let millis = read.nanoseconds / 1_000_000;
            let parts = [read.months, read.days, millis as u32 as i32];
            read.nanoseconds % 1_000_000 == 0
                && u32::try_from(millis).is_ok()
                && parts.map(i32::to_le_bytes).concat() == bytes
        }
        (_, DataType::FixedSizeBinary(_)) => array.as_fixed_size_binary().value(row) == bytes,
        (_, DataType::LargeBinary) => array.as_binary::<i64>().value(row) == bytes,
        (_, DataType::BinaryView) => array.as_binary_view().value(row) == bytes,
        _ => array.as_binary::<i32>().value(row) == bytes,
    }
}
