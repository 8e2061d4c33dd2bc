//! A group of workloads as a plot: a bar for each system, in SVG.
//!
//! The workloads of a group differ by more than a linear scale can show, and a logarithmic one
//! makes a factor of five look small. So each workload has a scale of its own, as long as its
//! slowest system, and the numbers are beside the bars. The plot brings its own background, so that
//! it can be read whatever theme is around it, and follows the reader's preference for dark or
//! light.

use std::fmt::Write;

use super::results::{OURS, Results, Row};

const WIDTH: usize = 820;
const MARGIN: usize = 16;
/// Where bars begin, right of the systems' names.
const BARS_LEFT: usize = 260;
/// How long the longest bar is; numbers are right of it.
const BARS_WIDTH: usize = 380;
const BAR_HEIGHT: usize = 13;
const LINE_HEIGHT: usize = 21;
/// Space above a workload's name.
const GAP: usize = 12;

const STYLE: &str = "\
.back { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif } .title { font-weight: 600; font-size: 15px }
.workload { font-weight: 600 } .small { fill: #59636e; font-size: 12px } .label { text-anchor: end }
.ours { fill: #0969da } .theirs { fill: #afb8c1 } .spread { stroke: #59636e; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { .back { fill: #0d1117 } text { fill: #f0f6fc } .small { fill: #9198a1 }
.ours { fill: #4493f8 } .theirs { fill: #656c76 } .spread { stroke: #b7bdc8 } }";

/// Draws the workloads of `group`.
pub(super) fn plot(results: &Results, group: &str) -> String {
    let mut plot = Plot {
        body: String::new(),
        y: MARGIN,
    };
    plot.heading(group);
    for workload in results.workloads() {
        let rows: Vec<&Row> = results.of_workload(workload).collect();
        if rows[0].group() == group {
            plot.workload(results, &rows);
        }
    }
    let height = plot.y + MARGIN;
    let name = escaped(group);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{name}: nanoseconds per message</title>\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n{}</svg>\n",
        plot.body
    )
}

/// A plot that grows downwards.
struct Plot {
    body: String,
    /// Where the next line begins.
    y: usize,
}

impl Plot {
    fn heading(&mut self, group: &str) {
        self.text("title", MARGIN, &format!("{group}: nanoseconds per message"));
        self.y += LINE_HEIGHT;
        let legend = "Medians, less is better; the thin line is the spread. Each workload has a scale of its own. Nx: so many \
                      times Sabot's.";
        self.text("small", MARGIN, legend);
        self.y += LINE_HEIGHT;
    }

    fn workload(&mut self, results: &Results, rows: &[&Row]) {
        self.y += GAP;
        let first = rows[0];
        self.text("workload", MARGIN, &first.workload);
        self.y += LINE_HEIGHT;
        let longest = rows.iter().map(|row| row.max_ns).fold(0.0, f64::max);
        let scale = BARS_WIDTH as f64 / longest.max(f64::MIN_POSITIVE);
        for row in rows {
            self.bar(results, row, scale);
        }
    }

    fn bar(&mut self, results: &Results, row: &Row, scale: f64) {
        let class = if row.system == OURS { "ours" } else { "theirs" };
        let [width, low, high] = [row.ns, row.min_ns, row.max_ns].map(|ns| ns * scale);
        let left = BARS_LEFT as f64;
        self.text("label", BARS_LEFT - 8, &row.system);
        self.line(format_args!(
            "<rect class=\"{class}\" x=\"{BARS_LEFT}\" y=\"{}\" width=\"{width:.1}\" height=\"{BAR_HEIGHT}\"/>",
            self.y + 3
        ));
        let middle = self.y as f64 + 3.0 + BAR_HEIGHT as f64 / 2.0;
        self.line(format_args!(
            "<line class=\"spread\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>",
            left + low,
            left + high
        ));
        let ratio = results
            .ratio(row)
            .map_or_else(String::new, |ratio| format!(", {ratio:.2}x"));
        let number = format!("{:.1} ns{ratio}", row.ns);
        self.text("number", (left + high.max(width)) as usize + 8, &number);
        self.y += LINE_HEIGHT;
    }

    /// Writes on the current line, which stays the current one.
    fn text(&mut self, class: &str, x: usize, text: &str) {
        let y = self.y + 14;
        self.line(format_args!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>",
            escaped(text)
        ));
    }

    fn line(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("because strings take all");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::sample;
    use super::plot;

    /// Panics unless tags are closed in order, and nothing but names, quoted attributes and text is
    /// in them.
    fn check_well_formed(svg: &str) {
        let mut open = Vec::new();
        let mut rest = svg.trim();
        while let Some(start) = rest.find('<') {
            let text = &rest[..start];
            assert!(!text.contains('>'), "a stray > in {text:?}");
            let end = rest[start..].find('>').unwrap() + start;
            let tag = &rest[start + 1..end];
            assert!(!tag.contains('<'), "{tag:?}");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag:?}");
            let name = tag.trim_matches('/').split(' ').next().unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
            rest = &rest[end + 1..];
        }
        assert!(open.is_empty() && rest.is_empty(), "{open:?} {rest:?}");
    }

    #[test]
    fn a_plot_is_well_formed_whatever_a_system_is_called() {
        let mut results = sample();
        results.rows[1].system = "<peer> & \"co\"".into();
        for group in results.groups() {
            check_well_formed(&plot(&results, &group));
        }
        assert!(plot(&results, "avro").contains("&lt;peer&gt; &amp; &quot;co&quot;"));
    }

    #[test]
    fn bars_are_as_long_as_their_times_and_say_the_ratio() {
        let plot = plot(&sample(), "avro");
        let widths: Vec<f64> = plot
            .lines()
            .filter(|line| {
                line.starts_with("<rect class=\"ours\"") || line.starts_with("<rect class=\"theirs\"")
            })
            .map(|line| {
                let (_, width) = line.split_once("width=\"").unwrap();
                width.split('"').next().unwrap().parse().unwrap()
            })
            .collect();
        assert_eq!(widths.len(), 2);
        assert!((widths[1] / widths[0] - 4.0).abs() < 0.01, "{widths:?}");
        assert!(
            plot.contains(">40.0 ns</text>") && plot.contains(">160.0 ns, 4.00x</text>"),
            "{plot}"
        );
        assert!(!plot.contains("wire/parse"));
    }
}
