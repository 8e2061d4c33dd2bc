//! The file that other programs read.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Measured;
use crate::host;

/// Writes `results.json`.
pub fn write(results: &[Measured], path: &Path) -> Result<(), String> {
    let rows: Vec<Value> = results
        .iter()
        .map(|result| {
            json!({
                "suite": result.suite,
                "workload": result.workload,
                "system": result.system,
                "ns_per_message": rounded(result.median_ns),
                "min": rounded(result.min_ns),
                "max": rounded(result.max_ns),
                "bytes_per_message": result.bytes_per_message,
                "messages": result.messages,
                "peak_rss_bytes": result.peak_rss_bytes,
            })
        })
        .collect();
    let report = json!({
        "commit": commit(),
        "host": {"cpu": host::cpu(), "cores": host::cores()},
        "results": rows,
    });
    let fail = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    fs::write(path, format!("{report:#}\n")).map_err(fail)
}

/// Hundredths of a nanosecond are the last digit that a clock of this kind can tell.
fn rounded(ns: f64) -> f64 {
    (ns * 100.0).round() / 100.0
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
