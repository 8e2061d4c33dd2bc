//! Avro types as trees, their JSON, and random ones.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use super::dice::Dice;
use super::values::{Val, default_value};

/// A type. Named types that occur twice are equal wherever they occur, and written as references
/// after the first time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ty {
    pub(crate) base: Base,
    pub(crate) logical: Option<Logical>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Base {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(Name, usize),
    Enum(Name, Symbols),
    Array(Box<Ty>),
    Map(Box<Ty>),
    Record(Name, Vec<Field>),
    Union(Vec<Ty>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    pub(crate) full: String,
    pub(crate) aliases: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Symbols {
    pub(crate) symbols: Vec<String>,
    pub(crate) default: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) ty: Ty,
    pub(crate) default: Option<Val>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Logical {
    /// Precision and scale.
    Decimal(u8, u8),
    BigDecimal,
    Uuid,
    Date,
    TimeMillis,
    TimeMicros,
    /// A power of a thousand per second (1 to 3), and whether it is in UTC.
    Timestamp(u32, bool),
    Duration,
}

impl Name {
    pub(crate) fn short(&self) -> &str {
        self.full.rsplit_once('.').map_or(&self.full, |(_, name)| name)
    }

    fn namespace(&self) -> Option<&str> {
        self.full.rsplit_once('.').map(|(namespace, _)| namespace)
    }
}

impl From<Base> for Ty {
    fn from(base: Base) -> Self {
        Self { base, logical: None }
    }
}

impl Ty {
    pub(crate) fn with(base: Base, logical: Logical) -> Self {
        Self {
            base,
            logical: Some(logical),
        }
    }

    pub(crate) fn array(item: Self) -> Self {
        Base::Array(Box::new(item)).into()
    }

    pub(crate) fn name(&self) -> Option<&Name> {
        match &self.base {
            Base::Fixed(name, _) | Base::Enum(name, _) | Base::Record(name, _) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn name_mut(&mut self) -> Option<&mut Name> {
        match &mut self.base {
            Base::Fixed(name, _) | Base::Enum(name, _) | Base::Record(name, _) => Some(name),
            _ => None,
        }
    }

    pub(crate) fn branches(&self) -> Option<&[Self]> {
        match &self.base {
            Base::Union(branches) => Some(branches),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        self.base == Base::Null
    }

    /// What makes two branches of a union the same.
    pub(crate) fn branch_key(&self) -> String {
        self.name().map_or_else(
            || self.base.keyword().to_owned(),
            |name| format!("name {}", name.full),
        )
    }

    /// The type without any field's default.
    pub(crate) fn without_defaults(mut self) -> Self {
        match &mut self.base {
            Base::Array(inner) | Base::Map(inner) => **inner = inner.clone().without_defaults(),
            Base::Record(_, fields) => {
                for field in fields {
                    field.default = None;
                    field.ty = field.ty.clone().without_defaults();
                }
            }
            Base::Union(branches) => {
                for branch in branches {
                    *branch = branch.clone().without_defaults();
                }
            }
            _ => {}
        }
        self
    }

    /// The schema's text.
    pub(crate) fn json(&self) -> String {
        self.to_json(&mut HashSet::new()).to_string()
    }

    fn to_json(&self, seen: &mut HashSet<String>) -> Json {
        if let Some(name) = self.name()
            && !seen.insert(name.full.clone())
        {
            return json!(name.full);
        }
        let mut object = Map::new();
        let keyword = self.base.keyword();
        object.insert("type".into(), json!(keyword));
        if let Some(name) = self.name() {
            object.insert("name".into(), json!(name.short()));
            object.insert("namespace".into(), json!(name.namespace().unwrap_or("")));
            if !name.aliases.is_empty() {
                object.insert("aliases".into(), json!(name.aliases));
            }
        }
        match &self.base {
            Base::Fixed(_, size) => drop(object.insert("size".into(), json!(size))),
            Base::Enum(_, Symbols { symbols, default }) => {
                object.insert("symbols".into(), json!(symbols));
                if let Some(default) = default {
                    object.insert("default".into(), json!(symbols[*default]));
                }
            }
            Base::Array(item) => drop(object.insert("items".into(), item.to_json(seen))),
            Base::Map(value) => drop(object.insert("values".into(), value.to_json(seen))),
            Base::Record(_, fields) => {
                let fields: Vec<_> = fields.iter().map(|field| field.to_json(seen)).collect();
                object.insert("fields".into(), json!(fields));
            }
            Base::Union(branches) => {
                return json!(branches.iter().map(|ty| ty.to_json(seen)).collect::<Vec<_>>());
            }
            _ if self.logical.is_none() => return json!(keyword),
            _ => {}
        }
        if let Some(logical) = self.logical {
            logical.add_to(&mut object);
        }
        Json::Object(object)
    }
}

impl Field {
    fn to_json(&self, seen: &mut HashSet<String>) -> Json {
        let mut object = Map::new();
        object.insert("name".into(), json!(self.name));
        object.insert("type".into(), self.ty.to_json(seen));
        if !self.aliases.is_empty() {
            object.insert("aliases".into(), json!(self.aliases));
        }
        if let Some(default) = &self.default {
            object.insert("default".into(), default.to_json(&self.ty));
        }
        Json::Object(object)
    }
}

impl Base {
    pub(crate) fn keyword(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::Text => "string",
            Self::Fixed(..) => "fixed",
            Self::Enum(..) => "enum",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Record(..) => "record",
            Self::Union(_) => "union",
        }
    }
}

impl Logical {
    fn add_to(self, object: &mut Map<String, Json>) {
        let name = match self {
            Self::Decimal(precision, scale) => {
                object.insert("precision".into(), json!(precision));
                object.insert("scale".into(), json!(scale));
                "decimal"
            }
            Self::BigDecimal => "big-decimal",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::TimeMillis => "time-millis",
            Self::TimeMicros => "time-micros",
            Self::Timestamp(1, true) => "timestamp-millis",
            Self::Timestamp(2, true) => "timestamp-micros",
            Self::Timestamp(_, true) => "timestamp-nanos",
            Self::Timestamp(1, false) => "local-timestamp-millis",
            Self::Timestamp(2, false) => "local-timestamp-micros",
            Self::Timestamp(_, false) => "local-timestamp-nanos",
            Self::Duration => "duration",
        };
        object.insert("logicalType".into(), json!(name));
    }
}

/// Makes random types.
pub(crate) struct Types {
    names: usize,
    is_qualified: bool,
    /// Named types made so far, to be referred to.
    known: Vec<Ty>,
    nodes_left: usize,
    /// Whether there are decimals that the model knows nothing of: of more digits than Arrow's, and
    /// with their own scale.
    has_big: bool,
}

impl Types {
    pub(crate) fn new(dice: &mut Dice<'_>) -> Self {
        Self {
            names: 0,
            is_qualified: dice.once_in(2),
            known: Vec::new(),
            nodes_left: 40,
            has_big: false,
        }
    }

    /// The same, with decimals that no fixed number of bits can hold.
    pub(crate) fn with_big(dice: &mut Dice<'_>) -> Self {
        let mut types = Self::new(dice);
        types.has_big = true;
        types
    }

    /// Refers to none of the types made so far any more.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    pub(crate) fn new_name(&mut self, dice: &mut Dice<'_>) -> Name {
        self.names += 1;
        let full = match (self.is_qualified, dice.below(3)) {
            (false, _) => format!("N{}", self.names),
            (true, 0) => format!("a.N{}", self.names),
            (true, 1) => format!("a.b.N{}", self.names),
            (true, _) => format!("c.N{}", self.names),
        };
        Name {
            full,
            aliases: Vec::new(),
        }
    }

    /// A whole message's type: mostly a record.
    pub(crate) fn root(&mut self, dice: &mut Dice<'_>) -> Ty {
        if dice.once_in(5) {
            self.ty(dice, 3)
        } else {
            self.record(dice, 4)
        }
    }

    /// A type that nests at most `depth` levels deep.
    pub(crate) fn ty(&mut self, dice: &mut Dice<'_>, depth: usize) -> Ty {
        if depth == 0 || self.nodes_left == 0 {
            return self.leaf(dice);
        }
        self.nodes_left -= 1;
        match dice.below(13) {
            3 | 11 => Ty::array(self.ty(dice, depth - 1)),
            4 | 12 => Base::Map(Box::new(self.ty(dice, depth - 1))).into(),
            5 | 6 => self.record(dice, depth),
            7 | 8 => {
                let inner = self.ty(dice, depth - 1);
                nullable(dice, inner)
            }
            9 => self.union(dice, depth),
            10 if !self.known.is_empty() => dice.pick(&self.known),
            _ => self.leaf(dice),
        }
    }

    fn leaf(&mut self, dice: &mut Dice<'_>) -> Ty {
        let base = match dice.below(13) {
            0 => Base::Int,
            1 => Base::Long,
            2 => Base::Text,
            3 => Base::Boolean,
            4 => Base::Float,
            5 => Base::Double,
            6 => Base::Bytes,
            7 => Base::Null,
            8 | 9 => return self.named_leaf(dice),
            _ if self.has_big && dice.once_in(4) => return self.big_leaf(dice),
            _ => return logical_leaf(dice),
        };
        base.into()
    }

    fn big_leaf(&mut self, dice: &mut Dice<'_>) -> Ty {
        match dice.below(3) {
            0 => Ty::with(Base::Bytes, Logical::BigDecimal),
            1 => Ty::with(Base::Bytes, Logical::Decimal(90, 4)),
            _ => {
                let name = self.new_name(dice);
                let ty = Ty::with(Base::Fixed(name, 40), Logical::Decimal(90, 4));
                self.known.push(ty.clone());
                ty
            }
        }
    }

    fn named_leaf(&mut self, dice: &mut Dice<'_>) -> Ty {
        let name = self.new_name(dice);
        let ty = match dice.below(6) {
            0 | 1 => {
                let symbols: Vec<String> = (0..=dice.below(4)).map(|at| format!("S{at}")).collect();
                let default = dice.once_in(3).then(|| dice.below(symbols.len()));
                Base::Enum(name, Symbols { symbols, default }).into()
            }
            2 => Ty::with(Base::Fixed(name, 16), Logical::Uuid),
            3 => Ty::with(Base::Fixed(name, 12), Logical::Duration),
            4 => {
                let (bytes, precision) = dice.pick(&[(4, 9), (9, 20), (20, 45)]);
                Ty::with(
                    Base::Fixed(name, bytes),
                    Logical::Decimal(precision, dice.below(3) as u8),
                )
            }
            _ => Base::Fixed(name, dice.below(5)).into(),
        };
        self.known.push(ty.clone());
        ty
    }

    pub(crate) fn record(&mut self, dice: &mut Dice<'_>, depth: usize) -> Ty {
        let name = self.new_name(dice);
        let count = dice.pick(&[2, 3, 4, 5, 8, 1, 0]);
        let fields = (0..count).map(|at| {
            let ty = self.ty(dice, depth.saturating_sub(1));
            // A writer's defaults mean nothing, but a reader may keep them.
            let default = dice.once_in(4).then(|| default_value(dice, &ty));
            Field {
                name: format!("f{at}"),
                aliases: Vec::new(),
                ty,
                default,
            }
        });
        let ty: Ty = Base::Record(name, fields.collect()).into();
        self.known.push(ty.clone());
        ty
    }

    fn union(&mut self, dice: &mut Dice<'_>, depth: usize) -> Ty {
        let mut branches: Vec<Ty> = Vec::new();
        for _ in 0..=dice.below(5) {
            let branch = self.ty(dice, depth - 1);
            add_branch(&mut branches, branch);
        }
        Base::Union(branches).into()
    }
}

/// Adds a branch, unless the union has it or cannot have it.
pub(crate) fn add_branch(branches: &mut Vec<Ty>, branch: Ty) {
    match branch.base {
        Base::Union(inner) => inner.into_iter().for_each(|ty| add_branch(branches, ty)),
        _ if branches.iter().any(|ty| ty.branch_key() == branch.branch_key()) => {}
        _ => branches.push(branch),
    }
}

/// `ty` or null; a union gets null as a branch.
pub(crate) fn nullable(dice: &mut Dice<'_>, ty: Ty) -> Ty {
    let mut branches = Vec::new();
    let null = Ty::from(Base::Null);
    if dice.once_in(3) {
        add_branch(&mut branches, ty);
        add_branch(&mut branches, null);
    } else {
        add_branch(&mut branches, null);
        add_branch(&mut branches, ty);
    }
    Base::Union(branches).into()
}

fn logical_leaf(dice: &mut Dice<'_>) -> Ty {
    let (base, logical) = match dice.below(8) {
        0 => (Base::Int, Logical::Date),
        1 => (Base::Int, Logical::TimeMillis),
        2 => (Base::Long, Logical::TimeMicros),
        3 => (Base::Text, Logical::Uuid),
        4 => (Base::Bytes, Logical::Decimal(9, 3)),
        5 => (Base::Bytes, Logical::Decimal(45, 0)),
        _ => {
            let unit = 1 + dice.below(3) as u32;
            (Base::Long, Logical::Timestamp(unit, !dice.once_in(3)))
        }
    };
    Ty::with(base, logical)
}
