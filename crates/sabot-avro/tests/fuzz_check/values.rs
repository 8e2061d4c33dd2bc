//! Values as a model knows them: random ones, their JSON as defaults, their bytes, and bytes read
//! strictly.

use serde_json::{Map, Value as Json, json};

use super::dice::Dice;
use super::encode::encode_plainly;
use super::types::{Base, Logical, Ty};

/// Items of one message at most, in all its arrays and maps.
pub(crate) const MAX_ITEMS: usize = 1000;

/// A value of a base type; what its logical type makes of it is said where it is compared.
#[derive(Debug, Clone)]
pub(crate) enum Val {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    /// Of bytes and fixed.
    Bytes(Vec<u8>),
    Text(String),
    Enum(usize),
    Array(Vec<Val>),
    Map(Vec<(String, Val)>),
    Record(Vec<Val>),
    Union(usize, Box<Val>),
}

/// Floats are the same where their bits are.
impl PartialEq for Val {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Long(a), Self::Long(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Double(a), Self::Double(b)) => a.to_bits() == b.to_bits(),
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Enum(a), Self::Enum(b)) => a == b,
            (Self::Array(a), Self::Array(b)) | (Self::Record(a), Self::Record(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Union(a, x), Self::Union(b, y)) => a == b && x == y,
            _ => false,
        }
    }
}

/// A random value of `ty`.
pub(crate) fn value(dice: &mut Dice<'_>, ty: &Ty) -> Val {
    match &ty.base {
        Base::Null => Val::Null,
        Base::Boolean => Val::Boolean(dice.once_in(2)),
        Base::Int => Val::Int(dice.number() as i32),
        Base::Long => Val::Long(dice.number()),
        Base::Float => Val::Float(f32::from_bits(dice.number() as u32)),
        Base::Double => Val::Double(match dice.below(3) {
            0 => dice.number() as f64 / 8.0,
            _ => f64::from_bits(dice.number() as u64),
        }),
        Base::Bytes | Base::Text | Base::Fixed(..) if ty.logical.is_some() => logical_value(dice, ty),
        Base::Bytes => match dice.below(3) {
            0 => Val::Bytes(text(dice).into_bytes()),
            1 => Val::Bytes(vec![0xff, 0]),
            _ => Val::Bytes(dice.bytes::<3>().into()),
        },
        Base::Text => Val::Text(text(dice)),
        Base::Fixed(_, size) => Val::Bytes((0..*size).map(|_| dice.below(256) as u8).collect()),
        Base::Enum(_, symbols) => Val::Enum(dice.below(symbols.symbols.len())),
        Base::Array(item) => Val::Array((0..count(dice)).map(|_| value(dice, item)).collect()),
        Base::Map(inner) => {
            let entries = (0..count(dice)).map(|at| {
                // Now and then a key twice.
                let key = if dice.once_in(8) {
                    "k".into()
                } else {
                    format!("k{at}")
                };
                (key, value(dice, inner))
            });
            Val::Map(entries.collect())
        }
        Base::Record(_, fields) => Val::Record(fields.iter().map(|field| value(dice, &field.ty)).collect()),
        Base::Union(branches) => {
            let branch = dice.below(branches.len());
            Val::Union(branch, Box::new(value(dice, &branches[branch])))
        }
    }
}

fn count(dice: &mut Dice<'_>) -> usize {
    match dice.below(8) {
        0 | 1 => 0,
        7 => dice.below(20),
        few => few - 1,
    }
}

fn text(dice: &mut Dice<'_>) -> String {
    match dice.below(6) {
        0 => String::new(),
        1 => "a".repeat(dice.below(40)),
        2 => "größer".into(),
        3 => "a text of more than twelve bytes".into(),
        4 => "NaN".into(),
        _ => String::from_utf8_lossy(&dice.bytes::<9>()).into_owned(),
    }
}

fn logical_value(dice: &mut Dice<'_>, ty: &Ty) -> Val {
    match (&ty.base, ty.logical) {
        (Base::Text, _) => {
            let id: String = dice
                .bytes::<16>()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            Val::Text(match dice.below(8) {
                6 => id.to_uppercase(),
                7 => text(dice),
                5 => format!("{{{}}}", hyphenated(&id)),
                4 => id,
                _ => hyphenated(&id),
            })
        }
        (_, Some(Logical::BigDecimal)) => {
            let mut bytes = Vec::new();
            let number = Val::Bytes(dice.number().to_be_bytes()[dice.below(9)..].to_vec());
            let scale = if dice.once_in(8) {
                dice.number()
            } else {
                dice.below(9) as i64 - 3
            };
            encode_plainly(&Base::Bytes.into(), &number, &mut bytes);
            encode_plainly(&Base::Long.into(), &Val::Long(scale), &mut bytes);
            if dice.once_in(16) {
                bytes.pop();
            }
            Val::Bytes(bytes)
        }
        (Base::Fixed(_, size), Some(Logical::Decimal(..))) => {
            let number = dice.number().to_be_bytes();
            let mut bytes = vec![if number[0] >= 0x80 { 0xff } else { 0 }; *size];
            let kept = 8.min(*size);
            bytes[size - kept..].copy_from_slice(&number[8 - kept..]);
            if dice.once_in(8) {
                bytes[0] = 0x7f;
            }
            Val::Bytes(bytes)
        }
        (Base::Fixed(_, size), _) => {
            let mut bytes: Vec<_> = (0..*size).map(|_| dice.below(256) as u8).collect();
            // A duration's parts are unsigned, Arrow's are not.
            if !dice.once_in(4) {
                bytes.iter_mut().skip(3).step_by(4).for_each(|byte| *byte &= 0x7f);
            }
            Val::Bytes(bytes)
        }
        _ => {
            let number = dice.number().to_be_bytes();
            let start = dice.below(8);
            let mut bytes = number[start..].to_vec();
            if dice.once_in(6) {
                bytes.splice(0..0, [if number[start] >= 0x80 { 0xff } else { 0 }; 40]);
            }
            Val::Bytes(bytes)
        }
    }
}

fn hyphenated(id: &str) -> String {
    [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-")
}

/// A random value that can be a default: numbers that JSON can write, and in unions a branch that
/// JSON tells apart.
pub(crate) fn default_value(dice: &mut Dice<'_>, ty: &Ty) -> Val {
    match &ty.base {
        Base::Float => Val::Float(dice.below(100) as f32 / 4.0),
        Base::Double => Val::Double(dice.below(100) as f64 / 4.0),
        Base::Text if ty.logical.is_some() => Val::Text(hyphenated(&"5a".repeat(16))),
        // A number of no bytes, and a scale of 0.
        Base::Bytes if ty.logical == Some(Logical::BigDecimal) => Val::Bytes(vec![0, 0]),
        Base::Bytes if ty.logical.is_some() => Val::Bytes(vec![dice.below(256) as u8]),
        Base::Fixed(_, size) if ty.logical.is_some() => {
            Val::Bytes([vec![0; size - 1], vec![dice.below(128) as u8]].concat())
        }
        Base::Array(item) => Val::Array((0..dice.below(3)).map(|_| default_value(dice, item)).collect()),
        Base::Map(inner) => Val::Map(
            (0..dice.below(3))
                .map(|at| (format!("k{at}"), default_value(dice, inner)))
                .collect(),
        ),
        Base::Record(_, fields) => Val::Record(
            fields
                .iter()
                .map(|field| default_value(dice, &field.ty))
                .collect(),
        ),
        Base::Union(branches) => {
            let branch = dice.below(branches.len());
            let class = json_class(&branches[branch]);
            let first = branches.iter().position(|ty| json_class(ty) == class);
            // With two branches of one class, the first that the JSON fits would be meant; the
            // first of all is certain.
            let branch = if first == Some(branch) { branch } else { 0 };
            Val::Union(branch, Box::new(default_value(dice, &branches[branch])))
        }
        _ => value(dice, ty),
    }
}

fn json_class(ty: &Ty) -> &'static str {
    match &ty.base {
        Base::Int | Base::Long | Base::Float | Base::Double => "number",
        Base::Bytes | Base::Text | Base::Fixed(..) | Base::Enum(..) => "string",
        Base::Map(_) | Base::Record(..) => "object",
        base => base.keyword(),
    }
}

impl Val {
    /// The items of all arrays and maps within the value.
    pub(crate) fn items(&self) -> usize {
        match self {
            Self::Array(items) => items.len() + items.iter().map(Self::items).sum::<usize>(),
            Self::Map(entries) => entries.len() + entries.iter().map(|(_, val)| val.items()).sum::<usize>(),
            Self::Record(values) => values.iter().map(Self::items).sum(),
            Self::Union(_, val) => val.items(),
            _ => 0,
        }
    }

    /// The value as a default in a schema's JSON.
    pub(crate) fn to_json(&self, ty: &Ty) -> Json {
        match (self, &ty.base) {
            (Self::Null, _) => Json::Null,
            (Self::Boolean(value), _) => json!(value),
            (Self::Int(value), _) => json!(value),
            (Self::Long(value), _) => json!(value),
            (Self::Float(value), _) => json!(value),
            (Self::Double(value), _) => json!(value),
            (Self::Bytes(bytes), _) => json!(bytes.iter().map(|byte| char::from(*byte)).collect::<String>()),
            (Self::Text(text), _) => json!(text),
            (Self::Enum(at), Base::Enum(_, symbols)) => json!(symbols.symbols[*at]),
            (Self::Array(items), Base::Array(ty)) => items.iter().map(|item| item.to_json(ty)).collect(),
            (Self::Map(entries), Base::Map(ty)) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.to_json(ty)));
                Json::Object(entries.collect::<Map<_, _>>())
            }
            (Self::Record(values), Base::Record(_, fields)) => {
                // A field's own default does not need to be said again.
                let members = fields.iter().zip(values);
                let members = members.filter(|(field, value)| field.default.as_ref() != Some(value));
                let members = members.map(|(field, value)| (field.name.clone(), value.to_json(&field.ty)));
                Json::Object(members.collect::<Map<_, _>>())
            }
            (Self::Union(branch, value), Base::Union(branches)) => value.to_json(&branches[*branch]),
            _ => panic!("{self:?} is no {ty:?}"),
        }
    }
}
