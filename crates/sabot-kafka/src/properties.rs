//! Properties of librdkafka: passed through, and never printed unless known to be harmless.
//!
//! What may be printed is an allow-list. A list of secrets would be shorter, and wrong with
//! librdkafka's next release.

use std::collections::BTreeMap;
use std::fmt;

use crate::Error;

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

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Refuses what the client sets by itself: names, and why.
    pub(crate) fn refuse(&self, reserved: &[(&str, &str)]) -> Result<(), Error> {
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

/// Whether the value of a property may be shown.
pub(crate) fn is_harmless(name: &str) -> bool {
    HARMLESS.binary_search(&name).is_ok()
}

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

    #[test]
    fn the_table_is_sorted() {
        assert!(HARMLESS.is_sorted());
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
