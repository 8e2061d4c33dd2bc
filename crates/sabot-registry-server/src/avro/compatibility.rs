//! Whether one schema reads what another one wrote, by the rules of Avro's Java library.
//!
//! Logical types do not matter, names are compared without their namespaces, and every fault is
//! reported, worded as Confluent's registry words it. (The checker of the `apache-avro` crate
//! differs in all three, and takes a name for incompatible with its own definition.)

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Avro, Body, Definition, Field, Type};

/// Comparisons of two types. Unions of records that hold unions make many; ordinary schemas need
/// some thousands.
const STEP_LIMIT: u32 = 200_000;

/// Nesting of types, through names too, which the depth of the JSON does not bound.
const DEPTH_LIMIT: u32 = 256;

/// Everything that keeps `reader` from reading data of `writer`; nothing if it can.
///
/// `reader_is_new` chooses the words: which of the two is the new schema, which the old.
///
/// # Errors
///
/// A message where the schemas are nested too deeply, or too many of their types have to be tried,
/// to tell.
pub(crate) fn can_read(reader: &Avro, writer: &Avro, reader_is_new: bool) -> Result<Vec<String>, String> {
    let mut checker = Checker {
        reader,
        writer,
        seen: HashSet::new(),
        seen_in_order: Vec::new(),
        found: Vec::new(),
        trial_from: None,
        depth: 0,
        steps: 0,
    };
    checker.types(&reader.root, &writer.root, "/");
    if checker.is_exhausted() {
        return Err("the schemas are too complex for a compatibility check".to_owned());
    }
    let (reader, writer) = if reader_is_new {
        ("new", "old")
    } else {
        ("old", "new")
    };
    Ok(checker
        .found
        .iter()
        .map(|one| one.describe(reader, writer))
        .collect())
}

#[derive(Debug)]
struct Incompatibility {
    kind: IncompatibilityKind,
    path: String,
    info: String,
}

#[derive(Debug, Clone, Copy)]
enum IncompatibilityKind {
    FixedSize,
    Type,
    Name,
    EnumSymbols,
    UnionBranch,
    NoDefault,
}

impl Incompatibility {
    fn describe(&self, reader: &str, writer: &str) -> String {
        let Self { kind, path, info } = self;
        let (name, description) = match kind {
            IncompatibilityKind::FixedSize => (
                "FIXED_SIZE_MISMATCH",
                format!(
                    "The size of FIXED type field at path '{path}' in the {reader} schema does not match with the {writer} schema"
                ),
            ),
            IncompatibilityKind::Type => (
                "TYPE_MISMATCH",
                format!(
                    "The type (path '{path}') of a field in the {reader} schema does not match with the {writer} schema"
                ),
            ),
            IncompatibilityKind::Name => (
                "NAME_MISMATCH",
                format!("The name of the schema has changed (path '{path}')"),
            ),
            IncompatibilityKind::EnumSymbols => (
                "MISSING_ENUM_SYMBOLS",
                format!(
                    "The {reader} schema is missing enum symbols '{info}' at path '{path}' in the {writer} schema"
                ),
            ),
            IncompatibilityKind::UnionBranch => (
                "MISSING_UNION_BRANCH",
                format!(
                    "The {reader} schema is missing a type inside a union field at path '{path}' in the {writer} schema"
                ),
            ),
            IncompatibilityKind::NoDefault => (
                "READER_FIELD_MISSING_DEFAULT_VALUE",
                format!(
                    "The field '{info}' at path '{path}' in the {reader} schema has no default value and is missing in the {writer} schema"
                ),
            ),
        };
        format!("{{errorType:'{name}', description:'{description}', additionalInfo:'{info}'}}")
    }
}

struct Checker<'a> {
    reader: &'a Avro,
    writer: &'a Avro,
    /// Pairs of definitions already compared or being compared, whose differences are reported once.
    seen: HashSet<(usize, usize)>,
    /// The same pairs as they came, so that a failed trial can be undone.
    seen_in_order: Vec<(usize, usize)>,
    found: Vec<Incompatibility>,
    /// While a union's branch is tried: how many were found before. One more settles it.
    trial_from: Option<usize>,
    depth: u32,
    steps: u32,
}

impl<'a> Checker<'a> {
    fn report(&mut self, kind: IncompatibilityKind, path: &str, info: impl Into<String>) {
        self.found.push(Incompatibility {
            kind,
            path: path.to_owned(),
            info: info.into(),
        });
    }

    const fn is_exhausted(&self) -> bool {
        self.steps > STEP_LIMIT
    }

    /// Whether nothing that is still to be compared can change the outcome.
    fn is_settled(&self) -> bool {
        self.is_exhausted() || self.trial_from.is_some_and(|from| self.found.len() > from)
    }

    fn types(&mut self, reader: &'a Type, writer: &'a Type, path: &str) {
        if self.depth == DEPTH_LIMIT {
            self.steps = STEP_LIMIT;
        }
        self.steps = self.steps.saturating_add(1);
        if self.is_settled() {
            return;
        }
        self.depth += 1;
        self.types_within(reader, writer, path);
        self.depth -= 1;
    }

    fn types_within(&mut self, reader: &'a Type, writer: &'a Type, path: &str) {
        match (reader, writer) {
            (Type::Union(readers), Type::Union(writers)) => {
                for (at, branch) in writers.iter().enumerate() {
                    self.union_takes(readers, branch, &join(path, &at.to_string()));
                }
            }
            (_, Type::Union(writers)) => {
                for (at, branch) in writers.iter().enumerate() {
                    self.types(reader, branch, &join(path, &at.to_string()));
                }
            }
            (Type::Union(readers), _) => self.union_takes(readers, writer, path),
            (Type::Array(reader, _), Type::Array(writer, _)) => {
                self.types(reader, writer, &join(path, "items"));
            }
            (Type::Map(reader, _), Type::Map(writer, _)) => {
                self.types(reader, writer, &join(path, "values"));
            }
            (Type::Primitive(reader, _), Type::Primitive(writer, _)) if promotes(writer, reader) => {}
            (Type::Named(reader), Type::Named(writer)) => self.definitions(*reader, *writer, path),
            _ => self.mismatch(reader, writer, path),
        }
    }

    fn mismatch(&mut self, reader: &Type, writer: &Type, path: &str) {
        let info = format!(
            "reader type: {} not compatible with writer type: {}",
            type_name(self.reader, reader),
            type_name(self.writer, writer)
        );
        self.report(IncompatibilityKind::Type, path, info);
    }

    /// One branch of the reader's union has to take the whole written type.
    fn union_takes(&mut self, branches: &'a [Type], writer: &'a Type, path: &str) {
        let (found, seen) = (self.found.len(), self.seen_in_order.len());
        let outer = self.trial_from.replace(found);
        let mut taken = false;
        for branch in branches {
            self.types(branch, writer, path);
            taken = self.found.len() == found;
            if taken {
                break;
            }
            // What a failed trial found, and what it took for granted, counts for nothing.
            self.found.truncate(found);
            for pair in self.seen_in_order.drain(seen..) {
                self.seen.remove(&pair);
            }
        }
        self.trial_from = outer;
        if !taken {
            let info = format!(
                "reader union lacking writer type: {}",
                type_name(self.writer, writer)
            );
            self.report(IncompatibilityKind::UnionBranch, path, info);
        }
    }

    fn definitions(&mut self, reader: usize, writer: usize, path: &str) {
        if !self.seen.insert((reader, writer)) {
            return;
        }
        self.seen_in_order.push((reader, writer));
        let (read, written) = (&self.reader.definitions[reader], &self.writer.definitions[writer]);
        match (&read.body, &written.body) {
            (
                Body::Record {
                    fields: read_fields, ..
                },
                Body::Record {
                    fields: written_fields,
                    ..
                },
            ) => {
                self.names(read, written, path);
                self.fields(read_fields, written_fields, path);
            }
            (
                Body::Enum {
                    symbols: read_symbols,
                    default,
                },
                Body::Enum {
                    symbols: written_symbols,
                    ..
                },
            ) => {
                self.names(read, written, path);
                let known: HashSet<&String> = read_symbols.iter().collect();
                let missing: BTreeSet<&str> = written_symbols
                    .iter()
                    .filter(|symbol| !known.contains(symbol))
                    .map(String::as_str)
                    .collect();
                if !missing.is_empty() && default.is_none() {
                    let missing: Vec<&str> = missing.into_iter().collect();
                    let info = format!("[{}]", missing.join(", "));
                    self.report(IncompatibilityKind::EnumSymbols, &join(path, "symbols"), info);
                }
            }
            (Body::Fixed { size: read_size }, Body::Fixed { size: written_size }) => {
                self.names(read, written, path);
                if read_size != written_size {
                    let info = format!("expected: {written_size}, found: {read_size}");
                    self.report(IncompatibilityKind::FixedSize, &join(path, "size"), info);
                }
            }
            _ => self.mismatch(&Type::Named(reader), &Type::Named(writer), path),
        }
    }

    fn names(&mut self, reader: &Definition, writer: &Definition, path: &str) {
        if reader.name.name != writer.name.name && !reader.aliases.contains(&writer.name) {
            let info = format!("expected: {}", writer.name.full());
            self.report(IncompatibilityKind::Name, &join(path, "name"), info);
        }
    }

    fn fields(&mut self, reader: &'a [Field], writer: &'a [Field], path: &str) {
        let fields = join(path, "fields");
        let by_name: HashMap<&str, &Field> =
            writer.iter().map(|field| (field.name.as_str(), field)).collect();
        for (at, field) in reader.iter().enumerate() {
            if self.is_settled() {
                return;
            }
            let path = join(&fields, &at.to_string());
            let mut names = std::iter::once(&field.name).chain(&field.aliases);
            match names.find_map(|name| by_name.get(name.as_str())) {
                Some(written) => self.types(&field.r#type, &written.r#type, &join(&path, "type")),
                None if field.default.is_none() => {
                    self.report(IncompatibilityKind::NoDefault, &path, field.name.clone());
                }
                None => {}
            }
        }
    }
}

/// Whether data of one primitive type can be read as another.
fn promotes(writer: &str, reader: &str) -> bool {
    writer == reader
        || matches!(
            (writer, reader),
            ("int", "long" | "float" | "double")
                | ("long", "float" | "double")
                | ("float", "double")
                | ("string", "bytes")
                | ("bytes", "string")
        )
}

fn type_name(avro: &Avro, r#type: &Type) -> String {
    match r#type {
        Type::Primitive(name, _) => name.to_uppercase(),
        Type::Array(..) => "ARRAY".to_owned(),
        Type::Map(..) => "MAP".to_owned(),
        Type::Union(_) => "UNION".to_owned(),
        Type::Named(index) => match avro.definitions[*index].body {
            Body::Enum { .. } => "ENUM".to_owned(),
            Body::Fixed { .. } => "FIXED".to_owned(),
            Body::Open | Body::Record { .. } => "RECORD".to_owned(),
        },
    }
}

fn join(path: &str, segment: &str) -> String {
    if path.ends_with('/') {
        format!("{path}{segment}")
    } else {
        format!("{path}/{segment}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn avro(text: &str) -> Avro {
        Avro::parse(text, []).unwrap()
    }

    fn record(name: &str, fields: &str) -> String {
        format!(r#"{{"type":"record","name":"{name}","fields":[{fields}]}}"#)
    }

    /// The kinds and paths are those of Avro 1.12's `SchemaCompatibility`, which a run over 20,000
    /// random pairs was held against; where it reports one fault of a type that is used twice
    /// twice, this one reports it once.
    #[test]
    fn faults_are_those_of_java() {
        let r = |fields: &str| record("R", fields);
        let a_int = r#"{"name":"a","type":"int"}"#;
        let e = |symbols: &str, more: &str| {
            format!(r#"{{"type":"enum","name":"E","symbols":[{symbols}]{more}}}"#)
        };
        let cases: &[(String, String, &[&str])] = &[
            (r#""long""#.into(), r#""int""#.into(), &[]),
            (r#""int""#.into(), r#""long""#.into(), &["TYPE_MISMATCH /"]),
            (r#""string""#.into(), r#""bytes""#.into(), &[]),
            (r#"["null","int"]"#.into(), r#""int""#.into(), &[]),
            (r#""int""#.into(), r#"["int"]"#.into(), &[]),
            (
                r#""int""#.into(),
                r#"["null","int"]"#.into(),
                &["TYPE_MISMATCH /0"],
            ),
            (
                r#"["int"]"#.into(),
                r#"["int","string"]"#.into(),
                &["MISSING_UNION_BRANCH /1"],
            ),
            (
                r#"{"type":"array","items":"int"}"#.into(),
                r#"{"type":"array","items":"null"}"#.into(),
                &["TYPE_MISMATCH /items"],
            ),
            (
                r#"{"type":"map","values":"int"}"#.into(),
                r#"{"type":"map","values":"null"}"#.into(),
                &["TYPE_MISMATCH /values"],
            ),
            (r(""), r(a_int), &[]),
            (r(a_int), r(""), &["READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"]),
            (r(r#"{"name":"a","type":"int","default":1}"#), r(""), &[]),
            (r(r#"{"name":"b","type":"long","aliases":["a"]}"#), r(a_int), &[]),
            (
                r(r#"{"name":"a","type":"string"},{"name":"b","type":"int"}"#),
                r(a_int),
                &[
                    "TYPE_MISMATCH /fields/0/type",
                    "READER_FIELD_MISSING_DEFAULT_VALUE /fields/1",
                ],
            ),
            (record("S", ""), r(""), &["NAME_MISMATCH /name"]),
            (record("other.R", ""), record("some.R", ""), &[]),
            (
                r#"{"type":"record","name":"S","aliases":["R"],"fields":[]}"#.into(),
                r(""),
                &[],
            ),
            (
                e(r#""A""#, ""),
                e(r#""A","C","B""#, ""),
                &["MISSING_ENUM_SYMBOLS /symbols"],
            ),
            (e(r#""A""#, r#","default":"A""#), e(r#""A","B""#, ""), &[]),
            (
                r#"{"type":"fixed","name":"F","size":1}"#.into(),
                r#"{"type":"fixed","name":"F","size":2}"#.into(),
                &["FIXED_SIZE_MISMATCH /size"],
            ),
            (
                r#"{"type":"int","logicalType":"date"}"#.into(),
                r#"{"type":"int","logicalType":"time-millis"}"#.into(),
                &[],
            ),
            // A name stands for its definition, wherever that is; and a type may hold itself.
            (
                r(
                    r#"{"name":"a","type":{"type":"fixed","name":"F","size":1}},{"name":"b","type":"F"},{"name":"r","type":["null","R"]}"#,
                ),
                r(
                    r#"{"name":"b","type":{"type":"fixed","name":"F","size":1}},{"name":"a","type":"F"},{"name":"r","type":["null","R"]}"#,
                ),
                &[],
            ),
        ];
        for (reader, writer, expected) in cases {
            let found = can_read(&avro(reader), &avro(writer), true).unwrap();
            assert_eq!(found.len(), expected.len(), "{reader} {writer} {found:?}");
            for (found, expected) in found.iter().zip(*expected) {
                let (kind, path) = expected.split_once(' ').unwrap();
                assert!(found.starts_with(&format!("{{errorType:'{kind}'")), "{found}");
                assert!(found.contains(&format!("'{path}'")), "{found} {path}");
            }
        }
    }

    #[test]
    fn the_words_say_which_schema_is_new() {
        let (with, without) = (
            avro(&record("R", r#"{"name":"a","type":"int"}"#)),
            avro(&record("R", "")),
        );
        let backward = can_read(&with, &without, true).unwrap();
        assert!(
            backward[0].contains("in the new schema has no default value and is missing in the old schema")
        );
        let forward = can_read(&with, &without, false).unwrap();
        assert!(
            forward[0].contains("in the old schema has no default value and is missing in the new schema")
        );
    }

    /// Each record has a union of the next two, and the last ones differ: trying every branch would
    /// take 2^24 steps.
    #[test]
    fn unions_of_unions_end() {
        let chain = |last: &str| {
            let link = |space: &str, at: u32| {
                let next = at + 1;
                record(
                    &format!("{space}.R{at}"),
                    &format!(r#"{{"name":"f","type":["x.R{next}","y.R{next}"]}}"#),
                )
            };
            let end = |space: &str| {
                record(
                    &format!("{space}.R24"),
                    &format!(r#"{{"name":"f","type":"{last}"}}"#),
                )
            };
            let mut types: Vec<String> = (0..24).flat_map(|at| [link("x", at), link("y", at)]).collect();
            types.extend([end("x"), end("y")]);
            avro(&format!("[{}]", types.join(",")))
        };
        let found = can_read(&chain("int"), &chain("string"), true);
        assert!(found.unwrap_err().contains("too complex"));
        assert_eq!(can_read(&chain("int"), &chain("int"), true), Ok(Vec::new()));
    }
}
