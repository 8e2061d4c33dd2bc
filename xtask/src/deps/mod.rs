//! `cargo xtask deps`: holds the tree against the architecture.
//!
//! `table` says what is allowed. Each of the others holds one thing against it: `edges` the
//! dependencies that `cargo metadata` lists, `map` what ARCHITECTURE.md says, `unsafe_code` which
//! crates forbid it, `circles` the modules inside each crate.

mod circles;
mod edges;
mod map;
mod modules;
mod table;
mod tokens;
mod unsafe_code;

use crate::args::Args;
use crate::command::{Failure, Outcome};

/// `cargo xtask deps`.
pub(crate) fn run(args: Args) -> Outcome {
    match args.names()?.first() {
        Some(name) => Err(Failure::new(format!("deps takes no argument {name:?}"))),
        None => check_workspace(),
    }
}

/// Fails with everything that is not allowed, a sentence each.
pub(crate) fn check_workspace() -> Outcome {
    let mut violations = Vec::new();
    let graph = edges::of_workspace()?;
    violations.extend(edges::check(&graph));
    violations.extend(map::check()?);
    violations.extend(unsafe_code::check()?);
    let modules = circles::check(&mut violations)?;
    if violations.is_empty() {
        println!(
            "deps: {} crates with {} dependencies and {modules} modules keep to xtask/src/deps/table.rs",
            graph.crates(),
            graph.dependencies()
        );
        return Ok(());
    }
    Err(Failure::new(format!(
        "{}\nWhat is allowed is in xtask/src/deps/table.rs.",
        violations.join("\n")
    )))
}
