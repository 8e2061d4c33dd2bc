//! About ten fields: strings of 3 to 28 bytes, numbers, a timestamp, two nullable ones (30 % and 70
//! % present).

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Flat", "fields": [
        {"name": "id", "type": "long"},
        {"name": "user", "type": "string"},
        {"name": "country", "type": "string"},
        {"name": "device", "type": "string"},
        {"name": "url", "type": "string"},
        {"name": "amount", "type": "double"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "active", "type": "boolean"},
        {"name": "count", "type": "int"},
        {"name": "campaign", "type": ["null", "string"]},
        {"name": "score", "type": ["null", "int"]}
    ]}"#
    .into()
}

fn encode(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(0..1 << 40));
    body.string(rng, 6..=12);
    body.string(rng, 3..=3);
    body.string(rng, 5..=10);
    body.string(rng, 16..=28);
    body.double(rng.f64() * 1000.0);
    body.long(1_700_000_000_000 + rng.i64(0..1 << 35));
    body.boolean(rng.bool());
    body.long(rng.i64(-500..500));
    if body.nullable(rng, 30) {
        body.string(rng, 4..=10);
    }
    if body.nullable(rng, 70) {
        body.long(rng.i64(0..100_000));
    }
}
