//! How far each assigned partition has been read, and where it ends.
//!
//! Pure book-keeping. A bounded partition has ended when its position has reached its end: after
//! the last record before it, on the first record at or after it, or when the broker has nothing
//! more to give. The last two matter because offsets may be missing anywhere, at the very end as
//! well.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::covered::Covered;

/// The assigned partitions.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    list: Vec<Position>,
    by_place: HashMap<Arc<str>, HashMap<i32, usize>>,
    /// The number of the last fetch.
    fetch: u64,
}

/// A partition.
#[derive(Debug)]
pub(crate) struct Position {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    /// The assignment, as the frontiers know it.
    pub(crate) epoch: u64,
    /// Where it ends, if the source is bounded.
    pub(crate) end: Option<i64>,
    /// It has ended.
    pub(crate) ended: bool,
    /// [`Positions::take_newly_ended`] has said so.
    is_end_told: bool,
    /// The offset after the last record that was taken.
    pub(crate) next: Option<i64>,
    /// The offsets of the last fetch that had records of it.
    fetched: Range<i64>,
    /// The fetch that `fetched` is of.
    fetch: u64,
    /// There was a rebalance, and nothing that is new has come since.
    may_repeat: bool,
    /// The first record of it in the batch in hand.
    first: Option<i64>,
}

impl Positions {
    pub(crate) fn add(&mut self, topic: &Arc<str>, partition: i32, epoch: u64, end: Option<i64>) {
        if self.index(topic, partition).is_some() {
            self.remove(&[(Arc::clone(topic), partition)]);
        }
        self.by_place
            .entry(Arc::clone(topic))
            .or_default()
            .insert(partition, self.list.len());
        self.list.push(Position {
            topic: Arc::clone(topic),
            partition,
            epoch,
            end,
            ended: false,
            is_end_told: false,
            next: None,
            fetched: 0..0,
            fetch: 0,
            may_repeat: false,
            first: None,
        });
    }

    /// Removes partitions, all at once: the others move up.
    pub(crate) fn remove(&mut self, places: &[(Arc<str>, i32)]) {
        let mut is_removed = vec![false; self.list.len()];
        for (topic, partition) in places {
            if let Some(index) = self.index(topic, *partition) {
                is_removed[index] = true;
            }
        }
        let mut is_removed = is_removed.into_iter();
        self.list.retain(|_| !is_removed.next().unwrap_or(false));
        self.by_place.clear();
        for (index, position) in self.list.iter().enumerate() {
            self.by_place
                .entry(Arc::clone(&position.topic))
                .or_default()
                .insert(position.partition, index);
        }
    }

    pub(crate) fn index(&self, topic: &str, partition: i32) -> Option<usize> {
        self.by_place.get(topic)?.get(&partition).copied()
    }

    pub(crate) fn get(&self, index: usize) -> &Position {
        &self.list[index]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Position> {
        self.list.iter()
    }

    /// The shared name of a topic, if a partition of it is assigned.
    pub(crate) fn topic(&self, name: &str) -> Arc<str> {
        self.by_place
            .get_key_value(name)
            .map_or_else(|| Arc::from(name), |(topic, _)| Arc::clone(topic))
    }

    /// Notes that what is admitted from now on is of another fetch.
    pub(crate) fn begin_fetch(&mut self) {
        self.fetch += 1;
    }

    /// Notes a rebalance: records that have come may come once more.
    pub(crate) fn expect_repeats(&mut self) {
        for position in &mut self.list {
            position.may_repeat = true;
        }
    }

    /// Notes that a run came, and gives which of its records belong: not those that have come
    /// before a rebalance, and none from the partition's end on. If there is one at or after the
    /// end, the partition has ended.
    pub(crate) fn admit(&mut self, index: usize, offsets: &[i64]) -> Range<usize> {
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
            return 0..0;
        };
        let fetch = self.fetch;
        let position = &mut self.list[index];
        let mut start = 0;
        if position.may_repeat {
            start = offsets
                .iter()
                .take_while(|offset| position.fetched.contains(offset))
                .count();
            position.may_repeat = start == offsets.len();
        }
        if start < offsets.len() {
            let is_same_fetch = std::mem::replace(&mut position.fetch, fetch) == fetch;
            let from = if is_same_fetch {
                position.fetched.start
            } else {
                *first
            };
            position.fetched = from..last + 1;
        }
        if position.ended {
            return 0..0;
        }
        let after_end = |end: i64| offsets.iter().position(|offset| *offset >= end);
        let end = position.end.and_then(after_end);
        position.ended = end.is_some();
        start..end.unwrap_or(offsets.len()).max(start)
    }

    /// Notes that records went into the batch in hand. Their offsets rise, unless the log was cut
    /// and written anew.
    pub(crate) fn advance(&mut self, index: usize, offsets: &[i64]) {
        let (Some(least), Some(last)) = (offsets.iter().min(), offsets.last()) else {
            return;
        };
        let position = &mut self.list[index];
        position.first = Some(position.first.map_or(*least, |first| first.min(*least)));
        position.next = Some(last + 1);
        position.ended |= position.end.is_some_and(|end| last + 1 >= end);
    }

    /// Notes that the broker has nothing before `offset` left to give. True if the partition's end
    /// is after that.
    pub(crate) fn reached(&mut self, index: usize, offset: i64) -> bool {
        let position = &mut self.list[index];
        position.ended |= position.end.is_some_and(|end| offset >= end);
        position.end.is_some() && !position.ended
    }

    /// Brings a partition's end forward to where its log ends now.
    pub(crate) fn shorten(&mut self, index: usize, end: i64) {
        let position = &mut self.list[index];
        position.end = position.end.map(|old| old.min(end));
        position.ended = true;
    }

    /// The partitions that have ended since the last call.
    pub(crate) fn take_newly_ended(&mut self) -> Vec<(Arc<str>, i32)> {
        let newly_ended = |position: &mut Position| {
            let is_new = position.ended && !std::mem::replace(&mut position.is_end_told, position.ended);
            is_new.then(|| (Arc::clone(&position.topic), position.partition))
        };
        self.list.iter_mut().filter_map(newly_ended).collect()
    }

    /// True if every partition has ended, and there is one.
    pub(crate) fn all_ended(&self) -> bool {
        !self.list.is_empty() && self.list.iter().all(|position| position.ended)
    }

    /// The ranges of the batch in hand, which is over.
    pub(crate) fn finish_batch(&mut self) -> Arc<[Covered]> {
        let covered = self.list.iter_mut().filter_map(|position| {
            let first = position.first.take()?;
            let end = position.next?;
            let topic = Arc::clone(&position.topic);
            Some(Covered {
                topic,
                partition: position.partition,
                first,
                end,
                epoch: position.epoch,
            })
        });
        covered.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(end: Option<i64>) -> Positions {
        let mut positions = Positions::default();
        positions.add(&Arc::from("t"), 3, 1, end);
        positions
    }

    #[test]
    fn a_partition_ends_by_position() {
        // The last record before the end.
        let mut positions = one(Some(10));
        assert_eq!(positions.admit(0, &[9]), 0..1);
        assert!(!positions.all_ended());
        positions.advance(0, &[9]);
        assert!(positions.all_ended());
        // The tail is compacted away, and newer records follow.
        let mut positions = one(Some(10));
        positions.advance(0, &[5]);
        assert!(positions.admit(0, &[12]).is_empty());
        assert!(positions.all_ended());
        // The tail is control records: the broker has nothing more.
        let mut positions = one(Some(10));
        positions.advance(0, &[5]);
        assert!(!positions.reached(0, 10));
        assert!(positions.all_ended());
        // The log was cut: its end lies before what it was.
        let mut positions = one(Some(10));
        assert!(positions.reached(0, 7));
        assert!(!positions.all_ended());
        positions.shorten(0, 7);
        assert!(positions.all_ended());
        // An empty partition.
        let mut positions = one(Some(0));
        assert!(!positions.reached(0, 0));
        assert!(positions.all_ended());
        // Without an end, nothing ends.
        let mut positions = one(None);
        positions.advance(0, &[5]);
        assert!(!positions.reached(0, 6));
        assert_eq!(positions.admit(0, &[7]), 0..1);
        assert!(!positions.all_ended());
        assert!(!Positions::default().all_ended());
    }

    #[test]
    fn a_run_is_admitted_up_to_the_end() {
        for (end, offsets, admitted, has_ended) in [
            (None, &[1, 2, 3][..], 0..3, false),
            (Some(9), &[1, 2, 8], 0..3, false),
            (Some(9), &[7, 8, 9, 10], 0..2, true),
            (Some(9), &[7, 11], 0..1, true),
            (Some(9), &[9], 0..0, true),
            (Some(9), &[], 0..0, false),
        ] {
            let mut positions = one(end);
            assert_eq!(positions.admit(0, offsets), admitted, "{end:?} {offsets:?}");
            assert_eq!(positions.get(0).ended, has_ended);
            if has_ended {
                assert_eq!(positions.admit(0, offsets), 0..0);
            }
        }
    }

    #[test]
    fn what_came_before_a_rebalance_is_admitted_once() {
        // The fetch before the rebalance had offsets 10 to 14, the one before that 5 to 9.
        for (after, admitted) in [
            // All of the last fetch comes again, or a part of it, or nothing.
            (&[&[10, 11, 12, 13, 14, 15][..]][..], &[(5, 6)][..]),
            (&[&[10, 11], &[12, 13, 14], &[15, 16]], &[(2, 2), (3, 3), (0, 2)]),
            (&[&[13, 15], &[13]], &[(1, 2), (0, 1)]),
            (&[&[15], &[16]], &[(0, 1), (0, 1)]),
            // The log was made anew.
            (&[&[0, 1], &[2]], &[(0, 2), (0, 1)]),
            (&[&[5, 6]], &[(0, 2)]),
        ] {
            let mut positions = one(None);
            for fetch in [&[&[5, 6, 7, 8, 9][..]][..], &[&[10, 11], &[12, 13, 14]]] {
                positions.begin_fetch();
                for run in fetch {
                    assert_eq!(positions.admit(0, run), 0..run.len());
                }
            }
            positions.expect_repeats();
            for (run, (start, end)) in after.iter().zip(admitted) {
                positions.begin_fetch();
                assert_eq!(positions.admit(0, run), *start..*end, "{after:?}");
            }
        }
    }

    #[test]
    fn a_batch_covers_what_was_taken_since_the_last() {
        let mut positions = one(None);
        positions.add(&Arc::from("t"), 4, 2, None);
        positions.advance(1, &[7]);
        positions.advance(1, &[9]);
        let covered = positions.finish_batch();
        assert_eq!(covered.len(), 1);
        assert_eq!(
            (
                covered[0].partition,
                covered[0].first,
                covered[0].end,
                covered[0].epoch
            ),
            (4, 7, 10, 2)
        );
        assert!(positions.finish_batch().is_empty());
        positions.remove(&[(Arc::from("t"), 3), (Arc::from("u"), 4)]);
        assert_eq!(positions.index("t", 4), Some(0));
        assert_eq!(positions.index("t", 3), None);
    }
}
