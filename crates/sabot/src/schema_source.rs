//! Where writer schemas come from: a registry, or nowhere.

use std::sync::Arc;

use sabot_decode::{FetchError, SchemaKey, SchemaSource, WriterSchema};
use sabot_registry::Client;

use crate::Error;

/// The registry that the options name.
#[derive(Clone)]
pub(crate) enum Registry {
    None,
    Url(String),
    Client(Client),
}

impl Registry {
    pub(crate) fn client(&self) -> Result<Option<Client>, Error> {
        Ok(match self {
            Self::None => None,
            Self::Url(url) => Some(Client::new(url)?),
            Self::Client(client) => Some(client.clone()),
        })
    }
}

/// Fetches schemas from `registry`, if there is one.
pub(crate) fn schema_source(registry: Option<Client>) -> Box<dyn SchemaSource + Send> {
    match registry {
        Some(registry) => Box::new(registry),
        None => Box::new(NoRegistry),
    }
}

/// Knows no schema. Opening has made sure that a codec which needs one is never without.
#[derive(Debug)]
struct NoRegistry;

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
