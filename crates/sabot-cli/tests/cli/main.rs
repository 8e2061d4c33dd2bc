//! The command as a user runs it, against a broker and a registry in this process.
//!
//! One binary for all of it, so that the helpers are compiled and linked once.

mod commands;
mod common;
mod consume;
