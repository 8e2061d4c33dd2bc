//! Confluent's client in Rust, without librdkafka, and no decoding.

use std::collections::HashMap;

use bytes::Bytes;
use confluent_kafka::common::TopicPartition;
use confluent_kafka::common::serialization::BytesDeserializer;
use confluent_kafka::consumer::{Consumer as _, ConsumerConfig, KafkaConsumer};

use super::{PATIENCE, Read};
use crate::topics::PARTITIONS;
use crate::{variable, words};

pub fn read(topic: &str, messages: usize) -> Result<Read, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(words)?;
    runtime.block_on(drain(topic, messages))
}

async fn drain(topic: &str, messages: usize) -> Result<Read, String> {
    let settings = HashMap::from([
        ("bootstrap.servers".to_owned(), variable("SABOT_KAFKA")?),
        ("group.protocol".to_owned(), "consumer".to_owned()),
        ("auto.offset.reset".to_owned(), "earliest".to_owned()),
        ("enable.auto.commit".to_owned(), "false".to_owned()),
        // The default of 500 is for slow applications.
        ("max.poll.records".to_owned(), "10000".to_owned()),
    ]);
    let config = ConsumerConfig::new(&settings).map_err(|error| error.to_string())?;
    let mut consumer: KafkaConsumer<Bytes, Bytes> =
        KafkaConsumer::new(config, BytesDeserializer::new(), BytesDeserializer::new())
            .map_err(|error| error.to_string())?;
    let partitions: Vec<TopicPartition> = (0..PARTITIONS)
        .map(|partition| TopicPartition::new(topic, partition))
        .collect();
    consumer
        .assign(partitions.clone())
        .await
        .map_err(|error| error.to_string())?;
    let mut read = Read::default();
    while read.messages < messages {
        let records = consumer.poll(PATIENCE).await.map_err(|error| error.to_string())?;
        if records.is_empty() {
            return Err("no message comes".into());
        }
        for record in &records {
            read.touch(record.value().map_or(&[][..], |value| value));
        }
    }
    Ok(read)
}
