//! The ways in which a frame can be malformed, and in which one cannot be written.
//!
//! Each fault has a variant of its own, and each text says what probably happened: these are the
//! errors that users of a registry meet first. Faults of a header and of message indexes are enums
//! of their own, so that an error also says where it was found. All of them are small and `Copy`;
//! making one allocates nothing.

use core::fmt;

/// Why a payload could not be split. Each malformed frame has a variant of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameError {
    /// The payload is empty (and not null).
    Empty,
    /// The first byte is no magic byte that this framing knows.
    InvalidMagicByte(u8),
    /// The payload ends within Confluent's 4-byte schema id (magic byte 0).
    TruncatedId {
        /// Bytes that come after the magic byte.
        found_bytes: u8,
    },
    /// The payload ends within Confluent's 16-byte schema GUID (magic byte 1).
    TruncatedGuid {
        /// Bytes that come after the magic byte.
        found_bytes: u8,
    },
    /// The payload ends within Apicurio's 8-byte id (magic byte 0).
    TruncatedLongId {
        /// Bytes that come after the magic byte.
        found_bytes: u8,
    },
    /// The first byte is not the one that Avro's single-object encoding begins with.
    InvalidMarker(u8),
    /// The byte after `c3` is no version of Avro's single-object encoding that is known.
    UnknownSingleObjectVersion(u8),
    /// The payload ends within the marker or the 8-byte fingerprint of Avro's single-object
    /// encoding.
    TruncatedFingerprint {
        /// Bytes that come after the marker of two bytes.
        found_bytes: u8,
    },
    /// The protobuf message indexes after the id are malformed.
    Path(PathError),
    /// The header that should name the schema is malformed.
    Header(HeaderError),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the payload is empty: a magic byte and a schema id are missing"),
            Self::InvalidMagicByte(byte) => {
                write!(
                    f,
                    "invalid magic byte {byte:#04x}: the payload is not in the registry's wire format"
                )?;
                looks_like(byte).map_or(Ok(()), |what| write!(f, " (it looks like {what})"))
            }
            Self::TruncatedId { found_bytes } => truncated(f, "payload", "4-byte schema id", found_bytes),
            Self::TruncatedGuid { found_bytes } => {
                truncated(f, "payload", "16-byte schema GUID", found_bytes)
            }
            Self::TruncatedLongId { found_bytes } => truncated(f, "payload", "8-byte schema id", found_bytes),
            Self::InvalidMarker(byte) => {
                write!(
                    f,
                    "the payload begins with {byte:#04x}, not with the marker 0xc3 0x01 of Avro's single-object encoding"
                )?;
                let what = match byte {
                    0 | 1 => Some("a registry's wire format"),
                    byte => looks_like(byte),
                };
                what.map_or(Ok(()), |what| write!(f, " (it looks like {what})"))
            }
            Self::UnknownSingleObjectVersion(version) => {
                write!(
                    f,
                    "version {version} of Avro's single-object encoding is unknown: expected 1"
                )
            }
            Self::TruncatedFingerprint { found_bytes } => {
                let s = if found_bytes == 1 { "" } else { "s" };
                write!(
                    f,
                    "the payload ends within its 8-byte schema fingerprint: {found_bytes} byte{s} behind the marker"
                )
            }
            Self::Path(error) => fmt::Display::fmt(&error, f),
            Self::Header(error) => fmt::Display::fmt(&error, f),
        }
    }
}

impl core::error::Error for FrameError {}

impl From<PathError> for FrameError {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

impl From<HeaderError> for FrameError {
    fn from(error: HeaderError) -> Self {
        Self::Header(error)
    }
}

/// Why the header that names a payload's schema could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderError {
    /// The header's value is empty (and not null).
    Empty,
    /// The value's first byte is no magic byte that this framing knows.
    InvalidMagicByte(u8),
    /// The value ends within a 4-byte schema id (magic byte 0).
    TruncatedId {
        /// Bytes that come after the magic byte.
        found_bytes: u8,
    },
    /// The value ends within a 16-byte schema GUID (magic byte 1).
    TruncatedGuid {
        /// Bytes that come after the magic byte.
        found_bytes: u8,
    },
    /// Apicurio's header is not 8 bytes long.
    InvalidLongIdSize {
        /// Bytes of the value, or [`u32::MAX`] where there are more.
        found_bytes: u32,
    },
    /// The protobuf message indexes after the id are malformed.
    Path(PathError),
    /// Bytes are left behind all that belongs into the header.
    TrailingBytes {
        /// Bytes left, or [`u32::MAX`] where there are more.
        found_bytes: u32,
    },
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the schema id header is empty"),
            Self::InvalidMagicByte(byte) => {
                write!(
                    f,
                    "invalid magic byte {byte:#04x} in the schema id header: expected 0x00 or 0x01"
                )?;
                looks_like(byte).map_or(Ok(()), |what| write!(f, " (it looks like {what})"))
            }
            Self::TruncatedId { found_bytes } => truncated(f, "schema id header", "4-byte id", found_bytes),
            Self::TruncatedGuid { found_bytes } => {
                truncated(f, "schema id header", "16-byte GUID", found_bytes)
            }
            Self::InvalidLongIdSize { found_bytes } => {
                write!(
                    f,
                    "the schema id header holds {found_bytes} bytes: expected an 8-byte id"
                )
            }
            Self::Path(error) => write!(f, "in the schema id header, {error}"),
            Self::TrailingBytes { found_bytes } => {
                let s = if found_bytes == 1 { "" } else { "s" };
                write!(
                    f,
                    "{found_bytes} byte{s} too many at the end of the schema id header"
                )?;
                f.write_str(" (message indexes stand there with the framing for protobuf only)")
            }
        }
    }
}

impl core::error::Error for HeaderError {}

impl From<PathError> for HeaderError {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

/// Why protobuf message indexes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathError {
    /// There is no byte where the message indexes should begin.
    Missing,
    /// The bytes end within the message indexes.
    Truncated,
    /// The number of indexes is negative: typically plain varints, as old Python clients wrote
    /// them.
    NegativeCount(i32),
    /// There are more indexes than [`crate::MAX_MESSAGE_INDEXES`].
    TooMany(u32),
    /// An index is negative.
    NegativeIndex(i32),
    /// A count or index exceeds 32 bits (as an index: 31 bits).
    OutOfRange,
    /// A varint is longer than its value needs. No serializer writes such a one.
    Overlong,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let old_python = "(old Python clients wrote plain varints, which a framing of its own reads)";
        match *self {
            Self::Missing => f.write_str("the protobuf message indexes behind the schema id are missing"),
            Self::Truncated => f.write_str("the protobuf message indexes are cut off"),
            Self::NegativeCount(count) => {
                write!(
                    f,
                    "the number of protobuf message indexes is negative: {count} {old_python}"
                )
            }
            Self::TooMany(count) => {
                let most = crate::MAX_MESSAGE_INDEXES;
                write!(f, "{count} protobuf message indexes: at most {most} are allowed")
            }
            Self::NegativeIndex(index) => {
                write!(f, "a protobuf message index is negative: {index} {old_python}")
            }
            Self::OutOfRange => f.write_str("a protobuf message index exceeds 31 bits, or their number 32"),
            Self::Overlong => f.write_str("a protobuf message index is an overlong varint"),
        }
    }
}

impl core::error::Error for PathError {}

/// Why a frame could not be written: its framing cannot carry what it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteError {
    /// The framing does not carry this kind of schema key.
    Key(crate::SchemaKey),
    /// The framing carries no message indexes, and the path is not `[0]`.
    Path,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(crate::SchemaKey::Absent) => f.write_str("the framing needs a schema id"),
            Self::Key(key) => write!(f, "the framing cannot carry the schema id {key}"),
            Self::Path => f.write_str("the framing cannot carry protobuf message indexes"),
        }
    }
}

impl core::error::Error for WriteError {}

fn truncated(f: &mut fmt::Formatter<'_>, place: &str, what: &str, found_bytes: u8) -> fmt::Result {
    let s = if found_bytes == 1 { "" } else { "s" };
    write!(
        f,
        "the {place} ends within its {what}: {found_bytes} byte{s} behind the magic byte"
    )
}

/// What a payload probably is that begins with `byte` and should have begun with a magic byte.
const fn looks_like(byte: u8) -> Option<&'static str> {
    match byte {
        b'{' | b'[' => Some("JSON"),
        b'"' => Some("a JSON string"),
        0x03 => Some("the format of AWS Glue's registry"),
        0xc3 => Some("Avro's single-object encoding"),
        b' '..=b'~' => Some("text"),
        _ => None,
    }
}
