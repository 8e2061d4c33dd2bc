//! From JSON to [`Schema`].
//!
//! A parser of its own, since a decoder needs less than apache-avro's checks and more than it
//! keeps: writer schemas with defaults that do not fit their type are in every registry (the
//! default of a writer means nothing), and documentation and logical types of the base types are
//! wanted in the Arrow metadata. Depth is bounded by serde_json, which refuses more than 128
//! levels; size by [`MAX_TEXT_BYTES`].

use sabot_decode::{PlanError, SchemaKind, WriterSchema};
use serde_json::{Map, Value};

use super::names::{self, Names};
use super::{Enum, Field, FullName, Kind, Logical, Named, Schema, Type, TypeId};

/// Bytes of all texts of one schema together.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// Bytes of all names, aliases and references of one schema, with their namespaces.
const MAX_NAME_BYTES: usize = 64 << 20;

type Object = Map<String, Value>;

impl Schema {
    /// Parses a schema and everything that it refers to.
    pub(crate) fn parse(schema: &WriterSchema) -> Result<Self, PlanError> {
        if schema.kind != SchemaKind::Avro {
            return Err(PlanError::new(format!(
                "expected an Avro schema, found {}",
                schema.kind
            )));
        }
        let references = schema.references.iter();
        let text_bytes: usize =
            references.map(|reference| reference.text.len()).sum::<usize>() + schema.text.len();
        if text_bytes > MAX_TEXT_BYTES {
            return Err(PlanError::new(format!(
                "the schema's text exceeds {MAX_TEXT_BYTES} bytes"
            )));
        }
        let mut parser = Parser::default();
        for reference in schema.references.iter() {
            let id = parser
                .parse_text(&reference.text)
                .map_err(|error| error.within(format!("<reference {}>", reference.name)))?;
            // Usually its own name, and defined by now.
            parser.names.define(FullName::new(&reference.name, ""), id);
        }
        let root = parser.parse_text(&schema.text)?;
        Ok(Self {
            types: parser.types.into(),
            root,
            is_arrow: false,
        })
    }
}

#[derive(Default)]
struct Parser {
    types: Vec<Type>,
    names: Names,
    /// Bytes of all names in full: a namespace is repeated in each of them.
    name_bytes: usize,
}

impl Parser {
    fn parse_text(&mut self, text: &str) -> Result<TypeId, PlanError> {
        let json = match serde_json::from_str(text) {
            Ok(json) => json,
            // A registry may hold a bare name, which is no JSON.
            Err(_) if names::is_valid(text.trim()) => Value::String(text.trim().into()),
            Err(error) => return Err(PlanError::new("the schema is not JSON").with_source(error)),
        };
        self.parse(&json, "")
    }

    fn parse(&mut self, json: &Value, namespace: &str) -> Result<TypeId, PlanError> {
        match json {
            Value::String(name) => self.parse_name(name, namespace),
            Value::Array(branches) => self.parse_union(branches, namespace),
            Value::Object(object) => self.parse_object(object, namespace),
            other => Err(PlanError::new(format!("{} is no Avro type", brief(other)))),
        }
    }

    fn parse_name(&mut self, name: &str, namespace: &str) -> Result<TypeId, PlanError> {
        if let Some(kind) = Kind::primitive(name) {
            return Ok(self.push(kind));
        }
        self.count(name, namespace)?;
        let found = self.names.find(name, namespace);
        found.ok_or_else(|| PlanError::new(format!("the type {name:?} is not defined")))
    }

    fn parse_object(&mut self, object: &Object, namespace: &str) -> Result<TypeId, PlanError> {
        let ty = object
            .get("type")
            .ok_or_else(|| PlanError::new("a type without the attribute \"type\""))?;
        let known = self.types.len();
        let id = match ty {
            Value::String(name) => match name.as_str() {
                "record" | "error" => return self.parse_record(object, namespace),
                "enum" => {
                    let kind = Kind::Enum(parse_enum(object)?);
                    self.parse_named(object, namespace, kind)?
                }
                "fixed" => {
                    let kind = Kind::Fixed(parse_size(object)?);
                    self.parse_named(object, namespace, kind)?
                }
                "array" => {
                    let items = required(object, "array", "items")?;
                    let items = self.parse(items, namespace).map_err(|error| error.within("[]"))?;
                    self.push(Kind::Array(items))
                }
                "map" => {
                    let values = required(object, "map", "values")?;
                    let values = self
                        .parse(values, namespace)
                        .map_err(|error| error.within("{}"))?;
                    self.push(Kind::Map(values))
                }
                name => self.parse_name(name, namespace)?,
            },
            nested => self.parse(nested, namespace)?,
        };
        // A reference keeps its definition's.
        if id.0 as usize >= known {
            self.set_logical(id, object);
        }
        Ok(id)
    }

    /// Gives `id` the logical type that `object` names, unless it has one: a reference keeps its
    /// definition's.
    fn set_logical(&mut self, id: TypeId, object: &Object) {
        let Some(name) = string(object, "logicalType") else {
            return;
        };
        let ty = &mut self.types[id.0 as usize];
        if ty.logical_name.is_none() {
            ty.logical = Logical::parse(name, object, &ty.kind);
            ty.logical_name = Some(name.into());
        }
    }

    fn parse_union(&mut self, branches: &[Value], namespace: &str) -> Result<TypeId, PlanError> {
        let mut ids = Vec::with_capacity(branches.len());
        let mut seen = std::collections::HashSet::new();
        for branch in branches {
            let id = self.parse(branch, namespace)?;
            let ty = &self.types[id.0 as usize];
            if matches!(ty.kind, Kind::Union(_)) {
                return Err(PlanError::new("a union directly within a union"));
            }
            let name = ty
                .named
                .as_ref()
                .map_or(ty.kind.name(), |named| named.name.as_str());
            if !seen.insert(name.to_owned()) {
                return Err(PlanError::new(format!("the union has the branch {name:?} twice")));
            }
            ids.push(id);
        }
        if ids.is_empty() {
            return Err(PlanError::new("a union without branches"));
        }
        Ok(self.push(Kind::Union(ids)))
    }

    fn parse_record(&mut self, object: &Object, namespace: &str) -> Result<TypeId, PlanError> {
        // The record is defined before its fields are read, since they may refer to it.
        let id = self.parse_named(object, namespace, Kind::Record(Vec::new()))?;
        let namespace = self.types[id.0 as usize]
            .named
            .as_ref()
            .map_or_else(String::new, |named| named.name.namespace().to_owned());
        let Some(Value::Array(fields)) = object.get("fields") else {
            return Err(PlanError::new("a record without an array of \"fields\""));
        };
        let mut parsed = Vec::with_capacity(fields.len());
        let mut seen = std::collections::HashSet::new();
        for field in fields {
            let field = self.parse_field(field, &namespace)?;
            if !seen.insert(field.name.clone()) {
                return Err(PlanError::new(format!(
                    "the record has the field {:?} twice",
                    field.name
                )));
            }
            parsed.push(field);
        }
        let ty = &mut self.types[id.0 as usize];
        ty.kind = Kind::Record(parsed);
        ty.logical_name = string(object, "logicalType").map(Into::into);
        Ok(id)
    }

    fn parse_field(&mut self, field: &Value, namespace: &str) -> Result<Field, PlanError> {
        let field = field
            .as_object()
            .ok_or_else(|| PlanError::new("a field that is not an object"))?;
        let name = valid_name(field, "field")?;
        let ty = field
            .get("type")
            .ok_or_else(|| PlanError::new("a field without a type").within(name))?;
        let ty = self.parse(ty, namespace).map_err(|error| error.within(name))?;
        Ok(Field {
            name: name.into(),
            aliases: strings(field, "aliases").map(Into::into).collect(),
            doc: string(field, "doc").map(Into::into),
            default: field.get("default").cloned(),
            ty,
        })
    }

    fn parse_named(&mut self, object: &Object, namespace: &str, kind: Kind) -> Result<TypeId, PlanError> {
        let name = required_string(object, kind.name(), "name")?;
        let namespace = string(object, "namespace").unwrap_or(namespace);
        self.count(name, namespace)?;
        let name = FullName::new(name, namespace);
        for alias in strings(object, "aliases") {
            self.count(alias, name.namespace())?;
        }
        if !names::is_valid(name.short()) || Kind::primitive(name.as_str()).is_some() {
            return Err(PlanError::new(format!("{:?} cannot name a type", name.as_str())));
        }
        let aliases = strings(object, "aliases")
            .map(|alias| FullName::new(alias, name.namespace()))
            .collect();
        let id = self.push(kind);
        if !self.names.define(name.clone(), id) {
            return Err(PlanError::new(format!(
                "the type {:?} is defined twice",
                name.as_str()
            )));
        }
        let doc = string(object, "doc").map(Into::into);
        self.types[id.0 as usize].named = Some(Box::new(Named { name, aliases, doc }));
        Ok(id)
    }

    fn count(&mut self, name: &str, namespace: &str) -> Result<(), PlanError> {
        self.name_bytes += name.len() + namespace.len();
        if self.name_bytes > MAX_NAME_BYTES {
            return Err(PlanError::new(format!(
                "the schema's names take more than {MAX_NAME_BYTES} bytes in full"
            )));
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind) -> TypeId {
        self.types.push(Type {
            kind,
            logical: None,
            logical_name: None,
            named: None,
        });
        TypeId(self.types.len() as u32 - 1)
    }
}

/// A value as an error quotes it, without what is large.
pub(crate) fn brief(json: &Value) -> String {
    const MAX_TEXT_BYTES: usize = 64;
    match json {
        Value::String(text) if text.len() > MAX_TEXT_BYTES => format!("(a text of {} bytes)", text.len()),
        Value::Array(items) if !items.is_empty() => "[...]".to_owned(),
        Value::Object(members) if !members.is_empty() => "{...}".to_owned(),
        small => small.to_string(),
    }
}

fn parse_enum(object: &Object) -> Result<Enum, PlanError> {
    let Some(Value::Array(values)) = object.get("symbols") else {
        return Err(PlanError::new("an enum without an array of \"symbols\""));
    };
    let mut symbols: Vec<Box<str>> = Vec::with_capacity(values.len());
    let mut seen = std::collections::HashSet::new();
    for value in values {
        let symbol = value.as_str().filter(|symbol| names::is_valid(symbol));
        let symbol = symbol.ok_or_else(|| PlanError::new(format!("{} is no enum symbol", brief(value))))?;
        if !seen.insert(symbol) {
            return Err(PlanError::new(format!(
                "the enum has the symbol {symbol:?} twice"
            )));
        }
        symbols.push(symbol.into());
    }
    let default = match object.get("default") {
        None => None,
        Some(default) => {
            let position = default
                .as_str()
                .and_then(|name| symbols.iter().position(|symbol| **symbol == *name));
            Some(position.ok_or_else(|| {
                PlanError::new(format!("the enum's default {} is no symbol", brief(default)))
            })?)
        }
    };
    Ok(Enum { symbols, default })
}

fn parse_size(object: &Object) -> Result<usize, PlanError> {
    let size = required(object, "fixed", "size")?;
    let fits = size.as_u64().and_then(|size| i32::try_from(size).ok());
    fits.map(|size| size as usize)
        .ok_or_else(|| PlanError::new(format!("{} is no size of a fixed type", brief(size))))
}

fn valid_name<'a>(object: &'a Object, of: &str) -> Result<&'a str, PlanError> {
    let name = required_string(object, of, "name")?;
    if names::is_valid(name) {
        Ok(name)
    } else {
        Err(PlanError::new(format!("{name:?} cannot name a {of}")))
    }
}

fn required<'a>(object: &'a Object, of: &str, key: &str) -> Result<&'a Value, PlanError> {
    object
        .get(key)
        .ok_or_else(|| PlanError::new(format!("{of} without the attribute {key:?}")))
}

fn required_string<'a>(object: &'a Object, of: &str, key: &str) -> Result<&'a str, PlanError> {
    let value = required(object, of, key)?;
    value
        .as_str()
        .ok_or_else(|| PlanError::new(format!("{of} whose {key:?} is {}, not a string", brief(value))))
}

fn string<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// The strings of an array; nothing where it is missing or holds other things.
fn strings<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = &'a str> {
    object
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
