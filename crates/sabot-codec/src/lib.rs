//! What every codec does around its format, so that a codec is its format and nothing else.
//!
//! [`SlotColumns`] do what comes before and after a payload is read: tombstones, refused payloads, rollback, placeholders,
//! limits. A codec is then a function from one payload to one row.
#![forbid(unsafe_code)]

mod slots;

pub use slots::{Fault, SlotColumns};
