//! A growing bitmap in 64-bit words: validity and booleans.
//!
//! Words instead of bytes let a block engine append the bits of up to 64 rows at once.

use arrow_buffer::{BooleanBuffer, NullBuffer};

use crate::pool::BufferPool;

/// A bitmap, least significant bit first, as Arrow lays it out.
#[derive(Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// Bits held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends one bit.
    #[inline]
    pub fn push(&mut self, bit: bool) {
        let shift = self.len % 64;
        if shift == 0 {
            self.words.push(u64::from(bit));
        } else if let Some(last) = self.words.last_mut() {
            *last |= u64::from(bit) << shift;
        }
        self.len += 1;
    }

    /// Appends the low `count` bits of `word`, at most 64.
    ///
    /// # Panics
    ///
    /// If `count` exceeds 64.
    #[inline]
    pub fn push_word(&mut self, word: u64, count: usize) {
        assert!(count <= 64, "a word has 64 bits");
        if count == 0 {
            return;
        }
        let word = word & (u64::MAX >> (64 - count));
        let shift = self.len % 64;
        if shift == 0 {
            self.words.push(word);
        } else {
            if let Some(last) = self.words.last_mut() {
                *last |= word << shift;
            }
            if shift + count > 64 {
                self.words.push(word >> (64 - shift));
            }
        }
        self.len += count;
    }

    /// Appends zeros until there are `len` bits.
    #[inline]
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            self.words.resize(len.div_ceil(64), 0);
            self.len = len;
        }
    }

    /// Sets one bit, if `bit` says so; it was not set before.
    ///
    /// ```
    /// let mut bits = sabot_columns::Bits::default();
    /// bits.grow(3);
    /// bits.or(1, true);
    /// bits.or(2, false);
    /// assert_eq!(bits.take().iter().collect::<Vec<_>>(), [false, true, false]);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such bit.
    #[inline]
    pub fn or(&mut self, at: usize, bit: bool) {
        debug_assert!(at < self.len, "the bit is there");
        self.words[at / 64] |= u64::from(bit) << (at % 64);
    }

    /// Sets the bits of `word` from `at` on; they were not set before.
    ///
    /// ```
    /// let mut bits = sabot_columns::Bits::default();
    /// bits.grow(66);
    /// bits.or_word(62, 0b1101);
    /// let set: Vec<usize> = bits.take().set_indices().collect();
    /// assert_eq!(set, [62, 64, 65]);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are no such bits.
    #[inline]
    pub fn or_word(&mut self, at: usize, word: u64) {
        let (first, shift) = (at / 64, at % 64);
        debug_assert!(
            word == 0 || at + 63 - (word.leading_zeros() as usize) < self.len,
            "the bits are there"
        );
        if word << shift != 0 {
            self.words[first] |= word << shift;
        }
        // In two steps, since a word cannot be moved by all of its bits.
        let rest = word >> 1 >> (63 - shift);
        if rest != 0 {
            self.words[first + 1] |= rest;
        }
    }

    /// Drops every bit from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        self.words.truncate(len.div_ceil(64));
        if !len.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= u64::MAX >> (64 - len % 64);
        }
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    /// Takes the bits out and leaves room for as many again.
    pub fn take(&mut self) -> BooleanBuffer {
        self.take_with(&mut BufferPool::default())
    }

    pub(crate) fn take_with(&mut self, pool: &mut BufferPool) -> BooleanBuffer {
        for word in &mut self.words {
            *word = word.to_le();
        }
        BooleanBuffer::new(pool.take(&mut self.words), 0, std::mem::take(&mut self.len))
    }

    /// Takes the bits out as validity; `None` where all are set.
    pub(crate) fn take_nulls(&mut self, pool: &mut BufferPool) -> Option<NullBuffer> {
        let set: usize = self.words.iter().map(|word| word.count_ones() as usize).sum();
        if set == self.len {
            self.words.clear();
            self.len = 0;
            pool.pass();
            return None;
        }
        Some(NullBuffer::new(self.take_with(pool)))
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn behaves_as_a_vec_of_bools(steps in prop::collection::vec((any::<u64>(), 0usize..=64, any::<u8>()), 0..40)) {
            let (mut bits, mut model) = (Bits::default(), Vec::new());
            for (word, count, cut) in steps {
                bits.push_word(word, count);
                model.extend((0..count).map(|at| word >> at & 1 == 1));
                bits.grow(model.len() + 1);
                bits.or(model.len(), cut % 2 == 0);
                model.push(cut % 2 == 0);
                bits.push(cut % 3 == 0);
                model.push(cut % 3 == 0);
                if cut < 100 {
                    let len = model.len() * usize::from(cut) / 100;
                    bits.truncate(len);
                    model.truncate(len);
                }
                prop_assert_eq!(bits.len(), model.len());
            }
            let taken: Vec<bool> = bits.take().iter().collect();
            prop_assert_eq!(taken, model);
            prop_assert!(bits.is_empty());
        }
    }
}
