//! Code written by hand for one schema: row by row, checked, straight into Arrow's buffers, in safe
//! Rust.
//!
//! It is what a good engineer writes who knows the schema when compiling, and so the limit of
//! decoding row by row. Bounds, tags and lengths are checked for each value. UTF-8 is checked once
//! for each column of a batch, by Arrow, which safe code cannot do without; so a bad message ends
//! the run instead of being skipped.

mod columns;
mod cursor;
mod flat;
mod nested;

pub use flat::Flat;
pub use nested::Nested;

use arrow_array::RecordBatch;

use super::BATCH_ROWS;
use crate::avro::FIRST_ID;
use crate::batch::Batch;
use crate::buffer::Messages;
use cursor::{Bad, Cursor};

/// Columns of one schema.
trait Columns: Default {
    fn row(&mut self, body: &mut Cursor<'_>) -> Result<(), Bad>;

    /// The rows so far; nothing is left behind.
    fn flush(&mut self) -> Result<RecordBatch, String>;
}

/// Decodes all messages.
fn run<C: Columns>(columns: &mut C, messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
    let mut rows = 0;
    for message in messages.iter() {
        let Some((&[0, a, b, c, d], body)) = message.split_first_chunk() else {
            return Err("a message without a frame".into());
        };
        if u32::from_be_bytes([a, b, c, d]) != FIRST_ID {
            return Err("a message of another schema".into());
        }
        let mut body = Cursor::new(body);
        columns
            .row(&mut body)
            .and_then(|()| body.end())
            .map_err(|bad| format!("{bad:?}"))?;
        rows += 1;
        if rows == BATCH_ROWS {
            batch(Batch::Ours(columns.flush()?));
            rows = 0;
        }
    }
    if rows > 0 {
        batch(Batch::Ours(columns.flush()?));
    }
    Ok(())
}
