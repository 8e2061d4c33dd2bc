//! What goes into a decoder.

use sabot_wire::{MessagePath, SchemaKey};

use crate::RowErrorKind;

/// One message's key or value with its framing taken off. It borrows the message's bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a driver builds one for each key and value"
)]
pub struct Payload<'a> {
    /// The writer schema's key.
    pub key: SchemaKey,
    /// Which message of the schema; meaningful for protobuf alone.
    pub path: MessagePath<'a>,
    /// What there is to decode.
    pub body: Body<'a>,
    /// Bytes of framing that stood before the body. The driver adds them to [`crate::RowError::byte_offset`].
    pub prefix_bytes: u32,
}

impl<'a> Payload<'a> {
    /// An unframed payload without a schema of its own.
    #[must_use]
    pub const fn unframed(bytes: &'a [u8]) -> Self {
        Self::with_key(SchemaKey::Absent, bytes)
    }

    /// A body written with the schema `key`.
    #[must_use]
    pub const fn with_key(key: SchemaKey, bytes: &'a [u8]) -> Self {
        Self {
            key,
            path: MessagePath::FIRST,
            body: Body::Bytes(bytes),
            prefix_bytes: 0,
        }
    }

    /// A null key or value.
    #[must_use]
    pub const fn tombstone() -> Self {
        Self {
            key: SchemaKey::Absent,
            path: MessagePath::FIRST,
            body: Body::Tombstone,
            prefix_bytes: 0,
        }
    }

    /// A payload that is known to be bad before it reaches a decoder, and still takes its slot.
    #[must_use]
    pub const fn refused(key: SchemaKey, kind: RowErrorKind) -> Self {
        Self {
            key,
            path: MessagePath::FIRST,
            body: Body::Refused(kind),
            prefix_bytes: 0,
        }
    }
}

/// What a payload holds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a decoder has to treat every case")]
pub enum Body<'a> {
    /// Bytes to decode; possibly none.
    Bytes(&'a [u8]),
    /// Kafka's null: a valid slot whose every column is null (or a placeholder where null is not allowed).
    Tombstone,
    /// Already found bad, by the frame or by its schema: the decoder reports this error at byte 0 and gives it an
    /// invalid slot.
    Refused(RowErrorKind),
}
