//! One value for each lane: the loops that all speed comes from.
//!
//! Each loop reads the same type for all lanes, so that the reads, which depend on nothing but their own lane, overlap. There
//! is no branch on what is read: a null is a mask, an error a lost lane.

use sabot_arrow::Span;
use sabot_cursor::{ARENA_BYTES, Window, varint};

use super::lanes::{LANES, Lanes, lose};

/// The high bit of every byte of a word.
const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// Reads whether a nullable value is there: all ones if so.
///
/// `non_null_byte` is the byte that says so, of the two that may stand there, 0 and 2. The same index written longer than
/// necessary is left to the row engine.
#[inline(always)]
fn presence<const NULLABLE: bool>(arena: Window<'_>, at: &mut u32, non_null_byte: u8) -> u64 {
    if !NULLABLE {
        return u64::MAX;
    }
    let byte = arena.byte(*at);
    *at += 1;
    lose(at, byte & !2 != 0);
    // Arithmetic instead of a comparison, of which the compiler would make a branch that nobody can predict.
    let is_other = u64::from((byte ^ non_null_byte) >> 1 & 1);
    is_other.wrapping_sub(1)
}

/// Reads one value for each lane, `read` at a time; returns the bits of the lanes whose value is there.
///
/// `read` gets the position behind the presence, the message's end and a mask; it returns the value and its bytes, which
/// count only under the mask.
#[inline(always)]
fn each<const NULLABLE: bool, T>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    values: &mut [T; LANES],
    mut read: impl FnMut(&mut u32, u32, u64) -> T,
) -> u64 {
    let mut present = 0;
    // Indexed, since the compiler makes no good loop of four arrays zipped.
    #[expect(clippy::needless_range_loop, reason = "it is twice as fast as iterators")]
    for lane in 0..lanes.len.min(LANES) {
        let mut at = lanes.at[lane];
        let mask = presence::<NULLABLE>(arena, &mut at, non_null_byte);
        if NULLABLE {
            present |= (mask & 1) << lane;
        }
        values[lane] = read(&mut at, lanes.end[lane], mask);
        lanes.at[lane] = at;
    }
    if NULLABLE { present } else { lanes.all() }
}

/// Longs, not yet moved together and unzigzagged: see [`long`].
#[inline(always)]
pub(super) fn longs<const NULLABLE: bool>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    values: &mut [u64; LANES],
) -> u64 {
    let mut any_long = 0;
    let before = lanes.at;
    let present = each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, _, mask| {
        let word = arena.word(*at);
        let ends = !word & CONTINUED;
        any_long |= u64::from(ends == 0) & mask;
        *at += (ends.trailing_zeros() / 8 + 1) & mask as u32;
        word & (ends ^ ends.wrapping_sub(1)) & mask
    });
    // Moved together apart from the loop above, since the compiler makes vectors of this one.
    for value in values.iter_mut() {
        *value = gather(*value);
    }
    if any_long != 0 {
        lanes.at = before;
        return long_longs::<NULLABLE>(arena, lanes, non_null_byte, values);
    }
    present
}

/// Moves the low seven bits of each byte together.
#[inline(always)]
const fn gather(word: u64) -> u64 {
    let pairs = (word & 0x007f_007f_007f_007f) | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let quads = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    (quads & 0x0fff_ffff) | (quads & 0x0fff_ffff_0000_0000) >> 4
}

/// The same where some of them take more than eight bytes.
#[cold]
#[inline(never)]
fn long_longs<const NULLABLE: bool>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    values: &mut [u64; LANES],
) -> u64 {
    each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, end, mask| {
        if mask == 0 {
            return 0;
        }
        match varint::read_u64(message(arena, *at, end)) {
            Ok((value, bytes)) => {
                *at += bytes as u32;
                value
            }
            Err(_) => {
                lose(at, true);
                0
            }
        }
    })
}

/// Ints, not yet unzigzagged. An int has five bytes at most, and the last of these four bits.
#[inline(always)]
pub(super) fn ints<const NULLABLE: bool>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    values: &mut [u64; LANES],
) -> u64 {
    const MAX: u64 = 0x0f_7f7f_7f7f;
    each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, _, mask| {
        let (value, bytes) = short_varint(arena.word(*at));
        let value = value & mask;
        *at += bytes & mask as u32;
        lose(at, value > MAX);
        gather(value)
    })
}

/// A variable-length integer of five bytes at most, its groups not moved together, and its bytes. Where it does not end
/// there, the value exceeds any that does.
#[inline(always)]
fn short_varint(word: u64) -> (u64, u32) {
    // The sixth byte's high bit stands for "no end", which becomes a value beyond all others.
    let ends = (!word & CONTINUED & 0xff_ffff_ffff) | 1 << 47;
    let bits = ends ^ ends.wrapping_sub(1);
    let is_endless = u64::from(ends.trailing_zeros() > 39);
    (
        word & bits & !CONTINUED & 0xff_ffff_ffff | is_endless << 40,
        ends.trailing_zeros() / 8 + 1,
    )
}

pub(super) fn unzigzag_32(value: u64) -> i32 {
    varint::unzigzag_32(value as u32)
}

pub(super) fn unzigzag_64(value: u64) -> i64 {
    varint::unzigzag_64(value)
}

/// `BYTES` bytes for each lane, as a word.
#[inline(always)]
pub(super) fn words<const NULLABLE: bool, const BYTES: u32>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    values: &mut [u64; LANES],
) -> u64 {
    each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, _, mask| {
        let word = arena.word(*at);
        *at += BYTES & mask as u32;
        word & mask
    })
}

/// A byte that is 0 or 1.
#[inline(always)]
pub(super) fn bools<const NULLABLE: bool>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    values: &mut [u64; LANES],
) -> u64 {
    each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, _, mask| {
        let byte = u64::from(arena.byte(*at)) & mask;
        *at += mask as u32 & 1;
        lose(at, byte > 1);
        byte & 1
    })
}

/// Bytes with their length before them.
#[inline(always)]
pub(super) fn sized<const NULLABLE: bool>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    values: &mut [Span; LANES],
) -> u64 {
    let mut any_long = 0;
    let before = lanes.at;
    let present = each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, end, mask| {
        // Most lengths take a byte, and nearly all of them two.
        let word = arena.word(*at) as u32 & mask as u32;
        let is_two = word >> 7 & 1;
        any_long |= word & word << 8 & 0x8000;
        let length = (word & 0x7f) | (word >> 1 & 0x3f80 & 0u32.wrapping_sub(is_two));
        let start = *at + (1 & mask as u32) + is_two;
        span(at, start, length >> 1, end, length & 1 == 1)
    });
    if any_long != 0 {
        lanes.at = before;
        return long_sized::<NULLABLE>(arena, lanes, non_null_byte, values);
    }
    present
}

/// The same where some lengths take more than two bytes.
#[cold]
#[inline(never)]
fn long_sized<const NULLABLE: bool>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    values: &mut [Span; LANES],
) -> u64 {
    each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, end, mask| {
        let (length, prefix) = length(arena.word(*at));
        let start = *at + (prefix & mask as u32);
        span(at, start, length & mask as u32, end, false)
    })
}

/// `bytes` bytes for each lane.
#[inline(always)]
pub(super) fn fixed<const NULLABLE: bool>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    bytes: u32,
    values: &mut [Span; LANES],
) -> u64 {
    each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, end, mask| {
        let start = *at;
        span(at, start, bytes & mask as u32, end, false)
    })
}

/// Steps over `len` bytes from `start` on, if the message has them and they are not lost already.
#[inline(always)]
fn span(at: &mut u32, start: u32, len: u32, end: u32, is_lost: bool) -> Span {
    let is_lost = is_lost | (len > end.saturating_sub(start)) | (start > end);
    let len = if is_lost { 0 } else { len };
    *at = start + len;
    lose(at, is_lost);
    Span {
        start: start % ARENA_BYTES as u32,
        len,
    }
}

/// What is left of a message.
fn message(arena: Window<'_>, at: u32, end: u32) -> &[u8] {
    arena.padded().get(at as usize..end as usize).unwrap_or_default()
}

/// A length (or a count) and the bytes it is written in. What is negative, or longer than four bytes, is beyond any arena.
#[inline(always)]
pub(super) fn length(word: u64) -> (u32, u32) {
    let word = word as u32;
    let ends = !word & CONTINUED as u32;
    let word = word & (ends ^ ends.wrapping_sub(1)) & !(CONTINUED as u32);
    let pairs = (word & 0x007f_007f) | (word & 0x7f00_7f00) >> 1;
    let value = (pairs & 0x3fff) | (pairs & 0x3fff_0000) >> 2;
    let is_odd = ends == 0 || value & 1 == 1;
    let length = if is_odd { u32::MAX } else { value >> 1 };
    (length, (ends.trailing_zeros() / 8 + 1).min(4))
}

/// Heads of lists: the count of items. A negative one, or one of more than four bytes, is left to the row engine.
pub(super) fn counts<const NULLABLE: bool>(
    arena: Window<'_>,
    lanes: &mut Lanes,
    non_null_byte: u8,
    min_item_bytes: u32,
    values: &mut [u32; LANES],
) -> u64 {
    each::<NULLABLE, _>(arena, lanes, non_null_byte, values, |at, end, mask| {
        let (count, prefix) = length(arena.word(*at));
        let count = count & mask as u32;
        *at += prefix & mask as u32;
        let is_beyond = u64::from(count) * u64::from(min_item_bytes) > u64::from(end.saturating_sub(*at));
        lose(at, is_beyond);
        if is_beyond { 0 } else { count }
    })
}
