//! A decoder that is right at sight, a source of schemas with a switch, messages, and a guard
//! against hanging.
use std::collections::HashSet;
use std::io::Write;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use sabot_assemble::{Assembler, AssemblerOptions, OnError};
use sabot_decode::{
    Body, Decoder, FetchError, FieldPathId, FlushError, MessagePath, Payload, PlanError, Progress, RowError,
    RowErrorKind, SchemaKey, SchemaSource, Slots, Stop, WriterSchema,
};
use sabot_kafka::embedded::EmbeddedBroker;
use sabot_kafka::{
    Batch, Error, Message, Producer, Properties, Source, SourceOptions, Stopper, Subscription,
};

/// More than anything takes on a machine that is busy with something else. No test waits so long
/// for something that is not to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Ends the run, with a word about where, if a test stays at one step for longer than [`PATIENCE`].
/// What hangs may be anything, the closing of a client as well, and a test that waits for it can
/// say nothing any more.
pub(crate) struct Guard(Arc<Mutex<(Instant, String)>>);

impl Guard {
    pub(crate) fn new() -> Self {
        let place = Arc::new(Mutex::new((Instant::now(), "the beginning".to_owned())));
        let (test, watched) = (thread::current(), Arc::downgrade(&place));
        thread::spawn(move || {
            while let Some(place) = watched.upgrade() {
                let (since, step) = place.lock().unwrap().clone();
                if since.elapsed() > PATIENCE {
                    let name = test.name().unwrap_or_default();
                    // The test harness keeps for itself what is printed in any other way.
                    let _ = writeln!(std::io::stderr(), "{name} hangs at this step: {step}");
                    std::process::abort();
                }
                drop(place);
                thread::sleep(Duration::from_millis(200));
            }
        });
        Self(place)
    }

    /// Begins a step.
    pub(crate) fn step(&self, step: impl Into<String>) {
        *self.0.lock().unwrap() = (Instant::now(), step.into());
    }

    /// Waits for something, as a step.
    pub(crate) fn wait_for(&self, step: &str, mut is_so: impl FnMut() -> bool) {
        self.step(step);
        while !is_so() {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A session's timeout for groups of several members. The embedded broker waits a second less than
/// this for the members that it knows to join again, and throws the others out: they have to hear
/// of it in time.
pub(crate) const SHARING_SESSION_MS: &str = "4000";

/// Stops a source even if the test fails, for its thread is waited for.
pub(crate) struct StopOnDrop(pub(crate) Stopper);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A broker for a test, which must not hang.
pub(crate) struct Broker {
    broker: EmbeddedBroker,
    pub(crate) guard: Guard,
}

impl Deref for Broker {
    type Target = EmbeddedBroker;

    fn deref(&self) -> &EmbeddedBroker {
        &self.broker
    }
}

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

    fn prepare_message(
        &mut self,
        key: SchemaKey,
        _: MessagePath<'_>,
        _: &WriterSchema,
    ) -> Result<(), PlanError> {
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
                    path: FieldPathId::ROOT,
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

    fn field_path(&self, _: FieldPathId) -> String {
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
pub(crate) fn broker(partitions: i32) -> Broker {
    let guard = Guard::new();
    let broker = EmbeddedBroker::start(1).unwrap();
    broker.create_topic("t", partitions).unwrap();
    Broker { broker, guard }
}

pub(crate) fn producer(broker: &EmbeddedBroker) -> Producer {
    Producer::new(broker.brokers(), &Properties::default()).unwrap()
}

/// Produces `values` to a partition of topic `t`.
pub(crate) fn produce(broker: &EmbeddedBroker, partition: i32, values: impl IntoIterator<Item = Vec<u8>>) {
    produce_all(broker, values.into_iter().map(|value| (partition, value)));
}

/// Produces values to partitions of topic `t`. A producer of its own for each would take half a
/// second each.
pub(crate) fn produce_all(broker: &EmbeddedBroker, values: impl IntoIterator<Item = (i32, Vec<u8>)>) {
    let producer = producer(broker);
    for (partition, value) in values {
        producer
            .send(&Message {
                topic: "t",
                partition: Some(partition),
                value: Some(&value),
                ..Message::default()
            })
            .unwrap();
    }
    producer.flush(PATIENCE).unwrap();
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

/// Options that read topic `t`, in batches that time does not end.
pub(crate) fn options(broker: &EmbeddedBroker) -> SourceOptions {
    let mut options = SourceOptions::new(broker.brokers(), Subscription::topics(["t"]));
    options.startup_timeout = PATIENCE;
    options.batching.linger = Duration::from_secs(3600);
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
