//! A small blocking producer: for dead letters, demonstrations and tests.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

use crate::client::{log_line, log_statistics};
use crate::{Error, ErrorKind, Properties, config};

/// A message to produce.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "a Kafka message has no more parts")]
pub struct Message<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition; `None` leaves the choice to librdkafka's partitioner.
    pub partition: Option<i32>,
    /// The key, as it is to be written.
    pub key: Option<&'a [u8]>,
    /// The value, as it is to be written; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers, in order.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// Milliseconds since 1970-01-01T00:00:00Z; `None` takes the time of sending.
    pub timestamp_ms: Option<i64>,
}

/// Produces messages, idempotently unless the properties say otherwise.
///
/// Messages still queued when it is dropped are lost: call [`Producer::flush`] first.
///
/// ```
/// use std::time::Duration;
/// use sabot_kafka::embedded::EmbeddedBroker;
/// use sabot_kafka::{Message, Producer, Properties};
///
/// let broker = EmbeddedBroker::start(1)?;
/// broker.create_topic("orders", 1)?;
/// let producer = Producer::new(broker.brokers(), &Properties::default())?;
/// producer.send(&Message { topic: "orders", key: Some(b"k"), value: Some(b"v"), ..Message::default() })?;
/// producer.flush(Duration::from_secs(10))?;
/// # Ok::<(), sabot_kafka::Error>(())
/// ```
pub struct Producer {
    inner: BaseProducer<Deliveries>,
}

/// What became of messages: those that could not be delivered, by the token they were sent with.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    failed: Mutex<Vec<(usize, RDKafkaErrorCode)>>,
}

impl Producer {
    /// Makes a producer. No broker is asked yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if librdkafka refuses a property.
    pub fn new(brokers: &str, properties: &Properties) -> Result<Self, Error> {
        Self::with_config(&config::producer(brokers, &[properties])?)
    }

    pub(crate) fn with_config(config: &ClientConfig) -> Result<Self, Error> {
        let inner = config
            .create_with_context(Deliveries::default())
            .map_err(|cause| Error::kafka(ErrorKind::Config, "the producer cannot be made", &cause))?;
        Ok(Self { inner })
    }

    /// Queues a message, and waits while the queue is full.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Produce`] if the message is refused at once, for example because of its size.
    /// Delivery itself is checked by [`Producer::flush`].
    pub fn send(&self, message: &Message<'_>) -> Result<(), Error> {
        self.send_token(message, 0)
    }

    /// Waits until all messages sent so far are delivered.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Produce`] if any could not be delivered since the last flush, or `timeout` runs
    /// out before.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        let failed = self.flush_tokens(timeout)?;
        match failed.first() {
            None => Ok(()),
            Some((_, code)) => {
                let count = failed.len();
                Err(Error::new(
                    ErrorKind::Produce,
                    format!("{count} messages could not be delivered: {code}"),
                ))
            }
        }
    }

    /// As [`Producer::send`]; `token` comes back from [`Producer::flush_tokens`] if delivery fails.
    pub(crate) fn send_token(&self, message: &Message<'_>, token: usize) -> Result<(), Error> {
        let mut record = BaseRecord::<[u8], [u8], usize>::with_opaque_to(message.topic, token);
        record.partition = message.partition;
        record.key = message.key;
        record.payload = message.value;
        record.timestamp = message.timestamp_ms;
        if !message.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(message.headers.len());
            record.headers = Some(
                message
                    .headers
                    .iter()
                    .fold(headers, |all, &(key, value)| all.insert(Header { key, value })),
            );
        }
        loop {
            match self.inner.send(record) {
                Ok(()) => {
                    self.inner.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.inner.poll(Duration::from_millis(10));
                }
                Err((cause, _)) => {
                    let text = format!("a message for topic {} is refused", message.topic);
                    return Err(Error::kafka(ErrorKind::Produce, &text, &cause).in_topic(message.topic));
                }
            }
        }
    }

    /// Waits for all deliveries, and returns the tokens of those that failed.
    pub(crate) fn flush_tokens(&self, timeout: Duration) -> Result<Vec<(usize, RDKafkaErrorCode)>, Error> {
        let begin = Instant::now();
        while self.inner.in_flight_count() > 0 {
            let left = timeout.saturating_sub(begin.elapsed());
            if left.is_zero() {
                let waiting = self.inner.in_flight_count();
                return Err(Error::new(
                    ErrorKind::Produce,
                    format!(
                        "{waiting} messages are not delivered after {:.1} s",
                        timeout.as_secs_f32()
                    ),
                ));
            }
            // Flushing tells librdkafka not to linger; the reports are served by the poll inside.
            let _ = self.inner.flush(left.min(Duration::from_millis(100)));
        }
        Ok(std::mem::take(&mut self.inner.context().failed()))
    }

    pub(crate) fn client(&self) -> &Client<Deliveries> {
        self.inner.client()
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("in_flight", &self.inner.in_flight_count())
            .finish_non_exhaustive()
    }
}

impl Deliveries {
    fn failed(&self) -> std::sync::MutexGuard<'_, Vec<(usize, RDKafkaErrorCode)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log_line(level as i32, facility, line);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        log_statistics(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log::warn!(target: "librdkafka", "{error}: {reason}");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, token: usize) {
        if let Err((cause, _)) = result {
            let code = cause.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
            self.failed().push((token, code));
        }
    }
}
