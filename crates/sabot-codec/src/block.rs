//! The words that the block engines of all formats share.

use sabot_columns::Overflow;
use sabot_cursor::{ARENA_BYTES, LANES};

/// Rows of a block at most: as many as the bits of a word, so that a set of rows is one.
pub const BLOCK_ROWS: usize = LANES;
/// Plans of a block at most.
pub const BLOCK_PLANS: usize = 8;
/// Bytes of the defaults of a block's plans at most.
pub const BLOCK_DEFAULT_BYTES: usize = 4096;
/// Bytes of a block's messages at most.
pub(crate) const BLOCK_BYTES: usize = ARENA_BYTES - BLOCK_DEFAULT_BYTES;

/// What a block came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a format's block engine says one of them")]
pub enum BlockOutcome {
    /// All rows are in the columns.
    Good,
    /// Of the first `known` rows those in `lost` are left to the row engine. The first `good` rows
    /// are in the columns, with garbage after them.
    Lost {
        /// A bit for each row that is lost: for one of the first `known` at least.
        lost: u64,
        /// Rows of which it is known whether they are lost; at least one.
        known: usize,
        /// Rows before the first lost one, or fewer.
        good: usize,
    },
}

impl BlockOutcome {
    /// No row is known to be good.
    #[must_use]
    pub const fn all_lost(rows: usize) -> Self {
        Self::Lost {
            lost: u64::MAX,
            known: rows,
            good: 0,
        }
    }

    /// The first rows, of so many, that are in the columns.
    #[must_use]
    pub const fn good_rows(&self, rows: usize) -> usize {
        match self {
            Self::Good => rows,
            Self::Lost { good, .. } => *good,
        }
    }
}

/// Where a step's values go: the positions from `base` on, in every column of the step's subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "two numbers and a mode, which every step reads"
)]
pub struct Extent {
    /// The first position.
    pub base: usize,
    /// How many there are.
    pub len: usize,
    /// Whether others come to the same columns before or after these. Then what has to be appended
    /// in order is [deferred](crate::DeferredWrites). Otherwise values come in the order of their
    /// positions.
    pub is_shared: bool,
}

impl Extent {
    /// An extent where nobody else comes.
    #[must_use]
    pub const fn new(base: usize, len: usize) -> Self {
        Self {
            base,
            len,
            is_shared: false,
        }
    }

    /// The same extent, where others come too.
    #[must_use]
    pub const fn shared(self) -> Self {
        Self {
            is_shared: true,
            ..self
        }
    }

    /// The length of every column in the extent when it is done.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.base + self.len
    }
}

/// A block cannot go on after this row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it says only where")]
pub struct Stuck {
    /// The row, counted from the block's first.
    pub row: usize,
}

impl Stuck {
    /// Which row it was is not known: the row engine finds out.
    pub const ANYWHERE: Self = Self { row: 0 };
}

impl From<Overflow> for Stuck {
    #[cold]
    fn from(_: Overflow) -> Self {
        Self::ANYWHERE
    }
}
