//! Key, value and metadata to one record batch, with what becomes of bad rows and tombstones.
//!
//! The error policies live here and nowhere else. What is to go, goes at the end, by one filter over
//! the finished batch. So the columns align by construction, at the price of gathering rows that are
//! dropped later.
//!
//! # Example
//!
//! Keys are strings, values are Avro `{id: int}` of schema 1, bad rows are skipped, and the one
//! metadata column is `_offset`. A run of `orders[0]` is pushed:
//!
//! ```text
//! offsets         7                 9               10
//! keys            "a"               "b"             null
//! values          00 00000001 0e    00 00000001     null
//!
//! metadata        7                 9               10           appended first, as slices
//! value decoder   slot 0: id 7      slot 1: bad     slot 2: null
//! key decoder     slot 0: "a"       slot 1: "b"     slot 2: null
//! taken           three rows, and one report: "orders[0] at offset 9: value, schema 1, .."
//!
//! finish          key      id      _offset
//!                 "a"      7       7
//!                 null     null    10           the row of offset 9 is filtered out
//! ```
//!
//! # Invariants
//!
//! 1. **One record, one row.** Every record that is taken has one slot in each decoder and one row
//!    in each metadata column, good or bad. Nothing of a record that is not taken stays.
//! 2. **Nothing is untaken.** Two decoders may stop at different records, and a policy may want to
//!    stop before a record that both have taken. Decoders cannot give a slot back: they are flushed
//!    then, what is too much is sliced off, and it is decoded again in the next batch.
//! 3. **A batch holds at least one row**, whatever its size: so pushing and finishing in turn always
//!    gets on.
//! 4. **The schema is one for all batches**, once each decoder has fixed its own.

use std::iter;
use std::ops::Range;

use arrow_array::builder::NullBufferBuilder;
use arrow_schema::{ArrowError, SchemaRef};
use sabot_decode::{Decoder, FlushError, RowError, RowErrorKind, SchemaSource};

use crate::bad_rows::BadRows;
use crate::chunk::Chunk;
use crate::compose::{Flushed, Policies, Unassembled};
use crate::metadata::MetadataColumns;
use crate::part::{Decoded, PartDecoder, PartStop};
use crate::{Assembled, AssemblerOptions, BadRow, OnError, Part, PushStop, Pushed, Record, Run, layout};

/// Assembles decoded keys, decoded values and metadata to record batches.
///
/// # Columns
///
/// In this order:
///
/// - `key`, if there is a key decoder: a nullable `Struct` of its columns; or its only column,
///   where that is named `key` or `value`, as plain decoders do.
/// - The value's columns, under their own names. They are all nullable under
///   [`Tombstones::Null`](crate::Tombstones::Null), [`Tombstones::Flag`](crate::Tombstones::Flag)
///   and [`OnError::Null`]; a union then has a branch of type `Null`.
/// - The columns of [`Metadata`](crate::Metadata), then `_deleted`, `_error` and `_raw`, where they
///   are asked for.
///
/// A value column always keeps its name. A column that the assembler adds gets underscores after
/// its name until no value column has it: beside a value column `key`, the key is `key_`.
///
/// The schema is the same for every batch once each decoder has fixed its own. Until then the part
/// that has none has no column: there is nothing but null in it.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
///
/// use sabot_assemble::{Assembler, AssemblerOptions, OnError, PushStop, Run, RunPart};
/// use sabot_decode::{DecoderFactory, Framing, SchemaKey, Target};
/// use sabot_testkit::{Schemas, toy::ToyFactory};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Any codec's decoder and any source of schemas do; those of a real program come from a codec and a registry.
/// let decoder = ToyFactory::default().open(&Target::default())?;
/// let mut schemas = Schemas::new([(SchemaKey::Id(1), ToyFactory::writer(0))]);
/// let mut options = AssemblerOptions::default();
/// options.on_error = OnError::Skip;
/// let mut assembler = Assembler::new(options, None, decoder);
///
/// // Three records in Confluent's wire format, the second of which is cut off.
/// let id = [0, 0, 0, 0, 1];
/// let bodies = [ToyFactory::body(1, "one"), vec![0, 0], ToyFactory::body(3, "three")];
/// let messages = bodies.map(|body| [&id[..], &body].concat());
/// let run = Run {
///     topic: &Arc::from("orders"),
///     partition: 0,
///     offsets: &[0, 1, 2],
///     timestamps: None,
///     keys: RunPart::NULL,
///     values: RunPart {
///         framing: Framing::Confluent,
///         bytes: &messages.each_ref().map(|message| Some(&message[..])),
///         schema_headers: &[],
///     },
///     headers: None,
/// };
/// let pushed = assembler.push(&[run], &mut schemas, &mut |_, _| {});
/// assert!(matches!(pushed.stop, PushStop::Done));
///
/// let assembled = assembler.finish()?;
/// assert_eq!(assembled.records, 3);
/// assert_eq!(assembled.batch.num_rows(), 2);
/// assert!(assembled.batch.column_by_name("_offset").is_some());
/// assert_eq!(
///     assembled.bad[0].to_string(),
///     "orders[0] at offset 1: value, schema 1, field id, byte 7: the message ends inside a value"
/// );
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Assembler {
    policies: Policies,
    batch_bytes: usize,
    key: Option<PartDecoder>,
    value: PartDecoder,
    /// Rows gathered: slots of each decoder and rows of each metadata column.
    rows: usize,
    metadata: MetadataColumns,
    /// Which rows have a key.
    has_key: NullBufferBuilder,
    /// Which rows have a value.
    has_value: NullBufferBuilder,
    bad: BadRows,
    /// What the decoders held, if they had to be flushed to cut it to `rows`. The batch is full
    /// then.
    held: Option<Result<Flushed, FlushError>>,
    /// The schema of a batch, once it is fixed.
    schema: Option<SchemaRef>,
}

impl Assembler {
    /// Records that are decoded at once. Their payloads are copied, so that they fit a cache beside
    /// the columns.
    const CHUNK_ROWS: usize = 1024;
    /// The most that the assembler's own columns may hold before a row is added to them: below 2
    /// GiB, where the offsets of one column end.
    const MAX_OWN_BYTES: usize = 1 << 30;

    /// An assembler with a decoder for values, and one for keys if they are to be decoded.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "options may come to own something")]
    pub fn new(options: AssemblerOptions, key: Option<Box<dyn Decoder>>, value: Box<dyn Decoder>) -> Self {
        Self {
            policies: Policies::new(&options),
            batch_bytes: options.batch_bytes.min(Self::MAX_OWN_BYTES),
            metadata: MetadataColumns::new(options.metadata),
            key: key.map(|decoder| PartDecoder::new(Part::Key, decoder)),
            value: PartDecoder::new(Part::Value, value),
            rows: 0,
            has_key: NullBufferBuilder::new(0),
            has_value: NullBufferBuilder::new(0),
            bad: BadRows::default(),
            held: None,
            schema: None,
        }
    }

    /// Takes records in order, up to the first that it has to stop at. Short runs are decoded
    /// together.
    ///
    /// A writer schema that a decoder asks for is fetched from `schemas`, which may block. A key
    /// that the source does not know condemns its records, and is asked for again in the next call.
    /// `dead` is called under [`OnError::DeadLetter`] alone: once for each bad record, with the
    /// first of its reports.
    ///
    /// # Panics
    ///
    /// If the slices of a run differ in length.
    pub fn push(
        &mut self,
        runs: &[Run<'_>],
        schemas: &mut dyn SchemaSource,
        dead: &mut dyn FnMut(&BadRow, &Record<'_>),
    ) -> Pushed {
        for run in runs {
            assert!(run.is_parallel(), "the slices of a run have one length: {run:?}");
        }
        self.value.forget_unknown();
        if let Some(key) = &mut self.key {
            key.forget_unknown();
        }
        let (mut rest, mut skip, mut taken) = (runs, 0, 0);
        loop {
            let chunk = Chunk::new(rest, skip, Self::CHUNK_ROWS);
            if chunk.rows() == 0 {
                let stop = PushStop::Done;
                return Pushed { taken, stop };
            }
            let pushed = self.push_chunk(chunk, schemas, dead);
            taken += pushed.taken;
            if !matches!(pushed.stop, PushStop::Done) {
                return Pushed { taken, ..pushed };
            }
            (rest, skip) = chunk.rest();
        }
    }

    /// Whether keys are decoded, so that their schemas matter. Keys as they came are in the column
    /// `_key` in any case.
    #[must_use]
    pub fn decodes_keys(&self) -> bool {
        self.key.is_some()
    }

    /// Whether a column holds timestamps.
    #[must_use]
    pub fn wants_timestamps(&self) -> bool {
        self.metadata.wants_timestamps()
    }

    /// Records taken since the last finish, those included that the batch will not have: bad ones,
    /// dropped tombstones.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes held by the gathered rows, in decoders, metadata columns and reports.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        let key = self.key.as_ref().map_or(0, |key| key.decoder.buffered_bytes());
        let held = match &self.held {
            Some(Ok(held)) => held.bytes(),
            _ => 0,
        };
        key + self.value.decoder.buffered_bytes() + held + self.own_bytes()
    }

    /// The schema of every batch; `None` until each decoder has fixed its own.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaRef> {
        self.schema
            .clone()
            .or_else(|| self.compose_schema().ok().filter(|_| self.is_fixed()))
    }

    /// Hands over the gathered rows as one batch and starts anew.
    ///
    /// # Errors
    ///
    /// [`FlushError`] where columns do not fit together: for faults of the program, and where a
    /// union of 128 branches would have to hold null. The gathered rows are lost then.
    pub fn finish(&mut self) -> Result<Assembled, FlushError> {
        let flushed = match self.held.take() {
            Some(held) => held,
            None => self.flush(),
        };
        let records = std::mem::take(&mut self.rows);
        let mut bad = std::mem::take(&mut self.bad);
        let metadata = self.metadata.finish();
        let has_key = self.has_key.finish();
        let has_value = self.has_value.finish();
        let schema = match &self.schema {
            Some(schema) => SchemaRef::clone(schema),
            None => self.compose_schema()?,
        };
        if self.is_fixed() {
            self.schema = Some(SchemaRef::clone(&schema));
        }
        let unassembled = Unassembled {
            flushed: flushed?,
            has_key_column: self
                .key
                .as_ref()
                .is_some_and(|key| key.decoder.schema().is_some()),
            metadata: metadata?,
            has_key,
            has_value,
        };
        let batch = unassembled.assemble(schema, self.policies, &mut bad)?;
        Ok(Assembled {
            batch,
            bad: bad.reports,
            records,
        })
    }

    fn push_chunk(
        &mut self,
        chunk: Chunk<'_, '_>,
        schemas: &mut dyn SchemaSource,
        dead: &mut dyn FnMut(&BadRow, &Record<'_>),
    ) -> Pushed {
        let first = self.rows;
        let (room, refused) = self.push_metadata(chunk);
        let mut cut = Cut {
            rows: room,
            stop: PushStop::Done,
        };
        if room < chunk.rows() {
            cut.stop = PushStop::Full;
        }
        let decoded = self.value.decode(chunk.first(cut.rows), refused, schemas);
        cut.at(decoded);
        self.cut_at_bad_row(Part::Value, chunk, &mut cut);
        if let Some(key) = &mut self.key {
            let decoded = key.decode(chunk.first(cut.rows), None, schemas);
            cut.at(decoded);
            self.cut_at_bad_row(Part::Key, chunk, &mut cut);
        }
        self.cut_at_raw_bytes(chunk, &mut cut);

        let taken = chunk.first(cut.rows);
        self.rows += cut.rows;
        self.metadata.truncate(self.rows);
        self.drop_excess_slots();
        for (run, range) in taken.pieces() {
            if self.key.is_some() {
                append_presence(&mut self.has_key, run.keys.bytes, range.clone());
            }
            append_presence(&mut self.has_value, run.values.bytes, range);
        }
        self.report_bad_rows(first, taken, dead);
        Pushed {
            taken: cut.rows,
            stop: cut.stop,
        }
    }

    /// Appends the metadata of as many records as there is room for. If there is a reason beside
    /// their number, the first of them is bad: what it holds fits no column.
    fn push_metadata(&mut self, chunk: Chunk<'_, '_>) -> (usize, Option<RowErrorKind>) {
        let is_full = self.rows > 0 && self.own_bytes() >= self.batch_bytes;
        if is_full || self.held.is_some() {
            return (0, None);
        }
        // What the rest grows by within a chunk is counted before the next.
        let other_bytes = self.own_bytes() - self.metadata.varying_bytes();
        let most_bytes = self.batch_bytes.saturating_sub(other_bytes);
        let chunk = chunk.first((i32::MAX as usize).saturating_sub(self.rows));
        let (mut rows, mut refused) = (0, None);
        for (run, mut range) in chunk.pieces() {
            // A batch holds one row at least.
            if self.rows + rows == 0 && !range.is_empty() {
                if self.metadata.push(run, range.start..range.start + 1, usize::MAX) == 0 {
                    self.metadata.push_without_bytes(run, range.start);
                    let limit = "bytes of key and headers in one record";
                    refused = Some(RowErrorKind::LimitExceeded(limit));
                }
                range.start += 1;
                rows += 1;
            }
            let wanted = range.len();
            let pushed = self.metadata.push(run, range, most_bytes);
            rows += pushed;
            if pushed < wanted {
                break;
            }
        }
        (rows, refused)
    }

    /// Under [`OnError::Fail`] the first bad row ends what is taken.
    fn cut_at_bad_row(&mut self, part: Part, chunk: Chunk<'_, '_>, cut: &mut Cut) {
        if self.policies.on_error != OnError::Fail {
            return;
        }
        let decoder = match (part, &self.key) {
            (Part::Key, Some(key)) => key,
            _ => &self.value,
        };
        let Some(error) = decoder.errors.first() else {
            return;
        };
        let row = error.slot as usize - self.rows;
        if let Some(record) = chunk.first(cut.rows).record(row) {
            let report = decoder.report(error, &record);
            *cut = Cut {
                rows: row,
                stop: PushStop::Failed(Box::new(report)),
            };
        }
    }

    /// Stops before the bad row whose raw value does not fit this batch any more.
    fn cut_at_raw_bytes(&self, chunk: Chunk<'_, '_>, cut: &mut Cut) {
        if !self.policies.raw_column {
            return;
        }
        let mut bytes = self.own_bytes();
        let mut last = None;
        for (_, error) in bad_parts(self.key.as_ref(), &self.value) {
            let row = error.slot as usize - self.rows;
            let Some(record) = chunk.first(cut.rows).record(row) else {
                return;
            };
            if last.replace(row) != Some(row) {
                bytes += record.value().map_or(0, <[u8]>::len);
            }
            if bytes > self.batch_bytes && error.slot > 0 {
                *cut = Cut {
                    rows: row,
                    stop: PushStop::Full,
                };
                return;
            }
        }
    }

    /// If a decoder has more slots than there are rows, cuts both decoders to the rows. The batch
    /// is full then, unless it is empty.
    fn drop_excess_slots(&mut self) {
        let has_excess = |part: &PartDecoder| part.decoder.slots() > self.rows;
        if has_excess(&self.value) || self.key.as_ref().is_some_and(has_excess) {
            let rows = self.rows;
            let flushed = self.flush().map(|flushed| flushed.truncated(rows));
            self.held = Some(flushed).filter(|flushed| rows > 0 || flushed.is_err());
        }
    }

    /// Keeps what the decoders reported about the rows taken.
    fn report_bad_rows(
        &mut self,
        first: usize,
        taken: Chunk<'_, '_>,
        dead: &mut dyn FnMut(&BadRow, &Record<'_>),
    ) {
        let Self {
            key,
            value,
            bad,
            policies,
            ..
        } = self;
        for (part, error) in bad_parts(key.as_ref(), value) {
            let slot = error.slot as usize;
            let Some(record) = taken.record(slot - first) else {
                break;
            };
            let report = part.report(error, &record);
            if bad.rows.last() != Some(&slot) {
                if policies.on_error == OnError::DeadLetter {
                    dead(&report, &record);
                }
                if policies.raw_column {
                    bad.push_raw(record.value());
                }
            }
            bad.push(slot, report);
        }
    }

    fn flush(&mut self) -> Result<Flushed, FlushError> {
        // Both are flushed even if one fails: slots that stayed behind would part the decoders for
        // good.
        let key = self.key.as_mut().map(|key| key.decoder.flush()).transpose();
        let value = self.value.decoder.flush();
        Ok(Flushed {
            key: key?,
            value: value?,
        })
    }

    /// Whether the schema of the batches is the same from now on.
    fn is_fixed(&self) -> bool {
        let is_key_fixed = self.key.as_ref().is_none_or(|key| key.decoder.schema().is_some());
        is_key_fixed && self.value.decoder.schema().is_some()
    }

    fn compose_schema(&self) -> Result<SchemaRef, ArrowError> {
        let sources = layout::Sources {
            key: self.key.as_ref().and_then(|key| key.decoder.schema()),
            value: self.value.decoder.schema(),
            nullable_values: self.policies.nullable_values(),
        };
        let mut added = self.metadata.fields();
        added.extend(self.policies.fields());
        sources.schema(&added)
    }

    /// Bytes held outside the decoders.
    fn own_bytes(&self) -> usize {
        self.metadata.bytes()
            + self.has_key.allocated_size()
            + self.has_value.allocated_size()
            + self.bad.bytes
            + self.bad.raw.bytes()
    }
}

/// How many records of a chunk are taken, and why no more.
#[derive(Debug)]
struct Cut {
    rows: usize,
    stop: PushStop,
}

impl Cut {
    /// Moves to where a decoder stopped, if that is earlier.
    fn at(&mut self, decoded: Decoded) {
        if decoded.rows < self.rows {
            self.rows = decoded.rows;
            self.stop = match decoded.stop {
                PartStop::Done | PartStop::Full => PushStop::Full,
                PartStop::Unavailable(error) => PushStop::Unavailable(error),
            };
        }
    }
}

/// Appends for each record of `range` whether it has bytes; no item at all stands for none.
fn append_presence(presence: &mut NullBufferBuilder, bytes: &[Option<&[u8]>], range: Range<usize>) {
    if bytes.is_empty() {
        presence.append_n_nulls(range.len());
        return;
    }
    let bytes = &bytes[range];
    if bytes.iter().all(Option::is_some) {
        presence.append_n_non_nulls(bytes.len());
    } else {
        for bytes in bytes {
            presence.append(bytes.is_some());
        }
    }
}

/// What both decoders reported in their last calls, in the records' order, the key's report first.
fn bad_parts<'a>(
    key: Option<&'a PartDecoder>,
    value: &'a PartDecoder,
) -> impl Iterator<Item = (&'a PartDecoder, &'a RowError)> {
    let errors = |part: &'a PartDecoder| part.errors.iter().map(move |error| (part, error));
    let mut keys = key.into_iter().flat_map(errors).peekable();
    let mut values = errors(value).peekable();
    iter::from_fn(move || match (keys.peek(), values.peek()) {
        (Some((_, key)), Some((_, value))) if value.slot < key.slot => values.next(),
        (Some(_), _) => keys.next(),
        (None, _) => values.next(),
    })
}
