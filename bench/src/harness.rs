//! Rounds: every system once in each, so that whatever else the machine does hits all of them.

use std::process::Command;
use std::time::Instant;

use crate::batch::Consumer;
use crate::suites::{Case, Workload};

/// What one system needed for one workload.
pub struct Measured {
    pub suite: &'static str,
    pub workload: &'static str,
    pub system: &'static str,
    pub messages: usize,
    pub bytes_per_message: usize,
    /// Nanoseconds for one message: the median of all rounds, and the extremes.
    pub median_ns: f64,
    pub min_ns: f64,
    pub max_ns: f64,
    /// The most memory that a process held which ran this system alone, its messages included.
    /// `None` where the kernel does not say.
    pub peak_rss_bytes: Option<u64>,
}

/// Nanoseconds for one message, round by round, in order.
pub struct Times(Vec<f64>);

impl Times {
    pub fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

/// Measures the systems of a workload.
pub fn measure(workload: &Workload, case: &mut Case, rounds: usize) -> Result<Vec<Measured>, String> {
    let times = times(case, rounds)?;
    let measured = case.systems.iter().zip(times).map(|(system, times)| Measured {
        suite: workload.suite,
        workload: workload.name,
        system: system.name,
        messages: case.count,
        bytes_per_message: case.bytes_per_message,
        median_ns: times.median(),
        min_ns: times.0[0],
        max_ns: times.0[times.0.len() - 1],
        peak_rss_bytes: None,
    });
    Ok(measured.collect())
}

/// Runs the systems in turn, `rounds` times, after one round to warm up.
pub fn times(case: &mut Case, rounds: usize) -> Result<Vec<Times>, String> {
    let mut times = vec![Vec::with_capacity(rounds); case.systems.len()];
    for round in 0..=rounds {
        for turn in 0..times.len() {
            // Another one begins each round: nobody always runs after the same neighbour.
            let at = (turn + round) % times.len();
            let mut consumer = Consumer::holding(case.held_batches);
            let start = Instant::now();
            case.systems[at]
                .run
                .run(&case.messages, &mut |batch| consumer.take(batch))?;
            let elapsed_ns = start.elapsed().as_nanos() as f64;
            drop(consumer);
            if round > 0 {
                times[at].push(elapsed_ns / case.count as f64);
            }
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    Ok(times.into_iter().map(Times).collect())
}

/// Runs one system in a process of its own: a peak is a process's, and no other system's memory may
/// count.
pub fn peak_of(workload: &str, system: &str, messages: usize) -> Result<Option<u64>, String> {
    let fail = |error: &dyn std::fmt::Display| format!("peak of {system}: {error}");
    let program = std::env::current_exe().map_err(|error| fail(&error))?;
    let output = Command::new(program)
        .args(["peak", workload, system, "--messages", &messages.to_string()])
        .output()
        .map_err(|error| fail(&error))?;
    if !output.status.success() {
        return Err(fail(&String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}
