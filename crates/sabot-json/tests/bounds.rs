//! What messages may cost: allocations in steady state, and memory against hostile ones.

use std::sync::Arc;

use arrow_schema::{DataType as T, Field, Fields, Schema};
use sabot_decode::{Decoder, DecoderFactory, OutputSchema, Payload, Stop, Target};
use sabot_json::JsonFactory;
use sabot_testkit::alloc::{CountingAllocator, count};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn nullable(name: &str, data_type: T) -> Field {
    Field::new(name, data_type, true)
}

fn target(fields: Vec<Field>) -> Target {
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(fields)));
    target
}

fn open(target: &Target) -> Box<dyn Decoder> {
    JsonFactory::new().open(target).expect("the target is supported")
}

/// Allocations of a batch of `rows` messages, once an earlier batch has made room.
fn steady_allocations(target: &Target, rows: usize, message: impl Fn(usize) -> String) -> usize {
    let texts: Vec<_> = (0..rows).map(message).collect();
    let payloads: Vec<_> = texts
        .iter()
        .map(|text| Payload::unframed(text.as_bytes()))
        .collect();
    let mut decoder = open(target);
    let mut batch = || {
        let (taken, counts) = count(|| {
            let calls = payloads.chunks(100);
            let taken: usize = calls
                .map(|call| decoder.decode(call, &mut |error| panic!("{error:?}")).taken)
                .sum();
            decoder.flush().expect("flushing never fails");
            taken
        });
        assert_eq!(taken, rows);
        counts.allocations
    };
    batch();
    batch();
    let steady = batch();
    assert!(steady > 0, "the allocator counts");
    steady
}

#[test]
fn a_batch_in_steady_state_allocates_for_columns_alone() {
    let flat = vec![
        nullable("i", T::Int64),
        nullable("f", T::Float32),
        nullable("s", T::Utf8),
        nullable("d", T::Decimal128(10, 2)),
        nullable("b", T::Binary),
        nullable("e", T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8))),
    ];
    let flat_message = |row| {
        format!(
            r#"{{"i":{row},"f":{row}.5,"s":"\u00e9 {row}","d":{row}.25,"b":"AP8=","e":"v{row}","x":[{row}]}}"#
        )
    };
    let item = T::Struct(vec![nullable("a", T::Int64), nullable("b", T::Utf8)].into());
    let entries = Fields::from(vec![
        Field::new("key", T::Utf8, false),
        nullable("value", T::Int64),
    ]);
    let nested = vec![
        nullable("l", T::List(Arc::new(nullable("item", item)))),
        nullable(
            "m",
            T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), false),
        ),
        nullable("s", T::Struct(vec![nullable("x", T::Utf8View)].into())),
    ];
    let nested_message = |row| {
        format!(
            r#"{{"l":[{{"a":{row},"b":"x"}},{{"b":"{row}"}}],"m":{{"k":1,"j{row}":2}},"s":{{"x":"longer than twelve bytes"}}}}"#
        )
    };
    // A message of another length, or a value more, would show in the larger batch.
    for rows in [1_000, 4_000] {
        let allocations = steady_allocations(&target(flat.clone()), rows, flat_message);
        assert!(
            allocations < 100,
            "{allocations} allocations for {rows} flat messages"
        );
        let allocations = steady_allocations(&target(nested.clone()), rows, nested_message);
        assert!(
            allocations < 100,
            "{allocations} allocations for {rows} nested messages"
        );
        let allocations = steady_allocations(&Target::default(), rows, flat_message);
        assert!(
            allocations < 100,
            "{allocations} allocations for {rows} inferred messages"
        );
    }
}

#[test]
fn bad_messages_allocate_nothing_that_stays() {
    let fields = vec![
        nullable("e", T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8))),
        nullable("i", T::Int64),
    ];
    let mut decoder = open(&target(fields));
    let long = "x".repeat(10_000);
    let texts: Vec<_> = (0..500)
        .map(|row| format!(r#"{{"e":"{row}{long}","i":"bad"}}"#))
        .collect();
    for text in &texts {
        let mut bad = 0;
        decoder.decode(&[Payload::unframed(text.as_bytes())], &mut |_| bad += 1);
        assert_eq!(bad, 1);
    }
    assert!(decoder.buffered_bytes() < 20_000, "{}", decoder.buffered_bytes());
    let batch = decoder.flush().expect("flushing never fails").batch;
    assert!(
        batch.get_array_memory_size() < 50_000,
        "{}",
        batch.get_array_memory_size()
    );
}

/// Decodes `message`, or a tombstone where it is empty, until the decoder is full; gives the rows,
/// and the bytes that it says it holds.
fn fill(target: &Target, message: impl Fn(usize) -> String) -> (usize, usize) {
    let mut decoder = open(target);
    for row in 0.. {
        let text = message(row);
        let progress = decoder.decode(&[Payload::unframed(text.as_bytes())], &mut |error| {
            panic!("{error:?}")
        });
        if progress.stop == Stop::Full {
            break;
        }
        assert!(row < 200_000, "the decoder is never full");
    }
    let filled = (decoder.slots(), decoder.buffered_bytes());
    decoder.flush().expect("flushing never fails");
    assert!(decoder.buffered_bytes() < 1_000_000);
    filled
}

#[test]
fn dictionaries_fill_a_batch() {
    let mut target = target(vec![nullable(
        "e",
        T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8)),
    )]);
    target.limits.batch_bytes = 1 << 20;
    let long = "x".repeat(1_000);
    let (_, bytes) = fill(&target, |row| format!(r#"{{"e":"{row}{long}"}}"#));
    assert!((1 << 20..(1 << 20) + (128 << 10)).contains(&bytes), "{bytes}");
}

#[test]
fn nulls_fill_a_batch() {
    let columns: Vec<_> = (0..10_000)
        .map(|at| nullable(&format!("c{at}"), T::Int64))
        .collect();
    let mut wide = target(columns.clone());
    wide.limits.batch_bytes = 4 << 20;
    let (rows, bytes) = fill(&wide, |_| "{}".into());
    // A row takes 80 kB.
    assert!(
        rows < 60 && (4 << 20..(4 << 20) + (256 << 10)).contains(&bytes),
        "{rows} {bytes}"
    );
    let mut list = target(vec![nullable(
        "l",
        T::List(Arc::new(nullable("item", T::Struct(columns.into())))),
    )]);
    list.limits.batch_bytes = 4 << 20;
    let (rows, bytes) = fill(&list, |_| r#"{"l":[{},{},{},{},{}]}"#.into());
    assert!(rows < 15 && (4 << 20..6 << 20).contains(&bytes), "{rows} {bytes}");
}

/// All that is allocated is added up, each step of a buffer that grows, and for inference both
/// passes over the message.
#[test]
fn hostile_messages_cost_a_multiple_of_their_length() {
    const BYTES: usize = 1 << 20;
    let messages = [
        "[".repeat(BYTES),
        format!("{{\"a\":{}", "[".repeat(BYTES)),
        format!("{{\"a\":[{}1]}}", "1,".repeat(BYTES / 2)),
        format!("{{\"a\":[{}{{}}]}}", "{},".repeat(BYTES / 3)),
        format!("{{{}\"b\":1}}", "\"b\":1,".repeat(BYTES / 6)),
        format!("{{\"b\":\"{}\"}}", "\\n".repeat(BYTES / 2)),
        format!("{{\"b\":{}}}", "9".repeat(BYTES)),
        format!("{{\"b\":0.{}}}", "0".repeat(BYTES)),
        format!("{{\"b\":\"{}", "\\u0041".repeat(BYTES / 6)),
        " ".repeat(BYTES),
    ];
    let given = target(vec![
        nullable("a", T::List(Arc::new(nullable("item", T::Int64)))),
        nullable("b", T::Utf8),
    ]);
    for target in [given, Target::default()] {
        for message in &messages {
            let mut decoder = open(&target);
            let ((), counts) = count(|| {
                decoder.decode(&[Payload::unframed(message.as_bytes())], &mut |_| {});
                decoder.flush().expect("flushing never fails");
            });
            let multiple = counts.bytes / message.len();
            assert!(
                multiple < 120,
                "{multiple} times the {} bytes of {message:.20}",
                message.len()
            );
        }
    }
}

/// After a large message its buffers are given back: the next small one makes them anew, and small.
#[test]
fn buffers_for_a_large_message_are_not_kept() {
    let mut decoder = open(&target(vec![nullable("b", T::Int64)]));
    let mut decode = |text: &str| {
        let ((), counts) = count(|| {
            decoder.decode(&[Payload::unframed(text.as_bytes())], &mut |error| {
                panic!("{error:?}")
            });
        });
        counts
    };
    let large = format!("{{\"x\":[{}1]}}", "1,".repeat(1 << 20));
    decode(&large);
    let after = decode("{\"b\":1}");
    assert!(after.allocations > 0 && after.bytes < 10_000, "{after:?}");
    assert_eq!(decode("{\"b\":1}").allocations, 0);
}
