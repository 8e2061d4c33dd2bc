//! The facade against a broker and a registry in this process.
#![expect(clippy::unwrap_used, reason = "a test panics where something is wrong")]

mod common;

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use futures_core::Stream as _;
use sabot::arrow_array::RecordBatch;
use sabot::arrow_array::cast::AsArray;
use sabot::arrow_array::types::Int64Type;
use sabot::kafka::embedded::EmbeddedBroker;
use sabot::kafka::{Message, Producer, Properties};
use sabot::registry::Client;
use sabot::schema::CompatibilityLevel;
use sabot::{AsyncStream, Batch, Builder, Codec, ErrorKind, Metadata, OnError, Sabot, Start};

use common::{TwoVersions, V1, V2};

/// Far beyond what any step takes.
const HANGS: Duration = Duration::from_secs(120);

struct Stage {
    broker: EmbeddedBroker,
    versions: TwoVersions,
}

impl Stage {
    /// A topic `t`, whose messages alternate between two versions, the first first.
    fn new(messages: u8) -> Self {
        let broker = EmbeddedBroker::start(1).unwrap();
        broker.create_topic("t", 1).unwrap();
        let stage = Self {
            broker,
            versions: TwoVersions::new(),
        };
        let values = (0..messages).map(|at| stage.value(at));
        stage.send(values);
        stage
    }

    fn value(&self, at: u8) -> Vec<u8> {
        self.versions.value(at)
    }

    fn send(&self, values: impl IntoIterator<Item = Vec<u8>>) {
        let producer = Producer::new(self.broker.brokers(), &Properties::default()).unwrap();
        for value in values {
            producer
                .send(&Message {
                    topic: "t",
                    value: Some(&value),
                    ..Message::default()
                })
                .unwrap();
        }
        producer.flush(Duration::from_secs(30)).unwrap();
    }

    fn builder(&self, codec: Codec) -> Builder {
        Sabot::kafka(self.broker.brokers())
            .topic("t")
            .registry(self.versions.registry.url())
            .value(codec)
            .metadata(Metadata::NONE)
            .stop_at_end()
    }
}

fn names(batch: &RecordBatch) -> Vec<String> {
    batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

fn longs(batch: &RecordBatch) -> Vec<i64> {
    batch["a"].as_primitive::<Int64Type>().values().to_vec()
}

#[test]
fn columns_follow_the_latest_version_unless_told_otherwise() {
    let stage = Stage::new(3);
    let read = |codec: Codec| {
        let mut stream = stage.builder(codec).open().unwrap();
        let before = stream.schema();
        let batch = stream.next().unwrap().unwrap();
        assert!(stream.next().is_none());
        (before, batch.batch)
    };
    let (before, batch) = read(Codec::avro());
    assert_eq!(
        before.as_ref(),
        Some(batch.schema_ref()),
        "known before the first message"
    );
    assert_eq!(names(&batch), ["b", "a"]);
    assert_eq!(
        batch["b"]
            .as_string::<i32>()
            .iter()
            .map(Option::unwrap)
            .collect::<Vec<_>>(),
        ["?", "x", "?"]
    );
    assert_eq!(longs(&batch), [0, 1, 2]);

    let (before, batch) = read(
        Codec::avro()
            .first_writer_schema()
            .select(["a"])
            .reader_schema(V2),
    );
    assert!(before.is_some());
    assert_eq!(names(&batch), ["a"]);

    // A long does not fit the first version's int: those messages are bad.
    let mut stream = stage
        .builder(Codec::avro().first_writer_schema())
        .on_error(OnError::Skip)
        .open()
        .unwrap();
    assert!(stream.schema().is_none());
    let batch = stream.next().unwrap().unwrap();
    assert_eq!((batch.batch.num_rows(), batch.bad.len()), (2, 1));
    assert_eq!(names(&batch.batch), ["a"]);

    // A subject that is not there is an error only if it was asked for.
    let client = Client::new(&stage.versions.registry.url()).unwrap();
    client.set_compatibility(None, CompatibilityLevel::None).unwrap();
    let error = stage.builder(Codec::avro().subject("nobody")).open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    client
        .delete_subject(&"t-value".into(), sabot::registry::Deletion::Soft)
        .unwrap();
    assert!(stage.builder(Codec::avro()).open().unwrap().schema().is_none());
}

#[test]
fn messages_without_a_frame_take_their_schema_from_the_options() {
    let stage = Stage::new(0);
    stage.send([vec![2], vec![4]]);
    for codec in [
        Codec::avro().writer_schema(V1),
        Codec::avro().schema_id(stage.versions.ids[0]),
    ] {
        let batch = stage
            .builder(codec.reader_schema(V2))
            .open()
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(longs(&batch.batch), [1, 2]);
    }
}

#[test]
fn a_partition_may_begin_elsewhere_than_the_others() {
    let stage = Stage::new(6);
    let stream = Sabot::kafka(stage.broker.brokers())
        .partition_from("t", 0, Start::Offset(4))
        .registry(stage.versions.registry.url())
        .value(Codec::avro())
        .start(Start::Earliest)
        .stop_at_end()
        .open()
        .unwrap();
    let found: Vec<i64> = stream.flat_map(|batch| longs(&batch.unwrap().batch)).collect();
    assert_eq!(found, [4, 5]);
}

#[test]
fn mistakes_are_told_before_a_broker_is_asked() {
    let nowhere = || Sabot::kafka("127.0.0.1:1").value(Codec::string());
    for (builder, words) in [
        (nowhere(), ".topic("),
        (nowhere().topic("a").partition("a", 0), "mixed"),
        (Sabot::kafka("127.0.0.1:1").topic("a"), ".value("),
        (nowhere().topic("a").value(Codec::avro()), "Builder::registry"),
        (
            nowhere()
                .topic("a")
                .key(Codec::string())
                .value(Codec::avro().schema_id(1)),
            "Builder::registry",
        ),
        (
            nowhere().topic("a").on_error(OnError::DeadLetter),
            ".dead_letters(",
        ),
        (
            nowhere().topic("a").end(sabot::End::Timestamp(5)).stop_at_end(),
            "twice",
        ),
        (nowhere().topic("a").batch_rows(0), "at least one row"),
        (nowhere().topic("a").property("no.such", "x"), "no.such"),
        (nowhere().topic("a").registry("ftp://x"), "ftp"),
    ] {
        let error = builder.open().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    let error = nowhere()
        .topic("a")
        .value(Codec::avro().writer_schema("{"))
        .open()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema, "{error}");
    let debug = format!(
        "{:?}",
        nowhere()
            .registry("http://user:hunter2@x")
            .property("sasl.password", "hunter2")
    );
    assert!(!debug.contains("hunter2"), "{debug}");
}

#[test]
fn a_bad_message_stops_it_with_its_place() {
    let stage = Stage::new(2);
    stage.send([vec![0, 0, 0, 0, 1]]);
    let mut stream = stage.builder(Codec::avro()).open().unwrap();
    assert_eq!(stream.next().unwrap().unwrap().batch.num_rows(), 2);
    for _ in 0..2 {
        // It stays where it is.
        let error = stream.next().unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.partition(), error.offset()),
            (ErrorKind::BadRecord, Some(0), Some(2))
        );
        assert_eq!(error.bad_row().unwrap().field_path, "a");
    }
}

#[test]
fn an_async_stream_gives_the_same_batches() {
    let stage = Stage::new(60);
    let batches = || stage.builder(Codec::avro()).batch_rows(7);
    let expected: Vec<RecordBatch> = batches()
        .open()
        .unwrap()
        .map(|batch| batch.unwrap().batch)
        .collect();
    let mut stream = pin!(batches().open().unwrap().into_async(NonZeroUsize::MIN));
    let mut found = Vec::new();
    while let Some(batch) = block_on("the next batch", next(stream.as_mut())) {
        found.push(batch.unwrap().batch);
    }
    assert_eq!(found, expected);
    assert!(
        block_on("the end", next(stream.as_mut())).is_none(),
        "the end stays the end"
    );
    assert_eq!(stream.progress().messages, 60);
    assert_eq!(stream.schema().as_ref(), Some(found[0].schema_ref()));
}

#[test]
fn an_async_stream_wakes_a_waiting_task_and_ends_when_told() {
    let stage = Stage::new(0);
    let mut stream = pin!(endless(&stage));
    let waker = Waker::noop();
    let polled = stream.as_mut().poll_next(&mut Context::from_waker(waker));
    assert!(polled.is_pending());
    thread::scope(|scope| {
        scope.spawn(|| stage.send([stage.value(1)]));
        let batch = block_on("the message sent meanwhile", next(stream.as_mut()))
            .unwrap()
            .unwrap();
        assert_eq!(longs(&batch.batch), [1]);
    });
    stream.stopper().stop();
    assert!(block_on("the end when told", next(stream.as_mut())).is_none());

    // With batches that nobody takes, the thread waits for room; closing and dropping end it all
    // the same.
    let full = stage.builder(Codec::avro()).batch_rows(1);
    stage.send((0..50).map(|at| stage.value(at)));
    full.clone()
        .open()
        .unwrap()
        .into_async(NonZeroUsize::MIN)
        .close()
        .unwrap();
    drop(full.open().unwrap().into_async(NonZeroUsize::MIN));
}

#[test]
fn a_panic_in_the_thread_of_an_async_stream_does_not_look_like_the_end() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("as an executor might");
        }
    }
    let stage = Stage::new(0);
    let mut stream = pin!(endless(&stage));
    let waker = Waker::from(Arc::new(Panics));
    let polled = stream.as_mut().poll_next(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    stage.send([stage.value(1)]);
    // Not by polling, which would put another waker in its place.
    let begin = Instant::now();
    while stream.progress().messages == 0 {
        assert!(begin.elapsed() < HANGS, "waiting for the message to be read");
        thread::sleep(Duration::from_millis(10));
    }
    assert!(block_on("the batch", next(stream.as_mut())).unwrap().is_ok());
    let error = block_on("the panic", next(stream.as_mut())).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(block_on("the end", next(stream.as_mut())).is_none());
}

fn endless(stage: &Stage) -> AsyncStream {
    Sabot::kafka(stage.broker.brokers())
        .topic("t")
        .registry(stage.versions.registry.url())
        .value(Codec::avro())
        .start(Start::Latest)
        .linger(Duration::ZERO)
        .open()
        .unwrap()
        .into_async(NonZeroUsize::MIN)
}

async fn next(mut stream: Pin<&mut AsyncStream>) -> Option<Result<Batch, sabot::Error>> {
    poll_fn(|context| stream.as_mut().poll_next(context)).await
}

/// The least that can run a future: it parks until it is woken. What never comes fails the test,
/// which says what it was.
fn block_on<F: Future>(waiting_for: &str, future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    let begin = Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        assert!(begin.elapsed() < HANGS, "waiting for {waiting_for}");
        thread::park_timeout(HANGS);
    }
}
