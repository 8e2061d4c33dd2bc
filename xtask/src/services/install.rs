//! Java, and the services' jars from Maven Central.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use super::state::Run;
use crate::command::{Failure, Outcome, require, root, run as run_command};

/// The variable that tells the guard where the jars are.
pub(super) const FOLDER: &str = "SABOT_SERVICES_INSTALLED";

const POM: &str = "xtask/services/pom.xml";
const JAVA_MAJOR: u32 = 17;
const JAVA: &str =
    "Real services need Java 17 or newer: install a JRE, for example Debian's openjdk-17-jre-headless.";
const MAVEN: &str = "The services' jars come from Maven Central: install Maven, for example Debian's maven.";

/// Fails unless a Java that runs the services is there.
pub(super) fn check_java() -> Outcome {
    require("java", &["-version"], JAVA)?;
    let output = Command::new("java")
        .arg("-version")
        .output()
        .map_err(Failure::io("cannot start java"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match major(&said) {
        Some(major) if major >= JAVA_MAJOR => Ok(()),
        _ => Err(Failure::new(format!(
            "this java is too old, or unknown: {}. {JAVA}",
            said.trim()
        ))),
    }
}

/// Downloads the jars once, and gives the folder that has them as `kafka/` and `registry/`.
pub(super) fn install() -> Outcome<PathBuf> {
    let pom = root().join(POM);
    let text = fs::read_to_string(&pom).map_err(Failure::io(format_args!("cannot read {POM}")))?;
    // The folder is named after what is to be in it: other versions are another installation.
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let folder = Run::home().join(format!("jars-{:016x}", hasher.finish()));
    if folder.exists() {
        return Ok(folder);
    }
    require("mvn", &["--version"], MAVEN)?;
    println!("downloading what {POM} lists");
    // Into a folder of this process, and renamed when whole: a download cut short is never taken
    // for an installation.
    let partial = Run::home().join(format!("partial-{}", std::process::id()));
    run_command(
        Command::new("mvn")
            .args(["--batch-mode", "--quiet", "package", "--file"])
            .arg(&pom)
            .arg(define("folder", &partial)),
    )?;
    match fs::rename(&partial, &folder) {
        // Another process was faster.
        Err(_) if folder.exists() => fs::remove_dir_all(&partial),
        renamed => renamed,
    }
    .map_err(Failure::io(format_args!("cannot make {}", folder.display())))?;
    Ok(folder)
}

fn define(name: &str, value: &PathBuf) -> OsString {
    let mut option = OsString::from(format!("-D{name}="));
    option.push(value);
    option
}

/// The major version in what `java -version` prints: `openjdk version "17.0.15" 2025-04-15`.
fn major(said: &str) -> Option<u32> {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    digits(between(said, "version \"", "\"")?).parse().ok()
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn java_versions_are_read() {
        let cases = [
            ("openjdk version \"17.0.15\" 2025-04-15", Some(17)),
            ("java version \"1.8.0_402\"", Some(1)),
            ("openjdk version \"25\" 2025-09-16", Some(25)),
            ("openjdk version \"26-ea\"", Some(26)),
            ("command not found", None),
        ];
        for (said, expected) in cases {
            assert_eq!(major(said), expected, "{said}");
        }
    }
}
