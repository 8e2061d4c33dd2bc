//! Whether the comparison is fair: what cargo is going to do with every crate, ours and theirs.
//!
//! A workspace of its own inherits no profile, and no build script or program can see whether
//! link-time optimisation reached it. So cargo is asked for its plan before a number is taken.

use serde_json::Value;

use crate::command::{Failure, Outcome};

/// What the program is told once the plan was checked.
pub(super) const CHECKED: &str = "fat-lto,codegen-units=1,opt-level=3";

/// Counts the crates that end up in the program; fails with those built with other settings.
pub(super) fn check(graph: &str) -> Outcome<usize> {
    let graph = serde_json::from_str(graph).map_err(|error| Failure::new(format!("unit graph: {error}")))?;
    check_graph(&graph)
}

fn check_graph(graph: &Value) -> Outcome<usize> {
    let units = graph["units"]
        .as_array()
        .ok_or_else(|| Failure::new("the unit graph has no units"))?;
    let mut count = 0;
    let mut unfair = Vec::new();
    for unit in units {
        let kinds = unit["target"]["kind"].as_array();
        let is = |what: &str| kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == what));
        let profile = &unit["profile"];
        // Build scripts, procedural macros and what they use run while compiling; cargo leaves
        // link-time optimisation off for them.
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
            unfair.push(format!("{}: {profile}", unit["pkg_id"].as_str().unwrap_or("?")));
        }
    }
    if count == 0 {
        return Err(Failure::new("the unit graph has no crate of the program"));
    }
    if unfair.is_empty() {
        return Ok(count);
    }
    Err(Failure::new(format!(
        "not built with opt-level 3, fat lto and one codegen unit:\n{}",
        unfair.join("\n")
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check_graph;

    fn unit(kind: &str, lto: &str, opt_level: &str) -> Value {
        let profile = json!({
            "name": "release", "opt_level": opt_level, "lto": lto, "codegen_units": 1, "debug_assertions": false
        });
        json!({"pkg_id": "peer 1.0.0", "target": {"kind": [kind]}, "profile": profile, "mode": "build"})
    }

    #[test]
    fn a_fair_build_is_counted() {
        let units = json!({"units": [unit("lib", "fat", "3"), unit("proc-macro", "off", "0"), unit("lib", "off", "0")]});
        assert_eq!(check_graph(&units).unwrap(), 1);
    }

    #[test]
    fn an_unfair_crate_is_named() {
        for unfair in [unit("lib", "thin", "3"), unit("lib", "fat", "2")] {
            let failure = check_graph(&json!({"units": [unit("bin", "fat", "3"), unfair]})).unwrap_err();
            assert!(failure.to_string().contains("peer 1.0.0"), "{failure}");
        }
        assert!(check_graph(&json!({"units": []})).is_err());
    }
}
