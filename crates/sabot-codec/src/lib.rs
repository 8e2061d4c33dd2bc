//! What every codec does around its format, so that a codec is its format and nothing else.
//!
//! [`SlotColumns`] do what comes before and after a payload is read: tombstones, refused payloads, rollback, placeholders,
//! limits. A codec is then a function from one payload to one row. A [`Projection`] says which fields to keep.
#![forbid(unsafe_code)]

mod block;
mod deferred;
mod dictionary;
pub mod extension;
mod field_paths;
mod projection;
mod slots;

pub use block::{BLOCK_ROWS, Extent, Stuck};
pub use deferred::{DeferredReader, DeferredValue, DeferredWrites};
pub use dictionary::GrowingDictionary;
pub use field_paths::FieldPaths;
pub use projection::{Projection, STRUCT_UNION, Selection, UNION_KEY};
pub use slots::{Fault, SlotColumns};
