//! From batches to text.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

/// Makes text of batches.
pub(crate) trait Render {
    /// Appends the rows of a batch.
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError>;

    /// Appends what comes after the last row.
    fn end(&mut self, out: &mut Vec<u8>) {
        let _ = out;
    }
}
