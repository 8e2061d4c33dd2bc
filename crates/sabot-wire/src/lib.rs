//! Framing of one Kafka payload: which schema wrote it, and where its body begins.
//!
//! This crate splits a payload into a [`SchemaKey`], a [`MessagePath`] and a body, and writes the same frames.
//! It allocates nothing, does no I/O and knows no schema, so that it fits under every codec and any client.
#![no_std]
#![forbid(unsafe_code)]

mod error;
mod guid;
mod key;
mod path;

pub use error::FrameError;
pub use guid::{Guid, ParseGuidError};
pub use key::SchemaKey;
pub use path::MessagePath;
