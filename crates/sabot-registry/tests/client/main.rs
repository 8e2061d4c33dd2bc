//! The client against servers of both kinds: the in-memory registry, which is in order, and a fake
//! one, which is not.

#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

mod caching;
mod fake;
mod faults;
mod references;
mod registry;
mod secrets;
mod urls;
