//! The rows of a block as lanes: where each reads next, and where its values go.
//!
//! A lane that meets anything unexpected is not stopped, since that would cost a branch for each
//! value: it is lost, which shows when all steps are done. What it reads from there on is garbage,
//! and is dropped with the block.
//!
//! # Example
//!
//! Rows 0 to 3 of a block have a list each, of 2, 0, 1 and 3 items. Their items share an extent of
//! six positions, and lists begin at the positions 0, 2, 2 and 3.
//!
//! 1. For the first items there are three lanes, since row 1 has none: `row = [0, 2, 3]` and
//!    `to = [0, 2, 3]`. They are not dense: a step's values go where `to` says.
//! 2. A step reads one value from each lane, at `read.at`, which moves on.
//! 3. For the second items two lanes are left, of rows 0 and 3: `to = [1, 4]`. And so on.

use std::array;
use std::iter;
use std::ops::Range;

use sabot_columns::Span;
use sabot_cursor::{LANES, Lanes, PackedSpan};

/// Up to 64 positions that move through their messages side by side.
///
/// ```
/// use sabot_codec::RowLanes;
///
/// let mut lanes = RowLanes::new();
/// for (row, start) in [(0, 0), (1, 10), (2, 20)] {
///     lanes.push(start..start + 10, row.into(), row);
/// }
/// // The lanes of rows 0 and 2 go on by themselves.
/// let mut subset = lanes.subset(0b101);
/// assert_eq!((subset.len(), &subset.row[..2]), (2, &[0, 2][..]));
/// subset.read.at[1] += 5;
/// lanes.join(0b101, &subset);
/// assert_eq!(lanes.read.at[..3], [0, 10, 25]);
/// ```
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a block engine moves the lanes as it likes"
)]
pub struct RowLanes {
    /// Where each lane reads.
    pub read: Lanes,
    /// The position of its values in the extent.
    pub to: [u32; LANES],
    /// Its row in the block.
    pub row: [u8; LANES],
    /// Whether the lanes are the extent's positions, all of them in order.
    pub is_dense: bool,
}

impl Default for RowLanes {
    fn default() -> Self {
        Self::new()
    }
}

impl RowLanes {
    /// No lanes; those to come are dense.
    #[inline]
    #[must_use]
    pub fn new() -> Self {
        Self {
            read: Lanes::new(),
            to: array::from_fn(|lane| lane as u32),
            row: array::from_fn(|lane| lane as u8),
            is_dense: true,
        }
    }

    /// How many lanes there are.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.read.len
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.read.len == 0
    }

    /// The lanes of `mask`, which may be none.
    #[inline]
    #[must_use]
    pub fn subset(&self, mask: u64) -> Self {
        let mut subset = Self::new();
        subset.is_dense = false;
        for (to, from) in lanes_of(mask).enumerate() {
            subset.read.at[to] = self.read.at[from];
            subset.read.end[to] = self.read.end[from];
            subset.to[to] = self.to[from];
            subset.row[to] = self.row[from];
        }
        subset.read.len = mask.count_ones() as usize;
        subset
    }

    /// Moves the lanes of `mask` to where those of their subset came.
    #[inline]
    pub fn join(&mut self, mask: u64, subset: &Self) {
        for (from, to) in lanes_of(mask).enumerate() {
            self.read.at[to] = subset.read.at[from];
        }
    }

    /// What was read for each lane, in the order of the positions of an extent that is not shared.
    #[inline]
    #[must_use]
    pub fn by_position<T: Copy + Default>(&self, values: [T; LANES]) -> [T; LANES] {
        if self.is_dense {
            return values;
        }
        let mut ordered = [T::default(); LANES];
        for (to, value) in self.to.iter().zip(values).take(self.len()) {
            ordered[*to as usize % LANES] = value;
        }
        ordered
    }

    /// The same for spans.
    #[inline]
    #[must_use]
    pub fn spans_by_position(&self, packed: &[PackedSpan; LANES]) -> [Span; LANES] {
        if self.is_dense {
            return packed.map(unpack);
        }
        let mut spans = [Span::default(); LANES];
        for (to, packed) in self.to.iter().zip(packed).take(self.len()) {
            spans[*to as usize % LANES] = unpack(*packed);
        }
        spans
    }

    /// Adds the lane of a message, or of a part of one, that begins and ends there: where its
    /// values go, and whose row it is.
    #[inline]
    pub fn push(&mut self, message: Range<u32>, to: u32, row: u8) {
        let lane = self.len();
        (self.to[lane], self.row[lane]) = (to, row);
        self.read.push(message);
    }

    /// Whether a lane has not gone beyond its message, as far as that shows yet.
    #[inline]
    #[must_use]
    pub fn is_within(&self, lane: usize) -> bool {
        self.read.at[lane] <= self.read.end[lane]
    }

    /// The rows of the lanes of `mask`.
    #[inline]
    #[must_use]
    pub fn rows(&self, mask: u64) -> u64 {
        let rows = self.row.iter().enumerate();
        rows.fold(0, |rows, (lane, row)| rows | (mask >> lane & 1) << row)
    }
}

/// Where a string is, as columns take it.
#[inline]
#[must_use]
pub const fn unpack(span: PackedSpan) -> Span {
    Span {
        start: span as u32,
        len: (span >> 32) as u32,
    }
}

/// The lanes of a mask, in order.
#[inline]
pub fn lanes_of(mut mask: u64) -> impl Iterator<Item = usize> {
    iter::from_fn(move || {
        let lane = mask.trailing_zeros() as usize;
        // A word without a one has as many zeros as there are lanes.
        mask &= mask.wrapping_sub(1);
        (lane < LANES).then_some(lane)
    })
}
