//! Replays what fuzzing found, and its seeds, so that no finding comes back.

use std::fs;
use std::path::Path;

mod fuzz_check;

#[test]
fn seeds_and_findings_hold() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut replayed = 0;
    for kind in ["seeds", "regressions"] {
        let dir = fuzz.join(kind).join("projection");
        for entry in fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let path = entry.expect("the directory can be read").path();
            // Each file is an input as it is; git keeps a directory only if there is a file in it,
            // hence the README.
            if path.extension().is_none_or(|extension| extension != "md") {
                println!("{}", path.display());
                fuzz_check::check(&fs::read(&path).expect("the file can be read"));
                replayed += 1;
            }
        }
    }
    assert!(replayed >= 5, "only {replayed} inputs were found");
}
