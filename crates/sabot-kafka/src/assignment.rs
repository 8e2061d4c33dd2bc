//! The partitions that a source reads: assigned, revoked, committed.
//!
//! A rebalance arrives as an event on the queue that the caller's thread polls, and librdkafka
//! waits for its answer. It has stopped fetching until then, and its own thread goes on sending
//! heartbeats, so that the answer may be late; the group's limit is `max.poll.interval.ms`. That is
//! what lets the source give out the batch in hand first: a revocation is answered in the next
//! call, when that batch has been acknowledged or its time has run out. Then its offsets are
//! committed, and only then are the partitions given back. If they are lost already, there is
//! nothing to commit.
//!
//! # Example
//!
//! A member reads `a[0]` and `a[1]` when a second one joins:
//!
//! ```text
//! event revoke a[1]    noted; the batch in hand ends, and is given out
//! next call            waits until a[1]'s batches are acknowledged, commits its frontier,
//!                      drops its position and what is left of it, answers
//! event assign (none)  answered; a[0] goes on where it was
//! ```
//!
//! # Invariants
//!
//! 1. Rebalances are answered in the order in which they came, and nothing is fetched while one
//!    waits.
//! 2. A partition has a position exactly while it is assigned, and each assignment has an epoch of
//!    its own.
//! 3. What is committed is acknowledged, and never before what is committed already.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;

use crate::batch::Ledger;
use crate::bounds::Bounds;
use crate::connection::{CommitFailure, Connection, Event, Place, Rebalance, list_of};
use crate::fetched::Fetched;
use crate::options::SourceOptions;
use crate::positions::Positions;
use crate::stop::STOP_CHECK;
use crate::subscription::{PartitionStart, Subscription};
use crate::{Error, topics};

/// The partitions that are assigned, and the rebalances that are to be answered.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    pub(crate) positions: Positions,
    pub(crate) ledger: Arc<Ledger>,
    /// Oldest first.
    rebalances: VecDeque<Rebalance>,
}

/// What an assignment is answered with the help of.
pub(crate) struct Around<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) options: &'a SourceOptions,
    pub(crate) fetched: &'a mut Fetched,
}

impl Assignment {
    /// Subscribes, or begins to read the partitions that the options name.
    pub(crate) fn begin(&mut self, around: &mut Around<'_>) -> Result<(), Error> {
        let (connection, options) = (around.connection, around.options);
        if let (Subscription::Topics(topics), Some(_)) = (&options.subscription, &options.group) {
            topics::check_topics(connection, topics)?;
            return connection.subscribe(topics);
        }
        let wanted = topics::partitions_of(connection, &options.subscription)?;
        self.assign(around, &wanted, false)
    }

    /// Takes note of a rebalance.
    pub(crate) fn push(&mut self, rebalance: Rebalance) {
        self.positions.expect_repeats();
        self.rebalances.push_back(rebalance);
    }

    /// Whether a rebalance waits for its answer.
    pub(crate) fn is_rebalancing(&self) -> bool {
        !self.rebalances.is_empty()
    }

    /// Whether the oldest rebalance assigns no partition at all.
    #[cfg(test)]
    pub(crate) fn is_assigned_nothing(&self) -> bool {
        let assigns_nothing = |next: &Rebalance| !next.revoke && next.partitions.is_empty();
        self.rebalances.front().is_some_and(assigns_nothing)
    }

    /// Answers the oldest rebalance. An assignment that cannot be answered now stays the oldest.
    pub(crate) fn answer(&mut self, around: &mut Around<'_>) -> Result<(), Error> {
        let Some(rebalance) = self.rebalances.pop_front() else {
            return Ok(());
        };
        if rebalance.revoke {
            self.revoke(around, &rebalance.partitions, around.options.revoke_timeout);
            return Ok(());
        }
        let wanted: Vec<PartitionStart> = rebalance
            .partitions
            .iter()
            .map(|(topic, partition)| PartitionStart::new(topic, *partition, None))
            .collect();
        let assigned = self.assign(around, &wanted, true);
        match &assigned {
            Ok(()) => log::info!("assigned {}", Partitions(&rebalance.partitions)),
            Err(_) => self.rebalances.push_front(rebalance),
        }
        assigned
    }

    /// Begins to read partitions: those that a group has `shared` out, or that the options name.
    fn assign(
        &mut self,
        around: &mut Around<'_>,
        wanted: &[PartitionStart],
        shared: bool,
    ) -> Result<(), Error> {
        let connection = around.connection;
        let bounds = Bounds {
            connection,
            options: around.options,
        };
        let starts = bounds.starts(wanted, shared)?;
        let ends = bounds.ends(&starts)?;
        let places: Vec<(String, i32)> = wanted
            .iter()
            .map(|wanted| (wanted.topic.clone(), wanted.partition))
            .collect();
        if let Err(failure) = around.fetched.runs().assign(&places) {
            // What is noted only, goes on without these records; nothing here is of that kind.
            if let Some(error) = connection.judge(failure, true) {
                return Err(error);
            }
        }
        if shared {
            connection.answer_assignment(&starts)?;
        } else {
            connection.assign(&starts)?;
        }
        self.add_positions(&starts, &ends);
        Ok(())
    }

    /// Gives partitions back, once their batches are acknowledged or `patience` has run out.
    fn revoke(&mut self, around: &mut Around<'_>, partitions: &[(String, i32)], patience: Duration) {
        let connection = around.connection;
        let places: Vec<Place> = partitions
            .iter()
            .map(|(topic, partition)| (self.positions.topic(topic), *partition))
            .collect();
        if connection.is_assignment_lost() {
            log::warn!("lost {}", Partitions(partitions));
        } else {
            let stopper = around.options.stopper.clone();
            if !self
                .ledger
                .wait(&places, patience, STOP_CHECK, || stopper.is_stopped())
            {
                log::warn!(
                    "giving {} back with batches that are not acknowledged",
                    Partitions(partitions)
                );
            }
            let wanted: HashSet<&Place> = places.iter().collect();
            let timeout = around.options.commit_timeout();
            if let Err(failure) = self.commit_moved(connection, |place| wanted.contains(place), timeout) {
                log::warn!("{}", Error::from(failure));
            }
            log::info!("giving {} back", Partitions(partitions));
        }
        for (topic, partition) in &places {
            self.ledger.lock().end(topic, *partition);
        }
        // librdkafka remembers a pause until the partition is assigned again. To resume it only
        // then is too late: its own thread is starting the partition at that time, and of two
        // requests for a partition at the same moment it may drop either, the start as well. Now
        // that thread waits for us.
        connection.resume(&self.ended_of(&places));
        self.positions.remove(&places);
        around.fetched.forget(&self.positions);
        around.fetched.runs().revoke(partitions);
        connection.answer_revocation(partitions);
    }

    /// Those of the partitions that have ended, and so are paused.
    fn ended_of(&self, places: &[Place]) -> Vec<Place> {
        let has_ended = |(topic, partition): &&Place| {
            let index = self.positions.index(topic, *partition);
            index.is_some_and(|index| self.positions.get(index).ended)
        };
        places.iter().filter(has_ended).cloned().collect()
    }

    /// Commits the frontiers that moved, and waits for the answer, at most `timeout`.
    pub(crate) fn commit_moved(
        &self,
        connection: &Connection,
        wanted: impl Fn(&Place) -> bool,
        timeout: Duration,
    ) -> Result<(), CommitFailure> {
        let mut moved = self.ledger.lock().uncommitted();
        moved.retain(|(topic, partition, _)| wanted(&(Arc::clone(topic), *partition)));
        if moved.is_empty() {
            return Ok(());
        }
        // librdkafka commits what is stored once more when a partition is given back. What is
        // stored must not lie before what is committed here, or that would take it back.
        self.store_acknowledged(connection);
        connection.commit(&moved, timeout)?;
        self.ledger.lock().committed(&moved);
        Ok(())
    }

    /// Commits everything and gives everything back. A commit that falls into a rebalance is
    /// refused; it is tried again once this member's part in the rebalance is done.
    pub(crate) fn end(&mut self, around: &mut Around<'_>) -> Result<(), CommitFailure> {
        let connection = around.connection;
        let timeout = around.options.commit_timeout();
        let deadline = Instant::now() + timeout;
        loop {
            while let Some(rebalance) = self.rebalances.pop_front() {
                if rebalance.revoke {
                    self.revoke(around, &rebalance.partitions, Duration::ZERO);
                } else if let Err(error) = connection.answer_assignment(&list_of(&rebalance.partitions)) {
                    // It is not going to be read, so no broker is asked where to begin.
                    log::warn!("{error}");
                }
            }
            let result = self.commit_moved(connection, |_| true, timeout);
            let refused = result.as_ref().is_err_and(CommitFailure::is_rebalancing);
            if !refused || Instant::now() >= deadline {
                return result;
            }
            match connection.poll(STOP_CHECK) {
                Event::Rebalance(rebalance) => self.push(rebalance),
                Event::Failure(failure) => drop(connection.judge(failure, true)),
                Event::Idle | Event::Served => {}
            }
        }
    }

    /// Tells librdkafka what has been acknowledged, for its next commit at an interval.
    pub(crate) fn store_acknowledged(&self, connection: &Connection) {
        let moved = self.ledger.lock().take_unstored();
        if !moved.is_empty() {
            connection.store(&moved);
        }
    }

    fn add_positions(&mut self, starts: &TopicPartitionList, ends: &[Option<i64>]) {
        for (element, end) in starts.elements().iter().zip(ends) {
            let topic = self.positions.topic(element.topic());
            log::debug!(
                "{topic}[{}] is read from {:?} to {}",
                element.partition(),
                element.offset(),
                end.map_or_else(|| "no end".to_owned(), |end| format!("offset {end}"))
            );
            let epoch = self.ledger.lock().begin(&topic, element.partition());
            self.positions.add(&topic, element.partition(), epoch, *end);
        }
    }
}

/// Partitions in a log line.
struct Partitions<'a>(&'a [(String, i32)]);

impl std::fmt::Display for Partitions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no partition");
        }
        for (index, (topic, partition)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{topic}[{partition}]")?;
        }
        Ok(())
    }
}
