//! Which Arrow types to use where there is a choice.
//!
//! One struct for all codecs: each reads what concerns its format, and the same option means the same in all of them.

use std::sync::Arc;

use arrow_schema::DataType;

/// Which Arrow types to use where there is a choice.
///
/// ```
/// use sabot_decode::{Mapping, StringType, TimeZone};
///
/// let mut mapping = Mapping::default();
/// mapping.strings = StringType::Utf8View;
/// mapping.time_zone = TimeZone::Named("Europe/Berlin".into());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mapping {
    /// For strings.
    pub strings: StringType,
    /// For bytes of any length.
    pub bytes: BinaryType,
    /// For enums.
    pub enums: EnumType,
    /// For UUIDs.
    pub uuids: UuidType,
    /// For unions of more than null and one other type.
    pub unions: UnionType,
    /// For decimals of more digits than Arrow's widest, which has 76.
    pub wide_decimals: WideDecimalType,
    /// For decimals that carry their scale in each value: Avro's `big-decimal`.
    pub big_decimals: BigDecimalType,
    /// For a type that contains itself.
    pub recursion: RecursionType,
    /// The zone that columns of instants are declared in.
    pub time_zone: TimeZone,
}

/// The Arrow type of strings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StringType {
    /// `Utf8`: 32-bit offsets.
    #[default]
    Utf8,
    /// `LargeUtf8`: 64-bit offsets.
    LargeUtf8,
    /// `Utf8View`.
    Utf8View,
}

impl StringType {
    /// The Arrow type.
    #[must_use]
    pub const fn data_type(self) -> DataType {
        match self {
            Self::Utf8 => DataType::Utf8,
            Self::LargeUtf8 => DataType::LargeUtf8,
            Self::Utf8View => DataType::Utf8View,
        }
    }
}

/// The Arrow type of bytes of any length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BinaryType {
    /// `Binary`: 32-bit offsets.
    #[default]
    Binary,
    /// `LargeBinary`: 64-bit offsets.
    LargeBinary,
    /// `BinaryView`.
    BinaryView,
}

impl BinaryType {
    /// The Arrow type.
    #[must_use]
    pub const fn data_type(self) -> DataType {
        match self {
            Self::Binary => DataType::Binary,
            Self::LargeBinary => DataType::LargeBinary,
            Self::BinaryView => DataType::BinaryView,
        }
    }
}

/// The Arrow type of enums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnumType {
    /// `Dictionary(Int32, Utf8)`, whose dictionary holds the symbols in the reader schema's order.
    #[default]
    Dictionary,
    /// The symbol as text, in the type of strings.
    Utf8,
    /// The symbol's index in the reader schema.
    Int32,
}

/// The Arrow type of UUIDs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UuidType {
    /// `FixedSizeBinary(16)` with the extension type `arrow.uuid`.
    #[default]
    FixedSizeBinary,
    /// Hyphenated text, in the type of strings.
    Utf8,
}

/// The Arrow type of unions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnionType {
    /// A dense `Union`.
    #[default]
    Dense,
    /// A `Struct` with one nullable member a branch, of which at most one is set.
    Struct,
}

/// The Arrow type of decimals of more than 76 digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WideDecimalType {
    /// The bytes as they are written: the unscaled number, big-endian, in two's complement.
    #[default]
    Binary,
    /// The number as text, such as `-12.50`, in the type of strings. At most 1,000 digits; with more, the bytes.
    Utf8,
}

/// The Arrow type of decimals that carry their scale in each value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BigDecimalType {
    /// The bytes as they are written.
    #[default]
    Binary,
    /// The number as text, in the type of strings: as `java.math.BigDecimal` prints it, so that the scale is kept
    /// (`1.50`, `1E+3`).
    Utf8,
    /// `Decimal128(38, scale)`. A number that it cannot hold exactly is a bad row.
    Decimal128 {
        /// Digits behind the decimal point.
        scale: i8,
    },
    /// `Decimal256(76, scale)`. A number that it cannot hold exactly is a bad row.
    Decimal256 {
        /// Digits behind the decimal point.
        scale: i8,
    },
}

/// What becomes of a type that contains itself. Arrow has no such types: a column's depth is fixed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecursionType {
    /// Where a type comes up within itself, its value becomes JSON text, in the type of strings with the extension type
    /// `arrow.json`. For Avro the text is Avro's JSON encoding.
    #[default]
    Json,
    /// Where a type comes up within itself, its value becomes the bytes that encode it, in the type of bytes.
    Binary,
    /// The type may come up within itself this many times. There a column of type Null takes its place; a value in it
    /// makes its row bad.
    Unroll(u8),
    /// The schema is refused, unless the projection drops the type.
    Refuse,
}

/// The zone that columns of instants are declared in. It changes no value: an instant is counted from the epoch in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeZone {
    /// `UTC`.
    #[default]
    Utc,
    /// No zone, which Arrow takes for local times; for tools that cannot read zones.
    None,
    /// Another one, by its name in the IANA database or as an offset such as `+02:00`.
    Named(Arc<str>),
}

impl TimeZone {
    /// The zone as Arrow's type holds it.
    #[must_use]
    pub fn name(&self) -> Option<Arc<str>> {
        match self {
            Self::Utc => Some("UTC".into()),
            Self::None => None,
            Self::Named(name) => Some(Arc::clone(name)),
        }
    }
}
