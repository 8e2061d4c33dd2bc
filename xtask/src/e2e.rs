//! `cargo xtask e2e`: the command against a real broker and a real registry, with clients that
//! others wrote.
//!
//! The checks themselves are Python scripts in `tests/e2e/`, since Python has both the writer
//! (confluent-kafka) and the judges (fastavro, pyarrow). This file brings together what they need:
//! the built command, a virtual environment under `target/`, and the services.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::args::Args;
use crate::command::{Failure, Outcome, cargo, require, root, run as run_command, target};
use crate::services;

const PYTHON: &str = "The end-to-end checks need Python 3.9 or newer with venv: install it, for example Debian's python3-venv.";

/// `cargo xtask e2e [--release] [NAME...]`.
pub(crate) fn run(mut args: Args) -> Outcome {
    let release = args.flag("--release");
    run_each(&args.names()?, release)
}

/// Runs the checks named, or every one, with a debug or release build of the command.
pub(crate) fn run_each(names: &[String], release: bool) -> Outcome {
    let python = environment()?;
    let mut build = cargo(["build", "--package", "sabot-cli", "--bin", "sabot"]);
    if release {
        build.arg("--release");
    }
    run_command(&mut build)?;
    let binary = target()
        .join(if release { "release" } else { "debug" })
        .join("sabot");
    let mut checks = Command::new(python);
    checks
        .arg(root().join("tests/e2e/run.py"))
        .args(names)
        .env("SABOT_BIN", binary);
    checks
        .env("SABOT_E2E_FOLDER", target().join("e2e/run"))
        .env("PYTHONUNBUFFERED", "1")
        .current_dir(root());
    services::run_with(&mut checks)
}

/// Makes the virtual environment, or brings it up to date; gives its Python.
fn environment() -> Outcome<PathBuf> {
    let requirements = root().join("tests/e2e/requirements.txt");
    let wanted = fs::read(&requirements).map_err(Failure::io("cannot read tests/e2e/requirements.txt"))?;
    let folder = target().join("e2e/venv");
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed.txt"));
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    require(
        "python3",
        &[
            "-c",
            "import venv, ensurepip, sys; assert sys.version_info >= (3, 9)",
        ],
        PYTHON,
    )?;
    run_command(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    run_command(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(&requirements),
    )?;
    fs::write(&stamp, wanted).map_err(Failure::io(format_args!("cannot write {}", stamp.display())))?;
    Ok(python)
}
