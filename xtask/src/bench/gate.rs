//! `cargo xtask bench gate`: instructions for each message, held against `bench/instructions.json`.
//!
//! Time says nothing on a machine that others use too; instructions are the same each time, so that
//! a few per cent show. They are not time: a gate that passes does not say that a change is fast,
//! only that it does no more than before.
//!
//! callgrind lets programs see one processor of its own, with AVX2 and without AVX-512, wherever
//! the machine has AVX2. So Sabot, and the C library's copying, take the same loops on every such
//! machine, and one baseline serves for all. The price is that the loops for AVX-512 are not
//! counted; they are compiled from the same lines. A machine without AVX2 fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};

use super::compare::percent;
use super::record::slug;
use crate::command::{Failure, Outcome, output, require, root, target};

const BASELINE: &str = "bench/instructions.json";

/// How much more or less than in the baseline, in per cent, goes without a word: as much as a
/// change elsewhere in a file moves by what the compiler inlines.
const TOLERANCE_PERCENT: f64 = 3.0;

/// Two batches of 8,192 rows.
const MESSAGES: &str = "16384";

/// The function that callgrind counts, and what it calls; the pattern holds for both ways in which
/// Rust mangles names.
const COUNTED: &str = "--toggle-collect=*count*counted*";

/// Where in the heap something is depends on the random keys of hash maps, and how it is copied, or
/// whether a buffer can grow in place, depends on where it is. Allocations of a page or more in
/// pages of their own leave nothing to chance.
const MALLOC: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.malloc.mmap_threshold=4096:glibc.malloc.mmap_max=1000000",
);

const VALGRIND: &str = "Counting instructions needs it: `apt-get install valgrind`.";

/// What the loops are compiled for that callgrind can run; as Linux names it.
const FEATURES: [&str; 5] = ["avx2", "bmi1", "bmi2", "abm", "popcnt"];

/// Fails early where nothing can be counted.
pub(super) fn check_machine() -> Outcome {
    require("valgrind", &["--version"], VALGRIND)?;
    let info = fs::read_to_string("/proc/cpuinfo").map_err(Failure::io("cannot read /proc/cpuinfo"))?;
    match lacking(&info) {
        None => Ok(()),
        Some(feature) => Err(Failure::new(format!(
            "this processor lacks {feature}: callgrind would show another one to the program than the baseline was counted on"
        ))),
    }
}

/// Counts with `program`; holds the counts against the baseline, or with `bless` makes them the
/// baseline.
pub(super) fn run(program: &Path, bless: bool) -> Outcome {
    let counts = Counts {
        tools: tools()?,
        instructions: count_all(program)?,
    };
    // Where there is no baseline yet, one can be made all the same.
    let baseline = match Counts::read() {
        Err(_) if bless => Counts::default(),
        read => read?,
    };
    let findings = compare(&baseline, &counts);
    print!("{}", table(&findings));
    if baseline.tools != counts.tools {
        println!(
            "counted with {}, the baseline with {}",
            counts.tools, baseline.tools
        );
    }
    if bless {
        println!("{BASELINE} holds these from now on");
        return fs::write(root().join(BASELINE), counts.to_json())
            .map_err(Failure::io(format_args!("cannot write {BASELINE}")));
    }
    let is = |verdict: Verdict| findings.iter().any(|finding| finding.verdict == verdict);
    if is(Verdict::Fewer) {
        println!("fewer than before: keep it with `cargo xtask bench gate --bless`");
    }
    if is(Verdict::More) || is(Verdict::New) || is(Verdict::Gone) {
        return Err(Failure::new(format!(
            "over {TOLERANCE_PERCENT} % more instructions than in {BASELINE}, or other workloads; where that is meant, \
             `cargo xtask bench gate --bless` renews it"
        )));
    }
    Ok(())
}

/// Instructions for each message, by workload.
#[derive(Default)]
struct Counts {
    /// The compiler and the counter: others may count otherwise.
    tools: String,
    instructions: BTreeMap<String, f64>,
}

impl Counts {
    fn read() -> Outcome<Self> {
        let text = fs::read_to_string(root().join(BASELINE))
            .map_err(Failure::io(format_args!("cannot read {BASELINE}")))?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| Failure::new(format!("{BASELINE}: {error}")))?;
        Self::parse(&value).ok_or_else(|| Failure::new(format!("{BASELINE} holds no counts")))
    }

    fn parse(value: &Value) -> Option<Self> {
        let counts = value["instructions_per_message"].as_object()?.iter();
        Some(Self {
            tools: value["tools"].as_str()?.to_owned(),
            instructions: counts
                .map(|(workload, count)| Some((workload.clone(), count.as_f64()?)))
                .collect::<Option<_>>()?,
        })
    }

    fn to_json(&self) -> String {
        let rounded = |count: &f64| (count * 100.0).round() / 100.0;
        let counts = self.instructions.iter();
        let counts: BTreeMap<&str, f64> = counts
            .map(|(name, count)| (name.as_str(), rounded(count)))
            .collect();
        format!(
            "{:#}\n",
            json!({"tools": self.tools, "instructions_per_message": counts})
        )
    }
}

/// How a count compares with the baseline's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Same,
    More,
    Fewer,
    /// Not in the baseline.
    New,
    /// In the baseline alone.
    Gone,
}

struct Finding<'a> {
    workload: &'a str,
    old: Option<f64>,
    new: Option<f64>,
    verdict: Verdict,
}

/// Every workload that either has, in the order of their names.
fn compare<'a>(baseline: &'a Counts, counts: &'a Counts) -> Vec<Finding<'a>> {
    let mut workloads: Vec<&str> = counts.instructions.keys().map(String::as_str).collect();
    workloads.extend(baseline.instructions.keys().map(String::as_str));
    workloads.sort_unstable();
    workloads.dedup();
    let find = |counts: &Counts, workload: &str| counts.instructions.get(workload).copied();
    let finding = |workload| {
        let (old, new) = (find(baseline, workload), find(counts, workload));
        let verdict = match (old, new) {
            (Some(old), Some(new)) => match percent(old, new) {
                change if change > TOLERANCE_PERCENT => Verdict::More,
                change if change < -TOLERANCE_PERCENT => Verdict::Fewer,
                _ => Verdict::Same,
            },
            (None, _) => Verdict::New,
            (_, None) => Verdict::Gone,
        };
        Finding {
            workload,
            old,
            new,
            verdict,
        }
    };
    workloads.into_iter().map(finding).collect()
}

fn table(findings: &[Finding<'_>]) -> String {
    let number = |count: Option<f64>| count.map_or_else(String::new, |count| format!("{count:.1}"));
    let mut lines = vec![format!(
        "{:<31} {:>12} {:>12} {:>8}",
        "instructions/message", "baseline", "now", "change"
    )];
    for finding in findings {
        let change = finding.old.zip(finding.new);
        let change = change.map_or_else(String::new, |(old, new)| format!("{:+.1}%", percent(old, new)));
        let word = match finding.verdict {
            Verdict::Same => "",
            Verdict::More => "MORE",
            Verdict::Fewer => "fewer",
            Verdict::New => "NOT IN THE BASELINE",
            Verdict::Gone => "NOT COUNTED ANY MORE",
        };
        let (old, new) = (number(finding.old), number(finding.new));
        let line = format!("{:<31} {old:>12} {new:>12} {change:>8}  {word}", finding.workload);
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

/// Counts every workload, as many at once as there are cores: instructions do not mind.
fn count_all(program: &Path) -> Outcome<BTreeMap<String, f64>> {
    let workloads = output(Command::new(program).arg("counted"))?;
    let waiting = Mutex::new(workloads.lines());
    let next = || waiting.lock().ok()?.next();
    let work = || {
        let mut counts = Vec::new();
        while let Some(workload) = next() {
            counts.push((workload.to_owned(), count(program, workload)?));
        }
        Outcome::Ok(counts)
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut counts = BTreeMap::new();
        for thread in running {
            counts.extend(thread.join().map_err(|_| Failure::new("a thread panicked"))??);
        }
        Ok(counts)
    })
}

/// Counts one workload; what callgrind wrote stays, for `callgrind_annotate` to say where
/// instructions went.
fn count(program: &Path, workload: &str) -> Outcome<f64> {
    let folder = target().join("bench/callgrind");
    fs::create_dir_all(&folder).map_err(Failure::io(format_args!("cannot make {}", folder.display())))?;
    let file: PathBuf = folder.join(format!("{}.out", slug(workload)));
    let printed = output(
        Command::new("valgrind")
            .args(["--quiet", "--tool=callgrind", COUNTED])
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(program)
            .args(["count", workload, "--messages", MESSAGES])
            .env(MALLOC.0, MALLOC.1),
    )?;
    let profile =
        fs::read_to_string(&file).map_err(Failure::io(format_args!("cannot read {}", file.display())))?;
    per_message(&printed, &profile)
        .ok_or_else(|| Failure::new(format!("callgrind counted nothing for {workload}")))
}

/// From what the program printed, its messages, and callgrind's profile.
fn per_message(printed: &str, profile: &str) -> Option<f64> {
    let messages: f64 = printed.trim().parse().ok()?;
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: "))?;
    let instructions: f64 = total.trim().parse().ok()?;
    Some(instructions / messages).filter(|count| *count > 0.0)
}

/// The first feature that a processor does not have.
fn lacking(cpuinfo: &str) -> Option<&'static str> {
    let flags = cpuinfo
        .lines()
        .find(|line| line.starts_with("flags"))
        .unwrap_or_default();
    let has = |feature: &&str| flags.split_whitespace().any(|flag| flag == *feature);
    FEATURES.into_iter().find(|feature| !has(feature))
}

fn tools() -> Outcome<String> {
    let valgrind = output(Command::new("valgrind").arg("--version"))?;
    Ok(format!(
        "rustc {}, {}",
        super::rustc_version()?,
        valgrind.trim().replace('-', " ")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Counts, Verdict, compare, lacking, per_message, table};

    fn counts(pairs: &[(&str, f64)]) -> Counts {
        Counts {
            tools: "rustc 1.2.3".into(),
            instructions: pairs
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        }
    }

    #[test]
    fn only_what_moves_by_more_than_the_tolerance_is_told() {
        let baseline = counts(&[
            ("a", 1000.0),
            ("b", 1000.0),
            ("c", 1000.0),
            ("d", 1000.0),
            ("gone", 1.0),
        ]);
        let now = counts(&[
            ("a", 1029.0),
            ("b", 1031.0),
            ("c", 971.0),
            ("d", 969.0),
            ("new", 1.0),
        ]);
        let findings = compare(&baseline, &now);
        let verdicts: Vec<_> = findings
            .iter()
            .map(|finding| (finding.workload, finding.verdict))
            .collect();
        let expected = [
            ("a", Verdict::Same),
            ("b", Verdict::More),
            ("c", Verdict::Same),
            ("d", Verdict::Fewer),
            ("gone", Verdict::Gone),
            ("new", Verdict::New),
        ];
        assert_eq!(verdicts, expected);
        let table = table(&findings);
        let line = table.lines().find(|line| line.starts_with("b ")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["b", "1000.0", "1031.0", "+3.1%", "MORE"]);
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let written = counts(&[("avro/flat", 605.004), ("wire/parse", 9.0)]);
        let read = Counts::parse(&serde_json::from_str(&written.to_json()).unwrap()).unwrap();
        assert_eq!(read.tools, written.tools);
        assert_eq!(
            read.instructions,
            counts(&[("avro/flat", 605.0), ("wire/parse", 9.0)]).instructions
        );
        assert!(Counts::parse(&json!({"tools": ""})).is_none());
    }

    #[test]
    fn the_baseline_of_the_repository_can_be_read() {
        assert!(Counts::read().unwrap().instructions.len() > 5);
    }

    #[test]
    fn instructions_are_divided_by_messages() {
        let profile = "version: 1\nsummary: 20\n\nfn=(1) x\ntotals: 30\n";
        assert!((per_message("10\n", profile).unwrap() - 3.0).abs() < 1e-9);
        assert!(per_message("10\n", "totals: 0\n").is_none());
        assert!(per_message("10\n", "").is_none());
        assert!(per_message("", profile).is_none());
    }

    #[test]
    fn a_processor_without_the_loops_features_is_refused() {
        assert_eq!(
            lacking("processor: 0\nflags\t\t: fpu avx2 bmi1 bmi2 abm popcnt\n"),
            None
        );
        assert_eq!(lacking("flags\t\t: fpu avx bmi1 bmi2 abm popcnt\n"), Some("avx2"));
        assert_eq!(lacking(""), Some("avx2"));
    }
}
