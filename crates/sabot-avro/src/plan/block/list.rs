//! Lists and maps whose items are simple: all rows' first items, then all second ones, and so on.
//!
//! The counts are read first, so that every item's place in the child is known before any item is read. Others are left to
//! [`super::scan`].

use super::lanes::{Frame, LANES, Lanes};
use super::{Block, Op, Stuck};
use crate::plan::ListSite;

impl Block<'_> {
    /// A list in a frame where nobody else comes.
    pub(super) fn list(&mut self, op: &Op, pc: usize, lanes: &mut Lanes, frame: Frame) -> Result<(), Stuck> {
        let has_several_blocks = self.notes.node(self.plan.sites[pc].column).has_several_blocks;
        if has_several_blocks || !self.plan.support.is_simple_list(pc) {
            return self.scan(op, pc, lanes, frame);
        }
        let before = lanes.read.at;
        let mut written = [0; LANES];
        let present = lanes.read.longs(self.arena.window(), op.non_null(), &mut written);
        if written[..lanes.len()].iter().any(|count| *count < 0) {
            // A block's bytes follow, perhaps.
            lanes.read.at = before;
            return self.scan(op, pc, lanes, frame);
        }
        self.mark_valid(op, lanes, frame, present);
        let counts = self.counts(&written, pc, lanes);
        let mut by_position = counts;
        if !lanes.is_dense {
            by_position.fill(0);
            for (to, count) in lanes.to.iter().zip(counts).take(lanes.len()) {
                by_position[*to as usize] = count;
            }
        }
        let items = self.push_counts(op, &by_position[..frame.len])?;
        self.items(op, pc, lanes, (&counts, &by_position), items.shared())?;
        self.finish_items(pc, items)
    }

    /// Appends the lists of a frame, and says where their items go.
    pub(super) fn push_counts(&mut self, op: &Op, counts: &[u32]) -> Result<Frame, Stuck> {
        let offsets = &mut self.columns.lists[op.slot as usize];
        let base = offsets.items();
        offsets.extend(counts)?;
        Ok(Frame::new(base, offsets.items() - base))
    }

    /// Counts the items against the limits. Of a list that is not taken no items are either: the columns would grow by
    /// them.
    fn counts(&mut self, written: &[i64; LANES], pc: usize, lanes: &mut Lanes) -> [u32; LANES] {
        let Some(site) = self.plan.sites[pc].list else {
            return [0; LANES];
        };
        let (min_item_bytes, width_bytes) =
            (u64::from(site.min_item_bytes), u64::from(site.item_width_bytes));
        let (mut total, mut is_beyond) = (0, false);
        let ends = lanes.read.at.iter().zip(&lanes.read.end);
        for (count, (at, end)) in written.iter().zip(ends).take(lanes.len()) {
            let room = u64::from(end.saturating_sub(*at));
            // No list of a block has as many as 32 bits say: the arena would be too small.
            let count = (*count as u64).min(u64::from(u32::MAX));
            is_beyond |= count * min_item_bytes > room;
            total += count;
        }
        // Nearly always all lists together keep the limits of each row. Counts that are beyond their messages may be too
        // large to be multiplied.
        let is_small = !is_beyond
            && total <= self.items_left_each as u64
            && total * width_bytes <= self.bytes_left as u64;
        if !is_small {
            return self.counts_one_by_one(written, site, lanes);
        }
        self.items_left_each -= total as usize;
        self.bytes_left -= (total * width_bytes) as usize;
        let mut counts = [0; LANES];
        let taken = counts.iter_mut().zip(written).zip(lanes.row).take(lanes.len());
        for ((taken, count), row) in taken {
            *taken = *count as u32;
            let row = usize::from(row) % LANES;
            self.items_left[row] -= *count as usize;
            self.width_bytes[row] += *count as usize * width_bytes as usize;
        }
        counts
    }

    #[cold]
    fn counts_one_by_one(
        &mut self,
        written: &[i64; LANES],
        site: ListSite,
        lanes: &mut Lanes,
    ) -> [u32; LANES] {
        let mut counts = [0; LANES];
        for lane in 0..lanes.len() {
            let row = usize::from(lanes.row[lane]);
            let room = lanes.read.end[lane].saturating_sub(lanes.read.at[lane]);
            let fits = |count: &u32| {
                u64::from(*count) * u64::from(site.min_item_bytes) <= u64::from(room)
                    && *count as usize <= self.items_left[row]
            };
            let count = u32::try_from(written[lane]).ok().filter(fits);
            let count = count.filter(|count| self.charge(row, site, *count as usize));
            lanes.read.lose(lane, count.is_none());
            counts[lane] = count.unwrap_or(0);
            self.items_left[row] -= counts[lane] as usize;
            self.items_left_each = self.items_left_each.min(self.items_left[row]);
        }
        counts
    }

    /// Counts what items take in the columns, or says that it is too much for the batch, and so for the row.
    pub(super) fn charge(&mut self, row: usize, site: ListSite, count: usize) -> bool {
        let width = count.saturating_mul(site.item_width_bytes as usize);
        let is_taken = width <= self.bytes_left;
        if is_taken {
            self.width_bytes[row] += width;
            self.bytes_left -= width;
        }
        is_taken
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
        let order = Order::new(&counts[..lanes.len()]);
        let mut active = Lanes::new();
        (active.is_dense, active.read.len) = (false, order.len);
        for (at, lane) in order.lanes.iter().enumerate().take(order.len) {
            let lane = usize::from(*lane) % LANES;
            active.read.at[at] = lanes.read.at[lane];
            active.read.end[at] = lanes.read.end[lane];
            active.to[at] = starts[lanes.to[lane] as usize % LANES];
            active.row[at] = lanes.row[lane];
        }
        let mut round = 0;
        while active.len() > 0 {
            self.run(pc + 1, op.aux as usize, &mut active, frame)?;
            round += 1;
            for to in &mut active.to {
                *to += 1;
            }
            // Those whose list ends here stand behind the others.
            while active.len() > 0 && counts[usize::from(order.lanes[active.len() - 1]) % LANES] <= round {
                active.read.len -= 1;
            }
        }
        let window = self.arena.window();
        let mut has_several_blocks = false;
        for (lane, at) in order.lanes.iter().zip(active.read.at).take(order.len) {
            let lane = usize::from(*lane) % LANES;
            let is_end = window.byte(at) == 0;
            has_several_blocks |= !is_end && at < lanes.read.end[lane];
            lanes.read.at[lane] = at.wrapping_add(1);
            lanes.read.lose(lane, !is_end);
        }
        if has_several_blocks {
            // Another block of items follows, perhaps. The row engine takes it this time.
            self.notes.node(self.plan.sites[pc].column).has_several_blocks = true;
        }
        Ok(())
    }
}

/// The lanes that have items, those with most items first.
struct Order {
    lanes: [u8; LANES],
    len: usize,
}

impl Order {
    /// Lists of as many items, or more, are sorted among themselves.
    const MANY: usize = 15;

    fn new(counts: &[u32]) -> Self {
        let mut ends = [0_u8; Self::MANY + 1];
        for count in counts {
            ends[(*count as usize).min(Self::MANY)] += 1;
        }
        let many = usize::from(ends[Self::MANY]);
        let mut start = 0;
        for end in ends.iter_mut().rev() {
            start += std::mem::replace(end, start);
        }
        let mut lanes = [0; LANES];
        for (lane, count) in counts.iter().enumerate() {
            let place = &mut ends[(*count as usize).min(Self::MANY)];
            lanes[usize::from(*place) % LANES] = lane as u8;
            *place += 1;
        }
        if many > 1 {
            lanes[..many].sort_unstable_by_key(|lane| std::cmp::Reverse(counts[usize::from(*lane)]));
        }
        // Those without items come last.
        let len = counts.iter().filter(|count| **count > 0).count();
        Self { lanes, len }
    }
}
