//! What a decoder keeps, and how much it takes.

use sabot_avro::AvroFactory;
use sabot_decode::{Decoder, DecoderFactory, Payload, RowErrorKind, SchemaKey, Stop, Target, WriterSchema};
use sabot_testkit::avro::{long, sized};

use crate::common::{KEY, decode, decode_once, feed, fields, open, reader, record, refusal};

/// Decodes everything, flushing where it is full: the rows of each batch, and the errors.
fn drain(decoder: &mut dyn Decoder, bodies: &[Vec<u8>]) -> (Vec<usize>, Vec<RowErrorKind>) {
    let rows: Vec<_> = bodies.iter().map(|body| Payload::with_key(KEY, body)).collect();
    let (mut taken, mut batches, mut errors) = (0, Vec::new(), Vec::new());
    loop {
        let progress = decoder.decode(&rows[taken..], &mut |error| errors.push(error.kind));
        taken += progress.taken;
        if decoder.slots() > 0 {
            batches.push(decoder.flush().expect("a flush").batch.num_rows());
        }
        match progress.stop {
            Stop::Done => return (batches, errors),
            Stop::Full => assert!(progress.taken > 0, "full and empty"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn few_bytes_cannot_become_many() {
    // A byte for each null, and a kilobyte for each null in the column.
    let writer =
        record(r#"{"type": "array", "items": ["null", {"type": "fixed", "name": "F", "size": 1024}]}"#);
    let nulls = |count: usize| [long(count as i64), vec![0; count], long(0)].concat();
    let mut target = Target::default();
    target.limits.batch_bytes = 1 << 20;
    target.limits.row_bytes = 2 << 20;
    let mut decoder = open(&target, &writer).unwrap();
    // Four rows of 300 kB each: at most three are in one batch, however short the messages are.
    let (batches, errors) = drain(&mut *decoder, &[nulls(300), nulls(300), nulls(300), nulls(300)]);
    assert_eq!((batches, errors), (vec![3, 1], vec![]));
    // One row larger than a batch has a batch to itself, up to the larger limit.
    let (batches, errors) = drain(
        &mut *decoder,
        &[nulls(1), nulls(1500), nulls(1), nulls(2500), nulls(1)],
    );
    assert_eq!(batches, [1, 1, 3]);
    assert_eq!(
        errors,
        [RowErrorKind::LimitExceeded("bytes of one row in the columns")]
    );

    // The same by defaults for items without bytes.
    let items = |fields: &str| {
        record(&format!(
            r#"{{"type": "array", "items": {{"type": "record", "name": "P", "fields": [{fields}]}}}}"#
        ))
    };
    let default = format!(
        r#"{{"name": "d", "type": "string", "default": "{}"}}"#,
        "x".repeat(1000)
    );
    let mut target = reader(&items(&default));
    target.limits.batch_bytes = 1 << 20;
    target.limits.row_bytes = 1 << 20;
    let count = |count: i64| [long(count), long(0)].concat();
    // Seventy of them are more than a batch.
    let decoded = decode_once(&target, &items(""), &[count(500), count(1 << 19), count(1)]);
    assert_eq!(decoded.bad.len(), 1);
    assert_eq!(
        decoded.bad[0].3,
        RowErrorKind::LimitExceeded("bytes of one row in the columns")
    );
}

#[test]
fn placeholders_fill_a_batch() {
    let writer = record(r#"["null", {"type": "fixed", "name": "F", "size": 100000}]"#);
    let mut target = Target::default();
    target.limits.batch_bytes = 1 << 20;
    let mut decoder = open(&target, &writer).unwrap();
    let broken = Payload::with_key(KEY, &[4]);
    for row in [Payload::tombstone(), broken] {
        let progress = decoder.decode(&[row; 1000], &mut |_| {});
        assert_eq!(progress.stop, Stop::Full);
        assert!(
            progress.taken < 16 && decoder.buffered_bytes() < 2 << 20,
            "{progress:?}"
        );
        assert_eq!(decoder.flush().unwrap().batch.num_rows(), progress.taken);
    }
}

#[test]
fn a_row_that_no_batch_can_hold_is_refused_at_once() {
    let writer = record(r#"["null", {"type": "fixed", "name": "F", "size": 2147483647}]"#);
    let error = open(&Target::default(), &writer).unwrap_err();
    assert!(
        error.to_string().contains("more than a batch may hold"),
        "{error}"
    );
}

#[test]
fn a_small_schema_cannot_become_a_large_one() {
    let many = |ty: &str, count: usize| {
        let fields = (0..count).map(|at| format!(r#"{{"name": "f{at}", "type": {ty}}}"#));
        fields.collect::<Vec<_>>().join(", ")
    };
    let defining = |first: &str, rest: &str, count: usize| {
        fields(&format!(
            r#"{{"name": "g", "type": {first}}}, {}"#,
            many(rest, count)
        ))
    };
    let long = "x".repeat(100_000);

    // Documentation, names and symbols are repeated in Arrow's fields.
    let documented = format!(r#"{{"type": "fixed", "name": "F", "size": 1, "doc": "{long}"}}"#);
    let named =
        format!(r#"{{"type": "record", "name": "P", "fields": [{{"name": "{long}", "type": "int"}}]}}"#);
    let symbols = (0..10_000)
        .map(|at| format!(r#""symbol_{at}""#))
        .collect::<Vec<_>>();
    let symbols = format!(
        r#"{{"type": "enum", "name": "E", "symbols": [{}]}}"#,
        symbols.join(", ")
    );
    for (first, name) in [(documented, "F"), (named.clone(), "P"), (symbols, "E")] {
        let error = refusal(&Target::default(), &defining(&first, &format!("{name:?}"), 1000));
        assert!(error.contains("the schema unrolls to more than"), "{error}");
    }

    // A writer's names are repeated in the paths of errors, whatever the reader keeps of them.
    let kept = r#"{"type": "record", "name": "P", "fields": []}"#;
    let error = refusal(
        &reader(&defining(kept, r#""P""#, 1000)),
        &defining(&named, r#""P""#, 1000),
    );
    assert!(error.contains("to resolve"), "{error}");

    // Defaults are repeated in records that are defaults themselves.
    let inner = format!(
        r#"{{"type": "record", "name": "P", "fields": [{{"name": "d", "type": "string", "default": "{long}"}}]}}"#
    );
    let default = vec!["{}"; 1000].join(", ");
    let outer = fields(&format!(
        r#"{{"name": "f", "type": {{"type": "array", "items": {inner}}}, "default": [{default}]}}"#
    ));
    let error = refusal(&reader(&outer), &fields(""));
    assert!(error.contains("too large or too deep"), "{error}");

    // What is wrong with a large default is said without it.
    let error = refusal(
        &reader(&fields(&format!(
            r#"{{"name": "f", "type": ["int", "null"], "default": "{long}"}}"#
        ))),
        &fields(""),
    );
    assert!(error.contains("(a text of 100000 bytes)"), "{error}");
}

#[test]
fn items_are_counted_over_all_lists() {
    let writer = fields(
        r#"{"name": "a", "type": {"type": "array", "items": "null"}}, {"name": "b", "type": {"type": "map", "values": "null"}}"#,
    );
    let mut target = Target::default();
    target.limits.row_items = 3;
    let body = |a: i64, b: usize| {
        let entries = [
            long(b as i64),
            sized("").repeat(b),
            if b > 0 { long(0) } else { vec![] },
        ]
        .concat();
        [
            if a > 0 {
                [long(a), long(0)].concat()
            } else {
                long(0)
            },
            entries,
        ]
        .concat()
    };
    let decoded = decode(
        &target,
        &writer,
        &[body(3, 0), body(1, 2), body(2, 2), body(4, 0), body(0, 3)],
    );
    let kinds: Vec<_> = decoded
        .bad
        .iter()
        .map(|bad| (bad.0, bad.2.as_str(), bad.3))
        .collect();
    let limit = RowErrorKind::LimitExceeded("items in one message");
    assert_eq!(kinds, [(2, "b", limit), (3, "a", limit)]);
}

#[test]
fn messages_and_batches_are_bounded() {
    let mut target = Target::default();
    target.limits.row_bytes = 4;
    target.limits.batch_rows = 2;
    let mut decoder = open(&target, &record(r#""bytes""#)).unwrap();
    let (batches, errors) = drain(
        &mut *decoder,
        &[sized("abc"), sized("abcd"), sized("a"), sized("")],
    );
    assert_eq!(batches, [2, 2]);
    assert_eq!(errors, [RowErrorKind::LimitExceeded("bytes in one message")]);
}

#[test]
fn the_plans_prepared_last_are_kept() {
    let mut target = Target::default();
    target.limits.plans = 2;
    let mut decoder = AvroFactory.open(&target).unwrap();
    let writer = WriterSchema::avro(record(r#""int""#));
    let decode = |decoder: &mut dyn Decoder, id: u32| {
        decoder.decode(&[Payload::with_key(SchemaKey::Id(id), &[2])], &mut |error| {
            panic!("{error:?}")
        })
    };
    for id in [1, 2, 1, 3] {
        decoder.prepare(SchemaKey::Id(id), &writer).unwrap();
    }
    // Id 2 is the one prepared longest ago.
    assert_eq!(decode(&mut *decoder, 1).stop, Stop::Done);
    assert_eq!(decode(&mut *decoder, 3).stop, Stop::Done);
    assert_eq!(decode(&mut *decoder, 2).stop, Stop::NeedsSchema(SchemaKey::Id(2)));
    decoder.prepare(SchemaKey::Id(2), &writer).unwrap();
    assert_eq!(decode(&mut *decoder, 2).stop, Stop::Done);
    assert_eq!(decode(&mut *decoder, 1).stop, Stop::NeedsSchema(SchemaKey::Id(1)));
    assert_eq!(decoder.slots(), 3);
}

#[test]
fn slots_before_the_first_schema_get_its_columns() {
    let mut decoder = AvroFactory.open(&Target::default()).unwrap();
    let refused = Payload::refused(KEY, RowErrorKind::UnknownSchema);
    let progress = decoder.decode(&[Payload::tombstone(), refused], &mut |error| {
        assert_eq!(error.slot, 1);
    });
    assert_eq!((progress.taken, decoder.slots()), (2, 2));
    decoder
        .prepare(KEY, &WriterSchema::avro(record(r#"["null", "string"]"#)))
        .unwrap();
    let body = [long(1), sized("x")].concat();
    let decoded = feed(&mut *decoder, &[Payload::with_key(KEY, &body)]);
    assert_eq!(decoded.column("f"), ["null", "null", "x"]);
    // Unless they would be more than a batch with them: they are one of their own then.
    let mut decoder = AvroFactory.open(&Target::default()).unwrap();
    decoder.decode(&[Payload::tombstone(); 3000], &mut |_| {});
    let wide = record(r#"{"type": "fixed", "name": "F", "size": 1000000}"#);
    decoder.prepare(KEY, &WriterSchema::avro(wide)).unwrap();
    let body = vec![7; 1_000_000];
    let row = Payload::with_key(KEY, &body);
    let progress = decoder.decode(&[row], &mut |error| panic!("{error:?}"));
    assert_eq!((progress.taken, progress.stop), (0, Stop::Full));
    let batch = decoder.flush().unwrap().batch;
    assert_eq!((batch.num_rows(), batch.num_columns()), (3000, 0));
    assert_eq!(feed(&mut *decoder, &[row]).column("f").len(), 1);
    // And without any schema there are rows without columns.
    let mut decoder = AvroFactory.open(&Target::default()).unwrap();
    decoder.decode(&[Payload::tombstone()], &mut |_| {});
    let batch = decoder.flush().unwrap().batch;
    assert_eq!((batch.num_rows(), batch.num_columns()), (1, 0));
}

#[test]
fn a_schema_that_fails_changes_nothing() {
    let mut decoder = AvroFactory.open(&Target::default()).unwrap();
    decoder.prepare(KEY, &WriterSchema::avro("{")).unwrap_err();
    assert!(decoder.schema().is_none());
    decoder
        .prepare(KEY, &WriterSchema::avro(record(r#""int""#)))
        .unwrap();
    decoder
        .prepare(KEY, &WriterSchema::avro(record(r#""string""#)))
        .unwrap_err();
    assert_eq!(
        feed(&mut *decoder, &[Payload::with_key(KEY, &[2])]).column("f"),
        ["1"]
    );
}

#[test]
fn counts_too_large_to_be_multiplied() {
    let wide = r#"["null", {"type": "fixed", "name": "F", "size": 134217728}]"#;
    let writer = record(&format!(r#"{{"type": "array", "items": {wide}}}"#));
    let count = i64::from(u32::MAX);
    let bodies = vec![[long(count), vec![0; 3]].concat(); 70];
    let mut target = Target::default();
    target.limits.row_items = usize::MAX;
    let decoded = decode_once(&target, &writer, &bodies);
    let kinds: Vec<_> = decoded.bad.iter().map(|(.., kind)| *kind).collect();
    assert_eq!(kinds, vec![RowErrorKind::InvalidLength(count); 70]);
}
