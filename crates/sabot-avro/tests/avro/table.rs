//! The table of resolution: every type read as every other one, and the rules one by one.
//!
//! `tests/testdata/avro/resolution` has what Apache Avro for Java makes of each pair, corrected
//! where the specification (or DESIGN.md) says otherwise. Sabot has to do just that, on its own and
//! within every other type; so has the model of the fuzz targets; and so has apache-avro, but for
//! the rows in which the model knows it to deviate.

use std::fs;
use std::path::Path;

use sabot_decode::Target;
use serde_json::Value as Json;

use crate::common::{feed, in_blocks, open, reader};
use crate::fuzz_check::columns::is_row;
use crate::fuzz_check::encode::decode;
use crate::fuzz_check::model::{Model, is_resolvable};
use crate::fuzz_check::theirs;
use crate::fuzz_check::types::{Base, Field, Name, Ty};
use crate::fuzz_check::values::Val;
use sabot_decode::Payload;
use sabot_testkit::avro::long;

fn table(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/testdata/avro/resolution");
    let text = fs::read_to_string(path.join(name)).expect("the file is there");
    serde_json::from_str(&text).expect("the file is JSON")
}

/// A type or a value within something else.
#[derive(Debug, Clone, Copy)]
enum Within {
    Nothing,
    Record,
    Array,
    Map,
    Nullable,
}

impl Within {
    const ALL: [Self; 5] = [
        Self::Nothing,
        Self::Record,
        Self::Array,
        Self::Map,
        Self::Nullable,
    ];

    /// `None` where it cannot be there.
    fn ty(self, ty: &Ty) -> Option<Ty> {
        let inner = Box::new(ty.clone());
        Some(match self {
            Self::Nothing => ty.clone(),
            Self::Record => {
                let name = Name {
                    full: "Outer".into(),
                    aliases: Vec::new(),
                };
                let field = Field {
                    name: "f".into(),
                    aliases: Vec::new(),
                    ty: ty.clone(),
                    default: None,
                };
                Base::Record(name, vec![field]).into()
            }
            Self::Array => Base::Array(inner).into(),
            Self::Map => Base::Map(inner).into(),
            Self::Nullable if ty.is_null() || ty.branches().is_some() => return None,
            Self::Nullable => Base::Union(vec![Base::Null.into(), ty.clone()]).into(),
        })
    }

    fn body(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Nothing | Self::Record => body.into(),
            Self::Array => [&long(2), body, body, &long(0)].concat(),
            Self::Map => [
                &long(-1),
                &long(body.len() as i64 + 2),
                b"\x02k".as_slice(),
                body,
                b"\0",
            ]
            .concat(),
            Self::Nullable => [&long(1), body].concat(),
        }
    }

    fn val(self, val: Val) -> Val {
        match self {
            Self::Nothing => val,
            Self::Record => Val::Record(vec![val]),
            Self::Array => Val::Array(vec![val.clone(), val]),
            Self::Map => Val::Map(vec![("k".into(), val)]),
            Self::Nullable => Val::Union(1, Box::new(val)),
        }
    }
}

/// Holds one writer and reader against what the table says of them.
fn check(writer: &Ty, reader_ty: &Ty, expected: &Json) {
    for within in Within::ALL {
        let (Some(writer), Some(onto)) = (within.ty(writer), within.ty(reader_ty)) else {
            continue;
        };
        let case = format!("{within:?}: {} as {}", writer.json(), onto.json());
        let target = reader(&onto.json());
        let Some(rows) = expected.as_array() else {
            assert_eq!(expected["refused"], true, "{case}");
            assert!(!is_resolvable(&writer, &onto), "the model reads {case}");
            assert!(open(&target, &writer.json()).is_err(), "compiled: {case}");
            continue;
        };
        assert!(is_resolvable(&writer, &onto), "the model refuses {case}");
        check_rows(&target, (&writer, &onto), (within, reader_ty), rows);
    }
}

fn check_rows(target: &Target, (writer, onto): (&Ty, &Ty), (within, inner): (Within, &Ty), rows: &[Json]) {
    let case = format!("{} as {}", writer.json(), onto.json());
    let mut decoder = open(target, &writer.json()).unwrap_or_else(|error| panic!("{error}: {case}"));
    let bodies: Vec<_> = rows.iter().map(|row| within.body(&hex(&row["body"]))).collect();
    let payloads: Vec<_> = bodies
        .iter()
        .map(|body| Payload::with_key(crate::common::KEY, body))
        .collect();
    let decoded = feed(&mut *decoder, &payloads);
    in_blocks(target, &writer.json(), &bodies);
    for (at, (row, body)) in rows.iter().zip(&bodies).enumerate() {
        let value = row
            .get("value")
            .map(|value| within.val(Val::from_json(inner, value)));
        let bad = decoded.bad.iter().find(|bad| bad.0 as usize == at);
        match &value {
            Some(value) => {
                assert!(bad.is_none(), "{bad:?} in row {at}: {case}");
                assert!(
                    is_row(onto, value, &decoded.batch, at),
                    "row {at}, {value:?}: {case}"
                );
            }
            None => assert!(bad.is_some(), "row {at} was read: {case}"),
        }
        let written = decode(writer, body).expect("the table's bodies are well-formed");
        let mut model = Model::default();
        assert_eq!(
            model.resolve(writer, onto, &written),
            value,
            "the model, row {at}: {case}"
        );
        check_theirs((writer, onto), body, value.as_ref(), &model, &case);
    }
}

fn check_theirs((writer, onto): (&Ty, &Ty), body: &[u8], value: Option<&Val>, model: &Model, case: &str) {
    let parse = |ty: &Ty| apache_avro::Schema::parse_str(&ty.json());
    let (Ok(written), Ok(read)) = (parse(writer), parse(onto)) else {
        return;
    };
    let found = theirs::read(&written, Some(&read), body);
    let is_agreed = match (value, &found) {
        (Some(value), Ok(found)) => theirs::is_same(onto, value, found),
        (None, Err(_)) => true,
        _ => false,
    };
    assert!(
        is_agreed || !model.deviations.is_empty(),
        "apache-avro reads {found:?}, not {value:?}: {case}"
    );
}

fn hex(json: &Json) -> Vec<u8> {
    let text = json.as_str().expect("bodies are text");
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|pair| {
        let pair = std::str::from_utf8(pair).expect("digits are ASCII");
        u8::from_str_radix(pair, 16).expect("digits are hexadecimal")
    });
    bytes.collect()
}

#[test]
fn every_type_as_every_type() {
    let table = table("pairs.json");
    let types: Vec<(String, Ty)> = table["types"]
        .as_object()
        .expect("types by name")
        .iter()
        .map(|(name, json)| (name.clone(), Ty::parse(json)))
        .collect();
    // The fourteen types, unions three times, fixed in two sizes, and every logical type, decimals
    // in four sizes.
    assert_eq!(types.len(), 34);
    let pairs = table["pairs"].as_object().expect("pairs by writer");
    assert_eq!(pairs.len(), types.len());
    let mut read = 0;
    for (writer, written) in &types {
        let readers = pairs[writer].as_object().expect("readers by name");
        assert_eq!(readers.len(), types.len(), "{writer}");
        for (reader, onto) in &types {
            check(written, onto, &readers[reader]);
            read += usize::from(readers[reader].is_array());
        }
    }
    assert!(read > 150, "only {read} pairs can be read");
}

#[test]
fn every_kind_of_type_is_in_the_table() {
    let table = table("pairs.json");
    let types: Vec<Ty> = table["types"]
        .as_object()
        .expect("types by name")
        .values()
        .map(Ty::parse)
        .collect();
    for keyword in [
        "null", "boolean", "int", "long", "float", "double", "bytes", "string", "fixed", "enum", "array",
        "map", "record", "union",
    ] {
        assert!(types.iter().any(|ty| ty.base.keyword() == keyword), "{keyword}");
    }
    let logical = types.iter().filter(|ty| ty.logical.is_some());
    assert_eq!(logical.count(), 17);
}

#[test]
fn the_rules_one_by_one() {
    let rules = table("rules.json");
    let rules = rules.as_array().expect("a list of rules");
    assert!(rules.len() > 30);
    for rule in rules {
        println!("{}: {}", rule["name"], rule["rule"]);
        check(
            &Ty::parse(&rule["writer"]),
            &Ty::parse(&rule["reader"]),
            &rule["reads"],
        );
    }
}
