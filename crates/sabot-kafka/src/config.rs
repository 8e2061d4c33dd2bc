//! What librdkafka's clients are configured with: defaults of ours, and the properties that
//! somebody set.

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use crate::properties::{Properties, is_harmless};
use crate::{Error, SourceOptions};

/// The configuration of a source's consumer.
pub(crate) fn consumer(options: &SourceOptions) -> Result<ClientConfig, Error> {
    options.properties.refuse(RESERVED_IN_CONSUMERS)?;
    let mut defaults = Properties::default();
    defaults
        .set("client.id", "sabot")
        // librdkafka cannot assign partitions without a group's name. This one is never joined nor
        // committed to.
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
        // librdkafka makes a kilobyte of each message, however short. With its default of 100,000
        // they leave the caches, and the memory that was just freed is not what is allocated next.
        // So fewer wait, and a full queue is looked at again soon, before a fast reader runs dry.
        .set("queued.min.messages", "20000")
        .set("fetch.queue.backoff.ms", "5")
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
    for (name, value) in properties.into_iter().flat_map(Properties::iter) {
        config.set(name, value);
    }
    config.create_native_config().map_err(|cause| refused(&cause))?;
    Ok(config)
}

/// The error for a property that librdkafka refuses. Its own text quotes the value, so it is used
/// for harmless properties alone.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Subscription;

    fn with(name: &str, value: &str) -> SourceOptions {
        let mut options = SourceOptions::new("localhost:9092", Subscription::topics(["t"]));
        options.properties.set(name, value);
        options
    }

    #[test]
    fn the_table_is_sorted() {
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
}
