//! Variable-length integers: seven bits a byte, the least significant first, the high bit set on
//! all but the last.
//!
//! A value may be written longer than necessary, up to the length of its type's longest value: 5
//! bytes for 32 bits, 10 for 64. Bits beyond the type are an error, never dropped. Longer values
//! are read from one 64-bit word whose groups are moved together in three steps, since a loop's
//! length is hard to predict.

use crate::ReadErrorKind;

/// Bytes of the longest 32-bit integer.
pub const MAX_BYTES_32: usize = 5;
/// Bytes of the longest 64-bit integer.
pub const MAX_BYTES_64: usize = 10;

/// The high bit of every byte of a word.
pub(crate) const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// Reads an unsigned 64-bit integer from the start of `bytes`: the value, and how many bytes it
/// takes.
///
/// # Errors
///
/// [`ReadErrorKind::Truncated`] if `bytes` ends first, [`ReadErrorKind::VarintOverflow`] beyond 10
/// bytes or 64 bits.
///
/// ```
/// assert_eq!(sabot_cursor::varint::read_u64(&[0xac, 0x02, 0xff]), Ok((300, 2)));
/// ```
#[inline]
pub fn read_u64(bytes: &[u8]) -> Result<(u64, usize), ReadErrorKind> {
    match bytes {
        [byte, ..] if *byte < 0x80 => Ok((u64::from(*byte), 1)),
        [low, high, ..] if *high < 0x80 => Ok((u64::from(*low & 0x7f) | u64::from(*high) << 7, 2)),
        _ => read_long_u64(bytes),
    }
}

/// Reads an unsigned 32-bit integer from the start of `bytes`: the value, and how many bytes it
/// takes.
///
/// # Errors
///
/// [`ReadErrorKind::Truncated`] if `bytes` ends first, [`ReadErrorKind::VarintOverflow`] beyond 5
/// bytes or 32 bits.
#[inline]
pub fn read_u32(bytes: &[u8]) -> Result<(u32, usize), ReadErrorKind> {
    match bytes {
        [byte, ..] if *byte < 0x80 => Ok((u32::from(*byte), 1)),
        [low, high, ..] if *high < 0x80 => Ok((u32::from(*low & 0x7f) | u32::from(*high) << 7, 2)),
        _ => read_long_u32(bytes),
    }
}

/// Maps 0, 1, 2, 3, ... to 0, -1, 1, -2, ...
#[inline]
#[must_use]
pub const fn unzigzag_64(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Maps 0, 1, 2, 3, ... to 0, -1, 1, -2, ...
#[inline]
#[must_use]
pub const fn unzigzag_32(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

#[inline(never)]
fn read_long_u64(bytes: &[u8]) -> Result<(u64, usize), ReadErrorKind> {
    let Some(word) = bytes.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk)) else {
        return read_bytewise(bytes, MAX_BYTES_64);
    };
    let ends = !word & CONTINUED;
    if ends == 0 {
        return read_bytewise(bytes, MAX_BYTES_64);
    }
    // `ends ^ (ends - 1)` covers everything up to the last byte's high bit.
    let word = word & (ends ^ (ends - 1)) & !CONTINUED;
    Ok((gather(word), ends.trailing_zeros() as usize / 8 + 1))
}

#[inline(never)]
fn read_long_u32(bytes: &[u8]) -> Result<(u32, usize), ReadErrorKind> {
    let (value, len) = read_bytewise(&bytes[..bytes.len().min(MAX_BYTES_32)], MAX_BYTES_32)?;
    let value = u32::try_from(value).map_err(|_| ReadErrorKind::VarintOverflow)?;
    Ok((value, len))
}

/// Moves the low seven bits of each byte together.
#[inline(always)]
pub(crate) const fn gather(word: u64) -> u64 {
    let pairs = (word & 0x007f_007f_007f_007f) | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let quads = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    (quads & 0x0fff_ffff) | (quads & 0x0fff_ffff_0000_0000) >> 4
}

fn read_bytewise(bytes: &[u8], max_bytes: usize) -> Result<(u64, usize), ReadErrorKind> {
    let mut value = 0;
    for (at, &byte) in bytes.iter().take(max_bytes).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shifted = bits << (7 * at);
        if shifted >> (7 * at) != bits {
            return Err(ReadErrorKind::VarintOverflow);
        }
        value |= shifted;
        if byte < 0x80 {
            return Ok((value, at + 1));
        }
    }
    if bytes.len() < max_bytes {
        Err(ReadErrorKind::Truncated)
    } else {
        Err(ReadErrorKind::VarintOverflow)
    }
}
