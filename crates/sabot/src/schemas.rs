//! Writer schemas where there is no registry.

use std::sync::Arc;

use sabot_decode::{FetchError, SchemaKey, SchemaSource, WriterSchema};

/// Knows no schema. Opening has made sure that a codec which needs one is never without.
#[derive(Debug)]
pub(crate) struct NoRegistry;

impl SchemaSource for NoRegistry {
    fn fetch(&mut self, key: SchemaKey) -> Result<WriterSchema, FetchError> {
        let cause = match key {
            SchemaKey::Fingerprint(_) => "no schema of this fingerprint is given",
            _ => "no registry is given",
        };
        Err(FetchError::Unknown {
            key,
            cause: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(cause)),
        })
    }
}
