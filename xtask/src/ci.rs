//! `cargo xtask test` and `cargo xtask ci`: what must pass before a change lands.
//!
//! `.ci/run` calls both. Each step is a command that a person can run alone, and each is timed,
//! because the slowest one is the one to mend. The first failing step ends the run.

use std::process::Command;
use std::time::Instant;

use crate::command::{Failure, Outcome, cargo, output, require, root, run as run_command, target};
use crate::{bench, demo, deps, e2e, fuzz};

/// Workspaces beside the root one: their format and their warnings are checked too.
const OTHER_WORKSPACES: &[&str] = &["bench", "fuzz"];

const RUSTUP: &str = "Install it with `rustup component add rustfmt clippy`.";

/// Features beside the default ones that need nothing installed: `ssl` and `gssapi` link with the
/// system's libraries.
const FEATURES: [&str; 2] = ["--features", "sabot/async"];

/// The facade has to build with any of its codecs alone, with Kafka alone, and with nothing.
const FACADE: &[&str] = &["", "avro", "json", "plain", "kafka"];

/// With all codecs and without Kafka, payloads from elsewhere are decoded, and librdkafka is not
/// built.
const WITHOUT_KAFKA: &str = "avro,json,plain";

/// A step's name and what it runs.
type Step = (&'static str, fn() -> Outcome);

const STEPS: &[Step] = &[
    ("fmt", fmt),
    ("deps", deps::check_workspace),
    ("clippy", clippy),
    ("features", features),
    ("docs", docs),
    ("bench", bench::ci),
    ("fuzz", fuzzing),
    ("demo", demo::check),
    ("e2e", end_to_end),
];

/// `cargo xtask test`: unit, integration and documentation tests of every crate.
pub(crate) fn test(args: Vec<String>) -> Outcome {
    run_command(cargo(["test", "--workspace"]).args(FEATURES).args(args))
}

/// `cargo xtask ci`: every step, or those named.
pub(crate) fn run(names: &[String]) -> Outcome {
    if let Some(unknown) = names
        .iter()
        .find(|name| !STEPS.iter().any(|(step, _)| step == name))
    {
        let known: Vec<&str> = STEPS.iter().map(|(step, _)| *step).collect();
        return Err(Failure::new(format!(
            "there is no step {unknown:?}; there are {}",
            known.join(", ")
        )));
    }
    let mut times = Vec::new();
    for (name, step) in STEPS {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("== {name}");
        let start = Instant::now();
        step().map_err(|failure| Failure::new(format!("step {name}: {failure}")))?;
        times.push(format!("{name} {:.0} s", start.elapsed().as_secs_f64()));
    }
    println!("== passed: {}", times.join(", "));
    Ok(())
}

fn fmt() -> Outcome {
    require("cargo", &["fmt", "--version"], RUSTUP)?;
    run_command(&mut cargo(["fmt", "--all", "--check"]))?;
    for workspace in OTHER_WORKSPACES {
        let manifest = root().join(workspace).join("Cargo.toml");
        if manifest.exists() {
            run_command(cargo(["fmt", "--all", "--check", "--manifest-path"]).arg(manifest))?;
        }
    }
    Ok(())
}

fn clippy() -> Outcome {
    require("cargo", &["clippy", "--version"], RUSTUP)?;
    run_command(
        cargo(["clippy", "--workspace", "--all-targets"])
            .args(FEATURES)
            .args(["--", "-D", "warnings"]),
    )?;
    for workspace in OTHER_WORKSPACES {
        run_command(
            cargo(["clippy", "--workspace", "--all-targets", "--manifest-path"])
                .arg(root().join(workspace).join("Cargo.toml"))
                // Its own folder has only what is built for speed, or with sanitizers.
                .env("CARGO_TARGET_DIR", target())
                .args(["--", "-D", "warnings"]),
        )?;
    }
    Ok(())
}

fn features() -> Outcome {
    for features in FACADE {
        run_command(facade("clippy", features).args(["--", "-D", "warnings"]))?;
    }
    run_command(&mut facade("test", WITHOUT_KAFKA))?;
    let built_with =
        output(facade("tree", WITHOUT_KAFKA).args(["--edges", "normal,build", "--prefix", "none"]))?;
    if built_with.contains("rdkafka") {
        return Err(Failure::new(
            "the facade is built with librdkafka although `kafka` is off",
        ));
    }
    Ok(())
}

/// `cargo WHAT` of the facade with these features alone.
fn facade(what: &str, features: &str) -> Command {
    cargo([
        what,
        "--package",
        "sabot",
        "--no-default-features",
        "--features",
        features,
    ])
}

fn docs() -> Outcome {
    run_command(
        cargo(["doc", "--workspace", "--no-deps"])
            .args(FEATURES)
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

fn fuzzing() -> Outcome {
    fuzz::check()
}

fn end_to_end() -> Outcome {
    e2e::run_each(&[], false)
}
