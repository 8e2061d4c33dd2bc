//! Random schemas, values and evolutions: the checks of the fuzz targets `differential` and `engines`, a fixed number of times.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

use crate::fuzz_check::{differential, engines};

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
