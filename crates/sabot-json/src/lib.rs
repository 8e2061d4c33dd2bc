//! JSON to Arrow columns, with the schema given or inferred.
//!
//! Messages are parsed by [simd-json](https://docs.rs/simd-json) (RFC 8259, strictly) into a tape,
//! and the tape is written into columns along a plan that was compiled from the Arrow schema. Each
//! message is taken alone: none can swallow its neighbour, and a bad one costs nothing but itself.
//! The decoder needs no writer schema and ignores any key.
//!
//! # Types
//!
//! | Arrow type | JSON |
//! |---|---|
//! | `Boolean` | `true`, `false` |
//! | `Int8` to `UInt64` | a number without a fraction: `1`, `1.0`, `1e2`; `3.7` and what is out of range are errors |
//! | `Float32`, `Float64` | a number, rounded once to the nearest |
//! | `Decimal32` to `Decimal256` | a number, or one in a string; digit by digit, never rounded |
//! | `Utf8`, `LargeUtf8`, `Utf8View`, `Dictionary(Int32, Utf8)` | a string |
//! | `Binary`, `LargeBinary`, `BinaryView`, `FixedSizeBinary` | a string in base64 (RFC 4648, padded) |
//! | `FixedSizeBinary(16)` with the extension type `arrow.uuid` | a hyphenated UUID |
//! | `Date32`, `Date64` | `"2024-02-29"`, or a number of days (milliseconds) |
//! | `Time32`, `Time64` | `"23:59:59.5"`, or a number of the column's unit since midnight |
//! | `Timestamp` with a zone | RFC 3339 with its offset, or a number of the column's unit since the epoch |
//! | `Timestamp` without | RFC 3339 without an offset, or a number |
//! | `Duration` | a number of the column's unit |
//! | `Struct`, `List`, `Map` with text keys | an object, an array, an object |
//! | `Utf8` with the extension type `arrow.json` | anything: its text, unchanged |
//! | `Null` | `null` |
//!
//! A missing member is null; where the column does not allow that, the row is bad. Of two members
//! with one name the last wins. Members that the schema does not have are left out. A dictionary
//! holds the values of one batch in the order of their first appearance; if its column is not
//! nullable, the empty string comes before them, for placeholders.
//!
//! # What is JSON
//!
//! What RFC 8259 says, checked in all of the message, also where it is left out. No byte order
//! mark, no lone surrogate (`"\ud800"`). Numbers may have any number of digits and keep them in
//! decimals, but none may be beyond the range of an `f64` (`1e400`), as the RFC allows. A syntax
//! error is reported at the byte that is not allowed there; what ends too early, at its end.
//!
//! # Limits
//!
//! All of [`Limits`](sabot_decode::Limits) hold; `row_items` counts the items of lists and maps
//! that become columns, and in a sample those of all arrays. Further, the nulls that one message
//! leaves in its lists may be 16 Mi at most (`[{},{},{}]` is short text, and a null for every
//! member of each). Parsing takes up to 30 bytes for each byte of the message, which are given back
//! after messages of more than 1 MiB.
//!
//! # Inference
//!
//! With [`OutputSchema::FirstWriter`] the schema is inferred from a sample: the first 1,000
//! messages, good or bad, or the first MiB of good ones, or fewer if the decoder is flushed before.
//! Fields are in the order in which they first appeared, and all are nullable. There may be 10,000
//! of them at all levels together; a message with more is bad, and none of its fields are taken.
//!
//! | seen | Arrow type |
//! |---|---|
//! | `true`, `false` | `Boolean` |
//! | integers | `Int64`; `UInt64` if some need it; `Decimal128(20, 0)` if both |
//! | fractions, exponents, integers beyond 64 bits; integers beside them | `Float64` |
//! | strings | `Utf8`, or as [`Mapping::strings`](sabot_decode::Mapping) says |
//! | scalars of several kinds | text: strings as they are, others as they are written (metadata `sabot:json` = `scalar`) |
//! | objects, arrays | `Struct`, `List` |
//! | scalars beside objects or arrays, objects beside arrays, only `null`, only `{}` | JSON text (`arrow.json`) |
//! | arrays of objects with so little in common that they would be mostly nulls (16 Mi of them) | JSON text |
//!
//! A later message that does not fit is bad; a later field is left out, unless a projection asks
//! for it. What is asked for and the sample lacks is a column of JSON text, as one that was always
//! null is, and `log` has a warning that names the nearest fields.
//!
//! ```
//! use arrow_array::{cast::AsArray, types::Int64Type};
//! use sabot_decode::{DecoderFactory, Payload, Target};
//! use sabot_json::JsonFactory;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut decoder = JsonFactory::new().open(&Target::default())?;
//! let payloads = [Payload::unframed(br#"{"id": 1, "name": "a"}"#), Payload::unframed(br#"{"id": 2, "na"#)];
//! let mut bad = Vec::new();
//! decoder.decode(&payloads, &mut |error| bad.push(error));
//! let slots = decoder.flush()?;
//! assert_eq!(slots.batch.column(0).as_primitive::<Int64Type>().value(0), 1);
//! assert_eq!(bad.len(), 1);
//! assert_eq!(bad[0].slot, 1);
//! # Ok(()) }
//! ```
#![forbid(unsafe_code)]

mod engine;
mod infer;
mod locate;
mod number;
mod parse;
mod plan;
mod sample;
mod syntax;
mod text;
mod write;

use arrow_schema::SchemaRef;
use sabot_codec::{Driver, GIVEN_TYPES, Projection};
use sabot_decode::{Decoder, DecoderFactory, MappingOption, OutputSchema, PlanError, SchemaKind, Target};

use engine::JsonEngine;
use sample::JsonSampler;

/// Makes decoders of JSON.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct JsonFactory {}

impl JsonFactory {
    /// The options of a [`Mapping`](sabot_decode::Mapping) that are honoured where the schema is
    /// inferred. A given schema leaves no choice, and none is then.
    pub const OPTIONS: &[MappingOption] = &[MappingOption::Strings];

    /// Decodes JSON.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl DecoderFactory for JsonFactory {
    fn kind(&self) -> SchemaKind {
        SchemaKind::Json
    }

    fn needs_writer_schemas(&self) -> bool {
        false
    }

    /// Takes an Arrow schema, or infers one.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if the target's schema is no Arrow schema, has a type that JSON has no form
    /// for here (unions, intervals), or lacks a projected field; or if an option of the mapping is
    /// not honoured.
    fn open(&self, target: &Target) -> Result<Box<dyn Decoder>, PlanError> {
        match &target.output {
            OutputSchema::FirstWriter => Ok(Box::new(sampling(target)?)),
            OutputSchema::Arrow(schema) => Ok(Box::new(with_schema(schema, target)?)),
            _ => Err(PlanError::new(
                "JSON takes an Arrow schema as its target, or infers one",
            )),
        }
    }
}

/// A decoder that infers its schema from the first messages.
fn sampling(target: &Target) -> Result<Driver<JsonEngine>, PlanError> {
    let projection = Projection::parse(target.projection.as_deref())?;
    projection.check_inferable()?;
    let why = "nothing else with a choice of types is ever inferred from JSON";
    target.mapping.check(JsonFactory::OPTIONS, why)?;
    let engine = JsonEngine::new(&target.limits);
    let sampler = JsonSampler::new(target, projection);
    Ok(Driver::sampling(engine, Box::new(sampler), target.limits))
}

/// A decoder onto a given schema.
fn with_schema(schema: &SchemaRef, target: &Target) -> Result<Driver<JsonEngine>, PlanError> {
    target.mapping.check(&[], GIVEN_TYPES)?;
    let projection = Projection::parse(target.projection.as_deref())?;
    let schema = projection.prune(schema)?;
    let engine = JsonEngine::new(&target.limits);
    Driver::with_plan(engine, target.limits, |engine, paths| engine.plan(&schema, paths))
}
