//! What a codec brings to the suite, and the rows that are made of it.

use sabot_decode::{Body, MessagePath, MessagePathBuf, Payload, RowErrorKind, SchemaKey, WriterSchema};

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
    pub good: Vec<(Origin, Vec<u8>)>,
    /// Payloads that do not.
    pub bad: Vec<(Origin, Vec<u8>)>,
    /// Whether the schema is inferred from a sample, which cannot tell that a field is never there:
    /// one that is asked for and not known is a column then.
    pub is_inferred: bool,
}

/// What a payload was written with: a schema, and which message of it.
///
/// A [`SchemaKey`] is the origin of the schema's first message, which codecs other than protobuf
/// have no more than.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Origin {
    /// The key of the writer schema.
    pub key: SchemaKey,
    /// Which message of it.
    pub message: MessagePathBuf,
}

impl From<SchemaKey> for Origin {
    fn from(key: SchemaKey) -> Self {
        Self::from((key, MessagePath::FIRST.into()))
    }
}

impl From<(SchemaKey, MessagePathBuf)> for Origin {
    fn from((key, message): (SchemaKey, MessagePathBuf)) -> Self {
        Self { key, message }
    }
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
    pub fn good(mut self, origin: impl Into<Origin>, body: impl Into<Vec<u8>>) -> Self {
        self.good.push((origin.into(), body.into()));
        self
    }

    /// Adds a payload that does not decode.
    #[must_use]
    pub fn bad(mut self, origin: impl Into<Origin>, body: impl Into<Vec<u8>>) -> Self {
        self.bad.push((origin.into(), body.into()));
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

    /// All that decoders may ask for: the messages of the payloads, that of the first good one
    /// first, since it may fix the batches' schema.
    pub(super) fn messages(&self) -> Vec<(&Origin, &WriterSchema)> {
        let mut messages: Vec<(&Origin, &WriterSchema)> = Vec::new();
        for (origin, _) in self.good.iter().chain(&self.bad) {
            let Some(writer) = self.writer(origin.key) else {
                continue;
            };
            if !messages.iter().any(|(known, _)| *known == origin) {
                messages.push((origin, writer));
            }
        }
        messages
    }

    /// The row of the good payload `index`.
    pub(super) fn good_row(&self, index: usize) -> Row {
        let (origin, body) = &self.good[index];
        Row {
            origin: origin.clone(),
            given: Given::Good(index, body.clone()),
        }
    }

    pub(super) fn good_rows(&self) -> Vec<Row> {
        (0..self.good.len()).map(|index| self.good_row(index)).collect()
    }

    pub(super) fn bad_rows(&self) -> impl Iterator<Item = Row> {
        self.bad.iter().map(|(origin, body)| Row {
            origin: origin.clone(),
            given: Given::Bad(body.clone()),
        })
    }
}

/// One payload that goes into a decoder.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) origin: Origin,
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
            origin: self.origin.clone(),
            given: Given::Spoilt(body),
        }
    }

    pub(super) fn tombstone() -> Self {
        Self {
            origin: SchemaKey::Absent.into(),
            given: Given::Tombstone,
        }
    }

    pub(super) fn refused(key: SchemaKey, kind: RowErrorKind) -> Self {
        Self {
            origin: key.into(),
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
        let body = match &self.given {
            Given::Good(_, body) | Given::Bad(body) | Given::Spoilt(body) => Body::Bytes(body),
            Given::Tombstone => Body::Tombstone,
            Given::Refused(kind) => Body::Refused(*kind),
        };
        Payload {
            path: self.origin.message.as_path(),
            body,
            ..Payload::with_key(self.origin.key, &[])
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
            "{what}, schema {}, message {}, {} bytes: {}{more}",
            self.origin.key,
            self.origin.message,
            body.len(),
            shown
        )
    }
}
