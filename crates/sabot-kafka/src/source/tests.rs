//! A member of a group that gets no partition.

use arrow_schema::Schema;
use sabot_assemble::AssemblerOptions;
use sabot_decode::{
    Decoder, FetchError, FieldPathId, MessagePath, Payload, PlanError, RowError, SchemaKey, Slots,
    WriterSchema,
};

use super::*;
use crate::embedded::EmbeddedBroker;
use crate::{End, Subscription};

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

fn until(source: &mut Source, step: fn(&mut Source), is_done: fn(&Source) -> bool) {
    let begin = Instant::now();
    while !is_done(source) {
        assert!(begin.elapsed() < PATIENCE, "it hangs");
        step(source);
    }
}

/// Takes events and answers a rebalance. True if this source has been told that it gets no
/// partition.
fn is_told_to_wait(source: &mut Source) -> bool {
    source.gather();
    let assigned_nothing = source.assignment.is_assigned_nothing();
    source.answer_rebalance().unwrap();
    assigned_nothing && source.assignment.positions.is_empty()
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
