//! Writer schemas: fetched when asked for, refused, unavailable, forgotten.

use std::cell::Cell;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use sabot_assemble::{OnError, PushStop};
use sabot_decode::{
    Decoder, FieldPathId, FlushError, MessagePath, Payload, PlanError, Progress, RowError, RowErrorKind,
    SchemaKey, Slots, Stop, Target, WriterSchema,
};
use sabot_testkit::Schemas;
use sabot_testkit::toy::ToyFactory;

use crate::one_column::OneColumn;
use crate::support::{Bench, Message, PLAIN, Part, SHIFTED, UNKNOWN, UNUSABLE, options, toy};

fn message(offset: i64, key: SchemaKey) -> Message {
    Message::new(offset, Part::row(key, 1, "one"))
}

fn skipping(has_key: bool) -> Bench {
    Bench::toys(options(|options| options.on_error = OnError::Skip), has_key)
}

#[test]
fn each_schema_is_fetched_once() {
    let mut bench = skipping(true);
    let messages: Vec<_> = (0..100)
        .map(|offset| {
            let key = if offset % 2 == 0 { PLAIN } else { SHIFTED };
            Message::keyed(offset, Part::row(key, 1, "one"), Part::row(key, 1, "one"))
        })
        .collect();
    assert_eq!(bench.batch(&messages).batch.num_rows(), 100);
    assert_eq!(bench.batch(&messages).batch.num_rows(), 100);
    // Once for each decoder: they compile plans of their own.
    assert_eq!(bench.schemas.asked, [PLAIN, SHIFTED, PLAIN, SHIFTED]);
}

#[test]
fn no_schema_is_fetched_for_a_decoder_that_needs_none() {
    let mut bench = Bench::new(options(|_| {}), None, OneColumn::ints("v"));
    let framed = Part::Framed(UNKNOWN, vec![1]);
    assert_eq!(bench.batch(&[Message::new(0, framed)]).batch.num_rows(), 1);
    assert!(bench.schemas.asked.is_empty());
}

#[test]
fn an_unknown_schema_condemns_its_rows_until_it_is_known() {
    let mut bench = skipping(false);
    let messages: Vec<_> = (0..40)
        .map(|offset| message(offset, if offset % 4 == 3 { PLAIN } else { UNKNOWN }))
        .collect();
    let assembled = bench.batch(&messages);
    assert_eq!(assembled.batch.num_rows(), 10);
    assert_eq!(assembled.bad.len(), 30);
    for bad in &assembled.bad {
        assert_eq!((bad.kind, bad.schema), (RowErrorKind::UnknownSchema, UNKNOWN));
        assert_eq!(bad.detail.as_deref(), Some("the source does not have it"));
    }
    assert_eq!(bench.schemas.asked, [UNKNOWN, PLAIN], "asked once a push");
    assert_eq!(bench.batch(&messages[..3]).bad.len(), 3);
    assert_eq!(bench.schemas.asked.len(), 3);
    bench.schemas.known.insert(UNKNOWN, ToyFactory::writer(5));
    assert_eq!(bench.batch(&messages).batch.num_rows(), 40);
}

#[test]
fn an_unusable_schema_is_fetched_once() {
    let mut bench = skipping(true);
    let messages = [
        Message::keyed(0, Part::row(PLAIN, 1, "one"), Part::row(UNUSABLE, 1, "one")),
        Message::keyed(1, Part::row(UNUSABLE, 1, "one"), Part::row(PLAIN, 1, "one")),
        Message::keyed(2, Part::row(PLAIN, 1, "one"), Part::row(PLAIN, 1, "one")),
    ];
    for _ in 0..2 {
        let assembled = bench.batch(&messages);
        assert_eq!(assembled.batch.num_rows(), 1);
        for bad in &assembled.bad {
            assert_eq!((bad.kind, bad.schema), (RowErrorKind::UnusableSchema, UNUSABLE));
            assert_eq!(bad.detail.as_deref(), Some("field id: not of the form `ids+N`"));
        }
        assert_eq!(assembled.bad.len(), 2);
    }
    let asked = bench.schemas.asked.iter().filter(|key| **key == UNUSABLE).count();
    assert_eq!(asked, 2, "once for each decoder");
}

#[test]
fn an_unavailable_schema_loses_nothing() {
    // It is wanted for a value, or for a key whose value can be had.
    for (key, value) in [(PLAIN, SHIFTED), (SHIFTED, PLAIN)] {
        let mut bench = Bench::toys(options(|_| {}), true);
        let plain = |offset| Message::keyed(offset, Part::row(PLAIN, 1, "one"), Part::row(PLAIN, 1, "one"));
        let messages = [
            plain(0),
            plain(1),
            Message::keyed(2, Part::row(key, 1, "one"), Part::row(value, 1, "one")),
            plain(3),
        ];
        bench.schemas.unavailable = vec![SHIFTED];
        let pushed = bench.push(&messages);
        assert_eq!(pushed.taken, 2);
        assert!(
            matches!(&pushed.stop, PushStop::Unavailable(error) if error.to_string().contains("switched off"))
        );
        let mut records = 0;
        bench.schemas.unavailable.clear();
        let mut next = 2;
        while next < messages.len() {
            let pushed = bench.push(&messages[next..]);
            next += pushed.taken;
            if !matches!(pushed.stop, PushStop::Done) {
                assert!(matches!(pushed.stop, PushStop::Full), "{pushed:?}");
                records += bench.assembler.finish().unwrap().records;
            }
        }
        assert_eq!(records + bench.assembler.finish().unwrap().records, 4);
    }
}

#[test]
fn forgotten_plans_are_fetched_again() {
    let mut target = Target::default();
    target.limits.plans = 1;
    let mut bench = Bench::new(options(|_| {}), Some(toy(&target)), toy(&target));
    let messages: Vec<_> = (0..20)
        .map(|offset| {
            let (key, value) = if offset % 2 == 0 {
                (PLAIN, SHIFTED)
            } else {
                (SHIFTED, PLAIN)
            };
            Message::keyed(offset, Part::row(key, 1, "one"), Part::row(value, 1, "one"))
        })
        .collect();
    assert_eq!(bench.batch(&messages).batch.num_rows(), 20);
}

#[test]
fn a_message_that_its_schema_lacks_condemns_no_other() {
    let mut bench = skipping(false);
    bench.schemas = Schemas::new([(PLAIN, ToyFactory::writer_of(&[0, 100]))]);
    // The first, second and third message of a schema that has two, in turn.
    let value = |index| Part::Message(PLAIN, index, ToyFactory::body(1, "one"));
    let messages: Vec<_> = (0..9_u8)
        .map(|at| Message::new(at.into(), value(at % 3)))
        .collect();
    let assembled = bench.batch(&messages);
    let ids = assembled.batch.column(0).as_primitive::<Int32Type>();
    assert_eq!(ids.values()[..], [1, 101, 1, 101, 1, 101]);
    assert_eq!(assembled.bad.len(), 3);
    for (bad, offset) in assembled.bad.iter().zip([2, 5, 8]) {
        assert_eq!((bad.offset, bad.kind), (offset, RowErrorKind::NoSuchMessage));
        assert_eq!(bad.detail.as_deref(), Some("the schema has no message [2]"));
    }
}

/// Asks for the schema of every payload, whatever it is given; refused ones it takes.
#[derive(Debug)]
struct NeverContent(Box<dyn Decoder>, Cell<usize>);

impl Decoder for NeverContent {
    fn schema(&self) -> Option<&arrow_schema::SchemaRef> {
        self.0.schema()
    }

    fn prepare_message(
        &mut self,
        _: SchemaKey,
        _: MessagePath<'_>,
        _: &WriterSchema,
    ) -> Result<(), PlanError> {
        self.1.set(self.1.get() + 1);
        Ok(())
    }

    fn decode(&mut self, rows: &[Payload<'_>], bad: &mut dyn FnMut(RowError)) -> Progress {
        let has_bytes = |row: &Payload<'_>| matches!(row.body, sabot_decode::Body::Bytes(_));
        let count = rows.iter().position(has_bytes).unwrap_or(rows.len());
        let progress = self.0.decode(&rows[..count], bad);
        match rows.get(count) {
            Some(row) => Progress {
                stop: Stop::NeedsSchema(row.key),
                ..progress
            },
            None => progress,
        }
    }

    fn slots(&self) -> usize {
        self.0.slots()
    }

    fn buffered_bytes(&self) -> usize {
        self.0.buffered_bytes()
    }

    fn flush(&mut self) -> Result<Slots, FlushError> {
        self.0.flush()
    }

    fn field_path(&self, path: FieldPathId) -> String {
        self.0.field_path(path)
    }
}

#[test]
fn a_decoder_that_keeps_asking_ends_in_bad_rows() {
    let decoder = NeverContent(toy(&Target::default()), Cell::new(0));
    let options = options(|options| options.on_error = OnError::Skip);
    let mut bench = Bench::new(options, None, Box::new(decoder));
    let assembled = bench.batch(&[message(0, PLAIN), message(1, PLAIN), message(2, SHIFTED)]);
    assert_eq!(assembled.bad.len(), 3);
    assert!(
        assembled
            .bad
            .iter()
            .all(|bad| bad.kind == RowErrorKind::UnusableSchema)
    );
    assert!(
        assembled.bad[0]
            .detail
            .as_deref()
            .unwrap()
            .contains("did not keep")
    );
    assert_eq!(bench.schemas.asked, [PLAIN, SHIFTED]);
}
