//! Many varints in a row, as a list of numbers has them.
//!
//! Read one after the other, each varint would wait for the length of the one before. Instead all
//! bytes that end a varint are found first, 64 bytes at once: a bit for each. Then a varint is
//! between two bits, and the processor works on many.
//!
//! # Example
//!
//! The bytes are `ac 02 05 80 01`: 300, 5 and 128.
//!
//! 1. The bytes 1, 2 and 4 have their high bit clear, so that the mask is `0b10110`.
//! 2. Its lowest bit is 1: the first varint has the bytes 0 and 1. Without that bit the lowest is
//!    2: the next has byte 2 alone. Then 4: the last has the bytes 3 and 4.
//! 3. Of each the word from its first byte on is read, cut to its bytes, and the groups of seven
//!    bits are moved together.

use crate::Window;
use crate::varint::CONTINUED;

/// Varints of a run that are read at once at most, and the bytes that they take at most.
pub const RUN: usize = 64;

impl Window<'_> {
    /// Reads up to `count` varints that follow each other, each of `MAX_BYTES` bytes at most (5 or
    /// 10): those that end within [`RUN`] bytes. Says how many, and how many bytes they take; none
    /// where the first one is longer.
    ///
    /// ```
    /// use sabot_cursor::{Arena, RUN};
    ///
    /// let mut arena = Arena::new();
    /// arena.push(&[0xac, 0x02, 0x05, 0x80, 0x01]);
    /// let mut values = [0; RUN];
    /// assert_eq!(arena.window().varint_run::<10>(0, 3, &mut values), (3, 5));
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
        let mut ends = self.ends(at);
        let (mut read, mut start) = (0, 0);
        // Where each varint begins, and which have more than the eight bytes of a word.
        let (mut starts, mut long) = ([0; RUN], 0_u64);
        while read < count && ends != 0 {
            let bytes = ends.trailing_zeros() + 1 - start;
            if bytes > MAX_BYTES {
                break;
            }
            // The bytes after the varint are cut off; of a long one there are none in the word.
            let word = self.word(at + start);
            let word_ends = !word & CONTINUED;
            values[read % RUN] = word & (word_ends ^ word_ends.wrapping_sub(1));
            starts[read % RUN] = start as u8;
            long |= u64::from(bytes > 8) << (read % RUN);
            start += bytes;
            ends &= ends - 1;
            read += 1;
        }
        levels::gather_each(&mut values[..read]);
        while long != 0 {
            let which = long.trailing_zeros() as usize % RUN;
            long &= long - 1;
            let Some((value, _)) = self.long_varint(at + u32::from(starts[which])) else {
                // It has more than 64 bits: the run ends before it.
                return (which, starts[which].into());
            };
            values[which] = value;
        }
        (read, start)
    }

    /// The bits of those of [`RUN`] bytes that end a varint: the high bits that are clear, moved
    /// together.
    #[inline]
    fn ends(self, at: u32) -> u64 {
        (0..RUN as u32 / 8).fold(0, |ends, word| {
            let high = (!self.word(at + word * 8) >> 7) & 0x0101_0101_0101_0101;
            ends | (high.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (word * 8)
        })
    }
}

/// A loop for each level of processor, as [`crate::lanes`] has them.
mod levels {
    use crate::varint::gather;

    #[inline(always)]
    fn gather_each_inline(words: &mut [u64]) {
        for word in words {
            *word = gather(*word);
        }
    }

    /// Moves the low seven bits of each byte of each word together.
    #[inline]
    pub(super) fn gather_each(words: &mut [u64]) {
        #[cfg(target_arch = "x86_64")]
        {
            use crate::lanes::Level;

            #[target_feature(enable = "avx2")]
            fn avx2(words: &mut [u64]) {
                gather_each_inline(words);
            }
            if Level::best() != Level::Base {
                #[expect(unsafe_code, reason = "four words at once instead of two")]
                // SAFETY: 1. Calling the function asks for nothing but AVX2.
                // 2. Every level but the base is returned only where AVX2 was found.
                return unsafe { avx2(words) };
            }
        }
        gather_each_inline(words);
    }
}
