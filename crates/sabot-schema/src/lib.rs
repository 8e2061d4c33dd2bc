//! What a schema is: kind, text, references, subject, context, id and GUID.
//!
//! Types alone: no I/O and no Arrow, so that the registry client, its server and every codec can
//! share them and none of them moves when arrow-rs does. They say nothing of JSON either: how a
//! registry spells them on the wire is the business of its client and its server.
//!
//! A [`Schema`] is what a registry stores, with references by subject and version; a
//! [`WriterSchema`] is what a codec compiles, with the referenced texts at hand. A registry client
//! makes the second out of the first.
#![forbid(unsafe_code)]

mod guid;
mod kind;
mod rules;
mod schema;
mod settings;
mod source;
mod strategy;
mod subject;
mod version;
mod writer;

pub use kind::SchemaKind;
pub use rules::{Metadata, Rule, RuleKind, RuleMode, RuleSet};
pub use sabot_wire::{Guid, ParseGuidError, SchemaKey};
pub use schema::{Reference, RegisteredSchema, Schema};
pub use settings::{CompatibilityLevel, Mode, UnknownSetting};
pub use source::{FetchError, SchemaSource};
pub use strategy::{MessagePart, MissingRecordName, SubjectNameStrategy};
pub use subject::{Context, InvalidContext, Subject};
pub use version::{InvalidVersion, SchemaId, Version, VersionSpec};
pub use writer::{NamedSchema, WriterSchema};
