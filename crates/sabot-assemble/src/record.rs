//! What goes into an assembler: one message with its coordinates.

use std::fmt;
use std::sync::Arc;

use sabot_decode::Payload;

/// One Kafka message, borrowed from the client's buffer.
///
/// The framing of key and value is off already; a payload whose frame is malformed comes as
/// [`sabot_decode::Body::Refused`], so that it still takes its row.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a driver builds one for each message")]
pub struct Record<'a> {
    /// The topic. Messages of one topic should share one `Arc`: then a row costs a pointer comparison.
    pub topic: &'a Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The offset within the partition.
    pub offset: i64,
    /// The message's time, where it has one.
    pub timestamp: Option<Timestamp>,
    /// The key to decode. It is ignored by an assembler without a key decoder.
    pub key: Payload<'a>,
    /// The value to decode.
    pub value: Payload<'a>,
    /// The key as it came, framing included: for the `_key` column.
    pub raw_key: Option<&'a [u8]>,
    /// The value as it came, framing included: for the `_raw` column.
    pub raw_value: Option<&'a [u8]>,
    /// The headers; `None` where there are none. They are visited only where a column asks for them.
    pub headers: Option<&'a dyn Headers>,
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("topic", self.topic)
            .field("partition", &self.partition)
            .field("offset", &self.offset)
            .field("timestamp", &self.timestamp)
            .field("key", &self.key)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

/// A message's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a driver builds one for each message")]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub ms: i64,
    /// Who set it.
    pub kind: TimestampKind,
}

/// Who set a message's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "Kafka's message format has these two")]
pub enum TimestampKind {
    /// The producer.
    Create,
    /// The broker, on appending the message to its log.
    LogAppend,
}

/// A message's headers, in whatever form the client keeps them.
pub trait Headers {
    /// Calls `each` with the name and value of every header, in order, duplicates and nulls included. A name may be
    /// anything but need not be UTF-8.
    #[expect(
        clippy::type_complexity,
        reason = "a name for this type would hide what it takes"
    )]
    fn visit(&self, each: &mut dyn FnMut(&[u8], Option<&[u8]>));
}

/// Headers as a slice of names and values.
impl Headers for &[(&[u8], Option<&[u8]>)] {
    fn visit(&self, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) {
        for (name, value) in *self {
            each(name, *value);
        }
    }
}
