//! Sixty nullable numbers, 80 % present.

use std::fmt::Write;

use fastrand::Rng;

use super::Writer;
use super::encode::Body;

pub const WRITER: Writer = Writer { schema, encode };

const FIELDS: usize = 60;
const TYPES: [&str; 4] = ["long", "double", "int", "float"];

fn schema() -> String {
    let mut text = String::from(r#"{"type": "record", "name": "Wide", "fields": ["#);
    for field in 0..FIELDS {
        let comma = if field == 0 { "" } else { "," };
        let kind = TYPES[field % TYPES.len()];
        write!(
            text,
            r#"{comma}{{"name": "n{field}", "type": ["null", "{kind}"]}}"#
        )
        .expect("because strings take all");
    }
    text.push_str("]}");
    text
}

fn encode(rng: &mut Rng, body: &mut Body) {
    for field in 0..FIELDS {
        if body.nullable(rng, 80) {
            match TYPES[field % TYPES.len()] {
                "long" => body.long(rng.i64(0..1 << 48)),
                "double" => body.double(rng.f64()),
                "int" => body.long(rng.i64(-1_700_000..1_700_000)),
                _ => body.float(rng.f32()),
            }
        }
    }
}
