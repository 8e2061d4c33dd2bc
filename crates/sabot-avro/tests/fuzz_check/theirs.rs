//! apache-avro: writing and reading with it, and what its values are to the model.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Days, Decimal, Duration, Millis, Months, Schema, Uuid};

use super::encode::Bad;
use super::model::{decimal, uuid};
use super::types::{Base, Logical, Ty};
use super::values::Val;

/// What apache-avro makes of `body`.
pub(crate) fn read(writer: &Schema, reader: Option<&Schema>, mut body: &[u8]) -> Result<Value, String> {
    let builder = GenericDatumReader::builder(writer);
    let datum = match reader {
        Some(reader) => builder.reader_schema(reader).build(),
        None => builder.build(),
    };
    let value = datum
        .and_then(|datum| datum.read_value(&mut body))
        .map_err(|error| error.to_string())?;
    if body.is_empty() {
        Ok(value)
    } else {
        Err(format!("{} bytes are left", body.len()))
    }
}

/// What apache-avro writes for `val`; `None` where it cannot hold the value.
pub(crate) fn write(schema: &Schema, ty: &Ty, val: &Val) -> Option<Vec<u8>> {
    let value = to_value(ty, val)?;
    let mut bytes = Vec::new();
    let writer = GenericDatumWriter::builder(schema).validate(false).build();
    let written = writer.and_then(|writer| writer.write_value(&mut bytes, value));
    written.unwrap_or_else(|error| panic!("apache-avro cannot write {val:?}: {error}\n{}", ty.json()));
    Some(bytes)
}

/// Bodies that are wrong, and that apache-avro may read all the same.
pub(crate) fn reads(bad: Bad) -> bool {
    match bad {
        // It takes a boolean, a string or a union at the end of the message for null.
        Bad::Truncated
        // It reads ints of up to ten bytes, and drops the bits beyond 64.
        | Bad::Varint
        // It ignores the byte sizes of blocks; and a string beyond the end is null too.
        | Bad::Length
        // It counts items by the memory that they take.
        | Bad::Items => true,
        Bad::Trailing | Bad::Value | Bad::Utf8 => false,
    }
}

fn to_value(ty: &Ty, val: &Val) -> Option<Value> {
    if let Some(logical) = ty.logical {
        return to_logical(logical, val);
    }
    Some(match (val, &ty.base) {
        (Val::Null, _) => Value::Null,
        (Val::Boolean(value), _) => Value::Boolean(*value),
        (Val::Int(value), _) => Value::Int(*value),
        (Val::Long(value), _) => Value::Long(*value),
        (Val::Float(value), _) => Value::Float(*value),
        (Val::Double(value), _) => Value::Double(*value),
        (Val::Bytes(bytes), Base::Fixed(_, size)) => Value::Fixed(*size, bytes.clone()),
        (Val::Bytes(bytes), _) => Value::Bytes(bytes.clone()),
        (Val::Text(text), _) => Value::String(text.clone()),
        (Val::Enum(at), Base::Enum(_, symbols)) => Value::Enum(*at as u32, symbols.symbols[*at].clone()),
        (Val::Array(items), Base::Array(ty)) => Value::Array(
            items
                .iter()
                .map(|item| to_value(ty, item))
                .collect::<Option<_>>()?,
        ),
        (Val::Map(entries), Base::Map(ty)) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Some((key.clone(), to_value(ty, value)?)));
            Value::Map(entries.collect::<Option<_>>()?)
        }
        (Val::Record(values), Base::Record(_, fields)) => {
            let fields = fields.iter().zip(values);
            let fields = fields.map(|(field, value)| Some((field.name.clone(), to_value(&field.ty, value)?)));
            Value::Record(fields.collect::<Option<_>>()?)
        }
        (Val::Union(at, value), Base::Union(branches)) => {
            Value::Union(*at as u32, Box::new(to_value(&branches[*at], value)?))
        }
        _ => panic!("{val:?} is no {ty:?}"),
    })
}

fn to_logical(logical: Logical, val: &Val) -> Option<Value> {
    Some(match (logical, val) {
        (Logical::Date, Val::Int(value)) => Value::Date(*value),
        (Logical::TimeMillis, Val::Int(value)) => Value::TimeMillis(*value),
        (Logical::TimeMicros, Val::Long(value)) => Value::TimeMicros(*value),
        (Logical::Timestamp(1, true), Val::Long(value)) => Value::TimestampMillis(*value),
        (Logical::Timestamp(2, true), Val::Long(value)) => Value::TimestampMicros(*value),
        (Logical::Timestamp(_, true), Val::Long(value)) => Value::TimestampNanos(*value),
        (Logical::Timestamp(1, false), Val::Long(value)) => Value::LocalTimestampMillis(*value),
        (Logical::Timestamp(2, false), Val::Long(value)) => Value::LocalTimestampMicros(*value),
        (Logical::Timestamp(_, false), Val::Long(value)) => Value::LocalTimestampNanos(*value),
        // Of no bytes at all it makes a number that it cannot write.
        (Logical::Decimal(..), Val::Bytes(bytes)) if bytes.is_empty() => return None,
        (Logical::Decimal(..), Val::Bytes(bytes)) => Value::Decimal(Decimal::from(bytes)),
        // It makes a number of them, where the model keeps the bytes.
        (Logical::BigDecimal, Val::Bytes(_)) => return None,
        (Logical::Uuid, Val::Bytes(bytes)) => Value::Uuid(Uuid::from_slice(bytes).ok()?),
        (Logical::Uuid, Val::Text(text)) => Value::Uuid(Uuid::from_bytes(uuid(text)?)),
        (Logical::Duration, Val::Bytes(bytes)) => {
            let part =
                |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            let (months, days, millis) = (Months::new(part(0)), Days::new(part(4)), Millis::new(part(8)));
            Value::Duration(Duration::new(months, days, millis))
        }
        _ => panic!("{val:?} is no {logical:?}"),
    })
}

/// Whether `value` is what apache-avro should make of `val`.
pub(crate) fn is_same(ty: &Ty, val: &Val, value: &Value) -> bool {
    match (val, &ty.base, value) {
        (Val::Float(a), _, Value::Float(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
        (Val::Double(a), _, Value::Double(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
        (Val::Array(items), Base::Array(ty), Value::Array(values)) => {
            items.len() == values.len()
                && items
                    .iter()
                    .zip(values)
                    .all(|(val, value)| is_same(ty, val, value))
        }
        (Val::Map(entries), Base::Map(ty), Value::Map(values)) => {
            // Of a key that is written twice, it keeps the last value.
            entries.iter().enumerate().all(|(at, (key, val))| {
                let is_last = entries[at + 1..].iter().all(|(later, _)| later != key);
                !is_last || values.get(key).is_some_and(|value| is_same(ty, val, value))
            }) && values
                .keys()
                .all(|key| entries.iter().any(|(written, _)| written == key))
        }
        (Val::Record(vals), Base::Record(_, fields), Value::Record(values)) => {
            vals.len() == values.len()
                && fields
                    .iter()
                    .zip(vals)
                    .zip(values)
                    .all(|((field, val), (name, value))| {
                        field.name == *name && is_same(&field.ty, val, value)
                    })
        }
        (Val::Union(at, val), Base::Union(branches), Value::Union(index, value)) => {
            *at as u32 == *index && is_same(&branches[*at], val, value)
        }
        (Val::Bytes(bytes), _, Value::Decimal(value)) => {
            let read = Vec::try_from(value).unwrap_or_default();
            decimal(bytes) == decimal(&read)
        }
        // It reads UUIDs in braces and as URNs too.
        (Val::Text(text), _, Value::Uuid(_)) if uuid(text).is_none() => true,
        _ => to_value(ty, val).is_some_and(|expected| expected == *value),
    }
}
