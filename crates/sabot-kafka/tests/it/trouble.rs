//! What must not lose, repeat or hang: partitions that go and come while a record is stuck,
//! rebalances that cannot be answered, brokers that are gone at the end, groups that refuse, and
//! batches that nobody can read.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::common::*;
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use sabot_assemble::OnError;
use sabot_decode::SchemaKey;
use sabot_kafka::embedded::EmbeddedBroker;
use sabot_kafka::{
    DeadLetterOptions, End, ErrorKind, Message, PartitionStart, Producer, Properties, Source, SourceOptions,
    Subscription,
};
use sabot_wire::Framing;

fn grouped(broker: &EmbeddedBroker, strategy: &str) -> SourceOptions {
    let mut options = options(broker);
    options.group = Some("g".to_owned());
    options.batching.rows = 10;
    options.batching.linger = Duration::from_millis(20);
    options
        .properties
        .set("heartbeat.interval.ms", "100")
        .set("partition.assignment.strategy", strategy);
    options
}

#[test]
fn an_assignment_that_could_not_be_answered_does_not_hang_the_close() {
    let guard = Guard::new();
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    // The ends are asked for when partitions are assigned.
    cluster.request_errors(
        RDKafkaApiKey::ListOffsets,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT; 1000],
    );
    let mut options = SourceOptions::new(cluster.bootstrap_servers(), Subscription::topics(["t"]));
    options.group = Some("g".to_owned());
    options.end = End::AtStart;
    options.startup_timeout = Duration::from_secs(5);
    options.revoke_timeout = Duration::from_millis(200);
    let mut source = open(options, OnError::Fail);
    guard.step("the assignment comes");
    let error = source.next_batch().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    cluster.broker_down(1).unwrap();
    guard.step("the source is dropped");
    drop(source);
}

#[test]
fn a_stuck_eager_member_gets_its_partitions_back() {
    a_stuck_member_goes_on_after_a_rebalance("range");
}

#[test]
fn a_stuck_cooperative_member_gets_its_partitions_back() {
    a_stuck_member_goes_on_after_a_rebalance("cooperative-sticky");
}

/// A member whose record is stuck fetches nothing. It must go on with all partitions that a
/// rebalance leaves or gives it.
///
/// There are many of them, because what goes wrong while librdkafka starts a partition goes wrong
/// for a few of them only.
fn a_stuck_member_goes_on_after_a_rebalance(strategy: &str) {
    const PARTITIONS: i32 = 40;
    let broker = broker(PARTITIONS);
    let produce_round = |round: i32| {
        let numbers = (0..PARTITIONS).map(|partition| (partition, round * PARTITIONS + partition));
        produce_all(
            &broker,
            numbers.map(|(partition, n)| (partition, framed(2, &n.to_string()))),
        );
    };
    produce_round(0);
    let registry = Registry::default();
    registry.off.lock().unwrap().insert(SchemaKey::Id(2));
    let open_one = |registry: &Registry| {
        let mut options = grouped(&broker, strategy);
        options.properties.set("session.timeout.ms", SHARING_SESSION_MS);
        options.revoke_timeout = PATIENCE;
        Source::open(options, assembler(OnError::Skip), Box::new(registry.clone())).unwrap()
    };
    let seen = Mutex::new(BTreeSet::new());
    let (mine, others) = (Reading::default(), Reading::default());
    thread::scope(|scope| {
        let first = open_one(&registry);
        let one = StopOnDrop(first.stopper());
        let reader = scope.spawn(|| mine.read(first, &seen));
        let wait_for = |step: &str, is_so: &dyn Fn() -> bool| {
            broker.guard.wait_for(step, || reader.is_finished() || is_so());
        };
        wait_for("the first member is stuck", &|| mine.stuck.get() > 1);
        let second = open_one(&Registry::default());
        let two = StopOnDrop(second.stopper());
        let other = scope.spawn(|| others.read(second, &seen));
        wait_for("the second member reads", &|| {
            other.is_finished() || others.batches.get() > 0
        });
        drop(two);
        broker.guard.step("the second member leaves");
        other.join().unwrap();
        // Whatever is read already, the first member is stuck with these.
        produce_round(1);
        wait_for("the first member has all partitions", &|| {
            mine.assigned.get() == PARTITIONS.unsigned_abs() as usize
        });
        registry.off.lock().unwrap().clear();
        let all = PARTITIONS.unsigned_abs() as usize * 2;
        wait_for("the first member reads the rest", &|| {
            seen.lock().unwrap().len() == all
        });
        assert!(!reader.is_finished());
        broker.guard.step("the first member leaves");
        drop(one);
    });
}

/// How far a member is that reads on a thread.
#[derive(Default)]
struct Reading {
    batches: Count,
    stuck: Count,
    assigned: Count,
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Reading {
    fn read(&self, mut source: Source, seen: &Mutex<BTreeSet<i64>>) {
        while let Some(batch) = source.next_batch() {
            let assigned = source.progress().partitions.len();
            self.assigned.0.store(assigned, Ordering::Relaxed);
            match batch {
                Ok(batch) => {
                    seen.lock().unwrap().extend(numbers(&batch));
                    batch.ack();
                    self.batches.add_one();
                }
                Err(error) => {
                    assert!(error.is_retryable(), "{error}");
                    self.stuck.add_one();
                    thread::sleep(Duration::from_millis(20));
                }
            }
        }
        source.close().unwrap();
    }
}

#[test]
fn a_stuck_record_holds_other_partitions_back_without_loss() {
    let broker = broker(4);
    for partition in 0..4 {
        let first = i64::from(partition) * 1000;
        // Each partition gets stuck somewhere else.
        let id = |n: i64| if n % 300 == 100 + first / 100 { 2 } else { 1 };
        produce(
            &broker,
            partition,
            (0..1000).map(|n| framed(id(n), &(first + n).to_string())),
        );
    }
    let registry = Registry::default();
    let mut options = options(&broker);
    options.end = End::AtStart;
    options.batching.rows = 70;
    let mut source = Source::open(options, assembler(OnError::Skip), Box::new(registry.clone())).unwrap();
    let mut all = Vec::new();
    let mut errors = 0;
    registry.off.lock().unwrap().insert(SchemaKey::Id(2));
    while let Some(batch) = source.next_batch() {
        match batch {
            Ok(batch) => all.extend(numbers(&batch)),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::SchemaUnavailable, "{error}");
                errors += 1;
                if errors % 3 == 0 {
                    registry.off.lock().unwrap().clear();
                }
            }
        }
    }
    all.sort_unstable();
    assert_eq!(all, (0..4000).collect::<Vec<_>>());
    assert!(errors > 0);
}

/// A record batch in a compression that cannot be undone, as the log keeps it.
fn unreadable_batch() -> Vec<u8> {
    let mut rest = Vec::new();
    rest.extend(0_i32.to_be_bytes()); // leader epoch
    rest.push(2); // magic
    rest.extend(0_u32.to_be_bytes()); // CRC, which is not checked
    rest.extend(4_i16.to_be_bytes()); // zstd
    rest.extend(0_i32.to_be_bytes()); // last offset delta
    rest.extend([0; 16]); // timestamps
    rest.extend([0xff; 14]); // no producer, no sequence
    rest.extend(1_i32.to_be_bytes()); // records
    rest.extend(b"not zstd");
    let mut batch = 0_i64.to_be_bytes().to_vec();
    batch.extend(i32::try_from(rest.len()).unwrap().to_be_bytes());
    batch.extend(rest);
    batch
}

/// Appends a batch to partition 0 of topic `t` that no client would make.
fn append(broker: &EmbeddedBroker, batch: &[u8]) {
    let mut body = Vec::new();
    let text = |body: &mut Vec<u8>, text: &str| {
        body.extend(i16::try_from(text.len()).unwrap().to_be_bytes());
        body.extend(text.as_bytes());
    };
    body.extend(0_i16.to_be_bytes()); // Produce
    body.extend(3_i16.to_be_bytes()); // its version
    body.extend(1_i32.to_be_bytes()); // correlation
    text(&mut body, "test");
    body.extend((-1_i16).to_be_bytes()); // no transaction
    body.extend(1_i16.to_be_bytes()); // acks
    body.extend(1000_i32.to_be_bytes()); // timeout
    body.extend(1_i32.to_be_bytes()); // topics
    text(&mut body, "t");
    body.extend(1_i32.to_be_bytes()); // partitions
    body.extend(0_i32.to_be_bytes()); // partition
    body.extend(i32::try_from(batch.len()).unwrap().to_be_bytes());
    body.extend(batch);
    let mut stream = TcpStream::connect(broker.brokers()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(&i32::try_from(body.len()).unwrap().to_be_bytes())
        .unwrap();
    stream.write_all(&body).unwrap();
    let mut size = [0; 4];
    stream.read_exact(&mut size).unwrap();
    let mut answer = vec![0; usize::try_from(i32::from_be_bytes(size)).unwrap()];
    stream.read_exact(&mut answer).unwrap();
    // Correlation, one topic of one letter, one partition: then its number and the error.
    assert_eq!(answer[4 + 4 + 3 + 4 + 4..][..2], [0, 0], "{answer:?}");
}

#[test]
fn a_batch_that_cannot_be_read_ends_the_source_before_it() {
    let broker = broker(1);
    produce_numbers(&broker, 0, 0..5);
    append(&broker, &unreadable_batch());
    produce_numbers(&broker, 0, 6..10);
    let mut options = options(&broker);
    options.end = End::AtStart;
    let mut source = open(options, OnError::Skip);
    let batch = source.next_batch().unwrap().unwrap();
    assert_eq!(numbers(&batch), (0..5).collect::<Vec<_>>());
    let error = source.next_batch().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fatal, "{error}");
    assert_eq!((error.topic(), error.partition()), (Some("t"), Some(0)));
    assert!(source.next_batch().is_none());
}

#[test]
fn a_dead_letter_that_is_refused_repeats_no_other() {
    let broker = broker(1);
    broker.create_topic("dead", 1).unwrap();
    let values = ["a", &"x".repeat(5000), "b"].map(|value| framed(1, value));
    produce(&broker, 0, values);
    let mut options = options(&broker);
    options.end = End::AtStart;
    let mut letters = DeadLetterOptions::new("dead");
    letters.timeout = PATIENCE;
    letters.properties.set("message.max.bytes", "1000");
    options.dead_letters = Some(letters);
    let mut source = open(options.clone(), OnError::DeadLetter);
    for _ in 0..4 {
        let error = source.next_batch().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadLetter, "{error}");
    }
    options.subscription = Subscription::topics(["dead"]);
    options.value_framing = Framing::Unframed;
    options.dead_letters = None;
    let records: usize = open(options, OnError::Skip)
        .map(|batch| batch.unwrap().records)
        .sum();
    // The one before it, once.
    assert_eq!(records, 1);
}

#[test]
fn a_member_whose_dead_letters_are_refused_keeps_no_partition_from_others() {
    let broker = broker(4);
    broker.create_topic("dead", 1).unwrap();
    let value = framed(1, &"x".repeat(5000));
    produce_all(&broker, (0..4).map(|partition| (partition, value.clone())));
    let open_one = |on_error: OnError| {
        let mut options = grouped(&broker, "range");
        options.properties.set("session.timeout.ms", SHARING_SESSION_MS);
        options.revoke_timeout = Duration::from_millis(100);
        let mut letters = DeadLetterOptions::new("dead");
        letters.properties.set("message.max.bytes", "1000");
        options.dead_letters = Some(letters);
        open(options, on_error)
    };
    let seen = Mutex::default();
    let (mine, others) = (Reading::default(), Reading::default());
    thread::scope(|scope| {
        let first = open_one(OnError::DeadLetter);
        let one = StopOnDrop(first.stopper());
        let reader = scope.spawn(|| mine.read(first, &seen));
        broker.guard.wait_for("the first member is stuck", || {
            reader.is_finished() || mine.stuck.get() > 1
        });
        let second = open_one(OnError::Skip);
        let two = StopOnDrop(second.stopper());
        let other = scope.spawn(|| others.read(second, &seen));
        broker.guard.wait_for("the second member reads", || {
            reader.is_finished() || other.is_finished() || others.batches.get() > 0
        });
        // The embedded broker goes on without a member that does not answer. The first one has
        // answered.
        broker
            .guard
            .wait_for("the first member has given its half up", || {
                reader.is_finished() || other.is_finished() || mine.assigned.get() == 2
            });
        assert!(!reader.is_finished() && !other.is_finished());
        broker
            .guard
            .step("both leave, the first with letters that are not delivered");
        drop((one, two));
    });
}

#[test]
fn a_close_does_not_wait_for_brokers_for_ever() {
    let broker = broker(1);
    produce_numbers(&broker, 0, 0..20);
    let mut options = grouped(&broker, "cooperative-sticky");
    options.revoke_timeout = Duration::ZERO;
    let mut source = open(options, OnError::Fail);
    source.next_batch().unwrap().unwrap().ack();
    // librdkafka repeats a commit until it is answered.
    broker.down().unwrap();
    broker.guard.step("closing");
    let error = source.close().unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[test]
fn a_group_that_refuses_the_member_is_an_error() {
    let _guard = Guard::new();
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    cluster.request_errors(
        RDKafkaApiKey::JoinGroup,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL],
    );
    let mut options = SourceOptions::new(cluster.bootstrap_servers(), Subscription::topics(["t"]));
    options.group = Some("g".to_owned());
    let mut source = open(options, OnError::Fail);
    let error = source.next_batch().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fatal, "{error}");
    assert!(error.to_string().contains("JoinGroup"), "{error}");
}

#[test]
fn a_commit_that_is_refused_is_an_error_and_tried_again() {
    let _guard = Guard::new();
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    let mut options = SourceOptions::new(cluster.bootstrap_servers(), Subscription::topics(["t"]));
    options.subscription = Subscription::partitions([PartitionStart::new("t", 0, None)]);
    options.group = Some("g".to_owned());
    options.batching.linger = Duration::from_millis(20);
    let producer = Producer::new(&options.brokers, &Properties::default()).unwrap();
    let value = framed(1, "7");
    let message = Message {
        topic: "t",
        value: Some(&value),
        ..Message::default()
    };
    producer.send(&message).unwrap();
    producer.flush(PATIENCE).unwrap();
    let mut source = open(options, OnError::Fail);
    source.next_batch().unwrap().unwrap().ack();
    cluster.request_errors(
        RDKafkaApiKey::OffsetCommit,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 5],
    );
    let error = source.commit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    cluster.clear_request_errors(RDKafkaApiKey::OffsetCommit);
    source.commit().unwrap();
    source.close().unwrap();
}
