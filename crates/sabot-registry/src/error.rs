//! What can go wrong with a registry, and what to do about it.
//!
//! One opaque, cheaply cloned type: a failed fetch is handed to every thread that waited for it.
//! Nothing in it holds a secret; what a registry said is scrubbed of the client's own credentials
//! before it gets here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sabot_wire::SchemaKey;

/// A call that failed. Cloning shares it.
///
/// `Display` says what was asked, of whom, and what to look at, in one line without secrets.
///
/// ```
/// # use sabot_registry::{Client, ErrorKind};
/// # use sabot_registry_server::{Server, ServerOptions};
/// # use sabot_schema::SchemaKey;
/// # let server = Server::start(ServerOptions::default())?;
/// # let client = Client::new(&server.url())?;
/// let error = client.fetch(SchemaKey::Id(7)).unwrap_err();
/// assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some(40403)));
/// assert!(error.to_string().starts_with("fetching schema 7: not found at http://127.0.0.1:"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Error(Arc<ErrorInner>);

/// The ways in which a call can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client was configured, or asked, for something that cannot be.
    Configuration,
    /// The registry says that there is no such subject, version, schema or setting (HTTP 404 with a
    /// registry's code).
    NotFound,
    /// The schema is incompatible with earlier ones (HTTP 409).
    Incompatible,
    /// The registry refuses what it was given: a bad schema, version, level or mode (HTTP 422 or
    /// 400).
    Rejected,
    /// Credentials are missing, wrong, or do not suffice (HTTP 401, 403 or 407).
    Unauthorized,
    /// The registry asks for fewer requests (HTTP 429).
    RateLimited,
    /// The registry, or something before it, failed (HTTP 408 or 5xx).
    Server,
    /// No connection, or it broke: unknown host, refused, reset.
    Unreachable,
    /// No TLS session: the certificate is not trusted, names another host, or the port does not
    /// speak TLS.
    Tls,
    /// No answer in time.
    Timeout,
    /// The answer is not a registry's: a web page, a redirect, JSON of another shape, an unknown
    /// path.
    Protocol,
    /// The answer, or a schema with everything it refers to, is larger than the client's limit.
    TooLarge,
    /// The schema's references form a cycle, or go too deep or too wide.
    References,
    /// The schema's rule set encrypts fields: messages hold ciphertext in place of values.
    Encrypted,
    /// The key names no schema, or one in a way that a Confluent-compatible registry does not know.
    UnsupportedKey,
    /// The registry has the schema, and the function given to [`crate::ParsedCache`] cannot read
    /// it.
    Unreadable,
}

#[derive(Clone)]
struct ErrorInner {
    kind: ErrorKind,
    /// What was being done, such as `fetching schema 7`; outermost first.
    doing: Vec<String>,
    /// The registry's base URL without user-info.
    url: Option<Arc<str>>,
    /// What went wrong, or what the registry said.
    message: String,
    status: Option<u16>,
    code: Option<u32>,
    attempts: u32,
    /// The request was certainly not carried out.
    undone: bool,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed later: no connection, no answer in time, HTTP 408, 429,
    /// 500, 502, 503 or 504.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::RateLimited => true,
            ErrorKind::Server => matches!(self.0.status, Some(408 | 500 | 502 | 503 | 504)),
            _ => false,
        }
    }

    /// Whether a registry answered that there is no such thing. A 404 that is not a registry's own,
    /// from a wrong path or a gateway, does not count.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// Whether the fault is in the schema or its key, so that no message written with it can be
    /// read, now or later: encrypted fields, references in a cycle, a key of another registry's
    /// making. Other schemas may be fine.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::References | ErrorKind::Encrypted | ErrorKind::UnsupportedKey | ErrorKind::Unreadable
        )
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The registry's own error code, such as 40401.
    #[must_use]
    pub fn code(&self) -> Option<u32> {
        self.0.code
    }

    /// The base URL of the registry that failed, without user-info.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// What the registry said, or what went wrong, without the advice that `Display` adds.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How long the registry asked to wait (`Retry-After`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(ErrorInner {
            kind,
            doing: Vec::new(),
            url: None,
            message: message.into(),
            status: None,
            code: None,
            attempts: 0,
            undone: false,
            retry_after: None,
            source: None,
        }))
    }

    #[cold]
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    #[cold]
    pub(crate) fn unsupported_key(key: SchemaKey) -> Self {
        let message = match key {
            SchemaKey::Absent => {
                "the payload names no schema: configure one, or check how the topic is framed".to_owned()
            }
            SchemaKey::Fingerprint(_) => {
                format!(
                    "a registry knows no fingerprints of schemas, such as {key}: give the schemas themselves"
                )
            }
            key => format!("{key} is Apicurio's own, and the Confluent-compatible API does not serve it"),
        };
        Self::new(ErrorKind::UnsupportedKey, message)
    }

    pub(crate) fn map_message(self, change: impl FnOnce(&str) -> String) -> Self {
        self.edit(|inner| inner.message = change(&inner.message))
    }

    /// Adds what was being done around the failed step.
    pub(crate) fn within(self, doing: impl Into<String>) -> Self {
        self.edit(|inner| inner.doing.insert(0, doing.into()))
    }

    pub(crate) fn at(self, url: &Arc<str>) -> Self {
        self.edit(|inner| inner.url = Some(Arc::clone(url)))
    }

    pub(crate) fn with_status(self, status: u16, code: Option<u32>) -> Self {
        self.edit(|inner| (inner.status, inner.code) = (Some(status), code))
    }

    pub(crate) fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        self.edit(|inner| inner.retry_after = retry_after)
    }

    pub(crate) fn with_undone(self, undone: bool) -> Self {
        self.edit(|inner| inner.undone = undone)
    }

    pub(crate) fn is_undone(&self) -> bool {
        self.0.undone
    }

    /// Whether it is the subject, version or schema that does not exist, rather than a setting or a
    /// deletion.
    pub(crate) fn is_absence(&self) -> bool {
        self.is_not_found() && matches!(self.0.code, Some(40_401..=40_403))
    }

    pub(crate) fn with_attempts(self, attempts: u32) -> Self {
        self.edit(|inner| inner.attempts = attempts)
    }

    pub(crate) fn with_source(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source: Box<dyn std::error::Error + Send + Sync> = source.into();
        self.edit(|inner| inner.source = Some(source.into()))
    }

    /// Edits in place while nobody shares it, which is so until the error has been returned once.
    fn edit(mut self, change: impl FnOnce(&mut ErrorInner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl ErrorKind {
    /// What went wrong in a few words, and what to look at.
    fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Configuration => ("invalid configuration", ""),
            Self::NotFound => ("not found", ""),
            Self::Incompatible => ("incompatible schema", ""),
            Self::Rejected => ("the registry refused the request", ""),
            Self::Unauthorized => ("not authorized", "check the credentials and their rights"),
            Self::RateLimited => ("the registry limits the request rate", ""),
            Self::Server => ("the registry failed", ""),
            Self::Unreachable => (
                "registry unreachable",
                "is the URL right, and the registry running?",
            ),
            Self::Tls => (
                "no secure connection",
                "check the certificate, its host name, and http versus https",
            ),
            Self::Timeout => ("no answer in time", ""),
            Self::Protocol => ("unexpected answer", "is this the base URL of a schema registry?"),
            Self::TooLarge => ("too large", ""),
            Self::References => ("unusable references", ""),
            Self::Encrypted => ("encrypted fields", ""),
            Self::UnsupportedKey => ("unsupported schema key", ""),
            Self::Unreadable => ("unreadable schema", ""),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        for doing in &inner.doing {
            write!(f, "{doing}: ")?;
        }
        let (headline, advice) = inner.kind.wording();
        f.write_str(headline)?;
        if let Some(url) = &inner.url {
            write!(f, " at {url}")?;
        }
        if !inner.message.is_empty() {
            write!(f, ": {}", inner.message)?;
        }
        match (inner.status, inner.code) {
            (Some(status), Some(code)) if u32::from(status) != code => {
                write!(f, " (HTTP {status}, error code {code})")?;
            }
            (Some(status), _) => write!(f, " (HTTP {status})")?,
            (None, _) => {}
        }
        if let Some(wait) = inner.retry_after {
            write!(f, "; it asks to wait {} s", wait.as_secs())?;
        }
        if inner.attempts > 1 {
            write!(f, "; gave up after {} attempts", inner.attempts)?;
        }
        if !advice.is_empty() {
            write!(f, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("text", &self.to_string())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
