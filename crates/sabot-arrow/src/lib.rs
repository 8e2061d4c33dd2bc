//! Arrow columns with checkpoint and truncate, and the assembler of key, value and metadata columns.

mod assemble;
mod columns;
mod slots;

pub use assemble::{
    Assembled, Assembler, AssemblerOptions, BadRow, Headers, Metadata, OnError, Part, PushStop, Pushed,
    Record, Timestamp, TimestampKind, Tombstones,
};
pub use columns::{
    Bits, Columns, FixedBytes, Layout, Node, NodeIx, NodeKind, Offsets, Overflow, Slot, UnionRows, VarBytes,
    Views,
};
pub use slots::{Fault, SlotColumns};
