//! What a codec implements, and what the others call.
//!
//! [`Decoder`] is object-safe, so that whoever calls it is compiled once for all codecs. A call
//! takes a slice of payloads, which pays for the dynamic call once; bad rows come back through a
//! callback, so that good ones pay for no list.

use std::fmt;

use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
use arrow_schema::SchemaRef;
use sabot_schema::{SchemaKind, WriterSchema};
use sabot_wire::{MessagePath, SchemaKey};

use crate::{FieldPathId, FlushError, Payload, PlanError, RowError, Target};

/// Turns payloads into the columns of one fixed schema. Never does I/O.
///
/// A decoder gathers slots until it is flushed; each payload that it takes becomes exactly one
/// slot, in order. See the crate's invariants.
///
/// # Example
///
/// The loop around a decoder, which works for any codec:
///
/// ```
/// use sabot_decode::{Decoder, Payload, RowError, SchemaSource, Slots, Stop};
///
/// fn decode_all(
///     decoder: &mut dyn Decoder,
///     mut rows: &[Payload<'_>],
///     schemas: &mut dyn SchemaSource,
///     mut bad: impl FnMut(RowError),
/// ) -> Result<Vec<Slots>, Box<dyn std::error::Error>> {
///     let mut batches = Vec::new();
///     loop {
///         let progress = decoder.decode(rows, &mut bad);
///         rows = &rows[progress.taken..];
///         match progress.stop {
///             Stop::NeedsSchema(key) => decoder.prepare_message(key, rows[0].path, &schemas.fetch(key)?)?,
///             Stop::Full => batches.push(decoder.flush()?),
///             Stop::Done => {
///                 batches.push(decoder.flush()?);
///                 return Ok(batches);
///             }
///         }
///     }
/// }
/// # use sabot_testkit::{Schemas, toy::ToyFactory};
/// # use sabot_decode::{DecoderFactory, SchemaKey, Target};
/// # let mut target = Target::default();
/// # target.limits.batch_rows = 2;
/// # let mut decoder = ToyFactory::default().open(&target)?;
/// # let mut schemas = Schemas::new([(SchemaKey::Id(1), ToyFactory::writer(0))]);
/// # let bodies = [ToyFactory::body(1, "one"), vec![0, 0], ToyFactory::body(3, "three")];
/// # let rows: Vec<_> = bodies.iter().map(|body| Payload::with_key(SchemaKey::Id(1), body)).collect();
/// # let mut slots = Vec::new();
/// # let batches = decode_all(&mut *decoder, &rows, &mut schemas, |error| slots.push(error.slot))?;
/// # assert_eq!(batches.iter().map(|batch| batch.batch.num_rows()).collect::<Vec<_>>(), [2, 1]);
/// # assert_eq!(slots, [1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Decoder: Send + fmt::Debug {
    /// The schema of every batch; `None` while it still waits for the first writer schema or sample
    /// to fix it, and the same from then on. If so many slots come before the first writer schema
    /// that they fill a batch once they have its columns, it is `None` until they are flushed.
    fn schema(&self) -> Option<&SchemaRef>;

    /// Compiles the first message of `writer` onto the target schema: [`Decoder::prepare_message`]
    /// for schemas that hold no more than one.
    ///
    /// # Errors
    ///
    /// As there.
    fn prepare(&mut self, key: SchemaKey, writer: &WriterSchema) -> Result<(), PlanError> {
        self.prepare_message(key, MessagePath::FIRST, writer)
    }

    /// Compiles `writer` onto the target schema, or the message of it that `message` leads to, and
    /// remembers it under `key` and `message`. Every schema error surfaces here. A message that
    /// cannot be used says nothing of the schema's others.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where the schema cannot be read, or cannot be resolved onto the target.
    /// Nothing changes then.
    fn prepare_message(
        &mut self,
        key: SchemaKey,
        message: MessagePath<'_>,
        writer: &WriterSchema,
    ) -> Result<(), PlanError>;

    /// Takes payloads in order, up to the first that it cannot take: each becomes one slot, and
    /// each that is bad is reported to `bad` (in order of its slot) and leaves a placeholder.
    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress;

    /// Slots gathered since the last flush.
    fn slots(&self) -> usize;

    /// Bytes held by the gathered slots, in columns and elsewhere.
    fn buffered_bytes(&self) -> usize;

    /// Hands over the gathered slots as one batch and starts anew. Plans stay.
    ///
    /// While `schema()` is `None`, the batch has no column, and as many rows as there are slots.
    ///
    /// # Errors
    ///
    /// [`FlushError`], for faults of the program alone: never because of what a message held.
    fn flush(&mut self) -> Result<Slots, FlushError>;

    /// The field path that a [`RowError`] of this decoder points at, such as `order.items[].price`;
    /// empty for the whole message.
    fn field_path(&self, path: FieldPathId) -> String;

    /// How the decoder came by its rows, since it was opened. It says nothing about what they hold.
    fn stats(&self) -> Stats {
        Stats::default()
    }
}

/// How a decoder came by its rows: what tests and benchmarks look at to see which engine is at
/// work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Rows that were taken many at once.
    pub block_rows: u64,
    /// Rows that were taken one by one, with tombstones and bad rows.
    pub single_rows: u64,
    /// Blocks that were mostly in vain: their rows had to be taken one by one after all.
    pub vain_blocks: u64,
}

/// How far [`Decoder::decode`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "every decoder builds one for each call")]
pub struct Progress {
    /// Payloads that became slots: `rows[..taken]`.
    pub taken: usize,
    /// Why it went no further.
    pub stop: Stop,
}

/// Why [`Decoder::decode`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a caller has to treat every case")]
pub enum Stop {
    /// Every payload was taken.
    Done,
    /// A limit of the target is reached: flush, then go on at `taken`. An empty decoder is never
    /// full: it takes at least one payload, whatever its limits.
    Full,
    /// `rows[taken]` was written with a schema, or a message of it, not yet known: call
    /// [`Decoder::prepare_message`] with the schema and that payload's path, then go on at `taken`.
    NeedsSchema(SchemaKey),
}

/// A flushed batch.
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "every decoder builds one for each batch"
)]
pub struct Slots {
    /// One row for each slot.
    pub batch: RecordBatch,
    /// Which slots are good: a bit for each row. `None` where all are. A tombstone is good.
    pub valid: Option<BooleanBuffer>,
}

/// Makes decoders for one kind of schema.
pub trait DecoderFactory: Send + Sync + fmt::Debug {
    /// The kind of writer schema that its decoders take in [`Decoder::prepare`].
    fn kind(&self) -> SchemaKind;

    /// Whether framed payloads are read with the schemas that wrote them. If not, its decoders ask
    /// for none, whatever the frames say.
    fn needs_writer_schemas(&self) -> bool {
        true
    }

    /// A decoder whose batches have the shape that `target` asks for.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where the target's own schema cannot be read or mapped, its projection leads
    /// nowhere, or an option of its mapping cannot be honoured.
    fn open(&self, target: &Target) -> Result<Box<dyn Decoder>, PlanError>;
}
