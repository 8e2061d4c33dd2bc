//! The client: what a source asks of brokers and of its group, and the events that come from them.
//!
//! Everything here is librdkafka's, but for the records themselves: those come by a
//! [`crate::runs::RunSource`].

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{Consumer as _, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::{Offset, TopicPartitionList};

use crate::admin::fetch_metadata;
use crate::client::{Consumer, Context};
use crate::failure::Failure;
use crate::ffi::{self, EventQueue};
use crate::frontier::Frontier;
use crate::stop::Stopper;
use crate::{Error, ErrorKind, SourceOptions, config};

/// A consumer's client and its queue of events.
pub(crate) struct Connection {
    // Before the consumer that it belongs to.
    events: EventQueue,
    consumer: Arc<Consumer>,
    brokers: String,
    has_group: bool,
    startup_timeout: Duration,
    stopper: Stopper,
}

/// What [`Connection::poll`] came upon.
#[derive(Debug)]
pub(crate) enum Event {
    /// Nothing within the time.
    Idle,
    /// Something that needs no further attention.
    Served,
    /// Something that the source has to know of.
    Failure(Failure),
    /// A rebalance.
    Rebalance(Rebalance),
}

/// A rebalance that waits for its answer: the group waits, too.
#[derive(Debug)]
pub(crate) struct Rebalance {
    /// Partitions are revoked; otherwise they are assigned.
    pub(crate) revoke: bool,
    pub(crate) partitions: Vec<(String, i32)>,
}

/// A partition by name and number.
pub(crate) type Place = (Arc<str>, i32);

impl Connection {
    /// Makes the client. No broker is waited for.
    pub(crate) fn new(options: &SourceOptions) -> Result<Self, Error> {
        let consumer = config::consumer(options)?
            .create_with_context(Context::default())
            .map_err(|cause| Error::kafka(ErrorKind::Config, "the consumer cannot be made", &cause))?;
        let consumer = Arc::new(Consumer::new(consumer, options.commit_timeout()));
        let events = EventQueue::new(Arc::clone(&consumer))
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the consumer has no queue"))?;
        Ok(Self {
            events,
            consumer,
            brokers: options.brokers.clone(),
            has_group: options.group.is_some(),
            startup_timeout: options.startup_timeout,
            stopper: options.stopper.clone(),
        })
    }

    /// The client itself, for what fetches by it.
    pub(crate) fn consumer(&self) -> &Arc<Consumer> {
        &self.consumer
    }

    /// The next event, waiting at most `wait`.
    pub(crate) fn poll(&self, wait: Duration) -> Event {
        match self.events.poll(wait) {
            ffi::Event::Idle => Event::Idle,
            ffi::Event::Served => Event::Served,
            ffi::Event::Error(event) => Event::Failure(Failure::new(event, self.has_group)),
            ffi::Event::Rebalance { revoke, partitions } => {
                Event::Rebalance(Rebalance { revoke, partitions })
            }
        }
    }

    /// The error that ends the source because of `failure`, if any does. `has_read`: whether
    /// anything was ever read.
    pub(crate) fn judge(&self, failure: Failure, has_read: bool) -> Option<Error> {
        failure.into_error(has_read, self.consumer.context())
    }

    /// Waits for a broker, and asks for the metadata of one topic or of all.
    pub(crate) fn metadata(&self, topic: Option<&str>) -> Result<Metadata, Error> {
        let serve = || {
            loop {
                match self.events.poll(Duration::ZERO) {
                    ffi::Event::Idle => return,
                    ffi::Event::Error(event) => self.consumer.context().note(event.code, &event.reason),
                    _ => {}
                }
            }
        };
        let (brokers, timeout) = (&self.brokers, self.startup_timeout);
        fetch_metadata(&self.consumer, topic, brokers, timeout, &self.stopper, serve)
    }

    /// The offset after the newest record (with `read_committed`, after the newest that is
    /// committed), as the leader says.
    pub(crate) fn high(&self, topic: &str, partition: i32) -> Result<i64, Error> {
        let marks = self
            .consumer
            .fetch_watermarks(topic, partition, self.startup_timeout);
        let place = |error: Error| error.at(&Arc::from(topic), partition, None);
        marks
            .map(|(_, high)| high)
            .map_err(|cause| place(self.query("end offsets", &cause)))
    }

    /// The offset after the newest record, as far as fetching has shown it. Asks no broker.
    pub(crate) fn known_high(&self, topic: &str, partition: i32) -> Option<i64> {
        ffi::known_offsets(&self.consumer, topic, partition).map(|(_, high)| high)
    }

    /// The first offset of that time or later, if there is one.
    pub(crate) fn at_time(&self, topic: &str, partition: i32, ms: i64) -> Result<Option<i64>, Error> {
        let fail = |cause: &KafkaError| {
            self.query("the offset of a time", cause)
                .at(&Arc::from(topic), partition, None)
        };
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition_offset(topic, partition, Offset::Offset(ms))
            .map_err(|cause| fail(&cause))?;
        let list = self
            .consumer
            .offsets_for_times(list, self.startup_timeout)
            .map_err(|cause| fail(&cause))?;
        let Some(element) = list.find_partition(topic, partition) else {
            return Ok(None);
        };
        element.error().map_err(|cause| fail(&cause))?;
        Ok(match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        })
    }

    /// What the group has committed for the partitions of `list`.
    pub(crate) fn committed(&self, list: TopicPartitionList) -> Result<TopicPartitionList, Error> {
        let query = |cause: &KafkaError| self.query("committed offsets", cause);
        let known = self
            .consumer
            .committed_offsets(list, self.startup_timeout)
            .map_err(|cause| query(&cause))?;
        for element in known.elements() {
            element.error().map_err(|cause| query(&cause))?;
        }
        Ok(known)
    }

    /// Joins the group to get a share of these topics.
    pub(crate) fn subscribe(&self, topics: &[String]) -> Result<(), Error> {
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        self.consumer
            .subscribe(&topics)
            .map_err(|cause| Error::kafka(ErrorKind::Fatal, "the subscription is refused", &cause))
    }

    /// Begins to read partitions that nobody assigned.
    pub(crate) fn assign(&self, starts: &TopicPartitionList) -> Result<(), Error> {
        self.consumer
            .assign(starts)
            .map_err(|cause| Error::kafka(ErrorKind::Fatal, "the assignment is refused", &cause))
    }

    /// Answers an assignment: begins to read these partitions.
    pub(crate) fn answer_assignment(&self, starts: &TopicPartitionList) -> Result<(), Error> {
        let answer = match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_assign(starts),
            _ => self.consumer.assign(starts),
        };
        answer.map_err(|cause| Error::kafka(ErrorKind::Fatal, "the group's assignment is refused", &cause))
    }

    /// Answers a revocation: reads these partitions no more.
    pub(crate) fn answer_revocation(&self, partitions: &[(String, i32)]) {
        let answer = match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_unassign(&list_of(partitions)),
            _ => self.consumer.unassign(),
        };
        if let Err(cause) = answer {
            // librdkafka rejoins by itself then.
            let error = Error::kafka(ErrorKind::Fatal, "revoking partitions failed", &cause);
            log::warn!("{error}");
        }
    }

    /// Whether the partitions are another member's already, so that there is nothing to commit.
    pub(crate) fn is_assignment_lost(&self) -> bool {
        self.consumer.assignment_lost()
    }

    /// Stops fetching from partitions.
    pub(crate) fn pause(&self, partitions: &[(Arc<str>, i32)]) {
        if !partitions.is_empty() {
            // It only saves work: what still comes is let go.
            let _ = self.consumer.pause(&list_of(partitions));
        }
    }

    /// Fetches from partitions that are paused.
    pub(crate) fn resume(&self, partitions: &[(Arc<str>, i32)]) {
        if partitions.is_empty() {
            return;
        }
        if let Err(cause) = self.consumer.resume(&list_of(partitions)) {
            let error = Error::kafka(ErrorKind::Fatal, "resuming partitions failed", &cause);
            log::warn!("{error}");
        }
    }

    /// Tells librdkafka how far it may commit at its next interval.
    pub(crate) fn store(&self, frontiers: &[Frontier]) {
        if let Err(cause) = self.consumer.store_offsets(&frontiers_list(frontiers)) {
            // A partition may have been lost without our knowing yet. What is acknowledged of it is
            // read again then.
            let error = Error::kafka(ErrorKind::Commit, "offsets could not be stored", &cause);
            log::warn!("{error}");
        }
    }

    /// Commits, and waits for the answer, at most `timeout`.
    pub(crate) fn commit(&self, frontiers: &[Frontier], timeout: Duration) -> Result<(), CommitFailure> {
        ffi::commit(&self.consumer, &frontiers_list(frontiers), timeout).map_err(CommitFailure)
    }

    #[cold]
    fn query(&self, what: &str, cause: &KafkaError) -> Error {
        let text = format!("the brokers {} were asked for {what}", self.brokers);
        Error::kafka(ErrorKind::Unreachable, &text, cause)
    }
}

/// Why a commit failed.
#[derive(Debug)]
pub(crate) struct CommitFailure(RDKafkaErrorCode);

impl CommitFailure {
    /// True if it was refused because the group is rebalancing, whether this member knows of it
    /// already or not.
    pub(crate) fn is_rebalancing(&self) -> bool {
        use RDKafkaErrorCode::{IllegalGeneration, RebalanceInProgress, UnknownMemberId};
        matches!(self.0, RebalanceInProgress | IllegalGeneration | UnknownMemberId)
    }
}

impl From<CommitFailure> for Error {
    #[cold]
    fn from(failure: CommitFailure) -> Self {
        let cause = KafkaError::ConsumerCommit(failure.0);
        Self::kafka(ErrorKind::Commit, "offsets could not be committed", &cause)
    }
}

/// The partitions as librdkafka takes them.
pub(crate) fn list_of<T: AsRef<str>>(partitions: &[(T, i32)]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        list.add_partition(topic.as_ref(), *partition);
    }
    list
}

fn frontiers_list(frontiers: &[Frontier]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(frontiers.len());
    for (topic, partition, offset) in frontiers {
        // The offset is that of a record and one more, so that it is never refused.
        let _ = list.add_partition_offset(topic, *partition, Offset::Offset(*offset));
    }
    list
}
