//! `cargo xtask bench --suite e2e`: Sabot beside other clients of Kafka, on a real broker.
//!
//! It is a program of its own, `bench/e2e`, since it compiles librdkafka and another client, and
//! has a table of its own: what counts is messages a second and messages a CPU-second of the
//! client's process, which no other suite has.

use std::process::Command;

use super::build::{self, Build};
use crate::command::{Failure, Outcome, root, target};
use crate::services;

/// What the suite is called.
pub(super) const SUITE: &str = "e2e";

/// Takes `--suite e2e` out of the arguments; false if it is not there.
pub(super) fn is_wanted(args: &mut Vec<String>) -> Outcome<bool> {
    let Some(at) = args.iter().position(|arg| arg == "--suite") else {
        return Ok(false);
    };
    match args.get(at + 1) {
        Some(suites) if suites == SUITE => {
            args.drain(at..=at + 1);
            Ok(true)
        }
        Some(suites) if suites.split(',').any(|suite| suite == SUITE) => Err(Failure::new(format!(
            "the suite {SUITE} has a table of its own: measure it alone, with --suite {SUITE}"
        ))),
        _ => Ok(false),
    }
}

/// Builds the program, starts the services and measures. Arguments go to the program.
pub(super) fn measure(args: &[String]) -> Outcome {
    // Before minutes of compiling.
    services::require_java()?;
    let program = build::build(Build::EndToEnd)?;
    services::run_with(
        Command::new(program)
            .arg("measure")
            .args(args)
            .arg("--out")
            .arg(target().join("bench/e2e.json"))
            .current_dir(root()),
    )
}

#[cfg(test)]
mod tests {
    use super::is_wanted;

    #[test]
    fn the_suite_is_measured_alone() {
        for (args, expected, rest) in [
            ("--quick --suite e2e --rounds 1", Some(true), "--quick --rounds 1"),
            ("--suite decode", Some(false), "--suite decode"),
            ("--filter e2e", Some(false), "--filter e2e"),
            ("--suite decode,e2e", None, "--suite decode,e2e"),
            ("--suite", Some(false), "--suite"),
        ] {
            let mut words: Vec<String> = args.split(' ').map(str::to_owned).collect();
            assert_eq!(is_wanted(&mut words).ok(), expected, "{args}");
            assert_eq!(words.join(" "), rest);
        }
    }
}
