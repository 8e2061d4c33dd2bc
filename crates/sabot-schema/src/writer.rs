//! A schema with everything it refers to, ready to be compiled.

use std::sync::Arc;

use crate::SchemaKind;

/// The schema that a message was written with, closed under its references.
///
/// Cloning shares the texts.
///
/// ```
/// use sabot_schema::{NamedSchema, WriterSchema};
///
/// let mut schema = WriterSchema::avro(r#"{"type": "array", "items": "com.acme.Hash"}"#);
/// schema.references = [NamedSchema {
///     name: "com.acme.Hash".into(),
///     text: r#"{"type": "fixed", "name": "com.acme.Hash", "size": 16}"#.into(),
/// }]
/// .into();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a source of schemas builds one for each"
)]
pub struct WriterSchema {
    /// The language of `text`.
    pub kind: SchemaKind,
    /// The schema itself, as the registry stores it.
    pub text: Arc<str>,
    /// Everything that `text` refers to, directly or not: each schema after those it depends on,
    /// each name once.
    pub references: Arc<[NamedSchema]>,
}

impl WriterSchema {
    /// A schema without references.
    pub fn new(kind: SchemaKind, text: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            text: text.into(),
            references: Arc::new([]),
        }
    }

    /// A self-contained Avro schema.
    pub fn avro(text: impl Into<Arc<str>>) -> Self {
        Self::new(SchemaKind::Avro, text)
    }
}

/// A referenced schema under the name by which others refer to it (an Avro full name, a `.proto`
/// import path, a `$ref`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a source of schemas builds one for each"
)]
pub struct NamedSchema {
    /// The reference's name.
    pub name: Arc<str>,
    /// The schema's text.
    pub text: Arc<str>,
}
