//! Replays what fuzzing found, and its seeds.

use sabot_testkit::replay::seeds_and_findings;

use crate::fuzz_check;

#[test]
fn seeds_and_findings_hold() {
    seeds_and_findings("avro", 12, fuzz_check::check);
    seeds_and_findings("container", 8, |input| {
        fuzz_check::container::check(input);
    });
    seeds_and_findings("differential", 8, |input| {
        fuzz_check::differential::check(input);
    });
    seeds_and_findings("engines", 8, |input| {
        fuzz_check::engines::check(input);
    });
    seeds_and_findings("invariants", 4, |input| {
        fuzz_check::invariants::check(input);
    });
    seeds_and_findings("schema", 12, |input| {
        fuzz_check::schema::check(input);
    });
}
