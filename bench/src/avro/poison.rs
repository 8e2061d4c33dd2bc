//! Messages that are bad in the ways that messages are.

use fastrand::Rng;

use super::encode::Body;

/// Bytes of lower-case letters in a row that stand in a string, surely.
const TEXT_BYTES: usize = 6;

/// Makes a good body a bad one: cut, with something behind it, with a number that never ends, or with a string that is
/// not UTF-8.
pub fn poison(rng: &mut Rng, body: &mut Body) {
    let bytes = body.bytes_mut();
    match rng.u8(..4) {
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
