//! How keys and values are encoded, and what to make of them.
//!
//! A [`Codec`] is a description: it opens nothing and asks nobody until a stream is opened with it.
//! It holds every option of its format, so that key and value can differ in all of them.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use sabot_decode::{
    BigDecimalType, BinaryType, Decoder, DecoderFactory, EnumType, Limits, Mapping, OutputSchema,
    RecursionType, SchemaKey, StringType, Target, TimeZone, UnionType, UuidType, WideDecimalType,
    WriterSchema,
};
use sabot_registry::Client;
use sabot_schema::{Subject, VersionSpec};
use sabot_wire::Framing;

use crate::{Error, ErrorKind, Part};

/// How keys or values are encoded, and the shape of the columns to make of them.
///
/// ```
/// # #[cfg(all(feature = "avro", feature = "plain"))] {
/// use sabot::Codec;
///
/// let values = Codec::avro().select(["id", "customer.name"]);
/// let keys = Codec::string();
/// # let _ = (values, keys);
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a codec does nothing until it is given to a builder"]
pub struct Codec {
    factory: Arc<dyn DecoderFactory>,
    framing: Framing,
    writer: Writer,
    reader: Reader,
    projection: Option<Vec<String>>,
    check_tail: bool,
    mapping: Mapping,
    limits: Limits,
}

/// Where writer schemas come from.
#[derive(Debug, Clone)]
enum Writer {
    /// The frame of each message names it.
    Named,
    /// One schema of the registry for all messages.
    Id(SchemaKey),
    /// This schema for all messages.
    Given(WriterSchema),
    /// The frame of each message names one of these by its fingerprint.
    #[cfg(feature = "avro")]
    Fingerprinted(Vec<WriterSchema>),
}

/// Where the columns' schema comes from.
#[derive(Debug, Clone)]
enum Reader {
    /// The topic's subject, if the registry has it; else the first writer schema.
    TopicSubject,
    Subject(String),
    FirstWriter,
    Given(String),
    Arrow(SchemaRef),
}

impl Codec {
    /// Avro in Confluent's wire format, with writer schemas from the registry.
    ///
    /// # The columns' schema
    ///
    /// Unless [`Codec::reader_schema`] or one of its neighbours says otherwise, the columns follow
    /// the *latest* version registered under the topic's subject (`<topic>-value` or `<topic>-key`;
    /// the first topic's, if there are several) at the time of opening, and every message is
    /// resolved onto it by Avro's rules. So the schema is known before the first message, and the
    /// same whichever message comes first. Where the registry does not have the subject, or the
    /// topic is a pattern, the first message's schema takes its place.
    #[cfg(feature = "avro")]
    pub fn avro() -> Self {
        Self::custom(sabot_avro::AvroFactory)
            .framing(Framing::Confluent)
            .topic_subject()
    }

    /// JSON without a frame; the columns are inferred from the first messages unless
    /// [`Codec::arrow_schema`] gives them. For JSON that a registry's serialiser wrote, add
    /// `.framing(Framing::Confluent)`.
    #[cfg(feature = "json")]
    pub fn json() -> Self {
        Self::custom(sabot_json::JsonFactory::new())
    }

    /// UTF-8 text, as one column `value` (or `key`).
    #[cfg(feature = "plain")]
    pub fn string() -> Self {
        Self::plain(sabot_plain::Serde::String)
    }

    /// Bytes as they are, as one column `value` (or `key`).
    #[cfg(feature = "plain")]
    pub fn bytes() -> Self {
        Self::plain(sabot_plain::Serde::Bytes)
    }

    /// One of Kafka's primitive serdes, as one column `value` (or `key`).
    #[cfg(feature = "plain")]
    pub fn plain(serde: sabot_plain::Serde) -> Self {
        Self::custom(sabot_plain::PlainFactory::new(serde))
    }

    /// Any other codec, without a frame until [`Codec::framing`] says otherwise.
    pub fn custom(factory: impl DecoderFactory + 'static) -> Self {
        Self {
            factory: Arc::new(factory),
            framing: Framing::Unframed,
            writer: Writer::Named,
            reader: Reader::FirstWriter,
            projection: None,
            check_tail: false,
            mapping: Mapping::default(),
            limits: Limits::default(),
        }
    }

    /// How the bytes are framed.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Resolves every message onto this schema, in the codec's own language.
    pub fn reader_schema(mut self, text: impl Into<String>) -> Self {
        self.reader = Reader::Given(text.into());
        self
    }

    /// Resolves every message onto the latest version of this subject. Unlike the default, it is an
    /// error if the registry does not have it.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.reader = Reader::Subject(subject.into());
        self
    }

    /// Resolves every message onto the latest version of the topic's subject, if the registry has
    /// it. This is what [`Codec::avro`] begins with.
    pub fn topic_subject(mut self) -> Self {
        self.reader = Reader::TopicSubject;
        self
    }

    /// Takes the columns from the first message's schema.
    pub fn first_writer_schema(mut self) -> Self {
        self.reader = Reader::FirstWriter;
        self
    }

    /// Fills columns of this Arrow schema, where the codec can.
    pub fn arrow_schema(mut self, schema: SchemaRef) -> Self {
        self.reader = Reader::Arrow(schema);
        self
    }

    /// Every message was written with the schema of this registry id and carries no frame, as with
    /// Confluent's `use.schema.id`.
    pub fn schema_id(mut self, id: u32) -> Self {
        self.writer = Writer::Id(SchemaKey::Id(id));
        self.framing = Framing::Unframed;
        self
    }

    /// Every message was written with this schema and carries no frame. No registry is needed.
    pub fn writer_schema(mut self, text: impl Into<String>) -> Self {
        self.writer = Writer::Given(WriterSchema::new(self.factory.kind(), text.into()));
        self.framing = Framing::Unframed;
        self
    }

    /// Avro's single-object encoding: every message names one of these schemas by its fingerprint.
    /// No registry is needed.
    ///
    /// The columns follow the last schema, unless [`Codec::reader_schema`] or one of its neighbours
    /// says otherwise. A message whose fingerprint is none of theirs is bad.
    ///
    /// ```
    /// use sabot::{Codec, Sabot};
    ///
    /// let codec = Codec::avro().single_object([r#""int""#]);
    /// let mut decoder = Sabot::payloads(codec).open()?;
    /// let message = [0xc3, 1, 0x8f, 0x5c, 0x39, 0x3f, 0x1a, 0xd5, 0x75, 0x72, 6];
    /// let (batch, _) = decoder.decode(&[Some(&message)])?;
    /// assert_eq!(batch.num_rows(), 1);
    /// # Ok::<(), sabot::Error>(())
    /// ```
    #[cfg(feature = "avro")]
    pub fn single_object<S: Into<String>>(mut self, schemas: impl IntoIterator<Item = S>) -> Self {
        let schemas = schemas
            .into_iter()
            .map(|text| WriterSchema::avro(text.into()))
            .collect();
        self.writer = Writer::Fingerprinted(schemas);
        self.framing = Framing::AvroSingleObject;
        self
    }

    /// Keeps these fields alone, such as `id` or `customer.name`, in this order; a path keeps
    /// everything below it. Each text may have several paths, with commas between them. See
    /// [`Target::projection`].
    pub fn select<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.projection = Some(paths.into_iter().map(Into::into).collect());
        self
    }

    /// With [`Codec::select`], looks at each message up to its end, as without it. Otherwise Avro
    /// is read up to the last value that is kept, and what is wrong after it goes unseen.
    pub fn check_tail(mut self) -> Self {
        self.check_tail = true;
        self
    }

    /// All choices of Arrow types at once. A choice among types that the codec does not have is an
    /// error when it is opened, and so is any choice beside [`Codec::arrow_schema`]: see
    /// [`Mapping`].
    pub fn mapping(mut self, mapping: Mapping) -> Self {
        self.mapping = mapping;
        self
    }

    /// The Arrow type of strings.
    pub fn strings(mut self, to: StringType) -> Self {
        self.mapping.strings = to;
        self
    }

    /// The Arrow type of bytes of any length.
    pub fn binaries(mut self, to: BinaryType) -> Self {
        self.mapping.bytes = to;
        self
    }

    /// The Arrow type of enums.
    pub fn enums(mut self, to: EnumType) -> Self {
        self.mapping.enums = to;
        self
    }

    /// The Arrow type of UUIDs.
    pub fn uuids(mut self, to: UuidType) -> Self {
        self.mapping.uuids = to;
        self
    }

    /// The Arrow type of unions. Parquet and CSV have none: choose [`UnionType::Struct`] for them.
    pub fn unions(mut self, to: UnionType) -> Self {
        self.mapping.unions = to;
        self
    }

    /// The Arrow type of decimals of more than 76 digits.
    pub fn wide_decimals(mut self, to: WideDecimalType) -> Self {
        self.mapping.wide_decimals = to;
        self
    }

    /// The Arrow type of decimals that carry their scale in each value.
    pub fn big_decimals(mut self, to: BigDecimalType) -> Self {
        self.mapping.big_decimals = to;
        self
    }

    /// What becomes of a type that contains itself.
    pub fn recursion(mut self, to: RecursionType) -> Self {
        self.mapping.recursion = to;
        self
    }

    /// The zone that columns of instants are declared in.
    pub fn time_zone(mut self, to: TimeZone) -> Self {
        self.mapping.time_zone = to;
        self
    }

    /// How much one message and one batch may use.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn frame(&self) -> Framing {
        self.framing
    }

    /// Whether nothing can be decoded without a registry.
    fn needs_registry(&self) -> bool {
        let reads_ids = self.factory.needs_writer_schemas() && self.framing != Framing::Unframed;
        let named = match self.writer {
            Writer::Named => reads_ids,
            Writer::Id(_) => true,
            Writer::Given(_) => false,
            #[cfg(feature = "avro")]
            Writer::Fingerprinted(_) => false,
        };
        named || matches!(self.reader, Reader::Subject(_))
    }

    /// Makes the decoder. It asks the registry for what has to be known beforehand. `topic` is the
    /// first topic, if it has a fixed name.
    pub(crate) fn open(
        &self,
        part: Part,
        topic: Option<&str>,
        registry: Option<&Client>,
    ) -> Result<Box<dyn Decoder>, Error> {
        if registry.is_none() && self.needs_registry() {
            return Err(Error::config(format!(
                "{part}s are {} with schema ids, and no registry is given (Builder::registry; for the command, -r URL or SABOT_REGISTRY)",
                self.factory.kind()
            )));
        }
        let mut target = Target::default();
        target.output = self.output(part, topic, registry)?;
        target.projection.clone_from(&self.projection);
        target.check_tail = self.check_tail;
        target.mapping = self.mapping.clone();
        target.limits = self.limits;
        let mut decoder = self
            .factory
            .open(&target)
            .map_err(|error| Error::plan(part, error))?;
        let writer = match (&self.writer, registry) {
            (Writer::Given(schema), _) => Some(schema.clone()),
            (Writer::Id(key), Some(registry)) => Some(WriterSchema::clone(&*registry.fetch(*key)?)),
            _ => None,
        };
        if let Some(writer) = writer {
            decoder
                .prepare(SchemaKey::Absent, &writer)
                .map_err(|error| Error::plan(part, error))?;
        }
        #[cfg(feature = "avro")]
        if let Writer::Fingerprinted(schemas) = &self.writer {
            self.prepare_all(&mut *decoder, schemas, part)?;
        }
        Ok(decoder)
    }

    /// Prepares the schemas of single-object encoding, which nobody could be asked for later.
    #[cfg(feature = "avro")]
    fn prepare_all(
        &self,
        decoder: &mut dyn Decoder,
        schemas: &[WriterSchema],
        part: Part,
    ) -> Result<(), Error> {
        if schemas.is_empty() || schemas.len() > self.limits.plans {
            return Err(Error::config(format!(
                "{} schemas are given for single-object encoding: at least one is needed, and the limit is {}",
                schemas.len(),
                self.limits.plans
            )));
        }
        for schema in schemas {
            let prepared = sabot_avro::fingerprint(schema)
                .and_then(|fingerprint| decoder.prepare(SchemaKey::Fingerprint(fingerprint), schema));
            prepared.map_err(|error| Error::plan(part, error))?;
        }
        Ok(())
    }

    fn output(
        &self,
        part: Part,
        topic: Option<&str>,
        registry: Option<&Client>,
    ) -> Result<OutputSchema, Error> {
        Ok(match (&self.reader, registry) {
            (Reader::Given(text), _) => {
                OutputSchema::Reader(WriterSchema::new(self.factory.kind(), text.as_str()))
            }
            (Reader::Arrow(schema), _) => OutputSchema::Arrow(SchemaRef::clone(schema)),
            (Reader::Subject(subject), Some(registry)) => {
                OutputSchema::Reader(self.latest(&Subject::from(subject.as_str()), registry)?)
            }
            (Reader::TopicSubject, Some(registry)) if matches!(self.writer, Writer::Named) => {
                let Some(topic) = topic else {
                    return Ok(OutputSchema::FirstWriter);
                };
                match self.latest(&Subject::from(format!("{topic}-{part}")), registry) {
                    Ok(schema) => OutputSchema::Reader(schema),
                    Err(error) if error.kind() == ErrorKind::NotFound => OutputSchema::FirstWriter,
                    Err(error) => return Err(error),
                }
            }
            _ => self
                .newest_given()
                .map_or(OutputSchema::FirstWriter, OutputSchema::Reader),
        })
    }

    /// The last schema of single-object encoding.
    fn newest_given(&self) -> Option<WriterSchema> {
        match &self.writer {
            #[cfg(feature = "avro")]
            Writer::Fingerprinted(schemas) => schemas.last().cloned(),
            _ => None,
        }
    }

    fn latest(&self, subject: &Subject, registry: &Client) -> Result<WriterSchema, Error> {
        // Not from the cache of latest versions: whoever opens a stream wants what is latest now.
        let latest = registry.version(subject, VersionSpec::Latest, sabot_registry::Deleted::Exclude)?;
        let schema = registry.resolve(&latest)?;
        if schema.kind != self.factory.kind() {
            return Err(Error::config(format!(
                "subject {subject} holds a schema of kind {}, and the codec takes {}",
                schema.kind,
                self.factory.kind()
            )));
        }
        Ok(schema)
    }
}
