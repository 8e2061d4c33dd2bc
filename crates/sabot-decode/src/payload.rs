//! What goes into a decoder.

use sabot_wire::{Framing, MessagePath, SchemaKey};

use crate::RowErrorKind;

/// One message's key or value with its framing taken off. It borrows the message's bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a caller builds one for each key and value"
)]
pub struct Payload<'a> {
    /// The writer schema's key.
    pub key: SchemaKey,
    /// Which message of the schema; meaningful for protobuf alone.
    pub path: MessagePath<'a>,
    /// What there is to decode.
    pub body: Body<'a>,
    /// Bytes of framing that came before the body. The caller adds them to
    /// [`crate::RowError::byte_offset`].
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

    /// A key or value as it comes from Kafka, its frame taken off; `header` is as for
    /// [`Framing::split`]. A malformed frame makes a payload that is refused.
    ///
    /// ```
    /// use sabot_decode::{Body, Framing, Payload, SchemaKey};
    ///
    /// let payload = Payload::framed(Framing::Confluent, None, Some(b"\0\0\0\0\x07body"));
    /// assert_eq!((payload.key, payload.body), (SchemaKey::Id(7), Body::Bytes(b"body")));
    /// assert_eq!(Payload::framed(Framing::Confluent, None, None).body, Body::Tombstone);
    /// assert!(matches!(Payload::framed(Framing::Confluent, None, Some(b"{}")).body, Body::Refused(_)));
    /// ```
    #[inline]
    #[must_use]
    pub fn framed(framing: Framing, header: Option<&'a [u8]>, bytes: Option<&'a [u8]>) -> Self {
        let Some(bytes) = bytes else {
            return Self::tombstone();
        };
        match framing.split(header, bytes) {
            Ok(frame) => Self {
                key: frame.key,
                path: frame.path,
                body: Body::Bytes(frame.body),
                prefix_bytes: frame.prefix_bytes,
            },
            Err(cause) => Self::refused(SchemaKey::Absent, RowErrorKind::Frame(cause)),
        }
    }

    /// Appends a payload for each message: [`Payload::framed`] for many at once, none of which has
    /// a header. They may be slices, or options of slices where some are null.
    ///
    /// ```
    /// use sabot_decode::{Framing, Payload};
    ///
    /// let messages = [b"\0\0\0\0\x07one".as_slice(), b"\0\0\0\0\x07two", b"broken"];
    /// let mut payloads = Vec::new();
    /// Payload::extend_framed(&mut payloads, Framing::Confluent, messages);
    /// assert_eq!(payloads[1], Payload::framed(Framing::Confluent, None, Some(messages[1])));
    /// assert_eq!(payloads.len(), 3);
    /// ```
    #[inline]
    pub fn extend_framed(
        payloads: &mut Vec<Self>,
        framing: Framing,
        messages: impl IntoIterator<Item: Into<Option<&'a [u8]>>>,
    ) {
        for message in messages {
            let message = message.into();
            match (framing, message.and_then(sabot_wire::split_id)) {
                // What nearly all are goes to its place at once. With the others it would meet on
                // the stack, from where it can only be copied when all its parts have been written.
                (Framing::Confluent, Some((id, body))) => payloads.push(Self {
                    key: SchemaKey::Id(id),
                    path: MessagePath::FIRST,
                    body: Body::Bytes(body),
                    prefix_bytes: sabot_wire::ID_PREFIX_BYTES,
                }),
                _ => payloads.push(Self::framed(framing, None, message)),
            }
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
    /// Kafka's null: a valid slot whose every column is null (or a placeholder where null is not
    /// allowed).
    Tombstone,
    /// Already found bad, by the frame or by its schema: the decoder reports this error at byte 0
    /// and gives it an invalid slot.
    Refused(RowErrorKind),
}
