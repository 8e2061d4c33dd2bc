//! Stepping over values that the reader has no column for.
//!
//! A skipped value is checked for its structure alone: lengths, counts, union branches and integers have to be
//! well-formed, while booleans, enum symbols and UTF-8 are not looked at. Types are visited where they stand in the
//! writer's schema, so that recursive ones can be skipped; types without bytes are left out, so that every step takes
//! some bytes and the work is bounded by the message.

use sabot_cursor::Cursor;
use sabot_decode::RowErrorKind;

use super::blocks::{Failure, Items, read_block};
use crate::schema::{Kind, Schema, TypeId};

/// Levels of a skipped value at most, whatever the limit asked for: skipping recurses on the thread's stack.
pub(super) const MAX_DEPTH: usize = 128;

/// How to skip each type of a schema, by position.
#[derive(Debug)]
pub(super) struct Skips {
    types: Box<[Skip]>,
    min_bytes: Box<[u32]>,
}

#[derive(Debug)]
enum Skip {
    /// This many bytes.
    Bytes(u32),
    Int,
    Long,
    Sized,
    /// Blocks of items, each with a key before it where it is a map.
    Blocks {
        has_key: bool,
        item: TypeId,
    },
    Union(Box<[TypeId]>),
    /// These in turn; those without bytes are left out.
    Record(Box<[TypeId]>),
}

impl Skips {
    pub(super) fn new(schema: &Schema) -> Self {
        let sizes = Sizes::new(schema);
        let ids = (0..schema.len() as u32).map(TypeId);
        let types = ids.map(|id| match (sizes.exact(id), schema.at(id).kind()) {
            (Some(bytes), _) => Skip::Bytes(bytes),
            (_, Kind::Int | Kind::Enum(_)) => Skip::Int,
            (_, Kind::Bytes | Kind::String) => Skip::Sized,
            (_, Kind::Array(item)) => Skip::Blocks {
                has_key: false,
                item: *item,
            },
            (_, Kind::Map(item)) => Skip::Blocks {
                has_key: true,
                item: *item,
            },
            (_, Kind::Union(branches)) => Skip::Union(branches.clone().into()),
            (_, Kind::Record(fields)) => {
                let fields = fields.iter().map(|field| field.ty);
                Skip::Record(fields.filter(|ty| sizes.exact(*ty) != Some(0)).collect())
            }
            _ => Skip::Long,
        });
        Self {
            types: types.collect(),
            min_bytes: sizes.min,
        }
    }

    /// The size of every value of the type, where it has but one.
    pub(super) fn exact_bytes(&self, id: TypeId) -> Option<u32> {
        match self.types[id.0 as usize] {
            Skip::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A size that no value of the type falls below.
    pub(super) fn min_bytes(&self, id: TypeId) -> u32 {
        self.min_bytes[id.0 as usize]
    }

    /// Steps over one value, which may nest `depth` levels deep.
    pub(super) fn skip(
        &self,
        id: TypeId,
        cursor: &mut Cursor<'_>,
        items: &mut Items,
        depth: usize,
    ) -> Result<(), Failure> {
        let at = cursor.position();
        let below = || {
            depth
                .checked_sub(1)
                .ok_or(Failure::new(RowErrorKind::LimitExceeded("depth"), at))
        };
        match &self.types[id.0 as usize] {
            Skip::Bytes(bytes) => cursor.skip(*bytes as usize)?,
            Skip::Int => drop(cursor.read_int()?),
            Skip::Long => drop(cursor.read_long()?),
            Skip::Sized => drop(cursor.read_sized()?),
            Skip::Record(fields) => {
                let below = below()?;
                fields
                    .iter()
                    .try_for_each(|field| self.skip(*field, cursor, items, below))?;
            }
            Skip::Union(branches) => {
                let index = cursor.read_long()?;
                let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
                let branch = branch.ok_or(Failure::new(RowErrorKind::InvalidUnionIndex(index), at))?;
                // No level of its own: no union stands directly in another.
                self.skip(*branch, cursor, items, depth)?;
            }
            Skip::Blocks { has_key, item } => {
                let below = below()?;
                let min_item_bytes = self.min_bytes(*item) + u32::from(*has_key);
                while let Some(block) = read_block(cursor, items, min_item_bytes)? {
                    if let Some(size_bytes) = block.size_bytes {
                        cursor.skip(size_bytes)?;
                        continue;
                    }
                    if !has_key && self.exact_bytes(*item) == Some(0) {
                        continue;
                    }
                    for _ in 0..block.count {
                        if *has_key {
                            cursor.read_sized()?;
                        }
                        self.skip(*item, cursor, items, below)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The sizes of a schema's types in bytes.
struct Sizes {
    min: Box<[u32]>,
    exact: Box<[Option<u32>]>,
}

impl Sizes {
    /// Sizes grow from what is below to what is above, one level a round; a type that is deeper than the rounds (or
    /// recursive) keeps a smaller lower bound and no exact size, and both are still true.
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
