//! From the client to the columns nothing is allocated for a message, a run or a fetch.

use std::time::Duration;

use sabot_assemble::{Assembler, AssemblerOptions};
use sabot_decode::{DecoderFactory, SchemaKey, Target};
use sabot_kafka::embedded::EmbeddedBroker;
use sabot_kafka::{End, Message, Producer, Properties, Source, SourceOptions, Subscription};
use sabot_testkit::Schemas;
use sabot_testkit::alloc::{CountingAllocator, count};
use sabot_testkit::toy::ToyFactory;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const PARTITIONS: i32 = 8;
const MESSAGES: usize = 40_000;
const BATCH_ROWS: usize = 10_000;
/// Messages that go to one partition before the next has its turn.
const STRETCH: usize = 20;
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_batch_in_steady_state_allocates_for_growth_alone() {
    let broker = EmbeddedBroker::start(1).unwrap();
    broker.create_topic("t", PARTITIONS).unwrap();
    let producer = Producer::new(broker.brokers(), &Properties::default()).unwrap();
    let value = [&[0, 0, 0, 0, 1][..], &ToyFactory::body(1, "name")].concat();
    for number in 0..MESSAGES {
        let message = Message {
            topic: "t",
            partition: Some((number / STRETCH) as i32 % PARTITIONS),
            key: Some(b"key"),
            value: Some(&value),
            headers: &[("trace", Some(b"1234"))],
            ..Message::default()
        };
        producer.send(&message).unwrap();
    }
    producer.flush(PATIENCE).unwrap();

    let mut options = SourceOptions::new(broker.brokers(), Subscription::topics(["t"]));
    options.startup_timeout = PATIENCE;
    options.end = End::AtStart;
    options.batching.rows = BATCH_ROWS;
    options.batching.linger = Duration::from_secs(3600);
    let decoder = ToyFactory::default().open(&Target::default()).unwrap();
    let assembler = Assembler::new(AssemblerOptions::default(), None, decoder);
    let schemas = Schemas::new([(SchemaKey::Id(1), ToyFactory::writer(0))]);
    let mut source = Source::open(options, assembler, Box::new(schemas)).unwrap();
    let mut batches = Vec::new();
    loop {
        let (batch, counts) = count(|| source.next_batch());
        let Some(batch) = batch else { break };
        batches.push((batch.unwrap().batch.num_rows(), counts.allocations));
    }
    assert_eq!(batches.iter().map(|(rows, _)| rows).sum::<usize>(), MESSAGES);
    // The first batch makes the room that the others use. What is left are the batch itself, the
    // columns of strings that grow, and the reports to the frontiers: one for each window of 128
    // messages would be more than that.
    for (rows, allocations) in &batches[1..] {
        assert!(*allocations < rows / 64, "{batches:?}");
    }
}
