//! Lists and maps of any items, in any number of blocks: where each item is is found first, and
//! then the items are rows of a block of their own.
//!
//! The items are skipped to find their ends, and read after that, 64 at a time. So they may be
//! anything that a message may be, lists and unions among them.
//!
//! # Example
//!
//! A list of lists of ints, and one row: `04 02 02 00 00 00` ([[1], []]).
//!
//! 1. The count is 2. The first item is skipped: it is a list of one int and its end, the bytes
//!    1..4. The second is the byte 4. The list ends with the byte 5.
//! 2. The outer list's offsets grow by 2.
//! 3. Two lanes, which read at 1 and at 4 and end at 4 and at 5, run through the steps of the item:
//!    an inner list each, to which the places 0 and 1 of the child belong.
//!
//! # Invariants
//!
//! - Items are found in the order of their places.
//! - An item that does not end where it was found to end loses its row.

use sabot_codec::{DeferredReader, Extent, RowLanes, Stuck};
use sabot_columns::NodeKind;
use sabot_cursor::LANES;

use super::skip::{Skipper, presence};
use super::{Block, Op};

/// Where an item is.
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
        lanes: &mut RowLanes,
        extent: Extent,
    ) -> Result<(), Stuck> {
        let mut items = self.items.pop().unwrap_or_default();
        items.clear();
        let (mut present, mut by_position) = (0, [0; LANES]);
        let mut has_several_blocks = false;
        for lane in 0..lanes.len() {
            let first = items.len();
            match self.scan_lane(op, pc, lanes, lane, &mut items) {
                Some(blocks) => {
                    present |= u64::from(blocks.is_some()) << lane;
                    has_several_blocks |= blocks > Some(1);
                }
                None => {
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
            let mut lanes = RowLanes::new();
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

    /// Finds the items of one list, and says in how many blocks they come: `Some(None)` if the list
    /// is not there, `None` if it is wrong or unusual.
    fn scan_lane(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut RowLanes,
        lane: usize,
        found: &mut Vec<Item>,
    ) -> Option<Option<usize>> {
        let (plan, row) = (self.plan, usize::from(lanes.row[lane]));
        let window = self.arena.window();
        let (is_there, mut at) = presence(window, op.non_null_byte, lanes.read.at[lane])?;
        if !is_there {
            lanes.read.at[lane] = at;
            return Some(None);
        }
        let site = plan.sites[pc].list?;
        let skips = plan.skips_of(site.item.is_in_default)?;
        let mut skipper = Skipper::new(window, lanes.read.end[lane], skips, self.budget.row(row));
        let mut blocks = 0;
        loop {
            let head = skipper.block_head(at, site.min_item_bytes)?;
            at = head.at;
            if head.count == 0 {
                break;
            }
            blocks += 1;
            let bytes = (head.count as usize).saturating_mul(site.item_width_bytes as usize);
            skipper.budget.charge(bytes).ok()?;
            // What is in the items is counted when they are read.
            let budget = skipper.budget;
            for _ in 0..head.count {
                let start = at;
                at = skipper.item(site.item.step, site.has_key, at, plan.depth())?;
                found.push(Item {
                    start,
                    end: at,
                    row: lanes.row[lane],
                });
            }
            skipper.budget = budget;
            if head.size_bytes.is_some_and(|size| at - head.at != size) {
                return None;
            }
        }
        self.budget.put_row(row, skipper.budget);
        lanes.read.at[lane] = at;
        Some(Some(blocks))
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
