//! Columns that are written by appending, truncate to any row, and hand their memory from batch to
//! batch.
//!
//! [`Columns`] hold the values of a schema in typed arrays, addressed by the positions in a
//! [`Layout`]. arrow-rs's builders cannot take back half a row; these can, and pay nothing for it
//! until they do. The price is that columns are public arrays which a codec has to fill
//! consistently: what it gets wrong is an error when the batch is flushed, and never undefined
//! behaviour.

mod bits;
mod bytes;
mod check;
mod columns;
mod layout;
mod nested;
mod pool;

pub use bits::Bits;
pub use bytes::{FixedBytes, Span, VarBytes, Views};
pub use check::Overflow;
pub use columns::Columns;
pub use layout::{ColumnIx, Layout, Node, NodeIx, NodeKind};
pub use nested::{Offsets, UnionRows};
