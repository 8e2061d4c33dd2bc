//! Six strings of 50 to 500 bytes, two of them not ASCII.

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

fn schema() -> String {
    r#"{"type": "record", "name": "Strings", "fields": [
        {"name": "title", "type": "string"},
        {"name": "author", "type": "string"},
        {"name": "comment", "type": "string"},
        {"name": "agent", "type": "string"},
        {"name": "referrer", "type": "string"},
        {"name": "body", "type": "string"}
    ]}"#
    .into()
}

fn encode(rng: &mut Rng, body: &mut Body) {
    for field in 0..6 {
        body.text(rng, 50..=500, field % 3 != 2);
    }
}
