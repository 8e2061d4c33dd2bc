//! How far each assigned partition has been read, and where it ends.
//!
//! Pure book-keeping. A bounded partition has ended when its position has reached its end: after the last record before
//! it, on the first record at or behind it, or when the broker has nothing more to give. The last two matter because
//! offsets may be missing anywhere, at the very end as well.

use std::collections::HashMap;
use std::sync::Arc;

use crate::batch::Covered;
use crate::flow::Flow;

/// The assigned partitions.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    list: Vec<Position>,
    index: HashMap<Arc<str>, HashMap<i32, usize>>,
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
    /// The offset behind the last record that was taken.
    pub(crate) next: Option<i64>,
    /// Whether records of it come.
    pub(crate) flow: Flow,
    /// The first record of it in the batch in hand.
    first: Option<i64>,
}

impl Positions {
    pub(crate) fn add(&mut self, topic: &Arc<str>, partition: i32, epoch: u64, end: Option<i64>) {
        if self.slot(topic, partition).is_some() {
            self.remove(&[(Arc::clone(topic), partition)]);
        }
        self.index
            .entry(Arc::clone(topic))
            .or_default()
            .insert(partition, self.list.len());
        self.list.push(Position {
            topic: Arc::clone(topic),
            partition,
            epoch,
            end,
            ended: false,
            next: None,
            flow: Flow::Starting,
            first: None,
        });
    }

    /// Removes partitions, all at once: the others move up.
    pub(crate) fn remove(&mut self, places: &[(Arc<str>, i32)]) {
        let mut is_removed = vec![false; self.list.len()];
        for (topic, partition) in places {
            if let Some(slot) = self.slot(topic, *partition) {
                is_removed[slot] = true;
            }
        }
        let mut is_removed = is_removed.into_iter();
        self.list.retain(|_| !is_removed.next().unwrap_or(false));
        self.index.clear();
        for (slot, position) in self.list.iter().enumerate() {
            self.index
                .entry(Arc::clone(&position.topic))
                .or_default()
                .insert(position.partition, slot);
        }
    }

    pub(crate) fn slot(&self, topic: &str, partition: i32) -> Option<usize> {
        self.index.get(topic)?.get(&partition).copied()
    }

    pub(crate) fn get(&self, slot: usize) -> &Position {
        &self.list[slot]
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Position> {
        self.list.iter()
    }

    /// The shared name of a topic, if a partition of it is assigned.
    pub(crate) fn topic(&self, name: &str) -> Arc<str> {
        self.index
            .get_key_value(name)
            .map_or_else(|| Arc::from(name), |(topic, _)| Arc::clone(topic))
    }

    /// Marks partitions as paused.
    pub(crate) fn pause(&mut self, slots: &[usize]) {
        for slot in slots {
            self.list[*slot].flow = Flow::Paused;
        }
    }

    /// Notes that a record came. Whether it belongs before the end; if not, the partition has ended.
    pub(crate) fn admits(&mut self, slot: usize, offset: i64) -> bool {
        let position = &mut self.list[slot];
        position.flow = Flow::Running;
        position.ended |= position.end.is_some_and(|end| offset >= end);
        !position.ended
    }

    /// Notes that a record went into the batch in hand.
    pub(crate) fn take(&mut self, slot: usize, offset: i64) {
        let position = &mut self.list[slot];
        position.first = Some(position.first.map_or(offset, |first| first.min(offset)));
        position.next = Some(offset + 1);
        position.ended |= position.end.is_some_and(|end| offset + 1 >= end);
    }

    /// Notes that the broker has nothing before `offset` left to give. True if the partition's end lies behind that.
    pub(crate) fn reached(&mut self, slot: usize, offset: i64) -> bool {
        let position = &mut self.list[slot];
        position.ended |= position.end.is_some_and(|end| offset >= end);
        position.end.is_some() && !position.ended
    }

    /// Brings a partition's end forward to where its log ends now.
    pub(crate) fn shorten(&mut self, slot: usize, end: i64) {
        let position = &mut self.list[slot];
        position.end = position.end.map(|old| old.min(end));
        position.ended = true;
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
        assert!(positions.admits(0, 9));
        assert!(!positions.all_ended());
        positions.take(0, 9);
        assert!(positions.all_ended());
        // The tail is compacted away, and newer records follow.
        let mut positions = one(Some(10));
        positions.take(0, 5);
        assert!(!positions.admits(0, 12));
        assert!(positions.all_ended());
        // The tail is control records: the broker has nothing more.
        let mut positions = one(Some(10));
        positions.take(0, 5);
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
        positions.take(0, 5);
        assert!(!positions.reached(0, 6));
        assert!(positions.admits(0, 7));
        assert!(!positions.all_ended());
        assert!(!Positions::default().all_ended());
    }

    #[test]
    fn a_batch_covers_what_was_taken_since_the_last() {
        let mut positions = one(None);
        positions.add(&Arc::from("t"), 4, 2, None);
        positions.take(1, 7);
        positions.take(1, 9);
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
        assert_eq!(positions.slot("t", 4), Some(0));
        assert_eq!(positions.slot("t", 3), None);
    }
}
