//! Skipping values: those that no column takes, and those that are read later.
//!
//! What has no lists and no unions in it is skipped for all lanes at once, with the loops that read
//! such values. Everything else is skipped lane by lane, by a [`Skipper`].
//!
//! # Example
//!
//! A map of strings, and a lane at `04 02 61 00 02 62 02 78 00` ({"a": "", "b": "x"}).
//!
//! 1. The block's head is 2: two entries.
//! 2. The key has the length 1, so that the value begins two bytes on. It has the length 0.
//! 3. The second entry in the same way.
//! 4. The next head is 0. The map ends after it, 9 bytes from where it began.
//!
//! # Invariants
//!
//! - What is accepted here is what [`Skips::run`] accepts, or less.
//! - A step begins within the message, so that positions stay far from the type's end.
//! - Every loop over items is bounded by the items that the row may have, and by its bytes.

use sabot_codec::{RowBudget, RowLanes};
use sabot_cursor::IntEncoding::Zigzag;
use sabot_cursor::{LANES, Window, varint};

use super::super::skip::{Skip, SkipKind, SkipStep, Skips};
use super::{Block, Op, OpKind};
use crate::schema::TypeId;

impl Block<'_> {
    pub(super) fn skip(&mut self, op: &Op, lanes: &mut RowLanes) {
        let plan = self.plan;
        let is_in_default = op.kind == OpKind::SkipInDefault;
        for (step, _) in &plan.skip_steps[op.skip_steps()] {
            self.skip_step(is_in_default, *step, lanes, plan.depth());
        }
    }

    pub(super) fn skip_step(
        &mut self,
        is_in_default: bool,
        step: SkipStep,
        lanes: &mut RowLanes,
        depth: usize,
    ) {
        if step.kind != SkipKind::Type {
            return skip_value(self.arena.window(), lanes, step);
        }
        let Some(skips) = self.plan.skips_of(is_in_default) else {
            return;
        };
        let is_always_there = step.non_null_byte == Op::NO_TAG;
        match skips.record(TypeId(step.aux)) {
            Some(steps) if is_always_there && depth > 0 => {
                for step in steps {
                    self.skip_step(is_in_default, *step, lanes, depth - 1);
                }
            }
            _ => self.skip_by_lanes(is_in_default, step, lanes, depth),
        }
    }

    fn skip_by_lanes(&mut self, is_in_default: bool, step: SkipStep, lanes: &mut RowLanes, depth: usize) {
        let Some(skips) = self.plan.skips_of(is_in_default) else {
            return;
        };
        for lane in 0..lanes.len() {
            let row = usize::from(lanes.row[lane]);
            let (window, end) = (self.arena.window(), lanes.read.end[lane]);
            let mut skipper = Skipper::new(window, end, skips, self.budget.row(row));
            match skipper.skip(step, lanes.read.at[lane], depth) {
                Some(at) => lanes.read.at[lane] = at,
                None => lanes.read.lose(lane, true),
            }
            self.budget.put_row(row, skipper.budget);
        }
    }
}

/// Where the end of a value is that is odd: wrong, or merely unusual. It is beyond the end of every
/// message.
const ODD: u32 = u32::MAX;

/// Steps over values of one message, one after the other.
///
/// It reads the arena without a check for each value, as lanes do: what is beyond the message is
/// harmless, and shows when the position is compared with the message's end. What is odd ends
/// beyond it too, and the row engine finds out what is wrong.
pub(super) struct Skipper<'a> {
    window: Window<'a>,
    /// Where the message ends.
    end: u32,
    skips: &'a Skips,
    /// What the row may still take.
    pub(super) budget: RowBudget,
}

/// The head of a block of items.
pub(super) struct BlockHead {
    pub(super) count: u32,
    /// Bytes of the items, where the writer says so.
    pub(super) size_bytes: Option<u32>,
    /// Where the items begin.
    pub(super) at: u32,
}

impl<'a> Skipper<'a> {
    pub(super) const fn new(window: Window<'a>, end: u32, skips: &'a Skips, budget: RowBudget) -> Self {
        Self {
            window,
            end,
            skips,
            budget,
        }
    }

    /// Where a value ends that begins at `at`; `None` where anything in it is odd.
    #[inline]
    pub(super) fn skip(&mut self, step: SkipStep, at: u32, depth: usize) -> Option<u32> {
        let at = self.step(step, at, depth);
        (at <= self.end).then_some(at)
    }

    /// Where an item of a list or map ends.
    #[inline]
    pub(super) fn item(&mut self, step: SkipStep, has_key: bool, at: u32, depth: usize) -> Option<u32> {
        let at = if has_key { self.sized(at) } else { at };
        // No step begins beyond the message: positions stay far from the type's end.
        if at > self.end {
            return None;
        }
        self.skip(step, at, depth)
    }

    #[inline(always)]
    fn step(&mut self, step: SkipStep, mut at: u32, depth: usize) -> u32 {
        if step.non_null_byte != Op::NO_TAG {
            let byte = self.window.byte(at);
            // The same index written longer than necessary is odd.
            if byte & !2 != 0 {
                return ODD;
            }
            at += 1;
            if byte != step.non_null_byte {
                return at;
            }
        }
        match step.kind {
            SkipKind::Bytes => at.saturating_add(step.aux),
            SkipKind::Sized => self.sized(at),
            SkipKind::Type => self.value(TypeId(step.aux), at, depth),
            SkipKind::Long | SkipKind::Int => {
                // Nearly all numbers are read without their value.
                if self.window.byte(at) < 0x80 {
                    return at + 1;
                }
                let Some((value, bytes)) = self.window.varint(at) else {
                    return ODD;
                };
                let is_int = bytes <= varint::MAX_BYTES_32 as u32 && value <= u64::from(u32::MAX);
                if step.kind == SkipKind::Long || is_int {
                    at + bytes
                } else {
                    ODD
                }
            }
        }
    }

    /// Steps over a length and its bytes.
    #[inline(always)]
    fn sized(&self, at: u32) -> u32 {
        let byte = u32::from(self.window.byte(at));
        // Of one byte, and not negative.
        if byte & 0x81 == 0 {
            return at + 1 + byte / 2;
        }
        self.long_sized(at)
    }

    fn long_sized(&self, at: u32) -> u32 {
        let length = self.window.varint(at).and_then(|(length, prefix)| {
            let length = u32::try_from(varint::unzigzag_64(length)).ok()?;
            at.checked_add(prefix)?.checked_add(length)
        });
        length.unwrap_or(ODD)
    }

    /// Steps over one value of any type.
    fn value(&mut self, id: TypeId, mut at: u32, depth: usize) -> u32 {
        let skips = self.skips;
        match skips.at(id) {
            Skip::One(step) => self.step(*step, at, depth),
            Skip::Record(steps) => {
                let Some(below) = depth.checked_sub(1) else {
                    return ODD;
                };
                for step in steps {
                    at = self.step(*step, at, below);
                    if at > self.end {
                        return ODD;
                    }
                }
                at
            }
            Skip::Union(branches) => {
                let branch = self.window.varint(at).and_then(|(branch, bytes)| {
                    at += bytes;
                    branches.get(usize::try_from(varint::unzigzag_64(branch)).ok()?)
                });
                branch.map_or(ODD, |branch| self.value(*branch, at, depth))
            }
            Skip::Blocks { has_key, item } => {
                let blocks = depth
                    .checked_sub(1)
                    .and_then(|depth| self.blocks(*has_key, *item, at, depth));
                blocks.unwrap_or(ODD)
            }
        }
    }

    fn blocks(&mut self, has_key: bool, item: TypeId, mut at: u32, depth: usize) -> Option<u32> {
        let step = self.skips.step(item);
        let min_item_bytes = self.skips.min_bytes(item) + u32::from(has_key);
        loop {
            let head = self.block_head(at, min_item_bytes)?;
            at = head.at;
            if head.count == 0 {
                return Some(at);
            }
            if let Some(size_bytes) = head.size_bytes {
                at += size_bytes;
                continue;
            }
            if let (Some(bytes), false) = (step.exact_bytes(), has_key) {
                at = head
                    .count
                    .checked_mul(bytes)
                    .and_then(|bytes| at.checked_add(bytes))?;
                continue;
            }
            for _ in 0..head.count {
                at = self.item(step, has_key, at, depth)?;
            }
        }
    }

    /// Reads the head of a block, whose items take `min_item_bytes` each at least. After the last
    /// block there is one of no items.
    #[inline]
    pub(super) fn block_head(&mut self, at: u32, min_item_bytes: u32) -> Option<BlockHead> {
        let (written, bytes) = self.window.varint(at)?;
        let (written, mut at) = (varint::unzigzag_64(written), at + bytes);
        let (mut room, mut size_bytes) = (self.end.checked_sub(at)?, None);
        if written < 0 {
            let (size, bytes) = self.window.varint(at)?;
            at += bytes;
            let size = u32::try_from(varint::unzigzag_64(size)).ok()?;
            room = self
                .end
                .checked_sub(at)
                .filter(|left| size <= *left)
                .map(|_| size)?;
            size_bytes = Some(size);
        }
        // A count that cannot be true is refused before anything is done with it.
        let count = u32::try_from(written.unsigned_abs()).ok()?;
        if u64::from(count) * u64::from(min_item_bytes) > u64::from(room) {
            return None;
        }
        self.budget.take_items(count as usize).ok()?;
        Some(BlockHead {
            count,
            size_bytes,
            at,
        })
    }
}

/// Whether a nullable value is there, which [`Op::non_null_byte`] tells, and where it begins;
/// `None` if no such byte is written there.
#[inline]
pub(super) fn presence(window: Window<'_>, non_null_byte: u8, at: u32) -> Option<(bool, u32)> {
    if non_null_byte == Op::NO_TAG {
        return Some((true, at));
    }
    let byte = window.byte(at);
    // The same index written longer than necessary is unusual.
    (byte & !2 == 0).then_some((byte == non_null_byte, at + 1))
}

/// Steps over a value that has no others below it.
fn skip_value(window: Window<'_>, lanes: &mut RowLanes, step: SkipStep) {
    let presence = super::super::presence(step.non_null_byte);
    let lanes = &mut lanes.read;
    match step.kind {
        SkipKind::Bytes => lanes.fixed(window, presence, step.aux, &mut [0; LANES]),
        SkipKind::Sized => lanes.sized(window, presence, Zigzag, &mut [0; LANES]),
        SkipKind::Int => lanes.ints(window, presence, Zigzag, &mut [0; LANES]),
        _ => lanes.longs(window, presence, Zigzag, &mut [0; LANES]),
    };
}
