//! Decoding without Kafka.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sabot_assemble::{Assembler, AssemblerOptions, BadRow, Metadata, OnError, PushStop, Run, RunPart};
use sabot_decode::SchemaSource;
use sabot_registry::Client;
use sabot_wire::Framing;

use crate::schema_source::{Registry, schema_source};
use crate::{Codec, Error, Part};

/// How to decode payloads. Made by [`crate::Sabot::payloads`].
#[must_use = "it does nothing until `open`"]
pub struct Payloads {
    codec: Codec,
    registry: Registry,
    on_error: OnError,
}

impl Payloads {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            codec,
            registry: Registry::None,
            on_error: OnError::default(),
        }
    }

    /// The schema registry's URL.
    pub fn registry(mut self, url: impl Into<String>) -> Self {
        self.registry = Registry::Url(url.into());
        self
    }

    /// A registry client configured elsewhere.
    pub fn registry_client(mut self, client: Client) -> Self {
        self.registry = Registry::Client(client);
        self
    }

    /// What becomes of a bad payload. [`OnError::DeadLetter`] is the same as [`OnError::Skip`]
    /// here: the caller has the payload.
    pub fn on_error(mut self, policy: OnError) -> Self {
        self.on_error = policy;
        self
    }

    /// Makes the decoder.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Config`], or what a registry's answer stands for: `Schema`, `NotFound`,
    /// `Unreachable`, `Denied` or `Registry`.
    pub fn open(self) -> Result<PayloadDecoder, Error> {
        let registry = self.registry.client()?;
        let decoder = self.codec.open(Part::Value, None, registry.as_ref())?;
        let mut options = AssemblerOptions::default();
        options.metadata = Metadata::NONE;
        options.on_error = self.on_error;
        Ok(PayloadDecoder {
            assembler: Assembler::new(options, None, decoder),
            framing: self.codec.frame(),
            schemas: schema_source(registry),
            source: Arc::from("payload"),
            indexes: Vec::new(),
        })
    }
}

impl fmt::Debug for Payloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payloads")
            .field("codec", &self.codec)
            .field("on_error", &self.on_error)
            .finish_non_exhaustive()
    }
}

/// Turns slices of payloads into batches.
///
/// ```
/// # #[cfg(feature = "json")] {
/// use sabot::{Codec, OnError, Sabot};
///
/// let mut decoder = Sabot::payloads(Codec::json()).on_error(OnError::Skip).open()?;
/// let (batch, bad) = decoder.decode(&[Some(br#"{"id": 1}"#), Some(b"{"), Some(br#"{"id": 2}"#)])?;
/// assert_eq!(batch.num_rows(), 2);
/// assert_eq!(bad[0].offset, 1);
/// # }
/// # Ok::<(), sabot::Error>(())
/// ```
pub struct PayloadDecoder {
    assembler: Assembler,
    framing: Framing,
    schemas: Box<dyn SchemaSource + Send>,
    /// What stands for the topic in reports.
    source: Arc<str>,
    /// The numbers from 0 on, which stand for offsets in reports. Kept for its room.
    indexes: Vec<i64>,
}

impl PayloadDecoder {
    /// Decodes all payloads to one batch. `None` is Kafka's null. In the reports, the offset is the
    /// payload's index.
    ///
    /// # Errors
    ///
    /// With [`OnError::Fail`] the first bad payload; a schema that cannot be fetched; payloads that
    /// are more than one batch can hold (see [`sabot_decode::Limits`]). Nothing of the slice is
    /// kept then.
    pub fn decode(&mut self, payloads: &[Option<&[u8]>]) -> Result<(RecordBatch, Vec<BadRow>), Error> {
        self.indexes.clear();
        self.indexes.extend((0..).take(payloads.len()));
        let run = Run {
            topic: &self.source,
            partition: 0,
            offsets: &self.indexes,
            timestamps: None,
            keys: RunPart::NULL,
            values: RunPart {
                framing: self.framing,
                bytes: payloads,
                schema_headers: &[],
            },
            headers: None,
        };
        let pushed = self.assembler.push(&[run], &mut *self.schemas, &mut |_, _| {});
        let finished = self.assembler.finish();
        match pushed.stop {
            PushStop::Done => {}
            PushStop::Full => {
                let taken = pushed.taken;
                return Err(Error::config(format!(
                    "the batch is full after {taken} payloads: decode fewer at once"
                )));
            }
            PushStop::Unavailable(error) => return Err(Error::fetch(error)),
            PushStop::Failed(bad) => return Err(Error::bad_payload(*bad)),
        }
        let assembled = finished.map_err(|error| Error::internal(error.to_string()))?;
        Ok((assembled.batch, assembled.bad))
    }

    /// The schema of every batch, as soon as it is known.
    #[must_use]
    pub fn schema(&self) -> Option<SchemaRef> {
        self.assembler.schema()
    }
}

impl fmt::Debug for PayloadDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadDecoder")
            .field("assembler", &self.assembler)
            .finish_non_exhaustive()
    }
}
