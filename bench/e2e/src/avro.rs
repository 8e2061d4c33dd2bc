//! Avro's messages, from the files that the suite `decode` makes them with.

#[allow(dead_code, reason = "not all of Avro is needed here")]
#[path = "../../src/avro/encode.rs"]
pub mod encode;
#[path = "../../src/avro/flat.rs"]
pub mod flat;

/// A writer schema, and how a body of it is made.
pub struct Writer {
    pub schema: fn() -> String,
    pub encode: fn(&mut fastrand::Rng, &mut encode::Body),
}
