//! Sabot: to record batches with the default metadata columns, each let go of before the next.

use sabot::{Codec, Sabot};

use super::Read;
use crate::{properties, variable, words};

pub fn read(topic: &str, _: usize) -> Result<Read, String> {
    let mut builder = Sabot::kafka(variable("SABOT_KAFKA")?);
    for (name, value) in properties()? {
        builder = builder.property(name, value);
    }
    let stream = builder
        .topic(topic)
        .registry(variable("SABOT_REGISTRY")?)
        .value(Codec::avro())
        .stop_at_end()
        .open()
        .map_err(words)?;
    let mut read = Read::default();
    for batch in stream {
        let batch = batch.map_err(words)?;
        read.messages += batch.batch.num_rows();
        read.bytes += usize::try_from(batch.bytes).unwrap_or(usize::MAX);
        batch.ack();
    }
    Ok(read)
}
