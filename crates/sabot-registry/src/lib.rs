//! Client of a Confluent-compatible schema registry: fetch, register, compatibility, caches, single
//! flight, retries.
//!
//! [`Client::fetch`] turns the key in a message's frame into a
//! [`WriterSchema`](sabot_schema::WriterSchema), closed under its references: all that a codec
//! needs. Around it is the registry's REST API as Confluent 7 and 8 serve it (and Apicurio, below
//! `/apis/ccompat/v7`).
//!
//! The client is blocking. A schema is fetched once and used for millions of messages, so that one
//! waiting thread costs less than an async runtime under every caller; an async program calls it
//! from a blocking thread.
//!
//! ```
//! use sabot_registry::Client;
//! use sabot_registry_server::{Server, ServerOptions};
//! use sabot_schema::{Schema, Subject};
//!
//! // A registry in memory; elsewhere, the URL of a real one.
//! let server = Server::start(ServerOptions::default())?;
//! let client = Client::new(&server.url())?;
//!
//! let schema = Schema::avro(r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#);
//! let registration = client.register(&Subject::from("orders-value"), &schema, false)?;
//!
//! let fetched = client.fetch(registration.id.into())?;
//! assert_eq!(fetched.text, schema.text);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is kept, and for how long
//!
//! | answer | kept |
//! |---|---|
//! | the schema of an id or a GUID | until its room is needed: it never changes |
//! | a subject's latest version, and versions that schemas refer to | [`latest_ttl`](ClientBuilder::latest_ttl) |
//! | "no such subject, version or schema" (40401 to 40403) | [`negative_ttl`](ClientBuilder::negative_ttl) |
//! | any other error | not at all |
//!
//! Ids are kept for each [context](Client::in_context) apart. Threads that ask for the same key at
//! the same time share one request; threads that find their schema in the cache never wait for one.
//!
//! # What is tried again
//!
//! Connections that fail, answers that do not come in time, and HTTP 408, 429, 500, 502, 503 and
//! 504: first at the next URL, then, after a random wait, from the beginning, up to
//! [`retries`](ClientBuilder::retries) and the [`deadline`](ClientBuilder::deadline). `Retry-After`
//! is obeyed; where it goes beyond the deadline, the call fails at once. The URL that answered last
//! is asked first. Deletions are repeated only where they were surely not carried out.
//!
//! # What it takes from its surroundings
//!
//! Nothing: no environment variable has any influence, proxies included (see
//! [`ClientBuilder::proxy_from_env`]). Certificates are checked against Mozilla's roots, which are
//! compiled in, and host names always. Redirects are reported, not followed.
//!
//! Credentials are never printed, nor what a registry says of them: `Debug`, errors and URLs hold
//! none. Over `http://` they go in the clear, as everything does.
#![forbid(unsafe_code)]

mod admin;
mod cache;
mod client;
mod endpoint;
mod error;
mod json;
mod parsed;
mod references;
mod retry;
mod secret;
mod source;
mod transport;

pub use admin::{Compatibility, Deleted, Deletion, Registration};
pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind};
pub use parsed::ParsedCache;
