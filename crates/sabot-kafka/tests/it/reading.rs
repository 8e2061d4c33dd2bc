//! Where a source begins and ends, what a batch covers, and what happens to records that cannot be
//! decoded.

use std::thread;

use crate::common::*;
use arrow_array::cast::AsArray;
use sabot_assemble::{Assembler, AssemblerOptions, Metadata, OnError};
use sabot_decode::SchemaKey;
use sabot_kafka::embedded::EmbeddedBroker;
use sabot_kafka::{
    Batching, DeadLetterOptions, End, ErrorKind, Message, PartitionStart, Source, SourceOptions, Start,
    Subscription,
};
use sabot_wire::Framing;

fn rows(rows: usize) -> Batching {
    let mut batching = Batching::default();
    batching.rows = rows;
    batching
}

#[test]
fn a_bounded_source_reads_all_partitions_and_ends() {
    let broker = broker(4);
    // Partition 3 stays empty.
    for partition in 0..3 {
        produce_numbers(&broker, partition, (0..500).map(|n| n * 3 + i64::from(partition)));
    }
    let mut options = options(&broker);
    options.end = End::AtStart;
    options.batching = rows(200);
    let mut source = open(options, OnError::Fail);
    // What comes later is not read.
    produce_numbers(&broker, 0, [-1]);
    let mut all = Vec::new();
    let mut next = [0; 3];
    while let Some(batch) = source.next_batch() {
        let batch = batch.unwrap();
        assert!(batch.records <= 200 && batch.batch.num_rows() == batch.records);
        let mut covered = 0;
        for range in &batch.offsets {
            let next = &mut next[usize::try_from(range.partition).unwrap()];
            assert_eq!(
                (range.first, &*range.topic),
                (*next, "t"),
                "ranges join without a gap"
            );
            *next = range.end;
            covered += range.end - range.first;
        }
        assert_eq!(covered, i64::try_from(batch.records).unwrap());
        all.extend(numbers(&batch));
    }
    all.sort_unstable();
    assert_eq!(all, (0..1500).collect::<Vec<_>>());
    let progress = source.progress();
    assert_eq!((progress.messages, progress.bad), (1500, 0));
    assert!(
        progress
            .partitions
            .iter()
            .all(|partition| partition.lag == Some(0)),
        "{progress:?}"
    );
    assert!(source.next_batch().is_none());
}

/// What is to be read of partition 0 with the numbers from 0 to 99 and partition 1 with those from
/// 100 to 109.
fn starts_and_ends() -> Vec<(Subscription, Start, End, Vec<i64>)> {
    let at = |partition, start| PartitionStart::new("t", partition, start);
    let topics = Subscription::topics(["t"]);
    let one = |start| Subscription::partitions([at(0, Some(start))]);
    vec![
        (
            topics.clone(),
            Start::Last(2),
            End::AtStart,
            vec![98, 99, 108, 109],
        ),
        (topics.clone(), Start::Offset(5), End::Messages(0), vec![]),
        (topics.clone(), Start::Latest, End::AtStart, vec![]),
        // Partition 1 has only ten records.
        (topics.clone(), Start::Offset(97), End::AtStart, vec![97, 98, 99]),
        (
            topics,
            Start::Partitions(vec![("t".into(), 0, 97)]),
            End::Offsets(vec![("t".into(), 1, 2)]),
            vec![97, 98, 99, 100, 101],
        ),
        (
            one(Start::Offset(95)),
            Start::Earliest,
            End::Offsets(vec![("t".into(), 0, 98)]),
            vec![95, 96, 97],
        ),
        // An end behind the log's is not waited for, and one before the start is reached at once.
        (
            one(Start::Offset(98)),
            Start::Earliest,
            End::Offsets(vec![("t".into(), 0, 1000)]),
            vec![98, 99],
        ),
        (
            one(Start::Offset(50)),
            Start::Earliest,
            End::Offsets(vec![("t".into(), 0, 10)]),
            vec![],
        ),
        (
            one(Start::Last(7)),
            Start::Earliest,
            End::Messages(3),
            vec![93, 94, 95],
        ),
        (
            one(Start::Last(2)),
            Start::Earliest,
            End::MessagesAtStart(30),
            vec![98, 99],
        ),
        (
            Subscription::partitions([at(1, None)]),
            Start::Last(1),
            End::AtStart,
            vec![109],
        ),
        (
            Subscription::topics(["^[s-u]$"]),
            Start::Last(1),
            End::AtStart,
            vec![99, 109],
        ),
    ]
}

#[test]
fn start_and_end_are_followed() {
    let broker = broker(2);
    produce_numbers(&broker, 0, 0..100);
    produce_numbers(&broker, 1, 100..110);
    for (subscription, start, end, expected) in starts_and_ends() {
        let case = format!("{subscription} {start:?} {end:?}");
        broker.guard.step(case.clone());
        let mut options = options(&broker);
        (options.subscription, options.start, options.end) = (subscription, start, end);
        let mut read = drain(&mut open(options, OnError::Fail)).unwrap();
        read.sort_unstable();
        assert_eq!(read, expected, "{case}");
    }
}

#[test]
fn several_topics_end_each_by_itself() {
    // The end of a partition has to be told apart from that of another topic with the same number.
    let broker = broker(1);
    for topic in ["a", "b"] {
        broker.create_topic(topic, 1).unwrap();
    }
    produce_numbers(&broker, 0, 0..3000);
    let mut options = options(&broker);
    options.subscription = Subscription::topics(["a", "b", "t"]);
    options.end = End::AtStart;
    options.batching = rows(100);
    assert_eq!(
        drain(&mut open(options, OnError::Fail)).unwrap(),
        (0..3000).collect::<Vec<_>>()
    );
}

#[test]
fn what_cannot_be_opened_says_why() {
    let broker = broker(1);
    let fail = |change: &dyn Fn(&mut SourceOptions)| {
        let mut options = options(&broker);
        change(&mut options);
        let error =
            Source::open(options, assembler(OnError::Fail), Box::new(Registry::default())).unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, text) = fail(&|options| options.subscription = Subscription::topics(["t", "nowhere"]));
    assert_eq!(
        (kind, text.as_str()),
        (ErrorKind::UnknownTopic, "there is no topic nowhere")
    );
    let (kind, _) = fail(&|options| options.subscription = Subscription::topics(["^nothing"]));
    assert_eq!(kind, ErrorKind::UnknownTopic);
    let (kind, text) = fail(&|options| {
        options.subscription = Subscription::partitions([PartitionStart::new("t", 7, None)]);
    });
    assert_eq!(kind, ErrorKind::UnknownTopic);
    assert!(text.contains("no partition 7"), "{text}");
    // The reason is there as soon as the first connection has been tried.
    let says_why = |timeout_ms| {
        let (kind, text) = fail(&|options| {
            options.brokers = "127.0.0.1:1".to_owned();
            options.startup_timeout = std::time::Duration::from_millis(timeout_ms);
        });
        assert_eq!(kind, ErrorKind::Unreachable);
        assert!(text.contains("127.0.0.1:1"), "{text}");
        text.contains("refused")
    };
    assert!(says_why(1200) || says_why(30_000));
    let (kind, _) = fail(&|options| options.start = Start::Committed(sabot_kafka::Fallback::Latest));
    assert_eq!(kind, ErrorKind::Config);
    let (kind, _) = fail(&|options| {
        options.brokers = "127.0.0.1:1".to_owned();
        options.stopper.stop();
    });
    assert_eq!(kind, ErrorKind::Stopped);
}

#[test]
fn a_stopped_source_gives_out_what_it_has() {
    let broker = broker(1);
    produce_numbers(&broker, 0, 0..10);
    let mut source = open(options(&broker), OnError::Fail);
    let stopper = source.stopper();
    let waker = thread::spawn(move || {
        thread::sleep(std::time::Duration::from_millis(500));
        stopper.stop();
    });
    let read = drain(&mut source).unwrap();
    waker.join().unwrap();
    assert_eq!(read, (0..i64::try_from(read.len()).unwrap()).collect::<Vec<_>>());
    assert!(source.next_batch().is_none());
}

#[test]
fn a_broker_that_goes_and_comes_back_loses_nothing() {
    let broker = broker(1);
    produce_numbers(&broker, 0, 0..10);
    let mut options = options(&broker);
    options.end = End::Messages(20);
    options.batching = rows(10);
    options.properties.set("reconnect.backoff.max.ms", "200");
    let mut source = open(options, OnError::Fail);
    assert_eq!(
        numbers(&source.next_batch().unwrap().unwrap()),
        (0..10).collect::<Vec<_>>()
    );
    broker.down().unwrap();
    broker.up().unwrap();
    produce_numbers(&broker, 0, 10..25);
    assert_eq!(drain(&mut source).unwrap(), (10..20).collect::<Vec<_>>());
}

#[test]
fn an_unavailable_schema_loses_no_place() {
    let broker = broker(1);
    produce(
        &broker,
        0,
        (0..10).map(|n| framed(1 + u32::from(n >= 5), &n.to_string())),
    );
    let registry = Registry::default();
    registry.off.lock().unwrap().insert(SchemaKey::Id(2));
    let mut options = options(&broker);
    options.end = End::AtStart;
    let mut source = Source::open(options, assembler(OnError::Skip), Box::new(registry.clone())).unwrap();
    assert_eq!(numbers(&source.next_batch().unwrap().unwrap()), [0, 1, 2, 3, 4]);
    for _ in 0..3 {
        let error = source.next_batch().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaUnavailable);
        assert_eq!(
            (error.topic(), error.partition(), error.offset()),
            (Some("t"), Some(0), Some(5))
        );
        assert_eq!(error.schema(), Some(SchemaKey::Id(2)));
        assert!(error.is_retryable());
    }
    registry.off.lock().unwrap().clear();
    assert_eq!(drain(&mut source).unwrap(), [5, 6, 7, 8, 9]);
}

#[test]
fn the_fail_policy_stays_before_the_bad_record() {
    let broker = broker(1);
    let values = [
        framed(1, "0"),
        framed(1, "1"),
        framed(1, "x"),
        framed(1, "3"),
        b"{}".to_vec(),
    ];
    produce(&broker, 0, values);
    let mut options = options(&broker);
    options.end = End::AtStart;
    let mut source = open(options.clone(), OnError::Fail);
    assert_eq!(numbers(&source.next_batch().unwrap().unwrap()), [0, 1]);
    for _ in 0..3 {
        let error = source.next_batch().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::BadRecord, Some(2)));
        assert_eq!(error.bad_row().unwrap().schema, SchemaKey::Id(1));
    }
    let mut source = open(options, OnError::Skip);
    let batch = source.next_batch().unwrap().unwrap();
    assert_eq!(
        (numbers(&batch), batch.records, batch.bad.len()),
        (vec![0, 1, 3], 5, 2)
    );
    assert_eq!(batch.offsets.iter().next().unwrap().end, 5);
}

#[test]
fn dead_letters_are_delivered_before_their_batch() {
    let broker = broker(1);
    broker.create_topic("dead", 1).unwrap();
    let producer = producer(&broker);
    for value in ["1", "x", "3"] {
        let value = framed(1, value);
        let headers: &[(&str, Option<&[u8]>)] = &[("h", Some(b"1")), ("h", None)];
        let (topic, key, value) = ("t", Some(&b"k"[..]), Some(&value[..]));
        producer
            .send(&Message {
                topic,
                key,
                value,
                headers,
                timestamp_ms: Some(12345),
                ..Message::default()
            })
            .unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    let mut options = options(&broker);
    options.end = End::AtStart;
    options.dead_letters = Some(DeadLetterOptions::new("dead"));
    let batch = open(options.clone(), OnError::DeadLetter)
        .next_batch()
        .unwrap()
        .unwrap();
    assert_eq!(numbers(&batch), [1, 3]);
    // The batch is not dealt with yet, and the letter is there.
    assert_eq!(
        dead_letter(&broker),
        [
            ("h".to_owned(), Some("1".to_owned())),
            ("h".to_owned(), None),
            ("__connect.errors.topic".to_owned(), Some("t".to_owned())),
            ("__connect.errors.partition".to_owned(), Some("0".to_owned())),
            ("__connect.errors.offset".to_owned(), Some("1".to_owned())),
            (
                "__connect.errors.connector.name".to_owned(),
                Some("sabot".to_owned())
            ),
            ("__connect.errors.task.id".to_owned(), Some("0".to_owned())),
            (
                "__connect.errors.stage".to_owned(),
                Some("VALUE_CONVERTER".to_owned())
            ),
            (
                "__connect.errors.class.name".to_owned(),
                Some("sabot_assemble::Assembler".to_owned())
            ),
            (
                "__connect.errors.exception.class.name".to_owned(),
                Some("sabot_decode::RowErrorKind::InvalidText".to_owned())
            ),
            (
                "__connect.errors.exception.message".to_owned(),
                Some(batch.bad[0].reason().to_string())
            ),
        ]
    );

    // A letter that cannot be delivered keeps its batch back.
    produce(&broker, 0, [framed(1, &"x".repeat(5000))]);
    options.end = End::AtStart;
    options
        .dead_letters
        .as_mut()
        .unwrap()
        .properties
        .set("message.max.bytes", "1000");
    let mut source = open(options, OnError::DeadLetter);
    for _ in 0..2 {
        let error = source.next_batch().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadLetter, "{error}");
        assert!(error.to_string().contains("dead"), "{error}");
    }
}

/// The headers of the one dead letter. Everything else in it is as it was.
fn dead_letter(broker: &EmbeddedBroker) -> Vec<(String, Option<String>)> {
    let mut options = options(broker);
    options.subscription = Subscription::topics(["dead"]);
    options.end = End::AtStart;
    options.value_framing = Framing::Unframed;
    let mut assembling = AssemblerOptions::default();
    assembling.metadata = Metadata::ALL;
    assembling.on_error = OnError::Null;
    assembling.raw_column = true;
    let assembler = Assembler::new(assembling, None, Numbers::decoder());
    let mut source = Source::open(options, assembler, Box::new(Registry::default())).unwrap();
    let batch = source.next_batch().unwrap().unwrap().batch;
    assert_eq!(batch.num_rows(), 1);
    let column = |name: &str| batch.column_by_name(name).unwrap();
    assert_eq!(column("_key").as_binary::<i32>().value(0), b"k");
    assert_eq!(column("_raw").as_binary::<i32>().value(0), framed(1, "x"));
    let times = column("_timestamp").as_primitive::<arrow_array::types::TimestampMillisecondType>();
    assert_eq!(times.value(0), 12345);
    let headers = column("_headers").as_list::<i32>().value(0);
    let headers = headers.as_struct();
    let (names, values) = (
        headers.column(0).as_string::<i32>(),
        headers.column(1).as_binary::<i32>(),
    );
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    names
        .iter()
        .zip(values)
        .map(|(name, value)| (name.unwrap().to_owned(), value.map(text)))
        .collect()
}
