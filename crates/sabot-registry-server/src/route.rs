//! From a request to what the store is asked, and back: Confluent's REST API as one table.
//!
//! It knows methods, paths, queries and bodies, and nothing of sockets. Every path can also be
//! asked below `/contexts/{context}/`, which puts the subjects that it names into that context.

use sabot_schema::{Context, Guid, Mode, RegisteredSchema, SchemaId, SchemaKind, Subject, VersionSpec};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::message::{
    CompatibilityMessage, ConfigMessage, ConfigRequest, ContextIdMessage, ModeMessage, SchemaMessage,
    SchemaRequest, SubjectVersionMessage,
};
use crate::{Filter, Store, StoreError};

/// A request, taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// The path's segments, percent-decoded one by one: a subject's slashes are no separators.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: &'a [(String, String)],
    pub(crate) body: &'a [u8],
}

/// The body of a successful answer.
pub(crate) type Answer = Result<String, StoreError>;

/// Answers a request.
pub(crate) fn answer(store: &mut Store, request: Request<'_>) -> Answer {
    match *request.path {
        ["contexts", context, ..] => {
            let context =
                Context::new(context).map_err(|error| StoreError::bad_request(error.to_string()))?;
            let request = Request {
                path: &request.path[2..],
                ..request
            };
            Call { context, request }.answer(store)
        }
        _ => Call {
            context: Context::default(),
            request,
        }
        .answer(store),
    }
}

/// A request within a context.
struct Call<'a> {
    context: Context,
    request: Request<'a>,
}

impl Call<'_> {
    fn answer(&self, store: &mut Store) -> Answer {
        match *self.request.path {
            ["subjects", ..] => self.subjects(store),
            ["schemas", ..] => self.schemas(store),
            ["compatibility", "subjects", subject, "versions"] => self.compatibility(store, subject, None),
            ["compatibility", "subjects", subject, "versions", version] => {
                self.compatibility(store, subject, Some(parse_version(version)?))
            }
            ["config"] => self.config(store, self.whole_context().as_ref()),
            ["config", subject] => self.config(store, Some(&self.subject(subject))),
            ["mode"] => self.mode(store, self.whole_context().as_ref()),
            ["mode", subject] => self.mode(store, Some(&self.subject(subject))),
            _ => self.server(store),
        }
    }

    fn subjects(&self, store: &mut Store) -> Answer {
        let deleted = self.flag("deleted");
        let normalize = self.flag("normalize");
        match (self.request.method, self.request.path) {
            ("GET", [_]) => {
                let prefix = self.prefix(":*:");
                self.list(
                    store
                        .subjects(&prefix, self.filter())
                        .iter()
                        .map(ToString::to_string),
                )
            }
            ("POST", [_, subject]) => {
                let schema = self.body::<SchemaRequest>()?.into_schema()?;
                let found = store.lookup(&self.subject(subject), schema, normalize, deleted)?;
                json(&SchemaMessage::from(found))
            }
            ("DELETE", [_, subject]) => {
                let versions = store.delete_subject(&self.subject(subject), self.flag("permanent"))?;
                json(&versions.iter().map(|version| version.get()).collect::<Vec<_>>())
            }
            ("GET", [_, subject, "versions"]) => {
                let versions = store.versions(&self.subject(subject), self.filter())?;
                self.list(versions.iter().map(|version| version.get()))
            }
            ("POST", [_, subject, "versions"]) => self.register(store, &self.subject(subject), normalize),
            ("GET", [_, subject, "versions", version]) => {
                let found = store.version(&self.subject(subject), parse_version(version)?, deleted)?;
                json(&SchemaMessage::from(found))
            }
            ("DELETE", [_, subject, "versions", version]) => {
                let (subject, version) = (self.subject(subject), parse_version(version)?);
                json(
                    &store
                        .delete_version(&subject, version, self.flag("permanent"))?
                        .get(),
                )
            }
            ("GET", [_, subject, "versions", version, "schema"]) => {
                let found = store.version(&self.subject(subject), parse_version(version)?, deleted)?;
                Ok(found.schema.text.to_string())
            }
            ("GET", [_, subject, "versions", version, "referencedby"]) => {
                let ids = store.referenced_by(&self.subject(subject), parse_version(version)?, deleted)?;
                self.list(ids.iter().map(|id| id.0))
            }
            ("GET", [_, subject, "metadata"]) => {
                let properties: Vec<_> = self.values("key").zip(self.values("value")).collect();
                let found = store.latest_with_metadata(&self.subject(subject), &properties, deleted)?;
                json(&SchemaMessage::from(found))
            }
            _ => Err(StoreError::no_such_path()),
        }
    }

    fn register(&self, store: &mut Store, subject: &Subject, normalize: bool) -> Answer {
        let request = self.body::<SchemaRequest>()?;
        let (id, version) = (request.id(), request.version());
        let schema = request.into_schema()?;
        let registered = match id {
            Some(id) => store.import(subject, schema, id, version)?,
            None => store.register(subject, schema, normalize)?,
        };
        json(&SchemaMessage {
            subject: None,
            ..registered.into()
        })
    }

    fn schemas(&self, store: &Store) -> Answer {
        match (self.request.method, self.request.path) {
            ("GET", [_]) => {
                let schemas = store.schemas(&self.prefix(""), self.filter(), self.flag("latestOnly"));
                self.list(schemas.into_iter().map(SchemaMessage::from))
            }
            ("GET", [_, "types"]) => {
                json(&[SchemaKind::Json, SchemaKind::Protobuf, SchemaKind::Avro].map(SchemaKind::name))
            }
            ("GET", [_, "ids", id]) => {
                let found = store.by_id(&self.hint(), parse_id(id)?)?;
                let named = self.value("subject").is_some();
                let max_id = self
                    .flag("fetchMaxId")
                    .then(|| store.highest_id(found.subject.context()).0);
                json(&SchemaMessage {
                    max_id,
                    ..anonymous(found, named)
                })
            }
            ("GET", [_, "ids", id, "schema"]) => {
                Ok(store.by_id(&self.hint(), parse_id(id)?)?.schema.text.to_string())
            }
            ("GET", [_, "ids", id, "subjects"]) => {
                let mut subjects: Vec<_> = self
                    .versions_of_id(store, id)?
                    .iter()
                    .map(|each| each.subject.to_string())
                    .collect();
                subjects.dedup();
                self.list(subjects)
            }
            ("GET", [_, "ids", id, "versions"]) => {
                let versions = self.versions_of_id(store, id)?;
                self.list(versions.iter().map(|each| SubjectVersionMessage {
                    subject: each.subject.to_string(),
                    version: each.version.get(),
                }))
            }
            ("GET", [_, "guids", guid]) => json(&anonymous(store.by_guid(parse_guid(guid)?)?, false)),
            ("GET", [_, "guids", guid, "ids"]) => {
                let ids = store.ids_of(parse_guid(guid)?);
                let message = |(context, SchemaId(id)): &(Context, _)| ContextIdMessage {
                    context: context.to_string(),
                    id: *id,
                };
                json(&ids.iter().map(message).collect::<Vec<_>>())
            }
            _ => Err(StoreError::no_such_path()),
        }
    }

    fn versions_of_id(&self, store: &Store, id: &str) -> Result<Vec<RegisteredSchema>, StoreError> {
        store.versions_of_id(&self.hint(), parse_id(id)?, self.flag("deleted"))
    }

    fn compatibility(&self, store: &Store, subject: &str, version: Option<VersionSpec>) -> Answer {
        if self.request.method != "POST" {
            return Err(StoreError::no_such_path());
        }
        let schema = self.body::<SchemaRequest>()?.into_schema()?;
        let subject = self.subject(subject);
        let messages = store.test_compatibility(&subject, schema, version, self.flag("normalize"));
        let verbose = self.flag("verbose");
        let messages = match messages {
            // Asked to explain, a registry answers a malformed schema with an explanation too.
            Err(error) if verbose && error.code() == 42201 => vec![error.message().to_owned()],
            messages => messages?,
        };
        json(&CompatibilityMessage {
            is_compatible: messages.is_empty(),
            messages: verbose.then_some(messages),
        })
    }

    fn config(&self, store: &mut Store, place: Option<&Subject>) -> Answer {
        match self.request.method {
            "GET" => {
                let config = match place {
                    Some(subject) if self.flag("defaultToGlobal") => store.config_in_scope(subject),
                    _ => store.config(place)?,
                };
                json(&ConfigMessage::from(config))
            }
            "PUT" => {
                let config = self.body::<ConfigRequest>()?.into_config()?;
                json(&ConfigRequest::from(store.set_config(place, config)?))
            }
            "DELETE" => json(&ConfigMessage::from(store.delete_config(place)?)),
            _ => Err(StoreError::no_such_path()),
        }
    }

    fn mode(&self, store: &mut Store, place: Option<&Subject>) -> Answer {
        let mode = match self.request.method {
            "GET" => match place {
                Some(subject) if self.flag("defaultToGlobal") => store.mode_in_scope(subject),
                _ => store.mode(place)?,
            },
            "PUT" => {
                let request = self.body::<ModeMessage>()?;
                let mode: Mode = request.mode.parse().map_err(|_| StoreError::invalid_mode())?;
                store.set_mode(place, mode, self.flag("force"))?;
                mode
            }
            "DELETE" => store.delete_mode(place)?,
            _ => return Err(StoreError::no_such_path()),
        };
        json(&ModeMessage {
            mode: mode.name().to_owned(),
        })
    }

    fn server(&self, store: &Store) -> Answer {
        match (self.request.method, self.request.path) {
            ("GET", [] | [""]) => Ok("{}".to_owned()),
            ("GET", ["contexts"]) => self.list(store.contexts().iter().map(Context::to_string)),
            ("GET", ["v1", "metadata", "id"]) => json(&serde_json::json!({
                "id": "",
                "scope": {
                    "path": [],
                    "clusters": { "kafka-cluster": "none", "schema-registry-cluster": "sabot-registry-server" },
                },
            })),
            ("GET", ["v1", "metadata", "version"]) => {
                json(&serde_json::json!({ "version": env!("CARGO_PKG_VERSION"), "commitId": "none" }))
            }
            _ => Err(StoreError::no_such_path()),
        }
    }

    /// A subject of the path: it may name its own context.
    fn subject(&self, text: &str) -> Subject {
        Subject::within(&self.context, text)
    }

    /// What `/config` and `/mode` are about: the top level, or the context that the path names.
    fn whole_context(&self) -> Option<Subject> {
        (!self.context.is_default()).then(|| Subject::new(self.context.clone(), ""))
    }

    /// Where an id is to be looked for.
    fn hint(&self) -> Subject {
        self.subject(self.value("subject").unwrap_or_default())
    }

    /// The query's `subjectPrefix`; without a context of its own it is taken within the path's.
    fn prefix(&self, default: &str) -> String {
        let prefix = self.value("subjectPrefix");
        if self.context.is_default() {
            return prefix.unwrap_or(default).to_owned();
        }
        self.subject(prefix.unwrap_or_default()).to_string()
    }

    fn filter(&self) -> Filter {
        if self.flag("deletedOnly") {
            Filter::Deleted
        } else if self.flag("deleted") {
            Filter::All
        } else {
            Filter::Live
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.request
            .query
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    fn flag(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn number(&self, name: &str) -> Result<Option<usize>, StoreError> {
        let Some(text) = self.value(name) else {
            return Ok(None);
        };
        let number: i64 = text
            .parse()
            .map_err(|_| StoreError::bad_request(format!("{name} is not a number: {text:?}")))?;
        // Below zero means without a limit.
        Ok(usize::try_from(number).ok())
    }

    /// The page of a list that the query asks for.
    fn list<T: Serialize>(&self, items: impl IntoIterator<Item = T>) -> Answer {
        let (offset, limit) = (self.number("offset")?, self.number("limit")?);
        let page = items
            .into_iter()
            .skip(offset.unwrap_or(0))
            .take(limit.unwrap_or(usize::MAX));
        json(&page.collect::<Vec<_>>())
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_slice(self.request.body)
            .map_err(|error| StoreError::bad_request(format!("The request's body cannot be read: {error}")))
    }
}

/// By an id or a GUID a schema comes without a subject, version and id of its own.
fn anonymous(found: RegisteredSchema, named: bool) -> SchemaMessage {
    let message = SchemaMessage {
        id: None,
        ..found.into()
    };
    if named {
        message
    } else {
        SchemaMessage {
            subject: None,
            version: None,
            ..message
        }
    }
}

fn json<T: Serialize>(value: &T) -> Answer {
    serde_json::to_string(value).map_err(|error| StoreError::bad_request(error.to_string()))
}

fn parse_version(text: &str) -> Result<VersionSpec, StoreError> {
    text.parse().map_err(StoreError::invalid_version)
}

fn parse_id(text: &str) -> Result<SchemaId, StoreError> {
    // Where the path takes an integer, another text is another path.
    text.parse().map(SchemaId).map_err(|_| StoreError::no_such_path())
}

fn parse_guid(text: &str) -> Result<Guid, StoreError> {
    text.parse().map_err(|_| StoreError::no_such_schema(text))
}
