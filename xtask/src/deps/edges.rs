//! `cargo xtask deps`: holds the crates' dependencies against the architecture.
//!
//! The tables below are the one place that says which crate may know which; everything else is read from
//! `cargo metadata`. They list what is allowed, not what must be: an edge that nobody uses is no fault.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::args::Args;
use crate::command::{Fault, Outcome, cargo, output};

/// Crate -> crates of ours that it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("sabot-wire", &[]),
    ("sabot-cursor", &[]),
    ("sabot-schema", &["sabot-wire"]),
    ("sabot-registry", &["sabot-schema", "sabot-wire"]),
    ("sabot-registry-server", &["sabot-schema"]),
    ("sabot-decode", &["sabot-schema", "sabot-wire"]),
    ("sabot-columns", &["sabot-decode"]),
    (
        "sabot-codec",
        &[
            "sabot-columns",
            "sabot-cursor",
            "sabot-decode",
            "sabot-schema",
            "sabot-wire",
        ],
    ),
    (
        "sabot-avro",
        &[
            "sabot-codec",
            "sabot-columns",
            "sabot-cursor",
            "sabot-decode",
            "sabot-schema",
            "sabot-wire",
        ],
    ),
    (
        "sabot-json",
        &[
            "sabot-codec",
            "sabot-columns",
            "sabot-decode",
            "sabot-schema",
            "sabot-wire",
        ],
    ),
    (
        "sabot-plain",
        &[
            "sabot-codec",
            "sabot-columns",
            "sabot-decode",
            "sabot-schema",
            "sabot-wire",
        ],
    ),
    // A codec cannot see it.
    (
        "sabot-assemble",
        &["sabot-columns", "sabot-decode", "sabot-schema", "sabot-wire"],
    ),
    // It knows no codec, and no registry.
    (
        "sabot-kafka",
        &["sabot-assemble", "sabot-decode", "sabot-schema", "sabot-wire"],
    ),
    (
        "sabot",
        &[
            "sabot-assemble",
            "sabot-avro",
            "sabot-codec",
            "sabot-columns",
            "sabot-cursor",
            "sabot-decode",
            "sabot-json",
            "sabot-kafka",
            "sabot-plain",
            "sabot-registry",
            "sabot-schema",
            "sabot-wire",
        ],
    ),
    ("sabot-cli", &["sabot", "sabot-registry-server"]),
    ("sabot-testkit", &["sabot-decode", "sabot-schema"]),
    ("xtask", &[]),
];

/// What any crate may use in its tests, beside its own edges.
const TEST_ONLY: &[&str] = &["sabot-assemble", "sabot-registry-server", "sabot-testkit"];

/// Crates that may use every other: they hold tests alone.
const UNBOUND: &[&str] = &["sabot-tests"];

/// Crate -> Arrow crates that it may reach, directly or through others. A crate that is not listed may reach any.
const ARROW: &[(&str, &[&str])] = &[
    // The lower tier outlives Arrow's majors.
    ("sabot-wire", &[]),
    ("sabot-cursor", &[]),
    ("sabot-schema", &[]),
    ("sabot-registry", &[]),
    ("sabot-registry-server", &[]),
    ("xtask", &[]),
    // Depends directly on no more than these; arrow-data comes with them.
    (
        "sabot-decode",
        &["arrow-array", "arrow-buffer", "arrow-data", "arrow-schema"],
    ),
];

/// What `cargo metadata` says about the workspace, as far as it matters here.
#[derive(Default)]
struct Graph {
    /// Member -> its direct dependencies, with whether each is for tests only.
    direct: BTreeMap<String, Vec<(String, bool)>>,
    /// Package -> the packages that it builds with, tests aside; foreign ones too.
    built_with: BTreeMap<String, BTreeSet<String>>,
}

/// `cargo xtask deps`.
pub(crate) fn run(args: Args) -> Outcome {
    match args.names()?.first() {
        Some(name) => Err(Fault::new(format!("deps takes no argument {name:?}"))),
        None => check_workspace(),
    }
}

/// Fails with every edge that is not allowed.
pub(crate) fn check_workspace() -> Outcome {
    let text = output(&mut cargo([
        "metadata",
        "--format-version",
        "1",
        "--all-features",
    ]))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| Fault::new(format!("cargo metadata: {error}")))?;
    let graph = read(&metadata)?;
    let faults = check(&graph);
    if faults.is_empty() {
        let edges: usize = graph.direct.values().map(Vec::len).sum();
        println!(
            "deps: {} crates with {edges} dependencies keep to the allowed edges",
            graph.direct.len()
        );
        return Ok(());
    }
    Err(Fault::new(format!(
        "{}\nThe allowed edges stand in xtask/src/deps.rs.",
        faults.join("\n")
    )))
}

/// Every edge that the tables do not allow, one sentence each.
fn check(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, dependencies) in &graph.direct {
        check_edges(graph, name, dependencies, &mut faults);
        check_arrow(graph, name, &mut faults);
    }
    faults
}

fn check_edges(graph: &Graph, name: &str, dependencies: &[(String, bool)], faults: &mut Vec<String>) {
    if UNBOUND.contains(&name) {
        return;
    }
    let Some(allowed) = row(EDGES, name) else {
        faults.push(format!("{name} has no row in the table of allowed edges"));
        return;
    };
    for (dependency, test_only) in dependencies {
        if !graph.direct.contains_key(dependency) || allowed.contains(&dependency.as_str()) {
            continue;
        }
        if *test_only && TEST_ONLY.contains(&dependency.as_str()) {
            continue;
        }
        let how = if *test_only {
            "its tests use"
        } else {
            "it depends on"
        };
        let may = if allowed.is_empty() {
            "no crate of ours".to_owned()
        } else {
            allowed.join(", ")
        };
        faults.push(format!(
            "{name} -> {dependency}: {how} {dependency}, but may only use {may}"
        ));
    }
}

fn check_arrow(graph: &Graph, name: &str, faults: &mut Vec<String>) {
    let Some(allowed) = row(ARROW, name) else { return };
    for path in arrow_paths(graph, name) {
        let reached = path.last().expect("a path has its end");
        if !allowed.contains(&reached.as_str()) {
            faults.push(format!("{}: {name} must not reach {reached}", path.join(" -> ")));
        }
    }
}

/// The shortest path from `name` to each Arrow crate that it is built with.
fn arrow_paths(graph: &Graph, name: &str) -> Vec<Vec<String>> {
    let mut seen = BTreeSet::from([name.to_owned()]);
    let mut paths = Vec::new();
    let mut layer = vec![vec![name.to_owned()]];
    while !layer.is_empty() {
        let mut next = Vec::new();
        for path in layer {
            let end = path.last().expect("a path has its end");
            for dependency in graph.built_with.get(end).into_iter().flatten() {
                if seen.insert(dependency.clone()) {
                    let mut longer = path.clone();
                    longer.push(dependency.clone());
                    if is_arrow(dependency) {
                        paths.push(longer.clone());
                    }
                    next.push(longer);
                }
            }
        }
        layer = next;
    }
    paths
}

fn is_arrow(name: &str) -> bool {
    name == "arrow" || name == "parquet" || name.starts_with("arrow-")
}

fn row<'t>(table: &[(&str, &'t [&'t str])], name: &str) -> Option<&'t [&'t str]> {
    table
        .iter()
        .find(|(owner, _)| *owner == name)
        .map(|(_, allowed)| *allowed)
}

fn read(metadata: &Value) -> Outcome<Graph> {
    let mut names = BTreeMap::new();
    let mut graph = Graph::default();
    let members: BTreeSet<&str> = items(metadata, "workspace_members")?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for package in items(metadata, "packages")? {
        let (id, name) = (text(package, "id")?, text(package, "name")?);
        names.insert(id, name);
        if !members.contains(id) {
            continue;
        }
        let mut direct = Vec::new();
        for dependency in items(package, "dependencies")? {
            let test_only = dependency["kind"].as_str() == Some("dev");
            direct.push((text(dependency, "name")?.to_owned(), test_only));
        }
        graph.direct.insert(name.to_owned(), direct);
    }
    for node in items(&metadata["resolve"], "nodes")? {
        let mut built_with = BTreeSet::new();
        for dependency in items(node, "deps")? {
            let kinds = items(dependency, "dep_kinds")?;
            if kinds.iter().any(|kind| kind["kind"].as_str() != Some("dev")) {
                built_with.extend(names.get(text(dependency, "pkg")?).map(|name| (*name).to_owned()));
            }
        }
        let name = names
            .get(text(node, "id")?)
            .copied()
            .unwrap_or_default()
            .to_owned();
        graph.built_with.entry(name).or_default().extend(built_with);
    }
    Ok(graph)
}

fn items<'v>(value: &'v Value, key: &str) -> Outcome<&'v Vec<Value>> {
    value[key]
        .as_array()
        .ok_or_else(|| Fault::new(format!("cargo metadata has no list {key:?} where expected")))
}

fn text<'v>(value: &'v Value, key: &str) -> Outcome<&'v str> {
    value[key]
        .as_str()
        .ok_or_else(|| Fault::new(format!("cargo metadata has no text {key:?} where expected")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{EDGES, check, read};

    /// Crate, dependency, kind (`""` for a normal one).
    type Edge = (&'static str, &'static str, &'static str);

    /// Metadata of a workspace with these edges. Crates of ours are its members.
    fn workspace(edges: &[Edge]) -> Value {
        let mut names: Vec<&str> = edges.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        names.sort_unstable();
        names.dedup();
        let of = |name: &str| {
            edges
                .iter()
                .filter(move |(from, _, _)| *from == name)
                .collect::<Vec<_>>()
        };
        let kind = |kind: &str| if kind.is_empty() { Value::Null } else { json!(kind) };
        let members: Vec<&&str> = names
            .iter()
            .filter(|name| name.starts_with("sabot") || **name == "xtask")
            .collect();
        let packages: Vec<Value> = names
            .iter()
            .map(|name| {
                let dependencies: Vec<Value> = of(name)
                    .iter()
                    .map(|(_, to, how)| json!({"name": to, "kind": kind(how)}))
                    .collect();
                json!({"id": name, "name": name, "dependencies": dependencies})
            })
            .collect();
        let nodes: Vec<Value> = names
            .iter()
            .map(|name| {
                let deps: Vec<Value> = of(name)
                    .iter()
                    .map(|(_, to, how)| json!({"pkg": to, "dep_kinds": [{"kind": kind(how)}]}))
                    .collect();
                json!({"id": name, "deps": deps})
            })
            .collect();
        json!({"packages": packages, "workspace_members": members, "resolve": {"nodes": nodes}})
    }

    fn faults(edges: &[Edge]) -> Vec<String> {
        check(&read(&workspace(edges)).unwrap())
    }

    #[test]
    fn allowed_edges_pass() {
        let allowed: &[&[Edge]] = &[
            &[("sabot-schema", "sabot-wire", "")],
            &[
                ("sabot-decode", "arrow-array", ""),
                ("arrow-array", "arrow-data", ""),
            ],
            &[
                ("sabot-kafka", "sabot-assemble", ""),
                ("sabot-kafka", "sabot-registry-server", "dev"),
            ],
            &[("sabot-avro", "sabot-testkit", "dev")],
            &[
                ("sabot-tests", "sabot", "dev"),
                ("sabot-tests", "sabot-avro", "dev"),
            ],
            // What a dependency's own tests use does not count.
            &[("sabot-registry", "ureq", ""), ("ureq", "arrow-array", "dev")],
        ];
        for edges in allowed {
            assert_eq!(faults(edges), Vec::<String>::new(), "{edges:?}");
        }
    }

    #[test]
    fn each_forbidden_edge_is_named() {
        let forbidden: &[(&[Edge], &str)] = &[
            (
                &[("sabot-wire", "sabot-schema", "")],
                "sabot-wire -> sabot-schema",
            ),
            (&[("sabot-kafka", "sabot-avro", "")], "sabot-kafka -> sabot-avro"),
            (
                &[("sabot-kafka", "sabot-registry", "")],
                "sabot-kafka -> sabot-registry",
            ),
            (
                &[("sabot-avro", "sabot-assemble", "")],
                "sabot-avro -> sabot-assemble",
            ),
            (
                &[("sabot-kafka", "sabot-avro", "dev")],
                "sabot-kafka -> sabot-avro: its tests use",
            ),
            (
                &[("sabot-avro", "sabot-testkit", "")],
                "sabot-avro -> sabot-testkit",
            ),
            (
                &[("sabot-avro", "sabot-testkit", "build")],
                "sabot-avro -> sabot-testkit",
            ),
            (
                &[("sabot", "sabot-registry-server", "")],
                "sabot -> sabot-registry-server",
            ),
            (&[("xtask", "sabot-wire", "")], "may only use no crate of ours"),
            (&[("sabot-new", "serde", "")], "sabot-new has no row"),
            (
                &[("sabot-schema", "arrow-schema", "")],
                "sabot-schema -> arrow-schema",
            ),
            (
                &[("sabot-registry", "serde", ""), ("serde", "arrow", "")],
                "sabot-registry -> serde -> arrow: sabot-registry must not reach arrow",
            ),
            (
                &[("sabot-decode", "arrow-select", "")],
                "sabot-decode -> arrow-select",
            ),
        ];
        for (edges, says) in forbidden {
            let found = faults(edges);
            assert!(
                found.iter().any(|fault| fault.contains(says)),
                "{edges:?} gives {found:?}"
            );
        }
    }

    #[test]
    fn the_table_has_no_cycle() {
        // Each row names only crates above it, so that reading downwards is building upwards.
        for (at, (name, allowed)) in EDGES.iter().enumerate() {
            for dependency in *allowed {
                let found = EDGES.iter().position(|(owner, _)| owner == dependency);
                assert!(found.is_some_and(|found| found < at), "{name} -> {dependency}");
            }
        }
    }
}
