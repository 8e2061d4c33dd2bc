//! The invariants of every decoder, on random schemas:
//! `crates/sabot-avro/tests/fuzz_check/invariants.rs` says what must hold.
#![no_main]

#[path = "../../crates/sabot-avro/tests/fuzz_check/mod.rs"]
#[expect(dead_code, reason = "the other targets use the rest")]
mod fuzz_check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzz_check::invariants::check(data);
});
