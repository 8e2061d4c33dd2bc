//! Lists: of subjects, versions, schemas, contexts and references.

use std::collections::BTreeSet;

use sabot_schema::{Context, Guid, Metadata, RegisteredSchema, SchemaId, Subject, Version, VersionSpec};

use super::{Entry, Store};
use crate::StoreError;

/// Which versions a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are two kinds of versions, and so three choices"
)]
pub enum Filter {
    /// Those that are not deleted.
    #[default]
    Live,
    /// All.
    All,
    /// Those that are soft-deleted.
    Deleted,
}

impl Filter {
    const fn takes(self, entry: Entry) -> bool {
        match self {
            Self::Live => !entry.deleted,
            Self::All => true,
            Self::Deleted => entry.deleted,
        }
    }
}

impl Store {
    /// The contexts, the default one first.
    #[must_use]
    pub fn contexts(&self) -> Vec<Context> {
        let named = self.shelves.keys().filter(|context| !context.is_default());
        std::iter::once(Context::default())
            .chain(named.cloned())
            .collect()
    }

    /// The subjects that start with `prefix`: `:*:` stands for every context, `:.name:` for one of
    /// them; a bare prefix means the default context.
    #[must_use]
    pub fn subjects(&self, prefix: &str, filter: Filter) -> Vec<Subject> {
        let (context, prefix) = match prefix.strip_prefix(":*:") {
            Some(prefix) => (None, prefix.to_owned()),
            None => {
                let subject = Subject::from(prefix);
                (Some(subject.context().clone()), subject.name().to_owned())
            }
        };
        let mut subjects = Vec::new();
        for (at, shelf) in &self.shelves {
            if context.as_ref().is_some_and(|context| context != at) {
                continue;
            }
            for (name, versions) in &shelf.subjects {
                let is_listed = match filter {
                    // A subject counts as deleted when all of it is.
                    Filter::Deleted => versions.values().all(|entry| entry.deleted),
                    _ => versions.values().any(|entry| filter.takes(*entry)),
                };
                if name.starts_with(&prefix) && is_listed {
                    subjects.push(Subject::new(at.clone(), &**name));
                }
            }
        }
        subjects
    }

    /// The versions of a subject.
    ///
    /// # Errors
    ///
    /// 40401 where the subject does not exist.
    pub fn versions(&self, subject: &Subject, filter: Filter) -> Result<Vec<Version>, StoreError> {
        if !self.has_subject(subject, filter != Filter::Live) {
            return Err(StoreError::subject_not_found(subject));
        }
        let entries = self.entries(subject).filter(|(_, entry)| filter.takes(*entry));
        Ok(entries.map(|(version, _)| version).collect())
    }

    /// The versions of every subject that [`Store::subjects`] gives for `prefix`, or the newest of
    /// each.
    #[must_use]
    pub fn schemas(&self, prefix: &str, filter: Filter, latest_only: bool) -> Vec<RegisteredSchema> {
        let mut schemas = Vec::new();
        for subject in self.subjects(prefix, Filter::All) {
            let entries = self.entries(&subject).filter(|(_, entry)| filter.takes(*entry));
            let mut found = entries.filter_map(|(version, entry)| self.registered(&subject, version, entry));
            if latest_only {
                schemas.extend(found.next_back());
            } else {
                schemas.extend(found);
            }
        }
        schemas
    }

    /// What is registered under an id; `hint` is as for [`Store::by_id`].
    ///
    /// # Errors
    ///
    /// 40403 where the id does not exist.
    pub fn versions_of_id(
        &self,
        hint: &Subject,
        id: SchemaId,
        deleted: bool,
    ) -> Result<Vec<RegisteredSchema>, StoreError> {
        let context = self.by_id(hint, id)?.subject.context().clone();
        Ok(self
            .under_id(&context, id)
            .filter(|each| deleted || !each.deleted)
            .collect())
    }

    /// The ids that a GUID has, one in each context that has the schema.
    #[must_use]
    pub fn ids_of(&self, guid: Guid) -> Vec<(Context, SchemaId)> {
        let mut ids = Vec::new();
        for (context, shelf) in &self.shelves {
            let found = shelf.schemas.iter().filter(|(_, schema)| schema.guid() == guid);
            ids.extend(found.map(|(id, _)| (context.clone(), *id)));
        }
        ids
    }

    /// The highest id given out in a context; 0 before the first.
    #[must_use]
    pub fn highest_id(&self, context: &Context) -> SchemaId {
        SchemaId(self.shelves.get(context).map_or(0, |shelf| shelf.highest_id))
    }

    /// The newest version whose metadata has all of these properties.
    ///
    /// # Errors
    ///
    /// 40401 where the subject does not exist, 40403 where no version has them.
    pub fn latest_with_metadata(
        &self,
        subject: &Subject,
        properties: &[(&str, &str)],
        deleted: bool,
    ) -> Result<RegisteredSchema, StoreError> {
        if !self.has_subject(subject, deleted) {
            return Err(StoreError::subject_not_found(subject));
        }
        let has_all = |metadata: &Metadata| {
            let has =
                |(key, value): &(&str, &str)| metadata.properties.get(*key).is_some_and(|own| own == value);
            properties.iter().all(has)
        };
        let entries = self
            .entries(subject)
            .rev()
            .filter(|(_, entry)| deleted || !entry.deleted);
        let mut found = entries.filter_map(|(version, entry)| self.registered(subject, version, entry));
        found
            .find(|each| each.schema.metadata.as_ref().is_some_and(has_all))
            .ok_or_else(StoreError::schema_not_found)
    }

    /// The ids of the schemas that refer to a version.
    ///
    /// # Errors
    ///
    /// 40401 where the subject does not exist, 40402 where it does not have the version.
    pub fn referenced_by(
        &self,
        subject: &Subject,
        version: VersionSpec,
        deleted: bool,
    ) -> Result<Vec<SchemaId>, StoreError> {
        let version = self.version(subject, version, true)?.version;
        let referrers = self
            .referrers(subject, version)
            .filter(|each| deleted || !each.deleted);
        let ids: BTreeSet<SchemaId> = referrers.map(|each| each.id).collect();
        Ok(ids.into_iter().collect())
    }

    /// Every version, deleted or not, that refers to a version.
    pub(super) fn referrers(
        &self,
        subject: &Subject,
        version: Version,
    ) -> impl Iterator<Item = RegisteredSchema> {
        self.shelves.iter().flat_map(move |(context, shelf)| {
            let refers = move |schema: &sabot_schema::Schema| {
                schema.references.iter().any(|reference| {
                    reference.version == VersionSpec::Exact(version)
                        && reference.subject_from(context) == *subject
                })
            };
            let ids = shelf
                .schemas
                .iter()
                .filter(move |(_, schema)| refers(schema))
                .map(|(id, _)| *id);
            ids.flat_map(move |id| self.under_id(context, id))
        })
    }
}
