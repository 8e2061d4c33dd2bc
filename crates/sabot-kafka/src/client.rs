//! The consumer, and what librdkafka calls back: log lines and errors.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::{Error, ErrorKind};

/// A consumer that does not hold its owner up for ever when it is dropped.
///
/// librdkafka ends a consumer once the commits under way are answered, and sends them again and
/// again until they are. While no broker is there, that takes as long as it takes; so it is done on
/// a thread, and waited for a while only.
pub(crate) struct Consumer {
    client: Option<BaseConsumer<Context>>,
    patience: Duration,
}

impl Consumer {
    /// `patience`: how long dropping it waits.
    pub(crate) fn new(client: BaseConsumer<Context>, patience: Duration) -> Self {
        Self {
            client: Some(client),
            patience,
        }
    }
}

impl Deref for Consumer {
    type Target = BaseConsumer<Context>;

    fn deref(&self) -> &Self::Target {
        self.client.as_ref().expect("because only drop takes it")
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let client = self.client.take();
        let (done, is_done) = mpsc::channel();
        let closing = thread::Builder::new()
            .name("sabot-kafka-close".to_owned())
            .spawn(move || {
                drop(client);
                let _ = done.send(());
            });
        // Without a thread, it has been dropped here.
        if closing.is_ok() && is_done.recv_timeout(self.patience).is_err() {
            log::warn!("the brokers do not answer; leaving the group goes on in the background");
        }
    }
}

/// Sends librdkafka's words to the `log` crate and remembers the last error, for a message that
/// says why no broker answered.
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
    pub(crate) fn unreachable(&self, brokers: &str, waited: Duration) -> Error {
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
