//! Random schemas, values and evolutions, decoded here and by apache-avro.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::common::{long, sized};
use crate::fuzz_check::Pair;

/// A type, written as JSON and as values.
#[derive(Debug, Clone)]
enum Ty {
    Plain(&'static str),
    Logical(&'static str, &'static str),
    Decimal,
    Fixed(String, usize),
    Enum(String, usize),
    Array(Box<Ty>),
    Map(Box<Ty>),
    Record(String, Vec<Field>),
    Union(Vec<Ty>),
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    ty: Ty,
    default: Option<&'static str>,
}

/// A stream of choices.
struct Dice {
    state: u64,
    names: usize,
}

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % sides
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("N{}", self.names)
    }

    fn number(&mut self) -> i64 {
        let bits = self.roll(64);
        let number = (self.roll(1 << 31) as i64) << 31 | self.roll(1 << 31) as i64;
        if self.roll(2) == 0 {
            number >> bits
        } else {
            -(number >> bits)
        }
    }

    fn leaf(&mut self) -> Ty {
        match self.roll(10) {
            0 => Ty::Fixed(self.name(), self.roll(4)),
            1 => Ty::Enum(self.name(), 1 + self.roll(4)),
            2 => Ty::Decimal,
            3 => {
                let (base, logical) = self.pick(&[
                    ("int", "date"),
                    ("int", "time-millis"),
                    ("long", "time-micros"),
                    ("long", "timestamp-millis"),
                    ("long", "timestamp-micros"),
                    ("long", "timestamp-nanos"),
                    ("long", "local-timestamp-millis"),
                ]);
                Ty::Logical(base, logical)
            }
            _ => Ty::Plain(self.pick(&[
                "null", "boolean", "int", "long", "float", "double", "bytes", "string",
            ])),
        }
    }

    fn ty(&mut self, depth: usize) -> Ty {
        if depth == 0 {
            return self.leaf();
        }
        match self.roll(9) {
            0 => Ty::Array(Box::new(self.ty(depth - 1))),
            1 => Ty::Map(Box::new(self.ty(depth - 1))),
            2 => self.record(depth),
            3 | 4 => {
                let mut ty = self.ty(depth - 1);
                while matches!(ty, Ty::Union(_) | Ty::Plain("null")) {
                    ty = self.leaf();
                }
                let null = Ty::Plain("null");
                Ty::Union(if self.roll(2) == 0 {
                    vec![null, ty]
                } else {
                    vec![ty, null]
                })
            }
            5 => {
                // Of kinds that apache-avro tells apart by the value alone.
                let mut branches = vec![
                    Ty::Plain("boolean"),
                    Ty::Plain("long"),
                    Ty::Plain("double"),
                    Ty::Plain("string"),
                ];
                branches.push(Ty::Plain("null"));
                branches.push(Ty::Array(Box::new(Ty::Plain("long"))));
                branches.push(self.record(depth - 1));
                self.shuffle(&mut branches);
                branches.truncate(2 + self.roll(5));
                Ty::Union(branches)
            }
            _ => self.leaf(),
        }
    }

    fn record(&mut self, depth: usize) -> Ty {
        let name = self.name();
        let count = self.roll(5);
        let fields = (0..count)
            .map(|at| Field {
                name: format!("f{at}"),
                ty: self.ty(depth.saturating_sub(1)),
                default: None,
            })
            .collect();
        Ty::Record(name, fields)
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in 1..items.len() {
            items.swap(at, self.roll(at + 1));
        }
    }

    /// Some bytes that are a value of `ty`.
    fn value(&mut self, ty: &Ty) -> Vec<u8> {
        match ty {
            Ty::Plain("null") => vec![],
            Ty::Plain("boolean") => vec![self.roll(2) as u8],
            Ty::Plain("int") | Ty::Logical("int", _) => long(i64::from(self.number() as i32)),
            Ty::Plain("long") | Ty::Logical(..) => long(self.number()),
            Ty::Plain("float") => (self.number() as f32 / 3.0).to_le_bytes().to_vec(),
            Ty::Plain("double") => (self.number() as f64 / 3.0).to_le_bytes().to_vec(),
            Ty::Plain(text) => {
                let text_bytes = self.pick(&["", "a", "größer", "a text of more than twelve bytes"]);
                if *text == "bytes" && self.roll(4) == 0 {
                    sized([0xff, 0])
                } else {
                    sized(text_bytes)
                }
            }
            Ty::Decimal => sized(&((self.number() % 100_000) as i32).to_be_bytes()[..]),
            Ty::Fixed(_, size) => (0..*size).map(|_| self.roll(256) as u8).collect(),
            Ty::Enum(_, symbols) => long(self.roll(*symbols) as i64),
            Ty::Array(item) => self.blocks(|dice, _| dice.value(item)),
            Ty::Map(value) => self.blocks(|dice, at| [sized(format!("k{at}")), dice.value(value)].concat()),
            Ty::Record(_, fields) => fields.iter().flat_map(|field| self.value(&field.ty)).collect(),
            Ty::Union(branches) => {
                let branch = self.roll(branches.len());
                [long(branch as i64), self.value(&branches[branch])].concat()
            }
        }
    }

    fn blocks(&mut self, mut item: impl FnMut(&mut Self, usize) -> Vec<u8>) -> Vec<u8> {
        let (mut bytes, mut at) = (Vec::new(), 0);
        for _ in 0..self.roll(3) {
            let count = 1 + self.roll(2);
            let items: Vec<u8> = (at..at + count).flat_map(|at| item(self, at)).collect();
            at += count;
            if self.roll(2) == 0 {
                bytes.extend(long(count as i64));
            } else {
                bytes.extend(long(-(count as i64)));
                bytes.extend(long(items.len() as i64));
            }
            bytes.extend(items);
        }
        bytes.push(0);
        bytes
    }

    /// A type that values of `ty` can be read as.
    fn evolve(&mut self, ty: &Ty) -> Ty {
        match ty {
            Ty::Plain("int") => Ty::Plain(self.pick(&["int", "long", "float", "double"])),
            Ty::Plain("long") => Ty::Plain(self.pick(&["long", "float", "double"])),
            Ty::Plain("float") => Ty::Plain(self.pick(&["float", "double"])),
            Ty::Plain("string" | "bytes") => Ty::Plain(self.pick(&["string", "bytes"])),
            Ty::Array(item) => Ty::Array(Box::new(self.evolve(item))),
            Ty::Map(value) => Ty::Map(Box::new(self.evolve(value))),
            Ty::Record(name, fields) => {
                let mut fields: Vec<_> = fields
                    .iter()
                    .map(|field| Field {
                        ty: self.evolve_field(&field.ty),
                        ..field.clone()
                    })
                    .collect();
                self.shuffle(&mut fields);
                fields.truncate(fields.len() - self.roll(2).min(fields.len()));
                if self.roll(2) == 0 {
                    let (ty, default) = self.pick(
                        &[
                            (Ty::Plain("int"), "-3"),
                            (Ty::Plain("string"), "\"d\""),
                            (Ty::Plain("boolean"), "true"),
                            (Ty::Plain("double"), "0.5"),
                        ]
                        .each_ref(),
                    );
                    fields.insert(
                        0,
                        Field {
                            name: "new".into(),
                            ty: ty.clone(),
                            default: Some(*default),
                        },
                    );
                }
                Ty::Record(name.clone(), fields)
            }
            Ty::Union(branches) if branches.len() == 2 && matches!(branches[0], Ty::Plain("null")) => {
                Ty::Union(vec![branches[0].clone(), self.evolve(&branches[1])])
            }
            Ty::Union(branches) => {
                let mut branches = branches.clone();
                self.shuffle(&mut branches);
                Ty::Union(branches)
            }
            other => other.clone(),
        }
    }

    fn evolve_field(&mut self, ty: &Ty) -> Ty {
        let evolved = self.evolve(ty);
        if matches!(evolved, Ty::Union(_) | Ty::Plain("null")) || self.roll(4) > 0 {
            return evolved;
        }
        // The same type, so that apache-avro finds its branch by the value.
        Ty::Union(vec![Ty::Plain("null"), ty.clone()])
    }
}

impl Ty {
    fn json(&self) -> String {
        match self {
            Self::Plain(name) => format!("\"{name}\""),
            Self::Logical(base, logical) => format!(r#"{{"type": "{base}", "logicalType": "{logical}"}}"#),
            Self::Decimal => {
                r#"{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 3}"#.into()
            }
            Self::Fixed(name, size) => format!(r#"{{"type": "fixed", "name": "{name}", "size": {size}}}"#),
            Self::Enum(name, symbols) => {
                let symbols: Vec<_> = (0..*symbols).map(|at| format!("\"S{at}\"")).collect();
                format!(
                    r#"{{"type": "enum", "name": "{name}", "symbols": [{}]}}"#,
                    symbols.join(",")
                )
            }
            Self::Array(item) => format!(r#"{{"type": "array", "items": {}}}"#, item.json()),
            Self::Map(value) => format!(r#"{{"type": "map", "values": {}}}"#, value.json()),
            Self::Record(name, fields) => {
                let fields: Vec<_> = fields.iter().map(Field::json).collect();
                format!(
                    r#"{{"type": "record", "name": "{name}", "fields": [{}]}}"#,
                    fields.join(",")
                )
            }
            Self::Union(branches) => {
                format!(
                    "[{}]",
                    branches.iter().map(Self::json).collect::<Vec<_>>().join(",")
                )
            }
        }
    }
}

impl Field {
    fn json(&self) -> String {
        let default = self
            .default
            .map_or_else(String::new, |default| format!(r#", "default": {default}"#));
        format!(
            r#"{{"name": "{}", "type": {}{default}}}"#,
            self.name,
            self.ty.json()
        )
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn the_same_values(seed: u64) {
        let mut dice = Dice { state: seed, names: 0 };
        let ty = if seed % 5 == 0 { dice.ty(3) } else { dice.record(4) };
        let bodies: Vec<_> = (0..8).map(|_| dice.value(&ty)).collect();
        Pair::new(&ty.json(), None).compare(&bodies);
    }

    #[test]
    fn the_same_values_of_another_reader(seed: u64) {
        let mut dice = Dice { state: seed, names: 0 };
        let writer = dice.record(4);
        let reader = dice.evolve(&writer);
        let bodies: Vec<_> = (0..8).map(|_| dice.value(&writer)).collect();
        Pair::new(&writer.json(), Some(&reader.json())).compare(&bodies);
    }

    #[test]
    fn the_same_refusals(seed: u64) {
        let mut dice = Dice { state: seed, names: 0 };
        let writer = dice.record(3);
        let bodies: Vec<_> = (0..16).map(|_| {
            let mut body = dice.value(&writer);
            match dice.roll(3) {
                0 => body.truncate(dice.roll(body.len() + 1)),
                1 => body.push(dice.roll(256) as u8),
                _ => if !body.is_empty() {
                    let at = dice.roll(body.len());
                    body[at] ^= 1 << dice.roll(8);
                }
            }
            body
        }).collect();
        Pair::new(&writer.json(), None).compare(&bodies);
    }
}
