//! Looking at a cluster: topics, partitions, leaders, offsets.

use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};

use crate::client::Context;
use crate::error::kind_of;
use crate::options::LONGEST_WAIT;
use crate::{Error, ErrorKind, Properties, Stopper, config};

/// Reads a cluster's metadata.
///
/// See [`crate::embedded::EmbeddedBroker`] for an example.
pub struct Admin {
    consumer: BaseConsumer<Context>,
    brokers: String,
    timeout: Duration,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionInfo>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionInfo {
    /// Its number.
    pub partition: i32,
    /// The id of the broker that leads it; `None` while there is none.
    pub leader: Option<i32>,
    /// The number of its replicas.
    pub replicas: usize,
    /// The oldest offset that is kept; `None` without a leader.
    pub low: Option<i64>,
    /// The offset after the newest record; `None` without a leader.
    pub high: Option<i64>,
}

impl Admin {
    /// Connects to a cluster, waiting at most `timeout` for an answer: now, and in each later call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], [`ErrorKind::Unreachable`] or [`ErrorKind::Denied`].
    pub fn connect(brokers: &str, properties: &Properties, timeout: Duration) -> Result<Self, Error> {
        let consumer: BaseConsumer<Context> = config::admin(brokers, properties)?
            .create_with_context(Context::default())
            .map_err(|cause| Error::kafka(ErrorKind::Config, "the client cannot be made", &cause))?;
        let admin = Self {
            consumer,
            brokers: brokers.to_owned(),
            timeout: timeout.min(LONGEST_WAIT),
        };
        admin.metadata(None)?;
        Ok(admin)
    }

    /// All topics by name, with their partitions' offsets. Kafka's own (`__consumer_offsets`) are
    /// among them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unreachable`] or [`ErrorKind::Denied`].
    pub fn topics(&self) -> Result<Vec<TopicInfo>, Error> {
        let metadata = self.metadata(None)?;
        let mut topics: Vec<TopicInfo> = metadata
            .topics()
            .iter()
            .map(|topic| self.describe(topic))
            .collect::<Result<_, Error>>()?;
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// One topic.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UnknownTopic`], and as [`Admin::topics`].
    pub fn topic(&self, name: &str) -> Result<TopicInfo, Error> {
        crate::subscription::check_topic(name)?;
        let metadata = self.metadata(Some(name))?;
        self.describe(existing(&metadata, name)?)
    }

    fn metadata(&self, topic: Option<&str>) -> Result<Metadata, Error> {
        let serve = || while self.consumer.poll(Duration::ZERO).is_some() {};
        fetch_metadata(
            &self.consumer,
            topic,
            &self.brokers,
            self.timeout,
            &Stopper::new(),
            serve,
        )
    }

    fn describe(&self, topic: &MetadataTopic) -> Result<TopicInfo, Error> {
        let mut partitions = Vec::with_capacity(topic.partitions().len());
        for partition in topic.partitions() {
            let leader = (partition.leader() >= 0).then(|| partition.leader());
            let marks = match leader {
                Some(_) => Some(
                    self.consumer
                        .fetch_watermarks(topic.name(), partition.id(), self.timeout)
                        .map_err(|cause| self.failed(&cause).in_topic(topic.name()))?,
                ),
                None => None,
            };
            partitions.push(PartitionInfo {
                partition: partition.id(),
                leader,
                replicas: partition.replicas().len(),
                low: marks.map(|(low, _)| low),
                high: marks.map(|(_, high)| high),
            });
        }
        partitions.sort_by_key(|partition| partition.partition);
        Ok(TopicInfo {
            name: topic.name().to_owned(),
            partitions,
        })
    }

    #[cold]
    fn failed(&self, cause: &KafkaError) -> Error {
        Error::kafka(
            ErrorKind::Unreachable,
            &format!("the brokers {} gave no answer", self.brokers),
            cause,
        )
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("brokers", &self.brokers)
            .finish_non_exhaustive()
    }
}

/// Asks for metadata in short turns until there is an answer, so that a stop, a refusal or the
/// deadline is noticed between them. `serve` serves the client's events: among them is the reason
/// why no broker answers.
pub(crate) fn fetch_metadata(
    consumer: &BaseConsumer<Context>,
    topic: Option<&str>,
    brokers: &str,
    timeout: Duration,
    stopper: &Stopper,
    serve: impl Fn(),
) -> Result<Metadata, Error> {
    let begin = Instant::now();
    loop {
        let left = timeout
            .saturating_sub(begin.elapsed())
            .max(Duration::from_millis(1));
        let answer = consumer.fetch_metadata(topic, left.min(Duration::from_millis(500)));
        let cause = match answer {
            Ok(metadata) => return Ok(metadata),
            Err(cause) => cause,
        };
        serve();
        if stopper.is_stopped() {
            return Err(Error::new(ErrorKind::Stopped, "stopped before a broker answered"));
        }
        let context = consumer.context();
        if let Some((code, reason)) = context.last_error()
            && kind_of(code) == Some(ErrorKind::Denied)
        {
            return Err(Error::new(
                ErrorKind::Denied,
                format!("the brokers {brokers} refuse: {reason}"),
            ));
        }
        let waiting = cause.rdkafka_error_code().and_then(kind_of) == Some(ErrorKind::Unreachable);
        if !waiting {
            return Err(Error::kafka(
                ErrorKind::Fatal,
                &format!("metadata of {brokers}"),
                &cause,
            ));
        }
        if begin.elapsed() >= timeout {
            return Err(context.unreachable(brokers, timeout));
        }
    }
}

/// The topic of that name, if it exists.
pub(crate) fn existing<'a>(metadata: &'a Metadata, name: &str) -> Result<&'a MetadataTopic, Error> {
    let topic = metadata.topics().iter().find(|topic| topic.name() == name);
    let code = topic.and_then(MetadataTopic::error).map(RDKafkaErrorCode::from);
    match topic {
        Some(topic) if code.is_none() && !topic.partitions().is_empty() => Ok(topic),
        _ if code.and_then(kind_of) == Some(ErrorKind::Denied) => {
            Err(Error::new(ErrorKind::Denied, format!("reading topic {name} is not allowed")).in_topic(name))
        }
        _ => Err(Error::new(ErrorKind::UnknownTopic, format!("there is no topic {name}")).in_topic(name)),
    }
}
