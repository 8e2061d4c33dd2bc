//! Random schemas, values and evolutions: the checks of the fuzz targets `differential`, `engines`,
//! `invariants` and `container`, a fixed number of times.

use std::cell::{Cell, RefCell};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use sabot_decode::{Decoder, Payload, Target};
use sabot_testkit::avro::{long, sized};

use crate::common::{KEY, feed, fields, open, reader};
use crate::fuzz_check::{container, differential, engines, invariants};

fn inputs(cases: u32, check: impl Fn(&[u8])) {
    let config = ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let result = TestRunner::new(config).run(&vec(any::<u8>(), 50..1500), |input| {
        check(&input);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn values_of_random_schemas() {
    let total = RefCell::new(differential::Tally::default());
    inputs(1500, |input| {
        let tally = differential::check(input);
        let mut total = total.borrow_mut();
        total.agreed += tally.agreed;
        total.deviating += tally.deviating;
        total.refused += tally.refused;
        total.unresolvable += tally.unresolvable;
    });
    let total = total.into_inner();
    // What apache-avro is known to do otherwise stays the exception, and every kind of case occurs.
    assert!(total.agreed > 2 * total.deviating, "{total:?}");
    assert!(total.refused > 100 && total.unresolvable > 50, "{total:?}");
}

#[test]
fn engines_and_splits() {
    let total = RefCell::new(engines::Tally::default());
    inputs(600, |input| {
        let tally = engines::check(input);
        let mut total = total.borrow_mut();
        total.good += tally.good;
        total.bad += tally.bad;
    });
    let total = total.into_inner();
    assert!(total.good > 5_000 && total.bad > 500, "{total:?}");
}

#[test]
fn invariants_of_random_schemas() {
    let total = Cell::new(0);
    inputs(15, |input| total.set(total.get() + invariants::check(input)));
    assert!(total.get() > 10, "{total:?}");
}

#[test]
fn files_of_random_schemas() {
    let total = Cell::new(0);
    inputs(500, |input| total.set(total.get() + container::check(input)));
    assert!(total.get() > 200, "{total:?}");
}

#[test]
fn engines_at_their_seams() {
    let total = engines::check_seams();
    assert!(total.good > 50_000 && total.bad > 5_000, "{total:?}");
}

/// Whether blocks of rows were taken, and none of them in vain.
fn is_by_blocks(decoder: &dyn Decoder) -> bool {
    let stats = decoder.stats();
    stats.block_rows > 0 && stats.vain_blocks == 0
}

/// Both engines come to the same, so that no other test would see one of them asleep.
#[test]
fn rows_are_taken_by_blocks() {
    let point = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}, {"name": "s", "type": "string"}]}"#;
    let list = |item: &str| format!(r#"{{"type": "array", "items": {item}}}"#);
    let item = [long(1), sized("s")].concat();
    let several = [&long(2), &item[..], &item, &long(0)].concat();
    for (ty, body) in [
        ("\"boolean\"".to_owned(), vec![1]),
        ("\"int\"".to_owned(), long(5)),
        (r#"["null", "long"]"#.to_owned(), [long(1), long(5)].concat()),
        ("\"double\"".to_owned(), vec![1; 8]),
        ("\"string\"".to_owned(), sized("text")),
        (
            r#"["bytes", "null"]"#.to_owned(),
            [long(0), sized("text")].concat(),
        ),
        (
            r#"{"type": "fixed", "name": "F", "size": 2}"#.to_owned(),
            vec![1; 2],
        ),
        (
            r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#.to_owned(),
            vec![0],
        ),
        (
            r#"{"type": "bytes", "logicalType": "decimal", "precision": 4}"#.to_owned(),
            sized([1]),
        ),
        (point.to_owned(), item.clone()),
        (format!(r#"["null", {point}]"#), [long(1), item.clone()].concat()),
        (list("\"int\""), [long(2), long(1), long(2), long(0)].concat()),
        (list(point), several),
        (
            r#"{"type": "map", "values": "boolean"}"#.to_owned(),
            [long(1), sized("k"), vec![1], long(0)].concat(),
        ),
    ] {
        let writer = fields(&format!(
            r#"{{"name": "f", "type": {ty}}}, {{"name": "end", "type": "int"}}"#
        ));
        let body = [body, long(7)].concat();
        let mut skipping = Target::default();
        skipping.projection = Some(vec!["end".into()]);
        let defaulted = reader(&fields(
            r#"{"name": "end", "type": "long"}, {"name": "new", "type": "string", "default": "new"}"#,
        ));
        for target in [Target::default(), skipping, defaulted] {
            let mut decoder = open(&target, &writer).unwrap_or_else(|error| panic!("{error}: {ty}"));
            assert!(!is_by_blocks(&*decoder), "{ty}");
            feed(&mut *decoder, &[Payload::with_key(KEY, &body); 70]);
            assert!(is_by_blocks(&*decoder), "{ty}");
        }
    }
    // Lists of every length side by side.
    let bodies: Vec<_> = (0..70_i64)
        .map(|at| {
            let count = at * 7 % 41;
            let head = if count == 0 { vec![] } else { long(count) };
            [head, long(at).repeat(count as usize), long(0)].concat()
        })
        .collect();
    let rows: Vec<_> = bodies.iter().map(|body| Payload::with_key(KEY, body)).collect();
    let writer = fields(&format!(r#"{{"name": "f", "type": {}}}"#, list("\"int\"")));
    let mut decoder = open(&Target::default(), &writer).expect("a list is compiled");
    assert_eq!(feed(&mut *decoder, &rows).bad, []);
    assert!(is_by_blocks(&*decoder), "lists of every length");
}
