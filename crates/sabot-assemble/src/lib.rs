//! Key, value and metadata to record batches, with what becomes of bad rows and tombstones.
//!
//! The [`Assembler`] drives decoders and knows no codec; the error policies live here and nowhere
//! else.
#![forbid(unsafe_code)]

mod assembler;
mod bad_rows;
mod chunk;
mod compose;
mod headers;
mod keep;
mod layout;
mod metadata;
mod nulls;
mod options;
mod part;
mod report;
mod run;
mod vectors;

pub use assembler::Assembler;
pub use keep::keep_rows;
pub use options::{AssemblerOptions, Metadata, OnError, Tombstones};
pub use report::{Assembled, BadRow, Part, PushStop, Pushed};
pub use run::{Headers, Record, Run, RunHeaders, RunPart, TimestampKind, Timestamps};
pub use vectors::recycle;
