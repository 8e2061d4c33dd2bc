//! Avro's binary encoding to Arrow columns, with schema resolution.
//!
//! [`AvroFactory`] makes a [`sabot_decode::Decoder`]. A writer schema is compiled once, together
//! with the reader schema and the columns, to a flat list of steps; a message then runs through the
//! steps and appends its values straight to the columns. Many writer schemas share one set of
//! columns, so that alternating schema ids do not split batches.
//!
//! The specification is [Avro 1.12](https://avro.apache.org/docs/1.12.0/specification/), schema
//! resolution included: promotions, defaults, aliases, enum defaults, and unions on either side.
//! What a row does wrong is an error of that row alone, with the byte and the field's path
//! (`order.items[].price`, `{}` for a map's values, `<name>` for a union's branch).
//!
//! # Arrow types
//!
//! Each type of Avro has an Arrow type, and for most there is a choice: [`sabot_decode::Mapping`]
//! says which. The table of them, of the promotions, and of what a given Arrow schema takes is
//! `docs/type-mapping.md` in the repository; the tests read it, and try each row.
//!
//! A message that is no record becomes one column named `value`. Documentation, names, enum symbols
//! and logical types are in the fields' metadata, under `avro.doc`, `avro.name`, `avro.namespace`,
//! `avro.enum.symbols` and `avro.logicalType`. A logical type that is unknown or does not fit its
//! base type is ignored, as the specification says. A type within itself has no Arrow type: by
//! [`sabot_decode::RecursionType`] it becomes JSON text, bytes, or a number of levels.
//!
//! # Files and single objects
//!
//! [`ContainerReader`] reads Object Container Files through the same decoder; [`SchemaStore`] finds
//! the writer schemas of single-object encoding by [`fingerprint`]. The codecs `deflate` and
//! `snappy` of container files are features that are on by default, `bzip2`, `xz` and `zstandard`
//! are not.
//!
//! The columns may also be given as an Arrow schema ([`sabot_decode::OutputSchema::Arrow`]), which
//! comes out as it went in, metadata included. Fields are found by name, and by the writer's
//! aliases. A column takes what a reader schema of its type would; text also takes enums, decimals
//! and UUIDs, bytes also fixed, decimals also those of another base type, and text of the extension
//! type `arrow.json` takes everything. A column that the writer lacks is null, or the schema is
//! refused. A dictionary gathers the symbols of all writers, unless `avro.enum.symbols` lists them.
//!
//! # Example
//!
//! ```
//! use sabot_avro::AvroFactory;
//! use sabot_decode::{DecoderFactory, Payload, SchemaKey, Stop, Target, WriterSchema};
//!
//! let writer = WriterSchema::avro(
//!     r#"{"type": "record", "name": "Order", "fields": [
//!         {"name": "id", "type": "long"},
//!         {"name": "note", "type": ["null", "string"]}
//!     ]}"#,
//! );
//! let mut decoder = AvroFactory.open(&Target::default())?;
//! decoder.prepare(SchemaKey::Id(7), &writer)?;
//!
//! let good = [0x2a, 0x02, 0x04, b'h', b'i'];
//! let cut = &good[..4];
//! let rows = [good.as_slice(), cut].map(|body| Payload::with_key(SchemaKey::Id(7), body));
//! let mut errors = Vec::new();
//! let progress = decoder.decode(&rows, &mut |error| errors.push(error));
//! assert_eq!((progress.taken, progress.stop), (2, Stop::Done));
//! assert_eq!((errors[0].slot, errors[0].byte_offset), (1, 2));
//! assert_eq!(decoder.field_path(errors[0].path), "note");
//!
//! let slots = decoder.flush()?;
//! assert_eq!(slots.batch.num_rows(), 2);
//! assert!(!slots.valid.unwrap().value(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod container;
mod decoder;
mod output;
mod plan;
mod schema;
mod single_object;

pub use container::{ContainerError, ContainerErrorKind, ContainerHeader, ContainerOptions, ContainerReader};
pub use decoder::AvroFactory;
pub use single_object::{SchemaStore, canonical_form, fingerprint};
