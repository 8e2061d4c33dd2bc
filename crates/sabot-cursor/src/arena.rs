//! Many messages in one buffer, read at many positions without a check for each.
//!
//! A position is masked to the buffer's size, and after the buffer there is room for the longest
//! single read, so that any position whatever reads bytes of the arena: perhaps another message's,
//! never foreign memory. Who reads there checks later whether the position went beyond its message.
//! The size is a constant, which lets the compiler drop the bounds checks; the price is a limit to
//! what one block of messages may take.

use crate::varint::{CONTINUED, gather};

/// Bytes of messages that an [`Arena`] holds; a power of two. As many as 64 messages of four
/// kilobytes have, which still fit in the second cache of a processor.
pub const ARENA_BYTES: usize = 1 << 18;
/// Bytes after them, the longest read at once.
const PADDING_BYTES: usize = 64;

/// A buffer for a block of messages.
///
/// ```
/// use sabot_cursor::Arena;
///
/// let mut arena = Arena::new();
/// assert_eq!(arena.push(b"\x02a"), Some(0..2));
/// assert_eq!(arena.push(b"\x04bc"), Some(2..5));
/// assert_eq!(arena.window().byte(2), 4);
/// assert_eq!(arena.slice(3..5), b"bc");
/// // A position beyond every message reads some bytes of the arena.
/// arena.window().word(u32::MAX);
/// ```
#[derive(Debug, Clone)]
pub struct Arena {
    bytes: Box<[u8; ARENA_BYTES + PADDING_BYTES]>,
    len: usize,
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

impl Arena {
    /// An arena without messages.
    ///
    /// # Panics
    ///
    /// Never: the buffer has the array's length.
    #[must_use]
    pub fn new() -> Self {
        let bytes = vec![0; ARENA_BYTES + PADDING_BYTES].into_boxed_slice();
        Self {
            bytes: bytes.try_into().expect("because it has the array's length"),
            len: 0,
        }
    }

    /// Drops all messages.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends a message, and says where it is; `None` if it does not fit.
    #[inline(always)]
    pub fn push(&mut self, message: &[u8]) -> Option<core::ops::Range<u32>> {
        let (start, end) = (self.len, self.len + message.len());
        if end > ARENA_BYTES {
            return None;
        }
        // The lengths of messages are hard to predict, and so are the branches of a general copy.
        // So there is one for each range of lengths, of moves that may overlap.
        match message.len() {
            0 => {}
            1..=3 => {
                // The first, the middle and the last: all that there are.
                let last = message.len() - 1;
                for at in [0, last / 2, last] {
                    self.bytes[start + at] = message[at];
                }
            }
            4..=8 => copy_ends::<4>(&mut self.bytes[start..end], message),
            9..=16 => copy_ends::<8>(&mut self.bytes[start..end], message),
            17..=31 => copy_ends::<16>(&mut self.bytes[start..end], message),
            // One range, since the lengths of one topic's messages vary within it.
            32..=128 => copy_overlapping::<4>(&mut self.bytes[start..end], message),
            129..=256 => copy_overlapping::<8>(&mut self.bytes[start..end], message),
            _ => self.bytes[start..end].copy_from_slice(message),
        }
        self.len = end;
        Some(start as u32..end as u32)
    }

    /// The messages, to be read at any position.
    #[inline(always)]
    #[must_use]
    pub fn window(&self) -> Window<'_> {
        Window(&self.bytes)
    }

    /// The bytes between two positions; none where these are no range within the messages.
    #[inline]
    #[must_use]
    pub fn slice(&self, range: core::ops::Range<u32>) -> &[u8] {
        self.bytes[..self.len]
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }
}

/// Copies `WIDTH` to `2 * WIDTH` bytes: the first ones and the last ones.
#[inline(always)]
fn copy_ends<const WIDTH: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<WIDTH>(), from.last_chunk::<WIDTH>()) {
        to.first_chunk_mut().into_iter().for_each(|to| *to = *first);
        to.last_chunk_mut().into_iter().for_each(|to| *to = *last);
    }
}

/// Copies 32 to `32 * N` bytes in `N` moves that may overlap.
#[inline(always)]
fn copy_overlapping<const N: usize>(to: &mut [u8], from: &[u8]) {
    let last = from.len() - 32;
    for chunk in 0..N {
        let at = (32 * chunk).min(last);
        to[at..at + 32].copy_from_slice(&from[at..at + 32]);
    }
}

/// All that is in an [`Arena`], borrowed once for many reads.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a>(&'a [u8; ARENA_BYTES + PADDING_BYTES]);

impl<'a> Window<'a> {
    /// The byte at a position.
    #[inline(always)]
    #[must_use]
    pub fn byte(self, at: u32) -> u8 {
        self.0[at as usize % ARENA_BYTES]
    }

    /// The eight bytes from a position on, as a little-endian word.
    #[inline(always)]
    #[must_use]
    pub fn word(self, at: u32) -> u64 {
        let at = at as usize % ARENA_BYTES;
        let mut word = [0; 8];
        word.copy_from_slice(&self.0[at..at + 8]);
        u64::from_le_bytes(word)
    }

    /// The 64-bit varint at a position, and how many bytes it takes; `None` where it goes on beyond
    /// 64 bits.
    ///
    /// ```
    /// use sabot_cursor::Arena;
    ///
    /// let mut arena = Arena::new();
    /// arena.push(&[0xac, 0x02]);
    /// arena.push(&[0xff; 11]);
    /// assert_eq!(arena.window().varint(0), Some((300, 2)));
    /// assert_eq!(arena.window().varint(2), None);
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn varint(self, at: u32) -> Option<(u64, u32)> {
        let word = self.word(at);
        let ends = !word & CONTINUED;
        if ends == 0 {
            return self.long_varint(at);
        }
        // All bits up to the lowest end.
        let through = ends ^ ends.wrapping_sub(1);
        Some((gather(word & through), ends.trailing_zeros() / 8 + 1))
    }

    /// The same for one of nine or ten bytes.
    #[inline]
    pub(crate) fn long_varint(self, at: u32) -> Option<(u64, u32)> {
        let (low, high) = (gather(self.word(at)), self.word(at + 8));
        let (ninth, tenth) = (high & 0xff, high >> 8 & 0xff);
        match ninth < 0x80 {
            true => Some((low | ninth << 56, 9)),
            // Of the tenth byte's bits only one is within 64.
            false => (tenth <= 1).then_some((low | (ninth & 0x7f) << 56 | tenth << 63, 10)),
        }
    }

    /// The whole buffer, with what comes after the messages: 64 bytes from every position below
    /// [`ARENA_BYTES`] on.
    #[inline]
    #[must_use]
    pub fn padded(self) -> &'a [u8] {
        self.0
    }
}
