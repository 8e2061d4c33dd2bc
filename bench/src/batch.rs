//! What a system hands to its consumer, whichever release of Arrow it was built with.

use std::collections::VecDeque;
use std::hint::black_box;

use arrow_array::RecordBatch;
#[cfg(feature = "peers")]
use arrow_ipc::reader::StreamReader;
#[cfg(feature = "peers")]
use arrow_ipc_60::writer::StreamWriter;

/// One batch.
pub enum Batch {
    /// Of the Arrow that Sabot uses.
    Ours(RecordBatch),
    /// Of the Arrow that the newest peers use.
    #[cfg(feature = "peers")]
    Newer(arrow_array_60::RecordBatch),
    /// Nothing but bytes.
    Bytes(Vec<u8>),
}

impl From<RecordBatch> for Batch {
    fn from(batch: RecordBatch) -> Self {
        Self::Ours(batch)
    }
}

/// The batches in Arrow's types that Sabot uses. Those of another release go through Arrow's IPC
/// format: safe, and the same values. Bytes are left out.
#[cfg(feature = "peers")]
pub fn into_ours(batches: Vec<Batch>) -> Result<Vec<RecordBatch>, String> {
    let mut ours = Vec::new();
    let mut newer = Vec::new();
    for batch in batches {
        match batch {
            Batch::Ours(batch) => ours.push(batch),
            Batch::Newer(batch) => newer.push(batch),
            Batch::Bytes(_) => {}
        }
    }
    let Some(first) = newer.first() else {
        return Ok(ours);
    };
    let fail = |error: &dyn std::fmt::Display| format!("between releases of Arrow: {error}");
    let mut stream = StreamWriter::try_new(Vec::new(), &first.schema()).map_err(|error| fail(&error))?;
    for batch in &newer {
        stream.write(batch).map_err(|error| fail(&error))?;
    }
    let bytes = stream.into_inner().map_err(|error| fail(&error))?;
    let reader = StreamReader::try_new(bytes.as_slice(), None).map_err(|error| fail(&error))?;
    for batch in reader {
        ours.push(batch.map_err(|error| fail(&error))?);
    }
    Ok(ours)
}

/// A consumer that keeps the last batches for a while, or none.
pub struct Consumer {
    held: VecDeque<Batch>,
    capacity: usize,
}

impl Consumer {
    pub fn holding(capacity: usize) -> Self {
        Self {
            held: VecDeque::with_capacity(capacity + 1),
            capacity,
        }
    }

    pub fn take(&mut self, batch: Batch) {
        self.held.push_back(black_box(batch));
        if self.held.len() > self.capacity {
            self.held.pop_front();
        }
    }
}
