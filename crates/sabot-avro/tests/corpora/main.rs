//! The corpora of `tests/testdata/avro`: every file as fastavro and apache-avro read it, every
//! schema judged as its own project and Apache Avro for Java judge it; or on the list of expected
//! differences, which says why not.
//!
//! With `SABOT_AVRO_FILES=FOLDER`, every `.avro` file below that folder is compared with
//! apache-avro too: for corpora that are not part of this repository.

mod plain;
mod schemas;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sabot_avro::{ContainerHeader, ContainerOptions, ContainerReader};
use sabot_decode::RecursionType;
use serde_json::Value as Json;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/testdata/avro")
}

/// Rows in the form of [`plain`], or what went wrong.
type Rows = Result<Vec<Json>, String>;

/// The codecs that are built in.
fn is_known(codec: &str) -> bool {
    match codec {
        "bzip2" => cfg!(feature = "bzip2"),
        "deflate" => cfg!(feature = "deflate"),
        "snappy" => cfg!(feature = "snappy"),
        "xz" => cfg!(feature = "xz"),
        "zstandard" => cfg!(feature = "zstandard"),
        _ => true,
    }
}

fn header(path: &Path) -> Result<ContainerHeader, String> {
    let file = File::open(path).expect("the file is there");
    ContainerHeader::read(file).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Rows {
    let mut options = ContainerOptions::default();
    options.target.mapping.recursion = RecursionType::Unroll(6);
    let file = File::open(path).expect("the file is there");
    let reader = ContainerReader::with_options(file, options).map_err(|error| error.to_string())?;
    let schema: Json = serde_json::from_str(&reader.header().schema().text).expect("a schema is JSON");
    let is_record = matches!(schema["type"].as_str(), Some("record" | "error"));
    let mut rows = Vec::new();
    for batch in reader {
        rows.extend(plain::rows(&batch.map_err(|error| error.to_string())?, is_record));
    }
    Ok(rows)
}

fn read_with_apache_avro(path: &Path) -> Rows {
    let file = File::open(path).expect("the file is there");
    let reader = apache_avro::Reader::new(file).map_err(|error| error.to_string())?;
    reader
        .map(|value| value.map(|value| plain::of_apache(&value)))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

fn read_expected(path: &Path) -> Rows {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if let Some(error) = text.strip_prefix("! ") {
        return Err(error.trim().to_owned());
    }
    let rows = text.lines().map(serde_json::from_str);
    Ok(rows
        .collect::<Result<_, _>>()
        .expect("the expected rows are JSON"))
}

/// All container files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "avro") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// What is listed to differ from this reference, and why.
fn expected_differences(reference: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder().join("expected_differences.txt")).expect("the list is there");
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            let &[of, what, why] = &columns[..] else {
                panic!("three columns are expected: {line}");
            };
            assert!(!why.is_empty(), "{line} says no reason");
            (of, what.to_owned(), why.to_owned())
        })
        .filter(|(of, ..)| *of == reference)
        .map(|(_, what, why)| (what, why))
        .collect()
}

/// What was compared, and how it differs, if it does.
type Compared = BTreeMap<String, Option<String>>;

/// Fails if what differs is not what is listed.
fn check(reference: &str, compared: &Compared) {
    let expected = expected_differences(reference);
    let unlisted: Vec<_> = compared
        .iter()
        .filter(|(what, difference)| difference.is_some() && !expected.contains_key(*what))
        .collect();
    assert!(unlisted.is_empty(), "not as {reference}: {unlisted:#?}");
    let alike: Vec<_> = expected
        .iter()
        .filter(|(what, _)| matches!(compared.get(*what), Some(None)))
        .collect();
    assert!(
        alike.is_empty(),
        "listed as unlike {reference}, and alike: {alike:#?}"
    );
}

/// How two readings differ, if they do.
fn difference(ours: &Rows, theirs: &Rows) -> Option<String> {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            let at = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
            match at {
                Some(at) => Some(format!("row {at}: {} and {}", ours[at], theirs[at])),
                None if ours.len() != theirs.len() => {
                    Some(format!("{} and {} rows", ours.len(), theirs.len()))
                }
                None => None,
            }
        }
        // Both refuse it.
        (Err(_), Err(_)) => None,
        (Ok(_), Err(theirs)) => Some(format!("they fail: {theirs}")),
        (Err(ours), Ok(_)) => Some(format!("we fail: {ours}")),
    }
}

fn name(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder)
        .expect("the file is below the folder")
        .display()
        .to_string()
}

#[test]
fn files_are_read_as_fastavro_reads_them() {
    let folder = folder();
    let mut compared = Compared::new();
    for path in files(&folder) {
        let name = name(&path, &folder);
        let codec = header(&path).map_or_else(|_| "null".to_owned(), |header| header.codec().to_owned());
        if name == "apache-avro/quickstop-null.avro" || !is_known(&codec) {
            continue;
        }
        let stem = path.file_stem().expect("a file has a name").to_string_lossy();
        let group = name.split('/').next().expect("a name has parts");
        let expected_at = folder.join(format!("expected/{group}-{stem}.jsonl"));
        assert!(expected_at.exists(), "no rows are expected of {name}");
        compared.insert(name, difference(&read(&path), &read_expected(&expected_at)));
    }
    assert!(compared.len() >= 65, "{} files are compared", compared.len());
    check("fastavro", &compared);
}

#[test]
fn files_are_read_as_apache_avro_reads_them() {
    let folder = folder();
    check("apache-avro", &compared_with_apache_avro(&folder));
}

/// All files below a folder against apache-avro. It is not built with xz and zstandard, which it
/// has C libraries for.
fn compared_with_apache_avro(folder: &Path) -> Compared {
    let mut compared = Compared::new();
    for path in files(folder) {
        let codec = header(&path).map_or_else(|_| "null".to_owned(), |header| header.codec().to_owned());
        if !is_known(&codec) || matches!(&*codec, "xz" | "zstandard") {
            continue;
        }
        let difference = difference(&read(&path), &read_with_apache_avro(&path));
        compared.insert(name(&path, folder), difference);
    }
    compared
}

#[test]
fn files_elsewhere_are_read_as_apache_avro_reads_them() {
    let Some(folder) = std::env::var_os("SABOT_AVRO_FILES") else {
        return;
    };
    let folder = PathBuf::from(folder);
    assert!(
        !files(&folder).is_empty(),
        "no .avro file is below {}",
        folder.display()
    );
    let expected = expected_differences("apache-avro");
    let names: Vec<_> = expected.keys().map(|name| file_name(name)).collect();
    let mut found = compared_with_apache_avro(&folder);
    found.retain(|name, difference| difference.is_some() && !names.contains(&file_name(name)));
    assert!(found.is_empty(), "{found:#?}");
}

/// The last part of a path, without the spaces that our copies lack.
fn file_name(path: &str) -> String {
    let name = path.rsplit('/').next().expect("a path has a last part");
    name.replace(' ', "-")
}

#[test]
fn a_file_as_its_json() {
    let lines = fs::read_to_string(folder().join("avro-java/weather.json")).expect("the file is there");
    let rows = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("rows are JSON"));
    assert_eq!(
        read(&folder().join("fastavro/weather.avro")),
        Ok(rows.collect::<Vec<Json>>())
    );
}

/// Files with each codec, a byte of which is changed: the rows of other blocks come out, and
/// nothing panics.
#[test]
fn damaged_files() {
    for codec in ["null", "deflate", "snappy", "bzip2", "xz", "zstandard"] {
        if !is_known(codec) {
            continue;
        }
        let path = folder().join(format!("made/java-types-{codec}.avro"));
        let good = fs::read(&path).expect("the file is there");
        let marker = header(&path).expect("the header is good").sync_marker();
        let ends: Vec<_> = (0..good.len() - 15)
            .filter(|at| good[*at..*at + 16] == marker)
            .collect();
        assert_eq!(ends.len(), 5, "a header and four blocks: {codec}");
        for at in (ends[1] + 16..ends[2]).step_by(53) {
            let mut bytes = good.clone();
            bytes[at] ^= 0x55;
            let (mut rows, mut faults) = (0, 0);
            for item in ContainerReader::new(&bytes[..]).expect("the header is good") {
                match item {
                    Ok(batch) => rows += batch.num_rows(),
                    Err(error) => {
                        assert!(!error.is_fatal(), "{codec}: {error}");
                        faults += 1;
                    }
                }
            }
            assert!(
                (25..=35).contains(&rows),
                "{codec} with byte {at} changed: {rows} rows"
            );
            // A checksum tells of every change; deflate has none, and null neither.
            let is_checked = matches!(codec, "snappy" | "bzip2" | "xz");
            assert!(faults > 0 || !is_checked, "{codec} with byte {at} changed");
        }
        for end in (ends[0] + 16..good.len()).step_by(101) {
            let mut rows = 0;
            for item in ContainerReader::new(&good[..end]).expect("the header is good") {
                rows += item.map_or(0, |batch| batch.num_rows());
            }
            let whole = ends.iter().filter(|at| **at + 16 <= end).count() - 1;
            assert_eq!(rows, (whole * 10).min(35), "{codec} cut at {end}");
        }
    }
}
