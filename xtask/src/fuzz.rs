//! `cargo xtask fuzz`: a bounded run of each fuzz target.
//!
//! cargo-fuzz needs a nightly compiler for its sanitizers; `RUSTC_BOOTSTRAP=1` lets a stable one do the same, so that
//! one toolchain serves for everything. New inputs go to `fuzz/corpus/`, which is not committed; `fuzz/seeds/TARGET`
//! and `fuzz/regressions/TARGET` are read beside it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::args::Args;
use crate::command::{Fault, Outcome, cargo, output, root, run as run_command, target};

const CARGO_FUZZ: &str = "0.13.2";
const DEFAULT_SECONDS: u64 = 10;

/// How long each target runs, and from where.
#[derive(Clone, Copy)]
struct Effort {
    seconds: u64,
    /// libFuzzer's seed: 0 is another one each time.
    seed: u64,
}

/// `cargo xtask fuzz [--seconds N] [--seed N] [TARGET...]`.
pub(crate) fn run(mut args: Args) -> Outcome {
    let effort = Effort {
        seconds: args.number("--seconds")?.unwrap_or(DEFAULT_SECONDS),
        seed: args.number("--seed")?.unwrap_or(0),
    };
    run_each(&args.names()?, effort)
}

/// Every target for a few seconds, always from the same seed: a change is judged by what it breaks, not by luck.
pub(crate) fn check() -> Outcome {
    let effort = Effort {
        seconds: DEFAULT_SECONDS,
        seed: 1,
    };
    run_each(&[], effort)
}

/// Runs the targets named, or every one.
fn run_each(names: &[String], effort: Effort) -> Outcome {
    let Effort { seconds, seed } = effort;
    let path = install()?;
    let listed = output(&mut cargo_fuzz(&path, "list"))?;
    let known: Vec<&str> = listed.split_whitespace().collect();
    if known.is_empty() {
        return Err(Fault::new("fuzz/ has no target"));
    }
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Fault::new(format!(
            "there is no fuzz target {unknown:?}; there are {}",
            known.join(", ")
        )));
    }
    run_command(&mut cargo_fuzz(&path, "build"))?;
    for name in known {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            run_command(cargo_fuzz(&path, "run").arg(name).args(inputs(name)?).args([
                "--".to_owned(),
                format!("-max_total_time={seconds}"),
                format!("-seed={seed}"),
                "-timeout=60".to_owned(),
                "-rss_limit_mb=2048".to_owned(),
                "-print_final_stats=1".to_owned(),
                "-verbosity=0".to_owned(),
            ]))?;
        }
    }
    Ok(())
}

/// The folders to read inputs from; the first takes what is found.
fn inputs(name: &str) -> Outcome<Vec<PathBuf>> {
    let fuzz = root().join("fuzz");
    let corpus = fuzz.join("corpus").join(name);
    fs::create_dir_all(&corpus).map_err(Fault::io(format_args!("cannot make {}", corpus.display())))?;
    let committed = ["seeds", "regressions"].map(|kind| fuzz.join(kind).join(name));
    Ok(std::iter::once(corpus)
        .chain(committed.into_iter().filter(|folder| folder.is_dir()))
        .collect())
}

fn cargo_fuzz(path: &OsString, what: &str) -> Command {
    let mut command = cargo(["fuzz", what]);
    // Cargo remembers what the compiler answered once, and does not ask again when `RUSTC_BOOTSTRAP` appears.
    command
        .env("PATH", path)
        .env("CARGO_CACHE_RUSTC_INFO", "0")
        .env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Installs cargo-fuzz under `target/tools` unless it is there already; gives the `PATH` that has it.
fn install() -> Outcome<OsString> {
    let tools = target().join("tools");
    let old = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools.join("bin")).chain(std::env::split_paths(&old));
    let path = std::env::join_paths(folders).map_err(|error| Fault::new(format!("PATH: {error}")))?;
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
