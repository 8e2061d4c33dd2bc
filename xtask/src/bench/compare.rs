//! Two runs side by side: what a change did.
//!
//! Times of one machine at two hours differ by what else it did, so the ratio to the peers is
//! printed beside them: a change is good where the ratio moved.

use std::fmt::Write;

use super::results::{Results, Row};

/// Every row that both runs have, the ones that only one of them has below.
pub(super) fn text(old: &Results, new: &Results) -> String {
    let mut out = String::new();
    for (name, run) in [("old", old), ("new", new)] {
        let Results {
            commit,
            date,
            cpu,
            rustc,
            ..
        } = run;
        say(
            &mut out,
            &format!("{name}: {commit}, {date}, {cpu}, rustc {rustc}"),
        );
    }
    if old.cpu != new.cpu {
        say(&mut out, "on two processors: only the ratios can be compared");
    }
    say(
        &mut out,
        &format!(
            "{:<31} {:<32} {:>10} {:>10} {:>8} {:>10} {:>10}",
            "workload", "system", "old ns", "new ns", "change", "old ratio", "new ratio"
        ),
    );
    for row in &new.rows {
        if let Some(before) = old.find(&row.workload, &row.system) {
            say(
                &mut out,
                &format!(
                    "{:<31} {:<32} {:>10.1} {:>10.1} {:>+7.1}% {:>10} {:>10}",
                    row.workload,
                    row.system,
                    before.ns,
                    row.ns,
                    percent(before.ns, row.ns),
                    ratio(old, before),
                    ratio(new, row),
                ),
            );
        }
    }
    for (name, run, other) in [("old", old, new), ("new", new, old)] {
        for row in &run.rows {
            if other.find(&row.workload, &row.system).is_none() {
                say(
                    &mut out,
                    &format!("in {name} alone: {}, {}", row.workload, row.system),
                );
            }
        }
    }
    out
}

/// How much more the new number is than the old one, in per cent.
pub(super) fn percent(old: f64, new: f64) -> f64 {
    (new / old - 1.0) * 100.0
}

fn ratio(results: &Results, row: &Row) -> String {
    results
        .ratio(row)
        .map_or_else(String::new, |ratio| format!("{ratio:.2}"))
}

fn say(out: &mut String, line: &str) {
    writeln!(out, "{}", line.trim_end()).expect("because strings take all");
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::sample;
    use super::text;

    #[test]
    fn changes_show_in_per_cent_and_in_the_ratio() {
        let (old, mut new) = (sample(), sample());
        new.rows[0].ns = 20.0;
        let compared = text(&old, &new);
        let line = |system: &str| {
            let mut lines = compared.lines();
            let line = lines.find(|line| line.starts_with("avro/flat") && line.contains(system));
            line.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("sabot"), "avro/flat sabot 40.0 20.0 -50.0%");
        assert_eq!(line("peer"), "avro/flat peer 160.0 160.0 +0.0% 4.00 8.00");
        assert!(!compared.contains("two processors"));
    }

    #[test]
    fn what_only_one_of_them_has_is_named() {
        let (mut old, mut new) = (sample(), sample());
        old.rows.remove(1);
        new.rows.remove(2);
        new.cpu = "Another".into();
        let compared = text(&old, &new);
        assert!(compared.contains("in new alone: avro/flat, peer"), "{compared}");
        assert!(compared.contains("in old alone: wire/parse, sabot"), "{compared}");
        assert!(compared.contains("two processors"));
    }
}
