//! An in-memory, Confluent-compatible schema registry for development, demos and tests.
//!
//! [`Store`] is the registry without HTTP: subjects, versions, ids, references, compatibility,
//! modes, deletion, with Confluent's rules and error codes. [`Server`] answers its REST API on a
//! thread of its own, and breaks on purpose where a test of a client plans it ([`Faults`]). Nothing
//! is written to disk; nothing is meant for production.
//!
//! # What it does as Confluent's registry does
//!
//! - The same schema has the same id under every subject of a context. Ids start at 1. GUIDs are
//!   Confluent's.
//! - Avro schemas are stored as Avro's Java library prints them. A repeated registration finds what
//!   is there.
//! - Soft and hard deletion, references and their protection, contexts, modes, configuration at
//!   three levels.
//! - Avro's compatibility is that of Avro's Java library, every incompatibility reported.
//!
//! # What it does not do
//!
//! - It does not understand JSON Schema or Protobuf. Their texts are stored (JSON reprinted without
//!   whitespace, Protobuf as it came). A second, different version is refused with the code 42205
//!   while the subject's compatibility level is anything but `NONE`: what cannot be checked is
//!   never called compatible.
//! - It ignores `format`, schema tags, aliases and associations. A configuration beyond
//!   compatibility level and `normalize` is refused. An unknown path and an unknown method both
//!   answer 404.
//! - It does not keep the property `confluent:version` in metadata up to date.
#![forbid(unsafe_code)]

mod avro;
mod check;
mod error;
mod fault;
mod json;
mod message;
mod route;
mod server;
mod store;

pub use error::StoreError;
pub use fault::{Fault, Faults};
pub use server::{Server, ServerOptions};
pub use store::{Config, Filter, Store};
