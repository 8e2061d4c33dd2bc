//! Writing Avro by hand, and decoding it.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, TimeUnit};
use sabot_avro::AvroFactory;
use sabot_decode::{
    Decoder, DecoderFactory, Mapping, OutputSchema, Payload, PlanError, RecursionType, RowErrorKind,
    SchemaKey, Stop, Target, TimeZone, WriterSchema,
};

pub(crate) const KEY: SchemaKey = SchemaKey::Id(1);

/// A record of one field `f` of the type `ty`.
pub(crate) fn record(ty: &str) -> String {
    fields(&format!(r#"{{"name": "f", "type": {ty}}}"#))
}

/// A record `R` with these fields.
pub(crate) fn fields(fields: &str) -> String {
    format!(r#"{{"type": "record", "name": "R", "fields": [{fields}]}}"#)
}

pub(crate) fn reader(schema: &str) -> Target {
    let mut target = Target::default();
    target.output = OutputSchema::Reader(WriterSchema::avro(schema));
    target
}

pub(crate) fn mapped(mapping: &Mapping) -> Target {
    let mut target = Target::default();
    target.mapping = mapping.clone();
    target
}

/// A bad row: its slot, byte offset, field path and kind.
pub(crate) type Bad = (u32, u32, String, RowErrorKind);

/// What came out.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) batch: RecordBatch,
    pub(crate) bad: Vec<Bad>,
}

impl Decoded {
    /// Each row is the only one of `rows`, and so is what is wrong with it.
    fn assert_rows_are(&self, rows: &[&Self], case: &str) {
        assert_eq!(self.batch.num_rows(), rows.len(), "{case}");
        let mut bad = self.bad.iter().peekable();
        for (at, expected) in rows.iter().enumerate() {
            let found = bad.next_if(|(slot, ..)| *slot as usize == at);
            let expected_bad = expected.bad.first();
            assert_eq!(
                found.map(|(_, offset, path, kind)| (offset, path, kind)),
                expected_bad.map(|(_, offset, path, kind)| (offset, path, kind)),
                "row {at} of {}: {case}",
                rows.len()
            );
            let row = self.batch.slice(at, 1);
            assert_eq!(row, expected.batch, "row {at} of {}: {case}", rows.len());
        }
        assert_eq!(bad.next(), None, "{case}");
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> Vec<String> {
        let schema = self.batch.schema();
        schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// The values of the column `name`, as Arrow displays them; `null` where there is none.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let column = self
            .batch
            .column_by_name(name)
            .unwrap_or_else(|| panic!("no column {name}"));
        let column = &displayable(column);
        (0..column.len())
            .map(
                |row| match column.is_null(row) || *column.data_type() == DataType::Null {
                    true => "null".to_owned(),
                    false => array_value_to_string(column, row).expect("a type that Arrow displays"),
                },
            )
            .collect()
    }
}

/// Timestamps in UTC by an offset: arrow displays a zone's name only with its tables of zones.
fn displayable(column: &ArrayRef) -> ArrayRef {
    fn offset<T: ArrowTimestampType>(column: &ArrayRef) -> ArrayRef {
        Arc::new(column.as_primitive::<T>().clone().with_timezone("+00:00"))
    }
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, Some(_)) => offset::<TimestampMillisecondType>(column),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => offset::<TimestampMicrosecondType>(column),
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => offset::<TimestampNanosecondType>(column),
        _ => Arc::clone(column),
    }
}

pub(crate) fn open(target: &Target, writer: &str) -> Result<Box<dyn Decoder>, PlanError> {
    let mut decoder = AvroFactory.open(target)?;
    decoder.prepare(KEY, &WriterSchema::avro(writer))?;
    Ok(decoder)
}

pub(crate) fn feed(decoder: &mut dyn Decoder, rows: &[Payload<'_>]) -> Decoded {
    let mut errors = Vec::new();
    let progress = decoder.decode(rows, &mut |error| errors.push(error));
    assert_eq!((progress.taken, progress.stop), (rows.len(), Stop::Done));
    let bad = errors
        .into_iter()
        .map(|error| {
            (
                error.slot,
                error.byte_offset,
                decoder.field_path(error.path),
                error.kind,
            )
        })
        .collect();
    Decoded {
        batch: decoder.flush().expect("a flush").batch,
        bad,
    }
}

/// Decodes bodies in one call, which few rows leave to the row engine. In blocks of rows the same
/// has to come out.
pub(crate) fn decode(target: &Target, writer: &str, bodies: &[Vec<u8>]) -> Decoded {
    let decoded = decode_once(target, writer, bodies);
    in_blocks(target, writer, bodies);
    decoded
}

/// The same, once: for bodies of which a batch does not hold many.
pub(crate) fn decode_once(target: &Target, writer: &str, bodies: &[Vec<u8>]) -> Decoded {
    let mut decoder = open(target, writer).unwrap_or_else(|error| panic!("{error}\n{writer}"));
    let rows: Vec<_> = bodies.iter().map(|body| Payload::with_key(KEY, body)).collect();
    feed(&mut *decoder, &rows)
}

/// Rows of one call at least that are taken as a block and a part of one.
pub(crate) const MANY_ROWS: usize = 70;

/// Each body alone, which the row engine takes, is what it is among its like and among the others,
/// many in one call.
pub(crate) fn in_blocks(target: &Target, writer: &str, bodies: &[Vec<u8>]) {
    let alone: Vec<_> = bodies
        .iter()
        .map(|body| decode_once(target, writer, std::slice::from_ref(body)))
        .collect();
    for (at, body) in bodies.iter().enumerate() {
        for count in [20, MANY_ROWS] {
            let decoded = decode_once(target, writer, &vec![body.clone(); count]);
            decoded.assert_rows_are(&vec![&alone[at]; count], writer);
        }
    }
    if !bodies.is_empty() {
        let mixed: Vec<_> = bodies.iter().cycle().take(MANY_ROWS).cloned().collect();
        let expected: Vec<_> = alone.iter().cycle().take(MANY_ROWS).collect();
        decode_once(target, writer, &mixed).assert_rows_are(&expected, writer);
    }
}

/// Decodes bodies that are all good. Onto the Arrow schema that came out they give the same once
/// more.
pub(crate) fn good(target: &Target, writer: &str, bodies: &[Vec<u8>]) -> Decoded {
    let decoded = decode(target, writer, bodies);
    assert_eq!(decoded.bad, [], "{writer}");
    if target.output == OutputSchema::FirstWriter {
        again_onto_arrow(target, writer, bodies, &decoded.batch);
    }
    decoded
}

fn again_onto_arrow(target: &Target, writer: &str, bodies: &[Vec<u8>], expected: &RecordBatch) {
    // Bytes of a recursive type, what is cut off below it, and branches that are dropped, are known
    // by their Avro schema alone.
    let paths = target.projection.iter().flatten();
    if target.mapping.recursion != RecursionType::Json || paths.into_iter().any(|path| path.contains('<')) {
        return;
    }
    let mut onto = target.clone();
    onto.output = OutputSchema::Arrow(expected.schema());
    onto.projection = None;
    onto.check_tail = true;
    onto.mapping = Mapping::default();
    if target.mapping.time_zone == TimeZone::None {
        onto.mapping.time_zone = TimeZone::None;
    }
    let decoded = decode(&onto, writer, bodies);
    assert_eq!(decoded.bad, [], "{writer}");
    assert_eq!(decoded.batch, *expected, "{writer}");
}

/// Why `writer` cannot be compiled onto `target`.
pub(crate) fn refusal(target: &Target, writer: &str) -> String {
    match open(target, writer) {
        Ok(_) => panic!("{writer} was compiled"),
        Err(error) => error.to_string(),
    }
}
