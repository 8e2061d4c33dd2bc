//! Kafka's primitive serdes.

use arrow_schema::{DataType, Field};
use sabot_codec::extension;
use sabot_decode::{Mapping, UuidType};

/// How a payload holds its one value, named as in Kafka's `Serdes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Serde {
    /// UTF-8 text.
    String,
    /// Bytes as they are.
    Bytes,
    /// One byte, 0 or 1.
    Boolean,
    /// Two bytes, big-endian.
    Short,
    /// Four bytes, big-endian.
    Int,
    /// Eight bytes, big-endian.
    Long,
    /// Four bytes, IEEE 754, big-endian.
    Float,
    /// Eight bytes, IEEE 754, big-endian.
    Double,
    /// A UUID as 36 characters of text.
    Uuid,
}

impl Serde {
    /// Every serde.
    pub const ALL: [Self; 9] = [
        Self::String,
        Self::Bytes,
        Self::Boolean,
        Self::Short,
        Self::Int,
        Self::Long,
        Self::Float,
        Self::Double,
        Self::Uuid,
    ];

    /// The name in lower case, as options give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Boolean => "boolean",
            Self::Short => "short",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Uuid => "uuid",
        }
    }

    /// Reads a name as [`Serde::name`] gives it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|serde| serde.name() == name)
    }

    /// The column's field. It is nullable, because a tombstone is a value of every serde.
    pub(crate) fn field(self, column: &str, mapping: &Mapping) -> Field {
        let field = Field::new(column, self.data_type(mapping), true);
        if *field.data_type() != DataType::FixedSizeBinary(16) {
            return field;
        }
        field.with_metadata([extension::entry(extension::UUID)].into())
    }

    fn data_type(self, mapping: &Mapping) -> DataType {
        match self {
            Self::String => mapping.strings.data_type(),
            Self::Bytes => mapping.bytes.data_type(),
            Self::Boolean => DataType::Boolean,
            Self::Short => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Uuid => match mapping.uuids {
                UuidType::Utf8 => mapping.strings.data_type(),
                _ => DataType::FixedSizeBinary(16),
            },
        }
    }
}
