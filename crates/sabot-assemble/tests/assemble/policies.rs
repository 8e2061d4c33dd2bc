//! What becomes of bad rows.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use sabot_assemble::{OnError, Part as MessagePart, PushStop, Tombstones};
use sabot_decode::Target;

use crate::support::{Bench, Message, PLAIN, Part, UNUSABLE, options, toy};

fn row(id: i32) -> Part {
    Part::row(PLAIN, id, "name")
}

fn offsets(batch: &RecordBatch) -> Vec<i64> {
    batch
        .column_by_name("_offset")
        .unwrap()
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

#[test]
fn fail_gives_every_row_before_the_bad_one_and_no_more() {
    // The bad row: its value, its key, or both; and known to be bad, or found so.
    for (key, value) in [
        (row(1), Part::short()),
        (Part::short(), row(1)),
        (Part::short(), Part::short()),
        (row(1), Part::Misframed),
        (row(1), Part::row(UNUSABLE, 1, "name")),
    ] {
        for bad_at in [0, 1, 1023, 1024, 1500] {
            let mut messages: Vec<_> = (0..2000)
                .map(|offset| Message::keyed(offset, row(1), row(2)))
                .collect();
            messages[bad_at] = Message::keyed(bad_at as i64, key.clone(), value.clone());
            messages[1600] = Message::new(1600, Part::short());
            let mut bench = Bench::toys(options(|_| {}), true);
            let pushed = bench.push(&messages);
            assert_eq!(pushed.taken, bad_at);
            let PushStop::Failed(bad) = pushed.stop else {
                panic!("{:?}", pushed.stop)
            };
            assert_eq!(bad.offset, bad_at as i64);
            assert_eq!(bad.part == MessagePart::Value, value != row(1));

            // Nothing more is taken until the rows before it are handed over; then the bad row is
            // the next.
            if bad_at > 0 {
                let again = bench.push(&messages[bad_at + 1..]);
                assert!(again.taken == 0 && matches!(again.stop, PushStop::Full));
            }
            let assembled = bench.assembler.finish().unwrap();
            assert_eq!(offsets(&assembled.batch), (0..bad_at as i64).collect::<Vec<_>>());
            assert!(assembled.bad.is_empty() && bench.dead.is_empty());
            assert_eq!(assembled.records, bad_at);
            assert!(matches!(
                bench.push(&messages[bad_at..]).stop,
                PushStop::Failed(_)
            ));
            assert_eq!(bench.assembler.finish().unwrap().records, 0);

            // The caller may leave it out, and goes on as if it had never been.
            let pushed = bench.push(&messages[bad_at + 1..1600]);
            assert!(matches!(pushed.stop, PushStop::Done), "{pushed:?}");
            let rest = bench.assembler.finish().unwrap().batch;
            assert_eq!(offsets(&rest), (bad_at as i64 + 1..1600).collect::<Vec<_>>());
        }
    }
}

#[test]
fn dead_letters_carry_the_record_once() {
    let options = options(|options| options.on_error = OnError::DeadLetter);
    let mut bench = Bench::toys(options, true);
    let messages = [
        Message::keyed(0, row(1), row(1)),
        Message::keyed(1, Part::short(), Part::short()),
        Message::keyed(2, row(1), Part::short()),
        Message::keyed(3, Part::short(), row(1)),
    ];
    let assembled = bench.batch(&messages);
    assert_eq!(offsets(&assembled.batch), [0]);
    let reports: Vec<_> = assembled.bad.iter().map(|bad| (bad.offset, bad.part)).collect();
    let expected = [
        (1, MessagePart::Key),
        (1, MessagePart::Value),
        (2, MessagePart::Value),
        (3, MessagePart::Key),
    ];
    assert_eq!(reports, expected);
    let dead: Vec<_> = bench
        .dead
        .iter()
        .map(|(bad, offset)| (bad.offset, bad.part, *offset))
        .collect();
    assert_eq!(
        dead,
        [
            (1, MessagePart::Key, 1),
            (2, MessagePart::Value, 2),
            (3, MessagePart::Key, 3)
        ]
    );
}

#[test]
fn null_keeps_the_row_and_says_why() {
    let options = options(|options| {
        options.on_error = OnError::Null;
        options.tombstones = Tombstones::Drop;
        (options.error_column, options.raw_column) = (true, true);
    });
    let mut bench = Bench::toys(options, true);
    let messages = [
        Message::keyed(0, row(1), row(2)),
        Message::keyed(1, row(3), Part::Null),
        Message::keyed(2, Part::short(), Part::Framed(PLAIN, vec![1])),
        Message::keyed(3, Part::short(), row(4)),
        Message::keyed(4, row(5), row(6)),
    ];
    let batch = bench.batch(&messages).batch;
    assert_eq!(offsets(&batch), [0, 2, 3, 4]);
    let errors: Vec<_> = batch
        .column_by_name("_error")
        .unwrap()
        .as_string::<i32>()
        .iter()
        .collect();
    let key = "key, schema 1, field id, byte 7: the message ends inside a value";
    let both = format!("{key}; value, schema 1, field id, byte 6: the message ends inside a value");
    assert_eq!(errors, [None, Some(both.as_str()), Some(key), None]);
    let raw: Vec<_> = batch
        .column_by_name("_raw")
        .unwrap()
        .as_binary::<i32>()
        .iter()
        .collect();
    let raw_of = |message: usize| messages[message].value.raw();
    let raw: Vec<_> = raw.into_iter().map(|raw| raw.map(<[u8]>::to_vec)).collect();
    assert_eq!(raw, [None, raw_of(2), raw_of(3), None]);
    let is_null = |column: &str| {
        let column = batch.column_by_name(column).unwrap();
        (0..4).map(|row| column.is_null(row)).collect::<Vec<_>>()
    };
    assert_eq!(is_null("key"), [false, true, true, false]);
    assert_eq!(is_null("id"), [false, true, false, false]);
}

#[test]
fn raw_values_fill_a_batch_too() {
    let options = options(|options| {
        options.on_error = OnError::Null;
        options.raw_column = true;
        options.batch_bytes = 10_000;
    });
    let mut bench = Bench::toys(options, false);
    let bad = Part::Framed(PLAIN, vec![0xff; 4000]);
    let messages: Vec<_> = (0..9).map(|offset| Message::new(offset, bad.clone())).collect();
    let mut next = 0;
    let mut seen = Vec::new();
    while next < messages.len() {
        let pushed = bench.push(&messages[next..]);
        assert!((1..=2).contains(&pushed.taken), "{pushed:?}");
        next += pushed.taken;
        let assembled = bench.assembler.finish().unwrap();
        let raw = assembled
            .batch
            .column_by_name("_raw")
            .unwrap()
            .as_binary::<i32>()
            .clone();
        assert!(raw.iter().all(|raw| raw == bad.raw().as_deref()));
        seen.extend(assembled.bad.iter().map(|bad| bad.offset));
    }
    assert_eq!(seen, (0..9).collect::<Vec<_>>());
}

#[test]
fn a_report_is_one_line() {
    let options = options(|options| options.on_error = OnError::Skip);
    let mut bench = Bench::new(options, None, toy(&Target::default()));
    let mut messages = [
        Message::new(10, Part::Framed(PLAIN, b"\0\0\0\x01\x05ab".to_vec())),
        Message::new(11, Part::Misframed),
        Message::new(12, Part::row(UNUSABLE, 1, "one")),
        Message::new(13, Part::Bare(b"\0\0\0\x01\x01\xff".to_vec())),
    ];
    messages[0].topic = "orders".into();
    messages[0].partition = 3;
    let bad = bench.batch(&messages).bad;
    let lines: Vec<_> = bad.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "orders[3] at offset 10: value, schema 1, field name, byte 12: the message ends inside a value",
            "t[0] at offset 11: value, byte 0: invalid magic byte 0x6d: the payload is not in the registry's wire \
             format (it looks like text)",
            "t[0] at offset 12: value, schema 3, byte 5: the writer schema cannot be used \
             (field id: not of the form `ids+N`)",
            "t[0] at offset 13: value, field name, byte 5: the string is not valid UTF-8",
        ]
    );
}
