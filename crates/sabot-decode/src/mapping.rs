//! Which Arrow types to use where there is a choice.
//!
//! One struct for all codecs: the same option means the same in all of them. A codec honours an
//! option or refuses it by name, with [`Mapping::check`]; that somebody chose a type and got
//! another without a word does not happen.

use arrow_schema::DataType;

use crate::{PlanError, TimeZone};

/// Which Arrow types to use where there is a choice.
///
/// | option | Avro | JSON, inferred | plain values |
/// |---|---|---|---|
/// | `strings` | yes | yes | yes |
/// | `bytes`, `uuids` | yes | refused | yes |
/// | `enums`, `unions`, `wide_decimals`, `big_decimals`, `recursion`, `time_zone` | yes | refused | refused |
///
/// An option is refused if it is not the default and the format has no types of its kind. So are
/// all of them where an Arrow schema is given, which leaves no choice; but for [`TimeZone::None`]
/// with Avro, which says that the given columns without a zone are of instants.
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

impl Mapping {
    /// Checks that every option which differs from its default is among `honoured`, and that the
    /// values make sense; `why` says why others are not honoured.
    ///
    /// ```
    /// use sabot_decode::{EnumType, Mapping, MappingOption, StringType};
    ///
    /// let honoured = [MappingOption::Strings];
    /// let mut mapping = Mapping::default();
    /// mapping.strings = StringType::Utf8View;
    /// assert!(mapping.check(&honoured, "there are only strings").is_ok());
    /// mapping.enums = EnumType::Utf8;
    /// let error = mapping.check(&honoured, "there are only strings").unwrap_err();
    /// assert_eq!(error.to_string(), "the option `enums` cannot be honoured: there are only strings");
    /// ```
    ///
    /// # Errors
    ///
    /// [`PlanError`] that names the first option which is not honoured, or makes no sense.
    pub fn check(&self, honoured: &[MappingOption], why: &str) -> Result<(), PlanError> {
        for option in MappingOption::ALL {
            if !honoured.contains(&option) && self.is_chosen(option) {
                let name = option.name();
                return Err(PlanError::new(format!(
                    "the option `{name}` cannot be honoured: {why}"
                )));
            }
        }
        self.time_zone.check()?;
        let (scale, digits) = match self.big_decimals {
            BigDecimalType::Decimal128 { scale } => (scale, 38),
            BigDecimalType::Decimal256 { scale } => (scale, 76),
            BigDecimalType::Binary | BigDecimalType::Utf8 => return Ok(()),
        };
        if !(-digits..=digits).contains(&scale) {
            return Err(PlanError::new(format!(
                "the option `big_decimals`: a decimal of {digits} digits cannot have the scale {scale}"
            )));
        }
        Ok(())
    }

    /// Whether an option differs from its default.
    #[must_use]
    pub fn is_chosen(&self, option: MappingOption) -> bool {
        let default = Self::default();
        match option {
            MappingOption::Strings => self.strings != default.strings,
            MappingOption::Bytes => self.bytes != default.bytes,
            MappingOption::Enums => self.enums != default.enums,
            MappingOption::Uuids => self.uuids != default.uuids,
            MappingOption::Unions => self.unions != default.unions,
            MappingOption::WideDecimals => self.wide_decimals != default.wide_decimals,
            MappingOption::BigDecimals => self.big_decimals != default.big_decimals,
            MappingOption::Recursion => self.recursion != default.recursion,
            MappingOption::TimeZone => self.time_zone != default.time_zone,
        }
    }
}

/// One of the options of a [`Mapping`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MappingOption {
    /// [`Mapping::strings`].
    Strings,
    /// [`Mapping::bytes`].
    Bytes,
    /// [`Mapping::enums`].
    Enums,
    /// [`Mapping::uuids`].
    Uuids,
    /// [`Mapping::unions`].
    Unions,
    /// [`Mapping::wide_decimals`].
    WideDecimals,
    /// [`Mapping::big_decimals`].
    BigDecimals,
    /// [`Mapping::recursion`].
    Recursion,
    /// [`Mapping::time_zone`].
    TimeZone,
}

impl MappingOption {
    /// Every option.
    pub const ALL: [Self; 9] = [
        Self::Strings,
        Self::Bytes,
        Self::Enums,
        Self::Uuids,
        Self::Unions,
        Self::WideDecimals,
        Self::BigDecimals,
        Self::Recursion,
        Self::TimeZone,
    ];

    /// The name of its field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strings => "strings",
            Self::Bytes => "bytes",
            Self::Enums => "enums",
            Self::Uuids => "uuids",
            Self::Unions => "unions",
            Self::WideDecimals => "wide_decimals",
            Self::BigDecimals => "big_decimals",
            Self::Recursion => "recursion",
            Self::TimeZone => "time_zone",
        }
    }
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
    /// The number as text, such as `-12.50`, in the type of strings. At most 1,000 digits; with
    /// more, the bytes.
    Utf8,
}

/// The Arrow type of decimals that carry their scale in each value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BigDecimalType {
    /// The bytes as they are written.
    #[default]
    Binary,
    /// The number as text, in the type of strings: as `java.math.BigDecimal` prints it, so that the
    /// scale is kept (`1.50`, `1E+3`).
    Utf8,
    /// `Decimal128(38, scale)`. A number that it cannot hold exactly is a bad row.
    Decimal128 {
        /// Digits after the decimal point.
        scale: i8,
    },
    /// `Decimal256(76, scale)`. A number that it cannot hold exactly is a bad row.
    Decimal256 {
        /// Digits after the decimal point.
        scale: i8,
    },
}

/// What becomes of a type that contains itself. Arrow has no such types: a column's depth is fixed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecursionType {
    /// Where a type comes up within itself, its value becomes JSON text, in the type of strings
    /// with the extension type `arrow.json`. For Avro the text is Avro's JSON encoding.
    #[default]
    Json,
    /// Where a type comes up within itself, its value becomes the bytes that encode it, in the type
    /// of bytes.
    Binary,
    /// The type may come up within itself this many times. There a column of type Null takes its
    /// place; a value in it makes its row bad.
    Unroll(u8),
    /// The schema is refused, unless the projection drops the type.
    Refuse,
}
