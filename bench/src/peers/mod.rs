//! The systems that decode Avro. Each starts with framed messages and ends with record batches, flush included.

mod arrow_avro;
mod copy;
mod sabot;

use arrow_array::RecordBatch;

use crate::buffer::Messages;

pub use arrow_avro::ArrowAvro;
pub use copy::copy_bodies;
pub use sabot::Sabot;

/// Rows of a batch: what a consumer would ask for.
pub const BATCH_ROWS: usize = 8192;

/// Decodes framed messages to batches.
pub trait Peer {
    /// Decodes all messages and gives each batch away.
    fn decode(&mut self, messages: &Messages, batch: &mut dyn FnMut(RecordBatch)) -> Result<(), String>;
}

/// Everything that a peer makes of the messages.
pub fn decode_all(peer: &mut dyn Peer, messages: &Messages) -> Result<Vec<RecordBatch>, String> {
    let mut batches = Vec::new();
    peer.decode(messages, &mut |batch| batches.push(batch))?;
    Ok(batches)
}
