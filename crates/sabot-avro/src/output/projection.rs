//! Which fields, and which branches of unions, to keep.

use std::collections::BTreeMap;

use sabot_decode::PlanError;

/// What to keep of a type: all of it, or some fields.
#[derive(Debug, Clone)]
pub(super) enum Keep {
    All,
    Fields(BTreeMap<Box<str>, Keep>),
}

impl Keep {
    /// Reads paths such as `order.items.price` and `event<Created>.by`; the `[]` and `{}` of an error's path may stand in
    /// them.
    pub(super) fn new(paths: Option<&[String]>) -> Result<Self, PlanError> {
        let Some(paths) = paths else { return Ok(Self::All) };
        let mut keep = Self::Fields(BTreeMap::new());
        for path in paths {
            let segments = segments(path);
            let segments =
                segments.ok_or_else(|| PlanError::new(format!("{path:?} is not a field's path")))?;
            keep.add(segments.into_iter());
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

    /// What to keep of a union's branch; `None` where it is dropped.
    pub(super) fn branch(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::Fields(fields) => fields.get(&*format!("<{name}>")),
        }
    }

    /// Whether every branch named is one of a union's.
    pub(super) fn check_branches(&self, names: &[&str]) -> Result<(), PlanError> {
        let Self::Fields(fields) = self else { return Ok(()) };
        let is_branch = |segment: &str| names.iter().any(|name| segment == format!("<{name}>"));
        if fields.keys().all(|segment| is_branch(segment)) {
            return Ok(());
        }
        Err(PlanError::new(format!(
            "a projection selects within a union by its branches: <{}>",
            names.join(">, <")
        )))
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

/// The names and branches of a path; `None` where it is malformed.
fn segments(path: &str) -> Option<Vec<&str>> {
    let (mut segments, mut rest) = (Vec::new(), path);
    let mut wants_name = true;
    while wants_name || !rest.is_empty() {
        if wants_name {
            let (name, behind) = rest.split_at(rest.find(['.', '[', '{', '<']).unwrap_or(rest.len()));
            segments.push(Some(name).filter(|name| !name.is_empty())?);
            (rest, wants_name) = (behind, false);
        } else if let Some(behind) = rest.strip_prefix("[]").or_else(|| rest.strip_prefix("{}")) {
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('.') {
            (rest, wants_name) = (behind, true);
        } else {
            let (branch, behind) = rest.split_at(rest.find('>')? + 1);
            segments.push(Some(branch).filter(|branch| branch.starts_with('<') && branch.len() > 2)?);
            rest = behind;
        }
    }
    Some(segments)
}
