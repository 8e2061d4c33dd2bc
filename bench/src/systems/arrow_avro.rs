//! arrow-avro's own decoder of Confluent's wire format, fed one framed message at a time.

use arrow_avro::reader::{Decoder, ReaderBuilder};
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};

use super::BATCH_ROWS;
use crate::batch::Batch;
use crate::buffer::Messages;
use crate::suites::Run;

/// One decoder that knows all writer schemas. It ends a batch wherever the schema changes.
pub struct ArrowAvro(Decoder);

impl ArrowAvro {
    /// `projection` has the indexes of the top-level fields to keep, or none to keep all.
    pub fn new(
        writers: &[(u32, String)],
        reader: Option<String>,
        projection: &[usize],
    ) -> Result<Self, String> {
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        for (id, schema) in writers {
            store
                .set(fingerprint(*id), AvroSchema::new(schema.clone()))
                .map_err(|error| error.to_string())?;
        }
        let mut builder = ReaderBuilder::new()
            .with_batch_size(BATCH_ROWS)
            .with_writer_schema_store(store);
        if let Some(reader) = reader {
            builder = builder.with_reader_schema(AvroSchema::new(reader));
        }
        if !projection.is_empty() {
            builder = builder.with_projection(projection.to_vec());
        }
        builder
            .build_decoder()
            .map(Self)
            .map_err(|error| error.to_string())
    }

    fn take(&mut self, message: &[u8], batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        let mut rest = message;
        while !rest.is_empty() {
            let taken = self.0.decode(rest).map_err(|error| error.to_string())?;
            rest = &rest[taken..];
            if self.0.batch_is_full() {
                self.flush(batch)?;
            } else if taken == 0 {
                return Err(format!("arrow-avro left {} bytes of a message", rest.len()));
            }
        }
        Ok(())
    }

    fn flush(&mut self, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        if let Some(full) = self.0.flush().map_err(|error| error.to_string())? {
            batch(Batch::Newer(full));
        }
        Ok(())
    }
}

impl Run for ArrowAvro {
    fn run(&mut self, messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        for message in messages.iter() {
            self.take(message, batch)?;
        }
        self.flush(batch)
    }
}

/// One decoder for each writer schema: what a user does who wants full batches, at the price of the
/// messages' order.
pub struct ArrowAvroEach(Vec<(u32, ArrowAvro)>);

impl ArrowAvroEach {
    pub fn new(
        writers: &[(u32, String)],
        reader: Option<&String>,
        projection: &[usize],
    ) -> Result<Self, String> {
        let each = writers.iter().map(|writer| {
            let decoder = ArrowAvro::new(std::slice::from_ref(writer), reader.cloned(), projection)?;
            Ok((writer.0, decoder))
        });
        each.collect::<Result<_, String>>().map(Self)
    }
}

impl Run for ArrowAvroEach {
    fn run(&mut self, messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        for message in messages.iter() {
            let [0, a, b, c, d, ..] = *message else {
                return Err("a message without a frame".into());
            };
            let id = u32::from_be_bytes([a, b, c, d]);
            let (_, decoder) = self
                .0
                .iter_mut()
                .find(|(known, _)| *known == id)
                .ok_or("an unknown schema")?;
            decoder.take(message, batch)?;
        }
        for (_, decoder) in &mut self.0 {
            decoder.flush(batch)?;
        }
        Ok(())
    }
}

/// The store takes an id as it is in the frame, in big endian.
fn fingerprint(id: u32) -> Fingerprint {
    Fingerprint::load_fingerprint_id(id.to_be())
}
