//! The table, and the file that other programs read.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Measured;

/// Prints a table; `ratio` is a system's median over Sabot's.
pub fn print(results: &[Measured]) {
    println!(
        "{:<16} {:<22} {:>10} {:>10} {:>10} {:>7} {:>9}",
        "workload", "system", "ns/message", "min", "max", "ratio", "peak MiB"
    );
    for result in results {
        let ours = results
            .iter()
            .find(|other| other.workload == result.workload && other.system == "sabot");
        let ratio = ours.map_or_else(String::new, |ours| {
            format!("{:.2}", result.median_ns / ours.median_ns)
        });
        let peak = result
            .peak_rss_bytes
            .map_or_else(String::new, |bytes| (bytes >> 20).to_string());
        println!(
            "{:<16} {:<22} {:>10.1} {:>10.1} {:>10.1} {:>7} {:>9}",
            result.workload, result.system, result.median_ns, result.min_ns, result.max_ns, ratio, peak
        );
    }
}

/// Writes `results.json`.
pub fn write(results: &[Measured], path: &Path) -> Result<(), String> {
    let rows: Vec<Value> = results
        .iter()
        .map(|result| {
            json!({
                "suite": result.suite,
                "workload": result.workload,
                "system": result.system,
                "ns_per_message": result.median_ns,
                "min": result.min_ns,
                "max": result.max_ns,
                "bytes_per_message": result.bytes_per_message,
                "messages": result.messages,
                "peak_rss_bytes": result.peak_rss_bytes,
            })
        })
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let report = json!({"commit": commit(), "host": {"cpu": cpu(), "cores": cores}, "results": rows});
    let fail = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    fs::write(path, format!("{report:#}\n")).map_err(fail)?;
    println!("written to {}", path.display());
    Ok(())
}

/// The commit measured, marked where files differ from it; `unknown` outside of a checkout.
fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .output();
    let text = output
        .ok()
        .filter(|output| output.status.success())
        .map(|output| output.stdout);
    text.and_then(|text| String::from_utf8(text).ok())
        .map_or_else(|| "unknown".into(), |text| text.trim().into())
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    model
        .and_then(|line| line.split_once(": "))
        .map_or_else(|| std::env::consts::ARCH.into(), |(_, name)| name.into())
}
