//! What can be asked of a registry besides the schema of a message: subjects, versions, settings.

use std::sync::Arc;

use sabot_schema::{
    CompatibilityLevel, Guid, Mode, RegisteredSchema, Schema, SchemaId, SchemaKind, Subject, UnknownSetting,
    Version, VersionSpec,
};
use serde::Serialize;
use ureq::http::Method;

use crate::endpoint::percent_encode;
use crate::json::{
    CompatibilityJson, ConfigJson, ModeJson, RegisteredJson, RegistrationJson, SchemaJson, parse_guid,
};
use crate::transport::Request;
use crate::{Client, Error, ErrorKind};

/// Whether soft-deleted subjects and versions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth choice")]
pub enum Deleted {
    /// They do not.
    #[default]
    Exclude,
    /// They do, beside the others.
    Include,
    /// They alone do.
    Only,
}

/// How to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Deletion {
    /// Hides it from lists and from new producers. Messages stay readable, and registering again
    /// brings it back.
    Soft,
    /// Removes for good what was soft-deleted before. Its messages can no longer be read once no
    /// subject holds the schema.
    Hard,
}

/// The answer to registering a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registration {
    /// The id, within the subject's context.
    pub id: SchemaId,
    /// The version, where the registry tells.
    pub version: Option<Version>,
    /// The GUID, where the registry tells.
    pub guid: Option<Guid>,
}

/// The answer to a compatibility check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// Whether the registry would take the schema.
    pub is_compatible: bool,
    /// Why not, in the registry's words.
    pub messages: Vec<String>,
}

/// Subjects and versions.
impl Client {
    /// The subjects whose qualified names begin with `prefix`; all of them, of every context, where
    /// it is empty.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub fn subjects(&self, prefix: &str, deleted: Deleted) -> Result<Vec<Subject>, Error> {
        let mut path = "/subjects".to_owned();
        let mut query = deleted.query();
        if !prefix.is_empty() {
            query.push(format!("subjectPrefix={}", percent_encode(prefix)));
        }
        push_query(&mut path, &query);
        // Some registries ignore the prefix.
        let is_wanted = |subject: &Subject| {
            prefix.starts_with(":*:")
                || subject.name().starts_with(prefix)
                || subject.to_string().starts_with(prefix)
        };
        let subjects =
            |names: Vec<String>| Ok(names.into_iter().map(Subject::from).filter(is_wanted).collect());
        self.ask(&Request::get(path, "listing subjects".to_owned()), subjects)
    }

    /// The versions of a subject, in ascending order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is no such subject; see [`ErrorKind`].
    pub fn versions(&self, subject: &Subject, deleted: Deleted) -> Result<Vec<Version>, Error> {
        let mut path = subject_path(subject)? + "/versions";
        push_query(&mut path, &deleted.query());
        self.ask(
            &Request::get(path, format!("listing versions of {subject}")),
            versions,
        )
    }

    /// A version of a subject, asked for anew. With [`Deleted::Exclude`] a soft-deleted one is not
    /// found.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is no such subject or version; see [`ErrorKind`].
    pub fn version(
        &self,
        subject: &Subject,
        version: impl Into<VersionSpec>,
        deleted: Deleted,
    ) -> Result<RegisteredSchema, Error> {
        let version = version.into();
        let mut path = format!("{}/versions/{version}", subject_path(subject)?);
        push_query(&mut path, if deleted == Deleted::Exclude { &[] } else { DELETED });
        let request = Request::get(path, format!("fetching {subject} version {version}"));
        self.ask(&request, RegisteredJson::into_registered)
    }

    /// The latest version of a subject, from the cache while it is younger than
    /// [`latest_ttl`](crate::ClientBuilder::latest_ttl).
    ///
    /// # Errors
    ///
    /// As [`Self::version`].
    pub fn latest(&self, subject: &Subject) -> Result<Arc<RegisteredSchema>, Error> {
        self.shared.latest.get_or_fetch(subject, self.deadline(), || {
            self.version(subject, VersionSpec::Latest, Deleted::Exclude)
        })
    }

    /// Registers a schema under a subject; if it is there already, says under which id. With
    /// `normalize` the registry first brings it into its normal form, so that differences of layout
    /// do not count.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Incompatible`] where the subject's level does not let it pass,
    /// [`ErrorKind::Rejected`] where it is no valid schema or the subject's mode forbids it; see
    /// [`ErrorKind`].
    pub fn register(
        &self,
        subject: &Subject,
        schema: &Schema,
        normalize: bool,
    ) -> Result<Registration, Error> {
        let path = format!("{}/versions?normalize={normalize}", subject_path(subject)?);
        let request = Request::send(
            Method::POST,
            path,
            body(schema)?,
            format!("registering a schema under {subject}"),
        );
        let registration = self.ask(&request, |answer: RegistrationJson| {
            Ok(Registration {
                id: SchemaId(answer.id),
                version: answer.version.and_then(Version::new),
                guid: parse_guid(answer.guid.as_deref()),
            })
        })?;
        self.shared.latest.forget(subject);
        // Somebody may have been told a moment ago that there is no such id.
        self.ids.forget(&registration.id.0);
        Ok(registration)
    }

    /// Finds the version under which a subject holds this very schema.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where the subject does not exist or does not hold it; see
    /// [`ErrorKind`].
    pub fn lookup(
        &self,
        subject: &Subject,
        schema: &Schema,
        normalize: bool,
        deleted: Deleted,
    ) -> Result<RegisteredSchema, Error> {
        let mut path = subject_path(subject)?;
        let include = deleted != Deleted::Exclude;
        push_query(
            &mut path,
            &[format!("normalize={normalize}"), format!("deleted={include}")],
        );
        let request = Request::send(
            Method::POST,
            path,
            body(schema)?,
            format!("looking up a schema under {subject}"),
        );
        self.ask(&request, RegisteredJson::into_registered)
    }

    /// Deletes a subject, and says which versions it had. It is not asked twice where the answer
    /// got lost, unlike other calls: the second answer would hide the first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is no such subject, or, for [`Deletion::Hard`], where it
    /// is not soft-deleted; [`ErrorKind::Rejected`] where other schemas refer to it; see
    /// [`ErrorKind`].
    pub fn delete_subject(&self, subject: &Subject, deletion: Deletion) -> Result<Vec<Version>, Error> {
        let path = format!(
            "{}?permanent={}",
            subject_path(subject)?,
            deletion == Deletion::Hard
        );
        let deleted = self.ask(&Request::delete(path, format!("deleting {subject}")), versions);
        self.forget_subject(subject);
        deleted
    }

    /// Deletes one version of a subject, and says which it was. Not asked twice, as
    /// [`Self::delete_subject`].
    ///
    /// # Errors
    ///
    /// As [`Self::delete_subject`].
    pub fn delete_version(
        &self,
        subject: &Subject,
        version: impl Into<VersionSpec>,
        deletion: Deletion,
    ) -> Result<Version, Error> {
        let version = version.into();
        let hard = deletion == Deletion::Hard;
        let path = format!("{}/versions/{version}?permanent={hard}", subject_path(subject)?);
        let request = Request::delete(path, format!("deleting {subject} version {version}"));
        let deleted = self.ask(&request, version_of);
        self.forget_subject(subject);
        deleted
    }

    fn forget_subject(&self, subject: &Subject) {
        self.shared.latest.forget(subject);
        self.shared.versions.forget_where(|(cached, _)| cached == subject);
    }
}

/// Compatibility and modes. Where a subject is `None`, the registry's own setting is meant.
impl Client {
    /// Asks whether `schema` could be registered under a subject: with `version` given, whether it
    /// is compatible with that one, and without, with those that the subject's level names.
    ///
    /// ```
    /// # use sabot_registry::Client;
    /// # use sabot_registry_server::{Server, ServerOptions};
    /// # use sabot_schema::{Schema, Subject};
    /// # let server = Server::start(ServerOptions::default())?;
    /// # let client = Client::new(&server.url())?;
    /// let subject = Subject::from("s");
    /// client.register(&subject, &Schema::avro("\"int\""), false)?;
    /// assert!(client.check_compatibility(&subject, None, &Schema::avro("\"long\""), false)?.is_compatible);
    /// let verdict = client.check_compatibility(&subject, None, &Schema::avro("\"string\""), false)?;
    /// assert!(!verdict.is_compatible && !verdict.messages.is_empty());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where `version` is given and does not exist; [`ErrorKind::Rejected`]
    /// for what is no schema; see [`ErrorKind`].
    pub fn check_compatibility(
        &self,
        subject: &Subject,
        version: Option<VersionSpec>,
        schema: &Schema,
        normalize: bool,
    ) -> Result<Compatibility, Error> {
        let version = version.map(|version| format!("/{version}")).unwrap_or_default();
        let subject_path = subject_path(subject)?;
        let path =
            format!("/compatibility{subject_path}/versions{version}?verbose=true&normalize={normalize}");
        let doing = format!("checking compatibility with {subject}");
        self.ask(
            &Request::send(Method::POST, path, body(schema)?, doing),
            |answer: CompatibilityJson| {
                let messages = answer.messages.unwrap_or_default();
                Ok(Compatibility {
                    is_compatible: answer.is_compatible,
                    messages,
                })
            },
        )
    }

    /// The compatibility level in force: a subject's own, or else the registry's.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub fn compatibility(&self, subject: Option<&Subject>) -> Result<CompatibilityLevel, Error> {
        let path = setting_path("config", subject)? + "?defaultToGlobal=true";
        self.ask(
            &Request::get(path, doing("reading the compatibility level", subject)),
            read_level,
        )
    }

    /// A subject's own compatibility level, if it has one.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub fn own_compatibility(&self, subject: &Subject) -> Result<Option<CompatibilityLevel>, Error> {
        let path = setting_path("config", Some(subject))? + "?defaultToGlobal=false";
        absent_as_none(self.ask(
            &Request::get(path, doing("reading the compatibility level", Some(subject))),
            read_level,
        ))
    }

    /// Sets a compatibility level, and gives what the registry made of it.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub fn set_compatibility(
        &self,
        subject: Option<&Subject>,
        level: CompatibilityLevel,
    ) -> Result<CompatibilityLevel, Error> {
        #[derive(Serialize)]
        struct Body {
            compatibility: &'static str,
        }
        let body = to_json(&Body {
            compatibility: level.name(),
        })?;
        let doing = doing("setting the compatibility level", subject);
        self.ask(
            &Request::send(Method::PUT, setting_path("config", subject)?, body, doing),
            read_level,
        )
    }

    /// Takes a compatibility level away, so that a subject follows the registry, and the registry
    /// its default.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is none; see [`ErrorKind`].
    pub fn delete_compatibility(&self, subject: Option<&Subject>) -> Result<(), Error> {
        let doing = doing("deleting the compatibility level", subject);
        self.ask(
            &Request::delete(setting_path("config", subject)?, doing),
            |_: serde::de::IgnoredAny| Ok(()),
        )
    }

    /// The mode in force: a subject's own, or else the registry's.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub fn mode(&self, subject: Option<&Subject>) -> Result<Mode, Error> {
        let path = setting_path("mode", subject)? + "?defaultToGlobal=true";
        self.ask(&Request::get(path, doing("reading the mode", subject)), read_mode)
    }

    /// A subject's own mode, if it has one.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub fn own_mode(&self, subject: &Subject) -> Result<Option<Mode>, Error> {
        let path = setting_path("mode", Some(subject))? + "?defaultToGlobal=false";
        absent_as_none(self.ask(
            &Request::get(path, doing("reading the mode", Some(subject))),
            read_mode,
        ))
    }

    /// Sets a mode, and gives what the registry made of it. `force` allows [`Mode::Import`] where
    /// there are schemas.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`] where the registry does not allow it; see [`ErrorKind`].
    pub fn set_mode(&self, subject: Option<&Subject>, mode: Mode, force: bool) -> Result<Mode, Error> {
        #[derive(Serialize)]
        struct Body {
            mode: &'static str,
        }
        let path = format!("{}?force={force}", setting_path("mode", subject)?);
        let body = to_json(&Body { mode: mode.name() })?;
        self.ask(
            &Request::send(Method::PUT, path, body, doing("setting the mode", subject)),
            read_mode,
        )
    }

    /// Takes a mode away, so that a subject follows the registry, and the registry its default.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where there is none; see [`ErrorKind`].
    pub fn delete_mode(&self, subject: Option<&Subject>) -> Result<(), Error> {
        let doing = doing("deleting the mode", subject);
        self.ask(
            &Request::delete(setting_path("mode", subject)?, doing),
            |_: serde::de::IgnoredAny| Ok(()),
        )
    }

    fn ask<J: serde::de::DeserializeOwned, T>(
        &self,
        request: &Request,
        read: impl FnOnce(J) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.shared.transport.call(request, self.deadline(), read)
    }
}

impl Deleted {
    /// What a list takes as its query.
    fn query(self) -> Vec<String> {
        match self {
            Self::Exclude => Vec::new(),
            Self::Include => DELETED.iter().map(|&part| part.to_owned()).collect(),
            Self::Only => vec!["deletedOnly=true".to_owned()],
        }
    }
}

/// Asks for soft-deleted ones too.
const DELETED: &[&str] = &["deleted=true"];

fn push_query(path: &mut String, parts: &[impl AsRef<str>]) {
    for (at, part) in parts.iter().enumerate() {
        path.push(if at == 0 { '?' } else { '&' });
        path.push_str(part.as_ref());
    }
}

/// `/subjects/{subject}`, the subject percent-encoded whole.
fn subject_path(subject: &Subject) -> Result<String, Error> {
    let text = subject.to_string();
    // An empty segment, or a dot segment, would name another resource: `DELETE /subjects/..` is not
    // to be tried out.
    if matches!(text.as_str(), "" | "." | "..") {
        return Err(Error::configuration(format!(
            "{text:?} cannot be asked for as a subject: as part of a URL it vanishes"
        )));
    }
    Ok(format!("/subjects/{}", percent_encode(&text)))
}

fn setting_path(setting: &str, subject: Option<&Subject>) -> Result<String, Error> {
    let Some(subject) = subject else {
        return Ok(format!("/{setting}"));
    };
    Ok(subject_path(subject)?.replacen("subjects", setting, 1))
}

fn doing(what: &str, subject: Option<&Subject>) -> String {
    subject.map_or_else(
        || format!("{what} of the registry"),
        |subject| format!("{what} of {subject}"),
    )
}

fn body(schema: &Schema) -> Result<Vec<u8>, Error> {
    if schema.kind == SchemaKind::Plain {
        return Err(Error::configuration("a registry holds no schemas of kind PLAIN"));
    }
    to_json(&SchemaJson::of(schema))
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|error| Error::configuration("the request cannot be written as JSON").with_source(error))
}

fn versions(numbers: Vec<i64>) -> Result<Vec<Version>, Error> {
    numbers.into_iter().map(version_of).collect()
}

fn version_of(number: i64) -> Result<Version, Error> {
    let version = u32::try_from(number).ok().and_then(Version::new);
    version.ok_or_else(|| Error::new(ErrorKind::Protocol, format!("{number} is not a version number")))
}

fn read_level(config: ConfigJson) -> Result<CompatibilityLevel, Error> {
    read_setting(config.level)
}

fn read_mode(answer: ModeJson) -> Result<Mode, Error> {
    read_setting(answer.mode)
}

fn read_setting<T: std::str::FromStr<Err = UnknownSetting>>(text: Option<String>) -> Result<T, Error> {
    let text = text.unwrap_or_default();
    text.parse()
        .map_err(|error: UnknownSetting| Error::new(ErrorKind::Protocol, error.to_string()))
}

fn absent_as_none<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.is_not_found() => Ok(None),
        result => result.map(Some),
    }
}
