//! Avro to Arrow: types, resolution, malformed bodies, malformed schemas, the decoder's invariants,
//! and apache-avro as an oracle.

mod arrow_target;
mod common;
mod conformance;
mod differential;
mod documented;
#[path = "../fuzz_check/mod.rs"]
mod fuzz_check;
mod limits;
mod malformed;
mod options;
mod projection;
mod recursion;
mod regressions;
mod resolution;
mod schemas;
mod table;
mod types;
mod unions;
