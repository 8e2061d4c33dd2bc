//! What a source is asked to do.

use std::time::Duration;

use sabot_wire::Framing;

use crate::range::{End, Start};
use crate::subscription::{check_posix, check_topic};
use crate::{Error, Properties, Stopper, Subscription};

/// What a [`crate::Source`] is asked to do.
///
/// Make one with [`SourceOptions::new`] and set what differs from the defaults.
///
/// ```
/// use sabot_kafka::{End, SourceOptions, Start, Subscription};
///
/// let mut options = SourceOptions::new("localhost:9092", Subscription::topics(["orders"]));
/// options.group = Some("billing".to_owned());
/// options.start = Start::Latest;
/// options.end = End::AtStart;
/// options.properties.set("security.protocol", "sasl_ssl");
/// options.properties.set("sasl.password", "hunter2");
/// assert!(!format!("{options:?}").contains("hunter2"));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SourceOptions {
    /// Brokers to begin with, as `host:port` with commas between.
    pub brokers: String,
    /// What to read.
    pub subscription: Subscription,
    /// The consumer group. Without one, nothing is shared with other consumers and nothing is
    /// committed.
    pub group: Option<String>,
    /// Where to begin. See [`Start`] for what comes first, this or a committed offset.
    pub start: Start,
    /// Where to end.
    pub end: End,
    /// When a batch ends.
    pub batching: Batching,
    /// How keys are framed. The default takes them as they are.
    pub key_framing: Framing,
    /// How values are framed. The default is Confluent's wire format.
    pub value_framing: Framing,
    /// Properties of librdkafka. They win over everything that the source sets by itself, but for
    /// the few that it cannot do without: it refuses those.
    pub properties: Properties,
    /// Where records go that the assembler's policy makes dead letters. It takes effect with
    /// [`sabot_assemble::OnError::DeadLetter`].
    pub dead_letters: Option<DeadLetterOptions>,
    /// How long opening, and [`crate::Source::commit`], wait for a broker to answer.
    pub startup_timeout: Duration,
    /// How long a partition that another member is to have is held for batches that are not
    /// acknowledged yet. While it lasts, the whole group waits. Closing waits so long for the
    /// brokers, too.
    pub revoke_timeout: Duration,
    /// Stops the source from elsewhere. Keep a clone.
    pub stopper: Stopper,
}

impl SourceOptions {
    /// Reads `subscription` from the beginning and for ever, without a group.
    pub fn new(brokers: impl Into<String>, subscription: Subscription) -> Self {
        Self {
            brokers: brokers.into(),
            subscription,
            group: None,
            start: Start::Earliest,
            end: End::Never,
            batching: Batching::default(),
            key_framing: Framing::Unframed,
            value_framing: Framing::Confluent,
            properties: Properties::default(),
            dead_letters: None,
            startup_timeout: Duration::from_secs(30),
            revoke_timeout: Duration::from_secs(5),
            stopper: Stopper::new(),
        }
    }

    /// How long a commit that is in somebody's way waits for its answer. Acknowledgements may be
    /// given no time, but brokers need some.
    pub(crate) fn commit_timeout(&self) -> Duration {
        self.revoke_timeout.max(Duration::from_secs(1))
    }

    /// Checks everything that can be checked without a broker.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.brokers.trim().is_empty() {
            return Err(Error::config("no broker is given"));
        }
        self.subscription.validate()?;
        if let Subscription::Topics(topics) = &self.subscription
            && self.group.is_some()
            && self.properties.get("group.protocol") != Some("consumer")
        {
            topics.iter().try_for_each(|topic| check_posix(topic))?;
        }
        if self.group.as_deref() == Some("") {
            return Err(Error::config("the group's name is empty"));
        }
        if self.batching.rows == 0 || self.batching.bytes == 0 {
            return Err(Error::config(
                "a batch needs room for at least one row and one byte",
            ));
        }
        check_duration("startup timeout", self.startup_timeout)?;
        check_duration("revoke timeout", self.revoke_timeout)?;
        let explicit = match &self.subscription {
            Subscription::Partitions(partitions) => partitions.as_slice(),
            Subscription::Topics(_) => &[],
        };
        for start in explicit
            .iter()
            .filter_map(|wanted| wanted.start.as_ref())
            .chain([&self.start])
        {
            start.validate(self.group.is_some())?;
        }
        self.end.validate()?;
        let Some(dead_letters) = &self.dead_letters else {
            return Ok(());
        };
        dead_letters.validate()?;
        if self.subscription.reads(&dead_letters.topic) {
            return Err(Error::config(format!(
                "dead letters would go to topic {}, which is read itself ({}): each would come back as a bad message, \
                 for ever",
                dead_letters.topic, self.subscription
            )));
        }
        Ok(())
    }
}

/// Where bad messages go.
///
/// Each keeps its key, value and headers (a name that is not UTF-8 with replacement characters) and
/// its time. These headers are added, all as text: `__connect.errors.topic`, `.partition`,
/// `.offset`, `.connector.name`, `.task.id`, `.stage` (`KEY_CONVERTER` or `VALUE_CONVERTER`),
/// `.class.name`, `.exception.class.name` and `.exception.message`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterOptions {
    /// The topic. It has to exist, unless the brokers make it.
    pub topic: String,
    /// Properties of the producer. The source's own properties are taken as well; these win.
    pub properties: Properties,
    /// How long a batch waits for the delivery of its dead letters.
    pub timeout: Duration,
    /// What is in `__connect.errors.connector.name`.
    pub name: String,
}

impl DeadLetterOptions {
    /// Dead letters to `topic`.
    pub fn new(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            properties: Properties::default(),
            timeout: Duration::from_secs(30),
            name: "sabot".to_owned(),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.timeout.is_zero() {
            return Err(Error::config("dead letters need some time to be delivered"));
        }
        check_duration("time for dead letters", self.timeout)?;
        check_topic(&self.topic)
    }
}

/// Refuses durations that librdkafka's 32-bit milliseconds, or a clock, might not hold.
pub(crate) fn check_duration(what: &str, duration: Duration) -> Result<(), Error> {
    if duration > LONGEST_WAIT {
        return Err(Error::config(format!("the {what} is longer than a day")));
    }
    Ok(())
}

/// The longest time that anything waits for.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// When a batch ends: at whichever comes first.
///
/// It also ends when the source is stopped, at a bounded source's end, and when partitions have to
/// be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batching {
    /// Records read for it. Rows that are skipped or dropped count, so a batch may have fewer rows,
    /// never more.
    pub rows: usize,
    /// Bytes gathered in its columns. The last slice of records may exceed it.
    pub bytes: usize,
    /// Time since its first record.
    pub linger: Duration,
}

impl Default for Batching {
    fn default() -> Self {
        Self {
            rows: 65_536,
            bytes: 32 << 20,
            linger: Duration::from_millis(500),
        }
    }
}
