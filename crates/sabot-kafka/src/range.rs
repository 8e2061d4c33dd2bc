//! From where to where a source reads.

use crate::Error;

/// Where to begin in a partition.
///
/// With a group and a subscription to topics, a committed offset always goes first, and this is for
/// partitions without one: otherwise each rebalance would begin anew. In all other cases it is
/// followed as it is.
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
    /// At this offset, in each partition: at the oldest record if it is deleted, at the end if it
    /// does not exist yet.
    Offset(i64),
    /// So many offsets before the end, in each partition.
    Last(u64),
    /// At the first record of this time or later, in milliseconds since 1970-01-01T00:00:00Z;
    /// after the newest if there is none.
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
    pub(crate) fn validate(&self, group: bool) -> Result<(), Error> {
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
/// A bounded source ends each partition when its *position* has reached the end: deleted, compacted
/// and control records are passed over, and an empty partition ends at once. It gives out its last
/// batch without lingering. As a group member, it ends when every partition that it was given has
/// ended. A member that was given none waits: it gets the partitions of whoever leaves, and ends
/// with those. It cannot know that it is not needed, for a member that comes later is also given
/// nothing until the others have let go of its share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum End {
    /// Never: the source waits for more.
    #[default]
    Never,
    /// At the end that each partition has when the source comes to read it.
    AtStart,
    /// Before the first record of this time or later, in milliseconds since 1970-01-01T00:00:00Z;
    /// where there is none yet, as [`End::AtStart`].
    Timestamp(i64),
    /// Before these offsets, by topic and partition. Partitions not listed end as with
    /// [`End::AtStart`].
    Offsets(Vec<(String, i32, i64)>),
    /// After so many messages, bad and dropped ones included, counted over all partitions. Not one
    /// more is covered by a batch, so none can be acknowledged unseen. The source waits until there
    /// are as many.
    Messages(u64),
    /// As [`End::Messages`], and no later than with [`End::AtStart`].
    MessagesAtStart(u64),
}

impl End {
    pub(crate) fn validate(&self) -> Result<(), Error> {
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
