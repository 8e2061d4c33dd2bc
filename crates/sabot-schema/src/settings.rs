//! A registry's settings for a subject: its compatibility level and its mode.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Which changes of a schema a registry lets pass under a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[expect(clippy::exhaustive_enums, reason = "a checker has to treat every level")]
pub enum CompatibilityLevel {
    /// Any change.
    None,
    /// The new schema reads data of the newest version.
    #[default]
    Backward,
    /// The new schema reads data of every version.
    BackwardTransitive,
    /// The newest version reads data of the new schema.
    Forward,
    /// Every version reads data of the new schema.
    ForwardTransitive,
    /// Both ways, with the newest version.
    Full,
    /// Both ways, with every version.
    FullTransitive,
}

impl CompatibilityLevel {
    /// Every level.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Backward,
        Self::BackwardTransitive,
        Self::Forward,
        Self::ForwardTransitive,
        Self::Full,
        Self::FullTransitive,
    ];

    /// The name that a registry uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Backward => "BACKWARD",
            Self::BackwardTransitive => "BACKWARD_TRANSITIVE",
            Self::Forward => "FORWARD",
            Self::ForwardTransitive => "FORWARD_TRANSITIVE",
            Self::Full => "FULL",
            Self::FullTransitive => "FULL_TRANSITIVE",
        }
    }

    /// Whether the new schema has to read old data.
    #[must_use]
    pub const fn is_backward(self) -> bool {
        matches!(
            self,
            Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive
        )
    }

    /// Whether old schemas have to read new data.
    #[must_use]
    pub const fn is_forward(self) -> bool {
        matches!(
            self,
            Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive
        )
    }

    /// Whether it concerns every version rather than the newest alone.
    #[must_use]
    pub const fn is_transitive(self) -> bool {
        matches!(
            self,
            Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive
        )
    }
}

/// What a registry lets be done under a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Mode {
    /// Everything.
    #[default]
    ReadWrite,
    /// Reading alone.
    ReadOnly,
    /// Reading alone, whatever a subject says for itself. Deprecated by Confluent.
    ReadOnlyOverride,
    /// Registering with an id and version of one's own choice.
    Import,
    /// As `Import`, for a registry that follows another one.
    Forward,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 5] = [
        Self::ReadWrite,
        Self::ReadOnly,
        Self::ReadOnlyOverride,
        Self::Import,
        Self::Forward,
    ];

    /// The name that a registry uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadWrite => "READWRITE",
            Self::ReadOnly => "READONLY",
            Self::ReadOnlyOverride => "READONLY_OVERRIDE",
            Self::Import => "IMPORT",
            Self::Forward => "FORWARD",
        }
    }
}

/// The text names no such setting.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not a {setting}")]
pub struct UnknownSetting {
    setting: &'static str,
    text: String,
}

impl FromStr for CompatibilityLevel {
    type Err = UnknownSetting;

    /// Reads the name in any case.
    fn from_str(text: &str) -> Result<Self, UnknownSetting> {
        let found = Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| UnknownSetting {
            setting: "compatibility level",
            text: text.to_owned(),
        })
    }
}

impl FromStr for Mode {
    type Err = UnknownSetting;

    /// Reads the name in any case.
    fn from_str(text: &str) -> Result<Self, UnknownSetting> {
        let found = Self::ALL
            .into_iter()
            .find(|mode| mode.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| UnknownSetting {
            setting: "mode",
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for CompatibilityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_in_any_case() {
        for level in CompatibilityLevel::ALL {
            assert_eq!(level.name().to_lowercase().parse(), Ok(level));
        }
        for mode in Mode::ALL {
            assert_eq!(mode.name().to_lowercase().parse(), Ok(mode));
        }
        assert_eq!(
            "X".parse::<Mode>().unwrap_err().to_string(),
            r#""X" is not a mode"#
        );
    }

    #[test]
    fn levels_say_what_they_check() {
        for level in CompatibilityLevel::ALL {
            let name = level.name();
            let both = name.starts_with("FULL");
            assert_eq!(
                level.is_backward(),
                both || name.starts_with("BACKWARD"),
                "{name}"
            );
            assert_eq!(level.is_forward(), both || name.starts_with("FORWARD"), "{name}");
            assert_eq!(level.is_transitive(), name.ends_with("_TRANSITIVE"), "{name}");
        }
    }
}
