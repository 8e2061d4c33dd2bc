//! However messages are cut into calls and batches, every one of them has the same outcome.
//!
//! A call with many messages is served by the block engine where it can, a call with one by the row engine; so the two
//! are held against each other, as well as invariants 2 (rows beside a bad one are unchanged) and 7 (batch splits do not
//! matter). Messages of several writers are interleaved, and spoilt.

use arrow_array::RecordBatch;
use sabot_avro::AvroFactory;
use sabot_decode::{
    Body, Decoder, DecoderFactory, Payload, RowErrorKind, SchemaKey, Shape, Stop, Target, WriterSchema,
};

use super::dice::Dice;
use super::evolve::Evolution;
use super::input::{bodies, mapping, projection, spoil};
use super::types::{Ty, Types};

/// What was compared, so that a test can tell that both kinds of rows occur.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) good: usize,
    pub(crate) bad: usize,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq)]
struct Outcome {
    row: RecordBatch,
    is_valid: bool,
    bad: Option<(u32, String, RowErrorKind)>,
}

/// One message: the writer's position and the body, or none.
type Message = (usize, Option<Vec<u8>>);

/// One input: choices of writer schemas, a reader schema, a target, messages, and ways to cut them.
pub(crate) fn check(input: &[u8]) -> Tally {
    let mut dice = Dice::new(input);
    let Some(case) = Case::new(&mut dice) else {
        return Tally::default();
    };
    let at_once = case.outcomes(&case.messages, || case.messages.len());
    let one_by_one = case.outcomes(&case.messages, || 1);
    case.compare(&at_once, &one_by_one, "one call, and one call for each message");
    let cut = case.outcomes(&case.messages, || {
        let most = dice.pick(&[200, 70, 5]);
        1 + dice.below(most)
    });
    case.compare(&at_once, &cut, "one call, and several");
    let is_good: Vec<_> = at_once.iter().map(|outcome| outcome.bad.is_none()).collect();
    let mut kept = is_good.iter();
    let mut messages = case.messages.clone();
    messages.retain(|_| *kept.next().expect("because there is one for each message"));
    let good: Vec<_> = at_once
        .into_iter()
        .filter(|outcome| outcome.bad.is_none())
        .collect();
    let alone = case.outcomes(&messages, || messages.len());
    case.compare(&good, &alone, "among bad messages, and without them");
    Tally {
        good: good.len(),
        bad: is_good.len() - good.len(),
    }
}

struct Case {
    target: Target,
    /// Those of the writers that can be read.
    writers: Vec<WriterSchema>,
    messages: Vec<Message>,
    text: String,
}

impl Case {
    fn new(dice: &mut Dice<'_>) -> Option<Self> {
        let mut types = Types::new(dice);
        let first = types.root(dice);
        let mut writers = vec![first.clone()];
        for _ in 0..dice.below(3) {
            let another = Evolution::new(dice, &mut types).root(dice, &first);
            writers.push(another);
        }
        let mut target = Target::default();
        target.mapping = mapping(dice);
        limit(dice, &mut target);
        let reader = match dice.below(3) {
            0 => first.clone(),
            1 => writers.last().cloned()?,
            _ => Evolution::new(dice, &mut types).root(dice, &first),
        };
        target.shape = Shape::Reader(WriterSchema::avro(reader.json()));
        if dice.once_in(4) {
            target.projection = Some(projection(dice, &reader).1);
        }
        let mut decoder = match AvroFactory.open(&target) {
            Ok(decoder) => decoder,
            // A batch of so few bytes has no room for one row.
            Err(_) if target.limits.batch_bytes < 1 << 16 => return None,
            Err(error) => panic!("{error}\n{}", reader.json()),
        };
        writers.retain(|writer| {
            let writer = WriterSchema::avro(writer.json());
            decoder.prepare(SchemaKey::Id(0), &writer).is_ok()
        });
        let messages = messages(dice, &writers)?;
        let text = format!(
            "writers: {:#?}\n{target:#?}\n{messages:02x?}",
            writers.iter().map(Ty::json).collect::<Vec<_>>()
        );
        Some(Self {
            target,
            writers: writers
                .iter()
                .map(|writer| WriterSchema::avro(writer.json()))
                .collect(),
            messages,
            text,
        })
    }

    /// Decodes `messages` in calls of as many as `chunk` says, and flushes whenever the decoder is full, and at the end.
    fn outcomes(&self, messages: &[Message], mut chunk: impl FnMut() -> usize) -> Vec<Outcome> {
        let mut decoder = AvroFactory
            .open(&self.target)
            .expect("because it was opened before");
        for (id, writer) in self.writers.iter().enumerate() {
            let prepared = decoder.prepare(SchemaKey::Id(id as u32), writer);
            prepared.expect("because it was prepared before");
        }
        let rows: Vec<_> = messages.iter().map(payload).collect();
        let mut outcomes = Vec::with_capacity(rows.len());
        let (mut at, mut bad) = (0, Vec::new());
        while at < rows.len() {
            let end = at + chunk().clamp(1, rows.len() - at);
            let progress = decoder.decode(&rows[at..end], &mut |error| bad.push(error));
            at += progress.taken;
            match progress.stop {
                Stop::Done => assert_eq!(at, end, "{}", self.text),
                Stop::Full => {
                    assert!(decoder.slots() > 0, "full without a row\n{}", self.text);
                    flush(&mut *decoder, &mut bad, &mut outcomes);
                }
                other => panic!("{other:?}\n{}", self.text),
            }
        }
        flush(&mut *decoder, &mut bad, &mut outcomes);
        assert_eq!(outcomes.len(), rows.len(), "{}", self.text);
        outcomes
    }

    fn compare(&self, left: &[Outcome], right: &[Outcome], what: &str) {
        for (row, (left, right)) in left.iter().zip(right).enumerate() {
            assert!(
                left == right,
                "row {row} in {what}:\n{left:?}\n{right:?}\n{}",
                self.text
            );
        }
        assert_eq!(left.len(), right.len());
    }
}

fn payload((writer, body): &Message) -> Payload<'_> {
    let key = SchemaKey::Id(*writer as u32);
    match body {
        Some(body) => Payload::with_key(key, body),
        None => {
            let mut payload = Payload::with_key(key, &[]);
            payload.body = Body::Tombstone;
            payload
        }
    }
}

fn flush(decoder: &mut dyn Decoder, bad: &mut Vec<sabot_decode::RowError>, outcomes: &mut Vec<Outcome>) {
    let slots = decoder.flush().expect("because no message can make a flush fail");
    let start = outcomes.len();
    outcomes.extend((0..slots.batch.num_rows()).map(|row| Outcome {
        row: slots.batch.slice(row, 1),
        is_valid: slots.valid.as_ref().is_none_or(|valid| valid.value(row)),
        bad: None,
    }));
    for error in bad.drain(..) {
        let outcome = &mut outcomes[start + error.slot as usize];
        assert!(outcome.bad.is_none() && !outcome.is_valid, "{error:?}");
        outcome.bad = Some((error.byte_offset, decoder.field_path(error.node), error.kind));
    }
    let rows = &outcomes[start..];
    assert!(rows.iter().all(|row| row.is_valid == row.bad.is_none()));
}

/// Sometimes limits that small batches and messages meet.
fn limit(dice: &mut Dice<'_>, target: &mut Target) {
    let limits = &mut target.limits;
    limits.row_items = 1000;
    if dice.once_in(3) {
        limits.batch_rows = 1 + dice.below(150);
    }
    if dice.once_in(4) {
        limits.batch_bytes = 1 << (8 + dice.below(8));
        limits.row_bytes = limits.batch_bytes;
    }
    if dice.once_in(4) {
        limits.row_items = dice.below(20);
    }
    if dice.once_in(4) {
        limits.row_bytes = dice.below(100);
    }
}

/// Messages out of a few bodies, some of them spoilt; `None` without a writer.
fn messages(dice: &mut Dice<'_>, writers: &[Ty]) -> Option<Vec<Message>> {
    let mut pool: Vec<Message> = Vec::new();
    for (at, writer) in writers.iter().enumerate() {
        for (_, body) in bodies(dice, writer) {
            if dice.once_in(2) {
                let mut spoilt = body.clone();
                spoil(dice, &mut spoilt);
                pool.push((at, Some(spoilt)));
            }
            pool.push((at, Some(body)));
        }
    }
    let first = pool.first()?.clone();
    if dice.once_in(3) {
        pool.push((0, None));
    }
    // Mostly one message after the other, so that there are blocks of good ones.
    let count = dice.pick(&[80, 3, 64, 65, 128, 200]);
    let is_mixed = dice.once_in(2);
    let mut messages = Vec::with_capacity(count);
    for at in 0..count {
        messages.push(match is_mixed && !dice.is_empty() {
            true => dice.pick(&pool),
            false if dice.once_in(20) => dice.pick(&pool),
            false => pool.get(at / 64 % pool.len()).unwrap_or(&first).clone(),
        });
    }
    Some(messages)
}
