//! Frames that Confluent's own client made; `testdata/README.md` says how.

use sabot_wire::{Framing, Guid, KEY_SCHEMA_ID_HEADER, MessagePathBuf, SchemaKey, VALUE_SCHEMA_ID_HEADER};

const CONFLUENT_PYTHON: &str = include_str!("../testdata/confluent-python.txt");

struct Golden {
    name: &'static str,
    framing: Framing,
    header_name: Option<&'static str>,
    header: Option<Vec<u8>>,
    payload: Vec<u8>,
    key: SchemaKey,
    path: MessagePathBuf,
    body: Vec<u8>,
}

#[test]
fn confluent_python_frames_are_split() {
    for golden in goldens() {
        let frame = golden
            .framing
            .split(golden.header.as_deref(), &golden.payload)
            .expect(golden.name);
        assert_eq!(frame.key, golden.key, "{}", golden.name);
        assert_eq!(frame.path, golden.path.as_path(), "{}", golden.name);
        assert_eq!(frame.body, golden.body, "{}", golden.name);
        let prefix_bytes = golden.payload.len() - golden.body.len();
        assert_eq!(frame.prefix_bytes as usize, prefix_bytes, "{}", golden.name);
    }
}

#[test]
fn confluent_python_frames_are_written_alike() {
    for Golden {
        name,
        framing,
        header,
        payload,
        key,
        path,
        body,
        ..
    } in goldens()
    {
        let mut written = Vec::new();
        if let Some(header) = header {
            framing
                .write_header(key, path.as_path(), &mut written)
                .expect(name);
            assert_eq!(written, header, "{name}");
        } else {
            framing
                .write_prefix(key, path.as_path(), &mut written)
                .expect(name);
            written.extend(body);
            assert_eq!(written, payload, "{name}");
        }
    }
}

#[test]
fn headers_have_the_names_that_confluent_python_gives_them() {
    let names: Vec<_> = goldens()
        .into_iter()
        .filter_map(|golden| Some((golden.framing, golden.header_name?)))
        .collect();
    for &(framing, name) in &names {
        assert!(
            [framing.key_header(), framing.value_header()].contains(&Some(name)),
            "{name}"
        );
    }
    for name in [KEY_SCHEMA_ID_HEADER, VALUE_SCHEMA_ID_HEADER] {
        assert!(names.iter().any(|&(_, found)| found == name), "{name}");
    }
}

#[test]
fn the_file_has_every_way_of_framing() {
    for way in [
        "avro-v0",
        "avro-v1",
        "avro-header",
        "json-v0",
        "protobuf-v0",
        "protobuf-header",
        "protobuf-plain",
    ] {
        assert!(
            goldens().iter().any(|golden| golden.name.starts_with(way)),
            "{way}"
        );
    }
}

fn goldens() -> Vec<Golden> {
    CONFLUENT_PYTHON
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(golden)
        .collect()
}

fn golden(line: &'static str) -> Golden {
    let columns: Vec<&str> = line.split(' ').collect();
    let &[name, framing, header_name, header, payload, key, path, body] = columns.as_slice() else {
        panic!("eight columns are expected: {line}");
    };
    let indexes: Vec<u32> = path
        .split(',')
        .map(|index| index.parse().expect("an index is a number"))
        .collect();
    Golden {
        name,
        framing: match framing {
            "Confluent" => Framing::Confluent,
            "ConfluentProtobuf" => Framing::ConfluentProtobuf,
            "ConfluentProtobufPlainVarints" => Framing::ConfluentProtobufPlainVarints,
            _ => panic!("unknown framing: {line}"),
        },
        header_name: (header_name != "-").then_some(header_name),
        header: (header != "-").then(|| bytes(header)),
        payload: bytes(payload),
        key: key.parse().map_or_else(
            |_| SchemaKey::Guid(key.parse::<Guid>().expect("a key is an id or a GUID")),
            SchemaKey::Id,
        ),
        path: MessagePathBuf::new(&indexes).expect("indexes are in range"),
        body: if body == "-" { Vec::new() } else { bytes(body) },
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).expect("bytes are hexadecimal"))
        .collect()
}
