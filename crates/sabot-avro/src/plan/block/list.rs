//! Lists and maps in rounds: the first items of all rows, then the second ones, and so on.
//!
//! The counts are read first, so that every item's place in the child is known before any item is
//! read. Lists of numbers are left to [`super::numbers`]; those in several blocks, and those in
//! whose items nothing can be read as lanes at once, to [`super::scan`].
//!
//! # Example
//!
//! A list of strings, and three rows: `02 02 61 00` (["a"]), `00` ([]) and `04 02 62 02 63 00`
//! (["b", "c"]).
//!
//! 1. The counts are 1, 0 and 2. The list's offsets grow by them, and the items of the rows begin
//!    at the places 0, 1 and 1 of the child.
//! 2. The lanes that have items, those with most items first: row 2, row 0.
//! 3. Round 1: both lanes read a string. "b" goes to place 1, "a" to place 0. Since they do not
//!    come in the order of their places, what they read is deferred.
//! 4. Round 2: row 2 alone reads "c", which goes to place 2.
//! 5. After each lane's last item comes the byte 0. If not, another block follows, and the next
//!    block of rows is scanned; here the row is lost, and the row engine takes it.
//! 6. Everybody has been there: "a", "b" and "c" are appended.
//!
//! # Invariants
//!
//! - The lanes at work are the first ones, so that a round needs no mask.
//! - What a list's items take is charged before the offsets grow: a count that is wrong makes no
//!   column grow.

use sabot_codec::{Extent, RowLanes, Stuck};
use sabot_cursor::IntEncoding::Zigzag;
use sabot_cursor::LANES;

use super::{Block, Op};
use crate::plan::ListSite;

impl Block<'_> {
    /// A list in an extent where nobody else comes.
    pub(super) fn list(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut RowLanes,
        extent: Extent,
    ) -> Result<(), Stuck> {
        if self.plan.strategy.is_numbers(pc) {
            return self.numbers(op, pc, lanes, extent);
        }
        let has_several_blocks = self.several_blocks.of(self.plan.sites[pc].column);
        if has_several_blocks || !self.plan.strategy.is_in_rounds(pc) {
            return self.scan(op, pc, lanes, extent);
        }
        let (before, mut written) = (lanes.read.at, [0; LANES]);
        let present = lanes
            .read
            .longs(self.arena.window(), op.presence(), Zigzag, &mut written);
        let all = written[..lanes.len()].iter().fold(0, |all, count| all | count);
        if all < 0 {
            // A block's bytes follow, perhaps.
            lanes.read.at = before;
            return self.scan(op, pc, lanes, extent);
        }
        self.mark_valid(op, lanes, extent, present);
        let counts = self.counts(&written, all as u64, pc, lanes);
        let mut by_position = counts;
        if !lanes.is_dense {
            by_position.fill(0);
            for (to, count) in lanes.to.iter().zip(counts).take(lanes.len()) {
                by_position[*to as usize] = count;
            }
        }
        let items = self.push_counts(op, &by_position[..extent.len])?;
        self.items(op, pc, lanes, (&counts, &by_position), items.shared())?;
        self.finish_items(pc, items)
    }

    /// Appends the lists of an extent, and says where their items go.
    pub(super) fn push_counts(&mut self, op: &Op, counts: &[u32]) -> Result<Extent, Stuck> {
        let offsets = &mut self.columns.lists[op.at as usize];
        let base = offsets.items();
        offsets.extend(counts)?;
        Ok(Extent::new(base, offsets.items() - base))
    }

    /// Counts the items against the limits. Of a list that is not taken no items are either: the
    /// columns would grow by them. `all` has all bits of the counts.
    pub(super) fn counts(
        &mut self,
        written: &[i64; LANES],
        all: u64,
        pc: usize,
        lanes: &mut RowLanes,
    ) -> [u32; LANES] {
        const MAX: u32 = 0x7fff;
        let mut counts = [0; LANES];
        let Some(site) = self.plan.sites[pc].list else {
            return counts;
        };
        // Small enough for products of 32 bits. Fewer bytes for an item than it takes make the
        // check no worse than late.
        let (min_item_bytes, width_bytes) = (site.min_item_bytes.min(MAX), site.item_width_bytes as usize);
        let (mut total, mut beyond) = (0, 0);
        let ends = lanes.read.at.iter().zip(&lanes.read.end);
        for ((count, written), (at, end)) in counts.iter_mut().zip(written).zip(ends).take(lanes.len()) {
            *count = *written as u32;
            total += u64::from(*count);
            // Negative where the message has not as many bytes.
            let room = end.wrapping_sub(*at);
            beyond |= room | room.wrapping_sub((*count & MAX) * min_item_bytes);
        }
        // Nearly always all lists together keep the limits of each row.
        let total = total as usize;
        let is_small = all <= u64::from(MAX) && beyond >> 31 == 0 && self.budget.has_room(total, width_bytes);
        if !is_small {
            return self.counts_one_by_one(written, site, lanes);
        }
        let lists = lanes.row.into_iter().zip(counts).take(lanes.len());
        self.budget.take_lists(total, width_bytes, lists);
        counts
    }

    #[cold]
    fn counts_one_by_one(
        &mut self,
        written: &[i64; LANES],
        site: ListSite,
        lanes: &mut RowLanes,
    ) -> [u32; LANES] {
        let mut counts = [0; LANES];
        for lane in 0..lanes.len() {
            let row = usize::from(lanes.row[lane]);
            let room = lanes.read.end[lane].saturating_sub(lanes.read.at[lane]);
            let fits = |count: &u32| u64::from(*count) * u64::from(site.min_item_bytes) <= u64::from(room);
            let count = u32::try_from(written[lane]).ok().filter(fits);
            let item_bytes = site.item_width_bytes as usize;
            let count = count.filter(|count| self.budget.try_list(row, *count as usize, item_bytes));
            lanes.read.lose(lane, count.is_none());
            counts[lane] = count.unwrap_or(0);
        }
        counts
    }

    /// Reads the items, a round for each position in the lists.
    fn items(
        &mut self,
        op: &Op,
        pc: usize,
        lanes: &mut RowLanes,
        (counts, by_position): (&[u32; LANES], &[u32; LANES]),
        extent: Extent,
    ) -> Result<(), Stuck> {
        // Where each list's items begin in the extent of all items: the sums of the counts before it.
        let mut starts = [0; LANES];
        let mut start = 0;
        for (at, count) in starts.iter_mut().zip(by_position) {
            *at = start;
            start += count;
        }
        let order = Order::new(&counts[..lanes.len()]);
        // A copy of the lanes that have items, in the order of how many. Each goes to its list's first
        // place to begin with, and to the next one in every round.
        let mut active = RowLanes::new();
        (active.is_dense, active.read.len) = (false, order.len);
        for (at, lane) in order.lanes.iter().enumerate().take(order.len) {
            let lane = usize::from(*lane) % LANES;
            active.read.at[at] = lanes.read.at[lane];
            active.read.end[at] = lanes.read.end[lane];
            active.to[at] = starts[lanes.to[lane] as usize % LANES];
            active.row[at] = lanes.row[lane];
        }
        let mut round = 0;
        while !active.is_empty() {
            self.run(pc + 1, op.aux as usize, &mut active, extent)?;
            round += 1;
            for to in &mut active.to[..order.len] {
                *to += 1;
            }
            // Those whose list ends here are after the others.
            active.read.len = order.lanes_beyond(round, counts, active.len());
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
            self.several_blocks.set(self.plan.sites[pc].column, true);
        }
        Ok(())
    }
}

/// The lanes that have items, those with most items first.
struct Order {
    lanes: [u8; LANES],
    len: usize,
    /// How many of them have so many items, or more.
    at_least: [u8; Order::MANY + 2],
}

impl Order {
    /// Lists of more items are sorted among themselves.
    const MANY: usize = 14;

    fn new(counts: &[u32]) -> Self {
        let (mut capped, mut most) = ([0; LANES], 0);
        for (capped, count) in capped.iter_mut().zip(counts) {
            *capped = (*count).min(Self::MANY as u32 + 1) as u8;
            most = most.max(*capped);
        }
        let (mut lanes, mut len) = ([0; LANES], 0);
        let mut at_least = [0; Self::MANY + 2];
        for count in (1..=most).rev() {
            // A step for each lane, none of which waits for the one before, as in a sort by
            // counting.
            let mut mask = lanes_with(&capped, count);
            while mask != 0 {
                lanes[len % LANES] = mask.trailing_zeros() as u8;
                mask &= mask - 1;
                len += 1;
            }
            at_least[usize::from(count)] = len as u8;
        }
        let many = usize::from(at_least[Self::MANY + 1]);
        if many > 1 {
            lanes[..many].sort_unstable_by_key(|lane| std::cmp::Reverse(counts[usize::from(*lane)]));
        }
        Self { lanes, len, at_least }
    }

    /// How many of the first `len` lanes have more than so many items.
    fn lanes_beyond(&self, items: u32, counts: &[u32; LANES], mut len: usize) -> usize {
        if let Some(at_least) = self.at_least.get(items as usize + 1) {
            return usize::from(*at_least);
        }
        while len > 0 && counts[usize::from(self.lanes[len - 1]) % LANES] <= items {
            len -= 1;
        }
        len
    }
}

/// The lanes that have `value`.
fn lanes_with(values: &[u8; LANES], value: u8) -> u64 {
    sabot_cursor::bits_of_bytes(&values.map(|other| u8::from(other == value)))
}
