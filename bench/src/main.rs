//! Sabot beside its peers: side by side, in one run, on the same bytes.
//!
//! Absolute times on a shared machine mean little, ratios of systems measured in turn hold. So every system of a
//! workload runs once in each round, and the table shows medians with the spread. Before anything is measured, all
//! systems decode everything, and what they made must be equal.
//!
//! `cargo xtask bench` runs this pinned to one core, after checking how it was built.

mod buffer;
mod equal;
mod harness;
mod options;
mod peers;
mod report;
mod suites;
mod workloads;

use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sabot-bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let options = options::Options::from_env()?;
    let mut results = Vec::new();
    for (name, suite) in suites::ALL {
        if options.suites.is_empty() || options.suites.iter().any(|wanted| wanted == name) {
            suite(&options, &mut results)?;
        }
    }
    if results.is_empty() {
        return Err("no workload matches".into());
    }
    report::print(&results);
    report::write(&results, &options.out)
}
