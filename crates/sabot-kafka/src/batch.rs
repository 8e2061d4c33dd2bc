//! A batch, the offsets that it covers, and how it is acknowledged.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use sabot_assemble::BadRow;

use crate::covered::{Covered, Offsets};
use crate::frontier::Frontiers;

/// Rows, and what became of the messages that they came from.
///
/// Dropping a batch acknowledges nothing: a batch that got lost holds the committed offset back,
/// and is read again by whoever reads the partition next. Its partitions commit nothing after it
/// until they are assigned anew.
#[derive(Debug)]
#[non_exhaustive]
pub struct Batch {
    /// The rows. There are none if all records were skipped or dropped; the batch still wants to be
    /// acknowledged.
    pub batch: RecordBatch,
    /// What was wrong with the bad messages.
    pub bad: Vec<BadRow>,
    /// The offsets that the batch covers, with those of bad and dropped records.
    pub offsets: Offsets,
    /// Records that were read for it: good, bad and dropped.
    pub records: usize,
    /// Bytes of their keys and values.
    pub bytes: u64,
    pub(crate) acker: Acker,
}

impl Batch {
    /// Declares that the batch has been dealt with, so that its offsets may be committed once all
    /// earlier batches of the same partitions are acknowledged too. See [`Acker::ack`].
    pub fn ack(&self) {
        self.acker.ack();
    }

    /// Something that acknowledges this batch from elsewhere.
    #[must_use]
    pub fn acker(&self) -> Acker {
        self.acker.clone()
    }
}

/// Acknowledges one batch. Clones acknowledge the same one; they may go to other threads.
#[derive(Debug, Clone)]
pub struct Acker(Arc<Ticket>);

/// What a batch and its ackers share. With the last of them goes the chance that the batch is
/// acknowledged.
#[derive(Debug)]
struct Ticket {
    ledger: Arc<Ledger>,
    batch: u64,
    covered: Arc<[Covered]>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.ledger.lock().lose(self.batch, &self.covered);
        self.ledger.acked.notify_all();
    }
}

impl Acker {
    pub(crate) fn new(ledger: Arc<Ledger>, batch: u64, covered: Arc<[Covered]>) -> Self {
        Self(Arc::new(Ticket {
            ledger,
            batch,
            covered,
        }))
    }

    /// Declares that the batch has been dealt with. Order does not matter, and neither does doing
    /// it twice. Where the partition has been given to another member in the meantime, nothing
    /// happens: that member reads it again.
    ///
    /// It only takes note. The offsets are committed by the source: at an interval
    /// (`auto.commit.interval.ms`) while it is being called, on [`crate::Source::commit`], when
    /// partitions are given back, and when it is closed or dropped.
    pub fn ack(&self) {
        let ticket = &*self.0;
        ticket.ledger.lock().ack(ticket.batch, &ticket.covered);
        ticket.ledger.acked.notify_all();
    }
}

/// The frontiers, shared by a source and the ackers of its batches.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    frontiers: Mutex<Frontiers>,
    acked: Condvar,
}

impl Ledger {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Frontiers> {
        // No code panics half-way through a change.
        self.frontiers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every batch that covers one of these partitions is acknowledged or lost; false
    /// if time ran out, or `is_over` says so.
    pub(crate) fn wait(
        &self,
        partitions: &[(Arc<str>, i32)],
        timeout: Duration,
        slice: Duration,
        is_over: impl Fn() -> bool,
    ) -> bool {
        let deadline = Instant::now() + timeout;
        let mut frontiers = self.lock();
        while frontiers.is_open(partitions) {
            let left = deadline.saturating_duration_since(Instant::now()).min(slice);
            if left.is_zero() || is_over() {
                return false;
            }
            frontiers = self
                .acked
                .wait_timeout(frontiers, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_batch_that_is_dropped() {
        let ledger = Arc::new(Ledger::default());
        let place = [(Arc::from("t"), 0)];
        let covered: Arc<[Covered]> = Arc::new([Covered {
            topic: Arc::clone(&place[0].0),
            partition: 0,
            first: 0,
            end: 5,
            epoch: ledger.lock().begin(&place[0].0, 0),
        }]);
        ledger.lock().cover(1, &covered);
        let acker = Acker::new(Arc::clone(&ledger), 1, covered);
        let is_settled = || ledger.wait(&place, Duration::ZERO, Duration::ZERO, || false);
        let other = acker.clone();
        drop(acker);
        assert!(!is_settled());
        drop(other);
        assert!(is_settled());
        assert!(ledger.lock().take_unstored().is_empty());
    }
}
