//! Avro's binary encoding, as far as the workloads need it.

use fastrand::Rng;

/// One message's body.
#[derive(Default)]
pub struct Body {
    bytes: Vec<u8>,
    /// Where the count of the last array or map stands that has items.
    count_at: Option<usize>,
}

impl Body {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.count_at = None;
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The count of the last array or map that has items.
    pub fn count_mut(&mut self) -> Option<&mut u8> {
        self.bytes.get_mut(self.count_at?)
    }

    /// An int or long, an enum's index, a union's branch, a count.
    pub fn long(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest > 0x7f {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    pub fn double(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn float(&mut self, value: f32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn boolean(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    /// Lower-case letters, as many as `bytes` says.
    pub fn string(&mut self, rng: &mut Rng, bytes: std::ops::RangeInclusive<usize>) {
        let count = rng.usize(bytes);
        self.long(count as i64);
        self.bytes.extend((0..count).map(|_| rng.lowercase() as u8));
    }

    /// Text of so many bytes, of words with spaces between; with `is_ascii` false, every few letters one is of two to
    /// four bytes.
    pub fn text(&mut self, rng: &mut Rng, bytes: std::ops::RangeInclusive<usize>, is_ascii: bool) {
        const LETTERS: [&str; 8] = ["é", "ß", "ж", "λ", "語", "か", "€", "🦀"];
        let count = rng.usize(bytes);
        self.long(count as i64);
        let end = self.bytes.len() + count;
        while self.bytes.len() < end {
            let left = end - self.bytes.len();
            match rng.u8(..16) {
                0 => self.bytes.push(b' '),
                1..=3 if !is_ascii && left >= 4 => {
                    let letter = LETTERS[rng.usize(..LETTERS.len())];
                    self.bytes.extend_from_slice(letter.as_bytes());
                }
                _ => self.bytes.push(rng.lowercase() as u8),
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
            self.count_at = Some(self.bytes.len());
            self.long(count as i64);
            for _ in 0..count {
                item(rng, self);
            }
        }
        self.long(0);
    }
}
