//! What is said on stderr: notes, colours, numbers for people; and what librdkafka and the clients
//! log.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

/// When to print in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// Whether to use colours on stdout.
pub(crate) fn stdout_colors(choice: Color) -> bool {
    let variable = |name| std::env::var_os(name);
    colors(
        choice,
        io::stdout().is_terminal(),
        variable("NO_COLOR").as_deref(),
        variable("TERM").as_deref(),
    )
}

fn colors(choice: Color, is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_refused = no_color.is_some_and(|value| !value.is_empty());
            let is_dumb = term.is_some_and(|term| term == "dumb");
            is_terminal && !is_refused && !is_dumb
        }
    }
}

/// Columns of the terminal on stdout, if it is one.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    Some(terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)))
}

/// Columns of the terminal on stderr.
pub(crate) fn stderr_width() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| usize::from(width.0))
}

/// Whether another program reads stdout. What it makes of it may well go to the terminal.
pub(crate) fn stdout_is_pipe() -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        use std::os::unix::fs::FileTypeExt;
        let file = io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from);
        file.and_then(|file| file.metadata())
            .is_ok_and(|metadata| metadata.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        !io::stdout().is_terminal()
    }
}

/// Writes a line to stderr. Where stderr is closed, nobody wants to know.
pub(crate) fn note(line: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 message`, `2,000 messages`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// Messages and bytes a second, in words.
pub(crate) fn rates(messages: u64, bytes: u64, seconds: f64) -> String {
    let seconds = seconds.max(1e-9);
    let per_second = (messages as f64 / seconds) as u64;
    format!(
        "{} messages/s, {:.1} MB/s",
        grouped(per_second),
        bytes as f64 / seconds / 1e6
    )
}

/// Text of others for a terminal: control characters are escaped.
pub(crate) fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// As [`harmless`], with line breaks kept.
pub(crate) fn harmless_lines(text: &str) -> String {
    text.split('\n').map(harmless).collect::<Vec<_>>().join("\n")
}

/// Sends log records to stderr: errors alone, or more with `-v`.
pub(crate) fn log_to_stderr(verbose: u8) {
    static LOGGER: Logger = Logger;
    let level = match verbose {
        0 => log::LevelFilter::Off,
        1 => log::LevelFilter::Info,
        2 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    };
    // It fails only if a logger is set already, and none is.
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(level);
    }
}

struct Logger;

impl log::Log for Logger {
    /// Ours and librdkafka's alone, which hold no payload and no secret. What an HTTP library
    /// prints is not ours to promise.
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        ["sabot", "librdkafka"]
            .iter()
            .any(|ours| metadata.target().starts_with(ours))
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = harmless(&record.args().to_string());
        note(format_args!("{:5} {}: {line}", record.level(), record.target()));
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        use Color::{Always, Auto, Never};
        for (choice, is_terminal, no_color, term, expected) in [
            (Auto, true, None, Some("xterm"), true),
            (Auto, true, None, None, true),
            (Auto, false, None, Some("xterm"), false),
            (Auto, true, Some("1"), Some("xterm"), false),
            // As no-color.org has it: an empty variable says nothing.
            (Auto, true, Some(""), Some("xterm"), true),
            (Auto, true, None, Some("dumb"), false),
            (Always, false, Some("1"), Some("dumb"), true),
            (Never, true, None, Some("xterm"), false),
        ] {
            assert_eq!(
                colors(
                    choice,
                    is_terminal,
                    no_color.map(OsStr::new),
                    term.map(OsStr::new)
                ),
                expected,
                "{choice:?}, {is_terminal}, {no_color:?}, {term:?}"
            );
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(2_000, "row"), "2,000 rows");
    }

    #[test]
    fn text_of_others_cannot_drive_the_terminal() {
        assert_eq!(harmless("a\x1b[2Jb\r\n"), "a\\u{1b}[2Jb\\r\\n");
    }
}
