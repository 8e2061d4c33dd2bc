//! What a frame says of the schema that wrote it.

use core::fmt;

use crate::Guid;

/// Which writer schema a payload was written with, as its frame, header or configuration names it.
///
/// Decoders keep one compiled plan for each key; the registry client turns a key into a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
// A whole word for the variant puts the GUID on a word's boundary: copied in odd parts, a key costs
// a nanosecond more.
#[repr(u64)]
pub enum SchemaKey {
    /// The payload carries no schema: plain strings, schemaless JSON, or a schema fixed by
    /// configuration.
    Absent,
    /// Confluent's 4-byte id (v0 frame), unique within a registry and context; Apicurio 3's content
    /// id too.
    Id(u32),
    /// Confluent's GUID (v1 frame or header), unique everywhere.
    Guid(Guid),
    /// Apicurio's 8-byte global id.
    GlobalId(i64),
    /// Apicurio's 8-byte content id.
    ContentId(i64),
    /// The fingerprint of a schema (CRC-64-AVRO over its Parsing Canonical Form) in Avro's
    /// single-object encoding.
    Fingerprint(u64),
}

impl fmt::Display for SchemaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Id(id) => write!(f, "{id}"),
            Self::Guid(guid) => write!(f, "{guid}"),
            Self::GlobalId(id) => write!(f, "global id {id}"),
            Self::ContentId(id) => write!(f, "content id {id}"),
            Self::Fingerprint(fingerprint) => write!(f, "fingerprint {fingerprint:016x}"),
        }
    }
}
