//! Arrow columns with checkpoint and truncate, and the assembler of key, value and metadata columns.

mod columns;
mod slots;

pub use columns::{
    Bits, Columns, FixedBytes, Layout, Node, NodeIx, NodeKind, Offsets, Overflow, Slot, UnionRows, VarBytes,
    Views,
};
pub use slots::{Fault, SlotColumns};
