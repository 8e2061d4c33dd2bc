//! What a schema is: kind, text, references, subject, context, id and GUID.
//!
//! Types alone: no I/O and no Arrow, so that the registry client, its server and every codec can share them and
//! none of them moves when arrow-rs does.
#![forbid(unsafe_code)]

mod kind;
mod writer;

pub use kind::SchemaKind;
pub use sabot_wire::{Guid, SchemaKey};
pub use writer::{NamedSchema, WriterSchema};
