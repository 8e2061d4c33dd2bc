//! Sabot's decoder: frames split, then slices of payloads, as its Kafka driver does it.

use arrow_array::RecordBatch;
use sabot_avro::AvroFactory;
use sabot_decode::{Body, Decoder, DecoderFactory, Payload, SchemaKey, Stop, Target, WriterSchema};
use sabot_wire::Framing;

use super::{BATCH_ROWS, Peer};
use crate::buffer::Messages;

/// Messages handed over in one call: what a driver has at hand after some polls.
const SLICE_ROWS: usize = 256;

pub struct Sabot(Box<dyn Decoder>);

impl Sabot {
    pub fn new(id: u32, schema: String) -> Result<Self, String> {
        let mut decoder = AvroFactory
            .open(&Target::default())
            .map_err(|error| error.to_string())?;
        decoder
            .prepare(SchemaKey::Id(id), &WriterSchema::avro(schema))
            .map_err(|error| error.to_string())?;
        Ok(Self(decoder))
    }

    fn take(&mut self, slice: &[Payload<'_>], batch: &mut dyn FnMut(RecordBatch)) -> Result<(), String> {
        let mut bad = None;
        let progress = self.0.decode(slice, &mut |error| bad = Some(error));
        if let Some(error) = bad {
            return Err(format!("a message of the workload is bad: {error:?}"));
        }
        if (progress.taken, progress.stop) != (slice.len(), Stop::Done) {
            return Err(format!("the decoder stopped: {progress:?}"));
        }
        if self.0.slots() >= BATCH_ROWS {
            self.flush(batch)?;
        }
        Ok(())
    }

    fn flush(&mut self, batch: &mut dyn FnMut(RecordBatch)) -> Result<(), String> {
        if self.0.slots() > 0 {
            batch(self.0.flush().map_err(|error| error.to_string())?.batch);
        }
        Ok(())
    }
}

impl Peer for Sabot {
    fn decode(&mut self, messages: &Messages, batch: &mut dyn FnMut(RecordBatch)) -> Result<(), String> {
        let mut slice = Vec::with_capacity(SLICE_ROWS);
        for message in messages.iter() {
            let frame = Framing::Confluent
                .split(None, message)
                .map_err(|error| error.to_string())?;
            slice.push(Payload {
                key: frame.key,
                path: frame.path,
                body: Body::Bytes(frame.body),
                prefix_bytes: frame.prefix_bytes,
            });
            if slice.len() == SLICE_ROWS {
                self.take(&slice, batch)?;
                slice.clear();
            }
        }
        self.take(&slice, batch)?;
        self.flush(batch)
    }
}
