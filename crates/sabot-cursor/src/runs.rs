//! Many varints in a row, as a list of numbers has them.
//!
//! Read one after the other, each varint would wait for the length of the one before. Instead all bytes that end a varint are
//! found first, 64 bytes at once: a bit for each. Then a varint lies between two bits, and the processor works on many.
//!
//! # Example
//!
//! The bytes are `ac 02 05 80 01`: 300, 5 and 128.
//!
//! 1. The bytes 1, 2 and 4 have their high bit clear, so that the mask is `0b10110`.
//! 2. Its lowest bit is 1: the first varint has the bytes 0 and 1. Without that bit the lowest is 2: the next has byte 2 alone.
//!    Then 4: the last has the bytes 3 and 4.
//! 3. Of each the word from its first byte on is read, cut to its bytes, and the groups of seven bits are moved together.

use crate::Window;
use crate::varint::gather;

/// Varints of a run that are read at once at most, and the bytes that they take at most.
pub const RUN: usize = 64;

impl Window<'_> {
    /// Reads up to `count` varints that follow each other, each of `MAX_BYTES` bytes at most, and eight at most: those that
    /// end within [`RUN`] bytes. Says how many, and how many bytes they take; none where the first one is longer.
    ///
    /// ```
    /// use sabot_cursor::{Arena, RUN};
    ///
    /// let mut arena = Arena::new();
    /// arena.push(&[0xac, 0x02, 0x05, 0x80, 0x01]);
    /// let mut values = [0; RUN];
    /// assert_eq!(arena.window().varint_run::<8>(0, 3, &mut values), (3, 5));
    /// assert_eq!(values[..3], [300, 5, 128]);
    /// ```
    #[inline]
    #[must_use]
    pub fn varint_run<const MAX_BYTES: u32>(
        self,
        at: u32,
        count: usize,
        values: &mut [u64; RUN],
    ) -> (usize, u32) {
        let mut ends = 0;
        for word in 0..RUN as u32 / 8 {
            // The high bits of the bytes that end a varint, moved together.
            let high = (!self.word(at + word * 8) >> 7) & 0x0101_0101_0101_0101;
            ends |= (high.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (word * 8);
        }
        let (mut read, mut start) = (0, 0);
        for value in values.iter_mut().take(count) {
            // Where there is no end any more, the length is beyond every limit.
            let bytes = ends.trailing_zeros() + 1 - start;
            if bytes > MAX_BYTES.min(8) || ends == 0 {
                break;
            }
            *value = gather(self.word(at + start) & (u64::MAX >> (64 - 8 * bytes)));
            start += bytes;
            ends &= ends - 1;
            read += 1;
        }
        (read, start)
    }
}
