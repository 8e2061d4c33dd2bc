//! The crate's one error.
//!
//! Opaque: a kind to branch on, coordinates where they are known, a text that says what to do about
//! it, and a source. No foreign type shows, and no property value that might be a secret.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use sabot_assemble::BadRow;
use sabot_decode::{FetchError, SchemaKey};

/// What went wrong with a source, a producer or an administrative call.
///
/// It displays as one line with everything that is known. [`Error::kind`] is what a program
/// branches on.
#[derive(Debug)]
pub struct Error(Box<ErrorInner>);

#[derive(Debug)]
struct ErrorInner {
    kind: ErrorKind,
    message: String,
    topic: Option<Arc<str>>,
    partition: Option<i32>,
    offset: Option<i64>,
    schema: Option<SchemaKey>,
    bad_row: Option<Box<BadRow>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The options contradict each other, or librdkafka refuses a property.
    Config,
    /// No broker answered in time.
    Unreachable,
    /// A broker refused the credentials, or the right to do it.
    Denied,
    /// A topic or partition does not exist.
    UnknownTopic,
    /// A partition has no committed offset, or its offset is out of range, and the options ask to
    /// fail then.
    NoOffset,
    /// A record is bad and the policy is to fail. The source stays before it; [`Error::bad_row`]
    /// has the details.
    BadRecord,
    /// A writer schema could not be fetched. The source stays before the record; the next call asks
    /// again.
    SchemaUnavailable,
    /// A dead letter could not be delivered. Its batch is kept back; the next call tries again.
    DeadLetter,
    /// Offsets could not be committed.
    Commit,
    /// A message could not be produced.
    Produce,
    /// The source was stopped before it was open.
    Stopped,
    /// librdkafka or a broker reported something that cannot be recovered from. The source is at
    /// its end.
    Fatal,
    /// Columns did not fit together: a fault of the program.
    Internal,
}

impl Error {
    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The topic, where there is one.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }

    /// The partition, where there is one.
    #[must_use]
    pub fn partition(&self) -> Option<i32> {
        self.0.partition
    }

    /// The offset of the record in question, where there is one.
    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        self.0.offset
    }

    /// The writer schema in question, where there is one.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaKey> {
        self.0.schema
    }

    /// The record in question, for [`ErrorKind::BadRecord`].
    #[must_use]
    pub fn bad_row(&self) -> Option<&BadRow> {
        self.0.bad_row.as_deref()
    }

    /// True if the same call may succeed later and the source has kept its place.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Unreachable | ErrorKind::SchemaUnavailable | ErrorKind::DeadLetter | ErrorKind::Commit
        )
    }

    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorInner {
            kind,
            message: message.into(),
            topic: None,
            partition: None,
            offset: None,
            schema: None,
            bad_row: None,
            source: None,
        }))
    }

    #[cold]
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// An error of librdkafka, while doing `what`. The kind follows from the code where the code
    /// says more than `kind` does.
    #[cold]
    pub(crate) fn kafka(kind: ErrorKind, what: &str, cause: &KafkaError) -> Self {
        let code = cause.rdkafka_error_code();
        let kind = code.and_then(kind_of).unwrap_or(kind);
        let text = code.map_or_else(|| cause.to_string(), |code| code.to_string());
        Self::new(kind, format!("{what}: {text}"))
    }

    #[cold]
    pub(crate) fn bad_record(bad: Box<BadRow>) -> Self {
        let mut error = Self::new(ErrorKind::BadRecord, format!("bad message: {}", bad.reason())).at(
            &bad.topic,
            bad.partition,
            Some(bad.offset),
        );
        error.0.schema = Some(bad.schema);
        error.0.bad_row = Some(bad);
        error
    }

    #[cold]
    pub(crate) fn unavailable(cause: FetchError) -> Self {
        let (FetchError::Unknown { key, .. } | FetchError::Unavailable { key, .. }) = &cause;
        let key = *key;
        let mut error = Self::new(ErrorKind::SchemaUnavailable, cause.to_string());
        error.0.schema = Some(key);
        error.with_source(cause)
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn at(mut self, topic: &Arc<str>, partition: i32, offset: Option<i64>) -> Self {
        self.0.topic = Some(Arc::clone(topic));
        self.0.partition = Some(partition);
        self.0.offset = offset;
        self
    }

    pub(crate) fn in_topic(mut self, topic: &str) -> Self {
        self.0.topic = Some(Arc::from(topic));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        // An error about a partition begins with its place; an error about a topic alone names it
        // in its text.
        if let (Some(topic), Some(partition)) = (&inner.topic, inner.partition) {
            write!(f, "{topic}[{partition}]")?;
            if let Some(offset) = inner.offset {
                write!(f, " at offset {offset}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&inner.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// The kind that a code of librdkafka stands for, if it stands for one that is worth telling apart.
pub(crate) fn kind_of(code: Code) -> Option<ErrorKind> {
    Some(match code {
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::OperationTimedOut
        | Code::TimedOutQueue => ErrorKind::Unreachable,
        Code::Authentication
        | Code::SSL
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed => ErrorKind::Denied,
        Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition | Code::InvalidTopic => {
            ErrorKind::UnknownTopic
        }
        Code::NoOffset | Code::AutoOffsetReset | Code::OffsetOutOfRange => ErrorKind::NoOffset,
        Code::Fatal => ErrorKind::Fatal,
        _ => return None,
    })
}

/// True if a partition cannot be read any further: its next batch is corrupt, or in a compression
/// that is not built in.
pub(crate) fn is_unreadable(code: Code) -> bool {
    matches!(
        code,
        Code::BadMessage
            | Code::BadCompression
            | Code::NotImplemented
            | Code::InvalidMessage
            | Code::MessageSizeTooLarge
            | Code::UnsupportedCompressionType
    )
}

/// True if a group does not take a member like this one, however often it asks.
pub(crate) fn is_refused_by_group(code: Code) -> bool {
    matches!(
        code,
        Code::InconsistentGroupProtocol
            | Code::InvalidGroupId
            | Code::InvalidSessionTimeout
            | Code::GroupMaxSizeReached
    )
}
