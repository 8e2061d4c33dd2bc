//! The client: what can be asked of a registry.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sabot_schema::{SchemaKind, WriterSchema};
use sabot_wire::{Guid, SchemaKey};

use crate::builder::ClientBuilder;
use crate::cache::{Cache, IdHash, Lifetimes};
use crate::endpoint::percent_encode;
use crate::json::{ReferenceJson, SchemaJson};
use crate::references;
use crate::retry::Deadline;
use crate::transport::{Request, Transport};
use crate::{Error, ErrorKind};

/// A client of one registry. Cloning shares connections and caches; it may be used from any number of threads.
///
/// Calls block, up to the deadline. A hit in the cache takes no lock that a request could hold.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// What all clones share.
pub(crate) struct Shared {
    transport: Transport,
    ids: Cache<u32, WriterSchema, IdHash>,
    guids: Cache<Guid, WriterSchema>,
    /// Versions that schemas refer to, by qualified subject and version.
    versions: Cache<(String, i32), Arc<SchemaJson>>,
}

impl Client {
    /// Configures a client of the registry at `urls`, the nodes of one cluster: `http[s]://[user:password@]host[:port][/path]`.
    /// One item may also hold several URLs with commas in between.
    ///
    /// ```
    /// let client = sabot_registry::Client::builder(["http://127.0.0.1:8081"]).basic_auth("reader", "s3cret").build()?;
    /// assert!(!format!("{client:?}").contains("s3cret"));
    /// # Ok::<(), sabot_registry::Error>(())
    /// ```
    pub fn builder<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> ClientBuilder {
        ClientBuilder::new(urls.into_iter().map(Into::into).collect())
    }

    /// A client with every setting at its default. `urls` may hold several, with commas in between.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] where a URL is not usable.
    pub fn new(urls: &str) -> Result<Self, Error> {
        Self::builder([urls]).build()
    }

    /// The schema of `key` with everything it refers to: from the cache, or from the registry.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where the registry has no such schema; [`Error::is_unusable`] where it has, and no
    /// message of it could be read; anything else says nothing about the schema.
    pub fn fetch(&self, key: SchemaKey) -> Result<Arc<WriterSchema>, Error> {
        if let Some(schema) = self.cached(key) {
            return Ok(schema);
        }
        let deadline = self.shared.transport.deadline();
        match key {
            SchemaKey::Id(id) => self.shared.ids.get_or_fetch(&id, deadline, || self.shared.fetch_id(id, deadline)),
            SchemaKey::Guid(guid) => self.shared.guids.get_or_fetch(&guid, deadline, || self.shared.fetch_guid(guid, deadline)),
            key => Err(Error::unsupported_key(key)),
        }
    }

    /// The schema of `key` if it is in the cache. Never blocks on the network.
    #[must_use]
    #[inline]
    pub fn cached(&self, key: SchemaKey) -> Option<Arc<WriterSchema>> {
        match key {
            SchemaKey::Id(id) => self.shared.ids.get(&id),
            SchemaKey::Guid(guid) => self.shared.guids.get(&guid),
            _ => None,
        }
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Shared {
    pub(crate) fn new(transport: Transport, latest_ttl: Duration, negative_ttl: Duration, capacity: usize) -> Self {
        let eternal = Lifetimes { value: None, absence: negative_ttl };
        let passing = Lifetimes { value: Some(latest_ttl), absence: negative_ttl };
        Self {
            transport,
            ids: Cache::new(capacity, eternal),
            guids: Cache::new(capacity, eternal),
            versions: Cache::new(capacity, passing),
        }
    }

    fn fetch_id(&self, id: u32, deadline: Deadline) -> Result<WriterSchema, Error> {
        let doing = format!("fetching schema {id}");
        if i32::try_from(id).is_err() {
            // A registry would answer with a bare 404, for it cannot even read such a number.
            return Err(Error::new(ErrorKind::NotFound, "a registry's ids are below 2147483648").within(doing));
        }
        let request = Request::get(format!("/schemas/ids/{id}"), doing);
        let schema = self.transport.call(&request, deadline)?;
        self.close(&schema, deadline).map_err(|error| error.within(request.doing))
    }

    fn fetch_guid(&self, guid: Guid, deadline: Deadline) -> Result<WriterSchema, Error> {
        let request = Request::get(format!("/schemas/guids/{guid}"), format!("fetching schema {guid}"));
        let schema = self.transport.call(&request, deadline)?;
        self.close(&schema, deadline).map_err(|error| error.within(request.doing))
    }

    /// Makes a writer schema of an answer: checks that it can be decoded with, and fetches what it refers to.
    fn close(&self, schema: &SchemaJson, deadline: Deadline) -> Result<WriterSchema, Error> {
        if let Some(rule) = schema.rule_set.as_ref().and_then(|rules| rules.encrypting_rule()) {
            return Err(Error::new(
                ErrorKind::Encrypted,
                format!("the rule \"{rule}\" encrypts fields on the client side: messages hold ciphertext, which cannot be read here"),
            ));
        }
        let kind = schema.schema_type.as_deref().map_or(Some(SchemaKind::Avro), SchemaKind::from_name);
        let Some(kind) = kind else {
            let name = schema.schema_type.as_deref().unwrap_or_default();
            return Err(Error::new(ErrorKind::Unreadable, format!("its type {name:?} is none of AVRO, PROTOBUF and JSON")));
        };
        let budget_bytes = self.transport.max_response_bytes.saturating_sub(schema.schema.len());
        let mut fetch = |reference: &ReferenceJson, parent: Option<&str>| self.reference(reference, parent, deadline);
        let references = schema.references.as_deref().unwrap_or_default();
        let references = references::close(references, schema.subject.as_deref(), budget_bytes, &mut fetch)?;
        Ok(WriterSchema { kind, text: schema.schema.as_str().into(), references: references.into() })
    }

    fn reference(&self, reference: &ReferenceJson, _parent: Option<&str>, deadline: Deadline) -> Result<Arc<SchemaJson>, Error> {
        let key = (reference.subject.clone(), reference.version);
        let found = self.versions.get_or_fetch(&key, deadline, || {
            let path = format!("/subjects/{}/versions/{}?deleted=true", percent_encode(&key.0), key.1);
            self.transport.call(&Request::get(path, "fetching it".to_owned()), deadline).map(Arc::new)
        })?;
        Ok(Arc::clone(&found))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<_> = self.shared.transport.endpoints.iter().map(|endpoint| &endpoint.base).collect();
        f.debug_struct("Client").field("urls", &urls).finish_non_exhaustive()
    }
}
