//! Replays what fuzzing found, and its seeds.

mod fuzz_check;

#[test]
fn seeds_and_findings_hold() {
    sabot_testkit::replay::seeds_and_findings("projection", 5, fuzz_check::check);
}
