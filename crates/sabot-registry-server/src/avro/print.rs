//! From the model of an Avro schema to JSON, in the member order of Avro's Java library.

use std::collections::HashSet;

use super::{Avro, Body, Definition, Field, FullName, Props, Type};
use crate::json::Json;

/// Nesting of types. What comes from one text has less, because its JSON has; references can nest
/// in each other.
const DEPTH_LIMIT: u32 = 128;

/// Stands for the absence of a namespace where there has to be one.
const NO_NAMESPACE: &str = "_";

/// Prints the stored form. Definitions in `known` are printed as names alone.
pub(super) fn canonical(avro: &Avro, known: HashSet<usize>) -> Result<String, String> {
    print(avro, known, false)
}

/// Prints every definition, in full, so that nothing depends on its place.
pub(super) fn self_contained(avro: &Avro) -> Result<String, String> {
    print(avro, HashSet::new(), true)
}

fn print(avro: &Avro, known: HashSet<usize>, explicit: bool) -> Result<String, String> {
    let mut printer = Printer {
        avro,
        known,
        explicit,
        depth: 0,
        is_too_deep: false,
    };
    let json = printer.r#type(&avro.root, "");
    if printer.is_too_deep {
        return Err("its references are nested too deeply".to_owned());
    }
    Ok(json.to_string())
}

struct Printer<'a> {
    avro: &'a Avro,
    known: HashSet<usize>,
    explicit: bool,
    depth: u32,
    is_too_deep: bool,
}

impl Printer<'_> {
    fn r#type(&mut self, r#type: &Type, namespace: &str) -> Json {
        if self.depth == DEPTH_LIMIT {
            self.is_too_deep = true;
            return Json::Null;
        }
        self.depth += 1;
        let json = self.type_within(r#type, namespace);
        self.depth -= 1;
        json
    }

    fn type_within(&mut self, r#type: &Type, namespace: &str) -> Json {
        match r#type {
            Type::Primitive(name, props) => primitive(name, props),
            Type::Array(items, props) => {
                let items = self.r#type(items, namespace);
                object([("type", "array".into()), ("items", items)], props)
            }
            Type::Map(values, props) => {
                let values = self.r#type(values, namespace);
                object([("type", "map".into()), ("values", values)], props)
            }
            Type::Union(branches) => Json::Array(
                branches
                    .iter()
                    .map(|branch| self.r#type(branch, namespace))
                    .collect(),
            ),
            Type::Named(index) => self.definition(*index, namespace),
        }
    }

    fn definition(&mut self, index: usize, namespace: &str) -> Json {
        let avro = self.avro;
        let Definition {
            name,
            body,
            doc,
            aliases,
            props,
        } = &avro.definitions[index];
        if !self.known.insert(index) {
            return self.spell(name, namespace).into();
        }
        let mut members = Vec::new();
        if self.explicit {
            let kind = if body.kind() == "error" {
                "record"
            } else {
                body.kind()
            };
            members.extend([("type", kind.into()), ("name", self.spell(name, "").into())]);
        } else {
            members.extend([("type", body.kind().into()), ("name", name.name.as_str().into())]);
            if name.namespace != namespace {
                members.push(("namespace", name.namespace.as_str().into()));
            }
        }
        members.extend(doc.clone().map(|doc| ("doc", doc)));
        match body {
            Body::Open => {}
            Body::Record { fields, .. } => {
                let fields = fields.iter().map(|field| self.field(field, &name.namespace));
                members.push(("fields", Json::Array(fields.collect())));
            }
            Body::Enum { symbols, default } => {
                members.push(("symbols", strings(symbols)));
                members.extend(default.clone().map(|default| ("default", default)));
            }
            Body::Fixed { size } => members.push(("size", size.clone())),
        }
        let mut json = object(members, props);
        if let Json::Object(members) = &mut json
            && !aliases.is_empty()
        {
            let spelt = aliases
                .iter()
                .map(|alias| self.spell(alias, &name.namespace).into());
            members.push(("aliases".to_owned(), Json::Array(spelt.collect())));
        }
        json
    }

    fn spell(&self, name: &FullName, namespace: &str) -> String {
        match (self.explicit, name.namespace.as_str()) {
            (false, _) => name.seen_from(namespace),
            (true, "") => format!("{NO_NAMESPACE}.{}", name.name),
            (true, _) => name.full(),
        }
    }

    fn field(&mut self, field: &Field, namespace: &str) -> Json {
        let Field {
            name,
            r#type,
            doc,
            default,
            order,
            aliases,
            props,
        } = field;
        let mut members = vec![
            ("name", name.as_str().into()),
            ("type", self.r#type(r#type, namespace)),
        ];
        members.extend(doc.clone().map(|doc| ("doc", doc)));
        members.extend(default.clone().map(|default| ("default", default)));
        members.extend(order.clone().map(|order| ("order", order)));
        if !aliases.is_empty() {
            members.push(("aliases", strings(aliases)));
        }
        object(members, props)
    }
}

impl Body {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Open => "record",
            Self::Record { kind, .. } => kind,
            Self::Enum { .. } => "enum",
            Self::Fixed { .. } => "fixed",
        }
    }
}

fn primitive(name: &str, props: &Props) -> Json {
    if props.is_empty() {
        name.into()
    } else {
        object([("type", name.into())], props)
    }
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>, props: &Props) -> Json {
    let members = members.into_iter().map(|(key, value)| (key.to_owned(), value));
    Json::Object(members.chain(props.iter().cloned()).collect())
}

fn strings(items: &[String]) -> Json {
    Json::Array(items.iter().cloned().map(Json::String).collect())
}
