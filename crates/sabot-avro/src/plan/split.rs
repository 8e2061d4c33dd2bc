//! Where one value ends and the next begins, for bytes that hold many without saying so.
//!
//! A decoder takes values of known length. Finding the lengths first costs a second walk over the
//! bytes; it buys that a value with bad contents (UTF-8, an enum's symbol, a value that does not
//! resolve) is still told from its neighbours, and that there is one engine.

use sabot_codec::RowBudget;
use sabot_cursor::Cursor;
use sabot_decode::RowErrorKind;

use super::skip::{MAX_DEPTH, SkipStep, Skips};
use crate::schema::Schema;

/// Finds the ends of a schema's values.
#[derive(Debug)]
pub(crate) struct Splitter {
    skips: Skips,
    root: SkipStep,
}

/// Why a value has no end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoEnd {
    /// Bytes from the value's start to the fault.
    pub(crate) byte_offset: usize,
    pub(crate) kind: RowErrorKind,
}

impl Splitter {
    pub(crate) fn new(writer: &Schema) -> Self {
        let skips = Skips::new(writer);
        Self {
            root: skips.step(writer.root),
            skips,
        }
    }

    /// The size in bytes of the value that `bytes` begin with.
    ///
    /// Items are not limited here: those of some bytes are bounded by `bytes`, and others take no
    /// time.
    pub(crate) fn size_of_first(&self, bytes: &[u8]) -> Result<usize, NoEnd> {
        let mut cursor = Cursor::new(bytes);
        let mut budget = RowBudget::unlimited(usize::MAX);
        let skipped = self.skips.run(self.root, &mut cursor, &mut budget, MAX_DEPTH);
        skipped.map_err(|failure| NoEnd {
            byte_offset: failure.byte_offset,
            kind: failure.kind,
        })?;
        Ok(cursor.position())
    }
}
