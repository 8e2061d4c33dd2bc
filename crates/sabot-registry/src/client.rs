//! The client, and the way from a message's key to a schema that a codec can compile.
//!
//! Schemas of ids and GUIDs never change and are kept; what "latest" means, and what is absent, is
//! kept for a while. A message's schema is kept together with all that it refers to, so that a hit
//! needs nothing more.

mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sabot_schema::{Context, Reference, RegisteredSchema, Subject, VersionSpec, WriterSchema};
use sabot_wire::{Guid, SchemaKey};

use crate::cache::{Cache, IdHash, Lifetimes};
use crate::endpoint::percent_encode;
use crate::json::{RegisteredJson, SchemaJson};
use crate::references::resolve_references;
use crate::retry::Deadline;
use crate::transport::{Request, Transport};
use crate::{Error, ErrorKind};

pub use builder::ClientBuilder;

/// A client of one registry. Cloning shares connections and caches; it may be used from any number
/// of threads.
///
/// Calls block, up to the deadline. A hit in the cache takes no lock that a request could hold.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    /// Where ids are looked up.
    context: Context,
    /// Apart from what contexts share, because an id means another schema in each.
    pub(crate) ids: Arc<Cache<u32, WriterSchema, IdHash>>,
}

/// What all clones share, whatever their context.
pub(crate) struct Shared {
    pub(crate) transport: Transport,
    capacity: usize,
    negative_ttl: Duration,
    guids: Cache<Guid, WriterSchema>,
    pub(crate) latest: Cache<Subject, RegisteredSchema>,
    /// Versions that schemas refer to. They expire, because a subject that was deleted for good
    /// counts from 1 again.
    pub(crate) versions: Cache<(Subject, VersionSpec), RegisteredSchema>,
}

impl Client {
    /// Configures a client of the registry at `urls`, the nodes of one cluster:
    /// `http[s]://[user:password@]host[:port][/path]`. One item may also hold several URLs with
    /// commas in between.
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

    /// The same client, looking up ids in `context`. Keep it: its cache of ids is its own, and
    /// starts empty.
    #[must_use]
    pub fn in_context(&self, context: &Context) -> Self {
        let ids = Arc::new(self.shared.new_id_cache());
        Self {
            shared: Arc::clone(&self.shared),
            context: context.clone(),
            ids,
        }
    }

    /// The schema of `key` with everything it refers to: from the cache, or from the registry.
    ///
    /// ```
    /// # use sabot_registry::Client;
    /// # use sabot_registry_server::{Server, ServerOptions};
    /// # use sabot_schema::{Schema, Subject};
    /// # let server = Server::start(ServerOptions::default())?;
    /// # let client = Client::new(&server.url())?;
    /// let id = client.register(&Subject::from("s"), &Schema::avro("\"int\""), false)?.id;
    /// let schema = client.fetch(id.into())?;
    /// server.shutdown();
    /// assert_eq!(client.fetch(id.into())?, schema);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] where the registry has no such schema; [`Error::is_unusable`] where
    /// it has, and no message of it could be read; anything else says nothing about the schema.
    pub fn fetch(&self, key: SchemaKey) -> Result<Arc<WriterSchema>, Error> {
        if let Some(schema) = self.cached(key) {
            return Ok(schema);
        }
        let deadline = self.deadline();
        match key {
            SchemaKey::Id(id) => self
                .ids
                .get_or_fetch(&id, deadline, || self.fetch_id(id, deadline)),
            SchemaKey::Guid(guid) => {
                let path = format!("/schemas/guids/{guid}");
                self.shared
                    .guids
                    .get_or_fetch(&guid, deadline, || self.fetch_at(path, key, deadline))
            }
            key => Err(Error::unsupported_key(key)),
        }
    }

    /// The schema of `key` if it is in the cache. Never asks the registry.
    #[must_use]
    #[inline]
    pub fn cached(&self, key: SchemaKey) -> Option<Arc<WriterSchema>> {
        match key {
            SchemaKey::Id(id) => self.ids.get(&id),
            SchemaKey::Guid(guid) => self.shared.guids.get(&guid),
            _ => None,
        }
    }

    /// A registered schema with everything it refers to.
    ///
    /// ```
    /// # use sabot_registry::Client;
    /// # use sabot_registry_server::{Server, ServerOptions};
    /// # use sabot_schema::{Reference, Schema, Subject, Version};
    /// # let server = Server::start(ServerOptions::default())?;
    /// # let client = Client::new(&server.url())?;
    /// let (inner, outer) = (Subject::from("inner"), Subject::from("outer"));
    /// client.register(&inner, &Schema::avro(r#"{"type":"fixed","name":"F","size":2}"#), false)?;
    /// let array = Schema::avro(r#"{"type":"array","items":"F"}"#);
    /// client.register(&outer, &array.with_references([Reference::new("F", "inner", Version::FIRST)]), false)?;
    ///
    /// let schema = client.resolve(&*client.latest(&outer)?)?;
    /// assert_eq!(&*schema.references[0].name, "F");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_unusable`] where no message of it could be read; otherwise a reference could not
    /// be fetched.
    pub fn resolve(&self, registered: &RegisteredSchema) -> Result<WriterSchema, Error> {
        let RegisteredSchema {
            subject,
            version,
            schema,
            ..
        } = registered;
        let resolved = self
            .shared
            .resolve_references(schema, subject.context(), self.deadline());
        resolved.map_err(|error| error.within(format!("resolving {subject} version {version}")))
    }

    /// Forgets everything, found or not found.
    pub fn clear_caches(&self) {
        self.ids.forget_where(|_| true);
        self.shared.guids.forget_where(|_| true);
        self.shared.latest.forget_where(|_| true);
        self.shared.versions.forget_where(|_| true);
    }

    pub(crate) fn from_shared(shared: Shared) -> Self {
        let ids = Arc::new(shared.new_id_cache());
        Self {
            shared: Arc::new(shared),
            context: Context::default(),
            ids,
        }
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.shared.transport.deadline()
    }

    fn fetch_id(&self, id: u32, deadline: Deadline) -> Result<WriterSchema, Error> {
        if i32::try_from(id).is_err() {
            // A registry cannot even read such a number, and answers as to an unknown path.
            let fault = Error::new(
                ErrorKind::NotFound,
                "no registry gives out an id above 2147483647",
            );
            return Err(fault.within(format!("fetching schema {id}")));
        }
        let path = if self.context.is_default() {
            format!("/schemas/ids/{id}")
        } else {
            format!(
                "/schemas/ids/{id}?subject={}",
                percent_encode(&format!(":{}:", self.context))
            )
        };
        self.fetch_at(path, SchemaKey::Id(id), deadline)
    }

    fn fetch_at(&self, path: String, key: SchemaKey, deadline: Deadline) -> Result<WriterSchema, Error> {
        let request = Request::get(path, format!("fetching schema {key}"));
        let schema = self
            .shared
            .transport
            .call(&request, deadline, SchemaJson::into_schema)?;
        let resolved = self.shared.resolve_references(&schema, &self.context, deadline);
        resolved.map_err(|error| error.within(request.doing))
    }
}

impl Shared {
    pub(crate) fn new(
        transport: Transport,
        latest_ttl: Duration,
        negative_ttl: Duration,
        capacity: usize,
    ) -> Self {
        let eternal = Lifetimes {
            value: None,
            absence: negative_ttl,
        };
        let passing = Lifetimes {
            value: Some(latest_ttl),
            absence: negative_ttl,
        };
        Self {
            transport,
            capacity,
            negative_ttl,
            guids: Cache::new(capacity, eternal),
            latest: Cache::new(capacity, passing),
            versions: Cache::new(capacity, passing),
        }
    }

    fn new_id_cache(&self) -> Cache<u32, WriterSchema, IdHash> {
        Cache::new(
            self.capacity,
            Lifetimes {
                value: None,
                absence: self.negative_ttl,
            },
        )
    }

    fn resolve_references(
        &self,
        schema: &sabot_schema::Schema,
        context: &Context,
        deadline: Deadline,
    ) -> Result<WriterSchema, Error> {
        let max_bytes = self.transport.max_response_bytes;
        resolve_references(schema, context, max_bytes, &mut |reference, context| {
            self.reference(reference, context, deadline)
        })
    }

    /// A referenced version, which may be soft-deleted by now: whoever refers to it still needs it.
    fn reference(
        &self,
        reference: &Reference,
        context: &Context,
        deadline: Deadline,
    ) -> Result<Arc<RegisteredSchema>, Error> {
        let key = (reference.subject_from(context), reference.version);
        self.versions.get_or_fetch(&key, deadline, || {
            let path = format!(
                "/subjects/{}/versions/{}?deleted=true",
                percent_encode(&key.0.to_string()),
                key.1
            );
            let request = Request::get(path, format!("fetching {} version {}", key.0, key.1));
            self.transport
                .call(&request, deadline, RegisteredJson::into_registered)
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<_> = self
            .shared
            .transport
            .endpoints
            .iter()
            .map(|endpoint| &endpoint.base)
            .collect();
        f.debug_struct("Client")
            .field("urls", &urls)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
