//! Writer schemas from a registry.

use std::error::Error as StdError;
use std::sync::Arc;

use sabot_decode::{FetchError, SchemaKey, SchemaSource, WriterSchema};
use sabot_registry::Client;

/// A [`SchemaSource`] over a registry's client, which caches, shares and retries within its own deadline.
///
/// ```
/// let client = sabot_registry::Client::new("http://127.0.0.1:8081")?;
/// let schemas = sabot_kafka::RegistrySource::new(client);
/// # let _: Box<dyn sabot_decode::SchemaSource + Send> = Box::new(schemas);
/// # Ok::<(), sabot_registry::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RegistrySource {
    client: Client,
}

impl RegistrySource {
    /// Asks the registry that `client` is a client of.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl SchemaSource for RegistrySource {
    /// What the registry does not have, and what nobody could decode with, is [`FetchError::Unknown`] and condemns the
    /// messages of that key. All else (no connection, no rights, an answer that is not a registry's) is
    /// [`FetchError::Unavailable`]: it says nothing about the messages.
    fn fetch(&mut self, key: SchemaKey) -> Result<WriterSchema, FetchError> {
        match self.client.fetch(key) {
            Ok(schema) => Ok(WriterSchema::clone(&schema)),
            Err(error) => {
                let condemned = error.is_not_found() || error.is_unusable();
                let cause: Arc<dyn StdError + Send + Sync> = Arc::new(error);
                Err(if condemned {
                    FetchError::Unknown { key, cause }
                } else {
                    FetchError::Unavailable { key, cause }
                })
            }
        }
    }
}
