//! Properties of librdkafka: passed through, checked by name, and never printed unless known to be harmless.
//!
//! What may be printed is an allow-list. A list of secrets would be shorter, and wrong with librdkafka's next release.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use crate::{Error, SourceOptions};

/// Properties of librdkafka by name, such as `fetch.min.bytes`. The last value set for a name wins.
///
/// `Debug` shows values only of properties that are known to hold no secret.
///
/// ```
/// let mut properties = sabot_kafka::Properties::default();
/// properties.set("sasl.password", "hunter2").set("client.id", "one").set("client.id", "two");
/// assert_eq!(format!("{properties:?}"), r#"{"client.id": "two", "sasl.password": <hidden>}"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// Sets a property.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The value of a property, if it is set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Takes a property out.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// The names of the properties that are set, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn refuse(&self, reserved: &[(&str, &str)]) -> Result<(), Error> {
        match reserved.iter().find(|(name, _)| self.0.contains_key(*name)) {
            Some((name, reason)) => Err(Error::config(format!(
                "the property {name} cannot be set: {reason}"
            ))),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in &self.0 {
            if is_harmless(name) {
                map.entry(name, value);
            } else {
                map.entry(name, &format_args!("<hidden>"));
            }
        }
        map.finish()
    }
}

impl<N: Into<String>, V: Into<String>> Extend<(N, V)> for Properties {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, properties: I) {
        self.0.extend(
            properties
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(properties: I) -> Self {
        let mut all = Self::default();
        all.extend(properties);
        all
    }
}

/// The configuration of a source's consumer.
pub(crate) fn consumer(options: &SourceOptions) -> Result<ClientConfig, Error> {
    options.properties.refuse(RESERVED_IN_CONSUMERS)?;
    let mut defaults = Properties::default();
    defaults
        .set("client.id", "sabot")
        // librdkafka cannot assign partitions without a group's name. This one is never joined nor committed to.
        .set(
            "group.id",
            options.group.as_deref().unwrap_or("sabot-without-group"),
        )
        .set(
            "enable.auto.commit",
            if options.group.is_some() { "true" } else { "false" },
        )
        .set("enable.auto.offset.store", "false")
        .set(
            "enable.partition.eof",
            if options.end.bounds_partitions() {
                "true"
            } else {
                "false"
            },
        )
        .set("auto.offset.reset", options.start.reset())
        .set("isolation.level", "read_committed")
        // The default of a second lets a fast reader run dry between two fetches.
        .set("fetch.queue.backoff.ms", "20")
        .set("queued.max.messages.kbytes", "65536");
    if options
        .properties
        .get("group.protocol")
        .is_none_or(|protocol| protocol == "classic")
    {
        defaults.set("partition.assignment.strategy", "cooperative-sticky");
    }
    build(&options.brokers, [&defaults, &options.properties])
}

/// The configuration of a client that reads metadata.
pub(crate) fn admin(brokers: &str, properties: &Properties) -> Result<ClientConfig, Error> {
    properties.refuse(RESERVED)?;
    let mut defaults = Properties::default();
    defaults.set("client.id", "sabot");
    build(brokers, [&defaults, properties])
}

/// The configuration of a producer. Later properties win.
pub(crate) fn producer(brokers: &str, properties: &[&Properties]) -> Result<ClientConfig, Error> {
    properties
        .iter()
        .try_for_each(|properties| properties.refuse(RESERVED))?;
    let mut defaults = Properties::default();
    // Without idempotence, a retry can write a record twice or out of order.
    defaults
        .set("client.id", "sabot")
        .set("enable.idempotence", "true");
    build(brokers, [&defaults].into_iter().chain(properties.iter().copied()))
}

fn build<'a>(
    brokers: &str,
    properties: impl IntoIterator<Item = &'a Properties>,
) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    for (name, value) in properties.into_iter().flat_map(|properties| &properties.0) {
        config.set(name, value);
    }
    config.create_native_config().map_err(|cause| refused(&cause))?;
    Ok(config)
}

/// The error for a property that librdkafka refuses. Its own text quotes the value, so it is used for harmless
/// properties alone.
#[cold]
fn refused(cause: &KafkaError) -> Error {
    match cause {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
            Error::config(format!("librdkafka has no property {name:?}"))
        }
        KafkaError::ClientConfig(_, text, name, _) if is_harmless(name) => {
            Error::config(format!("the property {name} is refused: {text}"))
        }
        KafkaError::ClientConfig(_, _, name, _) => Error::config(format!(
            "the property {name} is refused: its value (not shown) is invalid"
        )),
        KafkaError::Nul(_) => Error::config("a property holds a NUL character"),
        _ => Error::config("the properties are refused"),
    }
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.binary_search(&name).is_ok()
}

const RESERVED: &[(&str, &str)] = &[
    ("bootstrap.servers", "the brokers are an option of their own"),
    ("metadata.broker.list", "the brokers are an option of their own"),
    ("enabled_events", "it is set by the client"),
    ("log.queue", "it is set by the client"),
    ("opaque", "it is set by the client"),
];

const RESERVED_IN_CONSUMERS: &[(&str, &str)] = &[
    ("auto.offset.reset", "the start is an option of its own"),
    ("bootstrap.servers", "the brokers are an option of their own"),
    (
        "enable.auto.offset.store",
        "only acknowledged offsets may be stored",
    ),
    ("enable.partition.eof", "bounded reading depends on it"),
    ("enabled_events", "it is set by the client"),
    ("group.id", "the group is an option of its own"),
    ("log.queue", "it is set by the client"),
    ("metadata.broker.list", "the brokers are an option of their own"),
    ("opaque", "it is set by the client"),
];

/// Sorted. Properties whose values may be shown.
const HARMLESS: &[&str] = &[
    "acks",
    "allow.auto.create.topics",
    "api.version.request",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "batch.num.messages",
    "batch.size",
    "broker.address.family",
    "check.crcs",
    "client.id",
    "client.rack",
    "compression.codec",
    "compression.level",
    "compression.type",
    "connections.max.idle.ms",
    "debug",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "enable.ssl.certificate.verification",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "isolation.level",
    "linger.ms",
    "log_level",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "message.max.bytes",
    "message.timeout.ms",
    "metadata.max.age.ms",
    "partition.assignment.strategy",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "receive.message.max.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retries",
    "retry.backoff.ms",
    "sasl.mechanism",
    "sasl.mechanisms",
    "security.protocol",
    "session.timeout.ms",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.timeout.ms",
    "ssl.endpoint.identification.algorithm",
    "statistics.interval.ms",
    "topic.metadata.refresh.interval.ms",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Subscription;

    fn with(name: &str, value: &str) -> SourceOptions {
        let mut options = SourceOptions::new("localhost:9092", Subscription::topics(["t"]));
        options.properties.set(name, value);
        options
    }

    #[test]
    fn tables_are_sorted() {
        assert!(HARMLESS.is_sorted());
        assert!(RESERVED_IN_CONSUMERS.is_sorted());
    }

    #[test]
    fn an_error_names_the_property_and_shows_no_secret() {
        for (name, value, expected) in [
            (
                "no.such.thing",
                "s3cret",
                "librdkafka has no property \"no.such.thing\"",
            ),
            ("fetch.min.bytes", "many", "fetch.min.bytes"),
            (
                "sasl.oauthbearer.method",
                "s3cret",
                "sasl.oauthbearer.method is refused: its value (not shown)",
            ),
            ("group.id", "s3cret", "the group is an option"),
            ("enable.auto.offset.store", "true", "only acknowledged offsets"),
            ("client.id", "a\0s3cret", "a NUL character"),
        ] {
            let error = consumer(&with(name, value)).expect_err(name);
            assert_eq!(error.kind(), crate::ErrorKind::Config);
            let text = format!("{error} {error:?}");
            assert!(text.contains(expected), "{text}");
            assert!(!text.contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn what_is_passed_wins_over_the_defaults() {
        let config = consumer(&with("isolation.level", "read_uncommitted")).unwrap();
        assert_eq!(config.get("isolation.level"), Some("read_uncommitted"));
        assert_eq!(config.get("enable.auto.offset.store"), Some("false"));
        assert_eq!(config.get("enable.auto.commit"), Some("false"));
        assert_eq!(
            config.get("partition.assignment.strategy"),
            Some("cooperative-sticky")
        );
        let config = consumer(&with("group.protocol", "consumer")).unwrap();
        assert_eq!(config.get("partition.assignment.strategy"), None);
    }

    proptest! {
        #[test]
        fn a_value_shows_only_if_its_property_is_harmless(name in "[a-z.]{0,12}", value in "[A-Z]{8}") {
            let mut properties = Properties::default();
            properties.set(name.clone(), "first").set(name.clone(), value.clone());
            prop_assert_eq!(properties.get(&name), Some(value.as_str()));
            prop_assert_eq!(format!("{properties:?}").contains(&value), is_harmless(&name));
        }
    }
}
