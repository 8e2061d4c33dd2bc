//! An event that is one of three records.

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Event", "fields": [
        {"name": "id", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "what", "type": [
            {"type": "record", "name": "Viewed", "fields": [
                {"name": "page", "type": "string"},
                {"name": "millis", "type": "int"}
            ]},
            {"type": "record", "name": "Bought", "fields": [
                {"name": "sku", "type": "string"},
                {"name": "count", "type": "int"},
                {"name": "price", "type": "double"}
            ]},
            {"type": "record", "name": "Searched", "fields": [
                {"name": "words", "type": "string"},
                {"name": "hits", "type": "long"},
                {"name": "sorted", "type": "boolean"}
            ]}
        ]}
    ]}"#
    .into()
}

fn encode(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(0..1 << 40));
    body.long(1_700_000_000_000 + rng.i64(0..1 << 35));
    let branch = rng.i64(0..3);
    body.long(branch);
    match branch {
        0 => {
            body.string(rng, 8..=24);
            body.long(rng.i64(0..60_000));
        }
        1 => {
            body.string(rng, 8..=12);
            body.long(rng.i64(1..100));
            body.double(rng.f64() * 100.0);
        }
        _ => {
            body.string(rng, 4..=30);
            body.long(rng.i64(0..10_000));
            body.boolean(rng.bool());
        }
    }
}
