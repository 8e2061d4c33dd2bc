//! Logical types, and what else is no plain number or string: UUIDs as text, `fixed`, decimals of
//! `bytes` and of `fixed`, dates, times, an enum.

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Payment", "fields": [
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "trace", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "digest", "type": {"type": "fixed", "name": "Digest", "size": 16}},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}},
        {"name": "rate", "type":
            {"type": "fixed", "name": "Rate", "size": 8, "logicalType": "decimal", "precision": 18, "scale": 6}},
        {"name": "due", "type": {"type": "int", "logicalType": "date"}},
        {"name": "time", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT", "DONE"]}}
    ]}"#
    .into()
}

fn encode(rng: &mut Rng, body: &mut Body) {
    body.uuid(rng);
    body.uuid(rng);
    body.fixed(rng, 16);
    body.decimal(rng.i64(-1_000_000..10_000_000_000).into());
    body.decimal_fixed(rng.i64(-100_000_000..1_000_000_000).into(), 8);
    body.long(rng.i64(18_000..21_000));
    body.long(rng.i64(0..86_400_000));
    body.long(1_700_000_000_000_000 + rng.i64(0..1 << 45));
    body.long(rng.i64(0..4));
}
