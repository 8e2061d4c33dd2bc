//! One error for everything that the facade does.

use std::error::Error as StdError;
use std::fmt;

use sabot_decode::{FetchError, PlanError};

use crate::{BadRow, Part, SchemaKey};

/// What went wrong. It displays as one line; [`Error::kind`] is what a program branches on, and the
/// source has the rest. `Debug` is for people as well, since that is what `main` prints of an
/// error: the same line, and the causes after it.
pub struct Error(Box<ErrorInner>);

enum ErrorInner {
    Config(String),
    #[cfg(feature = "kafka")]
    Kafka(sabot_kafka::Error),
    Registry(sabot_registry::Error),
    Schema(Part, PlanError),
    Fetch(FetchError),
    BadPayload(BadRow),
    Internal(String),
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The options contradict each other, or a property is refused.
    Config,
    /// No broker, or no registry, answered in time.
    Unreachable,
    /// A broker or the registry refused the credentials, or the right to do it.
    Denied,
    /// A topic or partition does not exist.
    UnknownTopic,
    /// The registry has no such subject, version or schema.
    NotFound,
    /// A partition has no committed offset, or its offset is out of range, and the options ask to
    /// fail then.
    NoOffset,
    /// The reader schema cannot be used, or the one schema of all messages cannot be resolved onto
    /// it.
    Schema,
    /// A message is bad and the policy is [`crate::OnError::Fail`]. The stream stays before it.
    BadRecord,
    /// A writer schema could not be fetched. The stream stays before the record; the next call asks
    /// again.
    SchemaUnavailable,
    /// The registry answered with an error, or with something that cannot be understood.
    Registry,
    /// A dead letter could not be delivered. Its batch is kept back; the next call tries again.
    DeadLetter,
    /// Offsets could not be committed.
    Commit,
    /// A message could not be produced.
    Produce,
    /// The stream was stopped before it was open.
    Stopped,
    /// Something that cannot be recovered from. The stream is at its end.
    Fatal,
    /// A fault of the program.
    Internal,
}

impl Error {
    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            ErrorInner::Config(_) => ErrorKind::Config,
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => of_kafka(error.kind()),
            ErrorInner::Registry(error) => of_registry(error),
            ErrorInner::Schema(..) => ErrorKind::Schema,
            ErrorInner::Fetch(_) => ErrorKind::SchemaUnavailable,
            ErrorInner::BadPayload(_) => ErrorKind::BadRecord,
            ErrorInner::Internal(_) => ErrorKind::Internal,
        }
    }

    /// True if the same call may succeed later, and a stream has kept its place.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &*self.0 {
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => error.is_retryable(),
            ErrorInner::Registry(error) => error.is_retryable(),
            ErrorInner::Fetch(_) => true,
            _ => false,
        }
    }

    /// The record in question, for [`ErrorKind::BadRecord`].
    #[must_use]
    pub fn bad_row(&self) -> Option<&BadRow> {
        match &*self.0 {
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => error.bad_row(),
            ErrorInner::BadPayload(bad) => Some(bad),
            _ => None,
        }
    }

    /// The topic, where there is one.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        match &*self.0 {
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => error.topic(),
            _ => None,
        }
    }

    /// The partition, where there is one.
    #[must_use]
    pub fn partition(&self) -> Option<i32> {
        match &*self.0 {
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => error.partition(),
            _ => None,
        }
    }

    /// The offset of the record in question, where there is one.
    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        match &*self.0 {
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => error.offset(),
            _ => None,
        }
    }

    /// The writer schema in question, where there is one.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaKey> {
        match &*self.0 {
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => error.schema(),
            ErrorInner::Fetch(FetchError::Unknown { key, .. } | FetchError::Unavailable { key, .. }) => {
                Some(*key)
            }
            ErrorInner::BadPayload(bad) => Some(bad.schema),
            _ => None,
        }
    }

    #[cold]
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self(Box::new(ErrorInner::Config(message.into())))
    }

    #[cold]
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self(Box::new(ErrorInner::Internal(message.into())))
    }

    #[cold]
    pub(crate) fn plan(part: Part, error: PlanError) -> Self {
        Self(Box::new(ErrorInner::Schema(part, error)))
    }

    #[cold]
    pub(crate) fn fetch(error: FetchError) -> Self {
        Self(Box::new(ErrorInner::Fetch(error)))
    }

    #[cold]
    pub(crate) fn bad_payload(bad: BadRow) -> Self {
        Self(Box::new(ErrorInner::BadPayload(bad)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            ErrorInner::Config(message) | ErrorInner::Internal(message) => f.write_str(message),
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => error.fmt(f),
            ErrorInner::Registry(error) => error.fmt(f),
            ErrorInner::Schema(part, error) => write!(f, "the schema of the {part}s cannot be used: {error}"),
            ErrorInner::Fetch(error) => error.fmt(f),
            ErrorInner::BadPayload(bad) => write!(f, "payload {}: {}", bad.offset, bad.reason()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_causes(self))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // The text of the inner error is this error's own text, so its cause comes next.
        match &*self.0 {
            ErrorInner::Config(_) | ErrorInner::Internal(_) | ErrorInner::BadPayload(_) => None,
            ErrorInner::Fetch(error) => error.source(),
            #[cfg(feature = "kafka")]
            ErrorInner::Kafka(error) => error.source(),
            ErrorInner::Registry(error) => error.source(),
            ErrorInner::Schema(_, error) => error.source(),
        }
    }
}

#[cfg(feature = "kafka")]
impl From<sabot_kafka::Error> for Error {
    fn from(error: sabot_kafka::Error) -> Self {
        Self(Box::new(ErrorInner::Kafka(error)))
    }
}

impl From<sabot_registry::Error> for Error {
    fn from(error: sabot_registry::Error) -> Self {
        Self(Box::new(ErrorInner::Registry(error)))
    }
}

#[cfg(feature = "kafka")]
fn of_kafka(kind: sabot_kafka::ErrorKind) -> ErrorKind {
    use sabot_kafka::ErrorKind as Kafka;
    match kind {
        Kafka::Config => ErrorKind::Config,
        Kafka::Unreachable => ErrorKind::Unreachable,
        Kafka::Denied => ErrorKind::Denied,
        Kafka::UnknownTopic => ErrorKind::UnknownTopic,
        Kafka::NoOffset => ErrorKind::NoOffset,
        Kafka::BadRecord => ErrorKind::BadRecord,
        Kafka::SchemaUnavailable => ErrorKind::SchemaUnavailable,
        Kafka::DeadLetter => ErrorKind::DeadLetter,
        Kafka::Commit => ErrorKind::Commit,
        Kafka::Produce => ErrorKind::Produce,
        Kafka::Stopped => ErrorKind::Stopped,
        Kafka::Fatal => ErrorKind::Fatal,
        _ => ErrorKind::Internal,
    }
}

fn of_registry(error: &sabot_registry::Error) -> ErrorKind {
    use sabot_registry::ErrorKind as Registry;
    match error.kind() {
        Registry::Configuration => ErrorKind::Config,
        Registry::NotFound => ErrorKind::NotFound,
        Registry::Unreachable | Registry::Timeout => ErrorKind::Unreachable,
        Registry::Unauthorized => ErrorKind::Denied,
        _ => ErrorKind::Registry,
    }
}

/// An error's text and those of its causes, each once: many errors repeat their cause in their own
/// text.
///
/// ```
/// use std::io::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::NotFound, "no such topic");
/// assert_eq!(sabot::with_causes(&error), "no such topic");
/// ```
#[must_use]
pub fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error and its cause.
    #[derive(Debug)]
    struct Because(&'static str, Option<Box<Self>>);

    impl fmt::Display for Because {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Because {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn debug_is_the_message_and_its_causes_each_once() {
        let error = Error::config("no topic is given");
        assert_eq!(format!("{error:?}"), "no topic is given");
        let pipe = Because("the pipe broke", None);
        let connection = Because("no connection: the pipe broke", Some(Box::new(pipe)));
        let error = Because("no answer", Some(Box::new(connection)));
        assert_eq!(with_causes(&error), "no answer: no connection: the pipe broke");
    }
}
