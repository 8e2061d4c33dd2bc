//! Writes the values of any Arrow column as JSON, or as plain text for a cell.
//!
//! An [`Encoder`] borrows one column and is made once a batch, so that no row looks at a data type.
//! `arrow-json` is not used because it refuses unions and intervals, and writes binary as hex. The
//! mapping:
//!
//! | Arrow | JSON |
//! |---|---|
//! | booleans, integers, floats | themselves; `NaN` and the infinities are strings |
//! | decimals | a string, so that no digit is lost on the way through a float |
//! | dates, times, timestamps | ISO 8601; `Z` where the column has a zone; the bare number where no calendar reaches |
//! | durations, intervals | ISO 8601 durations such as `P1M2DT0.5S` |
//! | binary | base64; UUIDs in their hyphenated form |
//! | lists, structs | arrays, objects with every member |
//! | maps | objects |
//! | unions | an object with one member named as the branch, as in Avro's JSON encoding; the null branch is `null` |
//! | dictionaries | the value |

mod scalars;

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch, UnionArray};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, IntervalUnit, TimeUnit, UnionFields};

pub(crate) use scalars::{base64, quote};
use scalars::{float, iso_duration, iso_timestamp, non_finite, put, single, uuid};

/// The metadata key under which Arrow stores the name of an extension type.
const EXTENSION_NAME: &str = "ARROW:extension:name";

/// Writes one row's value; the row is known not to be null.
type Write<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

/// One column, ready to be written row by row.
pub(crate) struct Encoder<'a> {
    nulls: Option<NullBuffer>,
    form: Form<'a>,
}

/// How the values of a column are written.
enum Form<'a> {
    Null,
    /// JSON as it is: numbers and booleans.
    Bare(Write<'a>),
    /// Text that needs quotes, and no escapes.
    Quoted(Write<'a>),
    /// Text that needs quotes and escapes.
    Text(Box<dyn Fn(usize) -> &'a str + 'a>),
    /// A float: quoted where it is no number.
    Float(Box<dyn Fn(usize) -> f64 + 'a>),
    /// A single-precision float, which has a shorter shortest form than the same value as a double.
    Single(Box<dyn Fn(usize) -> f32 + 'a>),
    /// A timestamp: its number, units a second, and whether it is an instant.
    Timestamp(&'a [i64], i64, bool),
    /// What Arrow's own formatter can say; the number itself where it cannot (a date beyond the
    /// calendar).
    Formatted(ArrayFormatter<'a>, Box<dyn Fn(usize) -> Option<i64> + 'a>),
    Struct(Vec<Member<'a>>),
    List(Box<dyn Fn(usize) -> (usize, usize) + 'a>, Box<Encoder<'a>>),
    Map(
        Box<dyn Fn(usize) -> (usize, usize) + 'a>,
        Box<(Encoder<'a>, Encoder<'a>)>,
    ),
    Union(&'a UnionArray, Vec<(i8, Member<'a>)>),
    Dictionary(Vec<usize>, Box<Encoder<'a>>),
}

/// A named member of an object: its name is escaped once.
struct Member<'a> {
    /// `"name":`
    label: Vec<u8>,
    encoder: Encoder<'a>,
}

impl<'a> Member<'a> {
    fn new(field: &Field, array: &'a dyn Array) -> Result<Self, ArrowError> {
        let mut label = Vec::with_capacity(field.name().len() + 3);
        quote(field.name(), &mut label);
        label.push(b':');
        Ok(Self {
            label,
            encoder: Encoder::new(field, array)?,
        })
    }
}

impl<'a> Encoder<'a> {
    /// Looks at the column's type once.
    pub(crate) fn new(field: &Field, array: &'a dyn Array) -> Result<Self, ArrowError> {
        Ok(Self {
            nulls: array.logical_nulls(),
            form: form(field, array)?,
        })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        matches!(self.form, Form::Null) || self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value as JSON.
    pub(crate) fn json(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return;
        }
        match &self.form {
            Form::Null => out.extend_from_slice(b"null"),
            Form::Bare(write) => write(row, out),
            Form::Quoted(write) => {
                out.push(b'"');
                write(row, out);
                out.push(b'"');
            }
            Form::Text(text) => quote(text(row), out),
            Form::Float(value) => float(value(row), out),
            Form::Single(value) => single(value(row), out),
            Form::Timestamp(values, units, instant) => {
                iso_timestamp(values[row], *units, *instant, b"\"", out);
            }
            Form::Formatted(formatter, raw) => formatted(formatter, raw(row), row, true, out),
            Form::Struct(members) => object(members, row, out),
            Form::List(range, items) => list(range(row), items, out),
            Form::Map(range, entries) => map(range(row), entries, out),
            Form::Union(array, branches) => union(array, branches, row, out),
            Form::Dictionary(keys, values) => values.json(keys[row], out),
        }
    }

    /// Appends the value as the text of a cell: strings bare, nested values as JSON, nothing for
    /// null.
    pub(crate) fn text(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return;
        }
        match &self.form {
            Form::Quoted(write) => write(row, out),
            Form::Text(text) => out.extend_from_slice(text(row).as_bytes()),
            Form::Float(value) if !value(row).is_finite() => {
                out.extend_from_slice(non_finite(value(row)).as_bytes());
            }
            Form::Single(value) if !value(row).is_finite() => {
                out.extend_from_slice(non_finite(f64::from(value(row))).as_bytes());
            }
            Form::Timestamp(values, units, instant) => {
                iso_timestamp(values[row], *units, *instant, b"", out);
            }
            Form::Formatted(formatter, raw) => formatted(formatter, raw(row), row, false, out),
            Form::Dictionary(keys, values) => values.text(keys[row], out),
            _ => self.json(row, out),
        }
    }
}

/// The rows of a batch as JSON objects, every column a member.
pub(crate) struct RowEncoder<'a> {
    members: Vec<Member<'a>>,
}

impl<'a> RowEncoder<'a> {
    /// Takes the columns at `columns`, in that order.
    pub(crate) fn new(batch: &'a RecordBatch, columns: &[usize]) -> Result<Self, ArrowError> {
        let schema = batch.schema_ref();
        let member = |&at: &usize| Member::new(schema.field(at), batch.column(at).as_ref());
        Ok(Self {
            members: columns.iter().map(member).collect::<Result<_, _>>()?,
        })
    }

    /// Appends one row.
    pub(crate) fn json(&self, row: usize, out: &mut Vec<u8>) {
        object(&self.members, row, out);
    }
}

/// Encoders of every column of a batch.
pub(crate) fn columns(batch: &RecordBatch) -> Result<Vec<Encoder<'_>>, ArrowError> {
    let schema = batch.schema_ref();
    let columns = schema.fields().iter().zip(batch.columns());
    columns
        .map(|(field, column)| Encoder::new(field, column.as_ref()))
        .collect()
}

fn form<'a>(field: &Field, array: &'a dyn Array) -> Result<Form<'a>, ArrowError> {
    Ok(match array.data_type() {
        DataType::Null => Form::Null,
        DataType::Boolean => {
            let array = array.as_boolean();
            Form::Bare(Box::new(|row, out| {
                put(out, format_args!("{}", array.value(row)));
            }))
        }
        DataType::Int8 => number::<Int8Type>(array),
        DataType::Int16 => number::<Int16Type>(array),
        DataType::Int32 => number::<Int32Type>(array),
        DataType::Int64 => number::<Int64Type>(array),
        DataType::UInt8 => number::<UInt8Type>(array),
        DataType::UInt16 => number::<UInt16Type>(array),
        DataType::UInt32 => number::<UInt32Type>(array),
        DataType::UInt64 => number::<UInt64Type>(array),
        DataType::Float16 => {
            let array = array.as_primitive::<Float16Type>();
            Form::Single(Box::new(|row| array.value(row).to_f32()))
        }
        DataType::Float32 => {
            let array = array.as_primitive::<Float32Type>();
            Form::Single(Box::new(|row| array.value(row)))
        }
        DataType::Float64 => {
            let array = array.as_primitive::<Float64Type>();
            Form::Float(Box::new(|row| array.value(row)))
        }
        DataType::Utf8 => text(array.as_string::<i32>(), |array, row| array.value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>(), |array, row| array.value(row)),
        DataType::Utf8View => text(array.as_string_view(), |array, row| array.value(row)),
        DataType::Binary => bytes(array.as_binary::<i32>(), |array, row| array.value(row)),
        DataType::LargeBinary => bytes(array.as_binary::<i64>(), |array, row| array.value(row)),
        DataType::BinaryView => bytes(array.as_binary_view(), |array, row| array.value(row)),
        DataType::FixedSizeBinary(16) if extension(field) == Some("arrow.uuid") => {
            let array = array.as_fixed_size_binary();
            Form::Quoted(Box::new(|row, out| uuid(array.value(row), out)))
        }
        DataType::FixedSizeBinary(_) => bytes(array.as_fixed_size_binary(), |array, row| array.value(row)),
        DataType::Duration(unit) => duration(array, *unit),
        DataType::Timestamp(unit, zone) => timestamp(array, *unit, zone.is_some()),
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let array = array.as_primitive::<IntervalMonthDayNanoType>();
            Form::Quoted(Box::new(|row, out| {
                let value = array.value(row);
                iso_duration(
                    i64::from(value.months),
                    i64::from(value.days),
                    i128::from(value.nanoseconds),
                    out,
                );
            }))
        }
        _ => nested(array)?,
    })
}

fn nested(array: &dyn Array) -> Result<Form<'_>, ArrowError> {
    Ok(match array.data_type() {
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members = fields
                .iter()
                .zip(columns)
                .map(|(field, column)| Member::new(field, column.as_ref()));
            Form::Struct(members.collect::<Result<_, _>>()?)
        }
        DataType::List(item) => {
            let array = array.as_list::<i32>();
            let items = Encoder::new(item, array.values().as_ref())?;
            let offsets = array.value_offsets();
            Form::List(
                Box::new(|row| (offsets[row] as usize, offsets[row + 1] as usize)),
                Box::new(items),
            )
        }
        DataType::LargeList(item) => {
            let array = array.as_list::<i64>();
            let items = Encoder::new(item, array.values().as_ref())?;
            let offsets = array.value_offsets();
            Form::List(
                Box::new(|row| (offsets[row] as usize, offsets[row + 1] as usize)),
                Box::new(items),
            )
        }
        DataType::FixedSizeList(item, size) => {
            let array = array.as_fixed_size_list();
            let items = Encoder::new(item, array.values().as_ref())?;
            let size = *size as usize;
            Form::List(
                Box::new(move |row| (row * size, row * size + size)),
                Box::new(items),
            )
        }
        DataType::Map(entries, _) => {
            let array = array.as_map();
            let DataType::Struct(members) = entries.data_type() else {
                return Err(ArrowError::SchemaError("a map's entries are not a struct".into()));
            };
            let keys = Encoder::new(&members[0], array.keys().as_ref())?;
            let values = Encoder::new(&members[1], array.values().as_ref())?;
            let offsets = array.value_offsets();
            let range = Box::new(|row: usize| (offsets[row] as usize, offsets[row + 1] as usize));
            Form::Map(range, Box::new((keys, values)))
        }
        DataType::Union(fields, _) => union_form(array.as_union(), fields)?,
        DataType::Dictionary(..) => {
            let array = array.as_any_dictionary();
            let item = Field::new("item", array.values().data_type().clone(), true);
            let values = Encoder::new(&item, array.values().as_ref())?;
            if array.values().is_empty() {
                return Ok(Form::Null);
            }
            Form::Dictionary(array.normalized_keys(), Box::new(values))
        }
        _ => Form::Formatted(
            ArrayFormatter::try_new(array, &FormatOptions::new())?,
            raw_number(array),
        ),
    })
}

fn union_form<'a>(array: &'a UnionArray, fields: &UnionFields) -> Result<Form<'a>, ArrowError> {
    let branch = |(id, field): (i8, &FieldRef)| {
        Ok::<_, ArrowError>((id, Member::new(field, array.child(id).as_ref())?))
    };
    Ok(Form::Union(
        array,
        fields.iter().map(branch).collect::<Result<_, _>>()?,
    ))
}

fn number<T: ArrowPrimitiveType>(array: &dyn Array) -> Form<'_>
where
    T::Native: fmt::Display,
{
    let array = array.as_primitive::<T>();
    Form::Bare(Box::new(|row, out| {
        put(out, format_args!("{}", array.value(row)));
    }))
}

fn text<'a, A>(array: &'a A, value: fn(&'a A, usize) -> &'a str) -> Form<'a> {
    Form::Text(Box::new(move |row| value(array, row)))
}

fn bytes<'a, A>(array: &'a A, value: fn(&'a A, usize) -> &'a [u8]) -> Form<'a> {
    Form::Quoted(Box::new(move |row, out| base64(value(array, row), out)))
}

fn duration(array: &dyn Array, unit: TimeUnit) -> Form<'_> {
    fn of<T: ArrowPrimitiveType<Native = i64>>(array: &dyn Array, nanoseconds: i128) -> Form<'_> {
        let array = array.as_primitive::<T>();
        Form::Quoted(Box::new(move |row, out| {
            iso_duration(0, 0, i128::from(array.value(row)) * nanoseconds, out);
        }))
    }
    match unit {
        TimeUnit::Second => of::<DurationSecondType>(array, 1_000_000_000),
        TimeUnit::Millisecond => of::<DurationMillisecondType>(array, 1_000_000),
        TimeUnit::Microsecond => of::<DurationMicrosecondType>(array, 1_000),
        TimeUnit::Nanosecond => of::<DurationNanosecondType>(array, 1),
    }
}

/// The zone's name does not matter: the value is an instant, and is written in UTC.
fn timestamp(array: &dyn Array, unit: TimeUnit, instant: bool) -> Form<'_> {
    match unit {
        TimeUnit::Second => Form::Timestamp(array.as_primitive::<TimestampSecondType>().values(), 1, instant),
        TimeUnit::Millisecond => Form::Timestamp(
            array.as_primitive::<TimestampMillisecondType>().values(),
            1_000,
            instant,
        ),
        TimeUnit::Microsecond => Form::Timestamp(
            array.as_primitive::<TimestampMicrosecondType>().values(),
            1_000_000,
            instant,
        ),
        TimeUnit::Nanosecond => Form::Timestamp(
            array.as_primitive::<TimestampNanosecondType>().values(),
            1_000_000_000,
            instant,
        ),
    }
}

/// Reads the number that a temporal value is stored as.
fn raw_number(array: &dyn Array) -> Box<dyn Fn(usize) -> Option<i64> + '_> {
    arrow_array::downcast_temporal_array!(
        array => Box::new(|row| array.value(row).to_i64()),
        _ => Box::new(|_| None),
    )
}

fn formatted(formatter: &ArrayFormatter<'_>, raw: Option<i64>, row: usize, quoted: bool, out: &mut Vec<u8>) {
    let start = out.len();
    if quoted {
        out.push(b'"');
    }
    if formatter.value(row).write(&mut Text(out)).is_ok() {
        if quoted {
            out.push(b'"');
        }
        return;
    }
    out.truncate(start);
    match raw {
        Some(raw) => put(out, format_args!("{raw}")),
        None => out.extend_from_slice(b"null"),
    }
}

fn object(members: &[Member<'_>], row: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&member.label);
        member.encoder.json(row, out);
    }
    out.push(b'}');
}

fn list((start, end): (usize, usize), items: &Encoder<'_>, out: &mut Vec<u8>) {
    out.push(b'[');
    for item in start..end {
        if item > start {
            out.push(b',');
        }
        items.json(item, out);
    }
    out.push(b']');
}

fn map((start, end): (usize, usize), (keys, values): &(Encoder<'_>, Encoder<'_>), out: &mut Vec<u8>) {
    out.push(b'{');
    let mut key = Vec::new();
    for entry in start..end {
        if entry > start {
            out.push(b',');
        }
        key.clear();
        keys.text(entry, &mut key);
        quote(&String::from_utf8_lossy(&key), out);
        out.push(b':');
        values.json(entry, out);
    }
    out.push(b'}');
}

fn union(array: &UnionArray, branches: &[(i8, Member<'_>)], row: usize, out: &mut Vec<u8>) {
    let id = array.type_id(row);
    let branch = branches
        .iter()
        .find(|(branch, _)| *branch == id)
        .map(|(_, member)| member);
    let Some(member) = branch else {
        out.extend_from_slice(b"null");
        return;
    };
    let at = array.value_offset(row);
    if member.encoder.is_null(at) {
        out.extend_from_slice(b"null");
        return;
    }
    out.push(b'{');
    out.extend_from_slice(&member.label);
    member.encoder.json(at, out);
    out.push(b'}');
}

fn extension(field: &Field) -> Option<&str> {
    field.metadata().get(EXTENSION_NAME).map(String::as_str)
}

/// Lets Arrow's formatter write into bytes.
struct Text<'a>(&'a mut Vec<u8>);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
