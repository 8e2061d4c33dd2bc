//! Topics with messages in them.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use sabot::registry::Client;
use sabot::schema::{Schema, SchemaKind, Subject};

use crate::messages::Workload;
use crate::{variable, words};

pub const PARTITIONS: i32 = 4;
/// Messages that go to one partition before the next has its turn, as from a producer that fills
/// its batches.
const STRETCH: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Registers the workload's schema, makes its topic and produces so many messages. Gives their mean
/// size.
pub fn fill(workload: &Workload, count: usize) -> Result<usize, String> {
    let topic = workload.topic();
    let id = register(&topic, workload.schema())?;
    create(&topic)?;
    let producer: BaseProducer = config()?
        .set("compression.type", workload.compression)
        .set("linger.ms", "20")
        .set("batch.size", "262144")
        .set("queue.buffering.max.messages", "1000000")
        .create()
        .map_err(words)?;
    let (mut sent, mut bytes) = (0_usize, 0);
    workload.each(id, count, |message| {
        let partition = (sent / STRETCH) as i32 % PARTITIONS;
        let mut record = BaseRecord::<(), [u8]>::to(&topic)
            .partition(partition)
            .payload(message);
        while let Err((cause, refused)) = producer.send(record) {
            if cause.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(words(cause));
            }
            producer.poll(Duration::from_millis(10));
            record = refused;
        }
        sent += 1;
        bytes += message.len();
        if sent.is_multiple_of(STRETCH) {
            producer.poll(Duration::ZERO);
        }
        Ok(())
    })?;
    producer.flush(PATIENCE).map_err(words)?;
    Ok(bytes / count.max(1))
}

/// What every client of librdkafka starts with.
pub fn config() -> Result<ClientConfig, String> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", variable("SABOT_KAFKA")?);
    Ok(config)
}

fn register(topic: &str, schema: String) -> Result<u32, String> {
    let registry = Client::new(&variable("SABOT_REGISTRY")?).map_err(words)?;
    let subject = Subject::from(format!("{topic}-value").as_str());
    let schema = Schema::new(SchemaKind::Avro, schema);
    let registered = registry.register(&subject, &schema, false).map_err(words)?;
    Ok(registered.id.0)
}

fn create(topic: &str) -> Result<(), String> {
    let admin: AdminClient<DefaultClientContext> = AdminClient::from_config(&config()?).map_err(words)?;
    let topics = [NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1))];
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .map_err(words)?;
    let made = runtime.block_on(admin.create_topics(&topics, &AdminOptions::new()));
    for made in made.map_err(words)? {
        made.map_err(|(topic, code)| format!("{topic}: {}", KafkaError::AdminOp(code)))?;
    }
    Ok(())
}
