//! rust-rdkafka's `BaseConsumer::poll`, message by message: what an ordinary consumer in Rust does,
//! and no decoding.

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

use super::{PATIENCE, Read};
use crate::topics::{self, PARTITIONS};
use crate::{properties, words};

pub fn read(topic: &str, messages: usize) -> Result<Read, String> {
    let consumer = consumer(topic)?;
    let mut read = Read::default();
    while read.messages < messages {
        let message = consumer
            .poll(PATIENCE)
            .ok_or("no message comes")?
            .map_err(words)?;
        read.touch(message.payload().unwrap_or_default());
    }
    Ok(read)
}

/// A consumer with Sabot's settings and all partitions of the topic.
pub fn consumer(topic: &str) -> Result<BaseConsumer, String> {
    let consumer: BaseConsumer = settings()?.create().map_err(words)?;
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(topic, partition, Offset::Beginning)
            .map_err(words)?;
    }
    consumer.assign(&list).map_err(words)?;
    Ok(consumer)
}

fn settings() -> Result<ClientConfig, String> {
    let mut config = topics::config()?;
    config
        .set("group.id", "bench")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("fetch.queue.backoff.ms", "5")
        .set("queued.min.messages", "20000")
        .set("queued.max.messages.kbytes", "65536");
    for (name, value) in properties()? {
        config.set(name, value);
    }
    Ok(config)
}
