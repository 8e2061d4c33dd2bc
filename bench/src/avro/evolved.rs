//! Three versions of an order, each read as the last one: a field promoted, reordered, renamed,
//! dropped and added.

use super::Writer;

/// The oldest version: narrower numbers, an old name, and a field that nobody reads any more.
pub const V1: Writer = Writer {
    schema: || {
        r#"{"type": "record", "name": "Order", "fields": [
            {"name": "id", "type": "long"},
            {"name": "customer", "type": "string"},
            {"name": "legacy_code", "type": "string"},
            {"name": "count", "type": "int"},
            {"name": "price", "type": "float"},
            {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID"]}}
        ]}"#
        .into()
    },
    encode: |rng, body| {
        body.long(rng.i64(0..1 << 40));
        body.string(rng, 6..=16);
        body.string(rng, 4..=8);
        body.long(rng.i64(1..1000));
        body.float(rng.f32() * 100.0);
        body.long(rng.i64(0..2));
    },
};

/// The one between: another order of fields, and a nullable one more.
pub const V2: Writer = Writer {
    schema: || {
        r#"{"type": "record", "name": "Order", "fields": [
            {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT"]}},
            {"name": "id", "type": "long"},
            {"name": "price", "type": "double"},
            {"name": "customer", "type": "string"},
            {"name": "count", "type": "int"},
            {"name": "coupon", "type": ["null", "string"]}
        ]}"#
        .into()
    },
    encode: |rng, body| {
        body.long(rng.i64(0..3));
        body.long(rng.i64(0..1 << 40));
        body.double(rng.f64() * 100.0);
        body.string(rng, 6..=16);
        body.long(rng.i64(1..1000));
        if body.nullable(rng, 30) {
            body.string(rng, 4..=10);
        }
    },
};

/// The newest version, which is the reader's too.
pub const V3: Writer = Writer {
    schema: reader,
    encode: |rng, body| {
        body.long(rng.i64(0..1 << 40));
        body.string(rng, 6..=16);
        body.long(rng.i64(1..1000));
        body.double(rng.f64() * 100.0);
        body.long(rng.i64(0..4));
        if body.nullable(rng, 30) {
            body.string(rng, 4..=10);
        }
        body.string(rng, 2..=5);
    },
};

pub fn reader() -> String {
    r#"{"type": "record", "name": "Order", "fields": [
        {"name": "id", "type": "long"},
        {"name": "buyer", "aliases": ["customer"], "type": "string"},
        {"name": "count", "type": "long"},
        {"name": "price", "type": "double"},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT", "DONE"]}},
        {"name": "coupon", "type": ["null", "string"], "default": null},
        {"name": "channel", "type": "string", "default": "web"}
    ]}"#
    .into()
}
