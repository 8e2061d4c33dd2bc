//! Two ints: what a message costs apart from its values.

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Tiny", "fields": [
        {"name": "sensor", "type": "int"},
        {"name": "value", "type": "int"}
    ]}"#
    .into()
}

fn encode(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(0..5000));
    body.long(rng.i64(-100_000..100_000));
}
