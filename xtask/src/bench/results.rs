//! What `results.json` and each record hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{Failure, Outcome};

/// The system that the others are compared with.
pub(super) const OURS: &str = "sabot";

/// A run's results.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) commit: String,
    /// When it was measured, in UTC as RFC 3339 writes it: such texts sort by time.
    pub(super) date: String,
    pub(super) rustc: String,
    /// Versions of the peers that were built.
    pub(super) peers: BTreeMap<String, String>,
    pub(super) cpu: String,
    pub(super) cores: u64,
    pub(super) rows: Vec<Row>,
}

/// What one system needed for one workload.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) workload: String,
    pub(super) system: String,
    pub(super) ns: f64,
    pub(super) min_ns: f64,
    pub(super) max_ns: f64,
    pub(super) bytes: u64,
    pub(super) messages: u64,
    pub(super) peak_rss_bytes: Option<u64>,
}

impl Results {
    pub(super) fn read(file: &Path) -> Outcome<Self> {
        let text =
            fs::read_to_string(file).map_err(Failure::io(format_args!("cannot read {}", file.display())))?;
        let value = serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        Self::parse(&value).ok_or_else(|| Failure::new(format!("{} holds no results", file.display())))
    }

    pub(super) fn parse(value: &Value) -> Option<Self> {
        let rows = value["results"].as_array()?;
        Some(Self {
            commit: text(&value["commit"])?,
            date: text(&value["date"])?,
            rustc: text(&value["rustc"])?,
            peers: versions(&value["peers"])?,
            cpu: text(&value["host"]["cpu"])?,
            cores: value["host"]["cores"].as_u64()?,
            rows: rows.iter().map(Row::parse).collect::<Option<_>>()?,
        })
    }

    /// The workloads in order.
    pub(super) fn workloads(&self) -> Vec<&str> {
        unique(self.rows.iter().map(|row| row.workload.as_str()))
    }

    /// Which workloads share a plot, by the beginning of their names, in order.
    pub(super) fn groups(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for group in self.rows.iter().map(Row::group) {
            if !found.contains(&group) {
                found.push(group);
            }
        }
        found
    }

    pub(super) fn of_workload<'a>(&'a self, workload: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.workload == workload)
    }

    pub(super) fn find(&self, workload: &str, system: &str) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.workload == workload && row.system == system)
    }

    /// Sabot's own row of a workload.
    pub(super) fn ours(&self, workload: &str) -> Option<&Row> {
        self.find(workload, OURS)
    }

    /// Another system's time over Sabot's: above 1, Sabot is faster. `None` for Sabot's own row.
    pub(super) fn ratio(&self, row: &Row) -> Option<f64> {
        let ours = self.ours(&row.workload).filter(|_| row.system != OURS)?;
        Some(row.ns / ours.ns)
    }
}

impl Row {
    /// `avro` of `avro/flat`, `avro/projected` of `avro/projected/flat`: what is left of a name
    /// without its last part, in two parts at most.
    pub(super) fn group(&self) -> String {
        let parts: Vec<&str> = self.workload.split('/').collect();
        parts[..(parts.len() - 1).clamp(1, 2)].join("/")
    }

    fn parse(value: &Value) -> Option<Self> {
        Some(Self {
            workload: text(&value["workload"])?,
            system: text(&value["system"])?,
            ns: value["ns_per_message"].as_f64()?,
            min_ns: value["min"].as_f64()?,
            max_ns: value["max"].as_f64()?,
            bytes: value["bytes_per_message"].as_u64()?,
            messages: value["messages"].as_u64()?,
            peak_rss_bytes: value["peak_rss_bytes"].as_u64(),
        })
    }
}

fn versions(value: &Value) -> Option<BTreeMap<String, String>> {
    let versions = value.as_object()?.iter();
    versions
        .map(|(name, version)| Some((name.clone(), text(version)?)))
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::Results;

    /// Two workloads: one with a peer, one with Sabot alone.
    pub(in crate::bench) fn sample() -> Results {
        let row = |workload: &str, system: &str, ns: f64| {
            json!({"suite": "decode", "workload": workload, "system": system, "ns_per_message": ns, "min": ns - 1.0,
                   "max": ns + 2.0, "bytes_per_message": 75, "messages": 1000, "peak_rss_bytes": 3 << 20})
        };
        let rows = [
            row("avro/flat", "sabot", 40.0),
            row("avro/flat", "peer", 160.0),
            row("wire/parse", "sabot", 4.0),
        ];
        let host = json!({"cpu": "A Chip", "cores": 2});
        let (date, peers) = (
            "2026-11-25T21:40:00Z",
            json!({"peer": "1.2.3", "absent": "4.0.0"}),
        );
        let made = json!({"commit": "abc", "date": date, "rustc": "1.95.0", "peers": peers, "host": host, "results": rows});
        Results::parse(&made).unwrap()
    }

    #[test]
    fn results_are_found_by_name_and_listed_in_order() {
        let results = sample();
        assert_eq!(results.workloads(), ["avro/flat", "wire/parse"]);
        assert_eq!(results.groups(), ["avro", "wire"]);
        assert!((results.ours("avro/flat").unwrap().ns - 40.0).abs() < 1e-9);
        assert_eq!(results.of_workload("avro/flat").count(), 2);
    }

    #[test]
    fn what_is_no_result_is_refused() {
        let made = |rows: &Value| {
            let host = json!({"cpu": "", "cores": 1});
            json!({"commit": "", "date": "", "rustc": "", "peers": {}, "host": host, "results": rows})
        };
        assert!(Results::parse(&made(&json!([]))).is_some());
        assert!(Results::parse(&made(&json!([{"suite": "x"}]))).is_none());
        assert!(Results::parse(&json!({"commit": "abc", "results": []})).is_none());
    }

    #[test]
    fn workloads_are_grouped_by_their_names() {
        let mut row = sample().rows[0].clone();
        for (workload, group) in [
            ("avro/flat", "avro"),
            ("avro/projected/wide", "avro/projected"),
            ("avro/poisoned/1-in-1000/flat", "avro/poisoned"),
            ("plain", "plain"),
        ] {
            row.workload = workload.into();
            assert_eq!(row.group(), group);
        }
    }
}
