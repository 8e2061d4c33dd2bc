//! The varints of message indexes: at most 32 bits, in the shortest form only.

use crate::PathError;

/// The most bytes that a varint of 32 bits takes.
pub(crate) const MAX_VARINT_BYTES: usize = 5;

/// The largest message index.
pub(crate) const MAX_INDEX: u32 = i32::MAX as u32;

/// How message indexes are mapped onto varints.
// As wide as a pointer, so that a message path has no padding: copying that takes two moves that
// overlap, and each copy waits for the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Varints {
    /// As all clients of today write them: 0, -1, 1, -2 become 0, 1, 2, 3.
    Zigzag,
    /// As old Python clients wrote them.
    Plain,
}

impl Varints {
    /// Reads a number of indexes.
    pub(crate) fn split_count(self, bytes: &[u8]) -> Result<(u32, &[u8]), PathError> {
        self.split(bytes, PathError::NegativeCount)
    }

    /// Reads one index.
    pub(crate) fn split_index(self, bytes: &[u8]) -> Result<(u32, &[u8]), PathError> {
        self.split(bytes, PathError::NegativeIndex)
    }

    /// Writes a number up to [`MAX_INDEX`].
    pub(crate) fn encode(self, number: u32) -> EncodedVarint {
        let mut left = match self {
            Self::Zigzag => number << 1,
            Self::Plain => number,
        };
        let mut encoded = EncodedVarint {
            bytes: [0; MAX_VARINT_BYTES],
            len_bytes: 1,
        };
        while left >= 0x80 {
            encoded.bytes[encoded.len_bytes - 1] = (left & 0x7f) as u8 | 0x80;
            encoded.len_bytes += 1;
            left >>= 7;
        }
        encoded.bytes[encoded.len_bytes - 1] = left as u8;
        encoded
    }

    fn split(self, bytes: &[u8], negative: fn(i32) -> PathError) -> Result<(u32, &[u8]), PathError> {
        let (raw, rest) = split_u32(bytes)?;
        match self {
            Self::Zigzag if raw & 1 == 1 => Err(negative(!((raw >> 1) as i32))),
            Self::Zigzag => Ok((raw >> 1, rest)),
            Self::Plain if raw > MAX_INDEX => Err(PathError::OutOfRange),
            Self::Plain => Ok((raw, rest)),
        }
    }
}

/// The bytes of one varint.
pub(crate) struct EncodedVarint {
    bytes: [u8; MAX_VARINT_BYTES],
    len_bytes: usize,
}

impl EncodedVarint {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len_bytes]
    }
}

fn split_u32(bytes: &[u8]) -> Result<(u32, &[u8]), PathError> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(MAX_VARINT_BYTES).enumerate() {
        let last = at == MAX_VARINT_BYTES - 1;
        if last && byte > 0x0f {
            return Err(PathError::OutOfRange);
        }
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            // A zero byte at the end adds nothing: the same value has a shorter form.
            let overlong = byte == 0 && at > 0;
            return if overlong {
                Err(PathError::Overlong)
            } else {
                Ok((value, &bytes[at + 1..]))
            };
        }
    }
    Err(PathError::Truncated)
}
