//! What a codec brings to the suite, and the rows that are made of it.

use sabot_decode::{Body, Payload, RowErrorKind, SchemaKey, WriterSchema};

/// Writer schemas, and payloads written with them.
///
/// A payload's key is either [`SchemaKey::Absent`] or among the schemas. Small payloads that differ
/// in every way that the schema allows (nulls, empty and long strings, each branch, negative
/// numbers) serve best: the suite cuts each at every position.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Corpus {
    /// Writer schemas by key. Every key here is one that the decoder has to ask for.
    pub schemas: Vec<(SchemaKey, WriterSchema)>,
    /// Payloads that decode. The first one fixes the batches' schema, if nothing before does.
    pub good: Vec<(SchemaKey, Vec<u8>)>,
    /// Payloads that do not.
    pub bad: Vec<(SchemaKey, Vec<u8>)>,
    /// Whether the schema is inferred from a sample, which cannot tell that a field is never there: one that is asked for and
    /// not known is a column then.
    pub is_inferred: bool,
}

impl Corpus {
    /// An empty corpus.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a writer schema.
    #[must_use]
    pub fn schema(mut self, key: SchemaKey, writer: WriterSchema) -> Self {
        self.schemas.push((key, writer));
        self
    }

    /// Adds a payload that decodes.
    #[must_use]
    pub fn good(mut self, key: SchemaKey, body: impl Into<Vec<u8>>) -> Self {
        self.good.push((key, body.into()));
        self
    }

    /// Adds a payload that does not decode.
    #[must_use]
    pub fn bad(mut self, key: SchemaKey, body: impl Into<Vec<u8>>) -> Self {
        self.bad.push((key, body.into()));
        self
    }

    /// Says that the schema is inferred from a sample.
    #[must_use]
    pub fn inferred(mut self) -> Self {
        self.is_inferred = true;
        self
    }

    pub(super) fn writer(&self, key: SchemaKey) -> Option<&WriterSchema> {
        self.schemas
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, writer)| writer)
    }

    /// The row of the good payload `index`.
    pub(super) fn good_row(&self, index: usize) -> Row {
        let (key, body) = &self.good[index];
        Row {
            key: *key,
            given: Given::Good(index, body.clone()),
        }
    }

    pub(super) fn good_rows(&self) -> Vec<Row> {
        (0..self.good.len()).map(|index| self.good_row(index)).collect()
    }

    pub(super) fn bad_rows(&self) -> impl Iterator<Item = Row> {
        self.bad.iter().map(|(key, body)| Row {
            key: *key,
            given: Given::Bad(body.clone()),
        })
    }
}

/// One payload that goes into a decoder.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) key: SchemaKey,
    pub(super) given: Given,
}

#[derive(Debug, Clone)]
pub(super) enum Given {
    /// The corpus's good payload of this index.
    Good(usize, Vec<u8>),
    /// One of the corpus's bad payloads.
    Bad(Vec<u8>),
    /// A spoilt payload: it may be good or bad.
    Spoilt(Vec<u8>),
    Tombstone,
    Refused(RowErrorKind),
}

impl Row {
    pub(super) fn spoilt(&self, body: Vec<u8>) -> Self {
        Self {
            key: self.key,
            given: Given::Spoilt(body),
        }
    }

    pub(super) fn tombstone() -> Self {
        Self {
            key: SchemaKey::Absent,
            given: Given::Tombstone,
        }
    }

    pub(super) fn refused(key: SchemaKey, kind: RowErrorKind) -> Self {
        Self {
            key,
            given: Given::Refused(kind),
        }
    }

    pub(super) fn body(&self) -> &[u8] {
        match &self.given {
            Given::Good(_, body) | Given::Bad(body) | Given::Spoilt(body) => body,
            Given::Tombstone | Given::Refused(_) => &[],
        }
    }

    pub(super) fn payload(&self) -> Payload<'_> {
        match &self.given {
            Given::Good(_, body) | Given::Bad(body) | Given::Spoilt(body) => {
                Payload::with_key(self.key, body)
            }
            Given::Tombstone => Payload {
                body: Body::Tombstone,
                ..Payload::with_key(self.key, &[])
            },
            Given::Refused(kind) => Payload::refused(self.key, *kind),
        }
    }

    /// The row for a reader of a failure.
    pub(super) fn describe(&self) -> String {
        let body = self.body();
        let shown: String = body.iter().take(64).map(|byte| format!("{byte:02x} ")).collect();
        let more = if body.len() > 64 { "..." } else { "" };
        let what = match &self.given {
            Given::Good(index, _) => format!("good payload {index}"),
            Given::Bad(_) => "bad payload".to_owned(),
            Given::Spoilt(_) => "spoilt payload".to_owned(),
            Given::Tombstone => return "tombstone".to_owned(),
            Given::Refused(kind) => return format!("refused payload ({kind})"),
        };
        format!(
            "{what}, schema {}, {} bytes: {}{more}",
            self.key,
            body.len(),
            shown
        )
    }
}
