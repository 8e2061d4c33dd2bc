//! Whole numbers of any length, as decimal text and as Arrow's decimals.
//!
//! A number is a sign and 32-bit digits. Turning it into text takes time with the square of its
//! length, so that [`MAX_BYTES`] bounds it; what is longer is refused by whoever asks. Longer
//! decimals than 2,466 digits are not worth a better algorithm.

use std::io::Write;

use arrow_buffer::i256;
use sabot_cursor::Cursor;
use sabot_decode::RowErrorKind;

/// Bytes of a number that is turned into text at most.
pub(super) const MAX_BYTES: usize = 1024;

/// Avro's `big-decimal`: a length, the bytes of a number, and the scale.
pub(super) fn read_big(bytes: &[u8]) -> Result<(Big, i32), RowErrorKind> {
    const MALFORMED: RowErrorKind = RowErrorKind::Syntax("a big-decimal is a number's bytes and a scale");
    let mut cursor = Cursor::new(bytes);
    let number = cursor.read_sized().map_err(|_| MALFORMED)?;
    let scale = cursor.read_int().map_err(|_| MALFORMED)?;
    if cursor.remaining() > 0 {
        return Err(MALFORMED);
    }
    let number = Big::from_bytes(number).ok_or(RowErrorKind::LimitExceeded("bytes of one big-decimal"))?;
    Ok((number, scale))
}

/// 32-bit digits of a number at most: the complement of the least one has one bit more.
const MAX_LIMBS: usize = MAX_BYTES / 4 + 1;
/// Groups of nine decimal digits at most.
const MAX_GROUPS: usize = MAX_LIMBS * 32 / 29 + 1;

/// A whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Big {
    is_negative: bool,
    /// Least significant first; 0 from `len` on.
    limbs: [u32; MAX_LIMBS],
    len: usize,
}

impl Big {
    /// Reads a big-endian number in two's complement; `None` where it takes more than
    /// [`MAX_BYTES`]. No bytes at all are 0.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let is_negative = bytes.first().is_some_and(|first| *first >= 0x80);
        let sign = if is_negative { 0xff } else { 0 };
        let extension = bytes.iter().take_while(|byte| **byte == sign).count();
        let bytes = &bytes[extension..];
        if bytes.len() > MAX_BYTES {
            return None;
        }
        let mut big = Self {
            is_negative,
            limbs: [0; MAX_LIMBS],
            len: bytes.len().div_ceil(4),
        };
        for (limb, chunk) in big.limbs.iter_mut().zip(bytes.rchunks(4)) {
            let mut bytes = [sign; 4];
            bytes[4 - chunk.len()..].copy_from_slice(chunk);
            *limb = u32::from_be_bytes(bytes);
        }
        if is_negative {
            big.complement();
        }
        big.trim();
        Some(big)
    }

    /// The magnitude of a negative number is its complement and one. Only the complement of no
    /// digits at all needs one more of them.
    fn complement(&mut self) {
        let mut carry = true;
        for limb in &mut self.limbs[..self.len] {
            (*limb, carry) = (!*limb).overflowing_add(u32::from(carry));
        }
        if carry {
            self.limbs[self.len] = 1;
            self.len += 1;
        }
    }

    /// Appends its digits, without a sign.
    fn write_digits(mut self, text: &mut Vec<u8>) {
        let (mut groups, mut count) = ([0; MAX_GROUPS], 0);
        while self.len > 0 {
            groups[count] = self.divide(1_000_000_000);
            count += 1;
        }
        let (first, rest) = match groups[..count].split_last() {
            Some((first, rest)) => (*first, rest),
            None => (0, [].as_slice()),
        };
        let result = write!(text, "{first}");
        let result = rest.iter().rev().fold(result, |result, group| {
            result.and_then(|()| write!(text, "{group:09}"))
        });
        result.expect("because a vector takes everything");
    }

    /// Appends the number times ten to the power of `-scale`, with all digits after the point,
    /// such as `-0.120`.
    ///
    /// `None` where it has more than `precision` digits; then only some of it is there.
    pub(super) fn write_plain(self, precision: usize, scale: usize, text: &mut Vec<u8>) -> Option<()> {
        let start = self.write_sign(text);
        self.write_digits(text);
        let digits = &text[start..];
        if digits.len() > precision && digits != b"0" {
            return None;
        }
        set_point(text, start, scale);
        Some(())
    }

    /// Appends the number times ten to the power of `-scale`, as `java.math.BigDecimal.toString`
    /// prints it: with an exponent where the scale is negative or more than six zeros would follow
    /// the point. Number and scale can be read back.
    pub(super) fn write_scientific(self, scale: i32, text: &mut Vec<u8>) {
        let start = self.write_sign(text);
        self.write_digits(text);
        let digits = text.len() - start;
        let exponent = digits as i64 - 1 - i64::from(scale);
        match usize::try_from(scale) {
            Ok(scale) if exponent >= -6 => set_point(text, start, scale),
            _ => {
                set_point(text, start, digits - 1);
                write!(text, "E{exponent:+}").expect("because a vector takes everything");
            }
        }
    }

    /// Appends a minus, if there is one, and says where the digits begin.
    fn write_sign(&self, text: &mut Vec<u8>) -> usize {
        if self.is_negative {
            text.push(b'-');
        }
        text.len()
    }

    /// The number times ten to the power of `-from`, in units of ten to the power of `-to`; `None`
    /// where that is no whole number of 256 bits.
    pub(super) fn rescaled(mut self, from: i32, to: i16) -> Option<i256> {
        let mut shift = i64::from(to) - i64::from(from);
        while shift < 0 && self.len > 0 {
            let step = (-shift).min(9);
            if self.divide(10u32.pow(step as u32)) != 0 {
                return None;
            }
            shift += step;
        }
        let mut value = self.to_i256()?;
        if value != i256::ZERO {
            // Ten to the power of 77 is beyond 256 bits, and so is any number times it.
            for _ in 0..shift.min(77) {
                value = value.checked_mul(i256::from_i128(10))?;
            }
        }
        Some(value)
    }

    fn to_i256(&self) -> Option<i256> {
        let mut bytes = [0; 32];
        if self.len > 8 {
            return None;
        }
        for (chunk, limb) in bytes.chunks_exact_mut(4).zip(&self.limbs) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        let magnitude = i256::from_le_bytes(bytes);
        match (magnitude.is_negative(), self.is_negative) {
            (false, false) => Some(magnitude),
            (false, true) => Some(magnitude.wrapping_neg()),
            // The least of all is its own complement.
            (true, true) if magnitude == i256::MIN => Some(magnitude),
            (true, _) => None,
        }
    }

    /// Divides by `divisor`, and says what is left over.
    fn divide(&mut self, divisor: u32) -> u32 {
        let mut rest = 0;
        for limb in self.limbs[..self.len].iter_mut().rev() {
            let value = u64::from(rest) << 32 | u64::from(*limb);
            *limb = (value / u64::from(divisor)) as u32;
            rest = (value % u64::from(divisor)) as u32;
        }
        self.trim();
        rest
    }

    fn trim(&mut self) {
        while self.len > 0 && self.limbs[self.len - 1] == 0 {
            self.len -= 1;
        }
    }
}

/// Puts a point before the last `scale` of the digits from `start` on, with as many zeros before
/// them as it takes.
fn set_point(text: &mut Vec<u8>, start: usize, scale: usize) {
    let missing = (scale + 1).saturating_sub(text.len() - start);
    text.splice(start..start, std::iter::repeat_n(b'0', missing));
    if scale > 0 {
        text.insert(text.len() - scale, b'.');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn big(value: i128) -> Big {
        Big::from_bytes(&value.to_be_bytes()).unwrap()
    }

    fn plain(number: Big, precision: usize, scale: usize) -> Option<String> {
        let mut text = b"before".to_vec();
        number.write_plain(precision, scale, &mut text)?;
        Some(
            String::from_utf8(text)
                .unwrap()
                .strip_prefix("before")
                .unwrap()
                .to_owned(),
        )
    }

    fn scientific(number: Big, scale: i32) -> String {
        let mut text = Vec::new();
        number.write_scientific(scale, &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn texts() {
        // As Java prints them.
        for (unscaled, scale, expected) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (0, 7, "0E-7"),
            (0, -3, "0E+3"),
            (123, 0, "123"),
            (-123, 0, "-123"),
            (123, -1, "1.23E+3"),
            (123, -3, "1.23E+5"),
            (123, 1, "12.3"),
            (123, 5, "0.00123"),
            (123, 10, "1.23E-8"),
            (-123, 12, "-1.23E-10"),
            (1, -2_147_483_648, "1E+2147483648"),
            (1, 2_147_483_647, "1E-2147483647"),
            (i128::MIN, 0, "-170141183460469231731687303715884105728"),
        ] {
            assert_eq!(scientific(big(unscaled), scale), expected);
        }
        for (unscaled, scale, expected) in [
            (0, 0, Some("0")),
            (0, 3, Some("0.000")),
            (-5, 3, Some("-0.005")),
            (99_999, 2, Some("999.99")),
            (100_000, 2, None),
        ] {
            assert_eq!(plain(big(unscaled), 5, scale).as_deref(), expected);
        }
        let wide = [0x7f; MAX_BYTES];
        assert_eq!(
            plain(Big::from_bytes(&wide).unwrap(), 2466, 0).unwrap().len(),
            2466
        );
        assert_eq!(Big::from_bytes(&[0x7f; MAX_BYTES + 1]), None);
        assert_eq!(Big::from_bytes(&[0xff; 5000]), Some(big(-1)));
        assert_eq!(Big::from_bytes(&[]), Some(big(0)));
    }

    #[test]
    fn rescaling() {
        for (unscaled, from, to, expected) in [
            (150, 2, 1, Some(15)),
            (150, 2, 0, None),
            (-150, 2, 4, Some(-15_000)),
            (0, i32::MAX, -128, Some(0)),
            (0, i32::MIN, 127, Some(0)),
            (1, i32::MAX, 0, None),
            (1, i32::MIN, 0, None),
            (7, -3, 0, Some(7000)),
            (10i128.pow(30), 30, 0, Some(1)),
        ] {
            assert_eq!(big(unscaled).rescaled(from, to), expected.map(i256::from_i128));
        }
        let mut least = [0; 32];
        least[0] = 0x80;
        assert_eq!(Big::from_bytes(&least).unwrap().rescaled(0, 0), Some(i256::MIN));
        let beyond = [&[0][..], &least].concat();
        assert_eq!(Big::from_bytes(&beyond).unwrap().rescaled(0, 0), None);
    }

    proptest! {
        #[test]
        fn behaves_as_an_i128(value: i128, shift in 0u32..128, scale in 0usize..50) {
            let value = value >> shift;
            prop_assert_eq!(plain(big(value), 40, 0), Some(value.to_string()));
            prop_assert_eq!(big(value).rescaled(0, 0), Some(i256::from_i128(value)));
            let text = plain(big(value), 40, scale).unwrap();
            prop_assert_eq!(text.replace('.', "").parse::<i128>().unwrap(), value);
            prop_assert_eq!(text.split_once('.').map_or(0, |(_, fraction)| fraction.len()), scale);
        }
    }
}
