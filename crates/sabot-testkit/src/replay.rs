//! Replays what fuzzing found, so that no finding comes back and none needs a fuzzer to show it.

use std::fs;
use std::path::Path;

/// Calls `check` with every seed and every finding of a fuzz target: `fuzz/seeds/TARGET/` and
/// `fuzz/regressions/TARGET/`. Standard output has the name of the input at hand.
///
/// # Panics
///
/// If `check` does, or if there are fewer inputs than `least`: then a folder is not where it was.
#[expect(clippy::print_stdout, reason = "a failing test shows which input it was")]
pub fn seeds_and_findings(target: &str, least: usize, check: impl Fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut replayed = 0;
    for kind in ["seeds", "regressions"] {
        let folder = fuzz.join(kind).join(target);
        let entries = fs::read_dir(&folder);
        for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("the folder can be read").path();
            // Each file is an input as it is; git keeps a folder only if there is a file in it,
            // hence the README.
            if path.extension().is_none_or(|extension| extension != "md") {
                println!("{}", path.display());
                check(&fs::read(&path).expect("the file can be read"));
                replayed += 1;
            }
        }
    }
    assert!(replayed >= least, "only {replayed} inputs of {target} were found");
}
