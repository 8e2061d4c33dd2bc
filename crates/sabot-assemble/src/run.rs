//! What goes into an assembler: a run, the records of one partition as parallel slices.
//!
//! A client hands over what it has fetched as it lies in its buffers, and whatever is the same for
//! all of it (topic, partition, framing) is said once. Three records of `orders[0]`, the second of
//! them a tombstone, are:
//!
//! ```text
//! topic "orders", partition 0
//! offsets         [             7 |    9 |            10 ]    offsets may have gaps
//! timestamps.ms   [          1000 | 1003 |            -1 ]    the third record has no time
//! keys.bytes      [           "a" |  "b" |          null ]
//! values.bytes    [ 0000000042... | null | 0000000042... ]    a frame of five bytes, then a body
//! ```
//!
//! Invariant: every slice has one item for each record, or none for all where nobody asked.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use sabot_decode::{Framing, Payload};

/// Records of one partition, in order, borrowed from the client's buffers.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a caller builds one for many records")]
pub struct Run<'a> {
    /// The topic. Runs of one topic should share one `Arc`: then a run costs a pointer comparison.
    pub topic: &'a Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The records' offsets within the partition; their number is that of the records.
    pub offsets: &'a [i64],
    /// The records' times; `None` where none has one, or nobody asked.
    pub timestamps: Option<Timestamps<'a>>,
    /// The keys.
    pub keys: RunPart<'a>,
    /// The values.
    pub values: RunPart<'a>,
    /// The headers; `None` where no record has one. They are visited only where a column or a dead
    /// letter asks for them.
    pub headers: Option<RunHeaders<'a>>,
}

/// The keys or the values of a run, as they came.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a caller builds one for many records")]
pub struct RunPart<'a> {
    /// How they are framed.
    pub framing: Framing,
    /// Their bytes, frames included; `None` for Kafka's null. No item stands for a null of every
    /// record.
    pub bytes: &'a [Option<&'a [u8]>],
    /// For each the value of the header that [`Framing::split`] looks at, if the record has it.
    /// Empty where no record has.
    pub schema_headers: &'a [Option<&'a [u8]>],
}

/// The times of a run.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a caller builds one for many records")]
pub struct Timestamps<'a> {
    /// Milliseconds since 1970-01-01T00:00:00Z, or [`Timestamps::NONE`].
    pub ms: &'a [i64],
    /// Who set them.
    pub kind: TimestampKind,
}

/// Who set a record's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "Kafka's message format has these two")]
pub enum TimestampKind {
    /// The producer.
    Create,
    /// The broker, on appending the record to its log.
    LogAppend,
}

/// The headers of a run, among those of more records.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a caller builds one for many records")]
pub struct RunHeaders<'a> {
    /// The headers of all records that the client has fetched, or of the run's alone.
    pub headers: &'a dyn Headers,
    /// The index among them of the run's first record.
    pub first: usize,
}

/// Headers of records, in whatever form the client keeps them.
pub trait Headers {
    /// Calls `each` with the name and value of every header of the record at `index`, in order,
    /// duplicates and nulls included. A name need not be UTF-8.
    #[expect(
        clippy::type_complexity,
        reason = "a name for this type would hide what it takes"
    )]
    fn visit(&self, index: usize, each: &mut dyn FnMut(&[u8], Option<&[u8]>));
}

/// One record of a run: what a dead letter is made of.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    run: Run<'a>,
    index: usize,
}

impl<'a> Run<'a> {
    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// True if there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The record at `index`.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn record(&self, index: usize) -> Record<'a> {
        assert!(index < self.len(), "there are {} records", self.len());
        Record { run: *self, index }
    }
}

impl Run<'_> {
    /// Calls `each` with every header of the record at `index`.
    pub(crate) fn visit_headers(&self, index: usize, mut each: impl FnMut(&[u8], Option<&[u8]>)) {
        if let Some(RunHeaders { headers, first }) = self.headers {
            headers.visit(first + index, &mut each);
        }
    }

    /// Whether the slices fit together.
    pub(crate) fn is_parallel(&self) -> bool {
        let fits = |len: usize| len == 0 || len == self.len();
        let part_fits = |part: RunPart<'_>| fits(part.bytes.len()) && fits(part.schema_headers.len());
        self.timestamps
            .is_none_or(|timestamps| timestamps.ms.len() == self.len())
            && part_fits(self.keys)
            && part_fits(self.values)
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("topic", self.topic)
            .field("partition", &self.partition)
            .field("offsets", &self.offsets)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RunHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunHeaders")
            .field("first", &self.first)
            .finish_non_exhaustive()
    }
}

impl<'a> RunPart<'a> {
    /// Null for every record.
    pub const NULL: Self = Self {
        framing: Framing::Unframed,
        bytes: &[],
        schema_headers: &[],
    };

    /// The bytes of the record at `index`.
    pub(crate) fn at(&self, index: usize) -> Option<&'a [u8]> {
        self.bytes.get(index).copied().flatten()
    }

    /// The payload of the record at `index`.
    pub(crate) fn payload(&self, index: usize) -> Payload<'a> {
        let header = self.schema_headers.get(index).copied().flatten();
        Payload::framed(self.framing, header, self.at(index))
    }

    /// Appends the payloads of the records in `range`, which there are.
    pub(crate) fn extend_payloads(&self, range: Range<usize>, payloads: &mut Vec<Payload<'a>>) {
        if self.bytes.is_empty() {
            payloads.extend(range.map(|_| Payload::tombstone()));
        } else if self.schema_headers.is_empty() {
            Payload::extend_framed(payloads, self.framing, self.bytes[range].iter().copied());
        } else {
            payloads.extend(range.map(|index| self.payload(index)));
        }
    }
}

impl Timestamps<'_> {
    /// Stands for no time, as in Kafka's record batches.
    pub const NONE: i64 = -1;
}

impl<'a> Record<'a> {
    /// The topic.
    #[must_use]
    pub fn topic(&self) -> &'a Arc<str> {
        self.run.topic
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> i32 {
        self.run.partition
    }

    /// The offset within the partition.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.run.offsets[self.index]
    }

    /// The time in milliseconds, if the record has one.
    #[must_use]
    pub fn timestamp_ms(&self) -> Option<i64> {
        let ms = self.run.timestamps?.ms[self.index];
        (ms != Timestamps::NONE).then_some(ms)
    }

    /// The key as it came, framing included.
    #[must_use]
    pub fn key(&self) -> Option<&'a [u8]> {
        self.run.keys.at(self.index)
    }

    /// The value as it came, framing included.
    #[must_use]
    pub fn value(&self) -> Option<&'a [u8]> {
        self.run.values.at(self.index)
    }

    /// Calls `each` with every header: see [`Headers::visit`].
    pub fn visit_headers(&self, each: impl FnMut(&[u8], Option<&[u8]>)) {
        self.run.visit_headers(self.index, each);
    }

    /// The key or the value with its frame taken off.
    pub(crate) fn payload(&self, part: crate::Part) -> Payload<'a> {
        match part {
            crate::Part::Key => self.run.keys.payload(self.index),
            crate::Part::Value => self.run.values.payload(self.index),
        }
    }
}
