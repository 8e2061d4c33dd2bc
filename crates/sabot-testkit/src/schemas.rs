//! A source of writer schemas that a test holds in its hands.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use sabot_decode::{FetchError, SchemaKey, SchemaSource, WriterSchema};

/// Writer schemas by key, with a switch to make them unavailable and a list of what was asked.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Schemas {
    /// The schemas.
    pub known: BTreeMap<SchemaKey, WriterSchema>,
    /// Keys for which no answer comes.
    pub unavailable: Vec<SchemaKey>,
    /// Keys asked for, in order.
    pub asked: Vec<SchemaKey>,
}

impl Schemas {
    /// A source that knows `schemas`.
    pub fn new(schemas: impl IntoIterator<Item = (SchemaKey, WriterSchema)>) -> Self {
        Self {
            known: schemas.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl SchemaSource for Schemas {
    fn fetch(&mut self, key: SchemaKey) -> Result<WriterSchema, FetchError> {
        let cause = |text: &str| Arc::from(Box::<dyn Error + Send + Sync>::from(text));
        self.asked.push(key);
        if self.unavailable.contains(&key) {
            return Err(FetchError::Unavailable {
                key,
                cause: cause("the source is switched off"),
            });
        }
        self.known.get(&key).cloned().ok_or_else(|| FetchError::Unknown {
            key,
            cause: cause("the source does not have it"),
        })
    }
}
