//! Taking a frame off, and putting one on.
//!
//! [`Framing::split`] tries the shapes that nearly all payloads have in one inlined,
//! branch-predictable step, and leaves everything else, errors included, to an outlined function:
//! the common case costs a few compares and one load.

use crate::path;
use crate::varint::Varints;
use crate::{FrameError, Guid, HeaderError, MessagePath, SchemaKey, WriteError};

/// The header in which Confluent's clients name the schema of a message's key.
pub const KEY_SCHEMA_ID_HEADER: &str = "__key_schema_id";
/// The header in which Confluent's clients name the schema of a message's value.
pub const VALUE_SCHEMA_ID_HEADER: &str = "__value_schema_id";

/// How a message's key or value is framed.
///
/// ```
/// use sabot_wire::{Framing, SchemaKey};
///
/// let frame = Framing::Confluent.split(None, &[0, 0, 0, 0, 42, b'b', b'o', b'd', b'y'])?;
/// assert_eq!(frame.key, SchemaKey::Id(42));
/// assert_eq!(frame.body, b"body");
///
/// let error = Framing::Confluent.split(None, b"{\"a\": 1}").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "invalid magic byte 0x7b: the payload is not in the registry's wire format (it looks like JSON)",
/// );
/// # Ok::<(), sabot_wire::FrameError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Framing {
    /// No frame: the whole payload is the body. Headers are not looked at.
    Unframed,
    /// Confluent's wire format for Avro and JSON Schema, in the payload or in a header. Apicurio 3
    /// writes the same by default.
    ///
    /// `00` + u32 id (v0) or `01` + 16-byte GUID (v1), both big-endian, then the body. With a
    /// header, that stands in the header, and the payload is the body alone.
    #[default]
    Confluent,
    /// Confluent's wire format for protobuf: as [`Framing::Confluent`], with message indexes after
    /// the id or GUID.
    ConfluentProtobuf,
    /// As [`Framing::ConfluentProtobuf`], with the message indexes as plain (unsigned) varints, as
    /// Confluent's Python client once wrote them (later with `use.deprecated.format` set). The
    /// bytes do not always tell the two apart.
    ConfluentProtobufPlainVarints,
    /// Apicurio's own format up to version 2, with a *global id*: `00` + i64 big-endian in the
    /// payload, or the i64 alone in a header.
    ApicurioLegacy,
    /// As [`Framing::ApicurioLegacy`], with a *content id* instead.
    ApicurioLegacyContentId,
    /// Avro's single-object encoding: `c3 01` + the u64 fingerprint (CRC-64-AVRO) of the writer
    /// schema, *little-endian*. It has no header.
    AvroSingleObject,
}

/// A payload with its frame taken off. It borrows the payload (and the header, for the message
/// path).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// Which schema wrote the body.
    pub key: SchemaKey,
    /// Which message of that schema; [`MessagePath::FIRST`] for all but protobuf.
    pub path: MessagePath<'a>,
    /// What follows the frame; possibly nothing.
    pub body: &'a [u8],
    /// Bytes of the payload before the body; 0 if the id was in a header.
    pub prefix_bytes: u32,
}

impl Framing {
    /// The name of the header that may name the schema of a message's key; pass its value to
    /// [`Framing::split`].
    ///
    /// If a message has several headers of that name, the last one counts.
    #[must_use]
    pub const fn key_header(self) -> Option<&'static str> {
        match self {
            Self::Unframed | Self::AvroSingleObject => None,
            Self::Confluent | Self::ConfluentProtobuf | Self::ConfluentProtobufPlainVarints => {
                Some(KEY_SCHEMA_ID_HEADER)
            }
            Self::ApicurioLegacy => Some("apicurio.key.globalId"),
            Self::ApicurioLegacyContentId => Some("apicurio.key.contentId"),
        }
    }

    /// The name of the header that may name the schema of a message's value; otherwise as
    /// [`Framing::key_header`].
    #[must_use]
    pub const fn value_header(self) -> Option<&'static str> {
        match self {
            Self::Unframed | Self::AvroSingleObject => None,
            Self::Confluent | Self::ConfluentProtobuf | Self::ConfluentProtobufPlainVarints => {
                Some(VALUE_SCHEMA_ID_HEADER)
            }
            Self::ApicurioLegacy => Some("apicurio.value.globalId"),
            Self::ApicurioLegacyContentId => Some("apicurio.value.contentId"),
        }
    }

    /// Takes the frame off `payload`.
    ///
    /// `header` is the value of the header that [`Framing::key_header`] or
    /// [`Framing::value_header`] names. `None`, for a header that is missing or null, falls back to
    /// the payload. With a header, the payload is the body as it is.
    ///
    /// # Errors
    ///
    /// See [`FrameError`]. The header is never ignored because it is malformed: its body has no
    /// frame either.
    #[inline]
    pub fn split<'a>(self, header: Option<&'a [u8]>, payload: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        let (key, path, body, prefix_bytes) = match (self, header, split_id(payload)) {
            (Self::Confluent, None, Some((id, body))) => {
                (SchemaKey::Id(id), MessagePath::FIRST, body, ID_PREFIX_BYTES)
            }
            (Self::ConfluentProtobuf, None, Some((id, [0, body @ ..]))) => {
                (SchemaKey::Id(id), MessagePath::FIRST, body, ID_PREFIX_BYTES + 1)
            }
            (Self::Unframed, ..) => (SchemaKey::Absent, MessagePath::FIRST, payload, 0),
            _ => {
                // Taken apart, so that the frame of the common case stays in registers: written to
                // memory in parts and read as a whole, it would wait for the writes.
                let frame = self.split_any(header, payload)?;
                (frame.key, frame.path, frame.body, frame.prefix_bytes)
            }
        };
        Ok(Frame {
            key,
            path,
            body,
            prefix_bytes,
        })
    }

    /// Appends to `out` what comes before a body in the payload: nothing for [`Framing::Unframed`].
    ///
    /// Nothing is written if there is an error.
    ///
    /// ```
    /// use sabot_wire::{Framing, MessagePathBuf, SchemaKey};
    ///
    /// let path = MessagePathBuf::new(&[1])?;
    /// let mut payload = Vec::new();
    /// Framing::ConfluentProtobuf.write_prefix(SchemaKey::Id(7), path.as_path(), &mut payload)?;
    /// assert_eq!(payload, [0, 0, 0, 0, 7, 2, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`WriteError`]: the framing cannot carry this key or this path.
    pub fn write_prefix(
        self,
        key: SchemaKey,
        path: MessagePath<'_>,
        out: &mut impl Extend<u8>,
    ) -> Result<(), WriteError> {
        match (self.long_id(key, path)?, key) {
            (Some(id), _) => {
                out.extend([0]);
                out.extend(id.to_be_bytes());
            }
            (None, SchemaKey::Absent) => {}
            (None, SchemaKey::Fingerprint(fingerprint)) => out.extend(fingerprint_prefix(fingerprint)),
            (None, _) => self.write_confluent(key, path, out),
        }
        Ok(())
    }

    /// Appends to `out` the value of the header that goes with an unframed payload.
    ///
    /// Nothing is written if there is an error.
    ///
    /// # Errors
    ///
    /// See [`WriteError`]: the framing cannot carry this key or this path, or, as
    /// [`Framing::Unframed`] and [`Framing::AvroSingleObject`], has no header.
    pub fn write_header(
        self,
        key: SchemaKey,
        path: MessagePath<'_>,
        out: &mut impl Extend<u8>,
    ) -> Result<(), WriteError> {
        match (self.long_id(key, path)?, key) {
            (Some(id), _) => out.extend(id.to_be_bytes()),
            (None, SchemaKey::Absent | SchemaKey::Fingerprint(_)) => return Err(WriteError::Key(key)),
            (None, _) => self.write_confluent(key, path, out),
        }
        Ok(())
    }
}

/// Bytes of [`id_prefix`].
pub const ID_PREFIX_BYTES: u32 = 5;

/// The id of a v0 frame, and what comes after [`id_prefix`]; `None` for any other.
///
/// ```
/// assert_eq!(sabot_wire::split_id(b"\0\0\0\0\x2abody"), Some((42, b"body".as_slice())));
/// assert_eq!(sabot_wire::split_id(b"{}"), None);
/// ```
#[inline(always)]
#[must_use]
pub const fn split_id(payload: &[u8]) -> Option<(u32, &[u8])> {
    match payload {
        [0, a, b, c, d, body @ ..] => Some((u32::from_be_bytes([*a, *b, *c, *d]), body)),
        _ => None,
    }
}

/// The prefix of a v0 frame: `00` + the id, big-endian.
///
/// ```
/// assert_eq!(sabot_wire::id_prefix(42), [0, 0, 0, 0, 42]);
/// ```
#[must_use]
pub const fn id_prefix(id: u32) -> [u8; 5] {
    let [a, b, c, d] = id.to_be_bytes();
    [0, a, b, c, d]
}

/// The prefix of a v1 frame, which is the value of a schema id header too: `01` + the GUID.
#[must_use]
pub const fn guid_prefix(guid: Guid) -> [u8; 17] {
    let mut prefix = [1; 17];
    prefix.split_at_mut(1).1.copy_from_slice(guid.as_bytes());
    prefix
}

/// The prefix of Avro's single-object encoding: `c3 01` + the fingerprint, little-endian.
///
/// ```
/// assert_eq!(sabot_wire::fingerprint_prefix(0x0102), [0xc3, 1, 2, 1, 0, 0, 0, 0, 0, 0]);
/// ```
#[must_use]
pub const fn fingerprint_prefix(fingerprint: u64) -> [u8; 10] {
    let [a, b, c, d, e, f, g, h] = fingerprint.to_le_bytes();
    let [first, second] = SINGLE_OBJECT_MARKER;
    [first, second, a, b, c, d, e, f, g, h]
}

/// What every payload of Avro's single-object encoding begins with: its version 1.
const SINGLE_OBJECT_MARKER: [u8; 2] = [0xc3, 0x01];

/// How the message indexes of `framing` are encoded, if it has any.
const fn varints(framing: Framing) -> Option<Varints> {
    match framing {
        Framing::ConfluentProtobuf => Some(Varints::Zigzag),
        Framing::ConfluentProtobufPlainVarints => Some(Varints::Plain),
        _ => None,
    }
}

impl Framing {
    /// Everything that [`Framing::split`] does not do at once.
    #[inline(never)]
    fn split_any<'a>(self, header: Option<&'a [u8]>, payload: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        let (key, path, body) = match (self, header) {
            (Self::Unframed, _) => (SchemaKey::Absent, MessagePath::FIRST, payload),
            (Self::AvroSingleObject, _) => {
                let (fingerprint, body) = split_fingerprint(payload)?;
                (SchemaKey::Fingerprint(fingerprint), MessagePath::FIRST, body)
            }
            (Self::ApicurioLegacy | Self::ApicurioLegacyContentId, None) => {
                let (id, body) = split_long_id(payload)?;
                (self.long_key(id), MessagePath::FIRST, body)
            }
            (Self::ApicurioLegacy | Self::ApicurioLegacyContentId, Some(header)) => (
                self.long_key(long_id_header(header)?),
                MessagePath::FIRST,
                payload,
            ),
            (Self::Confluent | Self::ConfluentProtobuf | Self::ConfluentProtobufPlainVarints, None) => {
                let (key, rest) = split_key(payload)?;
                let (path, body) = self.split_path(rest)?;
                (key, path, body)
            }
            (
                Self::Confluent | Self::ConfluentProtobuf | Self::ConfluentProtobufPlainVarints,
                Some(header),
            ) => {
                let (key, path) = self.confluent_header(header)?;
                (key, path, payload)
            }
        };
        // A prefix is at most 1 + 16 + 33 * 5 bytes long.
        let prefix_bytes = (payload.len() - body.len()) as u32;
        Ok(Frame {
            key,
            path,
            body,
            prefix_bytes,
        })
    }

    fn split_path(self, bytes: &[u8]) -> Result<(MessagePath<'_>, &[u8]), crate::PathError> {
        match varints(self) {
            None => Ok((MessagePath::FIRST, bytes)),
            Some(Varints::Zigzag) => MessagePath::split(bytes),
            Some(Varints::Plain) => MessagePath::split_plain_varints(bytes),
        }
    }

    fn confluent_header(self, header: &[u8]) -> Result<(SchemaKey, MessagePath<'_>), HeaderError> {
        let (key, rest) = split_key(header).map_err(in_header)?;
        let (path, rest) = self.split_path(rest)?;
        if rest.is_empty() {
            Ok((key, path))
        } else {
            Err(HeaderError::TrailingBytes {
                found_bytes: saturated(rest.len()),
            })
        }
    }

    /// The key that an Apicurio id stands for.
    const fn long_key(self, id: i64) -> SchemaKey {
        match self {
            Self::ApicurioLegacyContentId => SchemaKey::ContentId(id),
            _ => SchemaKey::GlobalId(id),
        }
    }

    /// Checks that `self` can carry both, and returns the id if it is one of 8 bytes.
    fn long_id(self, key: SchemaKey, path: MessagePath<'_>) -> Result<Option<i64>, WriteError> {
        let id = match (self, key) {
            (Self::Unframed, SchemaKey::Absent) | (Self::AvroSingleObject, SchemaKey::Fingerprint(_)) => None,
            (
                Self::Confluent | Self::ConfluentProtobuf | Self::ConfluentProtobufPlainVarints,
                SchemaKey::Id(_) | SchemaKey::Guid(_),
            ) => None,
            (Self::ApicurioLegacy, SchemaKey::GlobalId(id)) => Some(id),
            (Self::ApicurioLegacyContentId, SchemaKey::ContentId(id)) => Some(id),
            _ => return Err(WriteError::Key(key)),
        };
        if varints(self).is_none() && !path.is_first() {
            return Err(WriteError::Path);
        }
        Ok(id)
    }

    fn write_confluent(self, key: SchemaKey, path: MessagePath<'_>, out: &mut impl Extend<u8>) {
        match key {
            SchemaKey::Id(id) => out.extend(id_prefix(id)),
            SchemaKey::Guid(guid) => out.extend(guid_prefix(guid)),
            SchemaKey::Absent
            | SchemaKey::GlobalId(_)
            | SchemaKey::ContentId(_)
            | SchemaKey::Fingerprint(_) => {}
        }
        if let Some(varints) = varints(self) {
            path::write(path, varints, out);
        }
    }
}

/// Takes a v0 id or v1 GUID off the front.
fn split_key(bytes: &[u8]) -> Result<(SchemaKey, &[u8]), FrameError> {
    match bytes {
        [] => Err(FrameError::Empty),
        [0, rest @ ..] => match rest.split_first_chunk() {
            Some((id, rest)) => Ok((SchemaKey::Id(u32::from_be_bytes(*id)), rest)),
            None => Err(FrameError::TruncatedId {
                found_bytes: rest.len() as u8,
            }),
        },
        [1, rest @ ..] => match rest.split_first_chunk() {
            Some((guid, rest)) => Ok((SchemaKey::Guid(Guid::from_bytes(*guid)), rest)),
            None => Err(FrameError::TruncatedGuid {
                found_bytes: rest.len() as u8,
            }),
        },
        [magic, ..] => Err(FrameError::InvalidMagicByte(*magic)),
    }
}

fn split_fingerprint(payload: &[u8]) -> Result<(u64, &[u8]), FrameError> {
    match payload {
        [] => Err(FrameError::Empty),
        [0xc3] => Err(FrameError::TruncatedFingerprint { found_bytes: 0 }),
        [0xc3, 0x01, rest @ ..] => match rest.split_first_chunk() {
            Some((fingerprint, body)) => Ok((u64::from_le_bytes(*fingerprint), body)),
            None => Err(FrameError::TruncatedFingerprint {
                found_bytes: rest.len() as u8,
            }),
        },
        [0xc3, version, ..] => Err(FrameError::UnknownSingleObjectVersion(*version)),
        [first, ..] => Err(FrameError::InvalidMarker(*first)),
    }
}

fn split_long_id(payload: &[u8]) -> Result<(i64, &[u8]), FrameError> {
    match payload {
        [] => Err(FrameError::Empty),
        [0, rest @ ..] => match rest.split_first_chunk() {
            Some((id, rest)) => Ok((i64::from_be_bytes(*id), rest)),
            None => Err(FrameError::TruncatedLongId {
                found_bytes: rest.len() as u8,
            }),
        },
        [magic, ..] => Err(FrameError::InvalidMagicByte(*magic)),
    }
}

fn long_id_header(header: &[u8]) -> Result<i64, HeaderError> {
    let id = header.try_into().map_err(|_| HeaderError::InvalidLongIdSize {
        found_bytes: saturated(header.len()),
    })?;
    Ok(i64::from_be_bytes(id))
}

/// The same fault, found in a header.
fn in_header(error: FrameError) -> HeaderError {
    match error {
        FrameError::Empty => HeaderError::Empty,
        FrameError::InvalidMagicByte(magic)
        | FrameError::InvalidMarker(magic)
        | FrameError::UnknownSingleObjectVersion(magic) => HeaderError::InvalidMagicByte(magic),
        FrameError::TruncatedId { found_bytes } => HeaderError::TruncatedId { found_bytes },
        FrameError::TruncatedGuid { found_bytes } => HeaderError::TruncatedGuid { found_bytes },
        FrameError::TruncatedLongId { found_bytes } | FrameError::TruncatedFingerprint { found_bytes } => {
            HeaderError::InvalidLongIdSize {
                found_bytes: u32::from(found_bytes),
            }
        }
        FrameError::Path(error) => HeaderError::Path(error),
        FrameError::Header(error) => error,
    }
}

fn saturated(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Reads a byte of each cache line of each message, and does nothing with it: call this before
/// splitting many messages that no cache holds. This loop waits for many of them at once, where
/// splitting waits for one after the other; and where messages are one after the other, as they
/// come from a broker, the processor sees a stream and reads ahead. Of a long message it reads the
/// first 4 KiB.
///
/// ```
/// # use sabot_wire::Framing;
/// let messages = [[0, 0, 0, 0, 7, 2], [0, 0, 0, 0, 7, 4]];
/// sabot_wire::touch(messages.iter().map(|message| message.as_slice()));
/// for message in &messages {
///     Framing::Confluent.split(None, message)?;
/// }
/// # Ok::<(), sabot_wire::FrameError>(())
/// ```
#[inline]
pub fn touch<'a>(messages: impl IntoIterator<Item = &'a [u8]>) {
    const LINE_BYTES: usize = 64;
    const MAX_LINES: usize = 64;
    let lines = messages
        .into_iter()
        .flat_map(|message| message.iter().step_by(LINE_BYTES).take(MAX_LINES));
    core::hint::black_box(lines.fold(0, |all, byte| all ^ byte));
}
