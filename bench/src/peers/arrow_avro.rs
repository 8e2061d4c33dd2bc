//! arrow-avro's own decoder of Confluent's wire format, fed one framed message at a time.

use arrow_array::RecordBatch;
use arrow_avro::reader::{Decoder, ReaderBuilder};
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};

use super::{BATCH_ROWS, Peer};
use crate::buffer::Messages;

pub struct ArrowAvro(Decoder);

impl ArrowAvro {
    pub fn new(id: u32, schema: String) -> Result<Self, String> {
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        let key = Fingerprint::load_fingerprint_id(id.to_be());
        store
            .set(key, AvroSchema::new(schema))
            .map_err(|error| error.to_string())?;
        let builder = ReaderBuilder::new()
            .with_batch_size(BATCH_ROWS)
            .with_writer_schema_store(store);
        builder
            .build_decoder()
            .map(Self)
            .map_err(|error| error.to_string())
    }

    fn flush(&mut self, batch: &mut dyn FnMut(RecordBatch)) -> Result<(), String> {
        self.0
            .flush()
            .map_err(|error| error.to_string())?
            .map_or(Ok(()), |full| {
                batch(full);
                Ok(())
            })
    }
}

impl Peer for ArrowAvro {
    fn decode(&mut self, messages: &Messages, batch: &mut dyn FnMut(RecordBatch)) -> Result<(), String> {
        for message in messages.iter() {
            let taken = self.0.decode(message).map_err(|error| error.to_string())?;
            if taken != message.len() {
                return Err(format!("arrow-avro took {taken} of {} bytes", message.len()));
            }
            if self.0.batch_is_full() {
                self.flush(batch)?;
            }
        }
        self.flush(batch)
    }
}
