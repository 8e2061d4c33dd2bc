//! ARCHITECTURE.md against what it is a map of: its table of crates against the one that is
//! checked, and the files, types and functions that it names against those that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::table::{Arrow, CRATES, Crate};
use super::tokens::tokens;
use crate::command::{Failure, Outcome, root};

const MAP: &str = "ARCHITECTURE.md";

/// What is looked through for what the page names.
const FOLDERS: &[&str] = &["bench", "crates", "docs", "fuzz", "tests", "xtask"];

/// Folders of what was built or found by running something.
const GENERATED: &[&str] = &["artifacts", "corpus", "target"];

/// Crates that are described elsewhere on that page.
const BESIDE: &[&str] = &["xtask"];

/// A sentence for each thing that the page has wrong.
pub(super) fn check() -> Outcome<Vec<String>> {
    let page = fs::read_to_string(root().join(MAP)).map_err(Failure::io(MAP))?;
    let mut violations = check_page(&page);
    violations.extend(check_names(&page, &Sources::read()?));
    Ok(violations)
}

/// What a page may name.
#[derive(Default)]
struct Sources {
    /// From the repository's root, with `/`.
    paths: Vec<String>,
    /// Every name after `fn`, `struct`, `enum`, `trait` or `type`.
    functions: BTreeSet<String>,
    types: BTreeSet<String>,
}

impl Sources {
    fn read() -> Outcome<Self> {
        let mut sources = Self::default();
        let mut open: Vec<PathBuf> = FOLDERS.iter().map(|folder| root().join(folder)).collect();
        while let Some(path) = open.pop() {
            let fail = || Failure::io(path.display().to_string());
            let relative = path.strip_prefix(root()).unwrap_or(&path);
            sources.paths.push(relative.to_string_lossy().replace('\\', "/"));
            let name = path.file_name().unwrap_or_default();
            if GENERATED.iter().any(|generated| name == *generated) {
                continue;
            }
            if path.is_dir() {
                for entry in fs::read_dir(&path).map_err(fail())? {
                    open.push(entry.map_err(fail())?.path());
                }
            } else if path.extension() == Some(Path::new("rs").as_os_str()) {
                sources.add(&fs::read_to_string(&path).map_err(fail())?);
            }
        }
        Ok(sources)
    }

    fn add(&mut self, source: &str) {
        let tokens = tokens(source);
        for pair in tokens.windows(2) {
            let name = pair[1].text.clone();
            match pair[0].text.as_str() {
                "fn" => drop(self.functions.insert(name)),
                "struct" | "enum" | "trait" | "type" => drop(self.types.insert(name)),
                _ => {}
            }
        }
    }

    /// Whether a path ends so. Crates are named without `crates/`.
    fn has_path(&self, path: &str) -> bool {
        let end = format!("/{}", path.trim_end_matches('/'));
        self.paths.iter().any(|known| format!("/{known}").ends_with(&end))
    }
}

/// A sentence for each file, and each `Type::function`, that does not exist.
fn check_names(page: &str, sources: &Sources) -> Vec<String> {
    let mut violations = Vec::new();
    // Every second piece is code: a block of it has no names of ours.
    for code in page.split('`').skip(1).step_by(2) {
        if code.contains(char::is_whitespace) {
            continue;
        }
        let is_path = code.ends_with(".rs") || (code.contains('/') && !code.contains(':'));
        let is_missing = match code.rsplit_once("::") {
            _ if is_path => !sources.has_path(code),
            Some((owner, name)) => {
                let ty = owner.rsplit("::").next().unwrap_or(owner);
                let is_type_known = sources.types.contains(ty) || !ty.starts_with(char::is_uppercase);
                let is_known = sources.functions.contains(name) || sources.types.contains(name);
                !(is_type_known && is_known)
            }
            None => false,
        };
        if is_missing {
            violations.push(format!("{MAP} names {code}, which does not exist"));
        }
    }
    violations
}

fn check_page(page: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let rows: Vec<Vec<&str>> = page.lines().filter_map(cells).collect();
    for row in CRATES.iter().filter(|row| !BESIDE.contains(&row.name)) {
        let expected = expected(row);
        match rows.iter().find(|cells| cells[0] == format!("`{}`", row.name)) {
            Some(cells) if cells[2..] == expected => {}
            Some(_) => violations.push(format!(
                "{MAP}: the row of {} has to end with | {} |",
                row.name,
                expected.join(" | ")
            )),
            None => violations.push(format!("{MAP} has no row for {}", row.name)),
        }
    }
    for cells in rows {
        let name = cells[0].trim_matches('`');
        if name.starts_with("sabot") && Crate::find(name).is_none() {
            violations.push(format!(
                "{MAP} has a row for {name}, which the table does not have"
            ));
        }
    }
    violations
}

/// What the page has to say beside a crate's name and purpose.
fn expected(row: &Crate) -> [String; 3] {
    let uses = match row.may_use {
        [] => "nothing".to_owned(),
        some => some.join(", "),
    };
    let yes_or_no = |yes| if yes { "yes" } else { "no" }.to_owned();
    [
        uses,
        yes_or_no(!matches!(row.arrow, Arrow::None)),
        yes_or_no(row.may_have_unsafe),
    ]
}

/// The cells of a row about a crate.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    (cells.len() == 5 && cells[0].starts_with('`')).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::{BESIDE, CRATES, Sources, check_names, check_page, expected};

    /// The page's rows as they have to be.
    fn rows() -> Vec<String> {
        let listed = CRATES.iter().filter(|row| !BESIDE.contains(&row.name));
        listed
            .map(|row| format!("| `{}` | a purpose | {} |", row.name, expected(row).join(" | ")))
            .collect()
    }

    #[test]
    fn a_page_that_says_the_same_passes() {
        let other_table = "| `slot` | the place of one message |";
        assert_eq!(
            check_page(&format!("# A page\n{}\n{other_table}\n", rows().join("\n"))),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_differs_is_named() {
        let mut wrong_edge = rows();
        wrong_edge[2] = "| `sabot-schema` | a purpose | wire, cursor | no | no |".to_owned();
        let mut missing = rows();
        missing.remove(0);
        let mut unknown = rows();
        unknown.push("| `sabot-old` | a purpose | nothing | no | no |".to_owned());
        for (rows, says) in [
            (
                wrong_edge,
                "the row of sabot-schema has to end with | wire | no | no |",
            ),
            (missing, "has no row for sabot-wire"),
            (unknown, "has a row for sabot-old"),
        ] {
            let found = check_page(&rows.join("\n"));
            assert!(found.len() == 1 && found[0].contains(says), "{found:?}");
        }
    }

    #[test]
    fn what_the_page_names_has_to_exist() {
        let mut sources = Sources {
            paths: vec![
                "crates/sabot-a/src/plan".into(),
                "crates/sabot-a/src/plan/row.rs".into(),
            ],
            ..Sources::default()
        };
        sources.add("struct Source; impl Source { fn advance(&self) {} } // fn gone()");
        for (page, says) in [
            (
                "`sabot-a/src/plan/row.rs`, `row.rs`, `plan/` and `crates/sabot-a/src/plan`",
                None,
            ),
            (
                "`Source::advance`, `krate::Source` and `anything else` of `other`",
                None,
            ),
            ("`ow.rs`", Some("names ow.rs")),
            ("`plan/lane.rs`", Some("names plan/lane.rs")),
            ("`Source::gone`", Some("names Source::gone")),
            ("`Sink::advance`", Some("names Sink::advance")),
        ] {
            let found = check_names(page, &sources);
            assert_eq!(found.len(), usize::from(says.is_some()), "{page}: {found:?}");
            assert!(
                found.iter().all(|one| one.contains(says.unwrap_or_default())),
                "{found:?}"
            );
        }
    }
}
