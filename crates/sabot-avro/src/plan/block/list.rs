//! Lists and maps: all rows' first items, then all second ones, and so on.
//!
//! The counts are read first, so that every item's place in the child is known before any item is read.

use super::lanes::{Frame, LANES, Lanes};
use super::{Block, Op, Stuck};

impl Block<'_> {
    pub(super) fn list(&mut self, op: &Op, pc: usize, lanes: &mut Lanes, frame: Frame) -> Result<(), Stuck> {
        let counts = self.counts(op, pc, lanes, frame);
        let mut by_position = [0; LANES];
        for (to, count) in lanes.to.iter().zip(counts).take(lanes.len()) {
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

    /// Reads the heads of the lists, and counts their items against the limits. A negative count, which the bytes of a
    /// block follow, is left to the row engine.
    fn counts(&mut self, op: &Op, pc: usize, lanes: &mut Lanes, frame: Frame) -> [u32; LANES] {
        let site = self.plan.sites[pc].list;
        let mut written = [0; LANES];
        let present = lanes.read.longs(self.arena.window(), op.non_null(), &mut written);
        self.mark_valid(op, lanes, frame, present);
        let limits = &self.plan.limits;
        let mut counts = [0; LANES];
        for lane in 0..lanes.len() {
            let row = usize::from(lanes.row[lane]);
            let room = lanes.read.end[lane].saturating_sub(lanes.read.at[lane]);
            let fits = |count: &u32| {
                u64::from(*count) * u64::from(site.min_item_bytes) <= u64::from(room)
                    && *count as usize <= self.items_left[row]
            };
            let count = u32::try_from(written[lane]).ok().filter(fits);
            lanes.read.lose(lane, count.is_none());
            counts[lane] = count.unwrap_or(0);
            self.items_left[row] -= counts[lane] as usize;
            let width = (counts[lane] as usize).saturating_mul(site.item_width_bytes as usize);
            self.width_bytes[row] = self.width_bytes[row].saturating_add(width);
            let is_beyond = self.width_bytes[row] > limits.batch_bytes.max(limits.row_bytes);
            lanes.read.lose(lane, is_beyond);
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
        for lane in 0..lanes.len() {
            if counts[lane] > 0 {
                (lane_of[active.len()], left[active.len()]) = (lane as u8, counts[lane]);
                let to = starts[lanes.to[lane] as usize];
                active.push(lanes.read.at[lane]..lanes.read.end[lane], to, lanes.row[lane]);
            }
        }
        while active.len() > 0 {
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
        let read = &mut active.read;
        for lane in 0..read.len.min(LANES) {
            let (at, end, of) = (read.at[lane], read.end[lane], lane_of[lane]);
            // The list ends here, if this is not overwritten by a later round. A second block is left to the row engine,
            // and a lane that is lost already goes on no further.
            let is_lost = arena.byte(at) != 0 || at > end;
            let lane_of_list = usize::from(of) % LANES;
            lanes.read.at[lane_of_list] = at + 1;
            lanes.read.lose(lane_of_list, is_lost);
            let to = kept % LANES;
            (read.at[to], read.end[to]) = (at, end);
            (active.to[to], active.row[to]) = (active.to[lane] + 1, active.row[lane]);
            (left[to], lane_of[to]) = (left[lane] - 1, of);
            kept += usize::from((left[to] > 0) & (at <= end));
        }
        read.len = kept;
    }
}
