//! Ids and versions: the numbers that a registry gives to schemas.

use std::fmt;
use std::str::FromStr;

use sabot_wire::SchemaKey;
use thiserror::Error;

/// A schema's id, unique within one context of one registry. Registries give out 1 and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number and nothing else")]
pub struct SchemaId(pub u32);

impl From<SchemaId> for SchemaKey {
    fn from(id: SchemaId) -> Self {
        Self::Id(id.0)
    }
}

impl From<u32> for SchemaId {
    fn from(id: u32) -> Self {
        Self(id)
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A schema's version under its subject: 1 to 2^31 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u32);

impl Version {
    /// The first version.
    pub const FIRST: Self = Self(1);
    /// The highest version that there can be.
    pub const MAX: Self = Self(i32::MAX as u32);

    /// The version of this number; `None` where it is out of range.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number >= Self::FIRST.0 && number <= Self::MAX.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The version after this one, if there can be one.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One version of a subject, or whichever is the newest. Written as a number or as `latest`; `-1`
/// is read as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way to say a version")]
pub enum VersionSpec {
    /// This version.
    Exact(Version),
    /// The newest version that is not deleted.
    Latest,
}

/// The text is neither a version number nor `latest`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a version: expected 1 to 2147483647, or \"latest\"")]
pub struct InvalidVersion(String);

impl VersionSpec {
    /// The number that stands for it in a reference: -1 for the latest.
    #[must_use]
    pub const fn to_i32(self) -> i32 {
        match self {
            // A version is at most i32::MAX by construction.
            Self::Exact(version) => version.0 as i32,
            Self::Latest => -1,
        }
    }

    /// Reads the number that stands for it in a reference.
    ///
    /// # Errors
    ///
    /// [`InvalidVersion`] for zero and for anything below -1.
    pub fn from_i32(number: i32) -> Result<Self, InvalidVersion> {
        match u32::try_from(number) {
            Ok(number) => Version::new(number).map(Self::Exact),
            Err(_) => (number == -1).then_some(Self::Latest),
        }
        .ok_or_else(|| InvalidVersion(number.to_string()))
    }
}

impl From<Version> for VersionSpec {
    fn from(version: Version) -> Self {
        Self::Exact(version)
    }
}

impl FromStr for VersionSpec {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let number = text.parse().map_err(|_| InvalidVersion(text.to_owned()))?;
        Self::from_i32(number)
    }
}

impl fmt::Display for VersionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(f),
            Self::Latest => f.write_str("latest"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_registries_do() {
        let exact = |number| Some(VersionSpec::Exact(Version::new(number).unwrap()));
        for (text, expected) in [
            ("1", exact(1)),
            ("2147483647", exact(2_147_483_647)),
            ("latest", Some(VersionSpec::Latest)),
            ("-1", Some(VersionSpec::Latest)),
            ("0", None),
            ("-2", None),
            ("2147483648", None),
            ("LATEST", None),
            ("", None),
            ("1.0", None),
        ] {
            assert_eq!(text.parse::<VersionSpec>().ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_spec_survives_its_number() {
        for spec in [VersionSpec::Latest, Version::FIRST.into(), Version::MAX.into()] {
            assert_eq!(VersionSpec::from_i32(spec.to_i32()), Ok(spec));
        }
        assert_eq!(Version::MAX.next(), None);
    }
}
