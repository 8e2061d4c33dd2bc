//! The command as a user runs it, against a broker and a registry in this process.
//!
//! One binary for all of it, so that the helpers are compiled and linked once.
#![expect(clippy::unwrap_used, reason = "a test panics where something is wrong")]

mod cat;
mod commands;
mod common;
mod consume;
