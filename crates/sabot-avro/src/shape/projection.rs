//! Which fields to keep.

use std::collections::BTreeMap;

use sabot_decode::PlanError;

/// What to keep of a type: all of it, or some fields.
#[derive(Debug, Clone)]
pub(super) enum Keep {
    All,
    Fields(BTreeMap<Box<str>, Keep>),
}

impl Keep {
    /// Reads paths such as `order.items.price`; the `[]` and `{}` of an error's path may stand in them.
    pub(super) fn new(paths: Option<&[String]>) -> Result<Self, PlanError> {
        let Some(paths) = paths else { return Ok(Self::All) };
        let mut keep = Self::Fields(BTreeMap::new());
        for path in paths {
            let plain = path.replace("[]", "").replace("{}", "");
            if plain.split('.').any(str::is_empty) {
                return Err(PlanError::new(format!("{path:?} is not a field's path")));
            }
            keep.add(plain.split('.'));
        }
        Ok(keep)
    }

    fn add<'a>(&mut self, mut segments: impl Iterator<Item = &'a str>) {
        match (segments.next(), &mut *self) {
            (None, _) => *self = Self::All,
            (Some(_), Self::All) => {}
            (Some(name), Self::Fields(fields)) => {
                fields
                    .entry(name.into())
                    .or_insert_with(|| Self::Fields(BTreeMap::new()))
                    .add(segments);
            }
        }
    }

    /// What to keep of the field `name`; `None` where it is dropped.
    pub(super) fn below(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::Fields(fields) => fields.get(name),
        }
    }

    /// What to keep of the only column.
    pub(super) fn column(&self, name: &str) -> Result<Self, PlanError> {
        self.check(|field| field == name)?;
        let missing = || PlanError::new(format!("a projection has to keep the only column, {name:?}"));
        self.below(name).cloned().ok_or_else(missing)
    }

    /// Whether every field named is one that `exists`.
    pub(super) fn check(&self, exists: impl Fn(&str) -> bool) -> Result<(), PlanError> {
        let Self::Fields(fields) = self else { return Ok(()) };
        match fields.keys().find(|name| !exists(name)) {
            None => Ok(()),
            Some(name) => {
                Err(PlanError::new("the projection names a field that the schema has not").within(&**name))
            }
        }
    }
}
