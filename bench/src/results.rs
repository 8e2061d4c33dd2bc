//! The file that other programs read.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::harness::Measured;
use crate::host;

/// What cargo resolved when this was built.
const LOCK: &str = include_str!("../Cargo.lock");

/// Packages whose versions a reader of the results wants to know. A codec adds its peers here.
const PEERS: &[&str] = &["arrow-avro", "apache-avro", "dashmap"];

/// The compiler, as `cargo xtask bench` found it.
const COMPILER: &str = match option_env!("SABOT_BENCH_RUSTC") {
    Some(version) => version,
    None => "unknown",
};

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
        "date": utc(SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs())),
        "rustc": COMPILER,
        "peers": versions(LOCK),
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
        .args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
        .output();
    let text = output
        .ok()
        .filter(|output| output.status.success())
        .map(|output| output.stdout);
    text.and_then(|text| String::from_utf8(text).ok())
        .map_or_else(|| "unknown".into(), |text| text.trim().into())
}

/// The versions of the peers in a lock file.
fn versions(lock: &str) -> Map<String, Value> {
    let mut found = Map::new();
    let mut name = "";
    for line in lock.lines() {
        if let Some((key, value)) = line.split_once(" = ") {
            let value = value.trim_matches('"');
            match key {
                "name" => name = value,
                "version" if PEERS.contains(&name) => drop(found.insert(name.to_owned(), value.into())),
                _ => {}
            }
        }
    }
    found
}

/// A time as RFC 3339 writes it, from the seconds since 1970: days are counted from a March, so
/// that a leap day is its year's last.
fn utc(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{LOCK, PEERS, utc, versions};

    #[test]
    fn seconds_become_dates() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }

    #[test]
    fn every_peer_has_a_version() {
        assert_eq!(versions(LOCK).len(), PEERS.len());
    }
}
