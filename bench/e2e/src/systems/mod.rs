//! What reads the topics: one system, alone in its process.

mod batches;
mod confluent;
mod poll;
mod sabot;

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

/// Its name in results, and what reads so many messages of a topic.
pub struct System {
    pub name: &'static str,
    /// Whether the platform's allocator is measured too.
    pub other_allocator: bool,
    read: fn(topic: &str, messages: usize) -> Result<Read, String>,
}

pub const ALL: &[System] = &[
    System {
        name: "sabot",
        other_allocator: true,
        read: sabot::read,
    },
    System {
        name: "BaseConsumer::poll",
        other_allocator: true,
        read: poll::read,
    },
    System {
        name: "batches of partition queues",
        other_allocator: false,
        read: batches::read,
    },
    System {
        name: "confluent-kafka",
        other_allocator: false,
        read: confluent::read,
    },
];

/// What a system saw of a topic.
#[derive(Default)]
pub struct Read {
    pub messages: usize,
    /// Bytes of values. Counting them touches no payload yet, hence `touched`.
    pub bytes: usize,
    /// The sum of all first bytes of values, which keeps reading them from being left out.
    touched: usize,
}

impl Read {
    /// Takes in one value.
    pub fn touch(&mut self, value: &[u8]) {
        self.messages += 1;
        self.bytes += value.len();
        self.touched += usize::from(value.first().copied().unwrap_or(0));
        self.touched += usize::from(value.last().copied().unwrap_or(0));
    }
}

/// How long a system may wait for the next message.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a topic with one system, and prints what it took: wall time and the CPU time of all
/// threads.
pub fn read(system: &str, topic: &str, messages: &str) -> Result<(), String> {
    let system = ALL
        .iter()
        .find(|known| known.name == system)
        .ok_or_else(|| format!("there is no system {system:?}"))?;
    let messages = messages
        .parse()
        .map_err(|_| format!("{messages:?} is no number of messages"))?;
    let start = Instant::now();
    let read = (system.read)(topic, messages)?;
    let wall = start.elapsed();
    if read.messages != messages {
        return Err(format!(
            "{} read {} of {messages} messages",
            system.name, read.messages
        ));
    }
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let result = json!({
        "wall_s": wall.as_secs_f64(),
        "cpu_s": cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
        "bytes": read.bytes,
        "touched": read.touched,
    });
    println!("{result}");
    Ok(())
}
