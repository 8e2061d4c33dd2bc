//! One schema for the whole output.
//!
//! Until a decoder has seen a schema (there were only tombstones so far), its batches lack the
//! value's columns. Formats that cannot change their columns on the way get such batches once the
//! schema is known, with columns of null.

use std::collections::VecDeque;

use arrow_array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::SchemaRef;

/// Rows that may wait for a schema. More are written with the columns that they have.
const MOST_ROWS: usize = 1 << 20;

/// Holds batches back until their schema is known.
#[derive(Debug)]
pub(super) struct Aligner {
    wanted: bool,
    waiting: VecDeque<RecordBatch>,
    rows: usize,
}

impl Aligner {
    /// With `wanted` unset, every batch goes through as it is.
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            wanted,
            waiting: VecDeque::new(),
            rows: 0,
        }
    }

    /// Whether nothing is held back.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a batch; gives what can be written now.
    pub(super) fn take(&mut self, batch: &RecordBatch, schema: Option<&SchemaRef>) -> Vec<RecordBatch> {
        if batch.num_rows() > 0 {
            self.rows += batch.num_rows();
            self.waiting.push_back(batch.clone());
        }
        if self.wanted && schema.is_none() && self.rows < MOST_ROWS {
            return Vec::new();
        }
        self.rest(schema)
    }

    /// Gives everything that is left.
    pub(super) fn rest(&mut self, schema: Option<&SchemaRef>) -> Vec<RecordBatch> {
        self.rows = 0;
        let schema = schema.filter(|_| self.wanted);
        self.waiting
            .drain(..)
            .map(|batch| schema.map_or_else(|| batch.clone(), |schema| aligned(&batch, schema)))
            .collect()
    }
}

/// The batch with the columns that it lacks. One that cannot be brought to the schema stays as it
/// is, and the output says what does not fit.
fn aligned(batch: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    if batch.schema_ref() == schema {
        return batch.clone();
    }
    let rows = batch.num_rows();
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => column.clone(),
            _ => new_null_array(field.data_type(), rows),
        });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns.collect(), &options)
        .unwrap_or_else(|_| batch.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Array, Int64Array};
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn early_batches_wait_for_the_schema_and_get_its_columns() {
        let offset = Field::new("_offset", DataType::Int64, false);
        let early = Arc::new(Schema::new(vec![offset.clone()]));
        let full = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true), offset]));
        let early = RecordBatch::try_new(early, vec![Arc::new(Int64Array::from(vec![0]))]).unwrap();
        let late = RecordBatch::try_new(
            full.clone(),
            vec![
                Arc::new(Int64Array::from(vec![7])),
                Arc::new(Int64Array::from(vec![1])),
            ],
        )
        .unwrap();

        let mut aligner = Aligner::new(true);
        assert!(aligner.take(&early, None).is_empty());
        assert!(!aligner.is_empty());
        let out = aligner.take(&late, Some(&full));
        assert!(aligner.is_empty());
        assert_eq!(out[1], late);
        assert_eq!(out[0].schema(), full);
        assert!(out[0]["id"].is_null(0));
        assert_eq!(out[0]["_offset"].as_ref(), early.column(0).as_ref());

        let mut aligner = Aligner::new(false);
        assert_eq!(aligner.take(&early, None), [early]);
    }
}
