//! What the demonstration writes, and what it remembers of it.

use std::collections::HashMap;
use std::time::Duration;

use sabot::kafka::embedded::EmbeddedBroker;
use sabot::kafka::{Admin, Message, Producer, Properties};

use super::orders::{self, Defect};
use crate::failure::Failure;

pub(super) const ORDERS: &str = "demo.orders";
pub(super) const CLICKS: &str = "demo.clicks";
pub(super) const NOTES: &str = "demo.notes";

/// One Avro message in so many is broken.
const BROKEN_IN: u64 = 100;
/// The embedded broker keeps 5 MiB a partition. With so many messages, of at most 130 bytes, none
/// is dropped.
const MESSAGES_A_PARTITION: u64 = 25_000;
const TIMEOUT: Duration = Duration::from_secs(60);

/// What was produced, to be compared with what is read.
#[derive(Debug, Default)]
pub(super) struct Produced {
    pub(super) by_version: [u64; 2],
    /// Which messages are broken, by partition and offset.
    pub(super) broken: HashMap<(i32, i64), Defect>,
    /// The sums of the good messages' ids and amounts.
    pub(super) id_sum: i64,
    pub(super) amount_cents_sum: i64,
    pub(super) clicks: u64,
    pub(super) notes: u64,
    pub(super) partitions: i32,
}

impl Produced {
    pub(super) fn orders(&self) -> u64 {
        self.by_version[0] + self.by_version[1]
    }
}

/// Creates the topics and fills them.
pub(super) fn run(broker: &EmbeddedBroker, schema_ids: [u32; 2], messages: u64) -> Result<Produced, Failure> {
    let mut produced = Produced {
        partitions: i32::try_from(messages.div_ceil(MESSAGES_A_PARTITION).max(4)).unwrap_or(i32::MAX),
        clicks: messages / 10,
        notes: messages / 10,
        ..Produced::default()
    };
    for topic in [ORDERS, CLICKS, NOTES] {
        broker.create_topic(topic, produced.partitions).map_err(failed)?;
    }
    let mut properties = Properties::default();
    properties
        .set("linger.ms", "20")
        .set("queue.buffering.max.messages", "200000");
    let producer = Producer::new(broker.brokers(), &properties).map_err(failed)?;
    orders(&producer, schema_ids, messages, &mut produced)?;
    let (mut key, mut value) = (String::new(), String::new());
    for at in 0..produced.clicks {
        set(&mut key, format_args!("user-{}", at % 50));
        let ms = at % 400 * 7;
        set(
            &mut value,
            format_args!(
                r#"{{"user": "user-{}", "page": "/orders/{at}", "ms": {ms}.5, "bot": {}}}"#,
                at % 50,
                at % 9 == 0
            ),
        );
        send(
            &producer,
            CLICKS,
            at,
            produced.partitions,
            key.as_bytes(),
            value.as_bytes(),
        )?;
    }
    for at in 0..produced.notes {
        set(&mut value, format_args!("note {at}: all is well"));
        send(
            &producer,
            NOTES,
            at,
            produced.partitions,
            b"note",
            value.as_bytes(),
        )?;
    }
    producer.flush(TIMEOUT).map_err(failed)?;
    check_kept(broker, &produced)?;
    Ok(produced)
}

fn orders(
    producer: &Producer,
    schema_ids: [u32; 2],
    messages: u64,
    produced: &mut Produced,
) -> Result<(), Failure> {
    let mut offsets = vec![0_i64; produced.partitions as usize];
    let (mut key, mut value) = (String::new(), Vec::new());
    for at in 0..messages {
        let id = at as i64;
        let partition = (at % produced.partitions as u64) as usize;
        // The versions alternate within each partition, and so within each batch.
        let version = (offsets[partition] % 2) as usize;
        // One in each hundred, each time at another place.
        let hundred = at / BROKEN_IN;
        let defect = (at % BROKEN_IN == hundred * 37 % BROKEN_IN)
            .then(|| Defect::ALL[hundred as usize % Defect::ALL.len()]);
        orders::write(id, schema_ids[version], version == 1, defect, &mut value);
        match defect {
            Some(defect) => drop(
                produced
                    .broken
                    .insert((partition as i32, offsets[partition]), defect),
            ),
            None => {
                produced.id_sum += id;
                produced.amount_cents_sum += orders::amount_cents(id);
            }
        }
        offsets[partition] += 1;
        produced.by_version[version] += 1;
        set(&mut key, format_args!("order-{id}"));
        send(producer, ORDERS, at, produced.partitions, key.as_bytes(), &value)?;
    }
    Ok(())
}

/// The broker must have kept every message, or the counts that follow would prove nothing.
fn check_kept(broker: &EmbeddedBroker, produced: &Produced) -> Result<(), Failure> {
    let admin = Admin::connect(broker.brokers(), &Properties::default(), TIMEOUT).map_err(failed)?;
    for (topic, messages) in [
        (ORDERS, produced.orders()),
        (CLICKS, produced.clicks),
        (NOTES, produced.notes),
    ] {
        let partitions = admin.topic(topic).map_err(failed)?.partitions;
        let lowest = partitions.iter().filter_map(|partition| partition.low).max();
        let kept: i64 = partitions.iter().filter_map(|partition| partition.high).sum();
        if lowest != Some(0) || u64::try_from(kept) != Ok(messages) {
            return Err(Failure::failed(format!(
                "the embedded broker holds {kept} of {messages} messages of {topic}, beginning at offset {lowest:?}"
            )));
        }
    }
    Ok(())
}

fn send(
    producer: &Producer,
    topic: &str,
    at: u64,
    partitions: i32,
    key: &[u8],
    value: &[u8],
) -> Result<(), Failure> {
    let partition = (at % partitions as u64) as i32;
    let message = Message {
        topic,
        partition: Some(partition),
        key: Some(key),
        value: Some(value),
        ..Message::default()
    };
    producer.send(&message).map_err(failed)
}

fn set(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    use std::fmt::Write;
    text.clear();
    text.write_fmt(arguments)
        .expect("because a string takes all that is written to it");
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
fn failed(error: sabot::kafka::Error) -> Failure {
    Failure::failed(sabot::with_causes(&error))
}
