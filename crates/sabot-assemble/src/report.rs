//! What comes out of an assembler: progress, batches, and what was wrong with bad rows.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use sabot_decode::{FetchError, RowErrorKind, SchemaKey};

/// How far [`crate::Assembler::push`] came.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a caller takes it apart")]
pub struct Pushed {
    /// Records that are in the batch, good or bad, counted through all runs.
    pub taken: usize,
    /// Why it went no further.
    pub stop: PushStop,
}

/// Why [`crate::Assembler::push`] returned.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a caller has to treat every case")]
pub enum PushStop {
    /// Every record was taken.
    Done,
    /// The batch is full: call [`crate::Assembler::finish`], then go on at `taken`.
    Full,
    /// The schema of the record at `taken` could not be fetched. Nothing is lost: push the same
    /// record again later.
    Unavailable(FetchError),
    /// The record at `taken` is bad, and the policy is [`crate::OnError::Fail`]. The records
    /// before it are in the batch, which [`crate::Assembler::finish`] hands over.
    Failed(Box<BadRow>),
}

/// A finished batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct Assembled {
    /// The rows.
    pub batch: RecordBatch,
    /// What was wrong with the bad rows, in the records' order: one entry for each bad key and each
    /// bad value.
    pub bad: Vec<BadRow>,
    /// Records taken since the last finish: good, bad, and dropped.
    pub records: usize,
}

/// The parts of a record that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a Kafka message has these two")]
pub enum Part {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Value => "value",
        })
    }
}

/// A key or value that could not be decoded: which, where, and why. It displays as one line.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BadRow {
    /// The record's topic.
    pub topic: Arc<str>,
    /// The record's partition.
    pub partition: i32,
    /// The record's offset.
    pub offset: i64,
    /// Which part of the record was bad.
    pub part: Part,
    /// The schema that the part was written with.
    pub schema: SchemaKey,
    /// The field that was being read, such as `order.items[].price`; empty for the part as a whole.
    pub field_path: String,
    /// Where the fault was noticed, in bytes from the start of the part, framing included.
    pub byte_offset: u32,
    /// What was wrong.
    pub kind: RowErrorKind,
    /// More about it, such as what the registry said or why the writer schema cannot be used.
    pub detail: Option<Arc<str>>,
}

impl BadRow {
    /// What was wrong and where in the record, without the record's own place: what the `_error`
    /// column holds.
    ///
    /// The text is like `value, schema 7, field order.price, byte 12: the message ends inside a
    /// value`.
    #[must_use]
    pub fn reason(&self) -> impl fmt::Display {
        Reason(self)
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}[{}] at offset {}: {}",
            self.topic,
            self.partition,
            self.offset,
            Reason(self)
        )
    }
}

struct Reason<'a>(&'a BadRow);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bad = self.0;
        write!(f, "{}", bad.part)?;
        if bad.schema != SchemaKey::Absent {
            write!(f, ", schema {}", bad.schema)?;
        }
        if !bad.field_path.is_empty() {
            write!(f, ", field {}", bad.field_path)?;
        }
        write!(f, ", byte {}: {}", bad.byte_offset, bad.kind)?;
        bad.detail
            .as_deref()
            .map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}
