//! Which column of a batch plays which part: the message's metadata, its key, its value.
//!
//! The formats that speak of messages instead of rows (`-J`, `-f`) need to know. Names do not tell:
//! a value may have a field `key` or `_topic` of its own. Places do: the key is the first column,
//! metadata are the last ones.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use sabot::{Metadata, Tombstones};

/// What the command line fixed about the columns.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Whether keys are decoded.
    pub(crate) key: bool,
    /// The metadata columns asked for.
    pub(crate) metadata: Metadata,
    /// Whether deletions are flagged in a column.
    pub(crate) tombstones: Tombstones,
    /// Columns that come after the metadata: `_error` and `_raw`.
    pub(crate) error_columns: bool,
    pub(crate) value: ValueLayout,
}

/// Which columns a value has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueLayout {
    /// The fields of a record.
    Record,
    /// One plain column.
    Plain,
    /// One plain column that is not wanted: [`Layout::shown`] leaves it out.
    Hidden,
}

/// Column indexes by part.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) topic: Option<usize>,
    pub(crate) partition: Option<usize>,
    pub(crate) offset: Option<usize>,
    pub(crate) timestamp: Option<usize>,
    pub(crate) timestamp_type: Option<usize>,
    pub(crate) headers: Option<usize>,
    pub(crate) deleted: Option<usize>,
    pub(crate) key: Option<usize>,
    pub(crate) value: Vec<usize>,
}

impl Layout {
    /// What of a batch is for the output.
    pub(crate) fn shown(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if self.value != ValueLayout::Hidden {
            return Ok(batch.clone());
        }
        let hidden = self.parts(batch).value;
        let shown: Vec<_> = (0..batch.num_columns())
            .filter(|column| !hidden.contains(column))
            .collect();
        batch.project(&shown)
    }

    /// Finds the parts among the columns of `batch`.
    pub(crate) fn parts(&self, batch: &RecordBatch) -> Parts {
        let mut parts = Parts::default();
        let mut raw_key = None;
        let metadata = &self.metadata;
        let added = [
            (metadata.topic, &mut parts.topic),
            (metadata.partition, &mut parts.partition),
            (metadata.offset, &mut parts.offset),
            (metadata.timestamp, &mut parts.timestamp),
            (metadata.timestamp_type, &mut parts.timestamp_type),
            (metadata.key, &mut raw_key),
            (metadata.headers, &mut parts.headers),
            (self.tombstones == Tombstones::Flag, &mut parts.deleted),
        ];
        let errors = if self.error_columns { 2 } else { 0 };
        let count = added.iter().filter(|(wanted, _)| *wanted).count() + errors;
        let columns = batch.num_columns();
        let first = columns.saturating_sub(count);
        for (at, (_, part)) in (first..columns).zip(added.into_iter().filter(|(wanted, _)| *wanted)) {
            *part = Some(at);
        }
        // A key column is missing while nothing but null keys came.
        let schema = batch.schema_ref();
        let has_key = self.key && first > 0 && schema.field(0).name().trim_end_matches('_') == "key";
        parts.key = if has_key { Some(0) } else { raw_key };
        parts.value = (usize::from(has_key)..first).collect();
        parts
    }
}
