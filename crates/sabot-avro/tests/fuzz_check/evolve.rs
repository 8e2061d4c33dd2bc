//! Random reader schemas, by the steps in which schemas evolve.

use std::collections::HashMap;

use super::dice::Dice;
use super::types::{Base, Field, Logical, Symbols, Ty, Types, add_branch, nullable};
use super::values::default_value;

/// Makes reader types out of writer types.
pub(crate) struct Evolution<'a> {
    types: &'a mut Types,
    /// What the writer's named types have become, by name: wherever they occur, they have to become
    /// the same.
    evolved: HashMap<String, Ty>,
    /// How often a type is replaced by one that cannot be read: once in so many times.
    calm: usize,
}

impl<'a> Evolution<'a> {
    pub(crate) fn new(dice: &mut Dice<'_>, types: &'a mut Types) -> Self {
        // What is new cannot refer to the writer's types, which the reader has in other versions.
        types.forget();
        Self {
            types,
            evolved: HashMap::new(),
            calm: dice.pick(&[1000, 60, 15]),
        }
    }

    /// The reader's type for a whole message of `ty`: mostly of the same kind, or little could be
    /// read.
    pub(crate) fn root(&mut self, dice: &mut Dice<'_>, ty: &Ty) -> Ty {
        if matches!(ty.base, Base::Record(..)) && !dice.once_in(12) {
            let mut evolved = self.named(dice, ty);
            self.rename(dice, &mut evolved);
            return evolved;
        }
        self.ty(dice, ty)
    }

    /// The reader's type for the writer's `ty`.
    pub(crate) fn ty(&mut self, dice: &mut Dice<'_>, ty: &Ty) -> Ty {
        if dice.once_in(self.calm) {
            return self.types.ty(dice, 1);
        }
        if let Some(name) = ty.name() {
            if let Some(known) = self.evolved.get(&name.full) {
                return known.clone();
            }
            let mut evolved = self.named(dice, ty);
            self.rename(dice, &mut evolved);
            self.evolved.insert(name.full.clone(), evolved.clone());
            return self.wrapped(dice, evolved);
        }
        match &ty.base {
            Base::Union(branches) => self.union(dice, branches),
            Base::Array(item) => {
                let item = self.ty(dice, item);
                self.wrapped(dice, Ty::array(item))
            }
            Base::Map(value) => {
                let value = self.ty(dice, value);
                self.wrapped(dice, Base::Map(Box::new(value)).into())
            }
            _ => {
                let evolved = self.leaf(dice, ty);
                self.wrapped(dice, evolved)
            }
        }
    }

    /// The type as it is, or nullable, or a branch of a union.
    fn wrapped(&mut self, dice: &mut Dice<'_>, ty: Ty) -> Ty {
        match dice.below(16) {
            13 | 14 => nullable(dice, ty),
            15 => {
                let mut branches = Vec::new();
                let other = self.types.ty(dice, 1);
                if dice.once_in(2) {
                    add_branch(&mut branches, other.clone());
                }
                add_branch(&mut branches, ty);
                add_branch(&mut branches, other);
                Base::Union(branches).into()
            }
            _ => ty,
        }
    }

    fn leaf(&mut self, dice: &mut Dice<'_>, ty: &Ty) -> Ty {
        match dice.below(8) {
            5 => promoted(dice, ty),
            // A logical type added or taken away.
            6 => ty.base.clone().into(),
            7 => {
                let logical = match &ty.base {
                    Base::Int => dice.pick(&[Logical::Date, Logical::TimeMillis]),
                    Base::Long => Logical::Timestamp(1 + dice.below(3) as u32, !dice.once_in(4)),
                    Base::Bytes => Logical::Decimal(dice.pick(&[9, 12, 45]), dice.pick(&[3, 0])),
                    Base::Text => Logical::Uuid,
                    _ => return ty.clone(),
                };
                Ty::with(ty.base.clone(), logical)
            }
            _ => ty.clone(),
        }
    }

    /// The types below a named type, and what belongs to it, but for its name.
    fn named(&mut self, dice: &mut Dice<'_>, ty: &Ty) -> Ty {
        let base = match &ty.base {
            Base::Enum(name, symbols) => Base::Enum(name.clone(), self.symbols(dice, symbols)),
            Base::Record(name, fields) => Base::Record(name.clone(), self.fields(dice, fields)),
            Base::Fixed(name, size) if dice.once_in(20) => Base::Fixed(name.clone(), size + 1),
            Base::Fixed(name, size) if dice.once_in(10) => {
                return Base::Fixed(name.clone(), *size).into();
            }
            base => base.clone(),
        };
        let has_size = matches!((&base, &ty.base), (Base::Fixed(_, a), Base::Fixed(_, b)) if a == b);
        Ty {
            logical: ty.logical.filter(|_| has_size),
            base,
        }
    }

    fn rename(&mut self, dice: &mut Dice<'_>, ty: &mut Ty) {
        let choice = dice.below(12);
        let Some(name) = ty.name_mut().filter(|_| choice >= 8) else {
            return;
        };
        let new = self.types.new_name(dice);
        let old = std::mem::replace(name, new);
        match choice {
            // With an alias, which may be written without its namespace where it is the same.
            8 | 9 => {
                let is_near = old.full.len() - old.short().len() == name.full.len() - name.short().len()
                    && old
                        .full
                        .starts_with(&name.full[..name.full.len() - name.short().len()]);
                let alias = if is_near { old.short() } else { &old.full };
                name.aliases = vec!["Other".into(), alias.to_owned()];
            }
            // Another namespace: the unqualified name is what matters.
            10 => {
                let namespace = name.full.len() - name.short().len();
                let full = format!("{}{}", &name.full[..namespace], old.short());
                name.full = full;
            }
            // Nothing in common.
            _ if dice.once_in(4) => {}
            _ => *name = old,
        }
    }

    fn symbols(&mut self, dice: &mut Dice<'_>, written: &Symbols) -> Symbols {
        let mut symbols = written.symbols.clone();
        if dice.once_in(3) {
            dice.shuffle(&mut symbols);
        }
        if dice.once_in(3) {
            symbols.truncate((symbols.len() - dice.below(2)).max(1));
        }
        if dice.once_in(3) {
            symbols.insert(dice.below(symbols.len()), "NEW".into());
        }
        let default = dice.once_in(2).then(|| dice.below(symbols.len()));
        Symbols { symbols, default }
    }

    fn fields(&mut self, dice: &mut Dice<'_>, written: &[Field]) -> Vec<Field> {
        let mut fields = Vec::new();
        for (at, field) in written.iter().enumerate() {
            if dice.once_in(6) {
                continue;
            }
            let ty = self.ty(dice, &field.ty);
            let default = dice.once_in(3).then(|| default_value(dice, &ty));
            let mut evolved = Field {
                name: field.name.clone(),
                aliases: Vec::new(),
                ty,
                default,
            };
            if dice.once_in(10) {
                evolved.aliases = vec!["nobody".into(), field.name.clone()];
                evolved.name = format!("r{at}");
            }
            fields.push(evolved);
        }
        if dice.once_in(4) {
            dice.shuffle(&mut fields);
        }
        for at in 0..dice.below(3) {
            let ty = self.types.ty(dice, 2);
            // Without a default the record cannot be read.
            let default = (!dice.once_in(40)).then(|| default_value(dice, &ty));
            let field = Field {
                name: format!("new{at}"),
                aliases: Vec::new(),
                ty,
                default,
            };
            fields.insert(dice.below(fields.len() + 1), field);
        }
        fields
    }

    fn union(&mut self, dice: &mut Dice<'_>, written: &[Ty]) -> Ty {
        let mut branches = Vec::new();
        for branch in written {
            if dice.once_in(12) {
                continue;
            }
            let branch = if dice.once_in(3) {
                self.ty(dice, branch)
            } else {
                self.same(branch)
            };
            add_branch(&mut branches, branch);
        }
        if dice.once_in(6) {
            dice.shuffle(&mut branches);
        }
        if dice.once_in(8) {
            let other = self.types.ty(dice, 1);
            add_branch(&mut branches, other);
        }
        if branches.is_empty() || dice.once_in(16) {
            // Out of the union altogether.
            let branch = dice.pick(written);
            return self.ty(dice, &branch);
        }
        Base::Union(branches).into()
    }

    /// The type as it is, but for named types within it that have changed already; those that have
    /// not, never will.
    fn same(&mut self, ty: &Ty) -> Ty {
        if let Some(known) = ty.name().and_then(|name| self.evolved.get(&name.full)) {
            return known.clone();
        }
        let mut same = ty.clone();
        match &mut same.base {
            Base::Array(inner) | Base::Map(inner) => **inner = self.same(inner),
            Base::Union(branches) => branches.iter_mut().for_each(|branch| *branch = self.same(branch)),
            Base::Record(_, fields) => fields.iter_mut().for_each(|field| {
                field.ty = self.same(&field.ty);
                field.default = None;
            }),
            _ => {}
        }
        if let Some(name) = ty.name() {
            self.evolved.insert(name.full.clone(), same.clone());
        }
        same
    }
}

fn promoted(dice: &mut Dice<'_>, ty: &Ty) -> Ty {
    let choices: &[Base] = match &ty.base {
        Base::Int => &[Base::Long, Base::Float, Base::Double],
        Base::Long => &[Base::Float, Base::Double],
        Base::Float => &[Base::Double],
        Base::Bytes => &[Base::Text],
        Base::Text => &[Base::Bytes],
        _ => return ty.clone(),
    };
    let base = dice.pick(choices);
    let logical = match (ty.logical, &base) {
        (Some(Logical::TimeMillis), Base::Long) => Some(Logical::TimeMicros),
        _ => None,
    };
    Ty { base, logical }
}
