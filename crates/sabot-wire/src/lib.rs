//! Framing of one Kafka payload: which schema wrote it, and where its body begins.
//!
//! This crate splits a payload into a [`SchemaKey`], a [`MessagePath`] and a body, and writes the
//! same frames. It allocates nothing, does no I/O and knows no schema, so that it fits under every
//! codec and any client.
//!
//! | framing | in the payload | in a header (the payload is then the body alone) |
//! |---|---|---|
//! | [`Framing::Confluent`] | `00` + u32 id (v0), or `01` + 16-byte GUID (v1) | the same |
//! | [`Framing::ConfluentProtobuf`] | the same + message indexes | the same |
//! | [`Framing::ApicurioLegacy`] | `00` + i64 id | i64 id |
//! | [`Framing::AvroSingleObject`] | `c3 01` + u64 fingerprint | not looked at |
//! | [`Framing::Unframed`] | nothing | not looked at |
//!
//! All numbers are big-endian, but for the fingerprint, which is little-endian; message indexes are
//! zigzag varints, a count first, `00` alone being `[0]`.
//!
//! ```
//! use sabot_wire::{Framing, MessagePath, SchemaKey};
//!
//! let mut payload = Vec::new();
//! Framing::Confluent.write_prefix(SchemaKey::Id(42), MessagePath::FIRST, &mut payload)?;
//! payload.extend(b"body");
//!
//! let frame = Framing::Confluent.split(None, &payload)?;
//! assert_eq!((frame.key, frame.body, frame.prefix_bytes), (SchemaKey::Id(42), &b"body"[..], 5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A null payload is a tombstone and has no frame: do not split it.
#![no_std]
#![forbid(unsafe_code)]

mod error;
mod framing;
mod guid;
mod key;
mod path;
mod varint;

pub use error::{FrameError, HeaderError, PathError, WriteError};
pub use framing::{
    Frame, Framing, ID_PREFIX_BYTES, KEY_SCHEMA_ID_HEADER, VALUE_SCHEMA_ID_HEADER, fingerprint_prefix,
    guid_prefix, id_prefix, split_id, touch,
};
pub use guid::{Guid, ParseGuidError};
pub use key::SchemaKey;
pub use path::{MessageIndexes, MessagePath, MessagePathBuf};

/// The most indexes that a message path may have. It is protoc's own limit on nested message
/// declarations.
pub const MAX_MESSAGE_INDEXES: usize = 32;
