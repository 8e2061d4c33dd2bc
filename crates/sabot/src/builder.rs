//! From options to a stream of a topic's batches.

use std::fmt;
use std::time::Duration;

use sabot_assemble::{Assembler, AssemblerOptions};
use sabot_kafka::{
    DeadLetterOptions, End, PartitionStart, Properties, Source, SourceOptions, Start, Stopper, Subscription,
};
use sabot_registry::Client;

use crate::schema_source::{Registry, schema_source};
use crate::{Codec, Error, Metadata, OnError, Part, Stream, Tombstones};

/// What to read, and what to make of it. Made by [`crate::Sabot::kafka`].
///
/// ```no_run
/// # #[cfg(all(feature = "avro", feature = "plain"))] {
/// use sabot::{Codec, OnError, Sabot, Start};
///
/// let stream = Sabot::kafka("localhost:9092")
///     .topic("orders")
///     .group("billing")
///     .registry("http://localhost:8081")
///     .key(Codec::string())
///     .value(Codec::avro())
///     .on_error(OnError::Skip)
///     .start(Start::Earliest)
///     .stop_at_end()
///     .batch_rows(8192)
///     .open()?;
/// for batch in stream {
///     let batch = batch?;
///     println!("{} rows, {} bad", batch.batch.num_rows(), batch.bad.len());
///     batch.ack();
/// }
/// # }
/// # Ok::<(), sabot::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `open`"]
pub struct Builder {
    brokers: String,
    topics: Vec<String>,
    partitions: Vec<PartitionStart>,
    options: SourceOptions,
    assembler: AssemblerOptions,
    registry: Registry,
    key: Option<Codec>,
    value: Option<Codec>,
    stop_at_end: bool,
    limit: Option<u64>,
}

impl Builder {
    pub(crate) fn new(brokers: String) -> Self {
        Self {
            brokers,
            topics: Vec::new(),
            partitions: Vec::new(),
            options: SourceOptions::new(String::new(), Subscription::Topics(Vec::new())),
            assembler: AssemblerOptions::default(),
            registry: Registry::None,
            key: None,
            value: None,
            stop_at_end: false,
            limit: None,
        }
    }

    /// Reads this topic; a name that begins with `^` is a regular expression. May be called several
    /// times.
    pub fn topic(mut self, topic: impl Into<String>) -> Self {
        self.topics.push(topic.into());
        self
    }

    /// Reads these topics.
    pub fn topics<T: Into<String>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        self.topics.extend(topics.into_iter().map(Into::into));
        self
    }

    /// Reads this partition, and of its topic no other. May be called several times, but not
    /// together with topics.
    pub fn partition(mut self, topic: impl Into<String>, partition: i32) -> Self {
        self.partitions.push(PartitionStart::new(topic, partition, None));
        self
    }

    /// As [`Builder::partition`], beginning elsewhere than the others.
    pub fn partition_from(mut self, topic: impl Into<String>, partition: i32, start: Start) -> Self {
        self.partitions
            .push(PartitionStart::new(topic, partition, Some(start)));
        self
    }

    /// Joins this consumer group: its members share the partitions, and what is acknowledged is
    /// committed to it.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.options.group = Some(group.into());
        self
    }

    /// The schema registry, `http[s]://[user:password@]host[:port]`; several nodes with commas
    /// between.
    pub fn registry(mut self, url: impl Into<String>) -> Self {
        self.registry = Registry::Url(url.into());
        self
    }

    /// A registry client configured elsewhere, with credentials or a deadline of its own; clones
    /// share its caches.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sabot::{Sabot, registry::Client};
    ///
    /// let client = Client::builder(["http://localhost:8081"]).deadline(Duration::from_secs(5)).build()?;
    /// let builder = Sabot::kafka("localhost:9092").topic("orders").registry_client(client);
    /// # let _ = builder;
    /// # Ok::<(), sabot::registry::Error>(())
    /// ```
    pub fn registry_client(mut self, client: Client) -> Self {
        self.registry = Registry::Client(client);
        self
    }

    /// How values are encoded.
    pub fn value(mut self, codec: Codec) -> Self {
        self.value = Some(codec);
        self
    }

    /// How keys are encoded. Without it, keys are not decoded.
    pub fn key(mut self, codec: Codec) -> Self {
        self.key = Some(codec);
        self
    }

    /// What becomes of a record that cannot be decoded. [`OnError::Fail`] unless set.
    pub fn on_error(mut self, policy: OnError) -> Self {
        self.assembler.on_error = policy;
        self
    }

    /// Produces each bad message to `topic`, with Kafka Connect's headers, and leaves it out.
    pub fn dead_letters(self, topic: impl Into<String>) -> Self {
        self.dead_letter_options(DeadLetterOptions::new(topic))
    }

    /// As [`Builder::dead_letters`], with options of its own.
    pub fn dead_letter_options(mut self, options: DeadLetterOptions) -> Self {
        self.assembler.on_error = OnError::DeadLetter;
        self.options.dead_letters = Some(options);
        self
    }

    /// What becomes of a record whose value is null. [`Tombstones::Null`] unless set.
    pub fn tombstones(mut self, policy: Tombstones) -> Self {
        self.assembler.tombstones = policy;
        self
    }

    /// Which metadata columns to add. All but key and headers unless set.
    pub fn metadata(mut self, columns: Metadata) -> Self {
        self.assembler.metadata = columns;
        self
    }

    /// Adds the columns `_error` and `_raw` to the rows that [`OnError::Null`] keeps. `_raw` is the
    /// message's value, also where only its key is bad.
    pub fn error_columns(mut self) -> Self {
        self.assembler.error_column = true;
        self.assembler.raw_column = true;
        self
    }

    /// Where to begin in partitions for which the group has committed nothing; without a group, in
    /// all. [`Start::Earliest`] unless set.
    pub fn start(mut self, start: Start) -> Self {
        self.options.start = start;
        self
    }

    /// Where to end. [`End::Never`] unless set.
    pub fn end(mut self, end: End) -> Self {
        self.options.end = end;
        self
    }

    /// Ends where each partition ends when it is first looked at, instead of waiting for more.
    pub fn stop_at_end(mut self) -> Self {
        self.stop_at_end = true;
        self
    }

    /// Ends after so many messages, bad ones included; with [`Builder::stop_at_end`] whatever comes
    /// first.
    pub fn limit(mut self, messages: u64) -> Self {
        self.limit = Some(messages);
        self
    }

    /// The most rows of a batch. 65,536 unless set.
    pub fn batch_rows(mut self, rows: usize) -> Self {
        self.options.batching.rows = rows;
        self
    }

    /// Bytes of a batch's columns at which it ends. 32 MiB unless set.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.options.batching.bytes = bytes;
        self
    }

    /// How long a batch waits for more rows after its first. Half a second unless set.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.options.batching.linger = linger;
        self
    }

    /// A property of librdkafka, such as `security.protocol`.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.properties.set(name, value);
        self
    }

    /// Properties of librdkafka.
    pub fn properties(mut self, properties: &Properties) -> Self {
        for name in properties.names() {
            if let Some(value) = properties.get(name) {
                self.options.properties.set(name, value);
            }
        }
        self
    }

    /// How long opening waits for a broker. 30 s unless set.
    pub fn startup_timeout(mut self, timeout: Duration) -> Self {
        self.options.startup_timeout = timeout;
        self
    }

    /// Something made beforehand that stops the stream, even while it is being opened.
    pub fn stopper(mut self, stopper: Stopper) -> Self {
        self.options.stopper = stopper;
        self
    }

    /// Connects, and asks the registry for what has to be known before the first message.
    ///
    /// # Errors
    ///
    /// See [`crate::ErrorKind`]: `Config`, `Unreachable`, `Denied`, `UnknownTopic`, `NotFound`,
    /// `NoOffset`, `Schema`, `Registry` or `Stopped`.
    pub fn open(self) -> Result<Stream, Error> {
        let mut options = self.options.clone();
        options.brokers.clone_from(&self.brokers);
        options.subscription = self.subscription()?;
        options.end = self.ending()?;
        let value = self.value.as_ref().ok_or_else(|| {
            Error::config("the values' encoding is not given: add .value(Codec::avro()) or another codec")
        })?;
        if self.assembler.on_error == OnError::DeadLetter && options.dead_letters.is_none() {
            return Err(Error::config(
                "dead letters need a topic: add .dead_letters(\"topic\")",
            ));
        }
        let registry = self.registry.client()?;
        let topic = self.first_topic();
        let key = self
            .key
            .as_ref()
            .map(|key| key.open(Part::Key, topic, registry.as_ref()))
            .transpose()?;
        options.key_framing = self.key.as_ref().map_or(options.key_framing, Codec::frame);
        options.value_framing = value.frame();
        let value = value.open(Part::Value, topic, registry.as_ref())?;
        let assembler = Assembler::new(self.assembler, key, value);
        let schemas = schema_source(registry);
        Ok(Stream::new(Source::open(options, assembler, schemas)?))
    }

    fn subscription(&self) -> Result<Subscription, Error> {
        match (self.topics.is_empty(), self.partitions.is_empty()) {
            (true, true) => Err(Error::config("no topic is given: add .topic(\"name\")")),
            (false, false) => Err(Error::config(
                "topics and single partitions cannot be mixed: give one or the other",
            )),
            (false, true) => Ok(Subscription::Topics(self.topics.clone())),
            (true, false) => Ok(Subscription::Partitions(self.partitions.clone())),
        }
    }

    /// The topic whose subject the columns follow.
    fn first_topic(&self) -> Option<&str> {
        let named = self
            .topics
            .first()
            .filter(|topic| !topic.starts_with('^'))
            .map(String::as_str);
        named.or_else(|| self.partitions.first().map(|partition| partition.topic.as_str()))
    }

    fn ending(&self) -> Result<End, Error> {
        let end = self.options.end.clone();
        let is_set = end != End::Never;
        Ok(match (is_set, self.stop_at_end, self.limit) {
            (_, false, None) => end,
            (true, ..) => {
                return Err(Error::config(
                    "the end is given twice: use either .end(..) or .stop_at_end() and .limit(..)",
                ));
            }
            (false, true, None) => End::AtStart,
            (false, false, Some(most)) => End::Messages(most),
            (false, true, Some(most)) => End::MessagesAtStart(most),
        })
    }
}

impl fmt::Debug for Builder {
    /// The options. The registry's URL, which may hold a password, is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("brokers", &self.brokers)
            .field("topics", &self.topics)
            .field("partitions", &self.partitions)
            .field("key", &self.key)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}
