//! A change of a row in a database, in Debezium's envelope: the row before and after it, and where
//! it comes from.

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Envelope", "namespace": "shop.public.customers", "fields": [
        {"name": "before", "default": null, "type": ["null", {"type": "record", "name": "Value", "fields": [
            {"name": "id", "type": "long"},
            {"name": "first_name", "type": "string"},
            {"name": "last_name", "type": "string"},
            {"name": "email", "type": ["null", "string"], "default": null},
            {"name": "phone", "type": ["null", "string"], "default": null},
            {"name": "visits", "type": ["null", "int"], "default": null},
            {"name": "balance", "type": ["null", "double"], "default": null},
            {"name": "created", "type": ["null", "long"], "default": null},
            {"name": "active", "type": ["null", "boolean"], "default": null}
        ]}]},
        {"name": "after", "type": ["null", "Value"], "default": null},
        {"name": "source", "type":
            {"type": "record", "name": "Source", "namespace": "io.debezium.connector.postgresql", "fields": [
            {"name": "version", "type": "string"},
            {"name": "connector", "type": "string"},
            {"name": "name", "type": "string"},
            {"name": "ts_ms", "type": "long"},
            {"name": "snapshot", "type": ["null", "string"], "default": null},
            {"name": "db", "type": "string"},
            {"name": "sequence", "type": ["null", "string"], "default": null},
            {"name": "schema", "type": "string"},
            {"name": "table", "type": "string"},
            {"name": "txId", "type": ["null", "long"], "default": null},
            {"name": "lsn", "type": ["null", "long"], "default": null},
            {"name": "xmin", "type": ["null", "long"], "default": null}
        ]}},
        {"name": "op", "type": "string"},
        {"name": "ts_ms", "type": ["null", "long"], "default": null},
        {"name": "transaction", "default": null, "type": ["null",
            {"type": "record", "name": "block", "namespace": "event", "fields": [
            {"name": "id", "type": "string"},
            {"name": "total_order", "type": "long"},
            {"name": "data_collection_order", "type": "long"}
        ]}]}
    ]}"#
    .into()
}

/// Half of the changes are updates, a quarter each inserts and deletes.
fn encode(rng: &mut Rng, body: &mut Body) {
    let (has_before, has_after, op) = match rng.u8(..4) {
        0 => (false, true, "c"),
        1 => (true, false, "d"),
        _ => (true, true, "u"),
    };
    for is_there in [has_before, has_after] {
        body.long(is_there.into());
        if is_there {
            row(rng, body);
        }
    }
    source(rng, body);
    body.exactly(op);
    if body.nullable(rng, 100) {
        body.long(1_700_000_000_000 + rng.i64(0..1 << 35));
    }
    if body.nullable(rng, 25) {
        body.string(rng, 12..=12);
        body.long(rng.i64(1..10));
        body.long(rng.i64(1..10));
    }
}

fn row(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(0..1 << 24));
    body.string(rng, 4..=10);
    body.string(rng, 5..=12);
    if body.nullable(rng, 90) {
        body.string(rng, 12..=26);
    }
    if body.nullable(rng, 50) {
        body.string(rng, 10..=14);
    }
    if body.nullable(rng, 90) {
        body.long(rng.i64(0..1000));
    }
    if body.nullable(rng, 70) {
        body.double(rng.f64() * 1000.0);
    }
    if body.nullable(rng, 90) {
        body.long(1_600_000_000_000 + rng.i64(0..1 << 36));
    }
    if body.nullable(rng, 90) {
        body.boolean(rng.bool());
    }
}

fn source(rng: &mut Rng, body: &mut Body) {
    body.exactly("2.7.3.Final");
    body.exactly("postgresql");
    body.exactly("shop");
    body.long(1_700_000_000_000 + rng.i64(0..1 << 35));
    if body.nullable(rng, 100) {
        body.exactly("false");
    }
    body.exactly("shop");
    if body.nullable(rng, 100) {
        body.string(rng, 24..=24);
    }
    body.exactly("public");
    body.exactly("customers");
    if body.nullable(rng, 100) {
        body.long(rng.i64(0..1 << 31));
    }
    if body.nullable(rng, 100) {
        body.long(rng.i64(0..1 << 36));
    }
    body.nullable(rng, 0);
}
