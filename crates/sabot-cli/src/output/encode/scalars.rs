//! Single values as text: strings, floats, timestamps, durations, UUIDs, bytes.
//!
//! Everything appends to a vector. What has no form in JSON, or in ISO 8601, is written as the
//! table in [`super`] says.

use std::fmt;
use std::io::Write as _;

/// Appends a JSON string. Control characters beyond ASCII are escaped too, because terminals obey
/// some of them.
pub(crate) fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape: Option<char> = match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f => Some(char::from(byte)),
            // U+0080 to U+009F, the second set of control characters.
            0xc2 => bytes
                .get(at + 1)
                .filter(|next| **next < 0xa0)
                .map(|next| char::from(*next)),
            _ => None,
        };
        let Some(escape) = escape else { continue };
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + escape.len_utf8();
        match escape {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            other => put(out, format_args!("\\u{:04x}", u32::from(other))),
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// A number, or its name in quotes where it is none.
pub(super) fn float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        put(out, format_args!("{value:?}"));
    } else {
        quote(non_finite(value), out);
    }
}

/// As [`float`], with the digits that single precision needs.
pub(super) fn single(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        put(out, format_args!("{value:?}"));
    } else {
        quote(non_finite(f64::from(value)), out);
    }
}

/// The names that protobuf's JSON, JavaScript and Java have for what JSON cannot say.
pub(super) fn non_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// `2026-01-31T23:59:59.500Z`; the bare number where the year has not four digits, so that every
/// reader of ISO 8601 can read what is written.
pub(super) fn iso_timestamp(value: i64, units: i64, instant: bool, quote: &[u8], out: &mut Vec<u8>) {
    let (seconds, fraction) = (value.div_euclid(units), value.rem_euclid(units));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let Some((year, month, day)) = civil(days) else {
        put(out, format_args!("{value}"));
        return;
    };
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    out.extend_from_slice(quote);
    put(
        out,
        format_args!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
    );
    match units {
        _ if fraction == 0 => {}
        1_000 => put(out, format_args!(".{fraction:03}")),
        1_000_000 => put(out, format_args!(".{fraction:06}")),
        _ => put(out, format_args!(".{fraction:09}")),
    }
    if instant {
        out.push(b'Z');
    }
    out.extend_from_slice(quote);
}

/// The Gregorian date so many days after 1970-01-01, in the years 0 to 9999. Years begin in March
/// here, so that the leap day is the last of one.
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    const DAYS_TO_1970: i64 = 719_468;
    const ERA_DAYS: i64 = 146_097;
    let days = days.checked_add(DAYS_TO_1970)?;
    let (era, day) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some((year, month, day))
}

/// `P1M2DT3.5S`: each part has its own sign, as months and days have no fixed length.
pub(super) fn iso_duration(months: i64, days: i64, nanoseconds: i128, out: &mut Vec<u8>) {
    out.push(b'P');
    if months != 0 {
        put(out, format_args!("{months}M"));
    }
    if days != 0 {
        put(out, format_args!("{days}D"));
    }
    if nanoseconds == 0 && (months != 0 || days != 0) {
        return;
    }
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let magnitude = nanoseconds.unsigned_abs();
    let (seconds, fraction) = (magnitude / 1_000_000_000, magnitude % 1_000_000_000);
    put(out, format_args!("T{sign}{seconds}"));
    if fraction != 0 {
        let digits = format!("{fraction:09}");
        put(out, format_args!(".{}", digits.trim_end_matches('0')));
    }
    out.push(b'S');
}

/// The hyphenated form.
pub(super) fn uuid(bytes: &[u8], out: &mut Vec<u8>) {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        put(out, format_args!("{byte:02x}"));
    }
}

/// Standard alphabet, padded (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = (group >> (18 - 6 * place)) as usize & 63;
            out.push(if place <= chunk.len() {
                ALPHABET[digit]
            } else {
                b'='
            });
        }
    }
}

/// Appends formatted text; writing to a vector cannot fail.
pub(super) fn put(out: &mut Vec<u8>, arguments: fmt::Arguments<'_>) {
    out.write_fmt(arguments)
        .expect("because a vector takes all that is written to it");
}
