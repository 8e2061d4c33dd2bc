//! What `results.json` and each record hold.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{Fault, Outcome};

/// A run's results.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) commit: String,
    pub(super) cpu: String,
    pub(super) cores: u64,
    pub(super) rows: Vec<Row>,
}

/// What one system needed for one workload.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) suite: String,
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
            fs::read_to_string(file).map_err(Fault::io(format_args!("cannot read {}", file.display())))?;
        let value = serde_json::from_str(&text)
            .map_err(|error| Fault::new(format!("{}: {error}", file.display())))?;
        Self::parse(&value).ok_or_else(|| Fault::new(format!("{} holds no results", file.display())))
    }

    pub(super) fn parse(value: &Value) -> Option<Self> {
        let rows = value["results"].as_array()?;
        Some(Self {
            commit: text(&value["commit"])?,
            cpu: text(&value["host"]["cpu"])?,
            cores: value["host"]["cores"].as_u64()?,
            rows: rows.iter().map(Row::parse).collect::<Option<_>>()?,
        })
    }

    /// The workloads of a suite, or of all, in order.
    pub(super) fn workloads(&self, suite: Option<&str>) -> Vec<&str> {
        unique(
            self.rows
                .iter()
                .filter(|row| suite.is_none_or(|suite| suite == row.suite))
                .map(|row| row.workload.as_str()),
        )
    }

    pub(super) fn suites(&self) -> Vec<&str> {
        unique(self.rows.iter().map(|row| row.suite.as_str()))
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
        self.find(workload, "sabot")
    }
}

impl Row {
    fn parse(value: &Value) -> Option<Self> {
        Some(Self {
            suite: text(&value["suite"])?,
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
    use serde_json::json;

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
        Results::parse(&json!({"commit": "abc", "host": host, "results": rows})).unwrap()
    }

    #[test]
    fn results_are_found_by_name_and_listed_in_order() {
        let results = sample();
        assert_eq!(results.workloads(None), ["avro/flat", "wire/parse"]);
        assert_eq!(results.suites(), ["decode"]);
        assert!((results.ours("avro/flat").unwrap().ns - 40.0).abs() < 1e-9);
        assert_eq!(results.of_workload("avro/flat").count(), 2);
    }

    #[test]
    fn what_is_no_result_is_refused() {
        assert!(Results::parse(&json!({"commit": "abc", "results": []})).is_none());
        let host = json!({"cpu": "", "cores": 1});
        assert!(Results::parse(&json!({"commit": "", "host": host, "results": [{"suite": "x"}]})).is_none());
    }
}
