//! Values that JSON can only hold as text: dates, times, UUIDs, bytes.
//!
//! Dates and times are RFC 3339, strictly: what a column cannot hold exactly is refused, not
//! rounded.

use arrow_schema::TimeUnit;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sabot_wire::Guid;

const DAY_SECONDS: i64 = 86_400;

/// Days since 1970-01-01 of `2024-02-29`.
pub(crate) fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=month_days)
        .contains(&day)
        .then(|| days_from_civil(year, month, day) as i32)
}

/// Time of day such as `23:59:59.25`, in `unit`s since midnight.
pub(crate) fn time(text: &str, unit: TimeUnit) -> Option<i64> {
    let (seconds, nanos) = clock(text.as_bytes())?;
    in_unit(seconds, nanos, unit)
}

/// A day in `unit`s.
pub(crate) fn day(unit: TimeUnit) -> i128 {
    i128::from(DAY_SECONDS * per_second(unit))
}

/// A point in time such as `2024-02-29T23:59:59.25Z`, in `unit`s since the epoch. Its offset is
/// there if and only if it is `zoned`.
pub(crate) fn timestamp(text: &str, unit: TimeUnit, zoned: bool) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset_seconds) = if zoned { split_offset(rest)? } else { (rest, 0) };
    let (seconds, nanos) = clock(time.as_bytes())?;
    in_unit(
        i64::from(date(day)?) * DAY_SECONDS + seconds - offset_seconds,
        nanos,
        unit,
    )
}

/// The 16 bytes of a hyphenated UUID.
pub(crate) fn uuid(text: &str) -> Option<Guid> {
    (text.len() == 36).then(|| text.parse().ok())?
}

/// Appends the bytes that base64 text stands for; `None` where it is not base64, and then nothing
/// is appended.
pub(crate) fn base64(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let start = out.len();
    if STANDARD.decode_vec(text, out).is_ok() {
        return Some(());
    }
    out.truncate(start);
    None
}

/// Seconds since midnight and nanoseconds.
fn clock(text: &[u8]) -> Option<(i64, i64)> {
    let (whole, fraction) = text.split_at_checked(8)?;
    if whole[2] != b':' || whole[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (digits(&whole[..2])?, digits(&whole[3..5])?, digits(&whole[6..])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match fraction {
        [] => 0,
        [b'.', rest @ ..] if (1..=9).contains(&rest.len()) => {
            digits(rest)? * 10_i64.pow(9 - rest.len() as u32)
        }
        _ => return None,
    };
    Some((hour * 3600 + minute * 60 + second, nanos))
}

/// The time without its offset, and the offset in seconds.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let (time, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let [sign @ (b'+' | b'-'), hours @ .., b':', m1, m2] = offset.as_bytes() else {
        return None;
    };
    let (hours, minutes) = (digits(hours)?, digits(&[*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some((time, if *sign == b'-' { -seconds } else { seconds }))
}

/// `None` where the unit is too coarse, or the number too large.
fn in_unit(seconds: i64, nanos: i64, unit: TimeUnit) -> Option<i64> {
    let per_second = per_second(unit);
    let nanos_per_unit = 1_000_000_000 / per_second;
    if nanos % nanos_per_unit != 0 {
        return None;
    }
    seconds
        .checked_mul(per_second)?
        .checked_add(nanos / nanos_per_unit)
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that the leap day is their last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let good = [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2024-03-01", 19_783),
            ("0000-01-01", -719_528),
        ];
        for (text, days) in good {
            assert_eq!(date(text), Some(days), "{text}");
        }
        for text in [
            "",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-04-31",
            "2024-1-01",
            "20240101",
            "2024-01-0x",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn times() {
        use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        let cases = [
            ("00:00:01", Second, Some(1)),
            ("23:59:59.25", Millisecond, Some(86_399_250)),
            ("23:59:59.25", Second, None),
            ("00:00:00.000001", Microsecond, Some(1)),
            ("00:00:00.0000000010", Nanosecond, None),
            ("24:00:00", Second, None),
            ("00:60:00", Second, None),
            ("00:00:60", Second, None),
            ("00:00:00.", Second, None),
            ("0:00:00", Second, None),
        ];
        for (text, unit, expected) in cases {
            assert_eq!(time(text, unit), expected, "{text} {unit:?}");
        }
    }

    #[test]
    fn timestamps() {
        use TimeUnit::{Millisecond, Nanosecond, Second};
        let cases = [
            ("1970-01-01T00:00:00Z", Second, true, Some(0)),
            ("1970-01-01t00:00:00.5z", Millisecond, true, Some(500)),
            ("1969-12-31T23:59:59.5Z", Millisecond, true, Some(-500)),
            ("1970-01-01 01:00:00+01:00", Second, true, Some(0)),
            ("1970-01-01T00:00:00-00:30", Second, true, Some(1800)),
            ("1970-01-01T00:00:00", Second, true, None),
            ("1970-01-01T00:00:00", Second, false, Some(0)),
            ("1970-01-01T00:00:00Z", Second, false, None),
            ("1970-01-01T00:00:00+1:00", Second, true, None),
            ("1970-01-01T00:00:00+24:00", Second, true, None),
            ("9999-12-31T00:00:00Z", Nanosecond, true, None),
            ("1970-01-01", Second, true, None),
            ("größer als gedacht", Second, true, None),
        ];
        for (text, unit, zoned, expected) in cases {
            assert_eq!(timestamp(text, unit, zoned), expected, "{text} {unit:?} {zoned}");
        }
    }

    #[test]
    fn bytes() {
        let mut out = vec![7];
        assert_eq!(base64("AP8=", &mut out), Some(()));
        assert_eq!(out, [7, 0, 0xff]);
        for text in ["AP8", "A", "AP8=x", "_w=="] {
            assert_eq!(base64(text, &mut out), None, "{text}");
            assert_eq!(out, [7, 0, 0xff], "{text}");
        }
    }
}
