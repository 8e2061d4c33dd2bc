//! Avro's binary encoding, as far as the workloads need it.

use fastrand::Rng;

/// One message's body.
#[derive(Default)]
pub struct Body {
    bytes: Vec<u8>,
    /// Where the count of the last array or map that has items is.
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

    /// This text.
    pub fn exactly(&mut self, text: &str) {
        self.long(text.len() as i64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Lower-case letters, as many as `bytes` says.
    pub fn string(&mut self, rng: &mut Rng, bytes: std::ops::RangeInclusive<usize>) {
        let count = rng.usize(bytes);
        self.long(count as i64);
        self.bytes.extend((0..count).map(|_| rng.lowercase() as u8));
    }

    /// Random bytes, with no length before them.
    pub fn fixed(&mut self, rng: &mut Rng, bytes: usize) {
        self.bytes.extend((0..bytes).map(|_| rng.u8(..)));
    }

    /// Four bytes, little-endian, of a `fixed`.
    pub fn fixed_word(&mut self, word: u32) {
        self.bytes.extend_from_slice(&word.to_le_bytes());
    }

    /// A number as bytes: big-endian two's complement, no longer than it has to be. A decimal of
    /// `bytes`.
    pub fn decimal(&mut self, value: i128) {
        let bytes = value.to_be_bytes();
        let shortest = bytes.windows(2).position(|pair| {
            let is_sign = pair[0] == 0 && pair[1] < 0x80 || pair[0] == 0xff && pair[1] >= 0x80;
            !is_sign
        });
        let start = shortest.unwrap_or(bytes.len() - 1);
        self.long((bytes.len() - start) as i64);
        self.bytes.extend_from_slice(&bytes[start..]);
    }

    /// A number as so many bytes. A decimal of `fixed`.
    pub fn decimal_fixed(&mut self, value: i128, bytes: usize) {
        let all = value.to_be_bytes();
        self.bytes.extend_from_slice(&all[all.len() - bytes..]);
    }

    /// A random UUID as text, in lower case with hyphens.
    pub fn uuid(&mut self, rng: &mut Rng) {
        let [a, b] = [rng.u64(..), rng.u64(..)];
        let text = format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xffff,
            b >> 48,
            b & 0xffff_ffff_ffff
        );
        self.exactly(&text);
    }

    /// Text of so many bytes, of words with spaces between; with `is_ascii` false, every few
    /// letters one is of two to four bytes.
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
