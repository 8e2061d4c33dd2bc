//! Parsing Canonical Form, fingerprints, and schemas by fingerprint: what single-object encoding
//! needs.
//!
//! A message in [single-object
//! encoding](https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding) names its
//! writer schema by the schema's fingerprint. The frame itself is
//! [`sabot_wire::Framing::AvroSingleObject`]'s business; a [`SchemaStore`] turns its key into the
//! schema, as a registry does for ids, and the decoder is the same.
//!
//! The canonical form is written from the parsed schema, where names are full already and all that
//! it leaves out is known to be so. The price is that a schema has to parse before it has a
//! fingerprint.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sabot_decode::{FetchError, PlanError, SchemaKey, SchemaSource, WriterSchema};

use crate::schema::{At, Kind, Schema, TypeId};

/// Levels of a schema at most. Those of one text are fewer; references may make a chain of any
/// length.
const MAX_DEPTH: usize = 512;

/// A schema's Parsing Canonical Form: one text for all schemas that read the same bytes as the same
/// values, whatever their documentation, aliases, defaults, logical types and layout.
///
/// ```
/// use sabot_decode::WriterSchema;
///
/// let schema = WriterSchema::avro(
///     r#"{"type": "fixed", "doc": "an MD5", "name": "Hash", "namespace": "com.acme", "size": 16}"#,
/// );
/// assert_eq!(
///     sabot_avro::canonical_form(&schema)?,
///     r#"{"name":"com.acme.Hash","type":"fixed","size":16}"#,
/// );
/// # Ok::<(), sabot_decode::PlanError>(())
/// ```
///
/// # Errors
///
/// [`PlanError`] where the schema is malformed, or nests more than 512 levels deep.
pub fn canonical_form(schema: &WriterSchema) -> Result<String, PlanError> {
    let schema = Schema::parse(schema)?;
    let mut form = Form::default();
    form.write(schema.root(), MAX_DEPTH)?;
    Ok(form.text)
}

/// A schema's fingerprint: CRC-64-AVRO over its [`canonical_form`].
///
/// ```
/// use sabot_decode::{SchemaKey, WriterSchema};
/// use sabot_wire::fingerprint_prefix;
///
/// let fingerprint = sabot_avro::fingerprint(&WriterSchema::avro("\"int\""))?;
/// assert_eq!(fingerprint, 0x7275_d51a_3f39_5c8f);
///
/// // The number 3 in single-object encoding.
/// let mut message = fingerprint_prefix(fingerprint).to_vec();
/// message.push(6);
/// # assert_eq!(message, [0xc3, 1, 0x8f, 0x5c, 0x39, 0x3f, 0x1a, 0xd5, 0x75, 0x72, 6]);
/// # Ok::<(), sabot_decode::PlanError>(())
/// ```
///
/// # Errors
///
/// As [`canonical_form`].
pub fn fingerprint(schema: &WriterSchema) -> Result<u64, PlanError> {
    canonical_form(schema).map(|form| crc_64_avro(form.as_bytes()))
}

/// Schemas by fingerprint: where a caller gets the writer schemas of single-object encoding from.
///
/// ```
/// use sabot_avro::{AvroFactory, SchemaStore};
/// use sabot_decode::{DecoderFactory, Payload, SchemaSource, Stop, Target, WriterSchema};
/// use sabot_wire::Framing;
///
/// let mut schemas = SchemaStore::new();
/// schemas.insert(WriterSchema::avro("\"int\""))?;
///
/// let message = [0xc3, 1, 0x8f, 0x5c, 0x39, 0x3f, 0x1a, 0xd5, 0x75, 0x72, 6];
/// let frame = Framing::AvroSingleObject.split(None, &message)?;
/// let rows = [Payload::with_key(frame.key, frame.body)];
///
/// let mut decoder = AvroFactory.open(&Target::default())?;
/// let progress = decoder.decode(&rows, &mut |error| panic!("{error:?}"));
/// assert_eq!(progress.stop, Stop::NeedsSchema(frame.key));
/// decoder.prepare(frame.key, &schemas.fetch(frame.key)?)?;
/// assert_eq!(decoder.decode(&rows, &mut |error| panic!("{error:?}")).stop, Stop::Done);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct SchemaStore {
    schemas: HashMap<u64, WriterSchema>,
}

impl SchemaStore {
    /// No schemas yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a schema, and says its fingerprint. Of schemas with the same one, the last is kept:
    /// they read alike, and only differ in what the canonical form leaves out.
    ///
    /// # Errors
    ///
    /// As [`canonical_form`]; nothing is added then.
    pub fn insert(&mut self, schema: WriterSchema) -> Result<u64, PlanError> {
        let fingerprint = fingerprint(&schema)?;
        self.schemas.insert(fingerprint, schema);
        Ok(fingerprint)
    }

    /// The schema of this fingerprint.
    #[must_use]
    pub fn get(&self, fingerprint: u64) -> Option<&WriterSchema> {
        self.schemas.get(&fingerprint)
    }

    /// How many schemas there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.schemas.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.schemas.is_empty()
    }
}

impl SchemaSource for SchemaStore {
    /// # Errors
    ///
    /// [`FetchError::Unknown`] for every key that is not the fingerprint of one of the schemas.
    fn fetch(&mut self, key: SchemaKey) -> Result<WriterSchema, FetchError> {
        let schema = match key {
            SchemaKey::Fingerprint(fingerprint) => self.get(fingerprint),
            _ => None,
        };
        schema.cloned().ok_or_else(|| FetchError::Unknown {
            key,
            cause: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
                "no schema of this fingerprint is given",
            )),
        })
    }
}

/// The canonical form as far as it is written.
#[derive(Default)]
struct Form {
    text: String,
    /// The named types that are written already. From then on, their name stands for them.
    written: HashSet<TypeId>,
}

impl Form {
    // Names and symbols are letters, digits, `_` and `.`, so that nothing has to be escaped.
    fn write(&mut self, ty: At<'_>, depth: usize) -> Result<(), PlanError> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| PlanError::new(format!("the schema nests more than {MAX_DEPTH} levels deep")))?;
        let is_known = ty.ty().named.is_some() && !self.written.insert(ty.id);
        if is_known {
            self.quote(ty.full_name());
            return Ok(());
        }
        match ty.kind() {
            Kind::Array(items) => self.write_nested("array", "items", ty.to(*items), depth)?,
            Kind::Map(values) => self.write_nested("map", "values", ty.to(*values), depth)?,
            Kind::Union(branches) => {
                self.write_list(branches, |form, branch| form.write(ty.to(*branch), depth))?;
            }
            Kind::Fixed(size) => {
                self.open(ty);
                self.text.push_str(&format!(",\"size\":{size}}}"));
            }
            Kind::Enum(of) => {
                self.open(ty);
                self.text.push_str(",\"symbols\":");
                self.write_list(&of.symbols, |form, symbol| {
                    form.quote(symbol);
                    Ok(())
                })?;
                self.text.push('}');
            }
            Kind::Record(fields) => {
                self.open(ty);
                self.text.push_str(",\"fields\":");
                self.write_list(fields, |form, field| {
                    form.text.push_str("{\"name\":");
                    form.quote(&field.name);
                    form.text.push_str(",\"type\":");
                    form.write(ty.to(field.ty), depth)?;
                    form.text.push('}');
                    Ok(())
                })?;
                self.text.push('}');
            }
            primitive => self.quote(primitive.name()),
        }
        Ok(())
    }

    /// What every named type begins with.
    fn open(&mut self, ty: At<'_>) {
        self.text.push_str("{\"name\":");
        self.quote(ty.full_name());
        self.text.push_str(",\"type\":");
        self.quote(ty.kind().name());
    }

    fn write_nested(&mut self, name: &str, key: &str, of: At<'_>, depth: usize) -> Result<(), PlanError> {
        self.text.push_str(&format!("{{\"type\":\"{name}\",\"{key}\":"));
        self.write(of, depth)?;
        self.text.push('}');
        Ok(())
    }

    fn write_list<T>(
        &mut self,
        items: &[T],
        mut write: impl FnMut(&mut Self, &T) -> Result<(), PlanError>,
    ) -> Result<(), PlanError> {
        self.text.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            write(self, item)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn quote(&mut self, name: &str) {
        self.text.push_str(&serde_json::Value::from(name).to_string());
    }
}

/// Rabin's fingerprint as the specification defines it.
fn crc_64_avro(bytes: &[u8]) -> u64 {
    bytes.iter().fold(CRC_OF_NOTHING, |crc, byte| {
        (crc >> 8) ^ CRC_TABLE[((crc ^ u64::from(*byte)) & 0xff) as usize]
    })
}

/// The fingerprint of no bytes, which is the polynomial too.
const CRC_OF_NOTHING: u64 = 0xc15d_213a_a4d7_a795;

/// What each byte adds.
static CRC_TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        let mut crc = at as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (CRC_OF_NOTHING & 0u64.wrapping_sub(crc & 1));
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};
