//! Reading.

use std::collections::HashMap;

use super::{Body, Definition, Field, FullName, PRIMITIVES, Props, RESERVED, RESERVED_IN_FIELD, Type};
use crate::json::Json;

/// Reads texts one after the other; later ones may use the names of earlier ones.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) definitions: Vec<Definition>,
    pub(super) by_name: HashMap<String, usize>,
}

impl Reader {
    pub(super) fn read(&mut self, text: &str) -> Result<Type, String> {
        let trimmed = text.trim();
        // A registry takes a bare `string` for `"string"`.
        if PRIMITIVES.contains(&trimmed) && trimmed != "null" {
            return self.named(trimmed, "");
        }
        let json = Json::parse(text).map_err(|error| error.to_string())?;
        self.r#type(&json, "")
    }

    /// Recursion ends with the JSON's own depth, which its parser bounds.
    fn r#type(&mut self, json: &Json, namespace: &str) -> Result<Type, String> {
        match json {
            Json::String(name) => self.named(name, namespace),
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

    fn named(&self, written: &str, namespace: &str) -> Result<Type, String> {
        if let Some(primitive) = PRIMITIVES.into_iter().find(|name| *name == written) {
            return Ok(Type::Primitive(primitive, Vec::new()));
        }
        let full = FullName::within(namespace, written).full();
        // A name that is unknown here may still be one without a namespace.
        let found = self.by_name.get(&full).or_else(|| self.by_name.get(written));
        found
            .map(|index| Type::Named(*index))
            .ok_or_else(|| format!("Undefined name: \"{full}\""))
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
            _ => self.named(kind, namespace),
        }
    }

    fn define(&mut self, kind: &str, json: &Json, namespace: &str) -> Result<Type, String> {
        let written = json
            .get("name")
            .and_then(Json::as_str)
            .ok_or_else(|| format!("No name: {json}"))?;
        let space = json.get("namespace").and_then(Json::as_str).unwrap_or(namespace);
        let name = FullName::within(space, written);
        let index = self.definitions.len();
        if self.by_name.insert(name.full(), index).is_some() {
            return Err(format!("Can't redefine: {}", name.full()));
        }
        let aliases = strings(json, "aliases")?;
        let aliases = aliases
            .iter()
            .map(|alias| FullName::within(&name.namespace, alias))
            .collect();
        let mut props = properties(json, &RESERVED);
        if kind == "enum" {
            props.retain(|(key, _)| key != "default");
        }
        let namespace = name.namespace.clone();
        let doc = text_member(json, "doc");
        self.definitions.push(Definition {
            name,
            body: Body::Open,
            doc,
            aliases,
            props,
        });
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
