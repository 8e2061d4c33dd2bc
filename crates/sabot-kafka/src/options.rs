//! What a source is asked to do.

use std::time::Duration;

use sabot_wire::Framing;

use crate::subscription::check_posix;
use crate::{DeadLetterOptions, Error, Properties, Stopper, Subscription};

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
    /// The consumer group. Without one, nothing is shared with other consumers and nothing is committed.
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
    /// Properties of librdkafka. They win over everything that the source sets by itself, but for the few that it
    /// cannot do without: it refuses those.
    pub properties: Properties,
    /// Where records go that the assembler's policy makes dead letters. It takes effect with
    /// [`sabot_assemble::OnError::DeadLetter`].
    pub dead_letters: Option<DeadLetterOptions>,
    /// How long opening, and [`crate::Source::commit`], wait for a broker to answer.
    pub startup_timeout: Duration,
    /// How long a partition that another member is to have is held for batches that are not acknowledged yet. While it
    /// lasts, the whole group waits. Closing waits so long for the brokers, too.
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

    /// How long a commit that is in somebody's way waits for its answer. Acknowledgements may be given no time, but
    /// brokers need some.
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

/// Refuses durations that librdkafka's 32-bit milliseconds, or a clock, might not hold.
pub(crate) fn check_duration(what: &str, duration: Duration) -> Result<(), Error> {
    if duration > LONGEST_WAIT {
        return Err(Error::config(format!("the {what} is longer than a day")));
    }
    Ok(())
}

/// The longest time that anything waits for.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Where to begin in a partition.
///
/// With a group and a subscription to topics, a committed offset always goes first, and this is for partitions without
/// one: otherwise each rebalance would begin anew. In all other cases it is followed as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Start {
    /// At the oldest record.
    #[default]
    Earliest,
    /// Behind the newest record.
    Latest,
    /// At the group's committed offset. It needs a group.
    Committed(Fallback),
    /// At this offset, in each partition: at the oldest record if it is deleted, at the end if it does not exist yet.
    Offset(i64),
    /// So many offsets before the end, in each partition.
    Last(u64),
    /// At the first record of this time or later, in milliseconds since 1970-01-01T00:00:00Z; behind the newest if
    /// there is none.
    Timestamp(i64),
    /// By topic and partition. Partitions not listed begin at the oldest record.
    Partitions(Vec<(String, i32, i64)>),
}

/// Where to begin if nothing is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fallback {
    /// At the oldest record.
    #[default]
    Earliest,
    /// Behind the newest record.
    Latest,
    /// Nowhere: it is an error.
    Fail,
}

impl Start {
    fn validate(&self, group: bool) -> Result<(), Error> {
        match self {
            Self::Committed(_) if !group => Err(Error::config("to begin at committed offsets needs a group")),
            Self::Offset(offset) if *offset < 0 => Err(Error::config(format!(
                "there is no offset {offset}: to begin before the end, use the last N"
            ))),
            Self::Timestamp(ms) if *ms < 0 => {
                Err(Error::config(format!("the start time {ms} ms is before 1970")))
            }
            Self::Partitions(starts) => match starts.iter().find(|(_, _, offset)| *offset < 0) {
                Some((topic, partition, offset)) => Err(Error::config(format!(
                    "{topic}[{partition}] has no offset {offset}"
                ))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// Where to end.
///
/// A bounded source ends each partition when its *position* has reached the end: deleted, compacted and control records
/// are passed over, and an empty partition ends at once. It gives out its last batch without lingering. As a group member,
/// it ends when every partition that it was given has ended. A member that was given none waits: it gets the partitions of
/// whoever leaves, and ends with those. It cannot know that it is not needed, for a member that comes later is also given
/// nothing until the others have let go of its share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum End {
    /// Never: the source waits for more.
    #[default]
    Never,
    /// At the end that each partition has when the source comes to read it.
    AtStart,
    /// Before the first record of this time or later, in milliseconds since 1970-01-01T00:00:00Z; where there is none
    /// yet, as [`End::AtStart`].
    Timestamp(i64),
    /// Before these offsets, by topic and partition. Partitions not listed end as with [`End::AtStart`].
    Offsets(Vec<(String, i32, i64)>),
    /// After so many messages, bad and dropped ones included, counted over all partitions. Not one more is covered by
    /// a batch, so none can be acknowledged unseen. The source waits until there are as many.
    Messages(u64),
    /// As [`End::Messages`], and no later than with [`End::AtStart`].
    MessagesAtStart(u64),
}

impl End {
    fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Timestamp(ms) if *ms < 0 => {
                Err(Error::config(format!("the end time {ms} ms is before 1970")))
            }
            Self::Offsets(ends) => match ends.iter().find(|(_, _, offset)| *offset < 0) {
                Some((topic, partition, offset)) => Err(Error::config(format!(
                    "{topic}[{partition}] has no offset {offset}"
                ))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The most messages to read.
    pub(crate) fn messages(&self) -> Option<u64> {
        match self {
            Self::Messages(most) | Self::MessagesAtStart(most) => Some(*most),
            _ => None,
        }
    }

    /// True if each partition has an end of its own.
    pub(crate) fn bounds_partitions(&self) -> bool {
        !matches!(self, Self::Never | Self::Messages(_))
    }
}

/// When a batch ends: at whichever comes first.
///
/// It also ends when the source is stopped, at a bounded source's end, and when partitions have to be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batching {
    /// Records read for it. Rows that are skipped or dropped count, so a batch may have fewer rows, never more.
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
