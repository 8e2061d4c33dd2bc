//! Client of a Confluent-compatible schema registry: fetch, register, compatibility, caches, single flight, retries.
//!
//! The client is blocking: a schema is fetched once and used for millions of messages, so that one waiting thread
//! costs less than an async runtime under every driver.
#![forbid(unsafe_code)]

mod admin;
mod builder;
mod cache;
mod client;
mod endpoint;
mod error;
mod json;
mod parsed;
mod references;
mod retry;
mod secret;
mod transport;

pub use admin::{Compatibility, Deleted, Deletion, Registration};
pub use builder::ClientBuilder;
pub use client::Client;
pub use error::{Error, ErrorKind};
pub use parsed::ParsedCache;
