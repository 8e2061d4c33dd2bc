//! Stepping over values that the reader has no column for, all lanes at once where the type is simple.

use sabot_codec::RowBudget;
use sabot_cursor::{Window, varint};

use super::super::skip::{Skip, SkipKind, SkipStep, Skips};
use super::lanes::{LANES, Lanes};
use super::{Block, Op, OpKind};
use crate::schema::TypeId;

impl Block<'_> {
    pub(super) fn skip(&mut self, op: &Op, lanes: &mut Lanes) {
        let plan = self.plan;
        let is_in_default = op.kind == OpKind::SkipInDefault;
        for (step, _) in &plan.skip_steps[op.slot as usize..op.aux as usize] {
            self.skip_step(is_in_default, *step, lanes, plan.depth());
        }
    }

    pub(super) fn skip_step(&mut self, is_in_default: bool, step: SkipStep, lanes: &mut Lanes, depth: usize) {
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

    fn skip_by_lanes(&mut self, is_in_default: bool, step: SkipStep, lanes: &mut Lanes, depth: usize) {
        let Some(skips) = self.plan.skips_of(is_in_default) else {
            return;
        };
        for lane in 0..lanes.len() {
            let row = usize::from(lanes.row[lane]);
            let mut skipper = Skipper {
                window: self.arena.window(),
                end: lanes.read.end[lane],
                budget: self.budget.row(row),
                skips,
            };
            match skipper.skip(step, lanes.read.at[lane], depth) {
                Some(at) => lanes.read.at[lane] = at,
                None => lanes.read.lose(lane, true),
            }
            self.budget.put_row(row, skipper.budget);
        }
    }
}

/// Steps over values of one message, one after the other.
///
/// It reads the arena without a check for each value, as lanes do: what lies beyond the message is harmless, and whoever asks
/// compares the position with the message's end. `None` is what is wrong or unusual; the row engine finds out which.
pub(super) struct Skipper<'a> {
    pub(super) window: Window<'a>,
    /// Where the message ends.
    pub(super) end: u32,
    /// What the row may still take.
    pub(super) budget: RowBudget,
    pub(super) skips: &'a Skips,
}

/// The head of a block of items.
pub(super) struct BlockHead {
    pub(super) count: u32,
    /// Bytes of the items, where the writer says so.
    pub(super) size_bytes: Option<u32>,
    /// Where the items begin.
    pub(super) at: u32,
}

impl Skipper<'_> {
    /// Where a value ends that begins at `at`.
    #[inline]
    pub(super) fn skip(&mut self, step: SkipStep, at: u32, depth: usize) -> Option<u32> {
        let (is_there, at) = presence(self.window, step.non_null_byte, at)?;
        if !is_there {
            return Some(at);
        }
        match step.kind {
            SkipKind::Bytes => self.within(at, step.aux),
            SkipKind::Int => {
                let (value, bytes) = self.window.varint(at)?;
                (bytes <= varint::MAX_BYTES_32 as u32 && value <= u64::from(u32::MAX)).then_some(at + bytes)
            }
            SkipKind::Long => Some(self.long(at)?.1),
            SkipKind::Sized => self.sized(at),
            SkipKind::Type => self.value(TypeId(step.aux), at, depth),
        }
    }

    /// Where a length and its bytes end.
    #[inline]
    pub(super) fn sized(&self, at: u32) -> Option<u32> {
        let (length, bytes) = self.window.varint(at)?;
        let length = u32::try_from(varint::unzigzag_64(length)).ok()?;
        self.within(at + bytes, length)
    }

    /// `bytes` from `at` on, if the message has them.
    #[inline]
    fn within(&self, at: u32, bytes: u32) -> Option<u32> {
        at.checked_add(bytes).filter(|stop| *stop <= self.end)
    }

    /// A long, and where it ends.
    #[inline]
    fn long(&self, at: u32) -> Option<(i64, u32)> {
        if let Some((value, bytes)) = self.window.varint(at) {
            return Some((varint::unzigzag_64(value), at + bytes));
        }
        let message = self.window.padded().get(at as usize..self.end as usize)?;
        let (value, bytes) = varint::read_u64(message).ok()?;
        Some((varint::unzigzag_64(value), at + bytes as u32))
    }

    /// Steps over one value of any type.
    fn value(&mut self, id: TypeId, at: u32, depth: usize) -> Option<u32> {
        let skips = self.skips;
        match skips.at(id) {
            Skip::One(step) => self.skip(*step, at, depth),
            Skip::Record(steps) => {
                let below = depth.checked_sub(1)?;
                steps.iter().try_fold(at, |at, step| self.skip(*step, at, below))
            }
            Skip::Union(branches) => {
                let (branch, at) = self.long(at)?;
                let branch = branches.get(usize::try_from(branch).ok()?)?;
                self.value(*branch, at, depth)
            }
            Skip::Blocks { has_key, item } => self.blocks(*has_key, *item, at, depth.checked_sub(1)?),
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
                at = self.within(at, size_bytes)?;
                continue;
            }
            if let (Some(bytes), false) = (step.exact_bytes(), has_key) {
                at = self.within(at, head.count.checked_mul(bytes)?)?;
                continue;
            }
            for _ in 0..head.count {
                at = self.item(step, has_key, at, depth)?;
            }
        }
    }

    /// Where an item of a list or map ends.
    #[inline]
    pub(super) fn item(&mut self, step: SkipStep, has_key: bool, mut at: u32, depth: usize) -> Option<u32> {
        if has_key {
            at = self.sized(at)?;
        }
        self.skip(step, at, depth)
    }

    /// Reads the head of a block, whose items take `min_item_bytes` each at least. After the last block there is one of no
    /// items.
    #[inline]
    pub(super) fn block_head(&mut self, at: u32, min_item_bytes: u32) -> Option<BlockHead> {
        let (written, mut at) = self.long(at)?;
        let (mut room, mut size_bytes) = (self.end.checked_sub(at)?, None);
        if written < 0 {
            let (size, after) = self.long(at)?;
            at = after;
            room = u32::try_from(size).ok()?;
            self.within(at, room)?;
            size_bytes = Some(room);
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

/// Whether a nullable value is there, which [`Op::non_null_byte`] tells, and where it begins; `None` if no such byte is written
/// there.
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
fn skip_value(window: Window<'_>, lanes: &mut Lanes, step: SkipStep) {
    let non_null = (step.non_null_byte != Op::NO_TAG).then_some(step.non_null_byte);
    let lanes = &mut lanes.read;
    match step.kind {
        SkipKind::Bytes => lanes.fixed(window, non_null, step.aux, &mut [0; LANES]),
        SkipKind::Sized => lanes.sized(window, non_null, &mut [0; LANES]),
        SkipKind::Int => lanes.ints(window, non_null, &mut [0; LANES]),
        _ => lanes.longs(window, non_null, &mut [0; LANES]),
    };
}
