//! The schema languages.

use std::fmt;

/// The language that a schema is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum SchemaKind {
    /// Apache Avro, schemas as JSON. What a registry means when it names no type.
    #[default]
    Avro,
    /// Protocol Buffers, schemas as `.proto` text.
    Protobuf,
    /// JSON Schema.
    Json,
    /// No schema at all: strings, bytes, Kafka's primitive serdes.
    Plain,
}

impl SchemaKind {
    /// The name in a registry's `schemaType`: `AVRO`, `PROTOBUF`, `JSON`; `PLAIN` exists only here.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Protobuf => "PROTOBUF",
            Self::Json => "JSON",
            Self::Plain => "PLAIN",
        }
    }

    /// Reads a registry's `schemaType`, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Avro, Self::Protobuf, Self::Json]
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for SchemaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
