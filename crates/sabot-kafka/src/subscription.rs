//! What a source reads: topics, patterns, or partitions that the caller names.

use std::fmt;

use crate::{Error, Start};

/// What a source reads.
///
/// ```
/// use sabot_kafka::{PartitionStart, Start, Subscription};
///
/// let topics = Subscription::topics(["orders", "^audit\\..*"]);
/// assert_eq!(topics.to_string(), "orders, ^audit\\..*");
/// let partitions = Subscription::partitions([PartitionStart::new("orders", 0, Some(Start::Offset(17)))]);
/// assert_eq!(partitions.to_string(), "orders[0]");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subscription {
    /// Topics by name; a name that begins with `^` is a regular expression over all topics' names.
    ///
    /// With a group, its members share the partitions, and topics that come to match later are read
    /// as well. Without one, the source reads all partitions that exist when it opens. A group's
    /// patterns are matched by librdkafka with POSIX extended expressions (by the broker, with
    /// `group.protocol=consumer`). Write `[0-9]` for `\d`, `(` for `(?:`.
    Topics(Vec<String>),
    /// These partitions and no others. They are never shared; with a group, their offsets are
    /// committed to it.
    Partitions(Vec<PartitionStart>),
}

/// One partition, and where to begin in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionStart {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Where to begin; `None` takes the source's own start.
    pub start: Option<Start>,
}

impl PartitionStart {
    /// A partition to read.
    pub fn new(topic: impl Into<String>, partition: i32, start: Option<Start>) -> Self {
        Self {
            topic: topic.into(),
            partition,
            start,
        }
    }
}

impl Subscription {
    /// Topics by name or pattern.
    pub fn topics<T: Into<String>>(topics: impl IntoIterator<Item = T>) -> Self {
        Self::Topics(topics.into_iter().map(Into::into).collect())
    }

    /// Partitions by name and number.
    pub fn partitions(partitions: impl IntoIterator<Item = PartitionStart>) -> Self {
        Self::Partitions(partitions.into_iter().collect())
    }

    /// Whether it takes in `topic`, as far as that shows without a broker.
    pub(crate) fn reads(&self, topic: &str) -> bool {
        match self {
            Self::Topics(topics) => topics.iter().any(|wanted| {
                if is_pattern(wanted) {
                    pattern(wanted).is_ok_and(|pattern| pattern.is_match(topic))
                } else {
                    wanted == topic
                }
            }),
            Self::Partitions(partitions) => partitions.iter().any(|wanted| wanted.topic == topic),
        }
    }

    /// Checks everything that can be checked without a broker.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Topics(topics) => {
                if topics.is_empty() {
                    return Err(Error::config("the subscription names no topic"));
                }
                topics.iter().try_for_each(|topic| {
                    if is_pattern(topic) {
                        pattern(topic).map(drop)
                    } else {
                        check_topic(topic)
                    }
                })
            }
            Self::Partitions(partitions) => {
                if partitions.is_empty() {
                    return Err(Error::config("the subscription names no partition"));
                }
                for (index, wanted) in partitions.iter().enumerate() {
                    check_topic(&wanted.topic)?;
                    if wanted.partition < 0 {
                        return Err(Error::config(format!(
                            "there is no partition {}",
                            wanted.partition
                        )));
                    }
                    let same = |other: &PartitionStart| {
                        other.topic == wanted.topic && other.partition == wanted.partition
                    };
                    if partitions[..index].iter().any(same) {
                        return Err(Error::config(format!(
                            "partition {}[{}] is named twice",
                            wanted.topic, wanted.partition
                        )));
                    }
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topics(topics) => f.write_str(&topics.join(", ")),
            Self::Partitions(partitions) => {
                for (index, wanted) in partitions.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}[{}]", wanted.topic, wanted.partition)?;
                }
                Ok(())
            }
        }
    }
}

/// True for a name that stands for a regular expression.
pub(crate) fn is_pattern(topic: &str) -> bool {
    topic.starts_with('^')
}

/// The expression of a pattern.
pub(crate) fn pattern(topic: &str) -> Result<regex_lite::Regex, Error> {
    regex_lite::Regex::new(topic).map_err(|cause| {
        Error::config(format!("the topic pattern {topic:?} is not a regular expression")).with_source(cause)
    })
}

/// Refuses what POSIX extended expressions read otherwise or not at all: a group's member would
/// wait for a topic to match for ever.
pub(crate) fn check_posix(topic: &str) -> Result<(), Error> {
    let mut last = ' ';
    for next in topic.chars() {
        let is_foreign = match (last, next) {
            ('\\', next) => next.is_alphanumeric(),
            ('(' | '*' | '+' | '?' | '}', '?') => true,
            _ => false,
        };
        if is_foreign {
            return Err(Error::config(format!(
                "the topic pattern {topic:?} holds {last}{next}, which a group's patterns do not know: they are POSIX extended \
                 regular expressions"
            )));
        }
        // An escaped character has no other meaning.
        last = if last == '\\' { ' ' } else { next };
    }
    Ok(())
}

/// Refuses names that Kafka refuses, so that librdkafka never sees a NUL and the error names the
/// topic.
pub(crate) fn check_topic(topic: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if topic.is_empty() || topic.len() > 249 || topic == "." || topic == ".." || !topic.bytes().all(allowed) {
        return Err(Error::config(format!(
            "{topic:?} is not a topic name: it takes 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_cannot_go_to_where_they_come_from() {
        let partition = || Subscription::partitions([PartitionStart::new("orders", 1, None)]);
        for (subscription, topic, is_refused) in [
            (Subscription::topics(["a", "orders"]), "orders", true),
            (Subscription::topics(["orders"]), "orders-dlq", false),
            (Subscription::topics(["^orders"]), "orders-dlq", true),
            (Subscription::topics(["^orders$"]), "orders-dlq", false),
            (partition(), "orders", true),
            (partition(), "orders-dlq", false),
        ] {
            let mut options = crate::SourceOptions::new("b:9092", subscription);
            options.dead_letters = Some(crate::DeadLetterOptions::new(topic));
            let result = options.validate();
            assert_eq!(result.is_err(), is_refused, "{} {topic}", options.subscription);
            if let Err(error) = result {
                assert!(error.to_string().contains("read itself"), "{error}");
            }
        }
    }

    #[test]
    fn names_are_checked_before_a_broker_is_asked() {
        let refused: [Subscription; 8] = [
            Subscription::topics::<&str>([]),
            Subscription::topics([""]),
            Subscription::topics(["with space"]),
            Subscription::topics(["nul\0"]),
            Subscription::topics(["^("]),
            Subscription::partitions([]),
            Subscription::partitions([PartitionStart::new("a", -1, None)]),
            Subscription::partitions([
                PartitionStart::new("a", 0, None),
                PartitionStart::new("a", 0, None),
            ]),
        ];
        for subscription in refused {
            let error = subscription
                .validate()
                .expect_err(&format!("{subscription:?} is refused"));
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{error}");
        }
        Subscription::topics(["a-b_c.D9", "^a.*"]).validate().unwrap();
    }

    #[test]
    fn a_groups_patterns_are_posix() {
        for pattern in [r"^a.*", r"^a\.b", r"^[0-9]+(x|y)?$", r"^a\\?b", r"^\(?a"] {
            check_posix(pattern).unwrap();
        }
        for pattern in [
            r"^a\d",
            r"^(?:a|b)",
            "^a.*?b",
            "^a+?",
            "^a??",
            r"^a{1,2}?",
            r"^\\\d",
        ] {
            let error = check_posix(pattern).expect_err(pattern);
            assert_eq!(error.kind(), crate::ErrorKind::Config, "{error}");
        }
    }
}
