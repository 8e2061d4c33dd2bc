//! Which fields to keep: the one meaning that a projection has, whatever the format.
//!
//! A [`Projection`] is [`Target::projection`](sabot_decode::Target::projection), parsed. A codec
//! walks its schema with it, from the outside in: a [`Selection`] is what paths ask of the value at
//! hand, and answers with the selections below it. Which path leads where, in which order columns
//! come, and what is an error, is decided here alone. For schemas that are Arrow's already
//! [`Projection::prune`] is that walk.
//!
//! # A small example
//!
//! `lines[].price, id, lines.sku` on records of `id`, `note` and `lines`, a list of records of
//! `sku`, `price` and `count`:
//!
//! 1. [`Selection::members`] of the whole takes the first names of all paths: `lines` and `id`, in
//!    the order in which they are first named; `note` is dropped. `lines` keeps two paths,
//!    `[].price` and `sku`; `id` keeps one that ends here, so all of it.
//! 2. [`Selection::items`] of `lines` takes the `[]` off the one and lets the other through:
//!    `price` and `sku`.
//! 3. [`Selection::members`] of the items keeps `price` and `sku`, in this order; `count` is
//!    dropped.
//!
//! The columns are `lines`, a list of structs of `price` and `sku`, and `id`.
//!
//! # Invariants
//!
//! - Each path leads to a value of the schema, or the projection is refused; also a path below one
//!   that keeps everything.
//! - The fields of a record come in the order in which paths first name them; where a path keeps
//!   the record whole, in the schema's. A field that is named twice is there once.
//! - The branches of a union are in the union's order.

mod nearest;
mod parse;
mod prune;

use std::collections::HashMap;

use sabot_decode::{PlanError, branch_segment, field_segment};

use parse::Segment;
pub use prune::{STRUCT_UNION, UNION_KEY};

/// A parsed projection.
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_schema::{DataType, Field, Schema};
/// use sabot_codec::Projection;
///
/// let money = DataType::Struct(vec![Field::new("cents", DataType::Int64, false), Field::new("unit", DataType::Utf8, false)].into());
/// let fields = vec![Field::new("id", DataType::Int64, false), Field::new("unit.price", money, false)];
/// let schema = Arc::new(Schema::new(fields));
///
/// let paths = [r#""unit.price".cents, id"#.to_owned()];
/// let pruned = Projection::parse(Some(&paths))?.prune(&schema)?;
/// assert_eq!(pruned.field(0).name(), "unit.price");
/// assert_eq!(pruned.field(1).name(), "id");
///
/// let paths = ["ID".to_owned()];
/// let error = Projection::parse(Some(&paths))?.prune(&schema).unwrap_err();
/// assert_eq!(error.to_string(), "field ID: the projection names a field that the schema does not have; did you mean id?");
/// # Ok::<(), sabot_decode::PlanError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Projection {
    /// `None` keeps everything.
    paths: Option<Vec<Vec<Segment>>>,
}

impl Projection {
    /// Reads the paths. Each text is one path, or several with commas between them.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if one is malformed.
    pub fn parse(texts: Option<&[String]>) -> Result<Self, PlanError> {
        let Some(texts) = texts else {
            return Ok(Self { paths: None });
        };
        let mut all = Vec::new();
        for text in texts {
            all.append(&mut parse::paths(text)?);
        }
        Ok(Self { paths: Some(all) })
    }

    /// What it keeps of a message's fields.
    #[must_use]
    pub fn root(&self) -> Selection<'_> {
        match &self.paths {
            None => Selection::ALL,
            Some(paths) => Selection {
                is_whole: false,
                paths: paths.iter().map(Vec::as_slice).collect(),
            },
        }
    }

    /// Whether it could be one of records and lists alone, which are all that is ever inferred.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where a path asks for the values of a map, or a branch of a union.
    pub fn check_inferable(&self) -> Result<(), PlanError> {
        let segments = self.paths.iter().flatten().flatten();
        for segment in segments {
            let what = match segment {
                Segment::Field(_) | Segment::Items => continue,
                Segment::Values => "{} selects the values of a map".to_owned(),
                Segment::Branch(name) => format!("{} selects a branch of a union", branch_segment(name)),
            };
            return Err(PlanError::new(format!(
                "{what}, and none is ever inferred from a sample"
            )));
        }
        Ok(())
    }

    /// What it keeps of the only column, where a message is no record.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where a path names another column, or none keeps this one.
    pub fn only_column(&self, name: &str) -> Result<Selection<'_>, PlanError> {
        let mut kept = self.root().members([name].into_iter())?;
        let (_, selection) = kept.pop().ok_or_else(|| {
            let name = field_segment(name);
            PlanError::new(format!("a projection has to keep the only column, {name}"))
        })?;
        Ok(selection)
    }
}

/// What a projection keeps of one value.
#[derive(Debug, Clone)]
pub struct Selection<'p> {
    /// Whether a path ends here, or above: everything is kept then.
    is_whole: bool,
    /// What is left of the paths that lead further. Where the value is kept whole, they still have
    /// to lead somewhere.
    paths: Vec<&'p [Segment]>,
}

impl<'p> Selection<'p> {
    /// Everything.
    pub const ALL: Self = Self {
        is_whole: true,
        paths: Vec::new(),
    };

    /// Whether it is everything, and no path leads further: whoever walks a schema need not look
    /// below.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.is_whole && self.paths.is_empty()
    }

    /// Of a record with fields of these names: the positions of those that are kept, in the order
    /// of their columns, with what is kept of each.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where a path names no field, or names one that the record does not have.
    pub fn members<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Result<Vec<(usize, Self)>, PlanError> {
        let named = self.named(&names)?;
        if !self.is_whole {
            return Ok(named);
        }
        let mut all: Vec<_> = names.enumerate().map(|(at, _)| (at, Self::ALL)).collect();
        for (at, selection) in named {
            all[at].1.paths = selection.paths;
        }
        Ok(all)
    }

    /// The same by name, whether the record has such a field or not: where a schema is made from a
    /// sample, which cannot tell that a field is never there. Where the record is kept whole, its
    /// own fields come first.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where a path names no field.
    pub fn asked_members<'n: 'p>(
        &self,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Vec<(&'p str, Self)>, PlanError> {
        let named = self.by_name()?;
        if !self.is_whole {
            return Ok(named);
        }
        let mut all: Vec<(&str, Self)> = names.map(|name| (name, Self::ALL)).collect();
        let positions: HashMap<_, _> = all
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (*name, at))
            .collect();
        for (name, selection) in named {
            match positions.get(name) {
                Some(at) => all[*at].1.paths = selection.paths,
                None => all.push((name, selection)),
            }
        }
        Ok(all)
    }

    /// The fields that paths name, in the order in which they are first named.
    fn named<'n>(
        &self,
        names: &(impl Iterator<Item = &'n str> + Clone),
    ) -> Result<Vec<(usize, Self)>, PlanError> {
        if self.paths.is_empty() {
            return Ok(Vec::new());
        }
        let mut positions = HashMap::new();
        for (at, name) in names.clone().enumerate() {
            positions.entry(name).or_insert(at);
        }
        let asked = self.by_name()?.into_iter().map(|(name, selection)| {
            let at = positions.get(name).copied();
            let at = at.ok_or_else(|| unknown_field(name, &selection, names.clone()))?;
            Ok((at, selection))
        });
        asked.collect()
    }

    /// The names of fields that paths name, in the order in which they are first named, and what is
    /// kept of each.
    fn by_name(&self) -> Result<Vec<(&'p str, Self)>, PlanError> {
        let (mut named, mut places): (Vec<(&str, Self)>, _) = (Vec::new(), HashMap::new());
        for path in &self.paths {
            let [Segment::Field(name), rest @ ..] = path else {
                return Err(no_field(path));
            };
            let place = *places.entry(&**name).or_insert(named.len());
            if place == named.len() {
                named.push((name, Self::NOTHING));
            }
            named[place].1.add(rest);
        }
        Ok(named)
    }

    /// Of a list: what is kept of its items.
    #[must_use]
    pub fn items(&self) -> Self {
        self.through(&Segment::Items)
    }

    /// Of a map: what is kept of its values. Its keys are always kept.
    #[must_use]
    pub fn values(&self) -> Self {
        self.through(&Segment::Values)
    }

    /// Takes `sign` off the paths that have it, and lets those through that leave it out. What they
    /// have instead may be of a level below; if none there takes it, it is refused there.
    fn through(&self, sign: &Segment) -> Self {
        let mut below = Self::NOTHING;
        below.is_whole = self.is_whole;
        for path in &self.paths {
            below.add(
                path.split_first()
                    .filter(|(first, _)| *first == sign)
                    .map_or(path, |(_, rest)| rest),
            );
        }
        below
    }

    /// Of a union with branches of these names: what is kept of each, `None` where it is dropped.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where a path names no branch, or names one that the union does not have.
    pub fn branches(&self, names: &[&str]) -> Result<Vec<Option<Self>>, PlanError> {
        let whole = self.is_whole.then_some(Self::ALL);
        let mut kept: Vec<_> = names.iter().map(|_| whole.clone()).collect();
        for path in &self.paths {
            let [Segment::Branch(name), rest @ ..] = path else {
                let branches: Vec<_> = names.iter().map(|name| branch_segment(name)).collect();
                let branches = branches.join(", ");
                let message = format!("a projection selects within a union by its branches: {branches}");
                return Err(PlanError::new(message));
            };
            let at = names.iter().position(|known| *known == &**name);
            let at = at.ok_or_else(|| unknown_branch(name, names))?;
            kept[at].get_or_insert(Self::NOTHING).add(rest);
        }
        Ok(kept)
    }

    /// Of a value that is one column, with nothing to select in it; `what` it is, for the error.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where a path leads further.
    pub fn leaf(&self, what: &str) -> Result<(), PlanError> {
        if self.paths.is_empty() {
            return Ok(());
        }
        Err(PlanError::new(format!(
            "a projection cannot select within {what}"
        )))
    }

    /// What no path leads to.
    const NOTHING: Self = Self {
        is_whole: false,
        paths: Vec::new(),
    };

    fn add(&mut self, path: &'p [Segment]) {
        if path.is_empty() {
            self.is_whole = true;
        } else {
            self.paths.push(path);
        }
    }
}

/// A path goes on in a record with something else than a field.
#[cold]
fn no_field(path: &[Segment]) -> PlanError {
    let sign = match path.first() {
        Some(Segment::Items) => "[]",
        Some(Segment::Values) => "{}",
        Some(Segment::Branch(name)) => &branch_segment(name),
        Some(Segment::Field(_)) | None => "nothing",
    };
    let message = format!("the projection has {sign} where the schema has a record, which has fields");
    PlanError::new(message)
}

/// `below` is what was to be kept of the field.
#[cold]
fn unknown_field<'n>(name: &str, below: &Selection<'_>, names: impl Iterator<Item = &'n str>) -> PlanError {
    // A name with dots may have been meant, and not have been quoted.
    let mut wanted = vec![name.to_owned()];
    for path in &below.paths {
        let mut dotted = name.to_owned();
        for segment in *path {
            let Segment::Field(name) = segment else { break };
            dotted = format!("{dotted}.{name}");
            wanted.push(dotted.clone());
        }
    }
    let hint = nearest::hint(&wanted, names, |name| field_segment(name).into_owned());
    let message = format!("the projection names a field that the schema does not have; {hint}");
    PlanError::new(message).within(field_segment(name))
}

#[cold]
fn unknown_branch(name: &str, names: &[&str]) -> PlanError {
    let hint = nearest::hint(&[name.to_owned()], names.iter().copied(), branch_segment);
    let message = format!("the projection names a branch that the union does not have; {hint}");
    PlanError::new(message).within(branch_segment(name))
}
