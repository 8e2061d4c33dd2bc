//! Sabot's own chores: `cargo xtask CHORE`.
//!
//! One file for each chore, the standard library and `serde_json` alone, so that it compiles in
//! seconds on a fresh machine. The price is that arguments are read by hand, and that processes are
//! watched through pipes instead of system calls. Everything that a chore downloads, builds or
//! writes is under `target/`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a chore reports on standard output")]

mod args;
mod bench;
mod ci;
mod command;
mod demo;
mod deps;
mod e2e;
mod fuzz;
mod services;

use std::process::ExitCode;

use args::Args;
use command::Failure;

const HELP: &str = "\
cargo xtask CHORE

  test [ARGS...]              all tests of the workspace; ARGS go to cargo test. Needs no service
  ci [STEP...]                what continuous integration checks beyond `test`; all steps, or those named:
                              fmt, deps, clippy, features, docs, bench, fuzz, demo, e2e
  deps                        checks which crate may depend on which
  fuzz [--seconds N] [--seed N] [TARGET...]
                              runs each fuzz target for N seconds (10); installs cargo-fuzz under target/ when missing
  services up [-- COMMAND...] starts a real Kafka and a real registry and runs COMMAND, or waits for Ctrl-C
  services status | down      what runs where; ends what was left behind
  e2e [--release] [NAME...]   end-to-end checks on real services: parity, bounds, sigkill, outage
  bench [WHAT] [OPTIONS]      measures beside the peers; writes target/bench/results.json. WHAT may be show, compare,
                              docs, verify or gate: see bench --help
";

fn main() -> ExitCode {
    let mut args = Args::from_env();
    let outcome = match args.next().as_deref() {
        Some("test") => ci::test(args.rest()),
        Some("ci") => ci::run(&args.rest()),
        Some("deps") => deps::run(args),
        Some("fuzz") => fuzz::run(args),
        Some("services") => services::run(args),
        Some("e2e") => e2e::run(args),
        Some("bench") => bench::run(args),
        Some("help" | "--help" | "-h") | None => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(Failure::new(format!("there is no chore {other:?}\n\n{HELP}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
