//! Lists and maps of any items, in any number of blocks: where each item lies is found first, and then the items are rows
//! of a block of their own.
//!
//! The items are stepped over once to find their ends and read once more, 64 at a time. So they may be anything that a
//! message may be, lists and unions among them.

use sabot_codec::{DeferredReader, Extent, Stuck};
use sabot_columns::NodeKind;
use sabot_cursor::Cursor;

use super::super::items::{Failure, read_block, read_presence};
use super::lanes::{LANES, Lanes};
use super::{Block, Op};

/// Where an item lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    start: u32,
    end: u32,
    row: u8,
}

impl Block<'_> {
    /// A list in an extent where nobody else comes.
    pub(super) fn scan(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut Lanes,
        extent: Extent,
    ) -> Result<(), Stuck> {
        let mut items = self.items.pop().unwrap_or_default();
        items.clear();
        let (mut present, mut by_position) = (0, [0; LANES]);
        let mut has_several_blocks = false;
        for lane in 0..lanes.len() {
            let first = items.len();
            match self.scan_lane(op, pc, lanes, lane, &mut items) {
                Ok(blocks) => {
                    present |= u64::from(blocks.is_some()) << lane;
                    has_several_blocks |= blocks > Some(1);
                }
                Err(_) => {
                    items.truncate(first);
                    lanes.read.lose(lane, true);
                }
            }
            by_position[lanes.to[lane] as usize] = (items.len() - first) as u32;
        }
        // What looked like several blocks may have been a count that was wrong, once.
        self.several_blocks
            .set(self.plan.sites[pc].column, has_several_blocks);
        self.mark_valid(op, lanes, extent, present);
        let below = self.push_counts(op, &by_position[..extent.len])?;
        for (at, chunk) in items.chunks(LANES).enumerate() {
            let extent = Extent::new(below.base + at * LANES, chunk.len());
            let mut lanes = Lanes::new();
            for (to, item) in (0..).zip(chunk) {
                lanes.push(item.start..item.end, to, item.row);
            }
            self.run(pc + 1, op.aux as usize, &mut lanes, extent)?;
            self.lost |= lanes.rows(lanes.read.lost(false));
        }
        self.items.push(items);
        // Without items nobody came.
        self.finish_items(pc, below)
    }

    /// Finds the items of one list, and says in how many blocks they come; `None` if the list is not there.
    fn scan_lane(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut Lanes,
        lane: usize,
        found: &mut Vec<Item>,
    ) -> Result<Option<usize>, Failure> {
        let (plan, row) = (self.plan, usize::from(lanes.row[lane]));
        let start = lanes.read.at[lane];
        let mut cursor = Cursor::new(self.arena.slice(start..lanes.read.end[lane]));
        if let Some(non_null_byte) = op.non_null()
            && !read_presence(&mut cursor, non_null_byte)?
        {
            lanes.read.at[lane] += cursor.position() as u32;
            return Ok(None);
        }
        let Some(site) = plan.sites[pc].list else {
            return Ok(Some(0));
        };
        let Some(skips) = plan.skips_of(site.item.is_in_default) else {
            return Ok(Some(0));
        };
        let mut budget = self.budget.row(row);
        let mut blocks = 0;
        while let Some(block) = read_block(&mut cursor, &mut budget, site.min_item_bytes)? {
            blocks += 1;
            // The row engine says what is wrong.
            let refused = Failure::new(sabot_decode::RowErrorKind::Truncated, cursor.position());
            let bytes = block.count.saturating_mul(site.item_width_bytes as usize);
            if budget.charge(bytes).is_err() {
                return Err(refused);
            }
            let first = cursor.position();
            // What is in the items is counted when they are read.
            let mut below = budget;
            for _ in 0..block.count {
                let item = cursor.position() as u32;
                if site.has_key {
                    cursor.read_sized()?;
                }
                skips.run(site.item.step, &mut cursor, &mut below, plan.depth())?;
                found.push(Item {
                    start: start + item,
                    end: start + cursor.position() as u32,
                    row: lanes.row[lane],
                });
            }
            if block
                .size_bytes
                .is_some_and(|size| cursor.position() - first != size)
            {
                return Err(refused);
            }
        }
        self.budget.put_row(row, budget);
        lanes.read.at[lane] += cursor.position() as u32;
        Ok(Some(blocks))
    }

    /// Brings the columns of a list's items to their end.
    pub(super) fn finish_items(&mut self, pc: usize, extent: Extent) -> Result<(), Stuck> {
        match self.layout.node(self.plan.sites[pc].column).kind {
            NodeKind::List(_, item) => self.finish(item, extent),
            NodeKind::Map(_, key, value) => {
                self.finish(key, extent)?;
                self.finish(value, extent)
            }
            _ => Ok(()),
        }
    }
}
