//! Memory of the batch before, used again once its consumer has let go of it.
//!
//! Fresh memory is dear: the kernel hands it out page by page, zeroed, and takes it back when a batch is dropped, which is
//! much of the time that short messages take. So each buffer that is handed over is remembered until the next batch is. If
//! nobody else holds it then, it becomes the room for the batch after that. The price is one batch's memory that is kept
//! after its consumer dropped it.

use std::collections::VecDeque;

use arrow_buffer::{ArrowNativeType, Buffer};

/// The buffers of the batch before, in the order in which every batch hands its buffers over.
#[derive(Debug, Default)]
pub(super) struct Spares {
    before: VecDeque<Buffer>,
    now: VecDeque<Buffer>,
}

impl Spares {
    /// Hands over all of `values`, and leaves room for as many again.
    pub(super) fn take<T: ArrowNativeType>(&mut self, values: &mut Vec<T>) -> Buffer {
        let room = self.room(values.len());
        let buffer = Buffer::from_vec(std::mem::replace(values, room));
        self.now.push_back(buffer.clone());
        buffer
    }

    /// Passes over a place where nothing is handed over this time.
    pub(super) fn pass(&mut self) {
        self.now.extend(self.before.pop_front());
    }

    /// The batch is complete: its buffers are the ones to be asked for next.
    pub(super) fn end_batch(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// Forgets all buffers, where a batch was not completed and the next ones would stand at other places.
    pub(super) fn clear(&mut self) {
        self.before.clear();
        self.now.clear();
    }

    /// An empty vector for about `len` values. One that is much too long is not kept: batches may have become smaller.
    fn room<T: ArrowNativeType>(&mut self, len: usize) -> Vec<T> {
        let before = self.before.pop_front().and_then(|buffer| buffer.into_vec().ok());
        match before {
            Some(mut values) if (len / 2..=len.saturating_mul(4)).contains(&values.capacity()) => {
                values.clear();
                values
            }
            _ => Vec::with_capacity(len),
        }
    }
}
