//! The loops over lanes that have nothing odd.
//!
//! Each returns whether it met anything odd, and then has done nothing of use. Written so that the
//! compiler makes vectors of them: slices of one length, no branch, no call.

use super::{IntEncoding, LANES, Lanes, PackedSpan, Presence};
use crate::Window;
use crate::varint::{CONTINUED, gather};

/// A mask, all ones where the value is there, and what `odd` collects of a byte that is neither 0
/// nor 2.
#[inline(always)]
fn present(byte: u64, presence: Presence, null: &mut u8, odd: &mut u64) -> u64 {
    let difference = byte ^ u64::from(presence.there);
    *odd |= difference & !u64::from(presence.differs);
    // Arithmetic instead of a comparison, of which the compiler would make a branch that nobody can
    // predict.
    let is_null = difference >> presence.shift & 1;
    *null = is_null as u8;
    is_null.wrapping_sub(1)
}

/// The bytes of a varint whose last byte's high bit is the lowest of `ends`; `through` are the bits
/// up to it.
#[inline(always)]
fn len<const HAS_POPCOUNT: bool>(ends: u64, through: u64) -> u32 {
    if HAS_POPCOUNT {
        through.count_ones() / 8
    } else {
        ends.trailing_zeros() / 8 + 1
    }
}

/// Longs of at most eight bytes, or seven where they may be null: what a word holds.
#[inline(always)]
pub(super) fn longs<const NULLABLE: bool, const POP: bool>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Presence,
    encoding: IntEncoding,
    values: &mut [i64; LANES],
    nulls: &mut [u8; LANES],
) -> bool {
    let lanes_len = lanes.len.min(LANES);
    let (at, values, nulls) = (
        &mut lanes.at[..lanes_len],
        &mut values[..lanes_len],
        &mut nulls[..lanes_len],
    );
    let mut odd = 0;
    for lane in 0..lanes_len {
        let mut word = window.word(at[lane]);
        let mut mask = u64::MAX;
        let mut ends = !word & CONTINUED;
        if NULLABLE {
            mask = present(word & 0xff, presence, &mut nulls[lane], &mut odd);
            word >>= 8;
            ends = !word & (CONTINUED >> 8);
        }
        let through = ends ^ ends.wrapping_sub(1);
        odd |= u64::from(ends == 0) << 8 & mask;
        let value = gather(word & through & mask);
        values[lane] = encoding.signed_64(value);
        at[lane] += u32::from(NULLABLE) + (len::<POP>(ends, through) & mask as u32);
    }
    odd != 0
}

/// Longs of any length: those of more than eight bytes have the bits from the 57th on in the word
/// after the first.
#[inline(always)]
pub(super) fn longs_of_any_length<const NULLABLE: bool, const POP: bool>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Presence,
    encoding: IntEncoding,
    values: &mut [i64; LANES],
    nulls: &mut [u8; LANES],
) -> bool {
    let lanes_len = lanes.len.min(LANES);
    let (at, values, nulls) = (
        &mut lanes.at[..lanes_len],
        &mut values[..lanes_len],
        &mut nulls[..lanes_len],
    );
    let mut odd = 0;
    for lane in 0..lanes_len {
        let start = at[lane] + u32::from(NULLABLE);
        let mut mask = u64::MAX;
        if NULLABLE {
            let byte = u64::from(window.byte(at[lane]));
            mask = present(byte, presence, &mut nulls[lane], &mut odd);
        }
        let word = window.word(start);
        let ends = !word & CONTINUED;
        let through = ends ^ ends.wrapping_sub(1);
        // All ones where the first eight bytes have no end.
        let goes_on = u64::from(ends == 0).wrapping_neg() & mask;
        let more = window.word(start + 8) & goes_on;
        let has_tenth = more >> 7 & 1;
        let tenth = more >> 8 & 0xff & has_tenth.wrapping_neg();
        // The tenth byte has the last bit alone, and is the last.
        odd |= tenth & 0xfe;
        let value = gather(word & through & mask) | (more & 0x7f) << 56 | tenth << 63;
        values[lane] = encoding.signed_64(value);
        let first = len::<POP>(ends, through).min(8) & mask as u32;
        at[lane] = start + first + ((1 + has_tenth as u32) & goes_on as u32);
    }
    odd != 0
}

/// Ints. An int has five bytes at most, and the last of these four bits.
#[inline(always)]
pub(super) fn ints<const NULLABLE: bool, const POP: bool>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Presence,
    encoding: IntEncoding,
    values: &mut [i32; LANES],
    nulls: &mut [u8; LANES],
) -> bool {
    let lanes_len = lanes.len.min(LANES);
    let (at, values, nulls) = (
        &mut lanes.at[..lanes_len],
        &mut values[..lanes_len],
        &mut nulls[..lanes_len],
    );
    let mut odd = 0;
    for lane in 0..lanes_len {
        let mut word = window.word(at[lane]);
        let mut mask = u64::MAX;
        if NULLABLE {
            mask = present(word & 0xff, presence, &mut nulls[lane], &mut odd);
            word >>= 8;
        }
        let ends = !word & (CONTINUED & 0xff_ffff_ffff);
        let through = ends ^ ends.wrapping_sub(1);
        let value = word & through & mask;
        // Bits beyond the 32nd, or no end.
        odd |= value & 0x70_0000_0000 | u64::from(ends == 0) << 8 & mask;
        let value = gather(value) as u32;
        values[lane] = encoding.signed_32(value);
        at[lane] += u32::from(NULLABLE) + (len::<POP>(ends, through) & mask as u32);
    }
    odd != 0
}

#[inline(always)]
pub(super) fn bools<const NULLABLE: bool, const POP: bool>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Presence,
    values: &mut [u8; LANES],
    nulls: &mut [u8; LANES],
) -> bool {
    let lanes_len = lanes.len.min(LANES);
    let (at, values, nulls) = (
        &mut lanes.at[..lanes_len],
        &mut values[..lanes_len],
        &mut nulls[..lanes_len],
    );
    let mut odd = 0;
    for lane in 0..lanes_len {
        let mut word = window.word(at[lane]);
        let mut mask = u64::MAX;
        if NULLABLE {
            mask = present(word & 0xff, presence, &mut nulls[lane], &mut odd);
            word >>= 8;
        }
        let value = word & mask & 0xff;
        odd |= value & 0xfe;
        values[lane] = value as u8;
        at[lane] += u32::from(NULLABLE) + (mask as u32 & 1);
    }
    odd != 0
}

#[inline(always)]
pub(super) fn words_32<const NULLABLE: bool, const POP: bool>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Presence,
    values: &mut [u32; LANES],
    nulls: &mut [u8; LANES],
) -> bool {
    let lanes_len = lanes.len.min(LANES);
    let (at, values, nulls) = (
        &mut lanes.at[..lanes_len],
        &mut values[..lanes_len],
        &mut nulls[..lanes_len],
    );
    let mut odd = 0;
    for lane in 0..lanes_len {
        let mut word = window.word(at[lane]);
        let mut mask = u64::MAX;
        if NULLABLE {
            mask = present(word & 0xff, presence, &mut nulls[lane], &mut odd);
            word >>= 8;
        }
        values[lane] = (word & mask) as u32;
        at[lane] += u32::from(NULLABLE) + (mask as u32 & 4);
    }
    odd != 0
}

#[inline(always)]
pub(super) fn words_64<const NULLABLE: bool, const POP: bool>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Presence,
    values: &mut [u64; LANES],
    nulls: &mut [u8; LANES],
) -> bool {
    let lanes_len = lanes.len.min(LANES);
    let (at, values, nulls) = (
        &mut lanes.at[..lanes_len],
        &mut values[..lanes_len],
        &mut nulls[..lanes_len],
    );
    let mut odd = 0;
    for lane in 0..lanes_len {
        let mut mask = u64::MAX;
        let start = at[lane] + u32::from(NULLABLE);
        if NULLABLE {
            let byte = u64::from(window.byte(at[lane]));
            mask = present(byte, presence, &mut nulls[lane], &mut odd);
        }
        values[lane] = window.word(start) & mask;
        at[lane] = start + (mask as u32 & 8);
    }
    odd != 0
}

/// Bytes with a length of one or two bytes before them: below 8 KiB.
#[inline(always)]
pub(super) fn sized<const NULLABLE: bool, const POP: bool>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Presence,
    encoding: IntEncoding,
    values: &mut [PackedSpan; LANES],
    nulls: &mut [u8; LANES],
) -> bool {
    let lanes_len = lanes.len.min(LANES);
    let (at, end) = (&mut lanes.at[..lanes_len], &lanes.end[..lanes_len]);
    let (values, nulls) = (&mut values[..lanes_len], &mut nulls[..lanes_len]);
    let (mut odd, mut beyond) = (0, 0);
    for lane in 0..lanes_len {
        let mut word = window.word(at[lane]);
        let mut mask = u64::MAX;
        if NULLABLE {
            mask = present(word & 0xff, presence, &mut nulls[lane], &mut odd);
            word = word >> 8 & mask;
        }
        let word = word as u32;
        let is_two = word >> 7 & 1;
        // A third byte, or a negative length.
        odd |= u64::from(word & word << 8 & 0x8000 | word & encoding as u32);
        let length = ((word & 0x7f) | (word >> 1 & 0x3f80 & 0u32.wrapping_sub(is_two))) >> encoding as u32;
        let start = at[lane] + u32::from(NULLABLE) + is_two + (mask as u32 & 1);
        let stop = start + length;
        // Negative where the message ends before.
        beyond |= end[lane].wrapping_sub(stop);
        values[lane] = u64::from(length) << 32 | u64::from(start);
        at[lane] = stop;
    }
    odd != 0 || beyond >> 31 == 1
}

#[inline(always)]
pub(super) fn fixed<const NULLABLE: bool, const POP: bool>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Presence,
    len: u32,
    values: &mut [PackedSpan; LANES],
    nulls: &mut [u8; LANES],
) -> bool {
    let lanes_len = lanes.len.min(LANES);
    let (at, end) = (&mut lanes.at[..lanes_len], &lanes.end[..lanes_len]);
    let (values, nulls) = (&mut values[..lanes_len], &mut nulls[..lanes_len]);
    let (mut odd, mut beyond) = (u64::from(len > 1 << 20), 0);
    for lane in 0..lanes_len {
        let start = at[lane] + u32::from(NULLABLE);
        let mut mask = u64::MAX;
        if NULLABLE {
            let byte = u64::from(window.byte(at[lane]));
            mask = present(byte, presence, &mut nulls[lane], &mut odd);
        }
        let length = len & mask as u32;
        let stop = start.wrapping_add(length);
        beyond |= end[lane].wrapping_sub(stop);
        values[lane] = u64::from(length) << 32 | u64::from(start);
        at[lane] = stop;
    }
    odd != 0 || beyond >> 31 == 1
}
