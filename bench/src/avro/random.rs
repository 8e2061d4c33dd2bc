//! Random schemas, and random messages of them, for the sweep: every type, in every place, at the
//! sizes that topics have.

use std::fmt::Write;
use std::ops::RangeInclusive;

use fastrand::Rng;

use super::encode::Body;

/// Draws of a schema at most until one has messages of a usual size.
const MAX_DRAWS: usize = 100;
/// Messages looked at to see how long they are.
const SAMPLES: usize = 32;
/// Mean bytes of a schema's messages.
const USUAL_BYTES: RangeInclusive<usize> = 1..=3000;

/// A type, and how its values are drawn.
enum Type {
    Boolean,
    /// A varint of so many bits at most, with the schema's text.
    Number(u32, &'static str),
    Float,
    Double,
    Bytes(RangeInclusive<usize>),
    Text {
        bytes: RangeInclusive<usize>,
        is_ascii: bool,
    },
    Uuid,
    Fixed(usize),
    Duration,
    Enum(i64),
    /// Digits, and the bytes of a `fixed`.
    Decimal(u32, Option<usize>),
    Optional {
        inner: Box<Type>,
        is_null_first: bool,
        present_percent: u8,
    },
    Union(Vec<Type>),
    Record(Vec<Type>),
    Array(Box<Type>, RangeInclusive<usize>),
    Map(Box<Type>, RangeInclusive<usize>),
}

/// A record of random fields.
pub struct RandomSchema(Type);

impl RandomSchema {
    /// Draws one whose messages are neither empty nor much longer than messages are.
    pub fn draw(rng: &mut Rng) -> Self {
        let mut drawn = Self::draw_any(rng);
        for _ in 0..MAX_DRAWS {
            if USUAL_BYTES.contains(&drawn.mean_bytes(rng)) {
                break;
            }
            drawn = Self::draw_any(rng);
        }
        drawn
    }

    fn draw_any(rng: &mut Rng) -> Self {
        let depth = rng.usize(1..=5);
        let fields = rng.usize(1..=12);
        Self(Type::Record((0..fields).map(|_| any(rng, depth - 1)).collect()))
    }

    fn mean_bytes(&self, rng: &mut Rng) -> usize {
        let mut body = Body::default();
        (0..SAMPLES).for_each(|_| self.0.encode(rng, &mut body));
        body.bytes().len() / SAMPLES
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        self.0.write(&mut text, &mut 0);
        text
    }

    pub fn encode(&self, rng: &mut Rng, body: &mut Body) {
        self.0.encode(rng, body);
    }
}

/// A type with `depth` levels below it at most.
fn any(rng: &mut Rng, depth: usize) -> Type {
    if depth == 0 {
        return optional(rng, leaf);
    }
    match rng.u8(..100) {
        0..40 => optional(rng, leaf),
        40..60 => optional(rng, |rng| record(rng, depth)),
        60..80 => {
            let item = any(rng, depth - 1);
            let is_number = matches!(item, Type::Number(..) | Type::Float | Type::Double);
            let items = if is_number && rng.bool() {
                16..=64
            } else {
                few(rng)
            };
            Type::Array(Box::new(item), items)
        }
        80..87 => Type::Map(Box::new(any(rng, depth - 1)), few(rng)),
        _ => union(rng, depth),
    }
}

/// How many items a list has.
fn few(rng: &mut Rng) -> RangeInclusive<usize> {
    [0..=1, 0..=3, 1..=5, 2..=12][rng.usize(..4)].clone()
}

/// A type, or a union of it with null.
fn optional(rng: &mut Rng, inner: impl Fn(&mut Rng) -> Type) -> Type {
    let inner = inner(rng);
    if rng.u8(..3) > 0 {
        return inner;
    }
    Type::Optional {
        inner: Box::new(inner),
        is_null_first: rng.u8(..5) > 0,
        present_percent: [2, 30, 50, 80, 100][rng.usize(..5)],
    }
}

fn record(rng: &mut Rng, depth: usize) -> Type {
    let fields = rng.usize(1..=6);
    Type::Record((0..fields).map(|_| any(rng, depth - 1)).collect())
}

/// Two to four branches, records mostly; of other types each comes once in a union.
fn union(rng: &mut Rng, depth: usize) -> Type {
    let mut branches = Vec::new();
    if rng.u8(..4) == 0 {
        branches.push(leaf(rng));
    }
    if rng.u8(..4) == 0 {
        branches.push(Type::Array(Box::new(any(rng, depth - 1)), few(rng)));
    }
    while branches.len() < 2 || branches.len() < 4 && rng.bool() {
        branches.push(record(rng, depth));
    }
    Type::Union(branches)
}

fn leaf(rng: &mut Rng) -> Type {
    match rng.u8(..22) {
        0..5 => Type::Text {
            bytes: [1..=8, 3..=20, 10..=40, 40..=200][rng.usize(..4)].clone(),
            is_ascii: rng.u8(..4) > 0,
        },
        5 | 6 => Type::Number([7, 14, 31][rng.usize(..3)], r#""int""#),
        7 | 8 => Type::Number([7, 20, 40, 63][rng.usize(..4)], r#""long""#),
        9 => Type::Boolean,
        10 => Type::Float,
        11 => Type::Double,
        12 => Type::Bytes([0..=8, 4..=32, 100..=100][rng.usize(..3)].clone()),
        13 => Type::Uuid,
        14 => Type::Fixed([1, 4, 16, 20][rng.usize(..4)]),
        15 => Type::Enum(rng.i64(1..20)),
        16 => Type::Decimal([4, 9, 18, 38][rng.usize(..4)], None),
        17 => Type::Decimal(18, Some(8)),
        18 => Type::Decimal(38, Some(16)),
        19 => Type::Number(15, DATE),
        20 => Type::Number(50, TIMESTAMP_MICROS),
        _ => [
            Type::Number(26, TIME_MILLIS),
            Type::Number(36, TIME_MICROS),
            Type::Number(40, TIMESTAMP_MILLIS),
            Type::Number(40, LOCAL_TIMESTAMP_MILLIS),
            Type::Duration,
        ]
        .into_iter()
        .nth(rng.usize(..5))
        .unwrap_or(Type::Boolean),
    }
}

const DATE: &str = r#"{"type": "int", "logicalType": "date"}"#;
const TIME_MILLIS: &str = r#"{"type": "int", "logicalType": "time-millis"}"#;
const TIME_MICROS: &str = r#"{"type": "long", "logicalType": "time-micros"}"#;
const TIMESTAMP_MILLIS: &str = r#"{"type": "long", "logicalType": "timestamp-millis"}"#;
const TIMESTAMP_MICROS: &str = r#"{"type": "long", "logicalType": "timestamp-micros"}"#;
const LOCAL_TIMESTAMP_MILLIS: &str = r#"{"type": "long", "logicalType": "local-timestamp-millis"}"#;

impl Type {
    /// Writes the schema; `names` counts the named types so far.
    fn write(&self, text: &mut String, names: &mut usize) {
        let mut name = || {
            *names += 1;
            format!("N{names}")
        };
        let written = match self {
            Self::Boolean => r#""boolean""#.into(),
            Self::Number(_, schema) => (*schema).into(),
            Self::Float => r#""float""#.into(),
            Self::Double => r#""double""#.into(),
            Self::Bytes(_) => r#""bytes""#.into(),
            Self::Text { .. } => r#""string""#.into(),
            Self::Uuid => r#"{"type": "string", "logicalType": "uuid"}"#.into(),
            Self::Fixed(size) => format!(r#"{{"type": "fixed", "name": "{}", "size": {size}}}"#, name()),
            Self::Duration => format!(
                r#"{{"type": "fixed", "name": "{}", "size": 12, "logicalType": "duration"}}"#,
                name()
            ),
            Self::Enum(symbols) => {
                let symbols: Vec<String> = (0..*symbols).map(|at| format!(r#""S{at}""#)).collect();
                let symbols = symbols.join(", ");
                format!(
                    r#"{{"type": "enum", "name": "{}", "symbols": [{symbols}]}}"#,
                    name()
                )
            }
            Self::Decimal(precision, None) => format!(
                r#"{{"type": "bytes", "logicalType": "decimal", "precision": {precision}, "scale": 2}}"#
            ),
            Self::Decimal(precision, Some(size)) => format!(
                r#"{{"type": "fixed", "name": "{}", "size": {size}, "logicalType": "decimal", "precision": {precision}, "scale": 2}}"#,
                name()
            ),
            _ => return self.write_nested(text, names),
        };
        text.push_str(&written);
    }

    fn write_nested(&self, text: &mut String, names: &mut usize) {
        let mut list = |text: &mut String, types: &[&Self]| {
            for (at, ty) in types.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                ty.write(text, names);
            }
        };
        match self {
            Self::Optional {
                inner, is_null_first, ..
            } => {
                text.push_str(if *is_null_first { r#"["null", "# } else { "[" });
                list(text, &[inner]);
                text.push_str(if *is_null_first { "]" } else { r#", "null"]"# });
            }
            Self::Union(branches) => {
                text.push('[');
                list(text, &branches.iter().collect::<Vec<_>>());
                text.push(']');
            }
            Self::Array(item, _) => {
                text.push_str(r#"{"type": "array", "items": "#);
                list(text, &[item]);
                text.push('}');
            }
            Self::Map(value, _) => {
                text.push_str(r#"{"type": "map", "values": "#);
                list(text, &[value]);
                text.push('}');
            }
            Self::Record(fields) => {
                *names += 1;
                let _ = write!(text, r#"{{"type": "record", "name": "N{names}", "fields": ["#);
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    let _ = write!(text, r#"{comma}{{"name": "f{at}", "type": "#);
                    field.write(text, names);
                    text.push('}');
                }
                text.push_str("]}");
            }
            _ => {}
        }
    }

    fn encode(&self, rng: &mut Rng, body: &mut Body) {
        match self {
            Self::Boolean => body.boolean(rng.bool()),
            Self::Number(bits, _) => body.long(rng.i64(-(1 << bits.min(&62))..1 << bits.min(&62))),
            Self::Float => body.float(rng.f32()),
            Self::Double => body.double(rng.f64()),
            Self::Bytes(bytes) => {
                let len = rng.usize(bytes.clone());
                body.long(len as i64);
                body.fixed(rng, len);
            }
            Self::Text { bytes, is_ascii } => body.text(rng, bytes.clone(), *is_ascii),
            Self::Uuid => body.uuid(rng),
            Self::Fixed(size) => body.fixed(rng, *size),
            Self::Duration => (0..3).for_each(|_| body.fixed_word(rng.u32(..1000))),
            Self::Enum(symbols) => body.long(rng.i64(0..*symbols)),
            Self::Decimal(precision, size) => {
                let digits = rng.u32(1..=*precision);
                let value = rng.i128(0..10i128.pow(digits)) * if rng.bool() { 1 } else { -1 };
                match size {
                    Some(size) => body.decimal_fixed(value, *size),
                    None => body.decimal(value),
                }
            }
            Self::Optional {
                inner,
                is_null_first,
                present_percent,
            } => {
                let is_there = rng.u8(..100) < *present_percent;
                body.long((is_there == *is_null_first).into());
                if is_there {
                    inner.encode(rng, body);
                }
            }
            Self::Union(branches) => {
                let branch = rng.usize(..branches.len());
                body.long(branch as i64);
                branches[branch].encode(rng, body);
            }
            Self::Record(fields) => fields.iter().for_each(|field| field.encode(rng, body)),
            Self::Array(item, items) => {
                body.block(rng, items.clone(), |rng, body| item.encode(rng, body));
            }
            Self::Map(value, items) => body.block(rng, items.clone(), |rng, body| {
                body.string(rng, 3..=10);
                value.encode(rng, body);
            }),
        }
    }
}
