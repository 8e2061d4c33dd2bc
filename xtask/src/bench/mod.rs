//! `cargo xtask bench`: measures beside the peers, and makes of the results what people read.
//!
//! `bench/` is a workspace of its own, so that no user compiles a peer. Its program only measures
//! and writes `results.json`; the table, the bars, the records, the plots and the documentation's
//! numbers are made here from that file, so that a number is never copied by hand and old records
//! can be shown again without compiling a peer.

mod bars;
mod build;
mod compare;
mod docs;
mod end_to_end;
mod gate;
mod profiles;
mod record;
mod results;
mod svg;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::args::Args;
use crate::command::{Failure, Outcome, output, root, run as run_command, target};
use bars::Bar;
use build::Build;
use results::Results;

const HELP: &str = "\
cargo xtask bench [OPTIONS]        measures, prints a table, writes target/bench/results.json
  --suite NAME[,NAME]                only these suites: wire, registry, decode; or e2e, which has a table of its own
                                     and needs Java 17 and Maven for a real Kafka
  --filter TEXT                      only workloads whose name contains TEXT
  --quick                            few messages and rounds: to see that it runs
  --rounds N, --messages N           N of them, instead of 15 and 200,000
  --all                              the slow peers too
  --check                            fails where a bar of bench/bars.json is missed
  --record                           keeps the results of a whole run under bench/record/
cargo xtask bench show [RUN]       the table of a run; of the newest record
cargo xtask bench compare [OLD [NEW]]
                                   two runs side by side; the newest record and the last run. A run is a file, or a
                                   part of a record's name
cargo xtask bench docs [--check]   writes the numbers and plots of docs/performance.md from the newest record, or fails
                                   where they are not what it makes
cargo xtask bench verify [OPTIONS] only checks that all systems make the same rows and values; runs bench's own tests
cargo xtask bench sweep [OPTIONS]  measures random schemas, prints the worst ratios with their schemas
  --filter CODEC                     only this codec's
  --seed N, --schemas N              N of them from seed N, instead of 300 from seed 1
  --only N                           only the schema N of the seed
  --rounds N, --messages N           N of them, instead of 5 and 4,096
  --check                            fails where the median or the least is below its bar
cargo xtask bench gate [--bless]   counts instructions and fails where they are more than in bench/instructions.json;
                                   --bless renews that file. Needs valgrind
";

/// Messages of each workload where only results are checked: some batches, and some bad messages.
const VERIFIED_MESSAGES: &str = "10000";

/// `cargo xtask bench ...`.
pub(crate) fn run(mut args: Args) -> Outcome {
    if args.flag("--help") || args.flag("-h") {
        print!("{HELP}");
        return Ok(());
    }
    match args.verb().as_deref() {
        None => measure(args),
        Some("show") => show(&args.names()?),
        Some("compare") => compare(&args.names()?),
        Some("docs") => {
            let check = args.flag("--check");
            no_more(args)?;
            if check { docs::check() } else { docs::write() }
        }
        Some("verify") => verify(&args.rest()),
        Some("sweep") => run_command(
            Command::new(build::build(Build::Fair { all: false })?)
                .arg("sweep")
                .args(args.rest())
                .current_dir(root()),
        ),
        Some("gate") => {
            let bless = args.flag("--bless");
            no_more(args)?;
            gate::check_machine()?;
            gate::run(&build::build(Build::Gate)?, bless)
        }
        Some(other) => Err(Failure::new(format!("there is no {other:?}\n\n{HELP}"))),
    }
}

/// What continuous integration runs: everything that needs no quiet machine.
pub(crate) fn ci() -> Outcome {
    docs::check()?;
    gate::check_machine()?;
    verify(&[])?;
    gate::run(&build::build(Build::Gate)?, false)
}

/// Arguments that are not taken out here go to the program.
fn measure(mut args: Args) -> Outcome {
    let (check, all, keep) = (args.flag("--check"), args.flag("--all"), args.flag("--record"));
    let mut args = args.rest();
    if end_to_end::is_wanted(&mut args)? {
        return match check || all || keep {
            true => Err(Failure::new(
                "the suite e2e has no bars, no slow peers and no record",
            )),
            false => end_to_end::measure(&args),
        };
    }
    if keep && !args.is_empty() {
        return Err(Failure::new(format!(
            "a record is of a whole run, without {}",
            args.join(" ")
        )));
    }
    let is_partial = args.iter().any(|arg| arg == "--suite" || arg == "--filter");
    let program = build::build(Build::Fair { all })?;
    let file = last_run();
    run_command(
        Command::new(program)
            .arg("measure")
            .args(args)
            .arg("--out")
            .arg(&file)
            .current_dir(root()),
    )?;
    let (results, bars) = (Results::read(&file)?, Bar::read_all()?);
    print!("{}", table::text(&results, &bars));
    println!("written to {}", file.display());
    if keep {
        println!("kept as {}", record::keep(&file)?.display());
    }
    if check {
        bars::check(&results, &bars, is_partial)?;
    }
    Ok(())
}

fn show(names: &[String]) -> Outcome {
    let results = match names {
        [] => newest()?,
        [name] => record::find(name)?,
        _ => return Err(Failure::new(HELP)),
    };
    print!("{}", table::text(&results, &Bar::read_all()?));
    Ok(())
}

fn compare(names: &[String]) -> Outcome {
    let (old, new) = match names {
        [] => (newest()?, Results::read(&last_run())?),
        [old] => (record::find(old)?, Results::read(&last_run())?),
        [old, new] => (record::find(old)?, record::find(new)?),
        _ => return Err(Failure::new(HELP)),
    };
    print!("{}", compare::text(&old, &new));
    Ok(())
}

fn newest() -> Outcome<Results> {
    record::newest()?
        .ok_or_else(|| Failure::new("there is no record yet: `cargo xtask bench --record` makes one"))
}

fn verify(args: &[String]) -> Outcome {
    build::test()?;
    run_command(
        Command::new(build::build(Build::Verify)?)
            .args(["verify", "--messages", VERIFIED_MESSAGES])
            .args(args),
    )
}

fn last_run() -> PathBuf {
    target().join("bench/results.json")
}

fn no_more(args: Args) -> Outcome {
    match args.names()?.first() {
        Some(word) => Err(Failure::new(format!("what is {word:?} to mean here?\n\n{HELP}"))),
        None => Ok(()),
    }
}

/// The files of a folder whose names are wanted, in order; none where there is no such folder.
fn files_in(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder).map_err(cannot_read(folder))? {
            let entry = entry.map_err(cannot_read(folder))?;
            if entry.file_name().to_str().is_some_and(&is_wanted) {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn cannot_read(file: &Path) -> impl FnOnce(std::io::Error) -> Failure {
    Failure::io(format!("cannot read {}", file.display()))
}

/// The version of the compiler that cargo calls.
fn rustc_version() -> Outcome<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = output(Command::new(rustc).arg("--version").current_dir(root()))?;
    let version = printed.split(' ').nth(1);
    version
        .map(|version| version.trim().to_owned())
        .ok_or_else(|| Failure::new(format!("rustc says its version as {printed:?}")))
}
