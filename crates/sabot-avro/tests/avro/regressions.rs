//! Replays what fuzzing found, and its seeds, so that no finding comes back.

use std::fs;
use std::path::Path;

use crate::fuzz_check;

type Check = fn(&[u8]);

/// The targets, their checks, and how many inputs there are at least.
const TARGETS: [(&str, Check, usize); 6] = [
    ("avro", fuzz_check::check, 12),
    ("container", container, 8),
    ("differential", differential, 8),
    ("engines", engines, 8),
    ("invariants", invariants, 4),
    ("schema", schema, 12),
];

fn container(input: &[u8]) {
    fuzz_check::container::check(input);
}

fn differential(input: &[u8]) {
    fuzz_check::differential::check(input);
}

fn engines(input: &[u8]) {
    fuzz_check::engines::check(input);
}

fn invariants(input: &[u8]) {
    fuzz_check::invariants::check(input);
}

fn schema(input: &[u8]) {
    fuzz_check::schema::check(input);
}

#[test]
fn seeds_and_findings_hold() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    for (target, check, least) in TARGETS {
        let mut replayed = 0;
        for kind in ["seeds", "regressions"] {
            let dir = fuzz.join(kind).join(target);
            for entry in fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
                let path = entry.expect("the directory can be read").path();
                // Each file is an input as it is; git keeps a directory only if there is a file in it, hence the README.
                if path.extension().is_none_or(|extension| extension != "md") {
                    println!("{}", path.display());
                    check(&fs::read(&path).expect("the file can be read"));
                    replayed += 1;
                }
            }
        }
        assert!(replayed >= least, "only {replayed} inputs of {target} were found");
    }
}
