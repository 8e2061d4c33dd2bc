//! Subject name strategies: under which subject the schema of a topic's key or value is registered.

use std::fmt;

use thiserror::Error;

use crate::{Context, Subject};

/// The key or the value of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a message has a key and a value and nothing else with a schema"
)]
pub enum MessagePart {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl fmt::Display for MessagePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Value => "value",
        })
    }
}

/// How a producer forms the subject for a message's schema, by the names of Confluent's strategies.
///
/// ```
/// use sabot_schema::{MessagePart, SubjectNameStrategy};
/// let by_topic = SubjectNameStrategy::TopicName;
/// assert_eq!(by_topic.subject("orders", MessagePart::Key, None)?.to_string(), "orders-key");
/// let by_both = SubjectNameStrategy::TopicRecordName;
/// assert_eq!(by_both.subject("orders", MessagePart::Value, Some("shop.Order"))?.to_string(), "orders-shop.Order");
/// # Ok::<_, sabot_schema::MissingRecordName>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum SubjectNameStrategy {
    /// `<topic>-key` or `<topic>-value`.
    #[default]
    TopicName,
    /// The full name of the record (Avro), message (Protobuf) or title (JSON Schema).
    RecordName,
    /// `<topic>-<record name>`.
    TopicRecordName,
}

/// The strategy names subjects after records, and the schema has no record name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the subject name strategy needs a record name, and the schema has none")]
#[expect(clippy::exhaustive_structs, reason = "it says only that it happened")]
pub struct MissingRecordName;

impl SubjectNameStrategy {
    /// The subject in the default context. `record` is the full name of the schema's record.
    ///
    /// # Errors
    ///
    /// [`MissingRecordName`] where the strategy needs `record` and it is `None`.
    pub fn subject(
        self,
        topic: &str,
        part: MessagePart,
        record: Option<&str>,
    ) -> Result<Subject, MissingRecordName> {
        let name = match self {
            Self::TopicName => format!("{topic}-{part}"),
            Self::RecordName => record.ok_or(MissingRecordName)?.to_owned(),
            Self::TopicRecordName => format!("{topic}-{}", record.ok_or(MissingRecordName)?),
        };
        Ok(Subject::new(Context::default(), name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_name_subjects_as_confluent_does() {
        use MessagePart::{Key, Value};
        use SubjectNameStrategy::{RecordName, TopicName, TopicRecordName};
        for (strategy, part, record, expected) in [
            (TopicName, Key, None, Some("t-key")),
            (TopicName, Value, Some("a.B"), Some("t-value")),
            (RecordName, Key, Some("a.B"), Some("a.B")),
            (RecordName, Value, None, None),
            (TopicRecordName, Value, Some("a.B"), Some("t-a.B")),
            (TopicRecordName, Key, None, None),
        ] {
            let subject = strategy
                .subject("t", part, record)
                .ok()
                .map(|subject| subject.to_string());
            assert_eq!(subject.as_deref(), expected, "{strategy:?}");
        }
    }
}
