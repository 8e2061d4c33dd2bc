//! A schema as a registry stores it, and as it answers for it.

use std::sync::Arc;

use crate::{Context, Guid, Metadata, RuleSet, SchemaId, SchemaKind, Subject, Version, VersionSpec};

/// A schema with everything that makes up its identity in a registry.
///
/// ```
/// use sabot_schema::Schema;
/// let schema = Schema::avro(r#""string""#);
/// // The GUID is what a registry would give it: the MD5 of the text, here.
/// assert_eq!(schema.guid().to_string(), "095d71cf-1255-6b9d-5e33-0ad575b3df5d");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Schema {
    /// The language of `text`.
    pub kind: SchemaKind,
    /// The schema itself.
    pub text: Arc<str>,
    /// What `text` refers to, in the registry's order.
    pub references: Vec<Reference>,
    /// Metadata, where there is any.
    pub metadata: Option<Metadata>,
    /// Rules, where there are any.
    pub rule_set: Option<RuleSet>,
}

impl Schema {
    /// A schema of text alone.
    pub fn new(kind: SchemaKind, text: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            text: text.into(),
            references: Vec::new(),
            metadata: None,
            rule_set: None,
        }
    }

    /// An Avro schema of text alone.
    pub fn avro(text: impl Into<Arc<str>>) -> Self {
        Self::new(SchemaKind::Avro, text)
    }

    /// The same schema with these references.
    #[must_use]
    pub fn with_references(mut self, references: impl IntoIterator<Item = Reference>) -> Self {
        self.references = references.into_iter().collect();
        self
    }

    /// The same schema with this metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The same schema with these rules.
    #[must_use]
    pub fn with_rule_set(mut self, rule_set: RuleSet) -> Self {
        self.rule_set = Some(rule_set);
        self
    }
}

/// One schema's mention of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a plain record of the registry's own format"
)]
pub struct Reference {
    /// The name by which the schema refers to it: an Avro full name, a `.proto` import path, a
    /// `$ref`.
    pub name: Arc<str>,
    /// The subject as written. Without a context of its own it is in that of the schema which
    /// refers to it.
    pub subject: Arc<str>,
    /// The version. A registry that answers `Latest` means the newest at the time of reading.
    pub version: VersionSpec,
}

impl Reference {
    /// A reference to `version` of `subject`.
    pub fn new(
        name: impl Into<Arc<str>>,
        subject: impl Into<Arc<str>>,
        version: impl Into<VersionSpec>,
    ) -> Self {
        Self {
            name: name.into(),
            subject: subject.into(),
            version: version.into(),
        }
    }

    /// The subject, seen from a schema in `parent`.
    #[must_use]
    pub fn subject_from(&self, parent: &Context) -> Subject {
        Subject::within(parent, &self.subject)
    }
}

/// A schema under a subject, with the numbers that its registry gave it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RegisteredSchema {
    /// The subject.
    pub subject: Subject,
    /// Its version under the subject.
    pub version: Version,
    /// Its id within the subject's context.
    pub id: SchemaId,
    /// Its GUID: as the registry says, or computed where it says none.
    pub guid: Guid,
    /// Whether this version is soft-deleted.
    pub deleted: bool,
    /// The schema.
    pub schema: Schema,
}

impl RegisteredSchema {
    /// A version that is not deleted, with the GUID computed from the schema.
    #[must_use]
    pub fn new(subject: Subject, version: Version, id: SchemaId, schema: Schema) -> Self {
        Self {
            subject,
            version,
            id,
            guid: schema.guid(),
            deleted: false,
            schema,
        }
    }
}
