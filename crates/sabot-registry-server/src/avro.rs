//! Avro schemas as a registry sees them: read, printed in their stored form, and compared.
//!
//! The stored form is what Avro's Java library prints, member order and shortened names included,
//! because ids and GUIDs hang on its bytes. Names defined by references stay names there;
//! [`Avro::self_contained`] prints them in full, which is what the `apache-avro` crate then
//! validates.

use crate::json::Json;

mod compatibility;
mod print;
mod read;

pub(crate) use compatibility::can_read;

const PRIMITIVES: [&str; 8] = [
    "null", "boolean", "int", "long", "float", "double", "bytes", "string",
];

/// Members of a type that mean something; every other one is a property.
const RESERVED: [&str; 10] = [
    "doc",
    "fields",
    "items",
    "name",
    "namespace",
    "size",
    "symbols",
    "values",
    "type",
    "aliases",
];

const RESERVED_IN_FIELD: [&str; 6] = ["aliases", "default", "doc", "name", "order", "type"];

/// A schema and every name that it uses.
#[derive(Debug)]
pub(crate) struct Avro {
    root: Type,
    definitions: Vec<Definition>,
    /// Definitions below this index come from references.
    own_from: usize,
}

type Props = Vec<(String, Json)>;

#[derive(Debug, Clone)]
enum Type {
    Primitive(&'static str, Props),
    Array(Box<Type>, Props),
    Map(Box<Type>, Props),
    Union(Vec<Type>),
    /// An index into the definitions.
    Named(usize),
}

#[derive(Debug)]
struct Definition {
    name: FullName,
    body: Body,
    doc: Option<Json>,
    aliases: Vec<FullName>,
    props: Props,
}

#[derive(Debug)]
enum Body {
    /// Met, and not yet read to its end.
    Open,
    Record {
        kind: &'static str,
        fields: Vec<Field>,
    },
    Enum {
        symbols: Vec<String>,
        default: Option<Json>,
    },
    Fixed {
        size: Json,
    },
}

#[derive(Debug)]
struct Field {
    name: String,
    r#type: Type,
    doc: Option<Json>,
    default: Option<Json>,
    order: Option<Json>,
    aliases: Vec<String>,
    props: Props,
}

/// A name and the namespace that it is in; empty for none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FullName {
    namespace: String,
    name: String,
}

impl FullName {
    /// A name as written inside `namespace`: one with a dot brings its own.
    fn within(namespace: &str, written: &str) -> Self {
        match written.rsplit_once('.') {
            Some((own, name)) => Self {
                namespace: own.to_owned(),
                name: name.to_owned(),
            },
            None => Self {
                namespace: namespace.to_owned(),
                name: written.to_owned(),
            },
        }
    }

    fn full(&self) -> String {
        if self.namespace.is_empty() {
            self.name.clone()
        } else {
            format!("{}.{}", self.namespace, self.name)
        }
    }

    /// The shortest spelling that means this name inside `namespace`.
    fn seen_from(&self, namespace: &str) -> String {
        let short = self.namespace == namespace && !PRIMITIVES.contains(&self.name.as_str());
        if short { self.name.clone() } else { self.full() }
    }
}

impl Avro {
    /// Reads a schema. `references` are the texts that it may use names of, each after those it
    /// depends on itself.
    pub(crate) fn parse<'a>(
        text: &str,
        references: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, String> {
        let mut reader = read::Reader::default();
        for reference in references {
            reader.read(reference)?;
        }
        let own_from = reader.definitions.len();
        let root = reader.read(text)?;
        let avro = Self {
            root,
            definitions: reader.definitions,
            own_from,
        };
        apache_avro::Schema::parse_str(&avro.self_contained()?).map_err(|error| error.to_string())?;
        Ok(avro)
    }

    /// The stored form.
    pub(crate) fn canonical(&self) -> Result<String, String> {
        let known = (0..self.own_from).collect();
        print::canonical(self, known)
    }

    /// Brings two spellings of the same schema together: sorts properties and aliases, drops empty
    /// documentation.
    pub(crate) fn normalize(&mut self) {
        normalize_type(&mut self.root);
        for definition in &mut self.definitions[self.own_from..] {
            sort_props(&mut definition.props);
            drop_empty(&mut definition.doc);
            definition.aliases.sort_by_cached_key(FullName::full);
            definition.aliases.dedup();
            if let Body::Record { fields, .. } = &mut definition.body {
                for field in fields {
                    normalize_type(&mut field.r#type);
                    sort_props(&mut field.props);
                    field.aliases.sort();
                    field.aliases.dedup();
                }
            }
        }
    }

    /// The same for the `apache-avro` crate: every referenced definition is written where it is
    /// first used, names are in full and have a namespace, and an `error` is a `record`. It takes
    /// the text otherwise, and not these.
    fn self_contained(&self) -> Result<String, String> {
        print::self_contained(self)
    }
}

fn normalize_type(r#type: &mut Type) {
    match r#type {
        Type::Primitive(_, props) => sort_props(props),
        Type::Array(inner, props) | Type::Map(inner, props) => {
            sort_props(props);
            normalize_type(inner);
        }
        Type::Union(branches) => branches.iter_mut().for_each(normalize_type),
        Type::Named(_) => {}
    }
}

fn sort_props(props: &mut Props) {
    props.sort_by(|(a, _), (b, _)| a.cmp(b));
}

fn drop_empty(doc: &mut Option<Json>) {
    doc.take_if(|doc| doc.as_str() == Some(""));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, String> {
        Avro::parse(text, [])?.canonical()
    }

    /// The right sides are what Avro 1.12's `Schema.toString` printed for the left ones.
    #[test]
    fn the_stored_form_is_java_s() {
        for (text, expected) in [
            (r#" "string" "#, r#""string""#),
            ("string", r#""string""#),
            (r#"{"type":"string"}"#, r#""string""#),
            (
                r#"{"type":"string","logicalType":"uuid","x":1}"#,
                r#"{"type":"string","logicalType":"uuid","x":1}"#,
            ),
            (r#"{"type":"int","doc":"d"}"#, r#""int""#),
            (
                r#"{"name":"R","type":"record","namespace":"n.s","fields":[{"type":"int","name":"a"}]}"#,
                r#"{"type":"record","name":"R","namespace":"n.s","fields":[{"name":"a","type":"int"}]}"#,
            ),
            (
                r#"{"type":"record","name":"n.s.R","doc":"d","aliases":["Old","m.Older"],"fields":[{"name":"a","doc":"x","order":"ascending","default":1,"type":"int","aliases":["b","c"],"z":1,"y":[2]},{"name":"q","order":"descending","type":"long"}],"p":{"k":1,"j":2}}"#,
                r#"{"type":"record","name":"R","namespace":"n.s","doc":"d","fields":[{"name":"a","type":"int","doc":"x","default":1,"aliases":["b","c"],"z":1,"y":[2]},{"name":"q","type":"long","order":"descending"}],"p":{"k":1,"j":2},"aliases":["Old","m.Older"]}"#,
            ),
            (
                r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"],"default":"A","doc":"dd"}},{"name":"f","type":["null","n.E"],"default":null}]}"#,
                r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":{"type":"enum","name":"E","doc":"dd","symbols":["A","B"],"default":"A"}},{"name":"f","type":["null","E"],"default":null}]}"#,
            ),
            (
                r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":{"type":"fixed","namespace":"m","name":"F","size":16,"logicalType":"decimal","precision":10,"scale":2}},{"name":"g","type":"m.F"},{"name":"self","type":["null","R"]}]}"#,
                r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":{"type":"fixed","name":"F","namespace":"m","size":16,"logicalType":"decimal","precision":10,"scale":2}},{"name":"g","type":"m.F"},{"name":"self","type":["null","R"]}]}"#,
            ),
            (
                r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":{"type":"record","name":"S","namespace":"","fields":[]}},{"name":"g","type":"S"}]}"#,
                r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":{"type":"record","name":"S","namespace":"","fields":[]}},{"name":"g","type":"S"}]}"#,
            ),
            (
                r#"{"type":"record","name":"R","fields":[{"name":"e","type":{"type":"record","name":"a.S","fields":[{"name":"r","type":["null","R"]}]}},{"name":"g","type":"a.S"}]}"#,
                r#"{"type":"record","name":"R","fields":[{"name":"e","type":{"type":"record","name":"S","namespace":"a","fields":[{"name":"r","type":["null","R"]}]}},{"name":"g","type":"a.S"}]}"#,
            ),
            (
                r#"["null",{"type":"error","name":"X","fields":[]}]"#,
                r#"["null",{"type":"error","name":"X","fields":[]}]"#,
            ),
            (
                r#"{"type":"record","name":"string","namespace":"n","fields":[{"name":"s","type":["null","n.string"]}]}"#,
                r#"{"type":"record","name":"string","namespace":"n","fields":[{"name":"s","type":["null","n.string"]}]}"#,
            ),
            (
                r#"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"int","default":[]}}],"default":1,"order":2,"namespace":"q"}"#,
                r#"{"type":"record","name":"R","namespace":"q","fields":[{"name":"a","type":{"type":"array","items":"int","default":[]}}],"default":1,"order":2}"#,
            ),
            // A name may come before its definition, which is then printed in its place.
            (
                r#"[{"type":"array","items":"F"},{"type":"fixed","name":"F","size":1}]"#,
                r#"[{"type":"array","items":{"type":"fixed","name":"F","size":1}},"F"]"#,
            ),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
            assert_eq!(canonical(expected).as_deref(), Ok(expected), "{text}");
        }
    }

    /// Avro 1.12's parser refuses each of these too.
    #[test]
    fn malformed_schemas_are_refused() {
        for text in [
            "",
            "{",
            "1",
            "null and void",
            r#"{"type":{"type":"string"}}"#,
            r#"{"type":"array"}"#,
            r#"{"type":"record","name":"R"}"#,
            r#"{"type":"record","fields":[]}"#,
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}"#,
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"Nope"}]}"#,
            r#"{"type":"record","name":"R-1","fields":[]}"#,
            r#"["null",{"type":"enum","name":"E","symbols":["A"]},{"type":"fixed","name":"E","size":1}]"#,
            r#"{"type":"enum","name":"E","symbols":["A","A"]}"#,
            r#"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#,
            r#"{"type":"fixed","name":"F","size":-1}"#,
            r#"["int","int"]"#,
            r#"["int",["string"]]"#,
        ] {
            assert!(canonical(text).is_err(), "{text}");
        }
        let deep = format!(
            "{}\"int\"{}",
            r#"{"type":"array","items":"#.repeat(10_000),
            "}".repeat(10_000)
        );
        assert!(canonical(&deep).is_err());
    }

    #[test]
    fn normalisation_brings_spellings_together() {
        let normal = |text: &str| {
            let mut avro = Avro::parse(text, []).unwrap();
            avro.normalize();
            avro.canonical().unwrap()
        };
        let one = r#"{"type":"record","name":"R","doc":"","aliases":["B","A"],"z":1,"a":2,"fields":[{"name":"f","type":{"type":"string","y":1,"x":2},"aliases":["h","g","h"]}]}"#;
        let other = r#"{"type":"record","name":"R","aliases":["A","B"],"a":2,"z":1,"fields":[{"name":"f","type":{"type":"string","x":2,"y":1},"aliases":["g","h"]}]}"#;
        assert_eq!(normal(one), normal(other));
        assert_ne!(canonical(one), canonical(other));
    }

    #[test]
    fn references_stay_names() {
        let address =
            r#"{"type":"record","name":"geo.Address","fields":[{"name":"country","type":"geo.Country"}]}"#;
        let country = r#"{"type":"enum","name":"geo.Country","symbols":["CH"]}"#;
        let user = r#"{"type":"record","name":"User","fields":[{"name":"home","type":"geo.Address"},{"name":"born","type":"geo.Country"}]}"#;
        let avro = Avro::parse(user, [country, address]).unwrap();
        assert_eq!(avro.canonical().as_deref(), Ok(user));
        assert!(Avro::parse(user, [country]).is_err());
        assert!(Avro::parse(country, [country]).unwrap_err().contains("redefine"));
    }

    /// References nest in each other deeper than one text can.
    #[test]
    fn long_chains_of_references_are_refused() {
        let link = |at: u32| {
            format!(
                r#"{{"type":"record","name":"R{at}","fields":[{{"name":"f","type":"R{}"}}]}}"#,
                at + 1
            )
        };
        let mut texts = vec![r#"{"type":"record","name":"R1000","fields":[]}"#.to_owned()];
        texts.extend((1..1000).rev().map(link));
        let references = texts.iter().map(String::as_str);
        assert!(
            Avro::parse(&link(0), references)
                .unwrap_err()
                .contains("nested too deeply")
        );
    }
}
