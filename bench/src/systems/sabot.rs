//! Sabot's decoder, driven as its documentation says: frames split, then slices of payloads. Bad
//! rows are left out of each batch, as its assembler does it.

use sabot_assemble::keep_rows;
use sabot_decode::{Decoder, DecoderFactory, Framing, Payload, SchemaKey, Slots, Stop, Target, WriterSchema};

use super::BATCH_ROWS;
use crate::batch::Batch;
use crate::buffer::Messages;
use crate::suites::Run;

/// Messages handed over in one call: as many as the Kafka driver hands over.
const SLICE_ROWS: usize = 128;

/// A decoder of any codec.
pub struct Sabot {
    decoder: Box<dyn Decoder>,
    /// Whether bad messages are expected.
    skips: bool,
}

impl Sabot {
    pub fn new(
        factory: &dyn DecoderFactory,
        target: &Target,
        writers: &[(u32, WriterSchema)],
    ) -> Result<Self, String> {
        let mut target = target.clone();
        target.limits.batch_rows = BATCH_ROWS;
        let mut decoder = factory.open(&target).map_err(|error| error.to_string())?;
        for (id, writer) in writers {
            decoder
                .prepare(SchemaKey::Id(*id), writer)
                .map_err(|error| error.to_string())?;
        }
        Ok(Self {
            decoder,
            skips: false,
        })
    }

    /// Leaves bad messages out.
    pub fn skipping(self) -> Self {
        Self { skips: true, ..self }
    }

    fn take(&mut self, mut slice: &[Payload<'_>], batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        loop {
            let mut bad = None;
            let progress = self.decoder.decode(slice, &mut |error| bad = Some(error));
            if let (Some(error), false) = (bad, self.skips) {
                return Err(format!("a message of the workload is bad: {error:?}"));
            }
            slice = &slice[progress.taken..];
            match progress.stop {
                Stop::Done => return Ok(()),
                Stop::Full => self.flush(batch)?,
                Stop::NeedsSchema(key) => return Err(format!("no schema for {key}")),
            }
        }
    }

    fn flush(&mut self, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        if self.decoder.slots() == 0 {
            return Ok(());
        }
        let Slots { batch: slots, valid } = self.decoder.flush().map_err(|error| error.to_string())?;
        let good = match valid {
            None => slots,
            Some(valid) => keep_rows(&slots, valid).map_err(|error| error.to_string())?,
        };
        batch(Batch::Ours(good));
        Ok(())
    }
}

impl Run for Sabot {
    fn run(&mut self, messages: &Messages, batch: &mut dyn FnMut(Batch)) -> Result<(), String> {
        let mut slice = Vec::with_capacity(SLICE_ROWS);
        for chunk in messages.chunks(SLICE_ROWS) {
            sabot_wire::touch(chunk.clone());
            slice.clear();
            Payload::extend_framed(&mut slice, Framing::Confluent, chunk);
            self.take(&slice, batch)?;
        }
        self.flush(batch)
    }
}
