//! Records: the results of whole runs, kept under `bench/record/` by date, processor and commit.
//!
//! A record is a run's `results.json` as it was written, so that a later version of this program
//! can show it again, and a change's effect can be seen when its run is long gone. Times of two
//! machines are not compared by anyone: that is why the processor is in the name.

use std::fs;
use std::path::{Path, PathBuf};

use super::files_in;
use super::results::Results;
use crate::command::{Failure, Outcome, root};

/// Where records are, from the repository's root.
const FOLDER: &str = "bench/record";

/// Keeps the results in `file`; says where.
pub(super) fn keep(file: &Path) -> Outcome<PathBuf> {
    let folder = root().join(FOLDER);
    let record = folder.join(name(&Results::read(file)?));
    fs::create_dir_all(&folder).map_err(Failure::io(format_args!("cannot make {FOLDER}")))?;
    fs::copy(file, &record).map_err(Failure::io(format_args!("cannot write {}", record.display())))?;
    Ok(record)
}

/// The record that was measured last; `None` where there is none yet.
pub(super) fn newest() -> Outcome<Option<Results>> {
    let mut newest: Option<Results> = None;
    for file in files()? {
        let results = Results::read(&file)?;
        if newest.as_ref().is_none_or(|newest| newest.date < results.date) {
            newest = Some(results);
        }
    }
    Ok(newest)
}

/// The results that `name` stands for: a file, or the only record in whose name it occurs.
pub(super) fn find(name: &str) -> Outcome<Results> {
    let path = Path::new(name);
    if path.is_file() {
        return Results::read(path);
    }
    let is_meant = |file: &&PathBuf| {
        let known = file.file_name().and_then(|name| name.to_str());
        known.is_some_and(|known| known.contains(name))
    };
    let files = files()?;
    let mut meant = files.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(file), None) => Results::read(file),
        (None, _) => Err(Failure::new(format!("there is no record {name:?} in {FOLDER}"))),
        (Some(one), Some(other)) => Err(Failure::new(format!(
            "{name:?} may be {} or {}",
            one.display(),
            other.display()
        ))),
    }
}

/// Every record, in the order of their names.
fn files() -> Outcome<Vec<PathBuf>> {
    files_in(&root().join(FOLDER), |name| name.ends_with(".json"))
}

/// `2026-11-25-amd-epyc-88bf8be9f65e.json`.
fn name(results: &Results) -> String {
    let day = results.date.split('T').next().unwrap_or_default();
    format!("{day}-{}-{}.json", slug(&results.cpu), results.commit)
}

/// Lower-case letters and digits, with a dash for all that is between them.
pub(super) fn slug(text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric();
    let parts = text.split(|letter| !is_part(letter));
    let parts: Vec<String> = parts
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::sample;
    use super::{name, slug};

    #[test]
    fn a_record_is_named_after_its_day_processor_and_commit() {
        assert_eq!(name(&sample()), "2026-11-25-a-chip-abc.json");
    }

    #[test]
    fn a_slug_has_no_letter_that_a_file_name_could_trip_over() {
        for (text, expected) in [
            ("AMD EPYC", "amd-epyc"),
            ("Intel(R) Xeon(R) CPU @ 2.20GHz", "intel-r-xeon-r-cpu-2-20ghz"),
            ("avro/flat x2 threads", "avro-flat-x2-threads"),
            ("../..", ""),
        ] {
            assert_eq!(slug(text), expected);
        }
    }
}
