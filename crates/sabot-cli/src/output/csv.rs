//! Rows as CSV.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::encode;
use super::render::Render;

/// RFC 4180 with a header. Null is an empty cell; an empty string is `""`; nested values are JSON.
pub(super) struct Csv {
    /// The header that the output has already.
    pub(super) header: Option<Vec<u8>>,
}

impl Csv {
    /// Writes the header above the first row. Rows of other columns than the header's would be read
    /// wrongly.
    fn header(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let mut header = Vec::new();
        for (at, field) in batch.schema_ref().fields().iter().enumerate() {
            if at > 0 {
                header.push(b',');
            }
            csv_cell(field.name().as_bytes(), &mut header);
        }
        header.extend_from_slice(b"\r\n");
        match &self.header {
            Some(existing) if existing.trim_ascii_end() == header.trim_ascii_end() => Ok(()),
            Some(existing) => Err(ArrowError::SchemaError(format!(
                "the columns are {}, but the output's are {}",
                String::from_utf8_lossy(header.trim_ascii_end()),
                String::from_utf8_lossy(existing.trim_ascii_end())
            ))),
            None => {
                out.extend_from_slice(&header);
                self.header = Some(header);
                Ok(())
            }
        }
    }
}

impl Render for Csv {
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        if batch.num_columns() == 0 {
            return Ok(());
        }
        self.header(batch, out)?;
        let columns = encode::columns(batch)?;
        let mut cell = Vec::new();
        for row in 0..batch.num_rows() {
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                if !column.is_null(row) {
                    cell.clear();
                    column.text(row, &mut cell);
                    csv_cell(&cell, out);
                }
            }
            out.extend_from_slice(b"\r\n");
        }
        Ok(())
    }
}

fn csv_cell(text: &[u8], out: &mut Vec<u8>) {
    if !text.is_empty()
        && !text
            .iter()
            .any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'))
    {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
