//! From the JSON of schemas and values to the model's types and values. It takes what the tests'
//! own files have, and no reference to a named type.

use serde_json::Value as Json;

use super::types::{Base, Field, Logical, Name, Symbols, Ty};
use super::values::Val;

impl Ty {
    /// The type of a schema.
    pub(crate) fn parse(json: &Json) -> Self {
        match json {
            Json::String(name) => primitive(name).into(),
            Json::Array(branches) => Base::Union(branches.iter().map(Self::parse).collect()).into(),
            _ => {
                let base = match text(json, "type") {
                    "fixed" => Base::Fixed(name(json), number(json, "size") as usize),
                    "enum" => {
                        let symbols = strings(json, "symbols");
                        let default = json.get("default").and_then(Json::as_str);
                        let default =
                            default.and_then(|default| symbols.iter().position(|name| name == default));
                        Base::Enum(name(json), Symbols { symbols, default })
                    }
                    "array" => Base::Array(Box::new(Self::parse(&json["items"]))),
                    "map" => Base::Map(Box::new(Self::parse(&json["values"]))),
                    "record" => {
                        let fields = json["fields"].as_array().expect("a record has fields");
                        Base::Record(name(json), fields.iter().map(field).collect())
                    }
                    name => primitive(name),
                };
                let logical = logical(json, &base);
                Self { base, logical }
            }
        }
    }
}

impl Val {
    /// A value in Avro's JSON encoding.
    pub(crate) fn from_json(ty: &Ty, json: &Json) -> Self {
        match (&ty.base, json) {
            (Base::Union(branches), json) => {
                let (name, json) = match json {
                    Json::Null => ("null", json),
                    _ => {
                        let object = json.as_object().and_then(|object| object.iter().next());
                        object
                            .map(|(name, json)| (name.as_str(), json))
                            .expect("a branch has its name")
                    }
                };
                let is_named = |ty: &Ty| ty.name().map_or(ty.base.keyword(), |name| &name.full) == name;
                let at = branches
                    .iter()
                    .position(is_named)
                    .expect("a branch that there is");
                Self::Union(at, Box::new(Self::from_json(&branches[at], json)))
            }
            (Base::Array(ty), Json::Array(items)) => {
                Self::Array(items.iter().map(|item| Self::from_json(ty, item)).collect())
            }
            (Base::Map(ty), Json::Object(entries)) => {
                let entries = entries.iter();
                Self::Map(
                    entries
                        .map(|(key, json)| (key.clone(), Self::from_json(ty, json)))
                        .collect(),
                )
            }
            (Base::Record(_, fields), Json::Object(values)) => {
                let values = fields
                    .iter()
                    .map(|field| Self::from_json(&field.ty, &values[&field.name]));
                Self::Record(values.collect())
            }
            _ => Self::default_from_json(ty, json),
        }
    }

    /// A default: of a union, for the first branch that takes it.
    fn default_from_json(ty: &Ty, json: &Json) -> Self {
        Self::try_default(ty, json).unwrap_or_else(|| panic!("{json} is no {}", ty.json()))
    }

    fn try_default(ty: &Ty, json: &Json) -> Option<Self> {
        Some(match &ty.base {
            Base::Null => json.as_null().map(|()| Self::Null)?,
            Base::Boolean => Self::Boolean(json.as_bool()?),
            Base::Int => Self::Int(json.as_i64()?.try_into().ok()?),
            Base::Long => Self::Long(json.as_i64()?),
            Base::Float => Self::Float(json.as_f64()? as f32),
            Base::Double => Self::Double(json.as_f64()?),
            Base::Bytes | Base::Fixed(..) => {
                let chars = json.as_str()?.chars();
                Self::Bytes(
                    chars
                        .map(|c| u8::try_from(u32::from(c)).ok())
                        .collect::<Option<_>>()?,
                )
            }
            Base::Text => Self::Text(json.as_str()?.into()),
            Base::Enum(_, symbols) => {
                let symbol = json.as_str()?;
                Self::Enum(symbols.symbols.iter().position(|name| name == symbol)?)
            }
            Base::Array(ty) => {
                let items = json.as_array()?.iter();
                Self::Array(
                    items
                        .map(|item| Self::try_default(ty, item))
                        .collect::<Option<_>>()?,
                )
            }
            Base::Map(ty) => {
                let entries = json.as_object()?.iter();
                let entries = entries.map(|(key, json)| Some((key.clone(), Self::try_default(ty, json)?)));
                Self::Map(entries.collect::<Option<_>>()?)
            }
            Base::Record(_, fields) => {
                let object = json.as_object()?;
                let values = fields.iter().map(|field| match object.get(&field.name) {
                    Some(json) => Self::try_default(&field.ty, json),
                    None => field.default.clone(),
                });
                Self::Record(values.collect::<Option<_>>()?)
            }
            Base::Union(branches) => {
                let mut branches = branches.iter().enumerate();
                branches.find_map(|(at, ty)| Some(Self::Union(at, Box::new(Self::try_default(ty, json)?))))?
            }
        })
    }
}

fn field(json: &Json) -> Field {
    let ty = Ty::parse(&json["type"]);
    Field {
        name: text(json, "name").into(),
        aliases: strings(json, "aliases"),
        default: json
            .get("default")
            .map(|default| Val::default_from_json(&ty, default)),
        ty,
    }
}

fn name(json: &Json) -> Name {
    Name {
        full: text(json, "name").into(),
        aliases: strings(json, "aliases"),
    }
}

fn primitive(name: &str) -> Base {
    match name {
        "null" => Base::Null,
        "boolean" => Base::Boolean,
        "int" => Base::Int,
        "long" => Base::Long,
        "float" => Base::Float,
        "double" => Base::Double,
        "bytes" => Base::Bytes,
        "string" => Base::Text,
        other => panic!("{other} is no type"),
    }
}

/// The logical type, where it is known and `base` can carry it.
fn logical(json: &Json, base: &Base) -> Option<Logical> {
    let name = json.get("logicalType")?.as_str()?;
    Some(match (name, base) {
        ("decimal", Base::Bytes | Base::Fixed(..)) if number(json, "precision") > 0 => {
            Logical::Decimal(number(json, "precision") as u8, number(json, "scale") as u8)
        }
        ("big-decimal", Base::Bytes) => Logical::BigDecimal,
        ("uuid", Base::Text | Base::Fixed(_, 16)) => Logical::Uuid,
        ("date", Base::Int) => Logical::Date,
        ("time-millis", Base::Int) => Logical::TimeMillis,
        ("time-micros", Base::Long) => Logical::TimeMicros,
        ("timestamp-millis", Base::Long) => Logical::Timestamp(1, true),
        ("timestamp-micros", Base::Long) => Logical::Timestamp(2, true),
        ("timestamp-nanos", Base::Long) => Logical::Timestamp(3, true),
        ("local-timestamp-millis", Base::Long) => Logical::Timestamp(1, false),
        ("local-timestamp-micros", Base::Long) => Logical::Timestamp(2, false),
        ("local-timestamp-nanos", Base::Long) => Logical::Timestamp(3, false),
        ("duration", Base::Fixed(_, 12)) => Logical::Duration,
        _ => return None,
    })
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} of {json} is text"))
}

fn number(json: &Json, key: &str) -> u64 {
    json.get(key).and_then(Json::as_u64).unwrap_or(0)
}

fn strings(json: &Json, key: &str) -> Vec<String> {
    let strings = json.get(key).and_then(Json::as_array).into_iter().flatten();
    strings.filter_map(Json::as_str).map(str::to_owned).collect()
}
