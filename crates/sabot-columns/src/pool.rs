//! Memory of the batch before, used again once its consumer has let go of it.
//!
//! Fresh memory is dear: the kernel hands it out page by page, zeroed, and takes it back when a
//! batch is dropped, which is much of the time that short messages take. So each buffer that is
//! handed over is remembered until the next batch is. If nobody else holds it then, it becomes the
//! room for the batch after that. The price is one batch's memory that is kept after its consumer
//! dropped it.

use std::collections::VecDeque;

use arrow_buffer::{ArrowNativeType, Buffer};

/// The buffers of the batch before, in the order in which every batch hands its buffers over.
#[derive(Debug, Default)]
pub(crate) struct BufferPool {
    before: VecDeque<Buffer>,
    now: VecDeque<Buffer>,
}

impl BufferPool {
    /// Hands over all of `values`, and leaves room for as many again.
    pub(crate) fn take<T: ArrowNativeType>(&mut self, values: &mut Vec<T>) -> Buffer {
        let room = self.room(values.len());
        let buffer = Buffer::from_vec(std::mem::replace(values, room));
        self.now.push_back(buffer.clone());
        buffer
    }

    /// Passes over a place where nothing is handed over this time.
    pub(crate) fn pass(&mut self) {
        // Where nothing has been yet, nothing still takes a place, or all after it would be asked
        // for at the wrong ones, and the buffers passed over here would stay for good.
        self.now.push_back(self.before.pop_front().unwrap_or_default());
    }

    /// The batch is complete: its buffers are the ones to be asked for next.
    pub(crate) fn end_batch(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// Forgets all buffers, where a batch was not completed and the next ones would be at other
    /// places.
    pub(crate) fn clear(&mut self) {
        self.before.clear();
        self.now.clear();
    }

    /// An empty vector for about `len` values. One that is much too long is not kept: batches may
    /// have become smaller. A short one is, or a column that is empty in most batches would need
    /// its room anew each time.
    fn room<T: ArrowNativeType>(&mut self, len: usize) -> Vec<T> {
        let before = self.before.pop_front().and_then(|buffer| buffer.into_vec().ok());
        let most = len.saturating_mul(4).max(SHORT);
        match before {
            Some(mut values) if (len / 2..=most).contains(&values.capacity()) => {
                values.clear();
                values
            }
            _ => Vec::with_capacity(len),
        }
    }
}

/// Room for as many values is kept, however few there were.
const SHORT: usize = 64;

#[cfg(test)]
mod tests {
    use super::{BufferPool, SHORT};

    #[test]
    fn each_buffer_comes_back_to_its_place() {
        let (mut pool, mut values) = (BufferPool::default(), vec![0_u8; 100]);
        let first = values.as_ptr();
        for batch in 0..4 {
            values.resize(100, batch);
            // Nothing is handed over before it, from the first batch on.
            pool.pass();
            drop(pool.take(&mut values));
            pool.end_batch();
            assert_eq!(pool.before.len(), 2, "batch {batch}");
        }
        // Two buffers take turns.
        assert_eq!(values.as_ptr(), first);
    }

    #[test]
    fn short_room_is_kept_and_long_room_is_not() {
        for (room, kept) in [(SHORT, SHORT), (SHORT + 1, 0)] {
            let (mut pool, mut values) = (BufferPool::default(), Vec::<u8>::with_capacity(room));
            // Nothing is in it, so that the next has no room, and the one after that has this
            // one's.
            for _ in 0..2 {
                drop(pool.take(&mut values));
                pool.end_batch();
            }
            assert_eq!(values.capacity(), kept);
        }
    }

    #[test]
    fn what_somebody_holds_is_left_alone() {
        let (mut pool, mut values) = (BufferPool::default(), vec![1_u8; 100]);
        let held = pool.take(&mut values);
        pool.end_batch();
        values.resize(100, 2);
        drop(pool.take(&mut values));
        values.resize(100, 3);
        assert_eq!(held.as_slice(), [1; 100]);
    }
}
