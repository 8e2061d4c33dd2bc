//! `sabot cat` as a user runs it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use apache_avro::types::Value;
use apache_avro::{Codec, Schema, Writer};

use crate::common::{run, sabot};

const SCHEMA: &str = r#"{"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"},
    {"name": "who", "type": {"type": "record", "name": "Who", "fields": [
        {"name": "name", "type": "string"}, {"name": "age", "type": ["null", "int", "string"]}]}}]}"#;

/// A file of orders with these ids.
fn orders(folder: &Path, name: &str, ids: std::ops::Range<i64>, codec: Codec) -> PathBuf {
    let schema = Schema::parse_str(SCHEMA).unwrap();
    let mut writer = Writer::with_codec(&schema, Vec::new(), codec).unwrap();
    for id in ids {
        let age = Value::Union(1, Box::new(Value::Int(40)));
        let who = vec![
            ("name".into(), Value::String(format!("n{id}"))),
            ("age".into(), age),
        ];
        let order = vec![("id".into(), Value::Long(id)), ("who".into(), Value::Record(who))];
        writer.append_value(Value::Record(order)).unwrap();
    }
    let path = folder.join(name);
    fs::write(&path, writer.into_inner().unwrap()).unwrap();
    path
}

fn line(id: i64) -> String {
    format!("{{\"id\":{id},\"who\":{{\"name\":\"n{id}\",\"age\":{{\"int\":40}}}}}}\n")
}

#[test]
fn types_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let file = orders(folder.path(), "a.avro", 0..1, Codec::Null);
    let cat = |line: &str| {
        let mut command = sabot("cat");
        command.arg(&file).args(line.split_whitespace());
        command
    };
    let (out, _) = run(
        cat("--select who.age --types unions=struct,strings=utf8-view --check-tail"),
        0,
    );
    assert_eq!(out, "{\"who\":{\"age\":{\"int\":40,\"string\":null}}}\n");
    let (_, said) = run(cat("--types unions=sparse"), 2);
    assert!(
        said.contains("unions takes dense, struct, not \"sparse\""),
        "{said}"
    );
    let (_, said) = run(cat("--check-tail"), 2);
    assert!(said.contains("--select"), "{said}");
}

#[test]
fn files_become_rows() {
    let folder = tempfile::tempdir().unwrap();
    let first = orders(folder.path(), "a.avro", 0..3, Codec::Null);
    let second = orders(folder.path(), "b.avro", 3..5, Codec::Snappy);
    let cat = |line: &str| {
        let mut command = sabot("cat");
        command.args([&first, &second]).args(line.split_whitespace());
        command
    };
    let (out, said) = run(cat(""), 0);
    assert_eq!(out, (0..5).map(line).collect::<String>());
    assert!(said.starts_with("sabot: 5 rows; "), "{said}");

    let (out, said) = run(cat("-q -c 4 --batch-rows 2 --select id"), 0);
    let expected: String = (0..4).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    assert_eq!((out, said), (expected, String::new()));

    let (out, _) = run(cat("-O csv --select who.name,\"id\" -c 1"), 0);
    assert!(
        out.starts_with("who,id\r\n"),
        "columns come in the order asked for: {out}"
    );
    let (_, said) = run(cat("--select who.nam"), 1);
    assert!(
        said.contains("field who.nam: ") && said.contains("did you mean name?"),
        "{said}"
    );
    let (_, said) = run(cat("--select id,,who"), 2);
    assert!(said.contains("expected a name"), "{said}");
    let (out, _) = run(cat("-O csv --select id,who.name -c 1"), 0);
    assert_eq!(out, "id,who\r\n0,\"{\"\"name\"\":\"\"n0\"\"}\"\r\n");
    let (out, _) = run(cat("-O json -c 1"), 0);
    assert_eq!(out.replace('\n', ""), format!("[{}]", line(0).trim_end()));
    let (out, _) = run(cat("-O table --select id"), 0);
    assert_eq!(
        out.lines()
            .filter(|line| line.trim().parse::<i64>().is_ok())
            .count(),
        5,
        "{out}"
    );

    for name in ["x.parquet", "x.arrow"] {
        let path = folder.path().join(name);
        let (out, _) = run(cat(&format!("--out {}", path.display())), 0);
        assert_eq!(out, "");
        let bytes = fs::read(&path).unwrap();
        let magic: &[u8] = if name == "x.parquet" { b"PAR1" } else { b"ARROW1" };
        assert!(bytes.starts_with(magic) && bytes.ends_with(magic), "{name}");
        let (_, said) = run(cat(&format!("--out {}", path.display())), 1);
        assert!(said.contains("exists: pass --overwrite"), "{said}");
    }
}

#[test]
fn stdin_and_reader_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let file = orders(folder.path(), "a.avro", 0..2, Codec::Deflate(Default::default()));
    let reader = folder.path().join("reader.avsc");
    let schema = r#"{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "double"},
        {"name": "new", "type": "string", "default": "none"}]}"#;
    fs::write(&reader, schema).unwrap();
    let mut command = sabot(&format!("cat - --reader-schema {}", reader.display()));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&fs::read(file).unwrap())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "{\"id\":0.0,\"new\":\"none\"}\n{\"id\":1.0,\"new\":\"none\"}\n"
    );
}

#[test]
fn schemas_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = orders(folder.path(), "a.avro", 0..0, Codec::Null);
    let (out, said) = run(sabot(&format!("cat --schema {}", file.display())), 0);
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema["fields"][1]["type"]["fields"][0]["name"], "name");
    assert_eq!(said, "");
}

/// What is broken stops the command, or is told of and left out.
#[test]
fn broken_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = orders(folder.path(), "a.avro", 0..3, Codec::Null);
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(2).rposition(|window| window == b"n1").unwrap();
    // Not UTF-8 any more.
    bytes[at] = 0xff;
    fs::write(&file, &bytes).unwrap();
    let cat = |line: &str| sabot(&format!("cat {} {line}", file.display()));
    let what = "row 1, field who.name, byte ";
    let (out, said) = run(cat(""), 1);
    assert_eq!(out, line(0));
    assert!(
        said.contains("a.avro: block 0 at byte ") && said.contains(what),
        "{said}"
    );
    assert!(said.contains("--on-error skip"), "{said}");
    let (out, said) = run(cat("--on-error skip"), 0);
    assert_eq!(out, line(0) + &line(2));
    assert!(
        said.contains(what) && said.contains("sabot: 2 rows, 1 lost by 1 fault; "),
        "{said}"
    );

    // Cut in its only block: what is there is told, and a file of no rows has columns.
    fs::write(&file, &bytes[..at]).unwrap();
    let csv = folder.path().join("x.csv");
    let (_, said) = run(
        cat(&format!("--on-error skip --select id --out {}", csv.display())),
        0,
    );
    assert!(said.contains("the file ends within the block"), "{said}");
    assert!(said.contains("sabot: 0 rows, 3 lost by 1 fault; "), "{said}");
    assert_eq!(fs::read_to_string(&csv).unwrap(), "id\r\n");

    fs::write(&file, "{}").unwrap();
    let (_, said) = run(cat("--on-error skip"), 1);
    assert!(
        said.contains("not an Avro object container file: it looks like JSON"),
        "{said}"
    );
    let (_, said) = run(sabot("cat nowhere.avro"), 1);
    assert!(said.contains("cannot open nowhere.avro"), "{said}");
}
