//! `cargo xtask bench docs`: the numbers and plots of docs/performance.md, made from the newest
//! record.
//!
//! Nobody copies a number by hand: what is between two marks, and the plots beside it, are what the
//! newest record makes, and a test holds them against it. So they change with a record, with the
//! bars, or with this code, and in the same commit.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::bars::Bar;
use super::results::Results;
use super::{files_in, record, svg, table};
use crate::command::{Failure, Outcome, root};

const PAGE: &str = "docs/performance.md";
const PLOTS: &str = "docs/img";
/// How the names of the plots begin: what else is beside them is not ours.
const PLOT_PREFIX: &str = "bench-";
const BEGIN: &str = "<!-- made by `cargo xtask bench docs` from the newest record: edit nothing below -->\n";
const END: &str = "<!-- up to here -->\n";

/// Rewrites the page's section and the plots.
pub(super) fn write() -> Outcome {
    let made = Made::from_newest()?;
    let page = root().join(PAGE);
    let text = replaced(&read(&page)?, &made.section)?;
    fs::write(&page, text).map_err(Failure::io(format_args!("cannot write {PAGE}")))?;
    let folder = root().join(PLOTS);
    for old in plots_in(&folder)? {
        fs::remove_file(&old).map_err(Failure::io(format_args!("cannot remove {}", old.display())))?;
    }
    for (name, svg) in &made.plots {
        fs::create_dir_all(&folder).map_err(Failure::io(format_args!("cannot make {PLOTS}")))?;
        fs::write(folder.join(name), svg).map_err(Failure::io(format_args!("cannot write {name}")))?;
    }
    println!("{PAGE} and {} plots in {PLOTS} are made", made.plots.len());
    Ok(())
}

/// Fails where the page or a plot is not what the newest record makes.
pub(super) fn check() -> Outcome {
    let made = Made::from_newest()?;
    let text = read(&root().join(PAGE))?;
    let mut stale = Vec::new();
    if replaced(&text, &made.section)? != text {
        stale.push(PAGE.to_owned());
    }
    let folder = root().join(PLOTS);
    let mut left = plots_in(&folder)?;
    for (name, svg) in &made.plots {
        let file = folder.join(name);
        if fs::read_to_string(&file).ok().as_ref() != Some(svg) {
            stale.push(format!("{PLOTS}/{name}"));
        }
        left.retain(|known| *known != file);
    }
    stale.extend(left.iter().map(|file| file.display().to_string()));
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "not what the newest record makes: {}; run `cargo xtask bench docs`",
        stale.join(", ")
    )))
}

/// What a record becomes.
struct Made {
    section: String,
    /// File names and contents.
    plots: Vec<(String, String)>,
}

impl Made {
    fn from_newest() -> Outcome<Self> {
        let bars = Bar::read_all()?;
        Ok(record::newest()?.map_or_else(Self::without_a_record, |results| Self::from(&results, &bars)))
    }

    fn without_a_record() -> Self {
        let section = "No record is there yet: `cargo xtask bench --record` makes one, and then `cargo xtask bench docs` this \
                       section.\n";
        Self {
            section: section.into(),
            plots: Vec::new(),
        }
    }

    fn from(results: &Results, bars: &[Bar]) -> Self {
        let mut section = origin(results);
        let mut plots = Vec::new();
        for group in results.groups() {
            let name = format!("{PLOT_PREFIX}{}.svg", record::slug(&group));
            write!(section, "\n![{group}: nanoseconds per message](img/{name})\n")
                .expect("because strings take all");
            plots.push((name, svg::plot(results, &group)));
        }
        section.push('\n');
        section.push_str(&table::markdown(results, bars));
        Self { section, plots }
    }
}

/// When, where and beside what it was measured.
fn origin(results: &Results) -> String {
    let day = results.date.split('T').next().unwrap_or_default();
    // Peers may be locked and not measured.
    let is_measured = |name: &str| results.rows.iter().any(|row| row.system.starts_with(name));
    let peers = results.peers.iter().filter(|(name, _)| is_measured(name));
    let peers: Vec<String> = peers.map(|(name, version)| format!("{name} {version}")).collect();
    let messages = results
        .rows
        .iter()
        .map(|row| row.messages)
        .max()
        .unwrap_or_default();
    format!(
        "Measured on {day} at commit `{}`, on one core of {} ({}), compiled by rustc {}, beside {}; {messages} messages a \
         round at most.\n",
        results.commit,
        results.cores,
        results.cpu,
        results.rustc,
        peers.join(", "),
    )
}

/// The page with another section.
fn replaced(page: &str, section: &str) -> Outcome<String> {
    let parts = page.split_once(BEGIN);
    let parts = parts.and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        parts.ok_or_else(|| Failure::new(format!("{PAGE} lacks the marks {BEGIN:?} and {END:?}")))?;
    Ok(format!("{before}{BEGIN}\n{section}\n{END}{after}"))
}

/// The plots that are in the folder, in order.
fn plots_in(folder: &Path) -> Outcome<Vec<PathBuf>> {
    files_in(folder, |name| name.starts_with(PLOT_PREFIX))
}

fn read(file: &Path) -> Outcome<String> {
    fs::read_to_string(file).map_err(Failure::io(format_args!("cannot read {}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::super::bars::Bar;
    use super::super::results::tests::sample;
    use super::{BEGIN, END, Made, check, replaced};

    #[test]
    fn the_documentation_is_what_the_newest_record_makes() {
        if let Err(failure) = check() {
            panic!("{failure}");
        }
    }

    #[test]
    fn every_group_has_a_plot_that_the_section_shows() {
        let made = Made::from(&sample(), &Bar::samples());
        let names: Vec<&str> = made.plots.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bench-avro.svg", "bench-wire.svg"]);
        for name in names {
            assert!(made.section.contains(&format!("(img/{name})")));
        }
        let origin = made.section.lines().next().unwrap();
        assert!(
            origin.contains("2026-11-25 at commit `abc`, on one core of 2 (A Chip)"),
            "{origin}"
        );
        assert!(origin.contains("beside peer 1.2.3;"), "{origin}");
    }

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = format!("above\n{BEGIN}old\n{END}below\n");
        let new = replaced(&page, "new\n").unwrap();
        assert_eq!(new, format!("above\n{BEGIN}\nnew\n\n{END}below\n"));
        assert_eq!(replaced(&new, "new\n").unwrap(), new);
        assert!(replaced("no marks", "new\n").is_err());
    }
}
