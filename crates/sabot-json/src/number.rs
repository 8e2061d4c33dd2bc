//! Numbers from their digits, never through a float.

use arrow_buffer::i256;

/// The value of a JSON number times ten to the `scale`; `None` if that is no whole number, or not
/// within 256 bits.
pub(crate) fn scaled(text: &[u8], scale: i8) -> Option<i256> {
    let number = Number::parse(text)?;
    // So many digits, counted from the first, come before the scaled number's point.
    let whole = (number.whole.len() as i64)
        .saturating_add(number.exponent)
        .saturating_add(i64::from(scale));
    let digits = number
        .whole
        .iter()
        .chain(number.fraction)
        .map(|digit| digit - b'0');
    let mut value = i256::ZERO;
    let mut count = 0;
    for digit in digits {
        if count < whole {
            value = push_digit(value, digit)?;
        } else if digit != 0 {
            return None;
        }
        count += 1;
    }
    if value != i256::ZERO {
        for _ in count..whole {
            value = push_digit(value, 0)?;
        }
    }
    Some(if number.negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// Whether `text` is a JSON number.
pub(crate) fn is_number(text: &[u8]) -> bool {
    Number::parse(text).is_some()
}

/// Whether `value` has at most `precision` digits.
pub(crate) fn fits(value: i256, precision: u8) -> bool {
    i256::from_i128(10)
        .checked_pow(u32::from(precision))
        .is_none_or(|limit| value < limit && value > limit.wrapping_neg())
}

fn push_digit(value: i256, digit: u8) -> Option<i256> {
    value
        .checked_mul(i256::from_i128(10))?
        .checked_add(i256::from_i128(i128::from(digit)))
}

struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Number<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
        let (whole, text) = split_digits(text);
        let leading_zero = whole.len() > 1 && whole[0] == b'0';
        if whole.is_empty() || leading_zero {
            return None;
        }
        let (fraction, text) = match text.strip_prefix(b".") {
            Some(rest) => Some(split_digits(rest)).filter(|(digits, _)| !digits.is_empty())?,
            None => (&[][..], text),
        };
        let exponent = match text {
            [] => 0,
            [b'e' | b'E', rest @ ..] => parse_exponent(rest)?,
            _ => return None,
        };
        Some(Self {
            negative,
            whole,
            fraction,
            exponent,
        })
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (digits, rest) = split_digits(text);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let push = |value: i64, digit: &u8| value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    let value = digits.iter().fold(0, push);
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::{fits, scaled};
    use arrow_buffer::i256;

    #[test]
    fn digits_are_kept_or_refused() {
        let cases: [(&str, i8, Option<i128>); 20] = [
            ("0", 0, Some(0)),
            ("-0", 2, Some(0)),
            ("1", 2, Some(100)),
            ("1.5", 2, Some(150)),
            ("1.50", 1, Some(15)),
            ("1.55", 1, None),
            ("-12.34e1", 0, None),
            ("-12.34e2", 0, Some(-1234)),
            ("1e2", 0, Some(100)),
            ("100e-2", 0, Some(1)),
            ("100e-3", 0, None),
            ("9007199254740993.0", 0, Some(9_007_199_254_740_993)),
            ("12300", -2, Some(123)),
            ("12301", -2, None),
            ("0e999999999999999999999", 0, Some(0)),
            ("0.0e-999999999999999999999", 0, Some(0)),
            ("1e999999999999999999999", 0, None),
            ("1e-999999999999999999999", 0, None),
            ("01", 0, None),
            ("1.", 0, None),
        ];
        for (text, scale, expected) in cases {
            assert_eq!(
                scaled(text.as_bytes(), scale),
                expected.map(i256::from_i128),
                "{text} at {scale}"
            );
        }
        for text in ["", "-", "+1", ".5", "1e", "1e+", "1x", " 1", "NaN"] {
            assert_eq!(scaled(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn precision_counts_digits() {
        assert!(fits(i256::from_i128(999), 3));
        assert!(!fits(i256::from_i128(1000), 3));
        assert!(!fits(i256::from_i128(-1000), 3));
        assert!(fits(i256::MAX, 77));
    }
}
