//! `cargo xtask bench`: measures beside the peers, and first checks that the comparison is fair.
//!
//! `bench/` is a workspace of its own, so that no user compiles a peer; it does not inherit the root's profiles. So
//! this asks cargo what it is going to do with every crate, ours and theirs, before it lets a number be taken.

use std::process::Command;

use serde_json::Value;

use crate::command::{Fault, Outcome, cargo, output, require, root, run as run_command, target};

/// `cargo xtask bench [ARGS...]`: `ARGS` go to the benchmark program.
pub(crate) fn run(args: &[String]) -> Outcome {
    let manifest = root().join("bench/Cargo.toml");
    let graph = output(
        cargo([
            "build",
            "--release",
            "--unit-graph",
            "-Zunstable-options",
            "--manifest-path",
        ])
        .arg(&manifest)
        // Printing the graph is not stable yet.
        .env("RUSTC_BOOTSTRAP", "1"),
    )?;
    let graph: Value =
        serde_json::from_str(&graph).map_err(|error| Fault::new(format!("unit graph: {error}")))?;
    println!(
        "bench: {} crates are built with lto = \"fat\", codegen-units = 1",
        check_profiles(&graph)?
    );
    let built = root().join("bench/target");
    run_command(
        cargo(["build", "--release", "--manifest-path"])
            .arg(&manifest)
            .env("CARGO_TARGET_DIR", &built),
    )?;
    let program = built.join("release/sabot-bench");
    let results = target().join("bench/results.json");
    // One core for all systems: a move to another in the middle is noise for one of them.
    let mut command = if require("taskset", &["--version"], "").is_ok() {
        let mut pinned = Command::new("taskset");
        pinned.args(["--cpu-list", "0"]).arg(program);
        pinned
    } else {
        println!("bench: there is no taskset here, so the process is not pinned to one core");
        Command::new(program)
    };
    run_command(command.arg("--out").arg(results).args(args).current_dir(root()))
}

/// Counts the crates that end up in the program; fails with those built with other settings.
fn check_profiles(graph: &Value) -> Outcome<usize> {
    let units = graph["units"]
        .as_array()
        .ok_or_else(|| Fault::new("the unit graph has no units"))?;
    let mut count = 0;
    let mut faults = Vec::new();
    for unit in units {
        let kinds = unit["target"]["kind"].as_array();
        let is = |what: &str| kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == what));
        let profile = &unit["profile"];
        // Build scripts, procedural macros and what they use run while compiling; cargo leaves link-time optimisation
        // off for them.
        let for_host = profile["name"] == "release" && profile["opt_level"] == "0";
        if unit["mode"] != "build" || is("proc-macro") || is("custom-build") || for_host {
            continue;
        }
        count += 1;
        let fair = profile["opt_level"] == "3"
            && profile["lto"] == "fat"
            && profile["codegen_units"] == 1
            && profile["debug_assertions"] == false;
        if !fair {
            faults.push(format!("{}: {profile}", unit["pkg_id"].as_str().unwrap_or("?")));
        }
    }
    if count == 0 {
        return Err(Fault::new("the unit graph has no crate of the program"));
    }
    if faults.is_empty() {
        return Ok(count);
    }
    Err(Fault::new(format!(
        "not built with opt-level 3, fat lto and one codegen unit:\n{}",
        faults.join("\n")
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check_profiles;

    fn unit(kind: &str, lto: &str, opt_level: &str) -> Value {
        let profile = json!({
            "name": "release", "opt_level": opt_level, "lto": lto, "codegen_units": 1, "debug_assertions": false
        });
        json!({"pkg_id": "peer 1.0.0", "target": {"kind": [kind]}, "profile": profile, "mode": "build"})
    }

    #[test]
    fn a_fair_build_is_counted() {
        let units = json!({"units": [unit("lib", "fat", "3"), unit("proc-macro", "off", "0"), unit("lib", "off", "0")]});
        assert_eq!(check_profiles(&units).unwrap(), 1);
    }

    #[test]
    fn an_unfair_crate_is_named() {
        for unfair in [unit("lib", "thin", "3"), unit("lib", "fat", "2")] {
            let fault = check_profiles(&json!({"units": [unit("bin", "fat", "3"), unfair]})).unwrap_err();
            assert!(fault.to_string().contains("peer 1.0.0"), "{fault}");
        }
        assert!(check_profiles(&json!({"units": []})).is_err());
    }
}
