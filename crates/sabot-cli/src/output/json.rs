//! Rows as JSON objects: one a line, or all in one array.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::encode::RowEncoder;
use super::render::Render;

/// An object a line.
pub(super) struct JsonLines;

impl Render for JsonLines {
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let all: Vec<usize> = (0..batch.num_columns()).collect();
        let rows = RowEncoder::new(batch, &all)?;
        for row in 0..batch.num_rows() {
            rows.json(row, out);
            out.push(b'\n');
        }
        Ok(())
    }
}

/// `[`, an object a line, `]`.
#[derive(Default)]
pub(super) struct JsonArray {
    begun: bool,
}

impl Render for JsonArray {
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let all: Vec<usize> = (0..batch.num_columns()).collect();
        let rows = RowEncoder::new(batch, &all)?;
        for row in 0..batch.num_rows() {
            let begun = std::mem::replace(&mut self.begun, true);
            out.extend_from_slice(if begun { b",\n" } else { b"[\n" });
            rows.json(row, out);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.begun { b"\n]\n" } else { b"[]\n" });
    }
}
