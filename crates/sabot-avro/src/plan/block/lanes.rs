//! The rows of a block as lanes: where each reads next, and where its values go.
//!
//! A lane that meets anything unexpected is not stopped, since that would cost a branch for each value: it is lost, which
//! shows when all steps are done. What it reads from there on is garbage, and is dropped with the block.

use sabot_columns::Span;
pub(super) use sabot_cursor::LANES;
use sabot_cursor::PackedSpan;

use super::values::unpack;

/// Up to 64 positions that move through their messages side by side.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    /// Where each lane reads.
    pub(super) read: sabot_cursor::Lanes,
    /// The position of its values in the extent.
    pub(super) to: [u32; LANES],
    /// Its row in the block.
    pub(super) row: [u8; LANES],
    /// Whether the lanes are the extent's positions, all of them in order.
    pub(super) is_dense: bool,
}

impl Lanes {
    /// No lanes; those to come are dense.
    pub(super) fn new() -> Self {
        Self {
            read: sabot_cursor::Lanes::new(),
            to: std::array::from_fn(|lane| lane as u32),
            row: std::array::from_fn(|lane| lane as u8),
            is_dense: true,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.read.len
    }

    /// The lanes of `mask`, which may be none.
    pub(super) fn subset(&self, mask: u64) -> Self {
        let mut subset = Self::new();
        subset.is_dense = false;
        for (to, from) in ones(mask).enumerate() {
            subset.read.at[to] = self.read.at[from];
            subset.read.end[to] = self.read.end[from];
            subset.to[to] = self.to[from];
            subset.row[to] = self.row[from];
        }
        subset.read.len = mask.count_ones() as usize;
        subset
    }

    /// Moves the lanes of `mask` to where those of their subset came.
    pub(super) fn join(&mut self, mask: u64, subset: &Self) {
        for (from, to) in ones(mask).enumerate() {
            self.read.at[to] = subset.read.at[from];
        }
    }

    /// What was read for each lane, in the order of the positions of an extent that is not shared.
    #[inline]
    pub(super) fn by_position<T: Copy + Default>(&self, values: [T; LANES]) -> [T; LANES] {
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
    pub(super) fn spans_by_position(&self, packed: &[PackedSpan; LANES]) -> [Span; LANES] {
        if self.is_dense {
            return packed.map(unpack);
        }
        let mut spans = [Span::default(); LANES];
        for (to, packed) in self.to.iter().zip(packed).take(self.len()) {
            spans[*to as usize % LANES] = unpack(*packed);
        }
        spans
    }

    #[inline]
    pub(super) fn push(&mut self, message: std::ops::Range<u32>, to: u32, row: u8) {
        let lane = self.len();
        (self.to[lane], self.row[lane]) = (to, row);
        self.read.push(message);
    }

    /// Whether a lane has not gone beyond its message, as far as that shows yet.
    #[inline]
    pub(super) fn is_within(&self, lane: usize) -> bool {
        self.read.at[lane] <= self.read.end[lane]
    }

    /// The rows of the lanes of `mask`.
    pub(super) fn rows(&self, mask: u64) -> u64 {
        let rows = self.row.iter().enumerate();
        rows.fold(0, |rows, (lane, row)| rows | (mask >> lane & 1) << row)
    }
}

/// The lanes of a mask, in order.
pub(super) fn ones(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = mask.trailing_zeros() as usize;
        // A word without a one has as many zeros as there are lanes.
        mask &= mask.wrapping_sub(1);
        (lane < LANES).then_some(lane)
    })
}
