//! Schemas in whatever form a program wants them, made once for each key.

use std::fmt;
use std::sync::Arc;

use sabot_schema::WriterSchema;
use sabot_wire::SchemaKey;

use crate::cache::{Cache, Lifetimes};
use crate::{Client, Error, ErrorKind};

/// Keeps what a function makes of a schema: it runs once for each key, however many threads ask,
/// and a hit costs a lookup and an `Arc` clone.
///
/// ```
/// use sabot_registry::{Client, ParsedCache};
/// # use sabot_registry_server::{Server, ServerOptions};
/// # use sabot_schema::{Schema, Subject};
/// # let server = Server::start(ServerOptions::default())?;
/// # let client = Client::new(&server.url())?;
/// let id = client.register(&Subject::from("s"), &Schema::avro("\"int\""), false)?.id;
/// let parsed = ParsedCache::new(client, 1000, |schema| schema.text.parse::<serde_json::Value>());
/// assert_eq!(*parsed.get(id.into())?, "int");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct ParsedCache<T> {
    client: Client,
    parse: Parse<T>,
    parsed: Cache<SchemaKey, T>,
}

type Parse<T> =
    Box<dyn Fn(&WriterSchema) -> Result<T, Box<dyn std::error::Error + Send + Sync>> + Send + Sync>;

impl<T> ParsedCache<T> {
    /// Keeps up to `capacity` results of `parse`.
    pub fn new<E>(
        client: Client,
        capacity: usize,
        parse: impl Fn(&WriterSchema) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // The client's own cache remembers what is not there.
        let lifetimes = Lifetimes {
            value: None,
            absence: std::time::Duration::ZERO,
        };
        let parse = Box::new(move |schema: &WriterSchema| parse(schema).map_err(Into::into));
        Self {
            client,
            parse,
            parsed: Cache::new(capacity, lifetimes),
        }
    }

    /// What `parse` makes of the schema of `key`.
    ///
    /// # Errors
    ///
    /// Those of [`Client::fetch`], and [`ErrorKind::Unreadable`] with the error of `parse` as its
    /// source.
    pub fn get(&self, key: SchemaKey) -> Result<Arc<T>, Error> {
        self.parsed.get_or_fetch(&key, self.client.deadline(), || {
            let schema = self.client.fetch(key)?;
            (self.parse)(&schema).map_err(|error| {
                Error::new(ErrorKind::Unreadable, error.to_string())
                    .with_source(error)
                    .within(format!("parsing schema {key}"))
            })
        })
    }
}

impl<T> fmt::Debug for ParsedCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedCache")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
