//! Schemas of other projects: what they and Apache Avro for Java make of them.

use std::fs;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use sabot_avro::{AvroFactory, canonical_form, fingerprint};
use sabot_decode::{DecoderFactory, NamedSchema, Payload, SchemaKey, Target, WriterSchema};
use sabot_wire::Framing;
use serde_json::Value as Json;

use crate::{Compared, check, folder};

fn text(path: &str) -> String {
    fs::read_to_string(folder().join(path)).expect("the file is there")
}

fn lines(path: &str) -> Vec<Json> {
    let text = text(path);
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"));
    lines.collect()
}

fn string(json: &Json) -> &str {
    json.as_str().expect("a text is there")
}

/// The schema of a line, with what it refers to.
fn schema(line: &Json) -> WriterSchema {
    let mut schema = WriterSchema::avro(string(&line["schema"]));
    let references = line["references"].as_array().into_iter().flatten();
    schema.references = references
        .map(|reference| NamedSchema {
            name: Arc::from("a name"),
            text: string(reference).into(),
        })
        .collect();
    schema
}

/// How a judgement differs from "valid" or "not valid", if it does.
fn differs(schema: &WriterSchema, is_valid: bool) -> Option<String> {
    match canonical_form(schema) {
        Ok(_) if !is_valid => Some("we take it".to_owned()),
        Err(error) if is_valid => Some(error.to_string()),
        _ => None,
    }
}

/// Holds each line against what it says itself; `least` are how many are refused and taken at
/// least.
fn judge(reference: &str, path: &str, least: [usize; 2]) {
    let (mut compared, mut counts) = (Compared::new(), [0, 0]);
    for line in lines(path) {
        let is_valid = line["valid"].as_bool().expect("it is said");
        counts[usize::from(is_valid)] += 1;
        let name = line.get("name").unwrap_or(&line["schema"]);
        compared.insert(string(name).to_owned(), differs(&schema(&line), is_valid));
    }
    assert!(counts[0] >= least[0] && counts[1] >= least[1], "{counts:?}");
    check(reference, &compared);
}

#[test]
fn schemas_are_judged_as_python_judges_them() {
    judge("python", "made/python-schemas.jsonl", [20, 70]);
}

#[test]
fn schemas_are_judged_as_avro_c_judges_them() {
    judge("avro-c", "avro-c/schemas.jsonl", [12, 28]);
}

#[test]
fn canonical_forms_of_other_projects_are_those_of_java() {
    let text = text("made/java-schemas.txt");
    let mut judged = text.lines().filter(|line| !line.starts_with('#'));
    let mut compared = Compared::new();
    for folder in ["avro-c", "avro-java", "fastavro"] {
        for line in lines(&format!("{folder}/schemas.jsonl")) {
            let name = format!("{folder}/{}", string(&line["name"]));
            let columns: Vec<_> = judged.next().expect("all are judged").split('\t').collect();
            assert_eq!(columns[0], name, "the lines are in one order");
            let schema = schema(&line);
            let difference = match columns[1..] {
                ["!"] => differs(&schema, false),
                [form, expected] => {
                    let ours = (canonical_form(&schema), fingerprint(&schema));
                    let expected = u64::from_str_radix(expected, 16).expect("hexadecimal");
                    let is_same = matches!(&ours, (Ok(ours), Ok(hash)) if ours == form && *hash == expected);
                    (!is_same).then(|| format!("{ours:?}"))
                }
                _ => panic!("a form and a fingerprint are expected: {name}"),
            };
            compared.insert(name, difference);
        }
    }
    assert!(judged.next().is_none());
    assert!(compared.len() >= 66, "{} are compared", compared.len());
    check("java", &compared);
}

/// The file of Apache Avro that all its implementations test with.
#[test]
fn schema_tests() {
    let text = text("avro-java/schema-tests.txt");
    let mut compared = Compared::new();
    for case in text
        .split("\n// ")
        .skip(1)
        .filter(|case| case.contains("\n<<INPUT"))
    {
        let (number, case) = case.split_once('\n').expect("a number is a line");
        let part = |name: &str| {
            let (_, behind) = case.split_once(name)?;
            let of_lines = behind.split_once("\nINPUT").filter(|_| behind.starts_with('\n'));
            let line = behind.lines().next()?;
            Some(of_lines.map_or(line, |(lines, _)| lines).trim().to_owned())
        };
        let schema = WriterSchema::avro(part("\n<<INPUT").or_else(|| part("<<INPUT")).expect("an input"));
        let form = part("<<canonical").expect("a form");
        let hash = part("<<fingerprint").map(|hash| hash.parse::<i64>().expect("a number"));
        let difference = match (canonical_form(&schema), fingerprint(&schema)) {
            (Ok(ours), Ok(our_hash)) if ours == form && hash.is_none_or(|hash| hash == our_hash as i64) => {
                None
            }
            ours => Some(format!("{ours:?}, not {form} and {hash:?}")),
        };
        compared.insert(format!("{number}: {}", schema.text), difference);
    }
    assert!(compared.len() >= 34, "{} are compared", compared.len());
    check("schema-tests", &compared);
}

/// The message in single-object encoding that all implementations of Apache Avro test with.
#[test]
fn message_v1() {
    let message = fs::read(folder().join("avro-java/message-v1.bin")).expect("the file is there");
    let schema = WriterSchema::avro(text("avro-java/message-v1.avsc"));
    let frame = Framing::AvroSingleObject
        .split(None, &message)
        .expect("it is framed");
    assert_eq!(
        frame.key,
        SchemaKey::Fingerprint(fingerprint(&schema).expect("the schema is valid"))
    );
    let mut decoder = AvroFactory.open(&Target::default()).expect("the target is plain");
    decoder.prepare(frame.key, &schema).expect("the schema is valid");
    let rows = [Payload::with_key(frame.key, frame.body)];
    decoder.decode(&rows, &mut |error| panic!("{error:?}"));
    let batch = decoder.flush().expect("a flush").batch;
    assert_eq!(batch["id"].as_primitive::<Int64Type>().value(0), 42);
    assert_eq!(batch["name"].as_string::<i32>().value(0), "Bill");
    let tags = batch["tags"].as_list::<i32>().value(0);
    let tags: Vec<_> = tags.as_string::<i32>().iter().flatten().collect();
    assert_eq!(tags, ["dog_lover", "cat_hater"]);
}
