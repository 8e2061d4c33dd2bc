//! What lies between a codec and a record batch: columns that truncate to any row, the slots around a payload, and the
//! assembler of key, value and metadata columns.
//!
//! - [`Columns`] hold the values of a schema in typed arrays, addressed by the slots of a [`Layout`]. arrow-rs's builders
//!   cannot take back half a row; these can, and pay nothing for it until they do.
//! - [`SlotColumns`] do what every codec does before and after it reads a payload: tombstones, refused payloads, rollback,
//!   placeholders, limits. A codec is then a function from one payload to one row.
//! - [`Assembler`] makes one batch of decoded keys, decoded values and metadata. The error policies are here and nowhere
//!   else.
//!
//! The first two are for those who write codecs, the third for those who write drivers. The price of sharing them is that
//! columns are public arrays which a codec has to fill consistently: what it gets wrong is an error when the batch is
//! flushed, and never undefined behaviour.

mod assemble;
mod columns;
mod slots;

pub use assemble::{
    Assembled, Assembler, AssemblerOptions, BadRow, Headers, Metadata, OnError, Part, PushStop, Pushed,
    Record, Timestamp, TimestampKind, Tombstones, keep_rows,
};
pub use columns::{
    Bits, Columns, FixedBytes, Layout, Node, NodeIx, NodeKind, Offsets, Overflow, Slot, Span, UnionRows,
    VarBytes, Views,
};
pub use slots::{Fault, SlotColumns};
