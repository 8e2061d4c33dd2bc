//! Lists of records that hold records which may be missing.

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Order", "fields": [
        {"name": "id", "type": "long"},
        {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
            {"name": "sku", "type": "string"},
            {"name": "count", "type": "int"},
            {"name": "discount", "type": ["null", {"type": "record", "name": "Discount", "fields": [
                {"name": "code", "type": "string"},
                {"name": "percent", "type": "double"}
            ]}]},
            {"name": "gift", "type": ["null", {"type": "record", "name": "Gift", "fields": [
                {"name": "to", "type": "string"},
                {"name": "wrapped", "type": "boolean"},
                {"name": "note", "type": ["null", "string"]}
            ]}]}
        ]}}}
    ]}"#
    .into()
}

fn encode(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(0..1 << 40));
    body.block(rng, 1..=6, |rng, body| {
        body.string(rng, 8..=12);
        body.long(rng.i64(1..100));
        if body.nullable(rng, 40) {
            body.string(rng, 4..=8);
            body.double(rng.f64() * 100.0);
        }
        if body.nullable(rng, 20) {
            body.string(rng, 6..=16);
            body.boolean(rng.bool());
            if body.nullable(rng, 50) {
                body.string(rng, 10..=28);
            }
        }
    });
}
