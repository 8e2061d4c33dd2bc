//! Circles of modules inside a crate.
//!
//! A module's children share what it holds, and a module makes use of its children: neither is a
//! circle. What counts is how *neighbours* use each other, the children of one module, each
//! together with all below it. If `a` uses `b::x` and `b` uses `a::y`, neither can be read, tested
//! or moved without the other, and the two are one module in two files.
//!
//! ```text
//! crate::a::deep -> crate::b::x     counts as a -> b, among the root's children
//! crate::a::deep -> crate::a::far   counts as deep -> far, among a's children
//! crate::a::deep -> crate::a        does not count: an ancestor
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::modules::{ModulePath, Modules};
use super::table::{CRATES, KNOWN_CIRCLES, KnownCircle};
use crate::command::Outcome;

/// Module -> the neighbours that it uses, and one place for each.
type Neighbours = BTreeMap<String, BTreeMap<String, String>>;

/// Adds a sentence for each circle that is not known, and for each known one that is gone. Gives
/// the number of modules.
pub(super) fn check(violations: &mut Vec<String>) -> Outcome<usize> {
    let mut count = 0;
    for row in CRATES {
        let modules = Modules::of_crate(row.name)?;
        count += modules.len();
        let known = KNOWN_CIRCLES.iter().filter(|known| known.krate == row.name);
        violations.extend(check_crate(
            row.name,
            &modules,
            &known.copied().collect::<Vec<_>>(),
        ));
    }
    Ok(count)
}

fn check_crate(name: &str, modules: &Modules, known: &[KnownCircle]) -> Vec<String> {
    let mut violations = Vec::new();
    let mut is_needed = vec![false; known.len()];
    for (parent, neighbours) in neighbours(modules) {
        for circle in circles(&neighbours) {
            let full: Vec<String> = circle.iter().map(|module| full_name(&parent, module)).collect();
            let covers =
                |known: &KnownCircle| full.iter().all(|module| known.modules.contains(&module.as_str()));
            match known.iter().position(covers) {
                Some(at) => is_needed[at] = true,
                None => violations.push(format!(
                    "{name}: the modules {} use each other in a circle: {}",
                    full.join(", "),
                    shortest(&neighbours, &circle)
                )),
            }
        }
    }
    let gone = known.iter().zip(is_needed).filter(|(_, is_needed)| !is_needed);
    violations.extend(gone.map(|(known, _)| {
        format!(
            "{name}: the circle of {} is gone: delete it from the known ones ({})",
            known.modules.join(", "),
            known.reason
        )
    }));
    violations
}

/// Parent -> how its children use each other.
fn neighbours(modules: &Modules) -> BTreeMap<ModulePath, Neighbours> {
    let mut by_parent: BTreeMap<ModulePath, Neighbours> = BTreeMap::new();
    for used in modules.uses() {
        let shared = used.from.iter().zip(&used.to).take_while(|(a, b)| a == b).count();
        // One of them is the other's ancestor, or they are the same.
        let (Some(from), Some(to)) = (used.from.get(shared), used.to.get(shared)) else {
            continue;
        };
        let neighbours = by_parent.entry(used.from[..shared].to_vec()).or_default();
        let places = neighbours.entry(from.clone()).or_default();
        places.entry(to.clone()).or_insert(used.place);
    }
    by_parent
}

/// The sets of modules each of which leads to every other.
fn circles(neighbours: &Neighbours) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = neighbours
        .keys()
        .map(|from| (from, reachable(neighbours, from)))
        .collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (from, to) in &reached {
        if to.contains(from) && !circles.iter().any(|circle| circle.contains(*from)) {
            let back = to
                .iter()
                .filter(|module| reached.get(**module).is_some_and(|onward| onward.contains(from)));
            circles.push(back.map(|module| (*module).clone()).collect());
        }
    }
    circles
}

fn reachable<'n>(neighbours: &'n Neighbours, from: &str) -> BTreeSet<&'n String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = neighbours[from].keys().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(neighbours.get(module).into_iter().flat_map(BTreeMap::keys));
        }
    }
    reached
}

/// The shortest way round, with a place for each step.
fn shortest(neighbours: &Neighbours, circle: &BTreeSet<String>) -> String {
    let ways = circle.iter().filter_map(|start| way_round(neighbours, start));
    let shortest = ways.min_by_key(Vec::len).unwrap_or_default();
    let steps = shortest
        .windows(2)
        .map(|step| format!("{} -> {} ({})", step[0], step[1], neighbours[&step[0]][&step[1]]));
    steps.collect::<Vec<_>>().join(", ")
}

/// From `start` back to it.
fn way_round(neighbours: &Neighbours, start: &String) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut open = VecDeque::from([vec![start.clone()]]);
    while let Some(way) = open.pop_front() {
        for next in neighbours.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            let longer: Vec<String> = way.iter().chain([next]).cloned().collect();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next) {
                open.push_back(longer);
            }
        }
    }
    None
}

fn full_name(parent: &[String], module: &str) -> String {
    let mut names = parent.to_vec();
    names.push(module.to_owned());
    names.join("::")
}

#[cfg(test)]
mod tests {
    use super::super::modules::tests::modules;
    use super::{KnownCircle, check_crate};

    type Files = &'static [(&'static str, &'static str)];

    #[test]
    fn what_is_no_circle_passes() {
        let trees: &[Files] = &[
            &[
                ("", "mod a; mod b;"),
                ("a", "use crate::b::X;"),
                ("b", "struct X;"),
            ],
            // Children and their ancestors.
            &[("", "mod a; use a::X; struct R;"), ("a", "use crate::R;")],
            &[
                ("a", "mod c; use c::X;"),
                ("a::c", "use super::Y; use crate::a::Y;"),
                ("", "mod a;"),
            ],
            // A name that the root hands on comes from where it is written.
            &[
                ("", "mod a; mod b; pub use b::X;"),
                ("a", "use crate::X;"),
                ("b", ""),
            ],
        ];
        for tree in trees {
            assert_eq!(
                check_crate("c", &modules(tree), &[]),
                Vec::<String>::new(),
                "{tree:?}"
            );
        }
    }

    #[test]
    fn each_circle_is_named_with_the_places() {
        let trees: &[(Files, &str)] = &[
            (
                &[
                    ("", "mod a; mod b;"),
                    ("a", "use crate::b::X;"),
                    ("b", "\nuse crate::a::Y;"),
                ],
                "c: the modules a, b use each other in a circle: a -> b (a.rs:1), b -> a (b.rs:2)",
            ),
            (
                &[
                    ("", "mod a; mod b; mod c; pub use c::Z;"),
                    ("a", "use crate::b;"),
                    ("b", "use crate::Z;"),
                    ("c", "use super::a;"),
                ],
                "the modules a, b, c use",
            ),
            // Below another module; and by what is deeper.
            (
                &[
                    ("m", "mod a; mod b;"),
                    ("m::a", "use super::b;"),
                    ("m::b", "use super::a;"),
                    ("", "mod m;"),
                ],
                "the modules m::a, m::b use",
            ),
            (
                &[
                    ("", "mod a; mod b;"),
                    ("a", "mod d;"),
                    ("a::d", "use crate::b;"),
                    ("b", "use crate::a::d;"),
                ],
                "a -> b (a::d.rs:1), b -> a (b.rs:1)",
            ),
        ];
        for (tree, says) in trees {
            let found = check_crate("c", &modules(tree), &[]);
            assert!(found.len() == 1 && found[0].contains(says), "{found:?}");
        }
    }

    #[test]
    fn a_known_circle_passes_until_it_is_gone() {
        let known = [KnownCircle {
            krate: "c",
            modules: &["a", "b"],
            reason: "being mended",
        }];
        let circle = [
            ("", "mod a; mod b;"),
            ("a", "use crate::b;"),
            ("b", "use crate::a;"),
        ];
        assert_eq!(check_crate("c", &modules(&circle), &known), Vec::<String>::new());
        let found = check_crate("c", &modules(&circle[..2]), &known);
        assert_eq!(
            found,
            ["c: the circle of a, b is gone: delete it from the known ones (being mended)"]
        );
    }
}
