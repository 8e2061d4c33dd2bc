//! ARCHITECTURE.md's table of crates, against the one that is checked.

use std::fs;

use super::table::{Arrow, CRATES, Crate};
use crate::command::{Failure, Outcome, root};

const MAP: &str = "ARCHITECTURE.md";

/// Crates that are described elsewhere on that page.
const BESIDE: &[&str] = &["xtask"];

/// A sentence for each row of the page that differs.
pub(super) fn check() -> Outcome<Vec<String>> {
    let text = fs::read_to_string(root().join(MAP)).map_err(Failure::io(MAP))?;
    Ok(check_page(&text))
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
    use super::{BESIDE, CRATES, check_page, expected};

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
}
