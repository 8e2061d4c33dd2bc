//! Conformance suite for any Sabot decoder, generators of bad input, and stand-ins for tests.
//!
//! - [`conformance`] checks the nine invariants of `sabot_decode::Decoder` against any
//!   implementation.
//! - [`mutate`] spoils payloads; fuzz targets use it too.
//! - [`replay`] replays what fuzzing found.
//! - [`alloc`] counts allocations.
//! - [`avro`] writes Avro by hand.
//! - [`toy`] is a decoder small enough to be right at sight, and ways to break it; [`Schemas`] is a
//!   source of writer schemas.
//!
//! The crate is never published and only ever a dependency of tests, so it panics where a test
//! would.

pub mod alloc;
pub mod avro;
pub mod conformance;
pub mod mutate;
pub mod replay;
mod schemas;
pub mod toy;

pub use schemas::Schemas;
