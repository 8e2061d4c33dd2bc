//! Kafka messages in, Arrow columns out.
//!
//! [`Sabot::kafka`] describes what to read; [`Builder::open`] gives a [`Stream`] of [`Batch`]es,
//! each a [`RecordBatch`](arrow_array::RecordBatch) with reports of what was wrong with its bad
//! messages. This crate adds no machinery of its own to the crates below it: it puts them together
//! and re-exports them, and Arrow's with them, so that a program needs one dependency and one
//! version of Arrow. [`Sabot::payloads`] decodes messages that come from anywhere else.
//!
//! # Example
//!
//! It runs unchanged, on a broker and a registry inside the process.
//!
//! ```
//! # #[cfg(all(feature = "avro", feature = "kafka"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use sabot::arrow_array::{cast::AsArray, types::Int64Type};
//! use sabot::kafka::{Message, Producer, Properties, embedded::EmbeddedBroker};
//! use sabot::schema::Schema;
//! use sabot::{Codec, OnError, Sabot};
//!
//! let broker = EmbeddedBroker::start(1)?;
//! broker.create_topic("orders", 1)?;
//! let registry = sabot_registry_server::Server::start(Default::default())?;
//! let schema = r#"{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}"#;
//! let id = sabot::registry::Client::new(&registry.url())?
//!     .register(&"orders-value".into(), &Schema::avro(schema), false)?
//!     .id;
//!
//! // What any Avro serialiser writes: a zero, the schema's id, the body. The last message lacks its body.
//! let producer = Producer::new(broker.brokers(), &Properties::default())?;
//! for body in [&[2_u8][..], &[4], &[]] {
//!     let value = [&[0], &id.0.to_be_bytes()[..], body].concat();
//!     producer.send(&Message { topic: "orders", value: Some(&value), ..Message::default() })?;
//! }
//! producer.flush(Duration::from_secs(10))?;
//!
//! let stream = Sabot::kafka(broker.brokers())
//!     .topic("orders")
//!     .registry(registry.url())
//!     .value(Codec::avro())
//!     .on_error(OnError::Skip)
//!     .stop_at_end()
//!     .open()?;
//! let (mut sum, mut bad) = (0, Vec::new());
//! for batch in stream {
//!     let batch = batch?;
//!     let ids = batch.batch["id"].as_primitive::<Int64Type>();
//!     sum += ids.iter().flatten().sum::<i64>();
//!     bad.extend(batch.bad.iter().map(ToString::to_string));
//!     batch.ack();
//! }
//! assert_eq!(sum, 3);
//! assert_eq!(bad, ["orders[0] at offset 2: value, schema 1, field id, byte 5: the message ends inside a value"]);
//! # Ok(()) }
//! # #[cfg(not(all(feature = "avro", feature = "kafka")))]
//! # fn main() {}
//! ```
//!
//! # Avro files
//!
//! Object Container Files go through the same decoder, without Kafka:
//!
//! ```
//! # #[cfg(feature = "avro")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sabot::{ContainerOptions, ContainerReader};
//!
//! // Any `Read` will do, such as a `File`. This one holds the ints 3 and 4.
//! let file = b"Obj\x01\x02\x16avro.schema\x0a\"int\"\x00sixteen bytes ok\x04\x04\x06\x08sixteen bytes ok";
//! let mut options = ContainerOptions::default();
//! options.target.limits.batch_rows = 1;
//! let mut rows = 0;
//! for batch in ContainerReader::with_options(&file[..], options)? {
//!     match batch {
//!         Ok(batch) => rows += batch.num_rows(),
//!         // A bad row or block; the next call goes on after it.
//!         Err(error) if !error.is_fatal() => eprintln!("{} rows are lost: {error}", error.lost_rows()),
//!         Err(error) => return Err(error.into()),
//!     }
//! }
//! assert_eq!(rows, 2);
//! # Ok(()) }
//! # #[cfg(not(feature = "avro"))]
//! # fn main() {}
//! ```
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `kafka` | [`Sabot::kafka`] and [`kafka`]; on by default. Without it [`Sabot::payloads`] is left, and librdkafka, which is written in C, is not built |
//! | `avro`, `json`, `plain` | the codecs; all on by default |
//! | `avro-codecs` | Avro files whose blocks are compressed with bzip2, xz or zstandard; deflate and snappy are always read |
//! | `async` | `Stream::into_async`, with `kafka` |
//! | `ssl`, `zstd`, `gssapi` | passed on to librdkafka, if `kafka` is on: TLS, zstd-compressed topics, Kerberos |
//!
//! Further examples are in the crate's `examples` folder: `quickstart`, `to_parquet`,
//! `dead_letters`.
#![forbid(unsafe_code)]

#[cfg(feature = "async")]
mod asynchronous;
#[cfg(feature = "kafka")]
mod builder;
mod encoding;
mod error;
mod payloads;
mod schema_source;
#[cfg(feature = "kafka")]
mod stream;

#[cfg(feature = "async")]
pub use asynchronous::AsyncStream;
#[cfg(feature = "kafka")]
pub use builder::Builder;
pub use encoding::Codec;
pub use error::{Error, ErrorKind, with_causes};
pub use payloads::{PayloadDecoder, Payloads};
#[cfg(feature = "kafka")]
pub use stream::Stream;

pub use sabot_assemble::{BadRow, Metadata, OnError, Part, Tombstones};
pub use sabot_decode::{
    BigDecimalType, BinaryType, EnumType, Limits, RecursionType, StringType, TimeZone, UnionType, UuidType,
    WideDecimalType,
};
#[cfg(feature = "kafka")]
pub use sabot_kafka::{Acker, Batch, End, Progress, Start, Stopper};
pub use sabot_wire::{Framing, SchemaKey};

pub use arrow_array;
pub use arrow_schema;
pub use sabot_assemble as assemble;
#[cfg(feature = "avro")]
pub use sabot_avro as avro;
#[cfg(feature = "avro")]
pub use sabot_avro::{
    ContainerError, ContainerErrorKind, ContainerHeader, ContainerOptions, ContainerReader, SchemaStore,
};
pub use sabot_codec as codec;
pub use sabot_columns as columns;
pub use sabot_decode as decode;
#[cfg(feature = "json")]
pub use sabot_json as json;
#[cfg(feature = "kafka")]
pub use sabot_kafka as kafka;
#[cfg(feature = "plain")]
pub use sabot_plain as plain;
pub use sabot_registry as registry;
pub use sabot_schema as schema;
pub use sabot_wire as wire;

/// Where everything begins: [`Sabot::kafka`] for topics, [`Sabot::payloads`] for payloads from
/// elsewhere.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Sabot;

impl Sabot {
    /// Reads topics. `brokers` are `host:port` with commas between.
    ///
    /// Say which topic, how its values are encoded and, for schemas with ids, where the registry
    /// is. Everything else has a default: from the beginning, for ever, without a group, failing at
    /// the first bad message.
    #[cfg(feature = "kafka")]
    pub fn kafka(brokers: impl Into<String>) -> Builder {
        Builder::new(brokers.into())
    }

    /// Decodes payloads that come from anywhere: a file, a test, another client.
    pub fn payloads(codec: Codec) -> Payloads {
        Payloads::new(codec)
    }
}

/// The README's example, which is compiled with the tests of this documentation.
#[cfg(all(doctest, feature = "avro", feature = "kafka"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
