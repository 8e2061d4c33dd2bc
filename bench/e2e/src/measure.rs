//! Rounds: every system once in each, in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::messages::{WORKLOADS, Workload};
use crate::report::{self, Measured};
use crate::systems;
use crate::{HELP, topics};

/// The program whose allocator is the platform's, beside this one.
const OTHER_PROGRAM: &str = "sabot-bench-e2e-system";
/// What its rows are called.
const OTHER_ALLOCATOR: &str = "the platform's allocator";

struct Options {
    filter: String,
    messages: usize,
    rounds: usize,
    out: PathBuf,
}

/// Fills the topics, measures and prints.
pub fn run(args: &[&str]) -> Result<(), String> {
    let options = Options::parse(args)?;
    let ours = std::env::current_exe().map_err(|error| error.to_string())?;
    let other = ours.with_file_name(OTHER_PROGRAM);
    let wanted = WORKLOADS
        .iter()
        .filter(|workload| workload.name.contains(&options.filter));
    let mut all = Vec::new();
    for workload in wanted {
        let count = (options.messages as f64 * workload.share) as usize;
        let bytes = topics::fill(workload, count)?;
        println!("{}: {count} messages of {bytes} bytes", workload.name);
        all.extend(measure(workload, count, bytes, options.rounds, &[&ours, &other])?);
    }
    if all.is_empty() {
        return Err(format!("no workload's name contains {:?}", options.filter));
    }
    print!("{}", report::table(&all));
    report::write(&all, &options.out)
}

fn measure(
    workload: &Workload,
    count: usize,
    bytes: usize,
    rounds: usize,
    programs: &[&Path; 2],
) -> Result<Vec<Measured>, String> {
    let own = systems::ALL
        .iter()
        .map(|system| (system, programs[0], String::from(system.name)));
    let others = systems::ALL.iter().filter(|system| system.other_allocator);
    let others = others.map(|system| (system, programs[1], format!("{}, {OTHER_ALLOCATOR}", system.name)));
    let systems: Vec<_> = own.chain(others).collect();
    let mut runs = vec![Vec::with_capacity(rounds); systems.len()];
    for round in 0..rounds {
        for turn in 0..systems.len() {
            // Another one begins each round: nobody always runs after the same neighbour.
            let at = (turn + round) % systems.len();
            let (system, program, _) = &systems[at];
            runs[at].push(read(program, system.name, &workload.topic(), count, bytes)?);
        }
    }
    let measured = systems.into_iter().zip(runs);
    Ok(measured
        .map(|((_, _, system), runs)| Measured {
            workload: workload.name,
            system,
            messages: count,
            bytes_per_message: bytes,
            runs,
        })
        .collect())
}

/// Runs one system, and gives the seconds that it took: wall time, CPU time.
fn read(program: &Path, system: &str, topic: &str, count: usize, bytes: usize) -> Result<(f64, f64), String> {
    let fail = |text: &str| format!("{system} on {topic}: {text}");
    let output = Command::new(program)
        .args(["read", system, topic, &count.to_string()])
        .output()
        .map_err(|error| fail(&format!("{}: {error}", program.display())))?;
    if !output.status.success() {
        return Err(fail(&String::from_utf8_lossy(&output.stderr)));
    }
    let said: Value = serde_json::from_slice(&output.stdout).map_err(|error| fail(&error.to_string()))?;
    let number = |name: &str| said[name].as_f64().ok_or_else(|| fail("it said no time"));
    let read_bytes = said["bytes"].as_u64().unwrap_or(0) as usize;
    if read_bytes / count.max(1) != bytes {
        return Err(fail(&format!("it read {read_bytes} bytes")));
    }
    Ok((number("wall_s")?, number("cpu_s")?))
}

impl Options {
    fn parse(args: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            filter: String::new(),
            messages: 2_000_000,
            rounds: 5,
            out: PathBuf::from("target/bench/e2e.json"),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            let number = |text: &str| {
                let number = text.parse().ok().filter(|number: &usize| *number > 0);
                number.ok_or(format!("{arg} needs a number above 0, not {text:?}"))
            };
            match *arg {
                "--quick" => (options.messages, options.rounds) = (200_000, 2),
                "--filter" => options.filter = (*value()?).to_owned(),
                "--out" => options.out = value()?.into(),
                "--rounds" => options.rounds = number(value()?)?,
                "--messages" => options.messages = number(value()?)?,
                _ => return Err(format!("there is no option {arg}\n{HELP}")),
            }
        }
        Ok(options)
    }
}
