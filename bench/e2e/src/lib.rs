//! Sabot beside other clients of Kafka, on a real broker: messages a second, and messages a
//! CPU-second of the client.
//!
//! Every system reads the same topics in a process of its own, in turn, round by round: what a
//! client costs is what its whole process takes, its background threads included, and no
//! allocator's habits may pass from one to the next. A system ends after as many messages as were
//! produced; each has to touch every payload, and Sabot has to make as many rows of them.
//!
//! There are two programs, because an allocator is a program's and not a system's:
//! `sabot-bench-e2e` has the one that the `sabot` command has, `sabot-bench-e2e-system` has the
//! platform's.

mod avro;
mod measure;
mod messages;
mod report;
mod systems;
mod topics;

use std::process::ExitCode;

const HELP: &str = "\
sabot-bench-e2e measure [--quick] [--filter TEXT] [--rounds N] [--messages N] [--out FILE]
sabot-bench-e2e read SYSTEM TOPIC MESSAGES
It finds the services by SABOT_KAFKA and SABOT_REGISTRY, as `cargo xtask services up` sets them. SABOT_BENCH_PROPERTIES
may hold properties of librdkafka for all clients that are based on it: name=value, with commas between.";

/// What both programs do.
pub fn run() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["measure", options @ ..] => measure::run(options),
        ["read", system, topic, messages] => systems::read(system, topic, messages),
        _ => Err(HELP.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sabot-bench-e2e: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// A variable that `cargo xtask services up` sets.
fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set\n{HELP}"))
}

/// Properties of librdkafka to try.
fn properties() -> Result<Vec<(String, String)>, String> {
    let text = std::env::var("SABOT_BENCH_PROPERTIES").unwrap_or_default();
    let pairs = text.split(',').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("{pair:?} is not name=value"))?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// The words of an error and of what caused it.
fn words(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
