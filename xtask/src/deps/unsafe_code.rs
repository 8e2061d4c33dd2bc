//! Which crates forbid `unsafe` code, against those that the table lets have it.

use std::fs;

use super::modules::root_file;
use super::table::CRATES;
use crate::command::{Failure, Outcome};

const FORBIDS: &str = "#![forbid(unsafe_code)]";

/// A sentence for each crate that should forbid it and does not, or the other way round. Where a
/// crate may have it, the workspace's lints deny it, and each site says why it is allowed there.
pub(super) fn check() -> Outcome<Vec<String>> {
    let mut violations = Vec::new();
    for row in CRATES {
        let file = root_file(row.name);
        let text = fs::read_to_string(&file).map_err(Failure::io(file.display()))?;
        violations.extend(check_crate(row.name, row.may_have_unsafe, &text));
    }
    Ok(violations)
}

fn check_crate(name: &str, may_have_unsafe: bool, root: &str) -> Option<String> {
    let forbids = root.lines().any(|line| line.trim() == FORBIDS);
    match (may_have_unsafe, forbids) {
        (false, false) => Some(format!("{name} has to begin with {FORBIDS}")),
        (true, true) => Some(format!(
            "{name} forbids unsafe code, and the table says that it may have some"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::check_crate;

    #[test]
    fn the_table_and_the_crates_have_to_agree() {
        let forbids = "//! A crate.\n#![forbid(unsafe_code)]\n";
        for (may_have_unsafe, root, says) in [
            (false, forbids, None),
            (true, "//! A crate.\n", None),
            (false, "// #![forbid(unsafe_code)]", Some("c has to begin with")),
            (true, forbids, Some("c forbids unsafe code")),
        ] {
            let found = check_crate("c", may_have_unsafe, root);
            assert_eq!(found.is_some(), says.is_some(), "{root}");
            assert!(
                found.unwrap_or_default().starts_with(says.unwrap_or_default()),
                "{root}"
            );
        }
    }
}
