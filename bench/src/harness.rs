//! Rounds: every system once in each, so that whatever else the machine does hits all of them.

use std::fs;
use std::time::Instant;

/// Something to measure: a run over all messages of a workload.
pub struct System<'a> {
    pub name: &'static str,
    pub run: Box<dyn FnMut() + 'a>,
}

impl<'a> System<'a> {
    pub fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Self {
            name,
            run: Box::new(run),
        }
    }
}

/// What a workload is.
pub struct Workload {
    pub suite: &'static str,
    pub name: &'static str,
    pub messages: usize,
    pub bytes_per_message: usize,
}

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
    /// The most memory that the whole process held during this system's rounds, the messages included. `None` where
    /// the kernel does not say.
    pub peak_rss_bytes: Option<u64>,
}

/// Measures the systems in turn, `rounds` times, after one round to warm up.
pub fn measure(workload: &Workload, mut systems: Vec<System<'_>>, rounds: usize) -> Vec<Measured> {
    let mut times = vec![Vec::with_capacity(rounds); systems.len()];
    let mut peaks = vec![None; systems.len()];
    for round in 0..=rounds {
        for turn in 0..systems.len() {
            // Another one begins each round: nobody always runs behind the same neighbour.
            let at = (turn + round) % systems.len();
            reset_peak_rss();
            let start = Instant::now();
            (systems[at].run)();
            let elapsed_ns = start.elapsed().as_nanos() as f64;
            peaks[at] = peaks[at].max(peak_rss_bytes());
            if round > 0 {
                times[at].push(elapsed_ns / workload.messages as f64);
            }
        }
    }
    let each = systems.iter().zip(times).zip(peaks);
    each.map(|((system, mut times), peak_rss_bytes)| {
        times.sort_by(f64::total_cmp);
        Measured {
            suite: workload.suite,
            workload: workload.name,
            system: system.name,
            messages: workload.messages,
            bytes_per_message: workload.bytes_per_message,
            median_ns: times[times.len() / 2],
            min_ns: times[0],
            max_ns: times[times.len() - 1],
            peak_rss_bytes,
        }
    })
    .collect()
}

/// Linux forgets the peak when 5 is written here; elsewhere there is nothing to reset and nothing to read.
fn reset_peak_rss() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn peak_rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
