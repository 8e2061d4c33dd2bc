//! The driver, over formats small enough to be right at sight.

mod toy;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt8Type;
use sabot_decode::{
    Body, Decoder, MessagePath, MessagePathBuf, OutputSchema, Payload, RowError, RowErrorKind, SchemaKey,
    Slots, Stop, Target,
};
use sabot_testkit::conformance::{self, Corpus};
use toy::{Inferred, ToyFactory, body, schema};

const KEYS: [SchemaKey; 3] = [SchemaKey::Id(1), SchemaKey::Id(2), SchemaKey::GlobalId(2)];

#[test]
fn it_conforms() {
    let corpus = (Corpus::new().schema(KEYS[0], schema("0")))
        .schema(KEYS[1], schema("100,200"))
        .good(KEYS[0], body(b"one"))
        .good(KEYS[1], body(b""))
        .good(KEYS[1], body(&[7; 40]))
        .good(
            (KEYS[1], MessagePathBuf::new(&[1]).expect("one index")),
            body(b"two"),
        )
        .bad(KEYS[0], b"")
        .bad(KEYS[0], b"\x02a")
        .bad(KEYS[1], b"\x02abc");
    for by_blocks in [true, false] {
        let factory = ToyFactory { by_blocks };
        conformance::check(&factory, &Target::default(), &corpus);
        let mut given = Target::default();
        given.output = OutputSchema::Reader(schema("0"));
        conformance::check(&factory, &given, &corpus);
    }
}

/// What a decoder made of some rows: the items of each good one, and what was wrong with the
/// others.
type Decoded = (Vec<Option<Vec<u8>>>, Vec<RowError>);

fn decode(decoder: &mut dyn Decoder, mut rows: &[Payload<'_>]) -> Decoded {
    let mut decoded = Decoded::default();
    loop {
        let first_slot = decoded.0.len() as u32;
        let progress = decoder.decode(rows, &mut |mut error| {
            error.slot += first_slot;
            decoded.1.push(error);
        });
        rows = &rows[progress.taken..];
        match progress.stop {
            Stop::NeedsSchema(key) => {
                let text = if key == KEYS[0] { "0,1" } else { "100,101" };
                let prepared = decoder.prepare_message(key, rows[0].path, &schema(text));
                prepared.expect("the schema has the message");
            }
            Stop::Full | Stop::Done => {
                read(&decoder.flush().expect("columns fit together"), &mut decoded.0);
                if progress.stop == Stop::Done {
                    return decoded;
                }
            }
        }
    }
}

fn read(slots: &Slots, rows: &mut Vec<Option<Vec<u8>>>) {
    let lists = slots.batch.column(0).as_list::<i32>();
    for row in 0..slots.batch.num_rows() {
        let is_good = slots.valid.as_ref().is_none_or(|valid| valid.value(row));
        let items = lists.value(row);
        rows.push(is_good.then(|| items.as_primitive::<UInt8Type>().values().to_vec()));
    }
}

/// Rows of several schemas and messages, some of them bad, in runs and mixed.
fn random_bodies(rng: &mut fastrand::Rng) -> Vec<(SchemaKey, bool, Vec<u8>)> {
    let (bad_one_in, change_one_in) = (1 << rng.u32(0..8), 1 << rng.u32(0..7));
    let mut of = (KEYS[0], false);
    let rows = (0..rng.usize(1..400)).map(|_| {
        if rng.u32(0..change_one_in) == 0 {
            of = (KEYS[rng.usize(0..KEYS.len())], rng.bool());
        }
        let mut body = body(&vec![rng.u8(..); rng.usize(0..6)]);
        if rng.u32(0..bad_one_in) == 0 {
            body[0] ^= 1;
        }
        (of.0, of.1, body)
    });
    rows.collect()
}

/// The path of the second message of a schema, as frames hold it.
const SECOND: &[u8] = &[2, 2];

fn payload(row: &(SchemaKey, bool, Vec<u8>)) -> Payload<'_> {
    let (key, is_second, body) = row;
    let mut payload = Payload::with_key(*key, body);
    if *is_second {
        payload.path = MessagePath::split(SECOND).expect("it is well-formed").0;
    }
    payload
}

#[test]
fn blocks_come_to_what_rows_come_to() {
    let mut rng = fastrand::Rng::with_seed(7);
    let (mut block_rows, mut single_rows) = (0, 0);
    for _ in 0..300 {
        let bodies = random_bodies(&mut rng);
        let rows: Vec<_> = bodies.iter().map(payload).collect();
        let mut target = Target::default();
        target.limits.batch_rows = rng.usize(1..300);
        target.limits.batch_bytes = rng.usize(1..20_000);
        target.limits.row_items = rng.usize(3..7);
        target.limits.plans = rng.usize(1..7);
        let open = |by_blocks| ToyFactory { by_blocks }.driver(&target).expect("it opens");
        let (mut blocks, mut singles) = (open(true), open(false));
        assert_eq!(decode(&mut blocks, &rows), decode(&mut singles, &rows));
        assert_eq!(singles.stats().block_rows, 0);
        block_rows += blocks.stats().block_rows;
        single_rows += blocks.stats().single_rows;
    }
    assert!(
        block_rows > 5_000 && single_rows > 5_000,
        "{block_rows} {single_rows}"
    );
}

/// The example that the driver's module opens with.
#[test]
fn two_schemas_and_one_bad_row() {
    let (ok, cut) = (body(b"abc"), b"\x04ab".as_slice());
    let row = |key, body| Payload::with_key(key, body);
    let mut rows = vec![row(KEYS[0], &ok); 8];
    rows[2] = row(KEYS[0], cut);
    rows[5] = Payload::tombstone();
    rows[6] = row(KEYS[1], &ok);
    let mut decoder = ToyFactory { by_blocks: true }
        .driver(&Target::default())
        .expect("it opens");
    decoder.prepare(KEYS[0], &schema("0")).expect("it is a schema");

    let mut bad = Vec::new();
    let progress = decoder.decode(&rows, &mut |error| bad.push(error));
    assert_eq!((progress.taken, progress.stop), (6, Stop::NeedsSchema(KEYS[1])));
    assert_eq!((bad.len(), bad[0].slot, bad[0].byte_offset), (1, 2, 3));
    assert_eq!(decoder.field_path(bad[0].path), "items");
    // Rows 0 and 1 were taken as a block.
    let stats = decoder.stats();
    assert_eq!((stats.block_rows, stats.single_rows), (2, 4));

    rows[6].body = Body::Refused(RowErrorKind::UnknownSchema);
    let progress = decoder.decode(&rows[6..], &mut |error| bad.push(error));
    assert_eq!((progress.taken, progress.stop), (2, Stop::Done));
    assert_eq!(
        (bad.len(), bad[1].slot, bad[1].kind),
        (2, 6, RowErrorKind::UnknownSchema)
    );
}

#[test]
fn each_row_is_counted_once() {
    let good: Vec<_> = (0..200).map(|at| body(&[at])).collect();
    // The rows to spoil, and how many rows blocks take then.
    for (spoilt, block_rows) in [(vec![], 200), (vec![50], 199), (vec![0], 199), (vec![199], 199)] {
        let mut bodies = good.clone();
        spoilt.iter().for_each(|at| bodies[*at].truncate(1));
        let rows: Vec<_> = bodies
            .iter()
            .map(|body| Payload::with_key(KEYS[0], body))
            .collect();
        let mut decoder = ToyFactory { by_blocks: true }
            .driver(&Target::default())
            .expect("it opens");
        let (_, bad) = decode(&mut decoder, &rows);
        assert_eq!(bad.len(), spoilt.len());
        let stats = decoder.stats();
        assert_eq!(
            (stats.block_rows, stats.single_rows),
            (block_rows, 200 - block_rows),
            "{spoilt:?}"
        );
    }
}

#[test]
fn a_batch_ends_with_a_block() {
    let bodies: Vec<_> = (0..200).map(|at| body(&[at])).collect();
    let rows: Vec<_> = bodies
        .iter()
        .map(|body| Payload::with_key(KEYS[0], body))
        .collect();
    // Rows of a batch at most, and how many of 200 rows blocks take then.
    for (batch_rows, block_rows) in [
        (200, 200),
        (100, 200),
        (70, 200),
        (65, 197),
        (4, 200),
        (3, 0),
        (0, 0),
    ] {
        let mut target = Target::default();
        target.limits.batch_rows = batch_rows;
        let mut decoder = ToyFactory { by_blocks: true }.driver(&target).expect("it opens");
        let (decoded, bad) = decode(&mut decoder, &rows);
        assert_eq!((decoded.len(), bad.len()), (200, 0));
        assert_eq!(decoder.stats().block_rows, block_rows, "{batch_rows}");
    }
}

#[test]
fn a_message_that_is_not_there_condemns_no_other() {
    let mut decoder = ToyFactory { by_blocks: true }
        .driver(&Target::default())
        .expect("it opens");
    let row = (KEYS[0], true, body(b"a"));
    let second = payload(&row);
    let error = decoder
        .prepare_message(second.key, second.path, &schema("5"))
        .expect_err("there is one message");
    assert_eq!(error.row_kind(), RowErrorKind::NoSuchMessage);
    // Nothing has changed: there is no schema yet.
    assert!(decoder.schema().is_none());
    decoder
        .prepare(KEYS[0], &schema("5"))
        .expect("the first is there");
    let first = Payload::with_key(KEYS[0], &row.2);
    let progress = decoder.decode(&[first, second], &mut |error| panic!("{error:?}"));
    assert_eq!((progress.taken, progress.stop), (1, Stop::NeedsSchema(KEYS[0])));
}

#[test]
fn slots_from_before_the_columns_are_no_more_than_a_batch() {
    // Tombstones that come first, and whether they get a column: they take four bytes each in it.
    for (tombstones, has_column) in [(200, true), (250, true), (251, false), (10_000, false)] {
        let mut target = Target::default();
        target.limits.batch_bytes = 1000;
        let mut decoder = ToyFactory { by_blocks: true }.driver(&target).expect("it opens");
        let bytes = body(b"a");
        let mut rows = vec![Payload::tombstone(); tombstones];
        rows.push(Payload::with_key(KEYS[0], &bytes));
        let progress = decoder.decode(&rows, &mut |error| panic!("{error:?}"));
        assert_eq!(
            (progress.taken, progress.stop),
            (tombstones, Stop::NeedsSchema(KEYS[0]))
        );
        for key in KEYS {
            decoder.prepare(key, &schema("5")).expect("it is a schema");
        }
        assert_eq!(decoder.schema().is_some(), has_column);

        let rest = &rows[tombstones..];
        let progress = decoder.decode(rest, &mut |error| panic!("{error:?}"));
        let batch = decoder.flush().expect("columns fit together").batch;
        assert_eq!(batch.num_columns(), usize::from(has_column));
        assert_eq!(batch.num_rows(), tombstones + progress.taken);
        assert!(decoder.schema().is_some());

        let decoded = decode(&mut decoder, &rest[progress.taken..]);
        assert_eq!(progress.taken + decoded.0.len(), 1, "{tombstones}");
    }
}

#[test]
fn slots_from_before_the_columns() {
    let long = vec![body(&[1]); 1200];
    // What comes, the slots that are bad, and the name that the column gets: the longest list of
    // the sample.
    let cases: &[(Vec<Payload<'_>>, &[u32], Option<&str>)] = &[
        (vec![Payload::tombstone(); 3], &[], None),
        (vec![Payload::unframed(b"\0"), Payload::tombstone()], &[], None),
        (
            vec![
                Payload::tombstone(),
                Payload::unframed(b"\x01a"),
                Payload::unframed(b"\x02"),
                Payload::refused(SchemaKey::Absent, RowErrorKind::UnknownSchema),
                Payload::unframed(b"\x03abc"),
            ],
            &[2, 3],
            Some("3"),
        ),
        // The sample ends by itself after 1,000 messages.
        (
            [
                long.iter().map(|body| Payload::unframed(body)).collect(),
                vec![Payload::unframed(b"\x02ab")],
            ]
            .concat(),
            &[],
            Some("1"),
        ),
    ];
    for (rows, bad, name) in cases {
        for at_once in [1, 2, rows.len()] {
            let mut decoder = Inferred::driver(&Target::default());
            let mut found = Vec::new();
            for rows in rows.chunks(at_once) {
                let progress = decoder.decode(rows, &mut |error| found.push(error.slot));
                assert_eq!((progress.taken, progress.stop), (rows.len(), Stop::Done));
            }
            assert_eq!((decoder.slots(), &found[..]), (rows.len(), *bad));
            let slots = decoder.flush().expect("columns fit together");
            assert_eq!(slots.batch.num_rows(), rows.len());
            let schema = slots.batch.schema();
            let field = schema.fields().first().map(|field| field.name().as_str());
            assert_eq!(field, *name);
            let Some(_) = name else { continue };
            let mut lists = Vec::new();
            read(&slots, &mut lists);
            for (row, list) in rows.iter().zip(lists) {
                let items = match row.body {
                    Body::Bytes([count, items @ ..]) if items.len() == usize::from(*count) => {
                        Some(items.to_vec())
                    }
                    Body::Tombstone => Some(vec![]),
                    _ => None,
                };
                assert_eq!(list, items);
            }
        }
    }
}

/// Its messages were called good, so that nulls in their place would be a silent loss.
#[test]
fn a_sample_that_does_not_fit_its_columns_is_not_handed_over() {
    let mut decoder = Inferred::careless_driver(&Target::default());
    let bodies = [body(&[1, 2]), vec![9, 1], body(&[3])];
    let rows: Vec<_> = bodies.iter().map(|body| Payload::unframed(body)).collect();
    decoder.decode(&rows, &mut |_| {});
    let error = decoder.flush().expect_err("the second message has no row");
    let text = std::error::Error::source(&error).map(ToString::to_string);
    assert!(text.is_some_and(|text| text.contains("does not fit the columns")));
}
