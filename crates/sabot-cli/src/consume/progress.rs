//! The line that says how far the reading has come.
//!
//! It is written over with each batch. No library does it: what Ctrl-C echoes must not wrap the
//! line, and libraries fill it to the last column. The trade-off: nothing moves while no batch
//! comes.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use sabot::Progress;

use crate::console::{self, counted, grouped, note};

/// The line is not written again sooner.
const REDRAW: Duration = Duration::from_millis(50);
/// Back to the first column, and rub out what comes after the cursor.
const RETURN: &str = "\r";
const ERASE: &str = "\x1b[K";

/// Shows progress on stderr, if that is a terminal that is not busy with the rows themselves:
/// neither here nor, as with `| head`, at the other end of a pipe.
#[derive(Debug)]
pub(super) struct Meter {
    is_shown: bool,
    /// When the line that is there was written.
    drawn: Option<Instant>,
    begin: Instant,
}

impl Meter {
    /// `rows_on_terminal` says that the rows go to the same terminal.
    pub(super) fn new(quiet: bool, rows_on_terminal: bool) -> Self {
        Self {
            is_shown: !quiet && !rows_on_terminal && !console::stdout_is_pipe() && stderr().is_terminal(),
            drawn: None,
            begin: Instant::now(),
        }
    }

    /// Seconds since the beginning.
    pub(super) fn seconds(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    /// Whether [`Meter::show`] would write something now.
    pub(super) fn is_due(&self) -> bool {
        self.is_shown && self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW)
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        let mut line = line(&Numbers::of(progress), self.seconds());
        // What has wrapped cannot be rubbed out; and there is to be room for the ^C of a terminal.
        // The line is ASCII.
        line.truncate(console::stderr_width().saturating_sub(3));
        write(&format!("{RETURN}{line}{ERASE}"));
        self.drawn = Some(Instant::now());
    }

    /// Writes a line in the place of the progress.
    pub(super) fn note(&mut self, line: &str) {
        self.clear();
        note(line);
    }

    pub(super) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            write(&format!("{RETURN}{ERASE}"));
        }
    }
}

/// Where stderr is closed, nobody wants to know.
fn write(text: &str) {
    let mut stderr = stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// What the line says.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    messages: u64,
    bytes: u64,
    bad: u64,
    to_go: Option<u64>,
}

impl Numbers {
    fn of(progress: &Progress) -> Self {
        Self {
            messages: progress.messages,
            bytes: progress.bytes,
            bad: progress.bad,
            to_go: to_go(progress.partitions.iter().map(|partition| partition.lag)),
        }
    }
}

/// The partitions' lags together. Before there is a partition, and before every partition's end is
/// known, a sum would be too small.
fn to_go(lags: impl ExactSizeIterator<Item = Option<u64>>) -> Option<u64> {
    if lags.len() == 0 { None } else { lags.sum() }
}

fn line(numbers: &Numbers, seconds: f64) -> String {
    let mut line = format!(
        "{}, {}",
        counted(numbers.messages, "message"),
        console::rates(numbers.messages, numbers.bytes, seconds)
    );
    if numbers.bad > 0 {
        line.push_str(&format!(", {} bad", grouped(numbers.bad)));
    }
    if let Some(to_go) = numbers.to_go {
        line.push_str(&format!(", {} to go", grouped(to_go)));
        // Without a message there is no rate to go by.
        let left = to_go as f64 * seconds / numbers.messages as f64;
        if numbers.messages > 0 && left >= 1.0 {
            line.push_str(&format!(", {} left", clock(left as u64)));
        }
    }
    line
}

/// `45 s`, `2 min`, `3 h`: an estimate needs no more.
fn clock(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", grouped(seconds / 3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_known() {
        for (messages, bytes, bad, to_go, seconds, text) in [
            (1, 100, 0, None, 1.0, "1 message, 1 messages/s, 0.0 MB/s"),
            (0, 0, 0, None, 0.0, "0 messages, 0 messages/s, 0.0 MB/s"),
            (
                20_000,
                5_000_000,
                0,
                Some(0),
                2.0,
                "20,000 messages, 10,000 messages/s, 2.5 MB/s, 0 to go",
            ),
            (
                20_000,
                5_000_000,
                1_234,
                Some(600_000),
                2.0,
                "20,000 messages, 10,000 messages/s, 2.5 MB/s, 1,234 bad, 600,000 to go, 60 s left",
            ),
            (
                10,
                10,
                0,
                Some(5),
                1.0,
                "10 messages, 10 messages/s, 0.0 MB/s, 5 to go",
            ),
            (
                0,
                0,
                0,
                Some(7),
                2.0,
                "0 messages, 0 messages/s, 0.0 MB/s, 7 to go",
            ),
        ] {
            let numbers = Numbers {
                messages,
                bytes,
                bad,
                to_go,
            };
            assert_eq!(line(&numbers, seconds), text);
        }
    }

    #[test]
    fn what_is_to_go_is_known_once_every_end_is() {
        for (lags, sum) in [
            (&[][..], None),
            (&[Some(0)], Some(0)),
            (&[Some(2), Some(3)], Some(5)),
            (&[Some(2), None], None),
        ] {
            assert_eq!(to_go(lags.iter().copied()), sum, "{lags:?}");
        }
    }

    #[test]
    fn times_are_rounded_down() {
        for (seconds, text) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (u64::MAX, "5,124,095,576,030,431 h"),
        ] {
            assert_eq!(clock(seconds), text);
        }
    }
}
