//! What librdkafka calls back: log lines and errors.

use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::{Error, ErrorKind};

/// A consumer with this crate's context.
pub(crate) type Consumer = BaseConsumer<Context>;

/// Sends librdkafka's words to the `log` crate and remembers the last error, for a message that says why no broker
/// answered.
#[derive(Debug, Default)]
pub(crate) struct Context {
    last_error: Mutex<Option<(RDKafkaErrorCode, String)>>,
}

impl Context {
    /// Takes note of an error that librdkafka reports and deals with by itself.
    pub(crate) fn note(&self, code: RDKafkaErrorCode, reason: &str) {
        log::warn!(target: LOG_TARGET, "{code}: {reason}");
        // That all brokers are down is a consequence; the reason has come before.
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        if code != RDKafkaErrorCode::AllBrokersDown || last.is_none() {
            *last = Some((code, reason.to_owned()));
        }
    }

    pub(crate) fn last_error(&self) -> Option<(RDKafkaErrorCode, String)> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The error for brokers that gave no answer in time.
    #[cold]
    pub(crate) fn unreachable(&self, brokers: &str, waited: std::time::Duration) -> Error {
        let reason = self
            .last_error()
            .map_or_else(|| "no answer".to_owned(), |(_, reason)| reason);
        let secs = waited.as_secs_f32();
        Error::new(
            ErrorKind::Unreachable,
            format!("no broker of {brokers} answered within {secs:.1} s: {reason}"),
        )
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log_line(level as i32, facility, line);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        log_statistics(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note(
            error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail),
            reason,
        );
    }
}

impl ConsumerContext for Context {}

const LOG_TARGET: &str = "librdkafka";

/// Passes on a log line; `level` is syslog's.
pub(crate) fn log_line(level: i32, facility: &str, line: &str) {
    let level = match level {
        ..=3 => log::Level::Error,
        4 => log::Level::Warn,
        5 | 6 => log::Level::Info,
        _ => log::Level::Debug,
    };
    log::log!(target: LOG_TARGET, level, "{facility}: {line}");
}

/// Passes on the statistics that `statistics.interval.ms` asks for: JSON, in one line.
pub(crate) fn log_statistics(statistics: &[u8]) {
    log::info!(target: "librdkafka::statistics", "{}", String::from_utf8_lossy(statistics));
}
