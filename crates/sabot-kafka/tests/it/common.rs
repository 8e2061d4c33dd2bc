//! A decoder that is right at sight, a source of schemas with a switch, and messages.
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use sabot_arrow::{Assembler, AssemblerOptions, OnError};
use sabot_decode::{
    Body, Decoder, FetchError, FlushError, NodeId, Payload, PlanError, Progress, RowError, RowErrorKind,
    SchemaKey, SchemaSource, Slots, Stop, WriterSchema,
};
use sabot_kafka::embedded::EmbeddedBroker;
use sabot_kafka::{Batch, Error, Message, Producer, Properties, Source, SourceOptions, Subscription};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// Decodes a decimal number into the column `n`.
#[derive(Debug)]
pub(crate) struct Numbers {
    schema: SchemaRef,
    known: HashSet<SchemaKey>,
    numbers: Vec<Option<i64>>,
    valid: Vec<bool>,
}

impl Numbers {
    pub(crate) fn decoder() -> Box<dyn Decoder> {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        Box::new(Self {
            schema,
            known: HashSet::from([SchemaKey::Absent]),
            numbers: Vec::new(),
            valid: Vec::new(),
        })
    }
}

impl Decoder for Numbers {
    fn schema(&self) -> Option<&SchemaRef> {
        Some(&self.schema)
    }

    fn prepare(&mut self, key: SchemaKey, _: &WriterSchema) -> Result<(), PlanError> {
        self.known.insert(key);
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        for (taken, row) in rows.iter().enumerate() {
            let slot = u32::try_from(self.numbers.len()).unwrap();
            let parsed = match row.body {
                Body::Tombstone => Ok(None),
                Body::Refused(kind) => Err(kind),
                Body::Bytes(_) if !self.known.contains(&row.key) => {
                    return Progress {
                        taken,
                        stop: Stop::NeedsSchema(row.key),
                    };
                }
                Body::Bytes(bytes) => {
                    let number = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
                    number.map(Some).ok_or(RowErrorKind::InvalidText)
                }
            };
            if let Err(kind) = parsed {
                bad(RowError {
                    slot,
                    byte_offset: 0,
                    node: NodeId::ROOT,
                    kind,
                });
            }
            self.valid.push(parsed.is_ok());
            self.numbers.push(parsed.unwrap_or(None));
        }
        Progress {
            taken: rows.len(),
            stop: Stop::Done,
        }
    }

    fn slots(&self) -> usize {
        self.numbers.len()
    }

    fn buffered_bytes(&self) -> usize {
        self.numbers.len() * 16
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        let valid = std::mem::take(&mut self.valid);
        let column = Int64Array::from(std::mem::take(&mut self.numbers));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![Arc::new(column)])?;
        let valid = valid.contains(&false).then(|| BooleanBuffer::from(valid));
        Ok(Slots { batch, valid })
    }

    fn field_path(&self, _: NodeId) -> String {
        String::new()
    }
}

/// Knows every schema but those that are switched off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Registry {
    pub(crate) off: Arc<Mutex<HashSet<SchemaKey>>>,
}

impl SchemaSource for Registry {
    fn fetch(&mut self, key: SchemaKey) -> Result<WriterSchema, FetchError> {
        if self.off.lock().unwrap().contains(&key) {
            return Err(FetchError::Unavailable {
                key,
                cause: Arc::from(Box::from("switched off")),
            });
        }
        Ok(WriterSchema::avro("\"long\""))
    }
}

/// A text in Confluent's wire format.
pub(crate) fn framed(id: u32, text: &str) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], text.as_bytes()].concat()
}

/// A broker with a topic `t`.
pub(crate) fn broker(partitions: i32) -> EmbeddedBroker {
    let broker = EmbeddedBroker::start(1).unwrap();
    broker.create_topic("t", partitions).unwrap();
    broker
}

pub(crate) fn producer(broker: &EmbeddedBroker) -> Producer {
    Producer::new(broker.brokers(), &Properties::default()).unwrap()
}

/// Produces `values` to a partition of topic `t`.
pub(crate) fn produce(broker: &EmbeddedBroker, partition: i32, values: impl IntoIterator<Item = Vec<u8>>) {
    let producer = producer(broker);
    for value in values {
        let (topic, partition) = ("t", Some(partition));
        producer
            .send(&Message {
                topic,
                partition,
                value: Some(&value),
                ..Message::default()
            })
            .unwrap();
    }
    producer.flush(TIMEOUT).unwrap();
}

/// Produces the numbers to a partition of topic `t`, with schema 1.
pub(crate) fn produce_numbers(
    broker: &EmbeddedBroker,
    partition: i32,
    numbers: impl IntoIterator<Item = i64>,
) {
    produce(
        broker,
        partition,
        numbers.into_iter().map(|number| framed(1, &number.to_string())),
    );
}

/// Options that read topic `t`.
pub(crate) fn options(broker: &EmbeddedBroker) -> SourceOptions {
    let mut options = SourceOptions::new(broker.brokers(), Subscription::topics(["t"]));
    options.startup_timeout = TIMEOUT;
    options
}

pub(crate) fn assembler(on_error: OnError) -> Assembler {
    let mut options = AssemblerOptions::default();
    options.on_error = on_error;
    Assembler::new(options, None, Numbers::decoder())
}

pub(crate) fn open(options: SourceOptions, on_error: OnError) -> Source {
    Source::open(options, assembler(on_error), Box::new(Registry::default())).unwrap()
}

/// The column `n`.
pub(crate) fn numbers(batch: &Batch) -> Vec<i64> {
    let column = batch
        .batch
        .column_by_name("n")
        .unwrap()
        .as_primitive::<Int64Type>();
    column.iter().flatten().collect()
}

/// All numbers up to the end, every batch acknowledged.
pub(crate) fn drain(source: &mut Source) -> Result<Vec<i64>, Error> {
    let mut all = Vec::new();
    for batch in source {
        let batch = batch?;
        all.extend(numbers(&batch));
        batch.ack();
    }
    Ok(all)
}
