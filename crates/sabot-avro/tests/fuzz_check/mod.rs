//! What must hold for any bytes; fuzz targets and ordinary tests share it.
//!
//! [`check`] is of fixed schemas and any body: this decoder and apache-avro agree, but for the
//! differences listed in [`is_known`]. [`differential`], [`engines`] and [`invariants`] take the
//! input for choices and make schemas of them too; to [`schema`] it is a schema's text, to
//! [`container`] a file or what is in one.

pub(crate) mod columns;
pub(crate) mod container;
mod dice;
pub(crate) mod differential;
pub(crate) mod encode;
pub(crate) mod engines;
mod evolve;
mod input;
pub(crate) mod invariants;
pub(crate) mod model;
mod parse;
pub(crate) mod schema;
mod seams;
pub(crate) mod theirs;
pub(crate) mod types;
pub(crate) mod values;

use std::cell::RefCell;
use std::collections::HashMap;

use apache_avro::types::Value;
use apache_avro::util::max_allocation_bytes;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, Time32MillisecondType, Time64MicrosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::i256;
use arrow_schema::DataType;
use sabot_avro::AvroFactory;
use sabot_decode::{
    Decoder, DecoderFactory, OutputSchema, Payload, RowErrorKind, SchemaKey, Stop, Target, WriterSchema,
};

/// Items of one message, and bytes that apache-avro may allocate at once: enough for any small
/// input.
const MAX_ITEMS: usize = 1000;
const MAX_ALLOCATION_BYTES: usize = 1 << 20;

/// Writer schemas, some with a reader schema.
pub(crate) const CASES: &[(&str, Option<&str>)] = &[
    (include_str!("flat.avsc"), None),
    (include_str!("nested.avsc"), None),
    (include_str!("logical.avsc"), None),
    (
        include_str!("nested.avsc"),
        Some(include_str!("nested_reader.avsc")),
    ),
    (
        r#"["null", "long", "string", {"type": "array", "items": ["null", "double"]}]"#,
        None,
    ),
    (
        r#"{"type": "map", "values": {"type": "array", "items": "null"}}"#,
        None,
    ),
    (
        include_str!("nested.avsc"),
        Some(include_str!("nested_skipping.avsc")),
    ),
];
/// The case whose reader drops fields. What is skipped is not checked as apache-avro does, so that
/// the two may differ on bad messages; the decoder's own invariants hold all the same.
const SKIPPING: usize = 6;

thread_local! {
    static PAIRS: Vec<RefCell<Pair>> = CASES.iter().map(|(writer, reader)| RefCell::new(Pair::new(writer, *reader))).collect();
}

/// The first byte chooses the case, the others are a message.
pub(crate) fn check(input: &[u8]) {
    let Some((case, body)) = input.split_first() else {
        return;
    };
    let case = usize::from(*case) % CASES.len();
    PAIRS.with(|pairs| {
        let mut pair = pairs[case].borrow_mut();
        let bodies = [body.to_vec()];
        if case == SKIPPING {
            pair.decode(&bodies);
        } else {
            pair.compare(&bodies);
        }
    });
}

/// Both decoders of one writer schema, and perhaps a reader schema.
pub(crate) struct Pair {
    schemas: String,
    ours: Box<dyn Decoder>,
    theirs: Theirs,
}

impl Pair {
    const KEY: SchemaKey = SchemaKey::Id(1);

    pub(crate) fn new(writer: &str, reader: Option<&str>) -> Self {
        max_allocation_bytes(MAX_ALLOCATION_BYTES);
        let schemas = format!("{writer}\n{}", reader.unwrap_or_default());
        let mut target = Target::default();
        target.limits.row_items = MAX_ITEMS;
        if let Some(reader) = reader {
            target.output = OutputSchema::Reader(WriterSchema::avro(reader));
        }
        let mut ours = AvroFactory
            .open(&target)
            .unwrap_or_else(|error| panic!("{error}\n{schemas}"));
        let prepared = ours.prepare(Self::KEY, &WriterSchema::avro(writer));
        prepared.unwrap_or_else(|error| panic!("{error}\n{schemas}"));
        Self {
            ours,
            theirs: Theirs::new(writer, reader),
            schemas,
        }
    }

    /// Decodes `bodies` with both: values and refusals have to be the same.
    pub(crate) fn compare(&mut self, bodies: &[Vec<u8>]) {
        let (batch, refused) = self.decode(bodies);
        let schemas = &self.schemas;
        for (row, body) in bodies.iter().enumerate() {
            match (refused.get(&row), self.theirs.decode(body)) {
                (None, Ok(value)) => assert!(
                    is_same_row(&value, &batch, row),
                    "apache-avro reads {value:?}\n{body:02x?}\n{schemas}\n{:?}",
                    batch.slice(row, 1)
                ),
                (None, Err(error)) => panic!("apache-avro refuses: {error}\n{body:02x?}\n{schemas}"),
                (Some(kind), Ok(value)) => {
                    assert!(
                        is_known(*kind),
                        "{kind:?}, but apache-avro reads {value:?}\n{body:02x?}\n{schemas}"
                    );
                }
                (Some(_), Err(_)) => {}
            }
        }
    }

    fn decode(&mut self, bodies: &[Vec<u8>]) -> (RecordBatch, HashMap<usize, RowErrorKind>) {
        let rows: Vec<_> = bodies
            .iter()
            .map(|body| Payload::with_key(Self::KEY, body))
            .collect();
        let mut refused = HashMap::new();
        let progress = self.ours.decode(&rows, &mut |error| {
            let body = &bodies[error.slot as usize];
            assert!(
                error.byte_offset as usize <= body.len(),
                "{error:?} lies behind {body:02x?}"
            );
            refused.insert(error.slot as usize, error.kind);
        });
        assert_eq!((progress.taken, progress.stop), (rows.len(), Stop::Done));
        (
            self.ours
                .flush()
                .expect("because no message can make a flush fail")
                .batch,
            refused,
        )
    }
}

/// Faults that apache-avro does not see.
fn is_known(kind: RowErrorKind) -> bool {
    match kind {
        // It reads ints of up to ten bytes, and drops the bits beyond 64.
        RowErrorKind::VarintOverflow
        // It takes a boolean, a string or a union at the end of the message for null.
        | RowErrorKind::Truncated
        // It ignores the byte sizes of blocks; and a string beyond the end is null too.
        | RowErrorKind::InvalidLength(_)
        // It does not compare decimals with their precision, nor durations with Arrow's.
        | RowErrorKind::DecimalOverflow
        | RowErrorKind::NumberOutOfRange
        // It reads UUIDs in braces and as URNs.
        | RowErrorKind::InvalidText
        | RowErrorKind::LimitExceeded(_) => true,
        _ => false,
    }
}

struct Theirs {
    writer: apache_avro::Schema,
    reader: Option<apache_avro::Schema>,
}

impl Theirs {
    fn new(writer: &str, reader: Option<&str>) -> Self {
        let parse = |text: &str| {
            apache_avro::Schema::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
        };
        Self {
            writer: parse(writer),
            reader: reader.map(parse),
        }
    }

    fn decode(&self, body: &[u8]) -> Result<Value, String> {
        theirs::read(&self.writer, self.reader.as_ref(), body)
    }
}

fn is_same_row(value: &Value, batch: &RecordBatch, row: usize) -> bool {
    match value {
        Value::Record(fields) => {
            fields.len() == batch.num_columns()
                && fields
                    .iter()
                    .zip(batch.columns())
                    .all(|((_, value), column)| is_same(value, column, row))
        }
        value => is_same(value, batch.column(0), row),
    }
}

fn is_same(value: &Value, array: &ArrayRef, row: usize) -> bool {
    if let Value::Union(branch, value) = value {
        let Some(union) = array.as_union_opt() else {
            return is_same(value, array, row);
        };
        let id = union.type_id(row);
        return id as u32 == *branch && is_same(value, union.child(id), union.value_offset(row));
    }
    if let Value::Null = value {
        return *array.data_type() == DataType::Null || array.is_null(row);
    }
    array.is_valid(row) && is_same_value(value, array, row)
}

fn is_same_value(value: &Value, array: &ArrayRef, row: usize) -> bool {
    match value {
        Value::Boolean(value) => array.as_boolean().value(row) == *value,
        Value::Int(value) => array.as_primitive::<Int32Type>().value(row) == *value,
        Value::Long(value) => array.as_primitive::<Int64Type>().value(row) == *value,
        Value::Float(value) => array.as_primitive::<Float32Type>().value(row).to_bits() == value.to_bits(),
        Value::Double(value) => array.as_primitive::<Float64Type>().value(row).to_bits() == value.to_bits(),
        Value::Bytes(value) => array.as_binary::<i32>().value(row) == value,
        Value::String(value) => array.as_string::<i32>().value(row) == value,
        Value::Fixed(_, value) => array.as_fixed_size_binary().value(row) == value,
        Value::Enum(_, symbol) => {
            let keys = array.as_dictionary::<Int32Type>();
            keys.values()
                .as_string::<i32>()
                .value(keys.keys().value(row) as usize)
                == symbol
        }
        Value::Array(items) => {
            let list = array.as_list::<i32>().value(row);
            list.len() == items.len()
                && items
                    .iter()
                    .enumerate()
                    .all(|(at, item)| is_same(item, &list, at))
        }
        Value::Map(entries) => {
            let map = array.as_map().value(row);
            let keys = map.column(0).as_string::<i32>();
            // Of a key that is written twice, apache-avro keeps the last value.
            let last: HashMap<&str, usize> = (0..map.len()).map(|at| (keys.value(at), at)).collect();
            let is_same_entry = |(key, value): (&String, &Value)| {
                last.get(key.as_str())
                    .is_some_and(|at| is_same(value, map.column(1), *at))
            };
            last.len() == entries.len() && entries.iter().all(is_same_entry)
        }
        Value::Record(fields) => {
            let columns = array.as_struct();
            fields.len() == columns.num_columns()
                && fields.iter().all(|(name, value)| {
                    columns
                        .column_by_name(name)
                        .is_some_and(|column| is_same(value, column, row))
                })
        }
        _ => is_same_logical(value, array, row),
    }
}

fn is_same_logical(value: &Value, array: &ArrayRef, row: usize) -> bool {
    match value {
        Value::Date(value) => array.as_primitive::<Date32Type>().value(row) == *value,
        Value::TimeMillis(value) => array.as_primitive::<Time32MillisecondType>().value(row) == *value,
        Value::TimeMicros(value) => array.as_primitive::<Time64MicrosecondType>().value(row) == *value,
        Value::TimestampMillis(value) | Value::LocalTimestampMillis(value) => {
            array.as_primitive::<TimestampMillisecondType>().value(row) == *value
        }
        Value::TimestampMicros(value) | Value::LocalTimestampMicros(value) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row) == *value
        }
        Value::TimestampNanos(value) | Value::LocalTimestampNanos(value) => {
            array.as_primitive::<TimestampNanosecondType>().value(row) == *value
        }
        Value::Uuid(value) => array.as_fixed_size_binary().value(row) == value.as_bytes(),
        Value::Duration(value) => {
            let (read, millis) = (
                array.as_primitive::<IntervalMonthDayNanoType>().value(row),
                value.millis(),
            );
            read.months as u32 == u32::from(value.months())
                && read.days as u32 == u32::from(value.days())
                && read.nanoseconds == i64::from(u32::from(millis)) * 1_000_000
        }
        Value::Decimal(value) => {
            // Of no bytes at all it makes a number that cannot be written again.
            let bytes = <Vec<u8>>::try_from(value).unwrap_or_default();
            let sign = if bytes.first().is_some_and(|first| *first >= 0x80) {
                0xff
            } else {
                0
            };
            let mut wide = [sign; 32];
            let kept = &bytes[bytes.len().saturating_sub(32)..];
            wide[32 - kept.len()..].copy_from_slice(kept);
            let read = match array.data_type() {
                DataType::Decimal128(..) => {
                    i256::from_i128(array.as_primitive::<Decimal128Type>().value(row))
                }
                _ => array.as_primitive::<Decimal256Type>().value(row),
            };
            read == i256::from_be_bytes(wide)
        }
        other => panic!("{other:?} is not known to this test"),
    }
}
