//! Messages that are bad in the ways that messages are.

use fastrand::Rng;

use super::encode::Body;

/// Bytes of lower-case letters in a row that are in a string, surely.
const TEXT_BYTES: usize = 6;

/// Far more items than any list has, in one byte.
const MANY_ITEMS: u8 = 63 << 1;

/// Makes a good body a bad one: cut, with something after it, with a number that never ends, with a
/// string that is not UTF-8, or with a count that is wrong.
pub fn poison(rng: &mut Rng, body: &mut Body) {
    let kind = rng.u8(..5);
    if let (4, Some(count)) = (kind, body.count_mut()) {
        *count = MANY_ITEMS;
        return;
    }
    let bytes = body.bytes_mut();
    match kind {
        0 => bytes.push(0),
        1 => drop(bytes.splice(..1, [0xff; 11])),
        2 if spoil_text(bytes) => {}
        _ => bytes.truncate(rng.usize(..bytes.len())),
    }
}

fn spoil_text(bytes: &mut [u8]) -> bool {
    let is_text = |window: &[u8]| window.iter().all(u8::is_ascii_lowercase);
    let found = bytes.windows(TEXT_BYTES).position(is_text);
    if let Some(at) = found {
        bytes[at + TEXT_BYTES / 2] = 0xff;
    }
    found.is_some()
}
