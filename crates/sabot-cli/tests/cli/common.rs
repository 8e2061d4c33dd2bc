//! A broker and a registry for one test, and the built command.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use sabot::kafka::embedded::EmbeddedBroker;
use sabot::kafka::{Message, Producer, Properties};
use sabot::registry::Client;
use sabot::schema::Schema;
use sabot_registry_server::{Server, ServerOptions};

/// A nested record with a union and logical types.
pub(crate) const SCHEMA: &str = r#"{"type": "record", "name": "Event", "fields": [
    {"name": "id", "type": "long"},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "detail", "type": ["null", "string", {"type": "record", "name": "Point", "fields": [{"name": "x", "type": "double"}]}]},
    {"name": "span", "type": {"type": "fixed", "name": "Span", "size": 12, "logicalType": "duration"}}]}"#;

/// Everything in the environment that the command listens to.
const VARIABLES: [&str; 19] = [
    "SABOT_BROKERS",
    "SABOT_REGISTRY",
    "SABOT_REGISTRY_USER",
    "SABOT_REGISTRY_TOKEN",
    "SABOT_CONFIG",
    "SABOT_GROUP",
    "KCAT_CONFIG",
    "XDG_CONFIG_HOME",
    "HOME",
    "NO_COLOR",
    "TERM",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

pub(crate) struct Stage {
    pub(crate) broker: EmbeddedBroker,
    registry: Server,
    producer: Producer,
    schema_id: u32,
}

impl Stage {
    /// With topics of one partition.
    pub(crate) fn new(topics: &[&str]) -> Self {
        Self::with_partitions(topics, 1)
    }

    pub(crate) fn with_partitions(topics: &[&str], partitions: i32) -> Self {
        let broker = EmbeddedBroker::start(1).unwrap();
        for topic in topics {
            broker.create_topic(topic, partitions).unwrap();
        }
        let registry = Server::start(ServerOptions::default()).unwrap();
        let client = Client::new(&registry.url()).unwrap();
        let schema_id = client
            .register(&"events-value".into(), &Schema::avro(SCHEMA), false)
            .unwrap()
            .id
            .0;
        let producer = Producer::new(broker.brokers(), &Properties::default()).unwrap();
        Self {
            broker,
            registry,
            producer,
            schema_id,
        }
    }

    /// Sends an event, framed as Confluent's serialiser does; `id % 3` chooses the union's branch.
    pub(crate) fn event(&self, id: i64) -> Vec<u8> {
        let mut value = vec![0];
        value.extend_from_slice(&self.schema_id.to_be_bytes());
        long(id, &mut value);
        value.extend_from_slice(&[4, 0x04, 0xd2]);
        long(1_700_000_000_000_000 + id, &mut value);
        long(id % 3, &mut value);
        match id % 3 {
            0 => {}
            1 => value.extend_from_slice(&[4, b'h', b'i']),
            _ => value.extend_from_slice(&1.5_f64.to_le_bytes()),
        }
        for part in [1_u32, 2, 3_500] {
            value.extend_from_slice(&part.to_le_bytes());
        }
        value
    }

    pub(crate) fn send(&self, topic: &str, key: Option<&str>, value: Option<&[u8]>) {
        self.send_to(topic, 0, key, value);
    }

    pub(crate) fn send_to(&self, topic: &str, partition: i32, key: Option<&str>, value: Option<&[u8]>) {
        let headers: &[(&str, Option<&[u8]>)] = &[("h", Some(b"v"))];
        let message = Message {
            topic,
            partition: Some(partition),
            key: key.map(str::as_bytes),
            value,
            headers,
            timestamp_ms: Some(1_700_000_000_000),
        };
        self.producer.send(&message).unwrap();
    }

    pub(crate) fn send_events(&self, topic: &str, count: i64) {
        for id in 0..count {
            self.send(topic, Some(&format!("k{id}")), Some(&self.event(id)));
        }
        self.flush();
    }

    pub(crate) fn flush(&self) {
        self.producer.flush(Duration::from_secs(30)).unwrap();
    }

    /// `sabot consume` on this stage, with the words of `line` after it. Unless they say otherwise,
    /// no batch ends because time passes, so that the batches are the same on a slow machine.
    pub(crate) fn consume(&self, line: &str) -> Command {
        let mut command = sabot(&format!(
            "consume -F none -b {} -r {}",
            self.broker.brokers(),
            self.registry.url()
        ));
        command.args(line.split_whitespace());
        if !line.contains("--linger-ms") {
            command.args(["--linger-ms", "3600000"]);
        }
        command
    }
}

/// The built command, without any configuration of whoever runs the tests.
pub(crate) fn sabot(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sabot"));
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).args(line.split_whitespace());
    command
}

/// Runs to the end, expects `status`, and gives stdout and stderr.
pub(crate) fn run(mut command: Command, status: i32) -> (String, String) {
    let Output {
        status: found,
        stdout,
        stderr,
    } = command.output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    );
    assert_eq!(found.code(), Some(status), "{command:?}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

/// What Ctrl-C does.
#[cfg(unix)]
pub(crate) fn interrupt(child: &std::process::Child) {
    let id = child.id().to_string();
    let mut kill = Command::new("kill");
    assert!(kill.args(["-INT", &id]).status().unwrap().success());
}

/// A zigzag varint.
fn long(value: i64, out: &mut Vec<u8>) {
    let mut rest = (value << 1 ^ value >> 63) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}
