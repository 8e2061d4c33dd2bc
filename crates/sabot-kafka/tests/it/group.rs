//! Acknowledging, committing, resuming and sharing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::common::*;
use sabot_assemble::OnError;
use sabot_decode::{FetchError, SchemaKey, SchemaSource, WriterSchema};
use sabot_kafka::embedded::EmbeddedBroker;
use sabot_kafka::{End, Fallback, PartitionStart, Source, SourceOptions, Start, Subscription};

fn grouped(broker: &EmbeddedBroker, end: End) -> SourceOptions {
    let mut options = options(broker);
    options.group = Some("g".to_owned());
    options.end = end;
    options.batching.rows = 10;
    options.revoke_timeout = PATIENCE;
    options.properties.set("heartbeat.interval.ms", "100");
    options
}

/// A source of a group that does not join it: it need not wait until the embedded broker is done
/// with a member that has left.
fn apart(broker: &EmbeddedBroker, partitions: i32, end: End) -> SourceOptions {
    let mut options = grouped(broker, end);
    options.subscription =
        Subscription::partitions((0..partitions).map(|n| PartitionStart::new("t", n, None)));
    options.start = Start::Committed(Fallback::Earliest);
    options
}

/// What a new member of the group would read, without acknowledging any of it.
fn rest(broker: &EmbeddedBroker, partitions: i32) -> Vec<i64> {
    let source = open(apart(broker, partitions, End::AtStart), OnError::Fail);
    source.flat_map(|batch| numbers(&batch.unwrap())).collect()
}

#[test]
fn only_what_is_acknowledged_without_gaps_is_committed() {
    let broker = broker(1);
    produce_numbers(&broker, 0, 0..100);
    // Exactly 37 messages, in batches of 10, 10, 10 and 7.
    let mut source = open(apart(&broker, 1, End::Messages(37)), OnError::Fail);
    let batches: Vec<_> = source.by_ref().map(Result::unwrap).collect();
    assert_eq!(
        batches.iter().map(|batch| batch.records).collect::<Vec<_>>(),
        [10, 10, 10, 7]
    );
    // Polled, and not acknowledged.
    source.commit().unwrap();
    batches[1].ack();
    source.commit().unwrap();
    drop(source);
    assert_eq!(rest(&broker, 1), (0..100).collect::<Vec<_>>());

    let mut source = open(apart(&broker, 1, End::Messages(37)), OnError::Fail);
    let batches: Vec<_> = source.by_ref().map(Result::unwrap).collect();
    let acker = batches[0].acker();
    batches[3].ack();
    batches[1].ack();
    thread::spawn(move || acker.ack()).join().unwrap();
    source.close().unwrap();
    assert_eq!(rest(&broker, 1), (20..100).collect::<Vec<_>>());

    // A late acknowledgement, of a source that is gone, changes nothing.
    batches[2].ack();
    let mut source = open(grouped(&broker, End::Messages(37)), OnError::Fail);
    assert_eq!(drain(&mut source).unwrap(), (20..57).collect::<Vec<_>>());
    drop(source);
    assert_eq!(rest(&broker, 1), (57..100).collect::<Vec<_>>());
}

#[test]
fn a_start_is_for_partitions_without_a_committed_offset() {
    let broker = broker(2);
    produce_numbers(&broker, 0, 0..10);
    produce_numbers(&broker, 1, 10..20);
    // Each group is joined once.
    let read = |group: &str, start: Start| {
        let mut options = grouped(&broker, End::AtStart);
        (options.group, options.start) = (Some(group.to_owned()), start);
        let mut all = drain(&mut open(options, OnError::Fail)).unwrap();
        all.sort_unstable();
        all
    };
    assert_eq!(read("new", Start::Last(2)), [8, 9, 18, 19]);
    for (group, start, number) in [("a", Start::Earliest, 20), ("b", Start::Offset(0), 21)] {
        let mut options = apart(&broker, 2, End::AtStart);
        options.group = Some(group.to_owned());
        let mut source = open(options, OnError::Fail);
        drain(&mut source).unwrap();
        source.close().unwrap();
        produce_numbers(&broker, 0, [number]);
        assert_eq!(read(group, start), [number], "{group}");
    }
}

#[test]
fn an_eager_rebalance_loses_nothing() {
    a_rebalance_loses_nothing("range");
}

#[test]
fn a_cooperative_rebalance_loses_nothing() {
    a_rebalance_loses_nothing("cooperative-sticky");
}

fn a_rebalance_loses_nothing(strategy: &str) {
    let broker = broker(4);
    let next = AtomicI64::new(0);
    let produce_more = |count: i64| {
        let first = next.fetch_add(count * 4, Ordering::Relaxed);
        let numbers = first..first + count * 4;
        produce_all(
            &broker,
            numbers.map(|n| (i32::try_from(n % 4).unwrap(), framed(1, &n.to_string()))),
        );
        next.load(Ordering::Relaxed)
    };
    produce_more(250);
    let open_one = || {
        let mut options = grouped(&broker, End::Never);
        options.batching.linger = Duration::from_millis(20);
        options
            .properties
            .set("session.timeout.ms", SHARING_SESSION_MS)
            .set("auto.commit.interval.ms", "100")
            .set("partition.assignment.strategy", strategy);
        open(options, OnError::Fail)
    };
    let seen = Mutex::new(BTreeSet::new());
    let read = |mut source: Source, batches: &AtomicUsize| {
        while let Some(batch) = source.next_batch() {
            let batch = batch.unwrap();
            seen.lock().unwrap().extend(numbers(&batch));
            batch.ack();
            batches.fetch_add(1, Ordering::Relaxed);
        }
        source.close().unwrap();
    };
    let (batches, others) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let first = open_one();
        let one = StopOnDrop(first.stopper());
        let reader = scope.spawn(|| read(first, &batches));
        let wait_for = |step: &str, is_so: &dyn Fn() -> bool| {
            broker.guard.wait_for(step, || reader.is_finished() || is_so());
        };
        wait_for("the first member has everything", &|| {
            batches.load(Ordering::Relaxed) > 5
        });
        let second = open_one();
        let two = StopOnDrop(second.stopper());
        let other = scope.spawn(|| read(second, &others));
        wait_for("the second member comes", &|| {
            produce_more(1);
            other.is_finished() || others.load(Ordering::Relaxed) > 0
        });
        let all = usize::try_from(produce_more(10)).unwrap();
        wait_for("everything is read", &|| {
            other.is_finished() || seen.lock().unwrap().len() == all
        });
        // All is acknowledged, so all is committed before long.
        wait_for("everything is committed", &|| {
            other.is_finished() || rest(&broker, 4).is_empty()
        });
        assert!(!reader.is_finished() && !other.is_finished());
        broker.guard.step("both members leave");
        drop((one, two));
    });
}

#[test]
fn a_revocation_ends_the_batch_in_hand() {
    let broker = broker(2);
    produce_numbers(&broker, 0, 0..100);
    let (decoding, decodes) = mpsc::channel();
    let open_one = || {
        let mut options = grouped(&broker, End::Never);
        // Nothing else would end it.
        options.batching.rows = 1000;
        options
            .properties
            .set("session.timeout.ms", SHARING_SESSION_MS)
            .set("partition.assignment.strategy", "range");
        Source::open(
            options,
            assembler(OnError::Fail),
            Box::new(Noted(decoding.clone())),
        )
        .unwrap()
    };
    let mut first = open_one();
    let stop = StopOnDrop(first.stopper());
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let batch = first.next_batch().unwrap().unwrap();
            batch.ack();
            (batch, first)
        });
        // From now on there is something in hand. Without the first's answer, the second gets
        // nothing.
        decodes.recv().unwrap();
        broker.guard.step("the second member comes");
        let mut second = open_one();
        let two = StopOnDrop(second.stopper());
        let other = scope.spawn(move || second.next_batch().map(Result::unwrap));
        let (batch, first) = reader.join().unwrap();
        let records = i64::try_from(batch.records).unwrap();
        assert_eq!(numbers(&batch), (0..records).collect::<Vec<_>>());
        assert!(records > 0 && !first.stopper().is_stopped());
        drop((stop, two));
        first.close().unwrap();
        other.join().unwrap();
    });
}

/// Tells when a schema is asked for: at the first record.
struct Noted(mpsc::Sender<SchemaKey>);

impl SchemaSource for Noted {
    fn fetch(&mut self, key: SchemaKey) -> Result<WriterSchema, FetchError> {
        self.0.send(key).unwrap();
        Registry::default().fetch(key)
    }
}
