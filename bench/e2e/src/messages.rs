//! What is read: messages from a fixed seed, framed with a schema's id.

use fastrand::Rng;

use crate::avro::Writer;
use crate::avro::encode::Body;
use crate::avro::flat;

const SEED: u64 = 0x5ab0_7000;

/// A topic to read, and how many messages it has for each million asked for.
pub struct Workload {
    pub name: &'static str,
    pub compression: &'static str,
    /// Messages, for one that is asked for: short ones take more to be worth measuring.
    pub share: f64,
    writer: &'static Writer,
}

pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "e2e/flat",
        compression: "none",
        share: 1.0,
        writer: &flat::WRITER,
    },
    Workload {
        name: "e2e/flat/lz4",
        compression: "lz4",
        share: 1.0,
        writer: &flat::WRITER,
    },
    Workload {
        name: "e2e/flat/zstd",
        compression: "zstd",
        share: 1.0,
        writer: &flat::WRITER,
    },
    Workload {
        name: "e2e/20 B",
        compression: "none",
        share: 2.0,
        writer: &Writer {
            schema: short_schema,
            encode: encode_short,
        },
    },
    Workload {
        name: "e2e/1 KB",
        compression: "none",
        share: 0.25,
        writer: &Writer {
            schema: long_schema,
            encode: encode_long,
        },
    },
];

impl Workload {
    /// The topic of the workload.
    pub fn topic(&self) -> String {
        self.name.replace(['/', ' '], "-")
    }

    pub fn schema(&self) -> String {
        (self.writer.schema)()
    }

    /// Hands out so many messages, with Confluent's five bytes for `id` before each.
    pub fn each(
        &self,
        id: u32,
        count: usize,
        mut each: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut rng = Rng::with_seed(SEED);
        let (mut body, mut message) = (Body::default(), Vec::new());
        for _ in 0..count {
            body.clear();
            (self.writer.encode)(&mut rng, &mut body);
            message.clear();
            message.push(0);
            message.extend_from_slice(&id.to_be_bytes());
            message.extend_from_slice(body.bytes());
            each(&message)?;
        }
        Ok(())
    }
}

fn short_schema() -> String {
    r#"{"type": "record", "name": "Short", "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": "string"}
    ]}"#
    .into()
}

/// 15 bytes: 20 with the frame.
fn encode_short(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(1 << 30..1 << 33));
    body.string(rng, 9..=9);
}

fn long_schema() -> String {
    r#"{"type": "record", "name": "Long", "fields": [
        {"name": "id", "type": "long"},
        {"name": "title", "type": "string"},
        {"name": "text", "type": "string"}
    ]}"#
    .into()
}

fn encode_long(rng: &mut Rng, body: &mut Body) {
    body.long(rng.i64(1 << 30..1 << 33));
    body.string(rng, 100..=100);
    body.string(rng, 905..=905);
}
