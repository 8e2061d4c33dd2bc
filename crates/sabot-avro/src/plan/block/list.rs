//! Lists and maps: all rows' first items, then all second ones, and so on.
//!
//! The counts are read first, so that every item's place in the child is known before any item is read.

use super::lanes::{Frame, LANES, Lanes, lose};
use super::{Block, Op, Stuck, read};

impl Block<'_> {
    pub(super) fn list(&mut self, op: &Op, pc: usize, lanes: &mut Lanes, frame: Frame) -> Result<(), Stuck> {
        let counts = self.counts(op, pc, lanes, frame);
        let mut by_position = [0; LANES];
        for (to, count) in lanes.to.iter().zip(counts).take(lanes.len) {
            by_position[*to as usize] = count;
        }
        let offsets = &mut self.columns.lists[op.slot as usize];
        let base = offsets.items();
        offsets.extend(&by_position[..frame.len])?;
        let items = Frame {
            base,
            len: offsets.items() - base,
            is_list: true,
        };
        self.items(op, pc, lanes, (&counts, &by_position), items)?;
        self.finish_strings(pc + 1..op.aux as usize, items)
    }

    /// Reads the heads of the lists, and counts their items against the limits.
    fn counts(&mut self, op: &Op, pc: usize, lanes: &mut Lanes, frame: Frame) -> [u32; LANES] {
        let site = self.plan.sites[pc].list;
        let mut counts = [0; LANES];
        let (arena, tag, min) = (self.arena.window(), op.non_null_byte, site.min_item_bytes);
        let present = if tag == Op::NO_TAG {
            read::counts::<false>(arena, lanes, tag, min, &mut counts)
        } else {
            read::counts::<true>(arena, lanes, tag, min, &mut counts)
        };
        self.mark_valid(op, lanes, frame, present);
        let limits = &self.plan.limits;
        for (lane, counted) in counts.iter_mut().enumerate().take(lanes.len) {
            let (row, count) = (usize::from(lanes.row[lane]), *counted as usize);
            let left = self.items_left[row].checked_sub(count);
            let width = count.saturating_mul(site.item_width_bytes as usize);
            self.width_bytes[row] = self.width_bytes[row].saturating_add(width);
            let is_beyond =
                left.is_none() || self.width_bytes[row] > limits.batch_bytes.max(limits.row_bytes);
            self.items_left[row] = left.unwrap_or(0);
            lose(&mut lanes.at[lane], is_beyond);
            if is_beyond {
                *counted = 0;
            }
        }
        counts
    }

    /// Reads the items, a round for each position in the lists.
    fn items(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut Lanes,
        (counts, by_position): (&[u32; LANES], &[u32; LANES]),
        frame: Frame,
    ) -> Result<(), Stuck> {
        let mut starts = [0; LANES];
        let mut start = 0;
        for (at, count) in starts.iter_mut().zip(by_position) {
            *at = start;
            start += count;
        }
        let mut active = Lanes::new();
        active.is_dense = false;
        let (mut lane_of, mut left) = ([0; LANES], [0; LANES]);
        for lane in 0..lanes.len {
            if counts[lane] > 0 {
                lane_of[active.len] = lane as u8;
                left[active.len] = counts[lane];
                let to = starts[lanes.to[lane] as usize];
                active.push(lanes.at[lane], lanes.end[lane], to, lanes.row[lane]);
            }
        }
        while active.len > 0 {
            self.run(pc + 1, op.aux as usize, &mut active, frame)?;
            self.next_round(lanes, &mut active, &mut lane_of, &mut left);
        }
        Ok(())
    }

    /// Keeps the lanes that have an item left, and lets the others end their list. Without branches, since the lengths of
    /// lists are hard to predict.
    fn next_round(
        &self,
        lanes: &mut Lanes,
        active: &mut Lanes,
        lane_of: &mut [u8; LANES],
        left: &mut [u32; LANES],
    ) {
        let arena = self.arena.window();
        let mut kept = 0;
        for lane in 0..active.len.min(LANES) {
            let (at, of) = (active.at[lane], lane_of[lane]);
            // The list ends here, if this is not overwritten by a later round. A second block is left to the row engine.
            let mut end = at + 1;
            lose(&mut end, arena.byte(at) != 0);
            lanes.at[usize::from(of) % LANES] = end;
            let to = kept % LANES;
            (active.at[to], active.end[to]) = (at, active.end[lane]);
            (active.to[to], active.row[to]) = (active.to[lane] + 1, active.row[lane]);
            (left[to], lane_of[to]) = (left[lane] - 1, of);
            kept += usize::from(left[to] > 0);
        }
        active.len = kept;
    }
}
