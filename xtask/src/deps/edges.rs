//! The crates' dependencies, as `cargo metadata` lists them, against the allowed ones.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::table::{Arrow, Crate, TEST_ONLY, UNBOUND, short};
use crate::command::{Failure, Outcome, cargo, output};

/// What `cargo metadata` says about the workspace, as far as it matters here.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Member -> its direct dependencies, with whether each is for tests only.
    direct: BTreeMap<String, Vec<(String, bool)>>,
    /// Package -> the packages that it builds with, tests aside; foreign ones too.
    built_with: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    pub(super) fn crates(&self) -> usize {
        self.direct.len()
    }

    pub(super) fn dependencies(&self) -> usize {
        self.direct.values().map(Vec::len).sum()
    }
}

/// What `cargo metadata` says.
pub(super) fn of_workspace() -> Outcome<Graph> {
    let text = output(&mut cargo([
        "metadata",
        "--format-version",
        "1",
        "--all-features",
    ]))?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
    read(&metadata)
}

/// Every edge that the table does not allow, one sentence each.
pub(super) fn check(graph: &Graph) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, dependencies) in &graph.direct {
        if UNBOUND.contains(&name.as_str()) {
            continue;
        }
        let Some(row) = Crate::find(name) else {
            violations.push(format!("{name} has no row in the table of allowed edges"));
            continue;
        };
        check_edges(graph, row, dependencies, &mut violations);
        check_arrow(graph, row, &mut violations);
    }
    violations
}

fn check_edges(graph: &Graph, row: &Crate, dependencies: &[(String, bool)], violations: &mut Vec<String>) {
    let ours = dependencies
        .iter()
        .filter(|(dependency, _)| graph.direct.contains_key(dependency));
    for (dependency, test_only) in ours {
        let used = short(dependency);
        if row.may_use.contains(&used) || (*test_only && TEST_ONLY.contains(&used)) {
            continue;
        }
        let how = if *test_only {
            "its tests use"
        } else {
            "it depends on"
        };
        let may = match row.may_use {
            [] => "no crate of ours".to_owned(),
            some => some.join(", "),
        };
        let name = row.name;
        violations.push(format!(
            "{name} -> {dependency}: {how} {dependency}, but may only use {may}"
        ));
    }
}

fn check_arrow(graph: &Graph, row: &Crate, violations: &mut Vec<String>) {
    let allowed = match row.arrow {
        Arrow::None => &[][..],
        Arrow::Only(some) => some,
        Arrow::Any => return,
    };
    for path in arrow_paths(graph, row.name) {
        let reached = path.last().expect("a path has its end");
        if !allowed.contains(&reached.as_str()) {
            let name = row.name;
            violations.push(format!("{}: {name} must not reach {reached}", path.join(" -> ")));
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
        .ok_or_else(|| Failure::new(format!("cargo metadata has no list {key:?} where expected")))
}

fn text<'v>(value: &'v Value, key: &str) -> Outcome<&'v str> {
    value[key]
        .as_str()
        .ok_or_else(|| Failure::new(format!("cargo metadata has no text {key:?} where expected")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{check, read};

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

    fn violations(edges: &[Edge]) -> Vec<String> {
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
            assert_eq!(violations(edges), Vec::<String>::new(), "{edges:?}");
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
            (
                &[("sabot-kafka", "sabot-registry", "")],
                "sabot-kafka -> sabot-registry",
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
            let found = violations(edges);
            assert!(
                found.iter().any(|one| one.contains(says)),
                "{edges:?} gives {found:?}"
            );
        }
    }
}
