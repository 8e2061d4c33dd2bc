//! Avro messages of three shapes, made from a fixed seed and encoded by hand: no peer's encoder has a say in them.

mod encode;
mod flat;
mod nested;
mod wide;

use encode::Body;
use fastrand::Rng;

use crate::buffer::Messages;

/// The schema id in every frame.
pub const SCHEMA_ID: u32 = 100_042;
const SEED: u64 = 0x5ab0_7000;

/// One shape of message.
pub struct Shape {
    pub name: &'static str,
    /// The Avro schema, as JSON.
    pub schema: fn() -> String,
    encode: fn(&mut Rng, &mut Body),
}

/// Every shape.
pub const SHAPES: &[Shape] = &[flat::SHAPE, nested::SHAPE, wide::SHAPE];

impl Shape {
    /// The same messages each time.
    pub fn messages(&self, count: usize) -> Messages {
        let mut rng = Rng::with_seed(SEED);
        let mut messages = Messages::default();
        let mut body = Body::default();
        for _ in 0..count {
            body.clear();
            (self.encode)(&mut rng, &mut body);
            messages.push(SCHEMA_ID, body.bytes());
        }
        messages
    }
}
