//! What was measured, as a table and as a file.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;

/// The system that the others are compared with.
const BASELINE: &str = "BaseConsumer::poll";

/// What one system needed for one workload.
pub struct Measured {
    pub workload: &'static str,
    pub system: String,
    pub messages: usize,
    pub bytes_per_message: usize,
    /// Seconds of wall time and of CPU time, round by round.
    pub runs: Vec<(f64, f64)>,
}

/// Millions of messages a second: the median, and the extremes.
struct Rates {
    median: f64,
    least: f64,
    most: f64,
}

impl Measured {
    fn rates(&self, seconds: impl Fn(&(f64, f64)) -> f64) -> Rates {
        let per_second = |run| self.messages as f64 / seconds(run) / 1e6;
        let mut rates: Vec<f64> = self.runs.iter().map(per_second).collect();
        rates.sort_by(f64::total_cmp);
        Rates {
            median: rates[rates.len() / 2],
            least: rates[0],
            most: rates[rates.len() - 1],
        }
    }

    fn wall(&self) -> Rates {
        self.rates(|run| run.0)
    }

    fn cpu(&self) -> Rates {
        self.rates(|run| run.1)
    }
}

/// A line for each system and workload.
pub fn table(all: &[Measured]) -> String {
    let mut out = format!(
        "{:<14} {:<45} {:>9} {:>14} {:>10} {:>14}  {}\n",
        "workload", "system", "M msg/s", "min .. max", "M/CPU-s", "min .. max", "of polling, a CPU-s"
    );
    for measured in all {
        let baseline = all
            .iter()
            .find(|other| other.workload == measured.workload && other.system == BASELINE);
        let (wall, cpu) = (measured.wall(), measured.cpu());
        let ratio = baseline.map_or_else(String::new, |other| {
            format!("{:.2}", cpu.median / other.cpu().median)
        });
        writeln!(
            out,
            "{:<14} {:<45} {:>9.2} {:>14} {:>10.2} {:>14}  {ratio}",
            measured.workload,
            measured.system,
            wall.median,
            format!("{:.2} .. {:.2}", wall.least, wall.most),
            cpu.median,
            format!("{:.2} .. {:.2}", cpu.least, cpu.most),
        )
        .expect("because strings take all");
    }
    out
}

/// Writes the results as a file that other programs read.
pub fn write(all: &[Measured], path: &Path) -> Result<(), String> {
    let rows: Vec<_> = all
        .iter()
        .map(|measured| {
            let rates = |rates: Rates| json!({"median": rates.median, "min": rates.least, "max": rates.most});
            json!({
                "suite": "e2e",
                "workload": measured.workload,
                "system": measured.system,
                "messages": measured.messages,
                "bytes_per_message": measured.bytes_per_message,
                "million_messages_per_second": rates(measured.wall()),
                "million_messages_per_cpu_second": rates(measured.cpu()),
            })
        })
        .collect();
    let fail = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    fs::write(path, format!("{:#}\n", json!({"results": rows}))).map_err(fail)?;
    println!("written to {}", path.display());
    Ok(())
}
