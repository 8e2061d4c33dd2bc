//! From JSON to the model of an Avro schema.

use std::collections::{BTreeSet, HashMap};

use super::{Body, Definition, Field, FullName, PRIMITIVES, Props, RESERVED, RESERVED_IN_FIELD, Type};
use crate::json::Json;

/// Reads texts one after the other; later ones may use the names of earlier ones.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) definitions: Vec<Definition>,
    by_name: HashMap<String, usize>,
    /// Definitions whose names were used and that are still to come. Java's library takes them from
    /// 1.12 on.
    awaited: BTreeSet<usize>,
}

impl Reader {
    pub(super) fn read(&mut self, text: &str) -> Result<Type, String> {
        let root = self.root(text)?;
        match self.awaited.first() {
            Some(index) => Err(format!(
                "Undefined name: \"{}\"",
                self.definitions[*index].name.full()
            )),
            None => Ok(root),
        }
    }

    fn root(&mut self, text: &str) -> Result<Type, String> {
        let trimmed = text.trim();
        // A registry takes a bare `string` for `"string"`.
        if PRIMITIVES.contains(&trimmed) && trimmed != "null" {
            return Ok(self.named(trimmed, ""));
        }
        let json = Json::parse(text).map_err(|error| error.to_string())?;
        self.r#type(&json, "")
    }

    /// Recursion ends with the JSON's own depth, which its parser bounds.
    fn r#type(&mut self, json: &Json, namespace: &str) -> Result<Type, String> {
        match json {
            Json::String(name) => Ok(self.named(name, namespace)),
            Json::Array(branches) => {
                let branches: Result<_, _> = branches
                    .iter()
                    .map(|branch| self.r#type(branch, namespace))
                    .collect();
                Ok(Type::Union(branches?))
            }
            Json::Object(_) => self.object(json, namespace),
            _ => Err(format!("{json} is not a schema")),
        }
    }

    fn named(&mut self, written: &str, namespace: &str) -> Type {
        if let Some(primitive) = PRIMITIVES.into_iter().find(|name| *name == written) {
            return Type::Primitive(primitive, Vec::new());
        }
        let name = FullName::within(namespace, written);
        let full = name.full();
        // A name that is unknown here may still be one without a namespace.
        if let Some(index) = self.by_name.get(&full).or_else(|| self.by_name.get(written)) {
            return Type::Named(*index);
        }
        let index = self.open(name);
        self.by_name.insert(full, index);
        self.awaited.insert(index);
        Type::Named(index)
    }

    fn open(&mut self, name: FullName) -> usize {
        let (aliases, props) = (Vec::new(), Vec::new());
        self.definitions.push(Definition {
            name,
            body: Body::Open,
            doc: None,
            aliases,
            props,
        });
        self.definitions.len() - 1
    }

    fn object(&mut self, json: &Json, namespace: &str) -> Result<Type, String> {
        let Some(kind) = json.get("type").and_then(Json::as_str) else {
            return Err(format!("No type: {json}"));
        };
        if let Some(primitive) = PRIMITIVES.into_iter().find(|name| *name == kind) {
            return Ok(Type::Primitive(primitive, properties(json, &RESERVED)));
        }
        match kind {
            "array" => {
                let items = json.get("items").ok_or_else(|| format!("No items: {json}"))?;
                Ok(Type::Array(
                    Box::new(self.r#type(items, namespace)?),
                    properties(json, &RESERVED),
                ))
            }
            "map" => {
                let values = json.get("values").ok_or_else(|| format!("No values: {json}"))?;
                Ok(Type::Map(
                    Box::new(self.r#type(values, namespace)?),
                    properties(json, &RESERVED),
                ))
            }
            "record" | "error" | "enum" | "fixed" => self.define(kind, json, namespace),
            _ => Ok(self.named(kind, namespace)),
        }
    }

    fn define(&mut self, kind: &str, json: &Json, namespace: &str) -> Result<Type, String> {
        let written = json
            .get("name")
            .and_then(Json::as_str)
            .ok_or_else(|| format!("No name: {json}"))?;
        let space = json.get("namespace").and_then(Json::as_str).unwrap_or(namespace);
        let name = FullName::within(space, written);
        let namespace = name.namespace.clone();
        let index = match self.by_name.get(&name.full()) {
            Some(index) if self.awaited.remove(index) => *index,
            Some(_) => return Err(format!("Can't redefine: {}", name.full())),
            None => {
                let full = name.full();
                let index = self.open(name);
                self.by_name.insert(full, index);
                index
            }
        };
        let aliases = strings(json, "aliases")?;
        let definition = &mut self.definitions[index];
        definition.aliases = aliases
            .iter()
            .map(|alias| FullName::within(&namespace, alias))
            .collect();
        definition.doc = text_member(json, "doc");
        definition.props = properties(json, &RESERVED);
        if kind == "enum" {
            definition.props.retain(|(key, _)| key != "default");
        }
        let body = match kind {
            "enum" => {
                let symbols = strings(json, "symbols")?;
                Body::Enum {
                    symbols,
                    default: json.get("default").cloned(),
                }
            }
            "fixed" => Body::Fixed {
                size: json
                    .get("size")
                    .cloned()
                    .ok_or_else(|| format!("No size: {json}"))?,
            },
            _ => {
                let kind = if kind == "error" { "error" } else { "record" };
                Body::Record {
                    kind,
                    fields: self.fields(json, &namespace)?,
                }
            }
        };
        self.definitions[index].body = body;
        Ok(Type::Named(index))
    }

    fn fields(&mut self, json: &Json, namespace: &str) -> Result<Vec<Field>, String> {
        let Some(Json::Array(fields)) = json.get("fields") else {
            return Err(format!("No fields: {json}"));
        };
        fields.iter().map(|field| self.field(field, namespace)).collect()
    }

    fn field(&mut self, json: &Json, namespace: &str) -> Result<Field, String> {
        let name = json.get("name").and_then(Json::as_str);
        let name = name.ok_or_else(|| format!("No field name: {json}"))?.to_owned();
        let r#type = json.get("type").ok_or_else(|| format!("No field type: {json}"))?;
        let order = json
            .get("order")
            .filter(|order| order.as_str() != Some("ascending"))
            .cloned();
        Ok(Field {
            name,
            r#type: self.r#type(r#type, namespace)?,
            doc: text_member(json, "doc"),
            default: json.get("default").cloned(),
            order,
            aliases: strings(json, "aliases")?,
            props: properties(json, &RESERVED_IN_FIELD),
        })
    }
}

fn text_member(json: &Json, name: &str) -> Option<Json> {
    json.get(name).filter(|value| value.as_str().is_some()).cloned()
}

fn properties(json: &Json, reserved: &[&str]) -> Props {
    let Json::Object(members) = json else {
        return Vec::new();
    };
    members
        .iter()
        .filter(|(key, _)| !reserved.contains(&key.as_str()))
        .cloned()
        .collect()
}

/// A member that is a list of strings; an absent one is empty.
fn strings(json: &Json, name: &str) -> Result<Vec<String>, String> {
    let items = match json.get(name) {
        None => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(other) => return Err(format!("{name} is not an array: {other}")),
    };
    let text = |item: &Json| {
        item.as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("{name} holds {item}, which is not a string"))
    };
    items.iter().map(text).collect()
}
