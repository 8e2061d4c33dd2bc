//! The client as a source of writer schemas.

use std::error::Error as StdError;
use std::sync::Arc;

use sabot_schema::{FetchError, SchemaKey, SchemaSource, WriterSchema};

use crate::Client;

/// It caches, shares requests, and retries within its own deadline.
///
/// ```
/// let client = sabot_registry::Client::new("http://127.0.0.1:8081")?;
/// # let _: Box<dyn sabot_schema::SchemaSource + Send> = Box::new(client);
/// # Ok::<(), sabot_registry::Error>(())
/// ```
impl SchemaSource for Client {
    /// What the registry does not have, and what nobody could decode with, is
    /// [`FetchError::Unknown`] and condemns the messages of that key. All else (no connection, no
    /// rights, an answer that is not a registry's) is
    /// [`FetchError::Unavailable`]: it says nothing about the messages.
    fn fetch(&mut self, key: SchemaKey) -> Result<WriterSchema, FetchError> {
        match Client::fetch(self, key) {
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
