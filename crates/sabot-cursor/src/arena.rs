//! Many messages in one buffer, read at many positions without a check for each.
//!
//! A position is masked to the buffer's size, and behind the buffer there is room for the longest single read, so that any
//! position whatever reads bytes of the arena: perhaps another message's, never foreign memory. Who reads there checks later
//! whether the position went beyond its message. The size is a constant, which lets the compiler drop the bounds checks;
//! the price is a limit to what one block of messages may take.

use alloc::boxed::Box;
use alloc::vec;

/// Bytes of messages that an [`Arena`] holds; a power of two.
pub const ARENA_BYTES: usize = 1 << 16;
/// Bytes behind them, the longest read at once.
const PADDING_BYTES: usize = 64;

/// A buffer for a block of messages.
///
/// ```
/// use sabot_cursor::Arena;
///
/// let mut arena = Arena::new();
/// assert_eq!(arena.push(b"\x02a"), Some(0..2));
/// assert_eq!(arena.push(b"\x04bc"), Some(2..5));
/// assert_eq!(arena.byte(2), 4);
/// assert_eq!(arena.slice(3..5), b"bc");
/// // A position beyond every message reads some bytes of the arena.
/// arena.word(u32::MAX);
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

    /// Bytes that still fit.
    #[must_use]
    pub fn room_bytes(&self) -> usize {
        ARENA_BYTES - self.len
    }

    /// Appends a message, and says where it lies; `None` if it does not fit.
    #[inline]
    pub fn push(&mut self, message: &[u8]) -> Option<core::ops::Range<u32>> {
        let (start, end) = (self.len, self.len + message.len());
        if end > ARENA_BYTES {
            return None;
        }
        self.bytes[start..end].copy_from_slice(message);
        self.len = end;
        Some(start as u32..end as u32)
    }

    /// The byte at a position.
    #[inline(always)]
    #[must_use]
    pub fn byte(&self, at: u32) -> u8 {
        self.bytes[at as usize % ARENA_BYTES]
    }

    /// The eight bytes from a position on, as a little-endian word.
    #[inline(always)]
    #[must_use]
    pub fn word(&self, at: u32) -> u64 {
        u64::from_le_bytes(self.array(at))
    }

    /// The `N` bytes from a position on, at most 64.
    #[inline(always)]
    #[must_use]
    pub fn array<const N: usize>(&self, at: u32) -> [u8; N] {
        const { assert!(N <= PADDING_BYTES, "the padding covers the longest read") };
        let at = at as usize % ARENA_BYTES;
        let mut array = [0; N];
        array.copy_from_slice(&self.bytes[at..at + N]);
        array
    }

    /// The bytes between two positions; none where these are no range within the messages.
    #[inline]
    #[must_use]
    pub fn slice(&self, range: core::ops::Range<u32>) -> &[u8] {
        self.bytes[..self.len]
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }

    /// The whole buffer, with what lies behind the messages: positions below [`ARENA_BYTES`] have 64 bytes from them on.
    #[inline]
    #[must_use]
    pub fn padded(&self) -> &[u8] {
        &self.bytes[..]
    }
}
