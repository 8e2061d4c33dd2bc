//! Stepping over values that the reader has no column for.
//!
//! A skipped value is checked for its structure alone: lengths, counts, union branches and integers
//! have to be well-formed, while booleans, enum symbols and UTF-8 are not looked at. Types are
//! visited where they are in the writer's schema, so that recursive ones can be skipped; types
//! without bytes are left out, so that every step takes some bytes and the work is bounded by the
//! message.

use sabot_codec::RowBudget;
use sabot_cursor::Cursor;
use sabot_decode::RowErrorKind;

use super::Op;
use super::prefix::{Failure, read_block, read_presence};
use crate::schema::{At, Kind, Schema, TypeId};

/// Levels of a skipped value at most, whatever the limit asked for: skipping recurses on the
/// thread's stack.
pub(super) const MAX_DEPTH: usize = 128;

/// How to skip each type of a schema, by position.
#[derive(Debug)]
pub(super) struct Skips {
    types: Box<[Skip]>,
    /// How to skip each type where it is in a record.
    steps: Box<[SkipStep]>,
    min_bytes: Box<[u32]>,
}

/// One value to step over, or a run of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SkipStep {
    pub(super) kind: SkipKind,
    /// As [`super::Op::non_null_byte`]: where the value may be null.
    pub(super) non_null_byte: u8,
    /// Bytes, or the type's position.
    pub(super) aux: u32,
}

/// What a [`SkipStep`] steps over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SkipKind {
    /// `aux` bytes.
    Bytes,
    Int,
    Long,
    /// A length and its bytes.
    Sized,
    /// A value of the type `aux`, which has others below it.
    Type,
}

/// How to skip a type.
#[derive(Debug)]
pub(super) enum Skip {
    One(SkipStep),
    /// Blocks of items, each with a key before it where it is a map.
    Blocks {
        has_key: bool,
        item: TypeId,
    },
    Union(Box<[TypeId]>),
    /// These in turn.
    Record(Box<[SkipStep]>),
}

impl SkipStep {
    const fn new(kind: SkipKind, aux: u32) -> Self {
        Self {
            kind,
            non_null_byte: Op::NO_TAG,
            aux,
        }
    }

    /// The bytes of a step that always takes as many.
    pub(super) fn exact_bytes(self) -> Option<u32> {
        (self.kind == SkipKind::Bytes && self.non_null_byte == Op::NO_TAG).then_some(self.aux)
    }

    /// One step for `self` and then `next`, where there is one.
    pub(super) fn merged(self, next: Self) -> Option<Self> {
        let bytes = self.exact_bytes()?.checked_add(next.exact_bytes()?)?;
        Some(Self::new(SkipKind::Bytes, bytes))
    }
}

impl Skips {
    pub(super) fn new(schema: &Schema) -> Self {
        let sizes = Sizes::new(schema);
        let ids = || (0..schema.len() as u32).map(TypeId);
        let steps: Box<[SkipStep]> = ids().map(|id| step(schema.at(id), &sizes)).collect();
        let types = ids().map(|id| match schema.at(id).kind() {
            _ if sizes.exact(id).is_some() => Skip::One(steps[id.0 as usize]),
            Kind::Array(item) => Skip::Blocks {
                has_key: false,
                item: *item,
            },
            Kind::Map(item) => Skip::Blocks {
                has_key: true,
                item: *item,
            },
            Kind::Union(branches) => Skip::Union(branches.clone().into()),
            Kind::Record(fields) => {
                let mut merged = Vec::new();
                for field in fields {
                    push_merged(&mut merged, steps[field.ty.0 as usize]);
                }
                Skip::Record(merged.into())
            }
            _ => Skip::One(steps[id.0 as usize]),
        });
        Self {
            types: types.collect(),
            steps,
            min_bytes: sizes.min,
        }
    }

    /// How to skip a value of the type.
    pub(super) fn step(&self, id: TypeId) -> SkipStep {
        self.steps[id.0 as usize]
    }

    /// How to skip a type, whatever is around it.
    pub(super) fn at(&self, id: TypeId) -> &Skip {
        &self.types[id.0 as usize]
    }

    /// The steps of a type that is a record.
    pub(super) fn record(&self, id: TypeId) -> Option<&[SkipStep]> {
        match &self.types[id.0 as usize] {
            Skip::Record(steps) => Some(steps),
            _ => None,
        }
    }

    /// A size that no value of the type falls below.
    pub(super) fn min_bytes(&self, id: TypeId) -> u32 {
        self.min_bytes[id.0 as usize]
    }

    /// Takes one step over a value that may nest `depth` levels deep.
    #[inline]
    pub(super) fn run(
        &self,
        step: SkipStep,
        cursor: &mut Cursor<'_>,
        budget: &mut RowBudget,
        depth: usize,
    ) -> Result<(), Failure> {
        if step.non_null_byte != Op::NO_TAG && !read_presence(cursor, step.non_null_byte)? {
            return Ok(());
        }
        match step.kind {
            SkipKind::Bytes => cursor.skip(step.aux as usize)?,
            SkipKind::Int => drop(cursor.read_int()?),
            SkipKind::Long => drop(cursor.read_long()?),
            SkipKind::Sized => drop(cursor.read_sized()?),
            SkipKind::Type => self.skip(TypeId(step.aux), cursor, budget, depth)?,
        }
        Ok(())
    }

    /// Steps over one value of any type.
    fn skip(
        &self,
        id: TypeId,
        cursor: &mut Cursor<'_>,
        budget: &mut RowBudget,
        depth: usize,
    ) -> Result<(), Failure> {
        let at = cursor.position();
        let below = || {
            depth
                .checked_sub(1)
                .ok_or(Failure::new(RowErrorKind::LimitExceeded("depth"), at))
        };
        match &self.types[id.0 as usize] {
            Skip::One(step) => self.run(*step, cursor, budget, depth),
            Skip::Record(steps) => {
                let below = below()?;
                steps
                    .iter()
                    .try_for_each(|step| self.run(*step, cursor, budget, below))
            }
            Skip::Union(branches) => {
                let index = cursor.read_long()?;
                let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
                let branch = branch.ok_or(Failure::new(RowErrorKind::InvalidUnionIndex(index), at))?;
                // No level of its own: no union is directly in another.
                self.skip(*branch, cursor, budget, depth)
            }
            Skip::Blocks { has_key, item } => self.skip_blocks(*has_key, *item, cursor, budget, below()?),
        }
    }

    fn skip_blocks(
        &self,
        has_key: bool,
        item: TypeId,
        cursor: &mut Cursor<'_>,
        budget: &mut RowBudget,
        depth: usize,
    ) -> Result<(), Failure> {
        let step = self.step(item);
        let min_item_bytes = self.min_bytes(item) + u32::from(has_key);
        while let Some(block) = read_block(cursor, budget, min_item_bytes)? {
            if let Some(size_bytes) = block.size_bytes {
                cursor.skip(size_bytes)?;
                continue;
            }
            if let (Some(bytes), false) = (step.exact_bytes(), has_key) {
                cursor.skip(block.count.saturating_mul(bytes as usize))?;
                continue;
            }
            for _ in 0..block.count {
                if has_key {
                    cursor.read_sized()?;
                }
                self.run(step, cursor, budget, depth)?;
            }
        }
        Ok(())
    }
}

/// Appends a step, to the last one where both have a fixed size.
fn push_merged(steps: &mut Vec<SkipStep>, step: SkipStep) {
    if step.exact_bytes() == Some(0) {
        return;
    }
    match steps.last_mut() {
        Some(last) if last.merged(step).is_some() => *last = last.merged(step).unwrap_or(*last),
        _ => steps.push(step),
    }
}

/// How to skip a value of the type `at`.
fn step(at: At<'_>, sizes: &Sizes) -> SkipStep {
    if let Some(bytes) = sizes.exact(at.id) {
        return SkipStep::new(SkipKind::Bytes, bytes);
    }
    match at.kind() {
        Kind::Int | Kind::Enum(_) => SkipStep::new(SkipKind::Int, 0),
        Kind::Long => SkipStep::new(SkipKind::Long, 0),
        Kind::Bytes | Kind::String => SkipStep::new(SkipKind::Sized, 0),
        Kind::Union(branches) => {
            let (non_null_byte, inner) = match **branches {
                [null, inner] if matches!(at.to(null).kind(), Kind::Null) => (2, inner),
                [inner, null] if matches!(at.to(null).kind(), Kind::Null) => (0, inner),
                _ => return SkipStep::new(SkipKind::Type, at.id.0),
            };
            // No union is directly in another, so that this goes no deeper.
            SkipStep {
                non_null_byte,
                ..step(at.to(inner), sizes)
            }
        }
        _ => SkipStep::new(SkipKind::Type, at.id.0),
    }
}

/// The sizes of a schema's types in bytes.
struct Sizes {
    min: Box<[u32]>,
    exact: Box<[Option<u32>]>,
}

impl Sizes {
    /// Sizes grow from what is below to what is above, one level a round; a type that is deeper
    /// than the rounds (or recursive) keeps a smaller lower bound and no exact size, and both are
    /// still true.
    fn new(schema: &Schema) -> Self {
        let mut sizes = Self {
            min: vec![0; schema.len()].into(),
            exact: vec![None; schema.len()].into(),
        };
        for _ in 0..=MAX_DEPTH {
            let mut is_changed = false;
            for at in 0..schema.len() {
                let (min, exact) = sizes.of(schema.at(TypeId(at as u32)).kind());
                is_changed |= (min, exact) != (sizes.min[at], sizes.exact[at]);
                (sizes.min[at], sizes.exact[at]) = (min, exact);
            }
            if !is_changed {
                break;
            }
        }
        sizes
    }

    fn exact(&self, id: TypeId) -> Option<u32> {
        self.exact[id.0 as usize]
    }

    fn of(&self, kind: &Kind) -> (u32, Option<u32>) {
        // A bound on the bound: a record of itself would grow for ever.
        const MAX_MIN_BYTES: u32 = 1 << 20;
        let known = |bytes: u32| (bytes.min(MAX_MIN_BYTES), Some(bytes));
        match kind {
            Kind::Null => known(0),
            Kind::Boolean => known(1),
            Kind::Float => known(4),
            Kind::Double => known(8),
            Kind::Fixed(bytes) => known(*bytes as u32),
            Kind::Union(branches) => {
                let least = branches.iter().map(|id| self.min[id.0 as usize]).min();
                ((1 + least.unwrap_or(0)).min(MAX_MIN_BYTES), None)
            }
            Kind::Record(fields) => {
                let min = fields.iter().fold(0u32, |sum, field| {
                    sum.saturating_add(self.min[field.ty.0 as usize])
                });
                let exact = fields
                    .iter()
                    .try_fold(0u32, |sum, field| sum.checked_add(self.exact(field.ty)?));
                (min.min(MAX_MIN_BYTES), exact)
            }
            _ => (1, None),
        }
    }
}
