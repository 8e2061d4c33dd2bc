//! When to try again, and when to stop.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The HTTP library counts a connection's time in whole milliseconds, for each of a host's
/// addresses, and may end it so much before the deadline that it was given.
const ROUNDING: Duration = Duration::from_millis(20);

/// The moment by which a call has to end, whatever it still wants to try.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// Counted from now. A time too far off to be counted is no deadline.
    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// What is left; `None` once nothing is.
    pub(crate) fn left(self) -> Option<Duration> {
        let left = self
            .0
            .map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        (!left.is_zero()).then_some(left)
    }

    /// Whether an attempt that ends now was ended by this deadline, if it was given all that was
    /// left.
    pub(crate) fn is_over(self) -> bool {
        self.left().is_none_or(|left| left <= ROUNDING)
    }
}

/// A bound on the random part of a wait, whatever is configured.
const LONGEST_JITTER: Duration = Duration::from_secs(3600);

/// How often to try again, and how long to wait in between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    /// Rounds over all addresses after the first.
    pub(crate) retries: u32,
    /// The first wait is at most this long; each further one at most twice the one before.
    pub(crate) base: Duration,
    /// No wait is longer, unless the registry asks for it.
    pub(crate) cap: Duration,
}

impl Backoff {
    /// How long to wait after round `round` (from 0): full jitter, and never less than the registry
    /// asked for.
    pub(crate) fn pause(&self, round: u32, retry_after: Option<Duration>, random: f64) -> Duration {
        let factor = 1_u32.checked_shl(round).unwrap_or(u32::MAX);
        let ceiling = self.base.saturating_mul(factor).min(self.cap).min(LONGEST_JITTER);
        let jittered = ceiling.mul_f64(random);
        // Everyone who was asked to wait N seconds would come back at once: the jitter spreads them
        // out.
        retry_after.map_or(jittered, |asked| asked.saturating_add(jittered))
    }
}

/// Reads a `Retry-After` header: seconds, or an HTTP date (RFC 9110, section 10.2.3).
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let now_s = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Duration::from_secs(parse_http_date(value)?.saturating_sub(now_s)))
}

/// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that a server
/// may still send.
fn parse_http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, date) = text.split_once(", ")?;
    let mut parts = date.split(' ');
    let day: u64 = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64;
    let year: u64 = parts
        .next()?
        .parse()
        .ok()
        .filter(|year| (1970..=9999).contains(year))?;
    let mut clock = parts
        .next()?
        .split(':')
        .map(|part| part.parse::<u64>().ok().filter(|&n| n <= 60));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if parts.next() != Some("GMT") {
        return None;
    }
    // Days from 1970-01-01 in the Gregorian calendar, counting years from March so that the leap
    // day comes last.
    let (y, m) = if month < 2 {
        (year - 1, month + 10)
    } else {
        (year, month - 2)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_respect_retry_after() {
        let ms = Duration::from_millis;
        let backoff = Backoff {
            retries: 5,
            base: ms(100),
            cap: ms(1000),
        };
        let cases = [
            (0, None, 0.0, 0),
            (0, None, 1.0, 100),
            (1, None, 0.5, 100),
            (3, None, 1.0, 800),
            (4, None, 1.0, 1000),
            (40, None, 1.0, 1000),
            (0, Some(ms(7000)), 0.0, 7000),
            (0, Some(ms(7000)), 0.5, 7050),
        ];
        for (round, asked, random, expected) in cases {
            assert_eq!(
                backoff.pause(round, asked, random),
                ms(expected),
                "round {round}, {asked:?}, {random}"
            );
        }
        let endless = Backoff {
            retries: 0,
            base: Duration::MAX,
            cap: Duration::MAX,
        };
        assert_eq!(endless.pause(9, Some(Duration::MAX), 0.5), Duration::MAX);
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_770);
        let cases = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("Thu, 29 Feb 1996 00:00:00 GMT", Some(825_552_000 - 784_111_770)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Non 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 0000 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                parse_retry_after(text, now),
                expected.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
