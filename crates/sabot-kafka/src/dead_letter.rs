//! Dead letters: bad messages, produced as they came to another topic, with headers that say what
//! was wrong.
//!
//! The headers are Kafka Connect's, so that its tools read them. Bad messages are copied and kept
//! until their delivery is confirmed, which happens before their batch is given out: a batch that
//! can be acknowledged has no dead letter left behind. The price is that a batch with bad messages
//! waits for one round trip.

use std::time::Duration;

use sabot_assemble::{BadRow, Part, Record};

use crate::options::DeadLetterOptions;
use crate::{Error, ErrorKind, Message, Producer, Properties, config};

/// The dead letters of the batch in hand.
pub(crate) struct DeadLetters {
    options: DeadLetterOptions,
    producer: Producer,
    waiting: Vec<Letter>,
    waiting_bytes: usize,
}

/// A bad message with all that is to be produced.
struct Letter {
    key: Option<Box<[u8]>>,
    value: Option<Box<[u8]>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
    timestamp_ms: Option<i64>,
}

impl DeadLetters {
    pub(crate) fn new(brokers: &str, source: &Properties, options: DeadLetterOptions) -> Result<Self, Error> {
        let mut source = source.clone();
        for name in CONSUMER_ONLY {
            source.remove(name);
        }
        let mut defaults = Properties::default();
        // librdkafka gives a message up before the batch does, so that it cannot arrive after it
        // was tried again.
        defaults.set(
            "message.timeout.ms",
            options.timeout.as_millis().clamp(1, 86_400_000).to_string(),
        );
        let config = config::producer(brokers, &[&source, &defaults, &options.properties])?;
        Ok(Self {
            producer: Producer::with_config(&config)?,
            options,
            waiting: Vec::new(),
            waiting_bytes: 0,
        })
    }

    /// Copies a bad message.
    pub(crate) fn push(&mut self, bad: &BadRow, record: &Record<'_>) {
        let letter = Letter::new(bad, record, &self.options.name);
        self.waiting_bytes += letter.bytes();
        self.waiting.push(letter);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Produces what waits, and returns once all of it is delivered. What could not be delivered
    /// goes on waiting.
    pub(crate) fn deliver(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let result = self.produce();
        self.waiting_bytes = self.waiting.iter().map(Letter::bytes).sum();
        result.map_err(|error| {
            let (topic, count) = (&self.options.topic, self.waiting.len());
            let text = format!("{count} dead letters could not be delivered to topic {topic}: {error}");
            Error::new(ErrorKind::DeadLetter, text).with_source(error)
        })
    }

    /// Sends what waits, up to the first that is refused, and keeps what is not delivered. What
    /// arrived must not be produced again, however often the rest is.
    fn produce(&mut self) -> Result<(), Error> {
        let (sent, refused) = self.send();
        // Somewhat more than the producer's own time, so that it is the one to give up.
        let failed = self
            .producer
            .flush_tokens(self.options.timeout + Duration::from_secs(5))?;
        let mut token = 0;
        self.waiting.retain(|_| {
            token += 1;
            token > sent || failed.iter().any(|(failed, _)| *failed == token - 1)
        });
        match (failed.first(), refused) {
            (Some((_, code)), _) => Err(Error::new(ErrorKind::Produce, code.to_string())),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(()),
        }
    }

    /// Queues letters, and returns how many, and why no more.
    fn send(&self) -> (usize, Option<Error>) {
        for (token, letter) in self.waiting.iter().enumerate() {
            let headers: Vec<_> = letter
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .collect();
            let message = Message {
                topic: &self.options.topic,
                partition: None,
                key: letter.key.as_deref(),
                value: letter.value.as_deref(),
                headers: &headers,
                timestamp_ms: letter.timestamp_ms,
            };
            if let Err(error) = self.producer.send_token(&message, token) {
                return (token, Some(error));
            }
        }
        (self.waiting.len(), None)
    }
}

impl Letter {
    fn bytes(&self) -> usize {
        let bytes = |bytes: &Option<Box<[u8]>>| bytes.as_ref().map_or(0, |bytes| bytes.len());
        let headers = self.headers.iter().map(|(name, value)| {
            size_of::<(String, Option<Vec<u8>>)>() + name.len() + value.as_ref().map_or(0, Vec::len)
        });
        size_of::<Self>() + bytes(&self.key) + bytes(&self.value) + headers.sum::<usize>()
    }

    fn new(bad: &BadRow, record: &Record<'_>, name: &str) -> Self {
        let mut headers = Vec::new();
        record.visit_headers(|name, value| {
            headers.push((
                String::from_utf8_lossy(name).into_owned(),
                value.map(<[u8]>::to_vec),
            ));
        });
        let stage = match bad.part {
            Part::Key => "KEY_CONVERTER",
            Part::Value => "VALUE_CONVERTER",
        };
        let class = format!("{:?}", bad.kind);
        let class = class
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        let added = [
            ("topic", record.topic().to_string()),
            ("partition", record.partition().to_string()),
            ("offset", record.offset().to_string()),
            ("connector.name", name.to_owned()),
            ("task.id", "0".to_owned()),
            ("stage", stage.to_owned()),
            ("class.name", "sabot_assemble::Assembler".to_owned()),
            (
                "exception.class.name",
                format!("sabot_decode::RowErrorKind::{class}"),
            ),
            ("exception.message", bad.reason().to_string()),
        ];
        let added = added
            .into_iter()
            .map(|(name, text)| (format!("__connect.errors.{name}"), Some(text.into_bytes())));
        headers.extend(added);
        Self {
            key: record.key().map(Box::from),
            value: record.value().map(Box::from),
            headers,
            // librdkafka takes 0 for "now", and a time before 1970 for an error.
            timestamp_ms: record.timestamp_ms().filter(|ms| *ms > 0),
        }
    }
}

/// Properties of a source that would only make its producer's librdkafka warn.
const CONSUMER_ONLY: &[&str] = &[
    "auto.commit.interval.ms",
    "check.crcs",
    "enable.auto.commit",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "partition.assignment.strategy",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "session.timeout.ms",
];
