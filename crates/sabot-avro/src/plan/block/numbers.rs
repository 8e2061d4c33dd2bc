//! Lists of numbers: a list's numbers are one after the other, as they do in their column, so that
//! all of them are read at once.
//!
//! Floats and doubles are copied. Of ints and longs the ends are found first
//! ([`sabot_cursor::RUN`]), which keeps one number from waiting for the length of the one before.
//!
//! # Example
//!
//! Two rows of a list of longs: `06 02 04 06 00` is a block of three (1, 2, 3) and the end, `02 ac
//! 02 00` a block of one (150).
//!
//! 1. Row 0: the block's head says 3. The bytes from there on are the numbers 2, 4, 6 as varints,
//!    three bytes; 1, 2, 3 are appended to the column. The next head is 0, the end.
//! 2. Row 1: one number of two bytes, 300 as a varint; 150 is appended.
//! 3. The list's offsets grow by 3 and by 1.
//!
//! # Invariants
//!
//! - The lanes come in the order of their positions, so that the numbers do.
//! - A list that is wrong is lost, and leaves no numbers: offsets and column still fit.
//! - A list may come in any number of blocks, with their sizes or without.

use std::ops::Range;

use sabot_codec::{Extent, RowLanes, Stuck};
use sabot_columns::Columns;
use sabot_cursor::IntEncoding::Zigzag;
use sabot_cursor::{LANES, RUN, Window, varint};

use super::skip::Skipper;
use super::{Block, Op, OpKind};

impl Block<'_> {
    /// A list of numbers in an extent where nobody else comes.
    pub(super) fn numbers(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut RowLanes,
        extent: Extent,
    ) -> Result<(), Stuck> {
        let item = self.plan.ops[pc + 1];
        let column = item.at as usize;
        match item.kind {
            OpKind::Float => {
                self.lists_of(op, pc, lanes, extent, |columns| &mut columns.f32s[column], floats)
            }
            OpKind::Double => self.lists_of(
                op,
                pc,
                lanes,
                extent,
                |columns| &mut columns.f64s[column],
                doubles,
            ),
            OpKind::Int => self.lists_of(op, pc, lanes, extent, |columns| &mut columns.i32s[column], ints),
            _ => self.lists_of(op, pc, lanes, extent, |columns| &mut columns.i64s[column], longs),
        }
    }

    #[inline(always)]
    fn lists_of<T: Copy>(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut RowLanes,
        extent: Extent,
        column: impl Fn(&mut Columns) -> &mut Vec<T>,
        read: impl Fn(Window<'_>, Range<u32>, usize, &mut Vec<T>) -> Option<u32>,
    ) -> Result<(), Stuck> {
        let (window, before, mut written) = (self.arena.window(), lanes.read.at, [0; LANES]);
        let present = lanes.read.longs(window, op.presence(), Zigzag, &mut written);
        self.mark_valid(op, lanes, extent, present);
        // All bits of the counts together: negative where one of them is.
        let all = written[..lanes.len()].iter().fold(0, |all, count| all | count);
        let first_counts = if all >= 0 {
            self.counts(&written, all as u64, pc, lanes)
        } else {
            // The bytes of a block follow a count below 0: each head is read by itself, from its
            // start.
            let tag_bytes = u32::from(op.presence().is_some());
            for (lane, before) in before.into_iter().enumerate().take(lanes.len()) {
                if lanes.is_within(lane) {
                    lanes.read.at[lane] = before + tag_bytes;
                }
            }
            [0; LANES]
        };
        // How many numbers each list really has: those of all its blocks, or none where it is lost.
        let mut counts = [0; LANES];
        for lane in 0..lanes.len() {
            let len = column(self.columns).len();
            let (at, end, count) = (lanes.read.at[lane], lanes.read.end[lane], first_counts[lane]);
            let is_to_read = present >> lane & 1 == 1 && (count > 0 || all < 0);
            if is_to_read {
                let first = match count {
                    0 => Some(at),
                    _ => read(window, at..end, count as usize, column(self.columns)),
                };
                // Nearly always the end comes after the first block.
                let after = first.and_then(|at| match window.byte(at) {
                    0 => Some(at + 1),
                    _ => self.blocks_of_numbers(pc, lanes, (lane, at), &column, &read),
                });
                lanes.read.lose(lane, after.is_none());
                match after {
                    Some(after) => lanes.read.at[lane] = after,
                    None => column(self.columns).truncate(len),
                }
            }
            counts[lanes.to[lane] as usize % LANES] = (column(self.columns).len() - len) as u32;
        }
        // The numbers are there already.
        self.push_counts(op, &counts[..extent.len]).map(drop)
    }

    /// All blocks of one list, which begins at a position. Says where it ends; `None` if it is
    /// wrong or unusual.
    #[inline(never)]
    fn blocks_of_numbers<T: Copy>(
        &mut self,
        pc: usize,
        lanes: &RowLanes,
        (lane, mut at): (usize, u32),
        column: &impl Fn(&mut Columns) -> &mut Vec<T>,
        read: &impl Fn(Window<'_>, Range<u32>, usize, &mut Vec<T>) -> Option<u32>,
    ) -> Option<u32> {
        let (row, end) = (usize::from(lanes.row[lane]), lanes.read.end[lane]);
        let site = self.plan.sites[pc].list?;
        loop {
            let mut skipper = Skipper::new(self.arena.window(), end, &self.plan.skips, self.budget.row(row));
            let head = skipper.block_head(at, site.min_item_bytes)?;
            if head.count == 0 {
                return Some(head.at);
            }
            let count = head.count as usize;
            let bytes = count.saturating_mul(site.item_width_bytes as usize);
            skipper.budget.charge(bytes).ok()?;
            self.budget.put_row(row, skipper.budget);
            at = read(self.arena.window(), head.at..end, count, column(self.columns))?;
            if head.size_bytes.is_some_and(|size| at - head.at != size) {
                return None;
            }
        }
    }
}

fn floats(window: Window<'_>, message: Range<u32>, count: usize, column: &mut Vec<f32>) -> Option<u32> {
    let (start, bytes) = (message.start as usize, count * size_of::<f32>());
    let (words, _) = window.padded().get(start..start + bytes)?.as_chunks();
    column.extend(words.iter().map(|word| f32::from_le_bytes(*word)));
    Some(message.start + bytes as u32)
}

fn doubles(window: Window<'_>, message: Range<u32>, count: usize, column: &mut Vec<f64>) -> Option<u32> {
    let (start, bytes) = (message.start as usize, count * size_of::<f64>());
    let (words, _) = window.padded().get(start..start + bytes)?.as_chunks();
    column.extend(words.iter().map(|word| f64::from_le_bytes(*word)));
    Some(message.start + bytes as u32)
}

fn longs(window: Window<'_>, message: Range<u32>, count: usize, column: &mut Vec<i64>) -> Option<u32> {
    let (mut at, mut left, mut values) = (message.start, count, [0; RUN]);
    while left > 0 {
        let (read, bytes) = window.varint_run::<{ varint::MAX_BYTES_64 as u32 }>(at, left, &mut values);
        (at, left) = (at + bytes, left - read);
        if read == 0 || at > message.end {
            return None;
        }
        column.extend(values[..read].iter().map(|value| varint::unzigzag_64(*value)));
    }
    Some(at)
}

fn ints(window: Window<'_>, message: Range<u32>, count: usize, column: &mut Vec<i32>) -> Option<u32> {
    let (mut at, mut left, mut values) = (message.start, count, [0; RUN]);
    while left > 0 {
        let (read, bytes) = window.varint_run::<{ varint::MAX_BYTES_32 as u32 }>(at, left, &mut values);
        let values = &values[..read];
        let all_bits = values.iter().fold(0, |all, value| all | value);
        (at, left) = (at + bytes, left - read);
        // Longer than an int may be, or larger.
        if read == 0 || all_bits >> u32::BITS != 0 || at > message.end {
            return None;
        }
        column.extend(values.iter().map(|value| varint::unzigzag_32(*value as u32)));
    }
    Some(at)
}
