//! `cargo xtask fuzz`: a bounded run of each fuzz target.
//!
//! cargo-fuzz needs a nightly compiler for its sanitizers; `RUSTC_BOOTSTRAP=1` lets a stable one do
//! the same, so that one toolchain serves for everything. New inputs go to `fuzz/corpus/`, which is
//! not committed; `fuzz/seeds/TARGET` and `fuzz/regressions/TARGET` are read beside it. What CI
//! runs has no corpus, one seed and so many inputs, however fast the machine is: a change is judged
//! by what it breaks.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::args::Args;
use crate::command::{Failure, Outcome, cargo, output, root, run as run_command, target};

const CARGO_FUZZ: &str = "0.13.2";
const DEFAULT_SECONDS: u64 = 10;

/// What a target's run is bounded by.
#[derive(Clone, Copy)]
enum Effort {
    /// New inputs for so long; libFuzzer's seed 0 is another one each time.
    Explore { seconds: u64, seed: u64 },
    /// The same inputs each time.
    Check,
}

/// `cargo xtask fuzz [--seconds N] [--seed N] [TARGET...]`.
pub(crate) fn run(mut args: Args) -> Outcome {
    let effort = Effort::Explore {
        seconds: args.number("--seconds")?.unwrap_or(DEFAULT_SECONDS),
        seed: args.number("--seed")?.unwrap_or(0),
    };
    run_each(&args.names()?, effort)
}

/// Every target, on the same inputs each time.
pub(crate) fn check() -> Outcome {
    run_each(&[], Effort::Check)
}

/// Runs the targets named, or every one.
fn run_each(names: &[String], effort: Effort) -> Outcome {
    let path = install()?;
    let listed = output(&mut cargo_fuzz(&path, "list"))?;
    let known: Vec<&str> = listed.split_whitespace().collect();
    if known.is_empty() {
        return Err(Failure::new("fuzz/ has no target"));
    }
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::new(format!(
            "there is no fuzz target {unknown:?}; there are {}",
            known.join(", ")
        )));
    }
    run_command(&mut cargo_fuzz(&path, "build"))?;
    for name in known {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            run_command(
                cargo_fuzz(&path, "run")
                    .arg(name)
                    .args(effort.inputs(name)?)
                    .arg("--")
                    .args(effort.bounds(name))
                    .args([
                        "-timeout=60",
                        "-rss_limit_mb=2048",
                        "-print_final_stats=1",
                        "-verbosity=0",
                    ]),
            )?;
        }
    }
    Ok(())
}

impl Effort {
    fn bounds(self, name: &str) -> [String; 2] {
        match self {
            Self::Explore { seconds, seed } => {
                [format!("-max_total_time={seconds}"), format!("-seed={seed}")]
            }
            Self::Check => [format!("-runs={}", checked_inputs(name)), "-seed=1".to_owned()],
        }
    }

    /// The folders to read inputs from; the first takes what is found.
    fn inputs(self, name: &str) -> Outcome<Vec<PathBuf>> {
        let fuzz = root().join("fuzz");
        let corpus = match self {
            Self::Explore { .. } => fuzz.join("corpus").join(name),
            Self::Check => {
                let empty = target().join("fuzz-check").join(name);
                // It may not be there.
                let _ = fs::remove_dir_all(&empty);
                empty
            }
        };
        fs::create_dir_all(&corpus).map_err(Failure::io(format_args!("cannot make {}", corpus.display())))?;
        let committed = ["seeds", "regressions"].map(|kind| fuzz.join(kind).join(name));
        Ok(std::iter::once(corpus)
            .chain(committed.into_iter().filter(|folder| folder.is_dir()))
            .collect())
    }
}

/// Inputs that CI tries of a target, seeds and regressions among them: what takes about ten
/// seconds.
fn checked_inputs(name: &str) -> u32 {
    match name {
        "invariants" => 60,
        "engines" => 600,
        "differential" | "container" => 1500,
        _ => 20_000,
    }
}

fn cargo_fuzz(path: &OsString, what: &str) -> Command {
    let mut command = cargo(["fuzz", what]);
    // Cargo remembers what the compiler answered once, and does not ask again when
    // `RUSTC_BOOTSTRAP` appears.
    command
        .env("PATH", path)
        .env("CARGO_CACHE_RUSTC_INFO", "0")
        .env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Installs cargo-fuzz under `target/tools` unless it is there already; gives the `PATH` that has
/// it.
fn install() -> Outcome<OsString> {
    let tools = target().join("tools");
    let old = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools.join("bin")).chain(std::env::split_paths(&old));
    let path = std::env::join_paths(folders).map_err(|error| Failure::new(format!("PATH: {error}")))?;
    if output(cargo(["fuzz", "--version"]).env("PATH", &path)).is_err() {
        // A target folder given by the environment would be shared with the workspace, to no use.
        run_command(
            cargo([
                "install",
                "--locked",
                "--version",
                CARGO_FUZZ,
                "cargo-fuzz",
                "--root",
            ])
            .arg(&tools)
            .env("CARGO_TARGET_DIR", tools.join("build")),
        )?;
    }
    Ok(path)
}
