//! Avro schemas as a registry sees them: read, printed in their stored form, and compared.
//!
//! The stored form is what Avro's Java library prints, member order and shortened names included, because ids and
//! GUIDs hang on its bytes. Names defined by references stay names there; [`Avro::self_contained`] prints them in
//! full, which is what the `apache-avro` crate then validates.

use std::collections::HashSet;

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
    /// Met, and not yet read to its end: a name that its own fields may use.
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

/// A name and the namespace that it lies in; empty for none.
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
    /// Reads a schema. `references` are the texts that it may use names of, each after those it depends on itself.
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
        print::print(self, known)
    }

    /// Brings two spellings of the same schema together: sorts properties and aliases, drops empty documentation.
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

    /// The same with every referenced definition written where it is first used.
    fn self_contained(&self) -> Result<String, String> {
        print::print(self, HashSet::new())
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
