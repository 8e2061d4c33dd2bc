//! Which partitions a subscription means, as the brokers know them now.

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;

use crate::admin::existing;
use crate::connection::Connection;
use crate::error::kind_of;
use crate::subscription::{PartitionStart, Subscription, is_pattern, pattern};
use crate::{Error, ErrorKind};

/// Waits for a broker, checks that everything that is named exists, and gives the partitions to
/// read.
pub(crate) fn partitions_of(
    connection: &Connection,
    subscription: &Subscription,
) -> Result<Vec<PartitionStart>, Error> {
    match subscription {
        Subscription::Topics(topics) => {
            let metadata = check_topics(connection, topics)?;
            all_partitions(&metadata, topics)
        }
        Subscription::Partitions(partitions) => {
            let mut topics: Vec<String> = partitions.iter().map(|wanted| wanted.topic.clone()).collect();
            topics.sort();
            topics.dedup();
            let metadata = check_topics(connection, &topics)?;
            for wanted in partitions {
                check_partition(&metadata, wanted)?;
            }
            Ok(partitions.clone())
        }
    }
}

/// Waits for a broker, and checks that the topics named exist.
pub(crate) fn check_topics(connection: &Connection, topics: &[String]) -> Result<Metadata, Error> {
    let single = match topics {
        [topic] if !is_pattern(topic) => Some(topic.as_str()),
        _ => None,
    };
    let metadata = connection.metadata(single)?;
    for topic in topics.iter().filter(|topic| !is_pattern(topic)) {
        existing(&metadata, topic)?;
    }
    Ok(metadata)
}

fn check_partition(metadata: &Metadata, wanted: &PartitionStart) -> Result<(), Error> {
    let topic = existing(metadata, &wanted.topic)?;
    if topic
        .partitions()
        .iter()
        .any(|partition| partition.id() == wanted.partition)
    {
        return Ok(());
    }
    let count = topic.partitions().len();
    let text = format!(
        "topic {} has {count} partitions, and no partition {}",
        wanted.topic, wanted.partition
    );
    Err(Error::new(ErrorKind::UnknownTopic, text).in_topic(&wanted.topic))
}

/// All partitions of the topics that exist now.
fn all_partitions(metadata: &Metadata, topics: &[String]) -> Result<Vec<PartitionStart>, Error> {
    let patterns = topics
        .iter()
        .filter(|topic| is_pattern(topic))
        .map(|topic| pattern(topic))
        .collect::<Result<Vec<_>, _>>()?;
    let wanted = |name: &str| {
        topics.iter().any(|topic| topic == name) || patterns.iter().any(|pattern| pattern.is_match(name))
    };
    let mut all = Vec::new();
    for topic in metadata.topics().iter().filter(|topic| wanted(topic.name())) {
        let code = topic.error().map(RDKafkaErrorCode::from);
        if code.and_then(kind_of) == Some(ErrorKind::Denied) {
            let text = format!("reading topic {} is not allowed", topic.name());
            return Err(Error::new(ErrorKind::Denied, text).in_topic(topic.name()));
        }
        all.extend(
            topic
                .partitions()
                .iter()
                .map(|partition| PartitionStart::new(topic.name(), partition.id(), None)),
        );
    }
    if all.is_empty() {
        return Err(Error::new(
            ErrorKind::UnknownTopic,
            format!("no topic matches {}", topics.join(", ")),
        ));
    }
    all.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(all)
}
