//! Why a row could not be appended.

use sabot_columns::Overflow;
use sabot_decode::{FieldPathId, RowErrorKind, SchemaKey};

/// Why a format could not append a row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the ways to go on")]
pub enum Fault {
    /// The row is bad. It is taken back, and leaves a placeholder.
    Row {
        /// Where in the body, in bytes from its start.
        byte_offset: usize,
        /// Which part of the schema was being read.
        path: FieldPathId,
        /// What is wrong.
        kind: RowErrorKind,
    },
    /// The payload's writer schema is not prepared.
    NeedsSchema(SchemaKey),
    /// The batch has no room for the row, which is one for the next batch.
    Full,
    /// A column's 32-bit offsets are used up: the batch is full, or the row is too large for any.
    Overflow,
}

impl Fault {
    /// A fault of the message as a whole.
    #[cold]
    #[must_use]
    pub const fn of_message(byte_offset: usize, kind: RowErrorKind) -> Self {
        Self::Row {
            byte_offset,
            path: FieldPathId::ROOT,
            kind,
        }
    }
}

impl From<Overflow> for Fault {
    #[cold]
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}
