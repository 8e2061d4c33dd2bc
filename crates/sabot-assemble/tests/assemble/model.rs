//! Whatever comes in, however it is split: the rows are what a model says, one record at a time.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch, StructArray};
use fastrand::Rng;
use sabot_assemble::{AssemblerOptions, BadRow, Metadata, OnError, PushStop, Tombstones};
use sabot_decode::Target;

use crate::support::{Bench, Message, PLAIN, Part, SHIFTED, UNKNOWN, UNUSABLE, options, toy};

/// A row of a batch, or of the model.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    topic: String,
    offset: i64,
    key: Option<(i32, String)>,
    value: Option<(i32, String)>,
    deleted: Option<bool>,
    is_error: bool,
    raw: Option<Vec<u8>>,
}

#[test]
fn rows_are_as_the_model_says() {
    for seed in 0..400 {
        let mut rng = Rng::with_seed(seed);
        let has_key = rng.bool();
        let options = random_options(&mut rng);
        let messages = random_messages(&mut rng);
        let mut bench = Bench::new(
            options.clone(),
            has_key.then(|| toy(&random_target(&mut rng))),
            toy(&random_target(&mut rng)),
        );
        let driven = drive(&mut rng, &mut bench, &messages, options.on_error);

        let (rows, bad, dead) = model(&messages, &options, has_key, driven.end);
        assert_eq!(driven.rows, rows, "seed {seed}, {options:?}");
        assert_eq!(driven.bad, bad, "seed {seed}, {options:?}");
        assert_eq!(driven.records, driven.end, "seed {seed}");
        let called: Vec<i64> = bench.dead.iter().map(|(_, offset)| *offset).collect();
        assert_eq!(called, dead, "seed {seed}");
        let first_bad = messages.iter().position(|message| is_bad(message, has_key));
        let end = first_bad
            .filter(|_| options.on_error == OnError::Fail)
            .unwrap_or(messages.len());
        assert_eq!(driven.end, end, "seed {seed}");
    }
}

/// What came of all messages.
#[derive(Debug, Default)]
struct Driven {
    rows: Vec<Row>,
    bad: Vec<(i64, sabot_assemble::Part)>,
    records: usize,
    /// Where it ended: behind the last message, or before the bad one.
    end: usize,
}

/// Pushes and finishes at random, with schemas that cannot be had at times.
fn drive(rng: &mut Rng, bench: &mut Bench, messages: &[Message], on_error: OnError) -> Driven {
    let mut driven = Driven::default();
    loop {
        let start = driven.end;
        let len = rng.usize(0..=40).min(messages.len() - start);
        bench.schemas.unavailable = if rng.u8(0..4) == 0 {
            vec![*rng.choice(&[PLAIN, SHIFTED]).unwrap()]
        } else {
            vec![]
        };
        let rows_before = bench.assembler.rows();
        let pushed = bench.push(&messages[start..start + len]);
        driven.end += pushed.taken;
        assert_eq!(bench.assembler.rows(), rows_before + pushed.taken);
        let failed = match pushed.stop {
            PushStop::Done => {
                assert_eq!(pushed.taken, len);
                false
            }
            PushStop::Full => {
                assert!(bench.assembler.rows() > 0);
                finish(bench, &mut driven);
                false
            }
            PushStop::Unavailable(_) => {
                assert!(!bench.schemas.unavailable.is_empty());
                false
            }
            PushStop::Failed(bad) => {
                assert_eq!(on_error, OnError::Fail);
                assert_eq!(bad.offset, messages[driven.end].offset);
                true
            }
        };
        let ends = failed || driven.end == messages.len();
        if ends || rng.u8(0..8) == 0 {
            finish(bench, &mut driven);
        }
        if ends {
            return driven;
        }
    }
}

fn finish(bench: &mut Bench, driven: &mut Driven) {
    let schema = bench.assembler.schema();
    let assembled = bench.assembler.finish().unwrap();
    if let Some(schema) = schema {
        assert_eq!(assembled.batch.schema(), schema, "the schema is stable");
        assert_eq!(bench.assembler.schema(), Some(schema));
    }
    assert_eq!(bench.assembler.rows(), 0);
    for column in assembled.batch.columns() {
        column.to_data().validate_full().unwrap();
    }
    driven.records += assembled.records;
    driven
        .bad
        .extend(assembled.bad.iter().map(|bad: &BadRow| (bad.offset, bad.part)));
    driven
        .rows
        .extend((0..assembled.batch.num_rows()).map(|row| read_row(&assembled.batch, row)));
}

fn read_row(batch: &RecordBatch, row: usize) -> Row {
    let column = |name: &str| batch.column_by_name(name);
    let topics = column("_topic").unwrap().as_dictionary::<Int32Type>();
    let topic = topics
        .values()
        .as_string::<i32>()
        .value(topics.keys().value(row) as usize);
    let value = column("id").filter(|ids| ids.is_valid(row)).map(|ids| {
        (
            ids.as_primitive::<Int32Type>().value(row),
            column("name").unwrap().as_string::<i32>().value(row).to_owned(),
        )
    });
    let key = column("key").filter(|keys| keys.is_valid(row)).map(|keys| {
        let keys: &StructArray = keys.as_struct();
        (
            keys.column(0).as_primitive::<Int32Type>().value(row),
            keys.column(1).as_string::<i32>().value(row).to_owned(),
        )
    });
    Row {
        topic: topic.to_owned(),
        offset: column("_offset").unwrap().as_primitive::<Int64Type>().value(row),
        key,
        value,
        deleted: column("_deleted").map(|deleted| deleted.as_boolean().value(row)),
        is_error: column("_error").is_some_and(|error| error.is_valid(row)),
        raw: column("_raw")
            .filter(|raw| raw.is_valid(row))
            .map(|raw| raw.as_binary::<i32>().value(row).to_vec()),
    }
}

/// The rows of `messages[..end]`, the reports, and the offsets that the hook gets.
fn model(
    messages: &[Message],
    options: &AssemblerOptions,
    has_key: bool,
    end: usize,
) -> (Vec<Row>, Vec<(i64, sabot_assemble::Part)>, Vec<i64>) {
    let (mut rows, mut bad, mut dead) = (Vec::new(), Vec::new(), Vec::new());
    for message in &messages[..end] {
        let key = if has_key { decode(&message.key) } else { Ok(None) };
        let value = decode(&message.value);
        if key.is_err() {
            bad.push((message.offset, sabot_assemble::Part::Key));
        }
        if value.is_err() {
            bad.push((message.offset, sabot_assemble::Part::Value));
        }
        let is_bad = key.is_err() || value.is_err();
        if is_bad && options.on_error == OnError::DeadLetter {
            dead.push(message.offset);
        }
        let is_tombstone = message.value == Part::Null;
        if (is_bad && options.on_error != OnError::Null)
            || (is_tombstone && options.tombstones == Tombstones::Drop)
        {
            continue;
        }
        let keeps = options.on_error == OnError::Null && is_bad;
        rows.push(Row {
            topic: message.topic.to_string(),
            offset: message.offset,
            key: key.unwrap_or(None),
            value: value.unwrap_or(None),
            deleted: (options.tombstones == Tombstones::Flag).then_some(is_tombstone),
            is_error: keeps && options.error_column,
            raw: message.value.raw().filter(|_| keeps && options.raw_column),
        });
    }
    (rows, bad, dead)
}

fn is_bad(message: &Message, has_key: bool) -> bool {
    (has_key && decode(&message.key).is_err()) || decode(&message.value).is_err()
}

/// The toy's body once more.
fn decode(part: &Part) -> Result<Option<(i32, String)>, ()> {
    let (key, bytes) = match part {
        Part::Null => return Ok(None),
        Part::Misframed => return Err(()),
        Part::Framed(key, bytes) => (*key, bytes),
        Part::Bare(_) | Part::Message(..) => unreachable!("the model has none"),
    };
    let (id, name) = bytes.split_first_chunk::<4>().ok_or(())?;
    let (len, name) = name.split_first().ok_or(())?;
    let name = String::from_utf8(name.to_vec()).map_err(|_| ())?;
    let add = match key {
        PLAIN => 0,
        SHIFTED => 100,
        _ => return Err(()),
    };
    if name.len() != usize::from(*len) {
        return Err(());
    }
    Ok(Some((i32::from_be_bytes(*id) + add, name)))
}

fn random_options(rng: &mut Rng) -> AssemblerOptions {
    options(|options| {
        options.metadata = Metadata::NONE;
        (options.metadata.topic, options.metadata.offset) = (true, true);
        (options.metadata.key, options.metadata.headers) = (rng.bool(), rng.bool());
        options.on_error = *rng
            .choice(&[OnError::Fail, OnError::Skip, OnError::Null, OnError::DeadLetter])
            .unwrap();
        options.tombstones = *rng
            .choice(&[Tombstones::Null, Tombstones::Drop, Tombstones::Flag])
            .unwrap();
        (options.error_column, options.raw_column) = (rng.bool(), rng.bool());
        options.batch_bytes = *rng.choice(&[0, 50, 500, 1 << 20]).unwrap();
    })
}

fn random_target(rng: &mut Rng) -> Target {
    let mut target = Target::default();
    target.limits.batch_rows = *rng.choice(&[1, 7, 50, 1 << 20]).unwrap();
    target.limits.batch_bytes = *rng.choice(&[1, 100, 1 << 20]).unwrap();
    target.limits.plans = *rng.choice(&[1, 4096]).unwrap();
    target
}

fn random_messages(rng: &mut Rng) -> Vec<Message> {
    let bad_one_in = *rng.choice(&[2, 10, 200]).unwrap();
    let topics = ["a".into(), "b".into(), "a".into()];
    let mut messages = Vec::new();
    // Keys and values with bytes come first, so that every batch has all columns.
    for offset in 0..rng.i64(1..200) {
        let mut part = || {
            let (id, name) = (rng.i32(0..1000), "x".repeat(rng.usize(0..20)));
            if offset > 0 && rng.usize(0..bad_one_in) == 0 {
                return match rng.u8(0..6) {
                    0 => Part::Misframed,
                    1 => Part::row(UNKNOWN, id, &name),
                    2 => Part::row(UNUSABLE, id, &name),
                    3 => Part::short(),
                    4 => Part::Framed(SHIFTED, b"\0\0\0\0\x02\xc3\x28".to_vec()),
                    _ => Part::Framed(PLAIN, b"\0\0\0\0\0left".to_vec()),
                };
            }
            match rng.u8(0..10) {
                0 if offset > 0 => Part::Null,
                1..=3 => Part::row(SHIFTED, id, &name),
                _ => Part::row(PLAIN, id, &name),
            }
        };
        let mut message = Message::keyed(offset, part(), part());
        message.topic = std::sync::Arc::clone(rng.choice(&topics).unwrap());
        message.headers = vec![(vec![b'h'; rng.usize(0..9)], None)];
        messages.push(message);
    }
    messages
}
