//! The bars that Sabot has to reach, from `bench/bars.json`, and whether a run reached them.

use std::fs;

use serde_json::Value;

use super::results::Results;
use crate::command::{Failure, Outcome, root};

/// One bar.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) workload: String,
    /// The system to compare with; `None` where a time alone counts.
    pub(super) against: Option<String>,
    rule: Rule,
    limit: f64,
    /// Where it should go in the end.
    aim: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    /// The other's time over ours.
    AtLeast,
    /// Our time over the other's.
    CostsAtMost,
    /// Our time in nanoseconds.
    UnderNs,
}

/// Every rule, with its name in the file.
const RULES: [(&str, Rule); 3] = [
    ("at_least", Rule::AtLeast),
    ("costs_at_most", Rule::CostsAtMost),
    ("under_ns", Rule::UnderNs),
];

/// How a run compares with a bar.
pub(super) struct Verdict {
    /// What was reached: a ratio, or a time.
    pub(super) reached: String,
    pub(super) is_met: bool,
}

impl Bar {
    /// Every bar of `bench/bars.json`.
    pub(super) fn read_all() -> Outcome<Vec<Self>> {
        let file = root().join("bench/bars.json");
        let text = fs::read_to_string(&file).map_err(Failure::io("cannot read bench/bars.json"))?;
        let parsed: Value =
            serde_json::from_str(&text).map_err(|error| Failure::new(format!("bench/bars.json: {error}")))?;
        let bars = parsed.as_array().into_iter().flatten();
        bars.map(|bar| {
            Self::parse(bar).ok_or_else(|| Failure::new(format!("bench/bars.json: {bar} is no bar")))
        })
        .collect()
    }

    fn parse(value: &Value) -> Option<Self> {
        let (rule, limit) = RULES
            .iter()
            .find_map(|(name, rule)| Some((*rule, value[*name].as_f64()?)))?;
        let against = value["against"].as_str().map(str::to_owned);
        if against.is_none() != matches!(rule, Rule::UnderNs) {
            return None;
        }
        Some(Self {
            workload: value["workload"].as_str()?.to_owned(),
            against,
            rule,
            limit,
            aim: value["aim"].as_f64(),
        })
    }

    /// The bar in words.
    pub(super) fn limit(&self) -> String {
        self.words(self.limit)
    }

    /// Where it should go, in words; empty where nobody said.
    pub(super) fn aim(&self) -> String {
        self.aim.map_or_else(String::new, |aim| self.words(aim))
    }

    fn words(&self, number: f64) -> String {
        match self.rule {
            Rule::AtLeast => format!(">= {number}x"),
            Rule::CostsAtMost => format!("costs <= {number}x"),
            Rule::UnderNs => format!("< {number} ns"),
        }
    }

    /// `None` where the run did not measure it.
    pub(super) fn verdict(&self, results: &Results) -> Option<Verdict> {
        let ours = results.ours(&self.workload)?.ns;
        let theirs = match &self.against {
            Some(system) => results.find(&self.workload, system)?.ns,
            None => f64::NAN,
        };
        let (reached, is_met) = match self.rule {
            Rule::AtLeast => (theirs / ours, theirs / ours >= self.limit),
            Rule::CostsAtMost => (ours / theirs, ours / theirs <= self.limit),
            Rule::UnderNs => (ours, ours < self.limit),
        };
        let unit = if self.against.is_some() { "x" } else { " ns" };
        Some(Verdict {
            reached: format!("{reached:.2}{unit}"),
            is_met,
        })
    }
}

/// Fails where a bar is missed, or not measured although the run was to measure everything.
pub(super) fn check(results: &Results, bars: &[Bar], is_partial: bool) -> Outcome {
    let mut missed = Vec::new();
    for bar in bars {
        let name = match &bar.against {
            Some(system) => format!("{} against {system}", bar.workload),
            None => bar.workload.clone(),
        };
        match bar.verdict(results) {
            Some(verdict) if !verdict.is_met => {
                missed.push(format!("{name}: {} of {}", verdict.reached, bar.limit()));
            }
            None if !is_partial => missed.push(format!("{name}: not measured")),
            _ => {}
        }
    }
    if missed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("bars missed:\n{}", missed.join("\n"))))
}

#[cfg(test)]
impl Bar {
    /// One that the sample of results meets, one that it misses, and one that it did not measure.
    pub(super) fn samples() -> Vec<Self> {
        [
            serde_json::json!({"workload": "avro/flat", "against": "peer", "at_least": 3.5}),
            serde_json::json!({"workload": "wire/parse", "under_ns": 2}),
            serde_json::json!({"workload": "absent", "under_ns": 2}),
        ]
        .iter()
        .map(|bar| Self::parse(bar).expect("a sample is a bar"))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::results::tests::sample;
    use super::{Bar, check};

    fn bar(value: &Value) -> Bar {
        Bar::parse(value).unwrap()
    }

    #[test]
    fn every_rule_has_a_side_where_it_is_met_and_one_where_it_is_missed() {
        let results = sample();
        for (rule, workload, met, missed) in [
            ("at_least", "avro/flat", 4.0, 4.1),
            ("costs_at_most", "avro/flat", 0.26, 0.24),
            ("under_ns", "wire/parse", 4.1, 3.9),
        ] {
            let made = |limit: f64| {
                let mut value = json!({"workload": workload});
                value[rule] = limit.into();
                if rule != "under_ns" {
                    value["against"] = "peer".into();
                }
                bar(&value)
            };
            assert!(check(&results, &[made(met)], false).is_ok(), "{rule}");
            let failure = check(&results, &[made(missed)], false).unwrap_err().to_string();
            assert!(failure.contains(workload), "{failure}");
        }
    }

    #[test]
    fn a_bar_that_was_not_measured_is_missed_by_a_whole_run_alone() {
        let absent = [bar(&json!({"workload": "avro/wide", "under_ns": 1}))];
        assert!(check(&sample(), &absent, true).is_ok());
        assert!(check(&sample(), &absent, false).is_err());
    }

    #[test]
    fn the_bars_of_the_repository_can_be_read() {
        assert!(Bar::read_all().unwrap().len() > 5);
        assert!(Bar::parse(&json!({"workload": "a", "at_least": 1})).is_none());
        assert!(Bar::parse(&json!({"workload": "a", "against": "b", "under_ns": 1})).is_none());
    }
}
