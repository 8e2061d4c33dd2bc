//! The floor: copying each body, and nothing else.

use std::hint::black_box;

use sabot_wire::Framing;

use super::BATCH_ROWS;
use crate::buffer::Messages;

/// Copies the bodies of a batch into one buffer after another.
pub fn copy_bodies(messages: &Messages) {
    let mut copied = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        if at % BATCH_ROWS == 0 {
            black_box(&copied);
            copied = Vec::with_capacity(copied.capacity());
        }
        let frame = Framing::Confluent
            .split(None, message)
            .expect("because the workload frames its messages");
        copied.extend_from_slice(frame.body);
    }
    black_box(&copied);
}
