//! Canonical forms, fingerprints and messages as Apache Avro for Java makes them;
//! `tests/testdata/avro` says how.

use apache_avro::rabin::Rabin;
use proptest::prelude::*;
use sabot_avro::{AvroFactory, SchemaStore, canonical_form, fingerprint};
use sabot_decode::{
    DecoderFactory, FetchError, MessagePath, NamedSchema, Payload, SchemaKey, SchemaSource, Stop, Target,
    WriterSchema,
};
use sabot_wire::Framing;

const GOLDEN: &str = include_str!("../../../tests/testdata/avro/made/java-single-object.txt");

/// Schema, canonical form, fingerprint, message.
fn goldens() -> impl Iterator<Item = (WriterSchema, &'static str, u64, Vec<u8>)> {
    GOLDEN.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        let &[schema, form, fingerprint, message] = &columns[..] else {
            panic!("four columns are expected: {line}");
        };
        let bytes = (0..message.len()).step_by(2);
        let message = bytes.map(|at| u8::from_str_radix(&message[at..at + 2], 16).expect("hexadecimal"));
        (
            WriterSchema::avro(schema),
            form,
            u64::from_str_radix(fingerprint, 16).expect("hexadecimal"),
            message.collect(),
        )
    })
}

#[test]
fn canonical_forms_are_those_of_java() {
    assert!(goldens().count() >= 25);
    for (schema, form, expected, _) in goldens() {
        assert_eq!(canonical_form(&schema).unwrap(), form);
        assert_eq!(fingerprint(&schema).unwrap(), expected, "{form}");
        // A canonical form is its own, but where a name without a namespace is within one: the form
        // cannot say so.
        if !schema.text.contains(r#""namespace":"""#) {
            let again = WriterSchema::avro(form);
            assert_eq!(canonical_form(&again).unwrap(), form);
        }
    }
}

#[test]
fn canonical_forms_are_those_of_apache_avro() {
    let mut compared = 0;
    for (schema, form, expected, _) in goldens() {
        // It writes `{"type":"long"}` where a primitive has a logical type, and keeps a field's
        // order, which is neither the specification's form nor Java's.
        if schema.text.contains("logicalType") || schema.text.contains("order") {
            continue;
        }
        // It refuses letters beyond ASCII, and knows no errors.
        let Ok(parsed) = apache_avro::Schema::parse_str(&schema.text) else {
            continue;
        };
        assert_eq!(parsed.canonical_form(), form);
        let bytes = parsed.fingerprint::<Rabin>().bytes;
        assert_eq!(u64::from_le_bytes(bytes.try_into().unwrap()), expected);
        compared += 1;
    }
    assert!(compared >= 20, "{compared} are compared");
}

/// Whatever is in a namespace, two schemas have two forms.
#[test]
fn canonical_forms_quote_names() {
    let fixed = |name: &str, namespace: &str, size: u8| serde_json::json!({"type": "fixed", "name": name, "namespace": namespace, "size": size});
    let two = serde_json::json!([fixed("A", "x", 1), fixed("B", "y", 2)]);
    let one = serde_json::json!([fixed("B", r#"x.A","type":"fixed","size":1},{"name":"y"#, 2)]);
    let form = |schema: &serde_json::Value| canonical_form(&WriterSchema::avro(schema.to_string())).unwrap();
    assert_ne!(form(&one), form(&two));
    for schema in [one, two] {
        let form = form(&schema);
        assert_eq!(canonical_form(&WriterSchema::avro(&*form)).unwrap(), form);
    }
}

/// All messages through one decoder for each shape, with the schemas from a store.
#[test]
fn messages_of_java_are_decoded() {
    let mut schemas = SchemaStore::new();
    for (schema, _, fingerprint, _) in goldens() {
        assert_eq!(schemas.insert(schema).unwrap(), fingerprint);
    }
    assert!(!schemas.is_empty() && schemas.len() < goldens().count());
    for (schema, form, fingerprint, message) in goldens() {
        let frame = Framing::AvroSingleObject.split(None, &message).unwrap();
        assert_eq!(frame.key, SchemaKey::Fingerprint(fingerprint));
        let mut prefix = Vec::new();
        Framing::AvroSingleObject
            .write_prefix(frame.key, MessagePath::FIRST, &mut prefix)
            .unwrap();
        assert_eq!([&prefix, frame.body].concat(), message);
        let mut decoder = AvroFactory.open(&Target::default()).unwrap();
        let rows = [Payload::with_key(frame.key, frame.body)];
        let progress = decoder.decode(&rows, &mut |error| panic!("{error:?}"));
        assert_eq!(progress.stop, Stop::NeedsSchema(frame.key));
        let fetched = schemas.fetch(frame.key).unwrap();
        assert_eq!(
            canonical_form(&fetched).unwrap(),
            canonical_form(&schema).unwrap()
        );
        decoder.prepare(frame.key, &fetched).unwrap();
        let progress = decoder.decode(&rows, &mut |error| panic!("{form}: {error:?}"));
        assert_eq!((progress.taken, progress.stop), (1, Stop::Done));
    }
}

#[test]
fn what_a_store_does_not_have() {
    let mut schemas = SchemaStore::new();
    schemas.insert(WriterSchema::avro("\"int\"")).unwrap();
    assert!(schemas.insert(WriterSchema::avro("\"what\"")).is_err());
    assert_eq!(schemas.len(), 1);
    for key in [SchemaKey::Fingerprint(1), SchemaKey::Id(1), SchemaKey::Absent] {
        let error = schemas.fetch(key).unwrap_err();
        assert!(
            matches!(error, FetchError::Unknown { key: found, .. } if found == key),
            "{error}"
        );
    }
    let text = schemas
        .fetch(SchemaKey::Fingerprint(0xabc))
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        "schema fingerprint 0000000000000abc is unknown: no schema of this fingerprint is given"
    );
}

/// Referenced types are written in full where they are used first.
#[test]
fn references_are_part_of_the_form() {
    let mut schema = WriterSchema::avro(r#"["null", {"type": "array", "items": "h.Hash"}, "h.Hash"]"#);
    schema.references = [NamedSchema {
        name: "h.Hash".into(),
        text: r#"{"type": "fixed", "name": "h.Hash", "size": 2}"#.into(),
    }]
    .into();
    assert_eq!(
        canonical_form(&schema).unwrap(),
        r#"["null",{"type":"array","items":{"name":"h.Hash","type":"fixed","size":2}},"h.Hash"]"#
    );
}

/// A chain of references may be of any length; its form is not written by recursion of any depth.
#[test]
fn chains_of_references_are_bounded() {
    let names: Vec<_> = (0..5000).map(|at| format!("R{at}")).collect();
    let text = |at: usize| match at {
        0 => r#"{"type": "record", "name": "R0", "fields": []}"#.to_owned(),
        at => {
            let below = at - 1;
            format!(
                r#"{{"type": "record", "name": "R{at}", "fields": [{{"name": "f", "type": "R{below}"}}]}}"#
            )
        }
    };
    let chain = |length: usize| {
        let mut schema = WriterSchema::avro(format!("\"{}\"", names[length - 1]));
        schema.references = (0..length)
            .map(|at| NamedSchema {
                name: names[at].as_str().into(),
                text: text(at).into(),
            })
            .collect();
        canonical_form(&schema)
    };
    assert!(chain(500).is_ok());
    let error = chain(5000).unwrap_err();
    assert_eq!(error.to_string(), "the schema nests more than 512 levels deep");
}

proptest! {
    /// Attributes that reading does not need change nothing.
    #[test]
    fn documentation_changes_nothing(doc in ".{0,20}", default in any::<i32>(), size in 0..1000u32) {
        let doc = serde_json::Value::from(doc);
        let bare = format!(
            r#"{{"type": "record", "name": "R", "fields": [{{"name": "a", "type": "int"}},
                {{"name": "b", "type": {{"type": "fixed", "name": "F", "size": {size}}}}}]}}"#
        );
        let full = format!(
            r#"{{"doc": {doc}, "fields": [{{"default": {default}, "doc": {doc}, "type": {{"type": "int"}}, "name": "a"}},
                {{"type": {{"size": {size}, "name": "F", "type": "fixed", "x": {doc}}}, "name": "b"}}],
                "aliases": ["S"], "name": "R", "type": "record"}}"#
        );
        let (bare, full) = (WriterSchema::avro(bare), WriterSchema::avro(full));
        prop_assert_eq!(fingerprint(&bare).unwrap(), fingerprint(&full).unwrap());
    }
}
