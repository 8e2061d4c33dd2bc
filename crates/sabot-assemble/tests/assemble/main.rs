//! The assembler, over decoders that are small enough to be right at sight.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod columns;
mod model;
mod one_column;
mod policies;
mod schemas;
mod support;
