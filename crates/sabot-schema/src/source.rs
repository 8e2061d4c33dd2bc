//! Where a caller gets writer schemas from.

use std::error::Error;
use std::sync::Arc;

use thiserror::Error;

use crate::{SchemaKey, WriterSchema};

/// Brings the schema of a key: a registry client, or a map in a test. It may block.
pub trait SchemaSource {
    /// The schema of `key` with all its references.
    ///
    /// # Errors
    ///
    /// [`FetchError::Unknown`] condemns the messages of this key; [`FetchError::Unavailable`]
    /// condemns none and stops the caller where it is.
    fn fetch(&mut self, key: SchemaKey) -> Result<WriterSchema, FetchError>;
}

/// A schema that could not be had. Cloning shares the cause.
#[derive(Debug, Clone, Error)]
#[expect(clippy::exhaustive_enums, reason = "a caller has to treat every case")]
pub enum FetchError {
    /// The source answered that there is no such schema.
    #[error("schema {key} is unknown: {cause}")]
    Unknown {
        /// The key asked for.
        key: SchemaKey,
        /// What the source said.
        cause: Arc<dyn Error + Send + Sync>,
    },
    /// The source gave no answer within its deadline. Asking again may succeed.
    #[error("schema {key} could not be fetched: {cause}")]
    Unavailable {
        /// The key asked for.
        key: SchemaKey,
        /// What went wrong.
        cause: Arc<dyn Error + Send + Sync>,
    },
}
