//! A topic to a Parquet file, acknowledged once the file is whole.
//!
//! `cargo run --example to_parquet -- localhost:9092 http://localhost:8081 orders orders.parquet`

use std::error::Error;
use std::fs::File;

use parquet::arrow::ArrowWriter;
use sabot::{Codec, Sabot, UnionType};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [brokers, registry, topic, path] = arguments.as_slice() else {
        return Err("usage: to_parquet BROKERS REGISTRY TOPIC FILE".into());
    };
    let mut stream = Sabot::kafka(brokers)
        .topic(topic)
        .group("to-parquet")
        .registry(registry)
        // Parquet has no unions.
        .value(Codec::avro().unions(UnionType::Struct))
        .stop_at_end()
        .open()?;

    let (mut writer, mut written) = (None, Vec::new());
    for batch in stream.by_ref() {
        let batch = batch?;
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(ArrowWriter::try_new(
                File::create(path)?,
                batch.batch.schema(),
                None,
            )?),
        };
        writer.write(&batch.batch)?;
        // Rows in a file without its footer are lost: they must not be acknowledged yet.
        written.push(batch.acker());
    }
    if let Some(writer) = writer {
        writer.into_inner()?.sync_all()?;
    }
    for acker in written {
        acker.ack();
    }
    stream.close()?;
    Ok(())
}
