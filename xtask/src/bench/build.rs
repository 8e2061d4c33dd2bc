//! How the program of `bench/` is built: to measure, to count, or to check results.
//!
//! To measure, every crate gets fat link-time optimisation and one codegen unit, which is checked
//! before. That takes minutes, so continuous integration does without: it counts in a program that
//! has no peers and little link-time optimisation, and checks results in one that is not optimised
//! and shares what was compiled for the tests.

use std::path::PathBuf;
use std::process::Command;

use super::{profiles, rustc_version};
use crate::command::{Outcome, cargo, output, root, run as run_command, target};

/// What a build is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Build {
    /// Measuring; with `all`, slow peers too.
    Fair { all: bool },
    /// Measuring on a real broker.
    EndToEnd,
    /// Counting instructions.
    Gate,
    /// Checking results.
    Verify,
}

/// Builds the program, after checking how; gives where it is.
pub(super) fn build(build: Build) -> Outcome<PathBuf> {
    match build {
        Build::Gate => {
            run_command(bench_cargo("build", "gate").arg("--no-default-features"))?;
            Ok(folder().join("gate/sabot-bench"))
        }
        Build::Verify => {
            run_command(&mut unoptimised("build"))?;
            Ok(target().join("debug/sabot-bench"))
        }
        Build::Fair { all } => {
            fair(if all { &["--features", "all"] } else { &[] })?;
            Ok(folder().join("release/sabot-bench"))
        }
        Build::EndToEnd => {
            fair(&["--package", "sabot-bench-e2e"])?;
            Ok(folder().join("release/sabot-bench-e2e"))
        }
    }
}

/// Builds what `selection` says, once it is known that every crate of it gets what a fair
/// comparison needs.
fn fair(selection: &[&str]) -> Outcome {
    let cargo_build = || {
        let mut command = bench_cargo("build", "release");
        command.args(selection);
        command
    };
    let graph = output(
        cargo_build()
            .args(["--unit-graph", "-Zunstable-options"])
            // Printing the graph is not stable yet.
            .env("RUSTC_BOOTSTRAP", "1"),
    )?;
    println!(
        "bench: {} crates are built with lto = \"fat\", codegen-units = 1, opt-level = 3",
        profiles::check(&graph)?
    );
    run_command(
        cargo_build()
            // The program measures nothing unless it finds this: cargo tells it nothing about
            // link-time optimisation.
            .env("SABOT_BENCH_PROFILE", profiles::CHECKED)
            .env("SABOT_BENCH_RUSTC", rustc_version()?),
    )
}

/// Runs the unit tests of `bench/`.
pub(super) fn test() -> Outcome {
    run_command(&mut unoptimised("test"))
}

fn unoptimised(what: &str) -> Command {
    let mut command = bench_cargo(what, "dev");
    command.env("CARGO_TARGET_DIR", target());
    command
}

/// `--locked`: numbers of peers that nobody chose are worth nothing.
fn bench_cargo(what: &str, profile: &str) -> Command {
    let mut command = cargo([what, "--locked", "--profile", profile, "--manifest-path"]);
    command
        .arg(root().join("bench/Cargo.toml"))
        .env("CARGO_TARGET_DIR", folder());
    command
}

fn folder() -> PathBuf {
    root().join("bench/target")
}
