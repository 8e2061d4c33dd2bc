//! Choices, from bytes that a fuzzer mutates or a property test draws.

use arbitrary::Unstructured;

/// A stream of choices. Once its bytes are used up every choice is the first one, so whoever
/// chooses has to put what ends things first.
pub(crate) struct Dice<'a>(Unstructured<'a>);

impl<'a> Dice<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// A number below `sides`.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0.int_in_range(0..=sides.max(1) - 1).unwrap_or(0)
    }

    /// True about once in `times`, and never without bytes.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.0.arbitrary().unwrap_or([0; N])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number of any size, small ones more often.
    pub(crate) fn number(&mut self) -> i64 {
        match self.below(4) {
            0 => self.below(128) as i64 - 64,
            1 => i64::from(i16::from_le_bytes(self.bytes())),
            2 => self.pick(&[
                i64::MIN,
                i64::MAX,
                i64::from(i32::MIN),
                i64::from(i32::MAX),
                1 << 24 | 1,
                1 << 53 | 1,
                // As a float it is rounded up; by way of double, down.
                1 << 60 | 1 << 36 | 1,
                i64::MAX / 1_000_000 + 1,
            ]),
            _ => i64::from_le_bytes(self.bytes()) >> self.below(64),
        }
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in 1..items.len() {
            // Without bytes everything stays where it is.
            items.swap(at, at - self.below(at + 1));
        }
    }
}
