//! What is measured.
//!
//! A codec adds a suite's workloads as values: a name, and a function that makes the messages and
//! the systems. The harness, the check of results, the counting of instructions and all that reads
//! `results.json` know no codec.

mod registry;
mod wire;

use crate::avro;
use crate::batch::{Batch, Consumer};
use crate::buffer::Messages;
use crate::options::Options;

/// Workloads that are asked for together.
pub struct Suite {
    pub name: &'static str,
    pub workloads: fn() -> Vec<Workload>,
}

/// Every suite.
pub const ALL: &[Suite] = &[
    Suite {
        name: "wire",
        workloads: wire::workloads,
    },
    Suite {
        name: "registry",
        workloads: registry::workloads,
    },
    Suite {
        name: "decode",
        workloads: avro::workloads,
    },
];

/// Something to measure systems on. It is built when its turn comes, and dropped after it.
pub struct Workload {
    pub suite: &'static str,
    pub name: &'static str,
    /// Cores that it takes.
    pub cores: usize,
    /// Whether the instructions of its system `sabot` are counted.
    pub counted: bool,
    /// Makes so many messages, or fewer where they are long, and the systems.
    pub build: Box<dyn Fn(usize) -> Result<Case, String>>,
}

/// A workload's messages and systems.
pub struct Case {
    pub messages: Messages,
    /// Messages that a system handles in one run.
    pub count: usize,
    pub bytes_per_message: usize,
    /// Batches that the consumer holds before it drops the oldest.
    pub held_batches: usize,
    pub systems: Vec<System>,
    /// What the systems' batches are compared with. `None` where there are no batches.
    pub expected: Option<Expected>,
}

/// A name and what it stands for.
pub struct System {
    pub name: &'static str,
    pub run: Box<dyn Run>,
    pub rows: Rows,
}

/// What a system makes of the messages.
#[derive(Clone, Copy, PartialEq)]
pub enum Rows {
    /// Every good message's row, in order.
    InOrder,
    /// Every good message's row, in another order.
    AnyOrder,
    /// The bytes of every message's body.
    Bytes,
    /// Nothing that could be compared.
    None,
}

/// The system that is trusted, and what it is given.
pub struct Expected {
    pub name: &'static str,
    /// Where they are not the workload's: without the bad ones.
    pub messages: Option<Messages>,
    pub run: Box<dyn Run>,
}

/// Handles all messages once.
pub trait Run {
    /// Gives each batch away as soon as it is made.
    fn run(&mut self, messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String>;
}

impl<F: FnMut(&Messages, &mut dyn FnMut(Batch)) -> Result<(), String>> Run for F {
    fn run(&mut self, messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        self(messages, batch)
    }
}

impl System {
    /// A system whose rows are checked.
    pub fn new(name: &'static str, run: impl Run + 'static) -> Self {
        Self::boxed(name, Box::new(run))
    }

    pub fn boxed(name: &'static str, run: Box<dyn Run>) -> Self {
        Self {
            name,
            run,
            rows: Rows::InOrder,
        }
    }

    pub fn making(self, rows: Rows) -> Self {
        Self { rows, ..self }
    }
}

impl Case {
    /// Runs one system once, with the workload's consumer.
    pub fn run(&mut self, system: &str) -> Result<(), String> {
        let mut systems = self.systems.iter_mut();
        let found = systems
            .find(|known| known.name == system)
            .ok_or(format!("there is no system {system:?}"))?;
        let mut consumer = Consumer::holding(self.held_batches);
        found.run.run(&self.messages, &mut |batch| consumer.take(batch))
    }
}

/// The workloads that the options ask for; at least one.
pub fn wanted(options: &Options) -> Result<Vec<Workload>, String> {
    let is_wanted =
        |suite: &Suite| options.suites.is_empty() || options.suites.iter().any(|name| name == suite.name);
    let suites = ALL.iter().filter(|suite| is_wanted(suite));
    let workloads: Vec<Workload> = suites
        .flat_map(|suite| (suite.workloads)())
        .filter(|workload| workload.name.contains(&options.filter))
        .collect();
    if workloads.is_empty() {
        return Err("no workload matches".into());
    }
    Ok(workloads)
}

/// The workload `name`.
pub fn find(name: &str) -> Result<Workload, String> {
    let mut all = ALL.iter().flat_map(|suite| (suite.workloads)());
    all.find(|workload| workload.name == name)
        .ok_or(format!("there is no workload {name:?}"))
}
