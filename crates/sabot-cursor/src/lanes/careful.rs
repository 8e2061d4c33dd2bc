//! The same values one by one, with every check: a lane that is not what its type allows is lost.

use super::{FEW, IntEncoding, LANES, Lanes, PackedSpan, Presence, lose};
use crate::{ARENA_BYTES, Window, varint};

/// Reads one value for each lane. `read` gets the position after the presence and the message's
/// end, and is called only where the value is there.
#[inline(always)]
fn each<T: Default>(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    values: &mut [T; LANES],
    mut read: impl FnMut(&mut u32, u32) -> Option<T>,
) -> u64 {
    let mut present = 0;
    for (lane, value) in values.iter_mut().enumerate().take(lanes.len) {
        let at = &mut lanes.at[lane];
        let mut is_there = true;
        if let Some(presence) = presence {
            let byte = window.byte(*at);
            *at += 1;
            // The same index written longer than necessary is lost too: nobody writes that.
            lose(at, (byte ^ presence.there) & !presence.differs != 0);
            is_there = byte == presence.there;
        }
        present |= u64::from(is_there) << lane;
        *value = T::default();
        if is_there {
            match read(at, lanes.end[lane]) {
                Some(read) => *value = read,
                None => lose(at, true),
            }
        }
    }
    present
}

/// Longs that are odd are mostly only long.
pub(super) fn longs(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    encoding: IntEncoding,
    values: &mut [i64; LANES],
) -> u64 {
    if lanes.len <= FEW {
        return longs_of_any_length(window, lanes, presence, encoding, values);
    }
    lanes.longs_of_any_length(window, presence, encoding, values)
}

pub(super) fn longs_of_any_length(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    encoding: IntEncoding,
    values: &mut [i64; LANES],
) -> u64 {
    each(window, lanes, presence, values, |at, _| {
        let (value, bytes) = window.varint(*at)?;
        *at += bytes;
        Some(encoding.signed_64(value))
    })
}

pub(super) fn ints(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    encoding: IntEncoding,
    values: &mut [i32; LANES],
) -> u64 {
    each(window, lanes, presence, values, |at, _| {
        let (value, bytes) = window
            .varint(*at)
            .filter(|(_, bytes)| *bytes <= varint::MAX_BYTES_32 as u32)?;
        *at += bytes;
        u32::try_from(value).ok().map(|value| encoding.signed_32(value))
    })
}

pub(super) fn bools(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    values: &mut [u8; LANES],
) -> u64 {
    each(window, lanes, presence, values, |at, _| {
        let byte = window.byte(*at);
        *at += 1;
        (byte <= 1).then_some(byte)
    })
}

pub(super) fn words_32(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    values: &mut [u32; LANES],
) -> u64 {
    each(window, lanes, presence, values, |at, _| {
        let word = window.word(*at);
        *at += 4;
        Some(word as u32)
    })
}

pub(super) fn words_64(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    values: &mut [u64; LANES],
) -> u64 {
    each(window, lanes, presence, values, |at, _| {
        let word = window.word(*at);
        *at += 8;
        Some(word)
    })
}

pub(super) fn sized(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    encoding: IntEncoding,
    values: &mut [PackedSpan; LANES],
) -> u64 {
    each(window, lanes, presence, values, |at, end| {
        let (length, prefix) = window.varint(*at)?;
        let length = u32::try_from(encoding.signed_64(length)).ok()?;
        span(at, *at + prefix, length, end)
    })
}

pub(super) fn fixed(
    window: Window<'_>,
    lanes: &mut Lanes,
    presence: Option<Presence>,
    len: u32,
    values: &mut [PackedSpan; LANES],
) -> u64 {
    each(window, lanes, presence, values, |at, end| span(at, *at, len, end))
}

/// Steps over `len` bytes from `start` on, if the message has them.
fn span(at: &mut u32, start: u32, len: u32, end: u32) -> Option<PackedSpan> {
    let stop = start.checked_add(len).filter(|stop| *stop <= end)?;
    debug_assert!(stop as usize <= ARENA_BYTES, "a message lies in the arena");
    *at = stop;
    Some(u64::from(len) << 32 | u64::from(start))
}
