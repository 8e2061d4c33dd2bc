//! Subjects and the contexts they are in.
//!
//! A registry writes both in one string, `:.context:name`, and leaves the context out where it is
//! the default one. Parsing never fails, because a registry takes nearly any string for a subject;
//! [`Subject::is_valid`] tells the few that it refuses. Percent-encoding belongs to whoever builds
//! a URL: a subject may hold `/`, `:`, `%` and spaces.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// A namespace of subjects and ids within a registry. Its name starts with a dot; the default
/// context is `.`.
///
/// ```
/// use sabot_schema::Context;
/// assert_eq!(Context::new("staging")?, Context::new(".staging")?);
/// assert_eq!(Context::new("staging")?.name(), ".staging");
/// assert_eq!(Context::default().name(), ".");
/// # Ok::<_, sabot_schema::InvalidContext>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Context(Option<Arc<str>>);

/// A context's name holds a colon, which ends it in a subject.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the context name {0:?} holds a colon")]
pub struct InvalidContext(String);

impl Context {
    /// The context that holds the settings which apply to every context of a registry.
    pub const GLOBAL_NAME: &str = ".__GLOBAL";

    /// The context of this name, with or without its leading dot, bare or in the colons (`:.name:`)
    /// that set it off in a subject. An empty name, and `.`, mean the default context.
    ///
    /// # Errors
    ///
    /// [`InvalidContext`] where there is a colon inside the name.
    pub fn new(name: &str) -> Result<Self, InvalidContext> {
        let bare = name.strip_prefix(':').unwrap_or(name);
        let bare = bare.strip_suffix(':').unwrap_or(bare);
        if bare.contains(':') {
            return Err(InvalidContext(name.to_owned()));
        }
        Ok(Self::of_bare(bare.strip_prefix('.').unwrap_or(bare)))
    }

    /// The context whose name, without its leading dot, is `bare`.
    fn of_bare(bare: &str) -> Self {
        Self((!bare.is_empty()).then(|| format!(".{bare}").into()))
    }

    /// The name with its leading dot.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.as_deref().unwrap_or(".")
    }

    /// Whether this is the default context.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What schemas are registered under. Displayed as a registry takes it: `name`, or
/// `:.context:name`. Reading that gives the same subject again.
///
/// ```
/// use sabot_schema::{Context, Subject};
/// let subject = Subject::from(":.staging:orders-value");
/// assert_eq!(subject.context(), &Context::new("staging")?);
/// assert_eq!(subject.name(), "orders-value");
/// assert_eq!(subject.to_string(), ":.staging:orders-value");
/// assert_eq!(Subject::from("orders-value").to_string(), "orders-value");
/// # Ok::<_, sabot_schema::InvalidContext>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    context: Context,
    name: Arc<str>,
}

impl Subject {
    /// The subject `name`, taken as it is, in `context`.
    pub fn new(context: Context, name: impl Into<Arc<str>>) -> Self {
        Self {
            context,
            name: name.into(),
        }
    }

    /// Reads a subject that may name its own context; one that does not is in `context`.
    ///
    /// This is how a registry reads the subject of a reference (the context being that of the
    /// schema which refers to it) and a subject below `/contexts/{context}/`.
    #[must_use]
    pub fn within(context: &Context, text: &str) -> Self {
        let mut subject = Self::from(text);
        if subject.context.is_default() {
            subject.context.clone_from(context);
        }
        subject
    }

    /// The context.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The name within the context.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a registry lets schemas be registered under this subject: not with control
    /// characters, not under the reserved names `__GLOBAL` and `__EMPTY`, not in the global
    /// context.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let control = |text: &str| text.chars().any(char::is_control);
        !control(self.context.name())
            && !control(&self.name)
            && !matches!(&*self.name, "__GLOBAL" | "__EMPTY")
            && self.context.name() != Context::GLOBAL_NAME
    }
}

impl From<&str> for Subject {
    fn from(text: &str) -> Self {
        let Some(qualified) = text.strip_prefix(":.") else {
            return Self {
                context: Context::default(),
                name: text.into(),
            };
        };
        let (context, name) = qualified.split_once(':').unwrap_or((qualified, ""));
        Self {
            context: Context::of_bare(context),
            name: name.into(),
        }
    }
}

impl From<String> for Subject {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl FromStr for Subject {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A name that looks qualified would be read as such, were its own context left out.
        if !self.context.is_default() || self.name.starts_with(":.") {
            write!(f, ":{}:", self.context)?;
        }
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn subjects_split_into_context_and_name() {
        for (text, context, name, shown) in [
            ("orders", ".", "orders", "orders"),
            ("", ".", "", ""),
            (":.:orders", ".", "orders", "orders"),
            (":.a:orders", ".a", "orders", ":.a:orders"),
            (":.a:b:c", ".a", "b:c", ":.a:b:c"),
            (":.a:", ".a", "", ":.a:"),
            (":.a", ".a", "", ":.a:"),
            (":.a.b/c:d/e", ".a.b/c", "d/e", ":.a.b/c:d/e"),
            (":a:b", ".", ":a:b", ":a:b"),
            ("a:.b:c", ".", "a:.b:c", "a:.b:c"),
            (":.::.a:b", ".", ":.a:b", ":.::.a:b"),
        ] {
            let subject = Subject::from(text);
            assert_eq!(
                (subject.context().name(), subject.name()),
                (context, name),
                "{text}"
            );
            assert_eq!(subject.to_string(), shown, "{text}");
        }
    }

    #[test]
    fn contexts_have_one_spelling() {
        for text in ["a", ".a", ":.a:", ":a:", ":.a"] {
            assert_eq!(Context::new(text).unwrap().name(), ".a", "{text}");
        }
        for text in ["", ".", ":.:", "::"] {
            assert!(Context::new(text).unwrap().is_default(), "{text}");
        }
        assert_eq!(
            Context::new(".a:b").unwrap_err().to_string(),
            r#"the context name ".a:b" holds a colon"#
        );
    }

    #[test]
    fn an_unqualified_subject_takes_the_context_around_it() {
        let context = Context::new("a").unwrap();
        assert_eq!(Subject::within(&context, "s").to_string(), ":.a:s");
        assert_eq!(Subject::within(&context, ":.b:s").to_string(), ":.b:s");
        assert_eq!(Subject::within(&Context::default(), "s").to_string(), "s");
    }

    #[test]
    fn reserved_subjects_are_not_valid() {
        for (text, valid) in [
            ("orders", true),
            ("", true),
            ("a/b c%:é", true),
            ("__GLOBAL", false),
            (":.a:__EMPTY", false),
            (":.__GLOBAL:s", false),
            ("a\nb", false),
            (":.a\0:s", false),
        ] {
            assert_eq!(Subject::from(text).is_valid(), valid, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_displayed_reads_back(text in ":?\\.?[a-z:./%]{0,12}") {
            let subject = Subject::from(text.as_str());
            prop_assert_eq!(Subject::from(subject.to_string()), subject);
        }
    }
}
