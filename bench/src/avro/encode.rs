//! Avro's binary encoding, as far as the workloads need it.

use fastrand::Rng;

/// One message's body.
#[derive(Default)]
pub struct Body(Vec<u8>);

impl Body {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// An int or long, an enum's index, a union's branch, a count.
    pub fn long(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest > 0x7f {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    pub fn double(&mut self, value: f64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn float(&mut self, value: f32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn boolean(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    /// Lower-case letters, as many as `bytes` says.
    pub fn string(&mut self, rng: &mut Rng, bytes: std::ops::RangeInclusive<usize>) {
        let count = rng.usize(bytes);
        self.long(count as i64);
        self.0.extend((0..count).map(|_| rng.lowercase() as u8));
    }

    /// Text of so many bytes, of words with spaces between; with `is_ascii` false, every few letters one is of two to
    /// four bytes.
    pub fn text(&mut self, rng: &mut Rng, bytes: std::ops::RangeInclusive<usize>, is_ascii: bool) {
        const LETTERS: [&str; 8] = ["é", "ß", "ж", "λ", "語", "か", "€", "🦀"];
        let count = rng.usize(bytes);
        self.long(count as i64);
        let end = self.0.len() + count;
        while self.0.len() < end {
            let left = end - self.0.len();
            match rng.u8(..16) {
                0 => self.0.push(b' '),
                1..=3 if !is_ascii && left >= 4 => {
                    let letter = LETTERS[rng.usize(..LETTERS.len())];
                    self.0.extend_from_slice(letter.as_bytes());
                }
                _ => self.0.push(rng.lowercase() as u8),
            }
        }
    }

    /// The branch of `[null, T]`: true where a value follows, which it does with `present_percent`.
    pub fn nullable(&mut self, rng: &mut Rng, present_percent: u8) -> bool {
        let present = rng.u8(..100) < present_percent;
        self.long(i64::from(present));
        present
    }

    /// An array or a map: one block, then the end.
    pub fn block(
        &mut self,
        rng: &mut Rng,
        items: std::ops::RangeInclusive<usize>,
        mut item: impl FnMut(&mut Rng, &mut Self),
    ) {
        let count = rng.usize(items);
        if count > 0 {
            self.long(count as i64);
            for _ in 0..count {
                item(rng, self);
            }
        }
        self.long(0);
    }
}
