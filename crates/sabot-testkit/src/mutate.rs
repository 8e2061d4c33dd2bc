//! Ways to spoil a payload, all of them repeatable.
//!
//! Nothing here knows a codec or Arrow: bytes in, bytes out, so that tests and fuzz targets share
//! it.

use fastrand::Rng;

/// The bits flipped by [`flips`]: the lowest and the highest alone (a varint's value and its
/// continuation), and all.
const FLIP_MASKS: [u8; 3] = [0x01, 0x80, 0xff];

/// Values that break length and number readers: varints at the edges of their types, and fixed
/// patterns.
const NASTY: [&[u8]; 9] = [
    &[0x00],
    &[0x01],
    &[0x80],
    &[0xff; 4],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
    &[0xc3, 0x28, 0xf0, 0x9f],
];

/// The payload cut at every position, the empty one first.
pub fn truncations(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(|len| bytes[..len].to_vec())
}

/// The payload with one byte changed: each byte in three ways.
pub fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).flat_map(move |at| {
        FLIP_MASKS.map(|mask| {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= mask;
            flipped
        })
    })
}

/// The payload with something changed: one to four edits, each of them a byte, a run of bytes, or a
/// nasty value written, inserted, removed, repeated or moved. It may come out as it was.
///
/// ```
/// let mut rng = fastrand::Rng::with_seed(7);
/// let once = sabot_testkit::mutate::random(&mut rng, b"some payload");
/// let again = sabot_testkit::mutate::random(&mut fastrand::Rng::with_seed(7), b"some payload");
/// assert_eq!(once, again);
/// ```
#[must_use]
pub fn random(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    for _ in 0..rng.usize(1..=4) {
        edit(rng, &mut mutated);
    }
    mutated
}

/// Bytes that never were a payload: up to `max_bytes` of them, at random or all alike.
#[must_use]
pub fn garbage(rng: &mut Rng, max_bytes: usize) -> Vec<u8> {
    let len = rng.usize(0..=max_bytes);
    if rng.u8(..) < 64 {
        return vec![*rng.choice(&[0x00, 0x01, 0x02, 0x7f, 0x80, 0xff]).unwrap_or(&0); len];
    }
    (0..len).map(|_| rng.u8(..)).collect()
}

fn edit(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let start = rng.usize(0..=bytes.len());
    let end = rng.usize(start..=bytes.len().min(start + 16));
    match rng.u8(0..6) {
        0 if start < bytes.len() => bytes[start] = rng.u8(..),
        1 => bytes.truncate(start),
        2 => drop(bytes.drain(start..end)),
        3 => {
            let run = bytes[start..end].to_vec();
            let to = rng.usize(0..=bytes.len());
            bytes.splice(to..to, run);
        }
        4 => {
            let nasty = NASTY[rng.usize(0..NASTY.len())];
            bytes.splice(start..end, nasty.iter().copied());
        }
        _ => bytes.insert(start, rng.u8(..)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_is_spoilt() {
        let bytes = b"abcd";
        let cut: Vec<_> = truncations(bytes).collect();
        assert_eq!(
            cut,
            [b"".to_vec(), b"a".to_vec(), b"ab".to_vec(), b"abc".to_vec()]
        );
        let flipped: Vec<_> = flips(bytes).collect();
        assert_eq!(flipped.len(), 12);
        assert!(
            flipped
                .iter()
                .all(|flipped| flipped.iter().zip(bytes).filter(|(a, b)| a != b).count() == 1)
        );
    }

    #[test]
    fn mutations_vary_and_stay_small() {
        let mut rng = Rng::with_seed(1);
        let bytes = [7; 40];
        let mutated: std::collections::HashSet<_> = (0..200).map(|_| random(&mut rng, &bytes)).collect();
        assert!(mutated.len() > 150);
        assert!(
            mutated
                .iter()
                .all(|mutated| mutated.len() <= bytes.len() + 4 * 16)
        );
        assert!((0..200).all(|_| garbage(&mut rng, 9).len() <= 9));
    }
}
