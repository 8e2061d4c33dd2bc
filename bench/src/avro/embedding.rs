//! Lists of numbers: 64 floats, some doubles, and some longs of one to three bytes.

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Embedding", "fields": [
        {"name": "id", "type": "long"},
        {"name": "vector", "type": {"type": "array", "items": "float"}},
        {"name": "weights", "type": {"type": "array", "items": "double"}},
        {"name": "tokens", "type": {"type": "array", "items": "long"}}
    ]}"#
    .into()
}

fn encode(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(0..1 << 40));
    body.block(rng, 64..=64, |rng, body| body.float(rng.f32() * 2.0 - 1.0));
    body.block(rng, 16..=32, |rng, body| body.double(rng.f64()));
    body.block(rng, 8..=40, |rng, body| body.long(rng.i64(0..100_000)));
}
