//! Results as tables: for a terminal, and for the documentation.

use std::fmt::Write;

use super::bars::Bar;
use super::results::{OURS, Results, Row};

/// Every row, with its bars.
pub(super) fn text(results: &Results, bars: &[Bar]) -> String {
    let mut out = format!(
        "{:<31} {:<32} {:>10} {:>19} {:>7} {:>9}  {}\n",
        "workload", "system", "ns/message", "min .. max", "ratio", "peak MiB", "bar"
    );
    for row in &results.rows {
        let verdicts: Vec<String> = bars_of(bars, row)
            .filter_map(|bar| {
                let verdict = bar.verdict(results)?;
                let word = if verdict.is_met { "pass" } else { "MISS" };
                Some(format!("{} of {} {word}", verdict.reached, bar.limit()))
            })
            .collect();
        let spread = format!("{:.1} .. {:.1}", row.min_ns, row.max_ns);
        let line = format!(
            "{:<31} {:<32} {:>10.1} {spread:>19} {:>7} {:>9}  {}",
            row.workload,
            row.system,
            row.ns,
            ratio(results, row),
            mebibytes(row),
            verdicts.join(", ")
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The bars that show in this row: in the other system's, or in Sabot's own where only its time
/// counts.
fn bars_of<'a>(bars: &'a [Bar], row: &'a Row) -> impl Iterator<Item = &'a Bar> {
    bars.iter()
        .filter(|bar| bar.workload == row.workload && bar.against.as_deref().unwrap_or(OURS) == row.system)
}

fn ratio(results: &Results, row: &Row) -> String {
    results
        .ratio(row)
        .map_or_else(String::new, |ratio| format!("{ratio:.2}"))
}

fn mebibytes(row: &Row) -> String {
    row.peak_rss_bytes
        .map_or_else(String::new, |bytes| (bytes >> 20).to_string())
}

/// The bars, and below them every row, as Markdown.
pub(super) fn markdown(results: &Results, bars: &[Bar]) -> String {
    let mut out = String::from("| workload | against | theirs, ns | Sabot, ns | reached | bar | aim |\n");
    out.push_str("|---|---|---|---|---|---|---|\n");
    for bar in bars {
        let (Some(verdict), Some(ours)) = (bar.verdict(results), results.ours(&bar.workload)) else {
            continue;
        };
        let theirs = bar
            .against
            .as_deref()
            .and_then(|system| results.find(&bar.workload, system));
        let reached = if verdict.is_met {
            verdict.reached
        } else {
            format!("{}, missed", verdict.reached)
        };
        line(
            &mut out,
            &[
                format!("`{}`", bar.workload),
                bar.against.clone().unwrap_or_default(),
                theirs.map_or_else(String::new, nanoseconds),
                nanoseconds(ours),
                format!("**{reached}**"),
                bar.limit(),
                bar.aim(),
            ],
        );
    }
    out.push_str("\n<details><summary>Every system, with the spread</summary>\n\n");
    out.push_str("| workload | bytes | system | ns/message | min .. max | ratio | peak MiB |\n|---|---|---|---|---|---|---|\n");
    for row in &results.rows {
        line(
            &mut out,
            &[
                format!("`{}`", row.workload),
                row.bytes.to_string(),
                row.system.clone(),
                nanoseconds(row),
                format!("{:.1} .. {:.1}", row.min_ns, row.max_ns),
                ratio(results, row),
                mebibytes(row),
            ],
        );
    }
    out.push_str("\n</details>\n");
    out
}

fn line(out: &mut String, cells: &[String]) {
    writeln!(out, "| {} |", cells.join(" | ")).expect("because strings take all");
}

fn nanoseconds(row: &Row) -> String {
    format!("{:.1}", row.ns)
}

#[cfg(test)]
mod tests {
    use super::super::bars::Bar;
    use super::super::results::tests::sample;
    use super::{markdown, text};

    #[test]
    fn a_row_shows_its_ratio_and_its_bar() {
        let text = text(&sample(), &Bar::samples());
        let peer = text.lines().find(|line| line.contains("peer")).unwrap();
        let words: Vec<&str> = peer.split_whitespace().collect();
        assert_eq!(words[2..7], ["160.0", "159.0", "..", "162.0", "4.00"]);
        assert!(peer.ends_with("4.00x of >= 3.5x pass"), "{peer}");
        let missed = text.lines().find(|line| line.starts_with("wire/parse")).unwrap();
        assert!(missed.ends_with("4.00 ns of < 2 ns MISS"), "{missed}");
    }

    #[test]
    fn the_documentation_has_every_measured_bar_and_every_row() {
        let markdown = markdown(&sample(), &Bar::samples());
        assert!(
            markdown.contains("| `avro/flat` | peer | 160.0 | 40.0 | **4.00x** | >= 3.5x |  |\n"),
            "{markdown}"
        );
        assert!(
            markdown.contains("| **4.00 ns, missed** | < 2 ns |"),
            "{markdown}"
        );
        assert!(
            markdown.contains("| `avro/flat` | 75 | peer | 160.0 | 159.0 .. 162.0 | 4.00 | 3 |\n"),
            "{markdown}"
        );
        assert!(!markdown.contains("absent"));
    }
}
