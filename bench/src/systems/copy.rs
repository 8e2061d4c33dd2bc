//! The floor: copying each body, and nothing else.

use sabot_wire::Framing;

use super::BATCH_ROWS;
use crate::batch::Batch;
use crate::buffer::Messages;

/// Copies the bodies of a batch into one buffer after another.
pub fn copy_bodies(messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
    let mut copied: Vec<u8> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        if at % BATCH_ROWS == 0 && at > 0 {
            let capacity = copied.capacity();
            batch(Batch::Bytes(std::mem::replace(
                &mut copied,
                Vec::with_capacity(capacity),
            )));
        }
        let frame = Framing::Confluent
            .split(None, message)
            .map_err(|error| error.to_string())?;
        copied.extend_from_slice(frame.body);
    }
    batch(Batch::Bytes(copied));
    Ok(())
}
