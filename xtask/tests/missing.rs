//! What needs Java, Maven or Python fails where they are missing, and says which and how to get it:
//! it is never skipped.
#![expect(clippy::unwrap_used, reason = "a test panics where something is wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A new folder that a test has for itself.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("missing-{name}"));
    // What an earlier run left, if any.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("bin")).unwrap();
    folder
}

/// Runs a chore that finds only the programs in `FOLDER/bin`, and nothing that was installed
/// before.
fn xtask(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(args)
        .env("PATH", folder.join("bin"))
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .unwrap()
}

fn assert_fails_with(output: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in parts {
        assert!(said.contains(part), "expected {part:?}, found {said:?}");
    }
}

#[test]
fn missing_java_is_a_failure_that_says_so() {
    for args in [
        &["services", "up", "--", "true"][..],
        &["bench", "--suite", "e2e"],
    ] {
        let output = xtask(&folder("java"), args);
        assert_fails_with(
            &output,
            &[
                "java cannot be started",
                "Real services need Java 17 or newer: install",
            ],
        );
    }
}

#[test]
fn missing_python_fails_the_step_and_says_so() {
    let output = xtask(&folder("python"), &["ci", "e2e"]);
    assert_fails_with(
        &output,
        &[
            "step e2e: python3 cannot be started",
            "need Python 3.9 or newer with venv: install",
        ],
    );
}

#[cfg(unix)]
mod with_a_java {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::{assert_fails_with, folder, xtask};

    fn write_java(folder: &Path, version: &str) {
        let java = folder.join("bin/java");
        fs::write(
            &java,
            format!("#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n"),
        )
        .unwrap();
        fs::set_permissions(&java, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn missing_maven_is_a_failure_that_says_so() {
        let folder = folder("maven");
        write_java(&folder, "17.0.15");
        let output = xtask(&folder, &["services", "up", "--", "true"]);
        assert_fails_with(
            &output,
            &["mvn cannot be started", "come from Maven Central: install Maven"],
        );
    }

    #[test]
    fn an_old_java_is_a_failure_that_says_so() {
        let folder = folder("old-java");
        write_java(&folder, "11.0.2");
        let output = xtask(&folder, &["services", "up", "--", "true"]);
        assert_fails_with(
            &output,
            &[
                "this java is too old, or unknown",
                "11.0.2",
                "need Java 17 or newer",
            ],
        );
    }
}
