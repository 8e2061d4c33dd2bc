//! The [`Decoder`] trait and its vocabulary: payloads in, Arrow columns out.
//!
//! The trait lives apart from every implementation, so that a caller (Kafka, a file, a test) and a
//! codec need only this crate to meet. Its key decision is the slice: a call takes many payloads,
//! which pays the dynamic call once and lets a codec run each step over a block of rows. The price
//! is that errors come back by slot instead of by `?`.
//!
//! # Invariants of every `Decoder`
//!
//! 1. One message, one slot.
//! 2. Row atomicity: a bad row leaves a placeholder slot, marked invalid, and nothing else.
//! 3. Flush never fails for data.
//! 4. Schema ids do not split batches.
//! 5. No I/O in a decoder.
//! 6. Bounded: depth, bytes and items have limits in [`Target`]; no input makes it panic.
//! 7. Batch-split invariance: any split of the same messages into calls and batches gives the same
//!    rows.
//! 8. A projection gives those columns of the whole that it names, in the order asked for; a path
//!    that leads nowhere is refused.
//! 9. An option of the [`Mapping`] is honoured, or refused by name.
//!
//! `sabot-testkit` checks them against any implementation.
#![forbid(unsafe_code)]

mod decoder;
mod error;
mod mapping;
mod path;
mod payload;
mod target;
mod zone;

pub use decoder::{Decoder, DecoderFactory, Progress, Slots, Stats, Stop};
pub use error::{FieldPathId, FlushError, PlanError, RowError, RowErrorKind};
pub use mapping::{
    BigDecimalType, BinaryType, EnumType, Mapping, MappingOption, RecursionType, StringType, UnionType,
    UuidType, WideDecimalType,
};
pub use path::{branch_segment, field_segment, join_path};
pub use payload::{Body, Payload};
pub use sabot_schema::{FetchError, NamedSchema, SchemaKind, SchemaSource, WriterSchema};
pub use sabot_wire::{Framing, MessagePath, MessagePathBuf, SchemaKey};
pub use target::{Limits, OutputSchema, Target};
pub use zone::TimeZone;
