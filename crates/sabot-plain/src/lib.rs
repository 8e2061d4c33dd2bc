//! Strings, bytes and Kafka's primitive serdes to Arrow columns.
//!
//! A payload is one value and becomes one column, in the byte formats of
//! `org.apache.kafka.common.serialization`: numbers big-endian, UUIDs as hyphenated text. The
//! decoder needs no writer schema and ignores any key.
//!
//! | [`Serde`] | payload | Arrow type |
//! |---|---|---|
//! | `String` | UTF-8 | `Utf8` (or `LargeUtf8`, `Utf8View`) |
//! | `Bytes` | anything | `Binary` (or `LargeBinary`, `BinaryView`) |
//! | `Boolean` | 1 byte, 0 or 1 | `Boolean` |
//! | `Short`, `Int`, `Long` | 2, 4, 8 bytes | `Int16`, `Int32`, `Int64` |
//! | `Float`, `Double` | 4, 8 bytes, IEEE 754 | `Float32`, `Float64` |
//! | `Uuid` | 36 characters | `FixedSizeBinary(16)` with the extension type `arrow.uuid` (or text as above) |
//!
//! ```
//! use arrow_array::{Array, cast::AsArray, types::Int64Type};
//! use sabot_decode::{DecoderFactory, Payload, RowErrorKind, Target};
//! use sabot_plain::{PlainFactory, Serde};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut decoder = PlainFactory::new(Serde::Long).open(&Target::default())?;
//! let payloads = [Payload::unframed(&[0, 0, 0, 0, 0, 0, 0, 7]), Payload::unframed(b"7"), Payload::tombstone()];
//! let mut bad = Vec::new();
//! decoder.decode(&payloads, &mut |error| bad.push(error));
//! let slots = decoder.flush()?;
//! assert_eq!(slots.batch.column(0).as_primitive::<Int64Type>().value(0), 7);
//! assert_eq!(bad[0].slot, 1);
//! assert_eq!(bad[0].kind, RowErrorKind::WrongSize { expected: 8, found: 1 });
//! assert!(slots.batch.column(0).is_null(2));
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod decoder;
mod serde;

use std::sync::Arc;

use sabot_decode::{Decoder, DecoderFactory, MappingOption, PlanError, SchemaKind, Target};

pub use serde::Serde;

/// Makes decoders for one [`Serde`].
#[derive(Debug, Clone)]
pub struct PlainFactory {
    serde: Serde,
    column: Arc<str>,
}

impl PlainFactory {
    /// The options of a [`Mapping`](sabot_decode::Mapping) that are honoured.
    pub const OPTIONS: &[MappingOption] = decoder::OPTIONS;

    /// Decodes `serde` into a column named `value`.
    #[must_use]
    pub fn new(serde: Serde) -> Self {
        Self {
            serde,
            column: "value".into(),
        }
    }

    /// Names the column.
    #[must_use]
    pub fn named(mut self, column: impl Into<Arc<str>>) -> Self {
        self.column = column.into();
        self
    }
}

impl DecoderFactory for PlainFactory {
    fn kind(&self) -> SchemaKind {
        SchemaKind::Plain
    }

    fn needs_writer_schemas(&self) -> bool {
        false
    }

    /// Of the target it takes the mapping and the limits.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if the target has a schema of its own, which a plain value cannot follow, or a
    /// projection that leaves the only column out, or an option that concerns types which no plain
    /// value is of.
    fn open(&self, target: &Target) -> Result<Box<dyn Decoder>, PlanError> {
        Ok(Box::new(decoder::open(self.serde, &self.column, target)?))
    }
}
