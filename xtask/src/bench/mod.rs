//! `cargo xtask bench`: measures beside the peers, and makes of the results what people read.
//!
//! `bench/` is a workspace of its own, so that no user compiles a peer. Its program only measures and writes
//! `results.json`; the table, the bars, the records, the plots and the documentation's numbers are made here from that
//! file, so that a number is never copied by hand and old records can be shown again without compiling a peer.

mod bars;
mod profiles;
#[expect(dead_code, reason = "the documentation is made from them next")]
mod results;
#[expect(dead_code, reason = "the documentation is made from them next")]
mod table;

use std::path::PathBuf;
use std::process::Command;

use crate::args::Args;
use crate::command::{Outcome, cargo, output, root, run as run_command, target};
use bars::Bar;
use results::Results;

/// `cargo xtask bench ...`.
pub(crate) fn run(args: Args) -> Outcome {
    measure(args)
}

/// `cargo xtask bench [--check] [--all] [ARGS...]`: `ARGS` go to the program.
fn measure(mut args: Args) -> Outcome {
    let (check, all) = (args.flag("--check"), args.flag("--all"));
    let args = args.rest();
    let is_partial = args.iter().any(|arg| arg == "--suite" || arg == "--filter");
    let program = build(all, &[])?;
    let file = target().join("bench/results.json");
    run_command(
        Command::new(program)
            .arg("measure")
            .args(args)
            .arg("--out")
            .arg(&file)
            .current_dir(root()),
    )?;
    let (results, bars) = (Results::read(&file)?, Bar::read_all()?);
    print!("{}", table::text(&results, &bars));
    println!("written to {}", file.display());
    if check {
        bars::check(&results, &bars, is_partial)?;
    }
    Ok(())
}

/// Builds the program after checking how; gives where it lies.
fn build(all: bool, unset: &[&str]) -> Outcome<PathBuf> {
    let manifest = root().join("bench/Cargo.toml");
    let cargo_build = || {
        let mut command = cargo(["build", "--release", "--manifest-path"]);
        command.arg(&manifest);
        if all {
            command.args(["--features", "all"]);
        }
        for name in unset {
            command.env_remove(name);
        }
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
    let built = root().join("bench/target");
    run_command(
        cargo_build()
            .env("CARGO_TARGET_DIR", &built)
            // The program measures nothing unless it finds this: cargo tells it nothing about link-time optimisation.
            .env("SABOT_BENCH_PROFILE", profiles::CHECKED),
    )?;
    Ok(built.join("release/sabot-bench"))
}
