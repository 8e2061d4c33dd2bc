//! What every codec does around its format, so that a codec is its format and nothing else.
//!
//! [`Driver`] is the [`Decoder`](sabot_decode::Decoder) of every codec. A format adds an [`Engine`]
//! to it: how a writer schema becomes a plan, and how messages become rows with it. The driver does
//! the rest, and its module tells how:
//!
//! | what | where |
//! |---|---|
//! | messages are gathered into blocks, and blocks that lose rows fall back to rows | [`Driver`], [`Gathered`], [`BlockOutcome`] |
//! | plans are kept by writer schema and message; a block may have several | [`PlansBy`], [`Plan`] |
//! | each payload gets its slot; bad ones are taken back and leave a placeholder | [`Fault`] |
//! | what a row takes is counted before it is appended | [`RowBudget`], [`BlockBudget`] |
//! | the columns are inferred from the first messages, where no schema says what they are | [`Sampler`] |
//! | errors point at field paths | [`FieldPaths`] |
//! | a projection says which fields to keep | [`Projection`] |
//! | where each row of a block is read next, and where its values go | [`RowLanes`] |
//! | columns that blocks meet in another order than that of their rows | [`DeferredWrites`], [`Extent`] |
//! | dictionaries that grow, names of extension types | [`GrowingDictionaries`], [`extension`] |
//!
//! # Example
//!
//! A format whose messages are some bytes, each of which is added to what the writer schema says,
//! and becomes a column of its own. It has both engines: blocks are read column by column, and a
//! message that is too short or too long is left to the row engine, which says so.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow_array::{cast::AsArray, types::UInt8Type};
//! use arrow_schema::{DataType, Field, Schema};
//! use sabot_codec::*;
//! use sabot_columns::{Columns, Layout};
//! use sabot_decode::{
//!     Decoder, Limits, MessagePath, Payload, PlanError, RowErrorKind, SchemaKey, SchemaKind, Stop, WriterSchema,
//! };
//!
//! #[derive(Debug)]
//! struct Bytes;
//!
//! /// What is added to each byte.
//! #[derive(Debug)]
//! struct Add(u8);
//!
//! impl Plan for Add {
//!     fn is_for_blocks(&self) -> bool {
//!         true
//!     }
//! }
//!
//! impl Engine for Bytes {
//!     type Output = Arc<Layout>;
//!     type Plan = Add;
//!     const PLANS_BY: PlansBy = PlansBy::Schema;
//!
//!     fn output(&mut self, _: &WriterSchema, _: MessagePath<'_>) -> Result<Arc<Layout>, PlanError> {
//!         let field = |name| Field::new(name, DataType::UInt8, false);
//!         Ok(Arc::new(Layout::new(&Arc::new(Schema::new(vec![field("x"), field("y")])))?))
//!     }
//!
//!     fn compile(
//!         &mut self,
//!         writer: &WriterSchema,
//!         _: MessagePath<'_>,
//!         _: &Arc<Layout>,
//!         _: &mut FieldPaths,
//!     ) -> Result<Add, PlanError> {
//!         let add = writer.text.parse().map_err(|_| PlanError::new("not a number"))?;
//!         Ok(Add(add))
//!     }
//!
//!     fn row(
//!         &mut self,
//!         plan: &Add,
//!         body: &[u8],
//!         columns: &mut Columns,
//!         _: &mut RowBudget,
//!     ) -> Result<(), Fault> {
//!         for column in 0..2 {
//!             let byte = body.get(column).ok_or(Fault::of_message(column, RowErrorKind::Truncated))?;
//!             columns.u8s[column].push(byte.wrapping_add(plan.0));
//!         }
//!         match body.len() - 2 {
//!             0 => Ok(()),
//!             left => Err(Fault::of_message(2, RowErrorKind::TrailingBytes(left as u32))),
//!         }
//!     }
//!
//!     fn block(
//!         &mut self,
//!         rows: &Gathered<'_, Add>,
//!         columns: &mut Columns,
//!         _: &mut BlockBudget,
//!     ) -> BlockOutcome {
//!         let is_lost = |row: &usize| rows.body(*row).len() != 2;
//!         let lost = (0..rows.len()).filter(is_lost).fold(0, |lost, row| lost | 1_u64 << row);
//!         for column in 0..2 {
//!             columns.u8s[column].extend((0..rows.len()).map(|row| {
//!                 let plan = &rows.plans()[usize::from(rows.plan_of()[row])];
//!                 // What is read of a lost row is garbage, which the driver drops.
//!                 rows.body(row).get(column).unwrap_or(&0).wrapping_add(plan.0)
//!             }));
//!         }
//!         match lost {
//!             0 => BlockOutcome::Good,
//!             _ => BlockOutcome::Lost {
//!                 lost,
//!                 known: rows.len(),
//!                 good: lost.trailing_zeros() as usize,
//!             },
//!         }
//!     }
//! }
//!
//! let mut decoder = Driver::new(Bytes, None, Limits::default());
//! let schema = |add: &str| WriterSchema::new(SchemaKind::Plain, add);
//! decoder.prepare(SchemaKey::Id(1), &schema("0"))?;
//! decoder.prepare(SchemaKey::Id(2), &schema("100"))?;
//!
//! let row = |id, body| Payload::with_key(SchemaKey::Id(id), body);
//! let mut rows: Vec<_> = (0..16).map(|at| row(1 + at % 2, &[1, 2])).collect();
//! rows[5] = row(1, b"\x07");
//! let mut bad = Vec::new();
//! let progress = decoder.decode(&rows, &mut |error| bad.push(error));
//! assert_eq!((progress.taken, progress.stop), (16, Stop::Done));
//! assert_eq!((bad.len(), bad[0].slot, bad[0].kind), (1, 5, RowErrorKind::Truncated));
//! // Row 5 was lost, and those around it were taken as blocks of both schemas.
//! assert_eq!((decoder.stats().block_rows, decoder.stats().single_rows), (15, 1));
//!
//! let batch = decoder.flush()?.batch;
//! let y = batch.column(1).as_primitive::<UInt8Type>().values();
//! assert_eq!(y[..8], [2, 102, 2, 102, 2, 0, 2, 102]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod block;
mod budget;
mod deferred;
mod dictionary;
mod driver;
mod engine;
pub mod extension;
mod fault;
mod field_paths;
mod gather;
mod lanes;
mod mix;
mod plans;
mod projection;
mod slots;

pub use block::{BLOCK_DEFAULT_BYTES, BLOCK_PLANS, BLOCK_ROWS, BlockOutcome, Extent, Stuck};
pub use budget::{BlockBudget, OverBudget, RowBudget};
pub use deferred::{DeferredReader, DeferredValue, DeferredWrites};
pub use dictionary::{GrowingDictionaries, GrowingDictionary};
pub use driver::Driver;
pub use engine::{Engine, Output, Sampler};
pub use fault::Fault;
pub use field_paths::FieldPaths;
pub use gather::Gathered;
pub use lanes::{RowLanes, lanes_of, unpack};
pub use plans::{Plan, PlansBy};
pub use projection::{Projection, STRUCT_UNION, Selection, UNION_KEY};

/// Why no option of a [`Mapping`](sabot_decode::Mapping) is honoured where an Arrow schema is
/// given.
pub const GIVEN_TYPES: &str = "an Arrow schema is given, which says what the types are";
