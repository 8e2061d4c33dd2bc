//! However messages are cut into calls and batches, every one of them has the same outcome.
//!
//! A call with many messages is served by the block engine where it can, a call with one by the row
//! engine; so the two are held against each other, as well as invariants 2 (rows beside a bad one
//! are unchanged) and 7 (batch splits do not matter). Messages of several writers are interleaved,
//! and spoilt.

use arrow_array::{ArrayRef, RecordBatch};
use sabot_avro::AvroFactory;
use sabot_decode::{
    Body, Decoder, DecoderFactory, OutputSchema, Payload, PlanError, RecursionType, RowError, RowErrorKind,
    SchemaKey, Stop, Target, WriterSchema,
};

use super::dice::Dice;
use super::evolve::Evolution;
use super::input::{any_projection, big_mapping, bodies, left_open, mapping, spoil};
use super::seams::{self, Seam};
use super::types::{Ty, Types};

/// What was compared, so that a test can tell that both kinds of rows occur.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) good: usize,
    pub(crate) bad: usize,
}

/// What became of the messages, in order.
#[derive(Debug, Default)]
struct Outcome {
    batches: Vec<RecordBatch>,
    /// Each message's batch, its row there, and what was wrong with it.
    rows: Vec<(usize, usize, Option<Fault>)>,
}

/// Where in a body, in which field, and what.
type Fault = (u32, String, RowErrorKind);

/// One message: the writer's position and the body, or none.
pub(crate) type Message = (usize, Option<Vec<u8>>);

/// One input: choices of writer schemas, a reader schema, a target, messages, and ways to cut them.
pub(crate) fn check(input: &[u8]) -> Tally {
    let mut dice = Dice::new(input);
    match Case::new(&mut dice) {
        Some(case) => case.check(&mut dice),
        None => Tally::default(),
    }
}

/// Every seam, in every arrangement of its messages.
pub(crate) fn check_seams() -> Tally {
    let mut total = Tally::default();
    for seam in seams::all() {
        for messages in seam.arrangements() {
            let tally = Case::of(&seam, messages).check(&mut Dice::new(&[]));
            total.good += tally.good;
            total.bad += tally.bad;
        }
    }
    total
}

impl Case {
    fn check(&self, dice: &mut Dice<'_>) -> Tally {
        let at_once = self.outcomes(&self.messages, || self.messages.len());
        let one_by_one = self.outcomes(&self.messages, || 1);
        self.compare(&at_once, &one_by_one, "one call, and one call for each message");
        let cut = self.outcomes(&self.messages, || {
            let most = dice.pick(&[200, 70, 5]);
            1 + dice.below(most)
        });
        self.compare(&at_once, &cut, "one call, and several");
        let mut good = at_once;
        let mut kept = good.rows.iter().map(|(_, _, fault)| fault.is_none());
        let mut messages = self.messages.clone();
        messages.retain(|_| kept.next().expect("because there is one for each message"));
        good.rows.retain(|(_, _, fault)| fault.is_none());
        let alone = self.outcomes(&messages, || messages.len());
        self.compare(&good, &alone, "among bad messages, and without them");
        Tally {
            good: messages.len(),
            bad: self.messages.len() - messages.len(),
        }
    }
}

struct Case {
    target: Target,
    /// Those of the writers that can be read.
    writers: Vec<WriterSchema>,
    messages: Vec<Message>,
}

/// Types that contain themselves, which random ones do not.
const RECURSIVE: [&str; 3] = [
    r#"{"type": "record", "name": "L", "fields": [{"name": "v", "type": "long"}, {"name": "next", "type": ["null", "L"]}]}"#,
    r#"{"type": "record", "name": "T", "fields": [{"name": "s", "type": "string"},
        {"name": "below", "type": {"type": "array", "items": "T"}}, {"name": "ok", "type": "boolean"}]}"#,
    r#"{"type": "record", "name": "M", "fields": [{"name": "by", "type": {"type": "map", "values": ["int", "M"]}},
        {"name": "v", "type": ["null", "double"]}]}"#,
];

impl Case {
    fn new(dice: &mut Dice<'_>) -> Option<Self> {
        if dice.once_in(10) {
            return Some(Self::recursive(dice));
        }
        if dice.once_in(6) {
            return Some(Self::seam(dice));
        }
        let mut types = if dice.once_in(3) {
            Types::with_big(dice)
        } else {
            Types::new(dice)
        };
        let first = types.root(dice);
        let mut writers = vec![first.clone()];
        for _ in 0..dice.below(3) {
            let another = Evolution::new(dice, &mut types).root(dice, &first);
            writers.push(another);
        }
        let mut target = target(dice);
        let reader = match dice.below(4) {
            0 => Some(first.clone()),
            1 => writers.last().cloned(),
            2 => Some(Evolution::new(dice, &mut types).root(dice, &first)),
            _ => None,
        };
        if let Some(reader) = &reader {
            target.output = OutputSchema::Reader(WriterSchema::avro(reader.json()));
        }
        if dice.once_in(3) {
            target.projection = Some(any_projection(dice, reader.as_ref().unwrap_or(&first)));
            target.check_tail = dice.once_in(2);
        }
        let mut decoder = open(&mut target, &first)?;
        if dice.once_in(4)
            && let Some(schema) = decoder.schema().cloned()
        {
            // Onto the columns that come out.
            (target.output, target.projection) = (OutputSchema::Arrow(schema), None);
            target.mapping = left_open(&target.mapping);
            decoder = open(&mut target, &first)?;
        }
        writers.retain(|writer| {
            let writer = WriterSchema::avro(writer.json());
            decoder.prepare(SchemaKey::Id(0), &writer).is_ok()
        });
        let messages = messages(dice, &writers, &mut target)?;
        let writers = writers.iter().map(|writer| WriterSchema::avro(writer.json()));
        Some(Self {
            target,
            writers: writers.collect(),
            messages,
        })
    }

    fn of(seam: &Seam, messages: Vec<Message>) -> Self {
        Self {
            target: seam.target.clone(),
            writers: seam.writers.clone(),
            messages,
        }
    }

    /// A seam, with its messages as they come, and perhaps spoilt.
    fn seam(dice: &mut Dice<'_>) -> Self {
        let mut seam = dice.pick(&seams::all());
        if dice.once_in(2) {
            seam.target.mapping = mapping(dice);
        }
        let messages = (0..dice.pick(&[80, 20, 64, 130])).map(|_| {
            let (writer, mut body) = dice.pick(&seam.messages);
            if let Some(body) = &mut body
                && dice.once_in(30)
            {
                spoil(dice, body);
            }
            (writer, body)
        });
        let messages = messages.collect();
        Self::of(&seam, messages)
    }

    fn recursive(dice: &mut Dice<'_>) -> Self {
        let writer = WriterSchema::avro(dice.pick(&RECURSIVE));
        let mut target = Target::default();
        target.output = OutputSchema::Reader(writer.clone());
        target.mapping = mapping(dice);
        target.mapping.recursion = dice.pick(&[
            RecursionType::Json,
            RecursionType::Binary,
            RecursionType::Unroll(1),
            RecursionType::Unroll(3),
        ]);
        let bodies = (0..=dice.below(6)).map(|_| {
            let bytes = (0..dice.below(24)).map(|_| dice.pick(&[0, 1, 2, 3, 4, 5, b'a', 0x80]));
            (0, Some(bytes.collect()))
        });
        let pool: Vec<Message> = bodies.collect();
        let messages = pool.iter().cycle().take(80).cloned().collect();
        Self {
            target,
            writers: vec![writer],
            messages,
        }
    }

    /// The case, for whoever looks into a failure.
    fn text(&self) -> String {
        let writers: Vec<_> = self.writers.iter().map(|writer| &writer.text).collect();
        format!(
            "writers: {writers:#?}\n{:#?}\n{:02x?}",
            self.target, self.messages
        )
    }

    /// Decodes `messages` in calls of as many as `chunk` says, and flushes whenever the decoder is
    /// full, and at the end.
    fn outcomes(&self, messages: &[Message], mut chunk: impl FnMut() -> usize) -> Outcome {
        let mut decoder = AvroFactory
            .open(&self.target)
            .expect("because it was opened before");
        for (id, writer) in self.writers.iter().enumerate() {
            let prepared = decoder.prepare(SchemaKey::Id(id as u32), writer);
            prepared.expect("because it was prepared before");
        }
        let rows: Vec<_> = messages.iter().map(payload).collect();
        let mut outcomes = Outcome::default();
        let (mut at, mut bad) = (0, Vec::new());
        while at < rows.len() {
            let end = at + chunk().clamp(1, rows.len() - at);
            let progress = decoder.decode(&rows[at..end], &mut |error| bad.push(error));
            at += progress.taken;
            match progress.stop {
                Stop::Done => assert_eq!(at, end, "{}", self.text()),
                Stop::Full => {
                    assert!(decoder.slots() > 0, "full without a row\n{}", self.text());
                    flush(&mut *decoder, &mut bad, &mut outcomes);
                }
                other => panic!("{other:?}\n{}", self.text()),
            }
        }
        flush(&mut *decoder, &mut bad, &mut outcomes);
        assert_eq!(outcomes.rows.len(), rows.len(), "{}", self.text());
        outcomes
    }

    fn compare(&self, left: &Outcome, right: &Outcome, what: &str) {
        assert_eq!(left.rows.len(), right.rows.len(), "{what}\n{}", self.text());
        let mut at = 0;
        while at < left.rows.len() {
            let run = left.run(at).min(right.run(at));
            let is_same = left.columns(at, run) == right.columns(at, run);
            for row in at..at + run {
                let (left_fault, right_fault) = (&left.rows[row].2, &right.rows[row].2);
                assert!(
                    left_fault == right_fault && (is_same || left.columns(row, 1) == right.columns(row, 1)),
                    "row {row} in {what}:\n{left_fault:?}\n{right_fault:?}\n{:?}\n{:?}\n{}",
                    left.columns(row, 1),
                    right.columns(row, 1),
                    self.text()
                );
            }
            // A difference may show only between the rows: in what is outside of all of them.
            assert!(is_same, "rows {at} to {} in {what}\n{}", at + run, self.text());
            at += run;
        }
    }
}

impl Outcome {
    /// How many rows from `at` on are one after the other in one batch.
    fn run(&self, at: usize) -> usize {
        let (batch, row, _) = self.rows[at];
        let rows = self.rows[at..].iter().enumerate();
        rows.take_while(|(place, (other, next, _))| *other == batch && *next == row + place)
            .count()
    }

    fn columns(&self, at: usize, count: usize) -> Vec<ArrayRef> {
        let (batch, row, _) = self.rows[at];
        let columns = self.batches[batch].columns().iter();
        columns.map(|column| column.slice(row, count)).collect()
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

fn flush(decoder: &mut dyn Decoder, bad: &mut Vec<RowError>, outcomes: &mut Outcome) {
    let slots = decoder.flush().expect("because no message can make a flush fail");
    let (batch, start) = (outcomes.batches.len(), outcomes.rows.len());
    let rows = 0..slots.batch.num_rows();
    outcomes.rows.extend(rows.map(|row| (batch, row, None)));
    outcomes.batches.push(slots.batch);
    for error in bad.drain(..) {
        let (_, _, fault) = &mut outcomes.rows[start + error.slot as usize];
        assert!(fault.is_none(), "{error:?} of a row that has another");
        *fault = Some((error.byte_offset, decoder.field_path(error.path), error.kind));
    }
    for (_, row, fault) in &outcomes.rows[start..] {
        let is_valid = slots.valid.as_ref().is_none_or(|valid| valid.value(*row));
        assert_eq!(is_valid, fault.is_none(), "row {row}");
    }
}

/// A mapping and limits.
fn target(dice: &mut Dice<'_>) -> Target {
    let mut target = Target::default();
    target.mapping = mapping(dice);
    big_mapping(dice, &mut target.mapping);
    limit(dice, &mut target);
    target
}

/// A decoder that has prepared the first writer where its schema gives the columns; `None` where
/// batches of so few bytes have no room for one row. What a projection may not do is left to the
/// tests of projections.
fn open(target: &mut Target, first: &Ty) -> Option<Box<dyn Decoder>> {
    let writer = WriterSchema::avro(first.json());
    let attempt = |target: &Target| {
        let mut decoder = AvroFactory.open(target)?;
        if target.output == OutputSchema::FirstWriter {
            decoder.prepare(SchemaKey::Id(0), &writer)?;
        }
        Ok::<_, PlanError>(decoder)
    };
    let mut opened = attempt(target);
    if opened.is_err() && target.projection.take().is_some() {
        opened = attempt(target);
    }
    match opened {
        Ok(decoder) => Some(decoder),
        Err(_) if target.limits.batch_bytes < 1 << 16 => None,
        // A big-decimal may be read onto a negative scale, and the column that it becomes cannot be
        // given.
        Err(error) if error.to_string().contains("has a negative scale") => None,
        Err(error) => panic!("{error}\n{target:#?}\n{}", first.json()),
    }
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
    if dice.once_in(3) {
        limits.row_items = dice.below(10);
    }
    if dice.once_in(4) {
        limits.row_bytes = dice.below(100);
    }
}

/// Messages out of a few bodies, some of them spoilt; `None` without a writer. Sometimes they meet
/// the limits just so.
fn messages(dice: &mut Dice<'_>, writers: &[Ty], target: &mut Target) -> Option<Vec<Message>> {
    let (mut good, mut spoilt): (Vec<Message>, Vec<Message>) = Default::default();
    for (at, writer) in writers.iter().enumerate() {
        for (val, body) in bodies(dice, writer) {
            match dice.below(12) {
                10 => target.limits.row_items = val.items().saturating_sub(dice.below(2)),
                11 => target.limits.row_bytes = body.len().saturating_sub(dice.below(2)),
                _ => {}
            }
            if dice.once_in(2) {
                let mut body = body.clone();
                spoil(dice, &mut body);
                spoilt.push((at, Some(body)));
            }
            good.push((at, Some(body)));
        }
    }
    let first = good.first()?.clone();
    spoilt.push((0, None));
    spoilt.push(first);
    // Mostly one good message after the other, so that there are blocks: many of one writer, of few
    // values or one.
    let count = dice.pick(&[80, 3, 64, 65, 128, 200]);
    let run = dice.pick(&[64, 1, 10]);
    let is_mixed = dice.once_in(3);
    let mut messages = Vec::with_capacity(count);
    for at in 0..count {
        messages.push(match is_mixed && !dice.is_empty() {
            true if dice.once_in(2) => dice.pick(&spoilt),
            true => dice.pick(&good),
            false if dice.once_in(20) => dice.pick(&spoilt),
            false => good[at / run % good.len()].clone(),
        });
    }
    if run < 64 && !is_mixed && dice.once_in(2) {
        // Long runs of one writer, rather than writers in turn.
        messages.sort_by_key(|(writer, _)| *writer);
    }
    Some(messages)
}
