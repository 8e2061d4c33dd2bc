//! Pauses and resumptions that librdkafka drops, as they look from here: a partition is not as it was asked to be. And
//! a member of a group that gets no partition.

use std::collections::BTreeSet;
use std::thread;

use arrow_schema::Schema;
use sabot_assemble::AssemblerOptions;
use sabot_decode::{
    Decoder, FetchError, FieldPathId, MessagePath, Payload, PlanError, RowError, SchemaKey, Slots,
    WriterSchema,
};

use super::*;
use crate::embedded::EmbeddedBroker;
use crate::flow::Flow;
use crate::{End, Message, Producer, Properties, Subscription};

const PATIENCE: Duration = Duration::from_secs(120);

/// Nothing is decoded here.
#[derive(Debug)]
struct Undecoded(SchemaRef);

impl Decoder for Undecoded {
    fn schema(&self) -> Option<&SchemaRef> {
        Some(&self.0)
    }

    fn prepare_message(
        &mut self,
        _: SchemaKey,
        _: MessagePath<'_>,
        _: &WriterSchema,
    ) -> Result<(), PlanError> {
        unreachable!()
    }

    fn decode(&mut self, _: &[Payload<'_>], _: &mut dyn FnMut(RowError)) -> sabot_decode::Progress {
        unreachable!()
    }

    fn slots(&self) -> usize {
        0
    }

    fn buffered_bytes(&self) -> usize {
        0
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        unreachable!()
    }

    fn field_path(&self, _: FieldPathId) -> String {
        String::new()
    }
}

struct NoSchemas;

impl SchemaSource for NoSchemas {
    fn fetch(&mut self, _: SchemaKey) -> Result<WriterSchema, FetchError> {
        unreachable!()
    }
}

/// A broker with a topic of so many partitions, and the options to read it.
fn topic(partitions: i32) -> (EmbeddedBroker, SourceOptions) {
    let broker = EmbeddedBroker::start(1).unwrap();
    broker.create_topic("t", partitions).unwrap();
    let mut options = SourceOptions::new(broker.brokers(), Subscription::topics(["t"]));
    options.startup_timeout = PATIENCE;
    (broker, options)
}

fn open_with(options: SourceOptions) -> Source {
    let decoder = Box::new(Undecoded(Arc::new(Schema::empty())));
    let assembler = Assembler::new(AssemblerOptions::default(), None, decoder);
    Source::open(options, assembler, Box::new(NoSchemas)).unwrap()
}

/// A broker with a topic of two partitions, and a source of it.
fn open() -> (EmbeddedBroker, Source) {
    let (broker, options) = topic(2);
    (broker, open_with(options))
}

fn produce(broker: &EmbeddedBroker, partitions: impl IntoIterator<Item = i32>) {
    let producer = Producer::new(broker.brokers(), &Properties::default()).unwrap();
    for partition in partitions {
        let message = Message {
            topic: "t",
            partition: Some(partition),
            ..Message::default()
        };
        producer.send(&message).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

fn until(source: &mut Source, step: fn(&mut Source), is_done: fn(&Source) -> bool) {
    let begin = Instant::now();
    while !is_done(source) {
        assert!(begin.elapsed() < PATIENCE, "it hangs");
        step(source);
    }
}

fn go_on_and_gather(source: &mut Source) {
    source.go_on();
    source.gather();
}

fn partitions_of(source: &Source) -> BTreeSet<i32> {
    source
        .messages
        .iter()
        .map(|message| message.partition())
        .collect()
}

#[test]
fn a_partition_that_stays_paused_is_resumed_all_the_same() {
    let (broker, mut source) = open();
    produce(&broker, [0, 1]);
    // As it is assigned anew when its resumption got lost.
    source.consumer.pause(&list_of([("t", 0), ("t", 1)])).unwrap();
    until(&mut source, go_on_and_gather, |source| {
        partitions_of(source).len() == 2
    });
}

#[test]
fn a_resumption_that_got_lost_is_made_up_for() {
    let (broker, mut source) = open();
    produce(&broker, [0, 1]);
    until(&mut source, go_on_and_gather, |source| {
        partitions_of(source).len() == 2
    });
    source.hold_back();
    assert!(
        source
            .positions
            .iter()
            .all(|position| position.flow == Flow::Paused)
    );
    source.messages.drop_first(source.messages.len());
    source.go_on();
    source.consumer.pause(&list_of([("t", 1)])).unwrap();
    produce(&broker, [0, 1]);
    until(&mut source, go_on_and_gather, |source| {
        partitions_of(source).len() == 2
    });
}

#[test]
fn a_pause_that_got_lost_is_made_up_for() {
    let (broker, mut source) = open();
    produce(&broker, [0]);
    until(&mut source, go_on_and_gather, |source| {
        !source.messages.is_empty()
    });
    source.hold_back();
    source.consumer.resume(&list_of([("t", 0)])).unwrap();
    produce(&broker, [0; 50]);
    until(&mut source, Source::hold_back, |source| source.messages.len() > 1);
    // The first that came has paused it again.
    for _ in 0..20 {
        source.hold_back();
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(source.messages.len(), 2);
    // And nothing is lost by that.
    until(&mut source, go_on_and_gather, |source| {
        source.messages.len() == 51
    });
    let offsets: Vec<i64> = source.messages.iter().map(|message| message.offset()).collect();
    assert_eq!(offsets, (0..51).collect::<Vec<_>>());
}

#[test]
fn a_partition_that_is_being_started_is_not_paused_until_a_record_comes() {
    let (broker, mut source) = open();
    source.hold_back();
    assert!(
        source
            .positions
            .iter()
            .all(|position| position.flow == Flow::Starting)
    );
    produce(&broker, [0]);
    until(&mut source, Source::hold_back, |source| {
        !source.messages.is_empty()
    });
    let flows: Vec<Flow> = source.positions.iter().map(|position| position.flow).collect();
    assert_eq!(flows, [Flow::Paused, Flow::Starting]);
    assert_eq!(source.messages.len(), 1);
}

/// Takes events and answers a rebalance. True if this source has been told that it gets no partition.
fn is_told_to_wait(source: &mut Source) -> bool {
    source.gather();
    let assigns_nothing = |next: &Rebalance| !next.revoke && next.partitions.is_empty();
    let assigned_nothing = source.rebalances.front().is_some_and(assigns_nothing);
    source.serve_rebalance().unwrap();
    assigned_nothing && source.positions.iter().len() == 0
}

#[test]
fn a_bounded_member_without_a_partition_gets_that_of_one_who_leaves() {
    let (_broker, mut options) = topic(1);
    options.group = Some("g".to_owned());
    options.end = End::AtStart;
    // The embedded broker waits a second less than a session for members to join again.
    options
        .properties
        .set("session.timeout.ms", "4000")
        .set("heartbeat.interval.ms", "100");
    let mut members = vec![open_with(options.clone()), open_with(options)];
    let begin = Instant::now();
    let waiting = loop {
        assert!(begin.elapsed() < PATIENCE, "it hangs");
        if let Some(waiting) = members.iter_mut().position(is_told_to_wait) {
            break waiting;
        }
    };
    let mut waiting = members.swap_remove(waiting);
    let step = |source: &mut Source| {
        is_told_to_wait(source);
    };
    until(&mut members[0], step, Source::is_drained);
    assert!(!waiting.is_drained());
    drop(members);
    until(&mut waiting, step, Source::is_drained);
    assert!(waiting.next_batch().is_none());
}
