//! Values of logical types, from bytes.

use arrow_buffer::{IntervalMonthDayNano, i256};
use sabot_wire::Guid;

/// Ten to the power of a decimal's precision, of up to 76 digits: the first number with too many
/// digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecimalLimit {
    /// Saturated for more than 38 digits, which are not read with it.
    pub(super) narrow: i128,
    pub(super) wide: i256,
}

impl DecimalLimit {
    pub(super) fn new(precision: u16) -> Self {
        Self {
            narrow: 10i128.checked_pow(precision.into()).unwrap_or(i128::MAX),
            wide: i256::from_i128(10).wrapping_pow(precision.into()),
        }
    }
}

/// A big-endian number in two's complement, of any length; `None` where it has too many digits.
#[inline]
pub(super) fn decimal_128(bytes: &[u8], limit: i128) -> Option<i128> {
    let value = i128::from_be_bytes(sign_extended(bytes)?);
    (-limit < value && value < limit).then_some(value)
}

/// As [`decimal_128`], in 256 bits.
#[inline]
pub(super) fn decimal_256(bytes: &[u8], limit: i256) -> Option<i256> {
    let value = i256::from_be_bytes(sign_extended(bytes)?);
    (limit.wrapping_neg() < value && value < limit).then_some(value)
}

/// The number in `N` bytes; `None` where it needs more. No bytes at all are 0.
#[inline]
fn sign_extended<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) {
        0xff
    } else {
        0
    };
    let mut extended = [sign; N];
    if let Some(start) = N.checked_sub(bytes.len()) {
        extended[start..].copy_from_slice(bytes);
        return Some(extended);
    }
    let (extension, value) = bytes.split_at(bytes.len() - N);
    extended.copy_from_slice(value);
    let keeps_sign = (extended[0] >= 0x80) == (sign == 0xff);
    (keeps_sign && extension.iter().all(|byte| *byte == sign)).then_some(extended)
}

/// Months, days and milliseconds, 32 bits each, unsigned, little-endian; `None` where Arrow's
/// signed ones cannot hold them.
#[inline]
pub(super) fn duration(bytes: [u8; 12]) -> Option<IntervalMonthDayNano> {
    let [m0, m1, m2, m3, d0, d1, d2, d3, n0, n1, n2, n3] = bytes;
    let months = i32::try_from(u32::from_le_bytes([m0, m1, m2, m3])).ok()?;
    let days = i32::try_from(u32::from_le_bytes([d0, d1, d2, d3])).ok()?;
    let millis = u32::from_le_bytes([n0, n1, n2, n3]);
    Some(IntervalMonthDayNano::new(
        months,
        days,
        i64::from(millis) * 1_000_000,
    ))
}

/// A UUID of 32 hexadecimal digits, with hyphens in the usual places or none.
#[inline]
pub(super) fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    Guid::parse(text).ok().map(|guid| *guid.as_bytes())
}

/// The lower-case hyphenated text of a UUID.
#[inline]
pub(super) fn uuid_text(uuid: [u8; 16]) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in uuid.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        let hundred = DecimalLimit::new(2);
        for (bytes, expected) in [
            (&[][..], Some(0)),
            (&[0x63], Some(99)),
            (&[0x64], None),
            (&[0x9d], Some(-99)),
            (&[0x9c], None),
            (&[0xff; 40], Some(-1)),
            (&[0; 40], Some(0)),
            (&[0x00, 0xff], None),
        ] {
            assert_eq!(decimal_128(bytes, hundred.narrow), expected, "{bytes:02x?}");
            let wide = decimal_256(bytes, hundred.wide);
            assert_eq!(wide, expected.map(i256::from_i128), "{bytes:02x?}");
        }
        let widest = DecimalLimit::new(38);
        let mut bytes = [0xff; 17];
        bytes[1] = 0x7f;
        assert_eq!(
            decimal_128(&bytes, widest.narrow),
            None,
            "the sign was lost with the extension"
        );
        let limit = 10i128.pow(38);
        assert_eq!(
            decimal_128(&(limit - 1).to_be_bytes(), widest.narrow),
            Some(limit - 1)
        );
        assert_eq!(decimal_128(&limit.to_be_bytes(), widest.narrow), None);
        let limit = i256::from_i128(10).wrapping_pow(76);
        let below = limit.wrapping_sub(i256::ONE);
        assert_eq!(
            decimal_256(&below.to_be_bytes(), DecimalLimit::new(76).wide),
            Some(below)
        );
        assert_eq!(
            decimal_256(&limit.to_be_bytes(), DecimalLimit::new(76).wide),
            None
        );
    }

    #[test]
    fn uuids() {
        let text = b"89791762-2336-4186-9674-299b90a802e2";
        let bytes = uuid(text).unwrap();
        assert_eq!(&uuid_text(bytes), text);
        assert_eq!(uuid(b"89791762233641869674299b90a802e2"), Some(bytes));
        assert_eq!(uuid(b"89791762-2336-4186-9674-299b90a802e"), None);
        assert_eq!(uuid(&[0xff; 36]), None);
    }
}
