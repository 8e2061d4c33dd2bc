//! The rows of a block as lanes: where each reads next, and where its values go.
//!
//! A lane that meets anything unexpected is not stopped, since that would cost a branch for each value: its position
//! gets a bit that no position has, so that it cannot end where its message does. What it reads from there on is garbage of
//! the arena, and is dropped with the block.

/// Rows of a block at most.
pub(super) const LANES: usize = 64;

/// The bit of a position that says that the lane is lost. Positions stay far below it, whatever is read.
const LOST: u32 = 1 << 30;

/// Up to 64 positions that move through their messages side by side.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    pub(super) len: usize,
    /// Where each lane reads next.
    pub(super) at: [u32; LANES],
    /// Where its message ends.
    pub(super) end: [u32; LANES],
    /// The position of its values in the frame.
    pub(super) to: [u32; LANES],
    /// Its row in the block.
    pub(super) row: [u8; LANES],
    /// Whether the lanes are the frame's positions, all of them in order.
    pub(super) is_dense: bool,
}

/// Where a step's values go: the positions from `base` on, in every column of the step's subtree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) base: usize,
    pub(super) len: usize,
    /// Whether the steps run several times over the same frame, for the items of a list: then strings are gathered
    /// until the last time.
    pub(super) is_list: bool,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            len: 0,
            at: [0; LANES],
            end: [0; LANES],
            to: std::array::from_fn(|lane| lane as u32),
            row: std::array::from_fn(|lane| lane as u8),
            is_dense: true,
        }
    }

    /// The bits of the lanes.
    pub(super) fn all(&self) -> u64 {
        u64::MAX.checked_shr((LANES - self.len) as u32).unwrap_or(0)
    }

    /// The lanes of `mask`, which may be none.
    pub(super) fn subset(&self, mask: u64) -> Self {
        let mut subset = Self::new();
        subset.is_dense = false;
        for lane in 0..self.len {
            if mask >> lane & 1 == 1 {
                subset.push(self.at[lane], self.end[lane], self.to[lane], self.row[lane]);
            }
        }
        subset
    }

    /// Moves the lanes of `mask` to where those of their subset came.
    pub(super) fn join(&mut self, mask: u64, subset: &Self) {
        let mut next = subset.at.iter();
        for lane in 0..self.len {
            if mask >> lane & 1 == 1
                && let Some(at) = next.next()
            {
                self.at[lane] = *at;
            }
        }
    }

    #[inline]
    pub(super) fn push(&mut self, at: u32, end: u32, to: u32, row: u8) {
        let lane = self.len;
        (self.at[lane], self.end[lane], self.to[lane], self.row[lane]) = (at, end, to, row);
        self.len += 1;
    }

    /// The lanes that did not end where their messages do, or, if these may go on, that went beyond them.
    pub(super) fn lost(&self, may_end_early: bool) -> u64 {
        let lanes = self.at.iter().zip(&self.end).take(self.len).enumerate();
        lanes.fold(0, |mask, (lane, (at, end))| {
            mask | u64::from(at > end || at < end && !may_end_early) << lane
        })
    }
}

/// Marks a lane as lost if `is_lost`.
#[inline(always)]
pub(super) fn lose(at: &mut u32, is_lost: bool) {
    *at |= u32::from(is_lost) * LOST;
}
