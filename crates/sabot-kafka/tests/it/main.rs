//! The source against the embedded broker and the in-memory registry.
#![expect(clippy::unwrap_used, reason = "a test panics where something is wrong")]

mod common;
mod group;
mod reading;
mod trouble;
