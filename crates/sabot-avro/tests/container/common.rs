//! Container files made by hand, and what comes out of them.

use std::io::Read;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use sabot_avro::{ContainerError, ContainerOptions, ContainerReader};
use sabot_testkit::avro::{long, sized};

pub(crate) const SYNC: &[u8; 16] = b"sixteen bytes ok";

pub(crate) const SCHEMA: &str = r#"{"type": "record", "name": "R", "fields": [
    {"name": "id", "type": "long"}, {"name": "name", "type": "string"}, {"name": "ok", "type": "boolean"}]}"#;

/// A row of [`SCHEMA`].
pub(crate) fn row(id: i64) -> Vec<u8> {
    [long(id), sized(format!("row {id}")), vec![1]].concat()
}

/// A header with this metadata.
pub(crate) fn header_of(metadata: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"Obj\x01".to_vec();
    bytes.extend(long(metadata.len() as i64));
    for (key, value) in metadata {
        bytes.extend(sized(key));
        bytes.extend(sized(value));
    }
    if !metadata.is_empty() {
        bytes.push(0);
    }
    bytes.extend(SYNC);
    bytes
}

pub(crate) fn header(schema: &str, codec: &str) -> Vec<u8> {
    header_of(&[
        ("avro.schema", schema.as_bytes()),
        ("avro.codec", codec.as_bytes()),
    ])
}

/// A block that says it has `rows` rows.
pub(crate) fn block(rows: i64, data: &[u8]) -> Vec<u8> {
    [long(rows), sized(data), SYNC.to_vec()].concat()
}

/// A block of rows of [`SCHEMA`] with these ids.
pub(crate) fn block_of(ids: std::ops::Range<i64>) -> Vec<u8> {
    let rows: Vec<u8> = ids.clone().flat_map(row).collect();
    block(ids.end - ids.start, &rows)
}

/// What comes out of a file: the ids of good rows, and errors where they were.
#[derive(Debug, PartialEq, Clone)]
pub(crate) enum Out {
    Ids(Vec<i64>),
    Bad(String),
}

pub(crate) fn ids(batch: &RecordBatch) -> Vec<i64> {
    batch["id"].as_primitive::<Int64Type>().values().to_vec()
}

/// All of a file's rows and errors, neighbouring batches as one.
pub(crate) fn read_with(input: impl Read, options: ContainerOptions) -> Result<Vec<Out>, ContainerError> {
    let mut out = Vec::new();
    for item in ContainerReader::with_options(input, options)? {
        match (item, out.last_mut()) {
            (Ok(batch), Some(Out::Ids(known))) => known.extend(ids(&batch)),
            (Ok(batch), _) => out.push(Out::Ids(ids(&batch))),
            (Err(error), _) => out.push(Out::Bad(error.to_string())),
        }
    }
    Ok(out)
}

pub(crate) fn read(input: impl Read) -> Vec<Out> {
    read_with(input, ContainerOptions::default()).expect("the header is good")
}

/// Gives some bytes at a time, and is interrupted in between.
pub(crate) struct Trickle<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) size: usize,
    pub(crate) is_interrupted: bool,
}

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.is_interrupted = !self.is_interrupted;
        if self.is_interrupted {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let size = self.size.min(into.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(size);
        into[..size].copy_from_slice(now);
        self.bytes = later;
        Ok(size)
    }
}
