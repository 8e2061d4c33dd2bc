//! What takes batches, and when they are safe.

use arrow_array::RecordBatch;

use crate::failure::Failure;

/// Takes batches until it is finished.
pub(crate) trait Sink {
    /// Writes a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<Durable, Failure>;

    /// Ends the output. All that was written is durable if this succeeds.
    fn finish(&mut self) -> Result<(), Failure>;
}

/// Whether all that a sink took so far would survive the end of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    Yes,
    NotYet,
}
