//! Which offsets may be committed: per partition, everything before the first batch that is not
//! acknowledged.
//!
//! Pure book-keeping, without a client. A partition's line of batches has an epoch, drawn anew each
//! time that the partition is assigned: an acknowledgement from before a rebalance finds another
//! epoch, or none, and changes nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::covered::Covered;

/// The lines of all partitions that are assigned.
#[derive(Debug, Default)]
pub(crate) struct Frontiers {
    lines: HashMap<(Arc<str>, i32), Line>,
    last_epoch: u64,
}

#[derive(Debug)]
struct Line {
    epoch: u64,
    /// Batches not yet before the frontier, oldest first.
    open: VecDeque<Span>,
    /// The first offset that is not acknowledged; `None` until something is.
    frontier: Option<i64>,
    /// How far it has been told to librdkafka.
    stored: Option<i64>,
    /// How far it has been committed by the source itself.
    committed: Option<i64>,
    /// A batch can never be acknowledged any more, so that none after the open ones matters.
    broken: bool,
}

#[derive(Debug)]
struct Span {
    batch: u64,
    end: i64,
    acked: bool,
}

/// A partition and the offset to commit for it: the first that is not acknowledged.
pub(crate) type Frontier = (Arc<str>, i32, i64);

impl Frontiers {
    /// Begins a new line, and returns its epoch.
    pub(crate) fn begin(&mut self, topic: &Arc<str>, partition: i32) -> u64 {
        self.last_epoch += 1;
        let line = Line {
            epoch: self.last_epoch,
            open: VecDeque::new(),
            frontier: None,
            stored: None,
            committed: None,
            broken: false,
        };
        self.lines.insert((Arc::clone(topic), partition), line);
        self.last_epoch
    }

    /// Ends a line: what is acknowledged from now on is ignored.
    pub(crate) fn end(&mut self, topic: &Arc<str>, partition: i32) {
        self.lines.remove(&(Arc::clone(topic), partition));
    }

    /// Appends a batch to the lines that it covers.
    pub(crate) fn cover(&mut self, batch: u64, covered: &[Covered]) {
        for range in covered {
            if let Some(line) = self.line(range).filter(|line| !line.broken) {
                line.open.push_back(Span {
                    batch,
                    end: range.end,
                    acked: false,
                });
            }
        }
    }

    /// Acknowledges a batch in every line whose epoch it still belongs to. Doing it twice is
    /// harmless.
    pub(crate) fn ack(&mut self, batch: u64, covered: &[Covered]) {
        for range in covered {
            let Some(line) = self.line(range) else { continue };
            if let Ok(index) = line.open.binary_search_by_key(&batch, |span| span.batch) {
                line.open[index].acked = true;
            }
            while line.open.front().is_some_and(|span| span.acked) {
                line.frontier = line.open.pop_front().map(|span| span.end);
            }
        }
    }

    /// Notes that a batch cannot be acknowledged any more. If it has not been, the line ends before
    /// it: what comes after it is not kept, and nobody need wait for it.
    pub(crate) fn lose(&mut self, batch: u64, covered: &[Covered]) {
        for range in covered {
            let Some(line) = self.line(range) else { continue };
            if let Ok(index) = line.open.binary_search_by_key(&batch, |span| span.batch)
                && !line.open[index].acked
            {
                line.open.truncate(index);
                line.broken = true;
            }
        }
    }

    /// True if a batch that covers one of these partitions is not acknowledged.
    pub(crate) fn is_open(&self, partitions: &[(Arc<str>, i32)]) -> bool {
        partitions
            .iter()
            .filter_map(|place| self.lines.get(place))
            .any(|line| !line.open.is_empty())
    }

    /// The frontiers that moved since the last call.
    pub(crate) fn take_unstored(&mut self) -> Vec<Frontier> {
        self.take(|line| std::mem::replace(&mut line.stored, line.frontier))
    }

    /// The frontiers that moved since the last commit. They count as committed only after
    /// [`Frontiers::committed`].
    pub(crate) fn uncommitted(&self) -> Vec<Frontier> {
        let moved = self
            .lines
            .iter()
            .filter(|(_, line)| line.frontier != line.committed);
        moved
            .filter_map(|(place, line)| Some((Arc::clone(&place.0), place.1, line.frontier?)))
            .collect()
    }

    /// Notes that these frontiers are committed.
    pub(crate) fn committed(&mut self, frontiers: &[Frontier]) {
        for (topic, partition, offset) in frontiers {
            if let Some(line) = self.lines.get_mut(&(Arc::clone(topic), *partition)) {
                line.committed = Some(*offset);
            }
        }
    }

    fn line(&mut self, range: &Covered) -> Option<&mut Line> {
        let line = self.lines.get_mut(&(Arc::clone(&range.topic), range.partition))?;
        (line.epoch == range.epoch).then_some(line)
    }

    fn take(&mut self, mut seen: impl FnMut(&mut Line) -> Option<i64>) -> Vec<Frontier> {
        let mut moved = Vec::new();
        for ((topic, partition), line) in &mut self.lines {
            if let Some(frontier) = line.frontier
                && seen(line) != Some(frontier)
            {
                moved.push((Arc::clone(topic), *partition, frontier));
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn covered(topic: &Arc<str>, epoch: u64, first: i64, end: i64) -> Covered {
        Covered {
            topic: Arc::clone(topic),
            partition: 0,
            first,
            end,
            epoch,
        }
    }

    #[test]
    fn late_acknowledgements_are_fenced() {
        let topic: Arc<str> = Arc::from("t");
        let mut frontiers = Frontiers::default();
        let old = [covered(&topic, frontiers.begin(&topic, 0), 0, 10)];
        frontiers.cover(1, &old);
        frontiers.end(&topic, 0);
        frontiers.ack(1, &old);
        assert_eq!(frontiers.take_unstored(), []);
        let new = [covered(&topic, frontiers.begin(&topic, 0), 5, 8)];
        frontiers.cover(2, &new);
        frontiers.ack(1, &old);
        assert_eq!(frontiers.take_unstored(), []);
        frontiers.ack(2, &new);
        assert_eq!(frontiers.take_unstored(), [(Arc::clone(&topic), 0, 8)]);
        assert_eq!(frontiers.take_unstored(), []);
        assert_eq!(frontiers.uncommitted(), [(Arc::clone(&topic), 0, 8)]);
        frontiers.committed(&[(topic, 0, 8)]);
        assert_eq!(frontiers.uncommitted(), []);
    }

    #[test]
    fn a_lost_batch_ends_its_line() {
        let topic: Arc<str> = Arc::from("t");
        let place = [(Arc::clone(&topic), 0)];
        let mut frontiers = Frontiers::default();
        let epoch = frontiers.begin(&topic, 0);
        let batches: Vec<_> = (0..5).map(|n| [covered(&topic, epoch, n, n + 1)]).collect();
        for (id, batch) in (0..4).zip(&batches) {
            frontiers.cover(id, batch);
        }
        // Lost after it was acknowledged, if not yet before the frontier: that changes nothing.
        frontiers.ack(1, &batches[1]);
        frontiers.lose(1, &batches[1]);
        frontiers.ack(3, &batches[3]);
        frontiers.lose(2, &batches[2]);
        frontiers.cover(4, &batches[4]);
        assert!(frontiers.is_open(&place));
        frontiers.ack(4, &batches[4]);
        frontiers.ack(0, &batches[0]);
        assert!(!frontiers.is_open(&place));
        assert_eq!(frontiers.take_unstored(), [(topic, 0, 2)]);
    }

    proptest! {
        /// Whatever the order of acknowledgements, the frontier is the end of the longest run of
        /// acknowledged batches.
        #[test]
        fn the_frontier_is_contiguous(lengths in prop::collection::vec(1..5_i64, 1..20), order in any::<u64>()) {
            let topic: Arc<str> = Arc::from("t");
            let mut frontiers = Frontiers::default();
            let epoch = frontiers.begin(&topic, 0);
            let mut end = 0;
            let batches: Vec<Covered> = lengths.iter().map(|length| {
                end += length;
                covered(&topic, epoch, end - length, end)
            }).collect();
            for (id, batch) in batches.iter().enumerate() {
                frontiers.cover(id as u64, std::slice::from_ref(batch));
            }
            let mut left: Vec<usize> = (0..batches.len()).collect();
            let mut acked = vec![false; batches.len()];
            let mut state = order;
            while !left.is_empty() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let id = left.swap_remove((state >> 33) as usize % left.len());
                acked[id] = true;
                for _ in 0..=(state & 1) {
                    frontiers.ack(id as u64, std::slice::from_ref(&batches[id]));
                }
                let run = acked.iter().take_while(|acked| **acked).count();
                let expected = run.checked_sub(1).map(|last| batches[last].end);
                prop_assert_eq!(frontiers.lines.values().next().unwrap().frontier, expected);
                prop_assert_eq!(frontiers.is_open(&[(Arc::clone(&topic), 0)]), run < batches.len());
            }
        }
    }
}
