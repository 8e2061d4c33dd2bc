//! Sabot beside its peers: side by side, in one run, on the same bytes.
//!
//! Absolute times on a shared machine mean little, ratios of systems measured in turn hold. So
//! every system of a workload runs once in each round. Before anything is measured, all systems
//! decode everything, and what they made must be equal. The program measures and writes
//! `results.json`; tables, bars and plots are made from that file by `cargo xtask bench`, which
//! also checks how this was built.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "peers"),
    allow(
        dead_code,
        reason = "who only counts needs neither peers nor what compares with them"
    )
)]

mod avro;
mod batch;
mod buffer;
mod count;
#[cfg(feature = "peers")]
mod equal;
mod harness;
mod host;
mod options;
mod results;
mod suites;
#[cfg(feature = "peers")]
mod sweep;
mod systems;

use std::process::ExitCode;

use options::{Mode, Options};
use suites::{Case, Workload};

fn main() -> ExitCode {
    match Options::from_env().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sabot-bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    match &options.mode {
        Mode::Measure => measure(options),
        Mode::Verify => verify(options),
        Mode::Peak { workload, system } => peak(options, workload, system),
        Mode::Count { workload } => count::run(&suites::find(workload)?, options.messages()),
        Mode::Counted => {
            for workload in suites::wanted(options)? {
                if workload.counted {
                    println!("{}", workload.name);
                }
            }
            Ok(())
        }
        #[cfg(feature = "peers")]
        Mode::Sweep => sweep::run(options),
        #[cfg(not(feature = "peers"))]
        Mode::Sweep => Err("built without the peers, only to count".into()),
    }
}

fn measure(options: &Options) -> Result<(), String> {
    host::check_build()?;
    host::check_load();
    let cores = host::pin_to_first_core()?;
    let mut measured = Vec::new();
    for workload in suites::wanted(options)? {
        if workload.cores > cores {
            println!(
                "{}: left out, it needs {} cores and this process may use {cores}",
                workload.name, workload.cores
            );
            continue;
        }
        let mut case = build(&workload, options)?;
        check(&workload, &mut case)?;
        let mut rows = harness::measure(&workload, &mut case, options.rounds())
            .map_err(|reason| format!("{}: {reason}", workload.name))?;
        for row in &mut rows {
            row.peak_rss_bytes = harness::peak_of(row.workload, row.system, options.messages())?;
        }
        measured.extend(rows);
    }
    results::write(&measured, &options.out)
}

/// Checks that all systems agree, and measures nothing.
fn verify(options: &Options) -> Result<(), String> {
    for workload in suites::wanted(options)? {
        let mut case = build(&workload, options)?;
        check(&workload, &mut case)?;
    }
    Ok(())
}

#[cfg(not(feature = "peers"))]
mod equal {
    pub fn check(_: &mut crate::Case) -> Result<&'static str, String> {
        Err("built without the peers, only to count".into())
    }
}

fn check(workload: &Workload, case: &mut Case) -> Result<(), String> {
    let found = equal::check(case).map_err(|reason| format!("{}: {reason}", workload.name))?;
    println!(
        "{}: {} messages of {} bytes, {found}",
        workload.name, case.count, case.bytes_per_message
    );
    Ok(())
}

/// Runs one system alone and prints the most memory that this process ever held.
fn peak(options: &Options, workload: &str, system: &str) -> Result<(), String> {
    let workload = suites::find(workload)?;
    let mut case = build(&workload, options)?;
    // Batches keep what they were given in the first round; the second one shows what a running
    // consumer holds.
    for _ in 0..2 {
        case.run(system)?;
    }
    if let Some(bytes) = host::peak_rss_bytes() {
        println!("{bytes}");
    }
    Ok(())
}

fn build(workload: &Workload, options: &Options) -> Result<Case, String> {
    (workload.build)(options.messages()).map_err(|reason| format!("{}: {reason}", workload.name))
}
