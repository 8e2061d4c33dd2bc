//! An enum, a record within, an array of 1 to 5 records, a map of up to 3, an array of strings.

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Nested", "fields": [
        {"name": "id", "type": "long"},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT", "DONE"]}},
        {"name": "customer", "type": {"type": "record", "name": "Customer", "fields": [
            {"name": "name", "type": "string"},
            {"name": "city", "type": "string"},
            {"name": "age", "type": ["null", "int"]}
        ]}},
        {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
            {"name": "sku", "type": "string"},
            {"name": "count", "type": "int"},
            {"name": "price", "type": "double"}
        ]}}},
        {"name": "attributes", "type": {"type": "map", "values": "string"}},
        {"name": "tags", "type": {"type": "array", "items": "string"}}
    ]}"#
    .into()
}

fn encode(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(0..1 << 40));
    body.long(rng.i64(0..4));
    body.string(rng, 8..=20);
    body.string(rng, 4..=16);
    if body.nullable(rng, 70) {
        body.long(rng.i64(18..90));
    }
    body.block(rng, 1..=5, |rng, body| {
        body.string(rng, 8..=12);
        body.long(rng.i64(1..100));
        body.double(rng.f64() * 100.0);
    });
    body.block(rng, 0..=3, |rng, body| {
        body.string(rng, 3..=8);
        body.string(rng, 3..=14);
    });
    body.block(rng, 0..=4, |rng, body| body.string(rng, 4..=10));
}
