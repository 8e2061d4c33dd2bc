//! `--types`: which Arrow types to use where there is a choice.

use sabot::decode::{Mapping, MappingOption};
use sabot::{
    BigDecimalType, BinaryType, EnumType, RecursionType, StringType, TimeZone, UnionType, UuidType,
    WideDecimalType,
};

use crate::failure::Failure;
use crate::output::Format;
use crate::serde::Encoding;

/// One `KEY=TYPE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypeArg {
    Strings(StringType),
    Bytes(BinaryType),
    Enums(EnumType),
    Uuids(UuidType),
    Unions(UnionType),
    WideDecimals(WideDecimalType),
    BigDecimals(BigDecimalType),
    Recursion(RecursionType),
    TimeZone(TimeZone),
}

impl TypeArg {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=TYPE")?;
        let (parsed, choices) = match key {
            "strings" => (strings(value), "utf8, large-utf8, utf8-view"),
            "bytes" => (bytes(value), "binary, large-binary, binary-view"),
            "enums" => (enums(value), "dictionary, text, index"),
            "uuids" => (uuids(value), "bytes, text"),
            "unions" => (unions(value), "dense, struct"),
            "wide-decimals" => (wide_decimals(value), "bytes, text"),
            "big-decimals" => (big_decimals(value), "bytes, text, or a number of decimal places"),
            "recursion" => (recursion(value), "json, bytes, refuse, or a number of levels"),
            "time-zone" => (
                time_zone(value),
                "UTC, none, a zone such as Europe/Berlin, or an offset such as +02:00",
            ),
            other => {
                return Err(format!(
                    "{other:?} is none of strings, bytes, enums, uuids, unions, wide-decimals, big-decimals, recursion, time-zone"
                ));
            }
        };
        parsed.ok_or_else(|| format!("{key} takes {choices}, not {value:?}"))
    }

    fn option(&self) -> MappingOption {
        match self {
            Self::Strings(_) => MappingOption::Strings,
            Self::Bytes(_) => MappingOption::Bytes,
            Self::Enums(_) => MappingOption::Enums,
            Self::Uuids(_) => MappingOption::Uuids,
            Self::Unions(_) => MappingOption::Unions,
            Self::WideDecimals(_) => MappingOption::WideDecimals,
            Self::BigDecimals(_) => MappingOption::BigDecimals,
            Self::Recursion(_) => MappingOption::Recursion,
            Self::TimeZone(_) => MappingOption::TimeZone,
        }
    }

    fn set(&self, mapping: &mut Mapping) {
        match self {
            Self::Strings(to) => mapping.strings = *to,
            Self::Bytes(to) => mapping.bytes = *to,
            Self::Enums(to) => mapping.enums = *to,
            Self::Uuids(to) => mapping.uuids = *to,
            Self::Unions(to) => mapping.unions = *to,
            Self::WideDecimals(to) => mapping.wide_decimals = *to,
            Self::BigDecimals(to) => mapping.big_decimals = *to,
            Self::Recursion(to) => mapping.recursion = *to,
            Self::TimeZone(to) => mapping.time_zone = to.clone(),
        }
    }
}

/// The types that the flags choose for one encoding: what it has no types for is left out. Parquet
/// and CSV have no unions: they get a struct with one nullable member a branch, unless the flags
/// say otherwise.
pub(crate) fn mapping(types: &[TypeArg], format: &Format, encoding: Encoding) -> Mapping {
    let mut mapping = Mapping::default();
    let honours = |option| encoding.options().contains(&option);
    if matches!(format, Format::Parquet | Format::Csv) && honours(MappingOption::Unions) {
        mapping.unions = UnionType::Struct;
    }
    let choices = types.iter().filter(|choice| honours(choice.option()));
    choices.for_each(|to| to.set(&mut mapping));
    mapping
}

/// Refuses a choice of types that none of the encodings has.
pub(crate) fn check(types: &[TypeArg], encodings: &[Encoding]) -> Result<(), Failure> {
    let is_honoured = |option| {
        encodings
            .iter()
            .any(|encoding| encoding.options().contains(&option))
    };
    match types.iter().find(|choice| !is_honoured(choice.option())) {
        None => Ok(()),
        Some(choice) => {
            let key = choice.option().name().replace('_', "-");
            Err(Failure::usage(format!(
                "--types {key}= chooses among types that neither keys nor values have, as -s says that they are encoded"
            )))
        }
    }
}

fn strings(value: &str) -> Option<TypeArg> {
    Some(TypeArg::Strings(match value {
        "utf8" => StringType::Utf8,
        "large-utf8" => StringType::LargeUtf8,
        "utf8-view" => StringType::Utf8View,
        _ => return None,
    }))
}

fn bytes(value: &str) -> Option<TypeArg> {
    Some(TypeArg::Bytes(match value {
        "binary" => BinaryType::Binary,
        "large-binary" => BinaryType::LargeBinary,
        "binary-view" => BinaryType::BinaryView,
        _ => return None,
    }))
}

fn enums(value: &str) -> Option<TypeArg> {
    Some(TypeArg::Enums(match value {
        "dictionary" => EnumType::Dictionary,
        "text" => EnumType::Utf8,
        "index" => EnumType::Int32,
        _ => return None,
    }))
}

fn uuids(value: &str) -> Option<TypeArg> {
    Some(TypeArg::Uuids(match value {
        "bytes" => UuidType::FixedSizeBinary,
        "text" => UuidType::Utf8,
        _ => return None,
    }))
}

fn unions(value: &str) -> Option<TypeArg> {
    Some(TypeArg::Unions(match value {
        "dense" => UnionType::Dense,
        "struct" => UnionType::Struct,
        _ => return None,
    }))
}

fn wide_decimals(value: &str) -> Option<TypeArg> {
    Some(TypeArg::WideDecimals(match value {
        "bytes" => WideDecimalType::Binary,
        "text" => WideDecimalType::Utf8,
        _ => return None,
    }))
}

fn big_decimals(value: &str) -> Option<TypeArg> {
    Some(TypeArg::BigDecimals(match value {
        "bytes" => BigDecimalType::Binary,
        "text" => BigDecimalType::Utf8,
        places => {
            let scale = places.parse().ok()?;
            BigDecimalType::Decimal128 { scale }
        }
    }))
}

fn recursion(value: &str) -> Option<TypeArg> {
    Some(TypeArg::Recursion(match value {
        "json" => RecursionType::Json,
        "bytes" => RecursionType::Binary,
        "refuse" => RecursionType::Refuse,
        levels => RecursionType::Unroll(levels.parse().ok()?),
    }))
}

fn time_zone(value: &str) -> Option<TypeArg> {
    Some(TypeArg::TimeZone(match value {
        "UTC" | "utc" => TimeZone::Utc,
        "none" => TimeZone::None,
        name => {
            let zone = TimeZone::Named(name.into());
            zone.check().ok()?;
            zone
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_types() {
        for (text, expected) in [
            ("strings=utf8-view", TypeArg::Strings(StringType::Utf8View)),
            ("bytes=large-binary", TypeArg::Bytes(BinaryType::LargeBinary)),
            ("enums=text", TypeArg::Enums(EnumType::Utf8)),
            ("uuids=text", TypeArg::Uuids(UuidType::Utf8)),
            ("unions=struct", TypeArg::Unions(UnionType::Struct)),
            ("wide-decimals=text", TypeArg::WideDecimals(WideDecimalType::Utf8)),
            (
                "big-decimals=-2",
                TypeArg::BigDecimals(BigDecimalType::Decimal128 { scale: -2 }),
            ),
            ("recursion=3", TypeArg::Recursion(RecursionType::Unroll(3))),
            ("recursion=json", TypeArg::Recursion(RecursionType::Json)),
            ("time-zone=none", TypeArg::TimeZone(TimeZone::None)),
            (
                "time-zone=+02:00",
                TypeArg::TimeZone(TimeZone::Named("+02:00".into())),
            ),
        ] {
            assert_eq!(TypeArg::parse(text), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("strings", "KEY=TYPE"),
            ("string=utf8", "none of strings"),
            ("enums=utf8", "enums takes dictionary, text, index, not \"utf8\""),
            ("recursion=300", "a number of levels"),
            ("time-zone=", "a zone such as"),
            ("time-zone=berlin", "not \"berlin\""),
        ] {
            let error = TypeArg::parse(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
