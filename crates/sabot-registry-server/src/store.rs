//! The registry without HTTP: what is registered under which subject, version, id and GUID.
//!
//! Every rule of the registry lives here, on the types of `sabot-schema`, so that it can be tested
//! without a socket and used without one. All is held in memory and found by walking ordered maps:
//! enough for development and tests, and simple enough to see that it is right.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use sabot_schema::{
    Context, Guid, Reference, RegisteredSchema, Schema, SchemaId, Subject, Version, VersionSpec,
};

use crate::StoreError;
use crate::check::{Checked, check};

mod compatibility;
mod delete;
mod list;
mod settings;

pub use list::Filter;
pub use settings::Config;

/// Schemas that one schema may depend on, directly or not.
const REFERENCE_LIMIT: usize = 1000;

/// Ids are Java's ints.
const HIGHEST_ID: u32 = i32::MAX as u32;

/// A schema registry in memory.
///
/// ```
/// use sabot_registry_server::Store;
/// use sabot_schema::{Schema, Subject, VersionSpec};
/// let mut store = Store::new();
/// let orders = Subject::from("orders-value");
/// let registered = store.register(&orders, Schema::avro(r#"{"type": "string"}"#), false)?;
/// assert_eq!((registered.id.0, registered.version.get()), (1, 1));
/// // It is stored as Avro's Java library prints it, without what says nothing.
/// assert_eq!(&*store.version(&orders, VersionSpec::Latest, false)?.schema.text, r#""string""#);
/// # Ok::<_, sabot_registry_server::StoreError>(())
/// ```
#[derive(Debug, Default)]
pub struct Store {
    shelves: BTreeMap<Context, Shelf>,
    settings: BTreeMap<Option<Subject>, settings::Settings>,
}

/// The schemas of one context.
#[derive(Debug, Default)]
struct Shelf {
    schemas: BTreeMap<SchemaId, Arc<Schema>>,
    ids: HashMap<Arc<Schema>, SchemaId>,
    subjects: BTreeMap<Arc<str>, BTreeMap<Version, Entry>>,
    highest_id: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: SchemaId,
    deleted: bool,
}

impl Store {
    /// An empty registry: compatibility `BACKWARD`, mode `READWRITE`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a schema under a subject, or finds it there.
    ///
    /// The same schema has the same id under every subject of a context. `normalize` brings
    /// different spellings of one schema together first.
    ///
    /// # Errors
    ///
    /// 40901 (as 409) where the subject's compatibility level does not allow it, 42201 for a
    /// malformed schema or a missing reference, 42205 where the subject's mode does not allow it or
    /// its compatibility cannot be checked, 42208 for a reserved subject, 42210 for malformed
    /// rules.
    pub fn register(
        &mut self,
        subject: &Subject,
        schema: Schema,
        normalize: bool,
    ) -> Result<RegisteredSchema, StoreError> {
        self.allow_registering(subject, false)?;
        let schema = self.inherit(subject, schema);
        let normalize = normalize || self.config_in_scope(subject).normalize == Some(true);
        let checked = self.check(subject, schema, normalize, false)?;
        if let Some(found) = self.find(subject, &checked.schema, false) {
            return Ok(found);
        }
        self.refuse_incompatible(subject, &checked)?;
        let id = self
            .shelf(subject)
            .and_then(|shelf| shelf.ids.get(&checked.schema))
            .copied();
        self.put(subject, checked.schema, id, None)
    }

    /// Registers a schema under an id, and a version, of the caller's choice. The subject has to be
    /// in the mode `IMPORT`; compatibility is not checked.
    ///
    /// # Errors
    ///
    /// As [`Store::register`], and 42205 where the id or the version belongs to another schema.
    pub fn import(
        &mut self,
        subject: &Subject,
        schema: Schema,
        id: SchemaId,
        version: Option<Version>,
    ) -> Result<RegisteredSchema, StoreError> {
        self.allow_registering(subject, true)?;
        if id.0 > HIGHEST_ID {
            return Err(StoreError::not_permitted(format!(
                "The id {id} is above {HIGHEST_ID}"
            )));
        }
        let Checked { schema, .. } = self.check(subject, schema, false, true)?;
        if let Some(shelf) = self.shelf(subject) {
            let known = shelf.schemas.get(&id);
            if known.is_some_and(|known| **known != schema) {
                let message = format!("Overwrite new schema with id {id} is not permitted.");
                return Err(StoreError::not_permitted(message));
            }
            if shelf.ids.get(&schema).is_some_and(|own| *own != id) {
                return Err(StoreError::id_mismatch(id));
            }
        }
        let taken = |(at, entry): (Version, Entry)| Some(at) == version && entry.id != id;
        if self.entries(subject).any(taken) {
            let message =
                format!("Overwrite version of subject '{subject}' with another schema is not permitted.");
            return Err(StoreError::not_permitted(message));
        }
        let found = self.find(subject, &schema, false);
        match (found, version) {
            (Some(found), None) => Ok(found),
            (Some(found), Some(version)) if found.version == version => Ok(found),
            (_, version) => self.put(subject, schema, Some(id), version),
        }
    }

    /// Finds a schema under a subject.
    ///
    /// # Errors
    ///
    /// 40401 where the subject does not exist, 40403 where it does not have the schema, 42201 for a
    /// malformed schema.
    pub fn lookup(
        &self,
        subject: &Subject,
        schema: Schema,
        normalize: bool,
        deleted: bool,
    ) -> Result<RegisteredSchema, StoreError> {
        let normalize = normalize || self.config_in_scope(subject).normalize == Some(true);
        // A subject that does not exist is told apart before its schema is read: its references may
        // not exist either.
        if !self.has_subject(subject, deleted) {
            return Err(StoreError::subject_not_found(subject));
        }
        let inherited = self.inherit(subject, schema.clone());
        let exact = self.check(subject, schema, normalize, true)?.schema;
        if let Some(found) = self.find(subject, &exact, deleted) {
            return Ok(found);
        }
        let inherited = self.check(subject, inherited, normalize, true)?.schema;
        self.find(subject, &inherited, deleted)
            .ok_or_else(StoreError::schema_not_found)
    }

    /// One version of a subject; soft-deleted ones with `deleted`.
    ///
    /// # Errors
    ///
    /// 40401 where the subject does not exist, 40402 where it does not have the version.
    pub fn version(
        &self,
        subject: &Subject,
        version: VersionSpec,
        deleted: bool,
    ) -> Result<RegisteredSchema, StoreError> {
        if !self.has_subject(subject, deleted) {
            return Err(StoreError::subject_not_found(subject));
        }
        let mut versions = self
            .entries(subject)
            .filter(|(_, entry)| deleted || !entry.deleted);
        let found = match version {
            VersionSpec::Exact(version) => versions.find(|(at, _)| *at == version),
            VersionSpec::Latest => versions.next_back(),
        };
        let (version, entry) = found.ok_or_else(|| StoreError::version_not_found(version.to_i32()))?;
        self.registered(subject, version, entry)
            .ok_or_else(|| StoreError::version_not_found(version))
    }

    /// The schema of an id. Soft-deleted ones can still be had.
    ///
    /// `hint` says where to look: its context, and, where it names a subject of the default context
    /// that does not have the id, any context in which that subject does.
    ///
    /// # Errors
    ///
    /// 40403 where there is none.
    pub fn by_id(&self, hint: &Subject, id: SchemaId) -> Result<RegisteredSchema, StoreError> {
        let in_subject = |subject: &Subject| {
            let mut entries = self.entries(subject).filter(|(_, entry)| entry.id == id);
            entries
                .next_back()
                .and_then(|(version, entry)| self.registered(subject, version, entry))
        };
        let mut found = in_subject(hint);
        if found.is_none() && hint.context().is_default() && !hint.name().is_empty() {
            let contexts = self.shelves.keys();
            found = contexts
                .map(|context| Subject::new(context.clone(), hint.name()))
                .find_map(|s| in_subject(&s));
        }
        found
            .or_else(|| self.under_id(hint.context(), id).next())
            .ok_or_else(|| StoreError::no_such_schema(id))
    }

    /// The schema of a GUID, in whichever context has it.
    ///
    /// # Errors
    ///
    /// 40403 where there is none.
    pub fn by_guid(&self, guid: Guid) -> Result<RegisteredSchema, StoreError> {
        let (context, id) = self
            .ids_of(guid)
            .into_iter()
            .next()
            .ok_or_else(|| StoreError::no_such_schema(guid))?;
        self.under_id(&context, id)
            .next()
            .ok_or_else(|| StoreError::no_such_schema(guid))
    }

    fn shelf(&self, subject: &Subject) -> Option<&Shelf> {
        self.shelves.get(subject.context())
    }

    /// Every version of a subject, deleted or not, from the oldest.
    fn entries(&self, subject: &Subject) -> impl DoubleEndedIterator<Item = (Version, Entry)> {
        let versions = self
            .shelf(subject)
            .and_then(|shelf| shelf.subjects.get(subject.name()));
        versions
            .into_iter()
            .flatten()
            .map(|(version, entry)| (*version, *entry))
    }

    fn has_subject(&self, subject: &Subject, deleted: bool) -> bool {
        self.entries(subject).any(|(_, entry)| deleted || !entry.deleted)
    }

    fn registered(&self, subject: &Subject, version: Version, entry: Entry) -> Option<RegisteredSchema> {
        let schema = self.shelf(subject)?.schemas.get(&entry.id)?;
        let mut registered = RegisteredSchema::new(subject.clone(), version, entry.id, Schema::clone(schema));
        registered.deleted = entry.deleted;
        Some(registered)
    }

    /// Everything registered under an id, deleted or not.
    fn under_id(&self, context: &Context, id: SchemaId) -> impl Iterator<Item = RegisteredSchema> {
        let subjects = self
            .shelves
            .get(context)
            .into_iter()
            .flat_map(|shelf| &shelf.subjects);
        subjects.flat_map(move |(name, versions)| {
            let subject = Subject::new(context.clone(), Arc::clone(name));
            let entries = versions.iter().filter(move |(_, entry)| entry.id == id);
            entries.filter_map(move |(version, entry)| self.registered(&subject, *version, *entry))
        })
    }

    /// The newest version of exactly this schema.
    fn find(&self, subject: &Subject, schema: &Schema, deleted: bool) -> Option<RegisteredSchema> {
        let id = self.shelf(subject)?.ids.get(schema)?;
        let mut entries = self
            .entries(subject)
            .filter(|(_, entry)| entry.id == *id && (deleted || !entry.deleted));
        entries
            .next_back()
            .and_then(|(version, entry)| self.registered(subject, version, entry))
    }

    /// Metadata and rules that are not given are those of the version before.
    fn inherit(&self, subject: &Subject, mut schema: Schema) -> Schema {
        if let Ok(previous) = self.version(subject, VersionSpec::Latest, false) {
            schema.metadata = schema.metadata.or(previous.schema.metadata);
            schema.rule_set = schema.rule_set.or(previous.schema.rule_set);
        }
        schema
    }

    /// The stored form of a schema, its references to the latest version pinned to what that is
    /// now.
    fn check(
        &self,
        subject: &Subject,
        mut schema: Schema,
        normalize: bool,
        deleted: bool,
    ) -> Result<Checked, StoreError> {
        for reference in &mut schema.references {
            let found = self.referenced(subject.context(), reference, deleted)?;
            reference.version = found.version.into();
        }
        let references = self.references(subject.context(), &schema, deleted)?;
        check(schema, &references, normalize)
    }

    fn referenced(
        &self,
        parent: &Context,
        reference: &Reference,
        deleted: bool,
    ) -> Result<RegisteredSchema, StoreError> {
        let subject = reference.subject_from(parent);
        self.version(&subject, reference.version, deleted).map_err(|_| {
            let version = reference.version.to_i32();
            let details =
                format!("No schema reference found for subject \"{subject}\" and version {version}");
            StoreError::invalid_schema(details)
        })
    }

    /// Everything that a schema depends on, each after its own dependencies, each name once.
    fn references(
        &self,
        context: &Context,
        schema: &Schema,
        deleted: bool,
    ) -> Result<Vec<Schema>, StoreError> {
        enum Task {
            Visit(Context, Reference),
            Emit(Schema),
        }
        let reversed = |context: &Context, schema: &Schema| -> Vec<Task> {
            schema
                .references
                .iter()
                .rev()
                .map(|each| Task::Visit(context.clone(), each.clone()))
                .collect()
        };
        let mut visited: HashSet<Arc<str>> = HashSet::new();
        let mut found = Vec::new();
        let mut tasks = reversed(context, schema);
        while let Some(task) = tasks.pop() {
            match task {
                Task::Emit(schema) => found.push(schema),
                Task::Visit(context, reference) => {
                    if !visited.insert(Arc::clone(&reference.name)) {
                        continue;
                    }
                    if visited.len() > REFERENCE_LIMIT {
                        let details = format!("more than {REFERENCE_LIMIT} references");
                        return Err(StoreError::invalid_schema(details));
                    }
                    let RegisteredSchema { subject, schema, .. } =
                        self.referenced(&context, &reference, deleted)?;
                    let dependencies = reversed(subject.context(), &schema);
                    tasks.push(Task::Emit(schema));
                    tasks.extend(dependencies);
                }
            }
        }
        Ok(found)
    }

    /// Writes a new version. Without an id it gets the next one.
    fn put(
        &mut self,
        subject: &Subject,
        schema: Schema,
        id: Option<SchemaId>,
        version: Option<Version>,
    ) -> Result<RegisteredSchema, StoreError> {
        let newest = self.entries(subject).next_back().map(|(version, _)| version);
        let next = newest.map_or(Some(Version::FIRST), Version::next);
        let full = || StoreError::not_permitted(format!("Subject '{subject}' has no version left"));
        let version = version.or(next).ok_or_else(full)?;
        let id = match id {
            Some(id) => id,
            None => SchemaId(self.shelf(subject).map_or(Ok(1), Shelf::next_id)?),
        };
        // From here on nothing fails: a refused request changes nothing.
        let shelf = self.shelves.entry(subject.context().clone()).or_default();
        shelf.highest_id = shelf.highest_id.max(id.0);
        let schema = Arc::new(schema);
        shelf.schemas.insert(id, Arc::clone(&schema));
        shelf.ids.insert(schema, id);
        let versions = shelf.subjects.entry(subject.name().into()).or_default();
        versions.insert(version, Entry { id, deleted: false });
        self.drop_superseded(subject, id, version);
        let entry = Entry { id, deleted: false };
        self.registered(subject, version, entry)
            .ok_or_else(StoreError::schema_not_found)
    }
}

impl Shelf {
    fn next_id(&self) -> Result<u32, StoreError> {
        if self.highest_id == HIGHEST_ID {
            return Err(StoreError::not_permitted("The registry has no id left"));
        }
        Ok(self.highest_id + 1)
    }
}
