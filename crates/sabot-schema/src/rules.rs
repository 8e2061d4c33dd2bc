//! What a data contract adds to a schema: metadata and rules.
//!
//! Both are part of a schema's identity, so they are modelled whole rather than as far as Sabot
//! understands them.

use std::collections::{BTreeMap, BTreeSet};

/// Tags, properties and the names of sensitive properties.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a plain record of the registry's own format"
)]
pub struct Metadata {
    /// Path to the tags of what is there.
    pub tags: BTreeMap<String, BTreeSet<String>>,
    /// Name to value.
    pub properties: BTreeMap<String, String>,
    /// Properties whose values are not to be shown.
    pub sensitive: BTreeSet<String>,
}

/// Rules that a serializer or deserializer applies to messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a plain record of the registry's own format"
)]
pub struct RuleSet {
    /// Applied between versions of a schema.
    pub migration_rules: Vec<Rule>,
    /// Applied to a message's fields.
    pub domain_rules: Vec<Rule>,
    /// Applied to a message's bytes.
    pub encoding_rules: Vec<Rule>,
    /// Where the rules run, by the registry's name for the environment, such as `CLIENT`.
    pub enable_at: Option<String>,
}

impl RuleSet {
    /// The first enabled rule that encrypts fields or whole payloads, if there is one.
    ///
    /// Data under such a rule is ciphertext: decoding it as the schema says would give garbage
    /// without an error.
    ///
    /// ```
    /// use sabot_schema::{Rule, RuleSet};
    /// let encrypt = Rule { rule_type: Some("ENCRYPT".into()), ..Rule::named("encrypt-ssn") };
    /// let rules = RuleSet { domain_rules: vec![encrypt], ..RuleSet::default() };
    /// assert_eq!(rules.encryption().map(|rule| rule.name.as_str()), Some("encrypt-ssn"));
    /// ```
    #[must_use]
    pub fn encryption(&self) -> Option<&Rule> {
        self.domain_rules
            .iter()
            .chain(&self.encoding_rules)
            .find(|rule| rule.encrypts())
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a plain record of the registry's own format"
)]
pub struct Rule {
    /// The rule's name, unique in its list.
    pub name: String,
    /// What it is for.
    pub doc: Option<String>,
    /// Whether it changes messages or checks them.
    pub kind: RuleKind,
    /// When it is applied.
    pub mode: RuleMode,
    /// Which executor runs it, such as `CEL` or `ENCRYPT`.
    pub rule_type: Option<String>,
    /// The tags of the fields that it applies to.
    pub tags: BTreeSet<String>,
    /// The executor's parameters.
    pub params: BTreeMap<String, String>,
    /// The executor's expression.
    pub expr: Option<String>,
    /// The action after success.
    pub on_success: Option<String>,
    /// The action after failure.
    pub on_failure: Option<String>,
    /// Whether it is switched off.
    pub disabled: bool,
}

impl Rule {
    /// A rule of this name with nothing else set.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            doc: None,
            kind: RuleKind::default(),
            mode: RuleMode::default(),
            rule_type: None,
            tags: BTreeSet::new(),
            params: BTreeMap::new(),
            expr: None,
            on_success: None,
            on_failure: None,
            disabled: false,
        }
    }

    /// Whether it is enabled and encrypts: type `ENCRYPT` (fields) or `ENCRYPT_PAYLOAD` (whole
    /// messages).
    #[must_use]
    pub fn encrypts(&self) -> bool {
        !self.disabled && matches!(self.rule_type.as_deref(), Some("ENCRYPT" | "ENCRYPT_PAYLOAD"))
    }
}

/// Whether a rule changes messages or checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum RuleKind {
    /// It changes them. What a registry means when it names none.
    #[default]
    Transform,
    /// It checks them.
    Condition,
}

impl RuleKind {
    /// The name that a registry uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transform => "TRANSFORM",
            Self::Condition => "CONDITION",
        }
    }

    /// Reads the name that a registry uses.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Transform, Self::Condition]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// When a rule is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum RuleMode {
    /// When an older message is read with a newer schema.
    Upgrade,
    /// When a newer message is read with an older schema.
    Downgrade,
    /// Both of these.
    UpDown,
    /// On writing.
    Write,
    /// On reading.
    Read,
    /// On both. What a registry means when it names none.
    #[default]
    WriteRead,
}

impl RuleMode {
    const ALL: [Self; 6] = [
        Self::Upgrade,
        Self::Downgrade,
        Self::UpDown,
        Self::Write,
        Self::Read,
        Self::WriteRead,
    ];

    /// The name that a registry uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "UPGRADE",
            Self::Downgrade => "DOWNGRADE",
            Self::UpDown => "UPDOWN",
            Self::Write => "WRITE",
            Self::Read => "READ",
            Self::WriteRead => "WRITEREAD",
        }
    }

    /// Reads the name that a registry uses.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Whether it is applied between versions; the other modes are applied to a message as it is.
    #[must_use]
    pub const fn is_migration(self) -> bool {
        matches!(self, Self::Upgrade | Self::Downgrade | Self::UpDown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_enabled_encryption_counts() {
        let rule = |rule_type: &str, disabled| Rule {
            rule_type: Some(rule_type.to_owned()),
            disabled,
            ..Rule::named("r")
        };
        for (rule, encrypts) in [
            (rule("ENCRYPT", false), true),
            (rule("ENCRYPT_PAYLOAD", false), true),
            (rule("ENCRYPT", true), false),
            (rule("CEL", false), false),
            (Rule::named("r"), false),
        ] {
            let domain = RuleSet {
                domain_rules: vec![rule.clone()],
                ..RuleSet::default()
            };
            let encoding = RuleSet {
                encoding_rules: vec![rule],
                ..RuleSet::default()
            };
            assert_eq!(domain.encryption().is_some(), encrypts, "{domain:?}");
            assert_eq!(encoding.encryption().is_some(), encrypts, "{encoding:?}");
        }
    }

    #[test]
    fn names_read_back() {
        for mode in RuleMode::ALL {
            assert_eq!(RuleMode::from_name(mode.name()), Some(mode));
            assert_eq!(
                mode.is_migration(),
                mode.name().contains("GRADE") || mode == RuleMode::UpDown
            );
        }
        for kind in [RuleKind::Transform, RuleKind::Condition] {
            assert_eq!(RuleKind::from_name(kind.name()), Some(kind));
        }
    }
}
