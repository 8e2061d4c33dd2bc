//! Taking partitions and giving them up.
//!
//! A rebalance arrives as an event on the queue that the caller's thread polls, and librdkafka waits for its answer. It
//! has stopped fetching until then, and its own thread goes on sending heartbeats, so that the answer may be late; the
//! group's limit is `max.poll.interval.ms`. That is what lets the source give out the batch in hand first: a revocation
//! is answered in the next call, when that batch has been acknowledged or its time has run out. Then its offsets are
//! committed, and only then are the partitions given up. If they are lost already, there is nothing to commit.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{Consumer as _, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::{Offset, TopicPartitionList};

use crate::admin::{existing, fetch_metadata};
use crate::client::Consumer;
use crate::error::kind_of;
use crate::frontier::Frontier;
use crate::options::SourceOptions;
use crate::source::{Source, list_of};
use crate::stop::STOP_CHECK;
use crate::subscription::{PartitionStart, Subscription, is_pattern, pattern};
use crate::{Error, ErrorKind, ffi};

/// A rebalance that waits for its answer.
#[derive(Debug)]
pub(crate) struct Rebalance {
    pub(crate) revoke: bool,
    pub(crate) partitions: Vec<(String, i32)>,
}

impl Source {
    /// Subscribes, or assigns the partitions that the options name.
    pub(crate) fn begin(&mut self) -> Result<(), Error> {
        let wanted = match (&self.options.subscription, &self.options.group) {
            (Subscription::Topics(topics), group) => {
                let metadata = check_topics(&self.consumer, &self.options, topics, || self.serve_quietly())?;
                if group.is_some() {
                    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
                    return self.consumer.subscribe(&topics).map_err(|cause| {
                        Error::kafka(ErrorKind::Fatal, "the subscription is refused", &cause)
                    });
                }
                all_partitions(&metadata, topics)?
            }
            (Subscription::Partitions(partitions), _) => {
                let mut topics: Vec<String> = partitions.iter().map(|wanted| wanted.topic.clone()).collect();
                topics.sort();
                topics.dedup();
                let metadata = check_topics(&self.consumer, &self.options, &topics, || self.serve_quietly())?;
                for wanted in partitions {
                    check_partition(&metadata, wanted)?;
                }
                partitions.clone()
            }
        };
        let list = self.starts(&wanted, false)?;
        let ends = self.ends(&list)?;
        self.consumer
            .assign(&list)
            .map_err(|cause| Error::kafka(ErrorKind::Fatal, "the assignment is refused", &cause))?;
        self.add_positions(&list, &ends);
        Ok(())
    }

    /// Answers the oldest rebalance. An assignment that cannot be answered now stays the oldest.
    pub(crate) fn serve_rebalance(&mut self) -> Result<(), Error> {
        let Some(rebalance) = self.rebalances.pop_front() else {
            return Ok(());
        };
        if rebalance.revoke {
            self.give_up(&rebalance.partitions, self.options.revoke_timeout);
            return Ok(());
        }
        let taken = self.take(&rebalance.partitions);
        if taken.is_err() {
            self.rebalances.push_front(rebalance);
        }
        taken
    }

    fn take(&mut self, partitions: &[(String, i32)]) -> Result<(), Error> {
        let wanted: Vec<PartitionStart> = partitions
            .iter()
            .map(|(topic, partition)| PartitionStart::new(topic, *partition, None))
            .collect();
        let list = self.starts(&wanted, true)?;
        let ends = self.ends(&list)?;
        self.answer_assignment(&list)
            .map_err(|cause| Error::kafka(ErrorKind::Fatal, "the group's assignment is refused", &cause))?;
        log::info!("assigned {}", Partitions(partitions));
        self.add_positions(&list, &ends);
        Ok(())
    }

    fn answer_assignment(&self, list: &TopicPartitionList) -> Result<(), KafkaError> {
        match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_assign(list),
            _ => self.consumer.assign(list),
        }
    }

    /// Gives partitions up, once their batches are acknowledged or `patience` has run out.
    pub(crate) fn give_up(&mut self, partitions: &[(String, i32)], patience: Duration) {
        let places: Vec<(Arc<str>, i32)> = partitions
            .iter()
            .map(|(topic, partition)| (self.positions.topic(topic), *partition))
            .collect();
        if self.consumer.assignment_lost() {
            log::warn!("lost {}", Partitions(partitions));
        } else {
            let stopper = self.options.stopper.clone();
            if !self
                .ledger
                .wait(&places, patience, STOP_CHECK, || stopper.is_stopped())
            {
                log::warn!(
                    "giving up {} with batches that are not acknowledged",
                    Partitions(partitions)
                );
            }
            let wanted: HashSet<&(Arc<str>, i32)> = places.iter().collect();
            let timeout = self.options.commit_timeout();
            if let Err(cause) = self.commit_moved(|place| wanted.contains(place), timeout) {
                log::warn!("{}", commit_failed(&cause));
            }
            log::info!("giving up {}", Partitions(partitions));
        }
        for (topic, partition) in &places {
            self.ledger.lock().end(topic, *partition);
        }
        self.resume_before_giving_up(&places);
        self.positions.remove(&places);
        let positions = &self.positions;
        self.messages
            .retain(|message| positions.slot(&message.topic(), message.partition()).is_some());
        let answer = match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_unassign(&list_of_names(partitions)),
            _ => self.consumer.unassign(),
        };
        if let Err(cause) = answer {
            // librdkafka rejoins by itself then.
            log::warn!(
                "{}",
                Error::kafka(ErrorKind::Fatal, "giving partitions up failed", &cause)
            );
        }
    }

    /// Commits the frontiers that moved, and waits for the answer, at most `timeout`.
    pub(crate) fn commit_moved(
        &self,
        wanted: impl Fn(&(Arc<str>, i32)) -> bool,
        timeout: Duration,
    ) -> Result<(), KafkaError> {
        let mut moved = self.ledger.lock().uncommitted();
        moved.retain(|(topic, partition, _)| wanted(&(Arc::clone(topic), *partition)));
        if moved.is_empty() {
            return Ok(());
        }
        // librdkafka commits what is stored once more when a partition is given up. What is stored must not lie before
        // what is committed here, or that would take it back.
        self.store_acknowledged();
        ffi::commit(&self.consumer, &frontiers_list(&moved), timeout).map_err(KafkaError::ConsumerCommit)?;
        self.ledger.lock().committed(&moved);
        Ok(())
    }

    /// Commits everything and gives everything up. A commit that falls into a rebalance is refused; it is tried again
    /// once this member's part in the rebalance is done.
    pub(crate) fn commit_last(&mut self) -> Result<(), KafkaError> {
        let timeout = self.options.commit_timeout();
        let deadline = Instant::now() + timeout;
        loop {
            while let Some(rebalance) = self.rebalances.pop_front() {
                if rebalance.revoke {
                    self.give_up(&rebalance.partitions, Duration::ZERO);
                } else if let Err(cause) = self.answer_assignment(&list_of_names(&rebalance.partitions)) {
                    // It is not going to be read, so no broker is asked where to begin.
                    log::warn!(
                        "{}",
                        Error::kafka(ErrorKind::Fatal, "the group's assignment is refused", &cause)
                    );
                }
            }
            let result = self.commit_moved(|_| true, timeout);
            let refused = result.as_ref().is_err_and(is_rebalancing);
            if !refused || Instant::now() >= deadline {
                return result;
            }
            self.serve(STOP_CHECK);
        }
    }

    /// Tells librdkafka what has been acknowledged, for its next commit at an interval.
    pub(crate) fn store_acknowledged(&self) {
        let moved = self.ledger.lock().take_unstored();
        if moved.is_empty() {
            return;
        }
        if let Err(cause) = self.consumer.store_offsets(&frontiers_list(&moved)) {
            // A partition may have been lost without our knowing yet. What is acknowledged of it is read again then.
            log::warn!(
                "{}",
                Error::kafka(ErrorKind::Commit, "offsets could not be stored", &cause)
            );
        }
    }

    fn add_positions(&mut self, list: &TopicPartitionList, ends: &[Option<i64>]) {
        self.resumed = Instant::now();
        for (element, end) in list.elements().iter().zip(ends) {
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

/// True if a commit was refused because the group is rebalancing, whether this member knows of it already or not.
fn is_rebalancing(cause: &KafkaError) -> bool {
    use RDKafkaErrorCode::{IllegalGeneration, RebalanceInProgress, UnknownMemberId};
    matches!(
        cause.rdkafka_error_code(),
        Some(RebalanceInProgress | IllegalGeneration | UnknownMemberId)
    )
}

#[cold]
pub(crate) fn commit_failed(cause: &KafkaError) -> Error {
    Error::kafka(ErrorKind::Commit, "offsets could not be committed", cause)
}

fn list_of_names(partitions: &[(String, i32)]) -> TopicPartitionList {
    list_of(
        partitions
            .iter()
            .map(|(topic, partition)| (topic.as_str(), *partition)),
    )
}

fn frontiers_list(frontiers: &[Frontier]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(frontiers.len());
    for (topic, partition, offset) in frontiers {
        // The offset is that of a record and one more, so that it is never refused.
        let _ = list.add_partition_offset(topic, *partition, Offset::Offset(*offset));
    }
    list
}

/// Waits for a broker, and checks that the topics named exist.
fn check_topics(
    consumer: &Consumer,
    options: &SourceOptions,
    topics: &[String],
    serve: impl Fn(),
) -> Result<Metadata, Error> {
    let single = match topics {
        [topic] if !is_pattern(topic) => Some(topic.as_str()),
        _ => None,
    };
    let (brokers, timeout) = (options.brokers.as_str(), options.startup_timeout);
    let metadata = fetch_metadata(consumer, single, brokers, timeout, &options.stopper, serve)?;
    for topic in topics.iter().filter(|topic| !is_pattern(topic)) {
        existing(&metadata, topic)?;
    }
    Ok(metadata)
}

fn check_partition(metadata: &Metadata, wanted: &PartitionStart) -> Result<(), Error> {
    let topic = existing(metadata, &wanted.topic)?;
    if topic
        .partitions()
        .iter()
        .any(|partition| partition.id() == wanted.partition)
    {
        return Ok(());
    }
    let count = topic.partitions().len();
    let text = format!(
        "topic {} has {count} partitions, and no partition {}",
        wanted.topic, wanted.partition
    );
    Err(Error::new(ErrorKind::UnknownTopic, text).in_topic(&wanted.topic))
}

/// All partitions of the topics that exist now.
fn all_partitions(metadata: &Metadata, topics: &[String]) -> Result<Vec<PartitionStart>, Error> {
    let patterns = topics
        .iter()
        .filter(|topic| is_pattern(topic))
        .map(|topic| pattern(topic))
        .collect::<Result<Vec<_>, _>>()?;
    let wanted = |name: &str| {
        topics.iter().any(|topic| topic == name) || patterns.iter().any(|pattern| pattern.is_match(name))
    };
    let mut all = Vec::new();
    for topic in metadata.topics().iter().filter(|topic| wanted(topic.name())) {
        let code = topic.error().map(RDKafkaErrorCode::from);
        if code.and_then(kind_of) == Some(ErrorKind::Denied) {
            let text = format!("reading topic {} is not allowed", topic.name());
            return Err(Error::new(ErrorKind::Denied, text).in_topic(topic.name()));
        }
        all.extend(
            topic
                .partitions()
                .iter()
                .map(|partition| PartitionStart::new(topic.name(), partition.id(), None)),
        );
    }
    if all.is_empty() {
        return Err(Error::new(
            ErrorKind::UnknownTopic,
            format!("no topic matches {}", topics.join(", ")),
        ));
    }
    all.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(all)
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
