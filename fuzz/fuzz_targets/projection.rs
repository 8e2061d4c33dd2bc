//! Paths of projections: `crates/sabot-codec/tests/fuzz_check/mod.rs` says what must hold.
#![no_main]

#[path = "../../crates/sabot-codec/tests/fuzz_check/mod.rs"]
mod fuzz_check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_check::check(data));
