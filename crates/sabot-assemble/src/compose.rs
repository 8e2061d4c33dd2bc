//! From gathered columns to one batch: nulls put in, rows filtered out.
//!
//! Both happen once a batch and over whole columns. A batch without bad rows and tombstones passes
//! with neither; its unions alone get their branch for null.

use std::sync::Arc;

use arrow_array::types::BinaryType;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, RecordBatch, RecordBatchOptions, StringArray, StructArray,
    UInt32Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, SchemaRef};
use arrow_select::take::take;
use sabot_decode::Slots;

use crate::bad_rows::BadRows;
use crate::keep::keep_rows;
use crate::{AssemblerOptions, OnError, Tombstones, layout, nulls};

/// What becomes of bad rows and tombstones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policies {
    pub(crate) on_error: OnError,
    tombstones: Tombstones,
    error_column: bool,
    pub(crate) raw_column: bool,
}

impl Policies {
    pub(crate) fn new(options: &AssemblerOptions) -> Self {
        let keeps_bad_rows = options.on_error == OnError::Null;
        Self {
            on_error: options.on_error,
            tombstones: options.tombstones,
            error_column: options.error_column && keeps_bad_rows,
            raw_column: options.raw_column && keeps_bad_rows,
        }
    }

    /// Whether a row can be kept that has no good value.
    pub(crate) fn nullable_values(self) -> bool {
        self.on_error == OnError::Null || self.tombstones != Tombstones::Drop
    }

    /// The fields of the columns that policies add, in the order of [`Self::columns`].
    pub(crate) fn fields(self) -> impl Iterator<Item = FieldRef> {
        [
            (
                self.tombstones == Tombstones::Flag,
                Field::new("_deleted", DataType::Boolean, false),
            ),
            (self.error_column, Field::new("_error", DataType::Utf8, true)),
            (self.raw_column, Field::new("_raw", DataType::Binary, true)),
        ]
        .into_iter()
        .filter(|(is_wanted, _)| *is_wanted)
        .map(|(_, field)| Arc::new(field))
    }

    fn columns(
        self,
        rows: usize,
        has_value: Option<&NullBuffer>,
        bad: &mut BadRows,
    ) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(3);
        if self.tombstones == Tombstones::Flag {
            let deleted = has_value.map_or_else(|| BooleanBuffer::new_unset(rows), |has| !has.inner());
            columns.push(Arc::new(BooleanArray::new(deleted, None)));
        }
        if self.error_column {
            columns.push(Arc::new(bad.errors(rows)));
        }
        if self.raw_column {
            columns.push(bad.take_raw(rows)?);
        }
        Ok(columns)
    }

    /// The rows to keep, if not all are.
    fn kept(
        self,
        key: Option<&BooleanBuffer>,
        value: Option<&BooleanBuffer>,
        has_value: Option<&NullBuffer>,
    ) -> Option<BooleanBuffer> {
        let good = match self.on_error {
            OnError::Fail | OnError::Null => None,
            OnError::Skip | OnError::DeadLetter => and(key, value),
        };
        let present = has_value
            .filter(|_| self.tombstones == Tombstones::Drop)
            .map(NullBuffer::inner);
        and(good.as_ref(), present)
    }
}

/// What the decoders flushed.
#[derive(Debug)]
pub(crate) struct Flushed {
    pub(crate) key: Option<Slots>,
    pub(crate) value: Slots,
}

impl Flushed {
    pub(crate) fn truncated(self, rows: usize) -> Self {
        let truncated = |slots: Slots| Slots {
            batch: slots.batch.slice(0, rows),
            valid: slots.valid.map(|valid| valid.slice(0, rows)),
        };
        Self {
            key: self.key.map(truncated),
            value: truncated(self.value),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let bytes = |slots: &Slots| slots.batch.get_array_memory_size();
        self.key.as_ref().map_or(0, bytes) + bytes(&self.value)
    }
}

/// Everything that goes into a batch.
#[derive(Debug)]
pub(crate) struct Unassembled {
    pub(crate) flushed: Flushed,
    /// Whether the key has a schema, and so a column.
    pub(crate) has_key_column: bool,
    pub(crate) metadata: Vec<ArrayRef>,
    pub(crate) has_key: Option<NullBuffer>,
    pub(crate) has_value: Option<NullBuffer>,
}

impl Unassembled {
    /// The batch of `schema`, which is laid out as [`layout::Sources::schema`] does it.
    pub(crate) fn assemble(
        self,
        schema: SchemaRef,
        policies: Policies,
        bad: &mut BadRows,
    ) -> Result<RecordBatch, ArrowError> {
        let Self {
            flushed: Flushed { key, value },
            has_key_column,
            metadata,
            has_key,
            has_value,
        } = self;
        let rows = value.batch.num_rows();
        let key_valid = key.as_ref().and_then(|key| key.valid.as_ref());
        let kept = policies.kept(key_valid, value.valid.as_ref(), has_value.as_ref());

        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        if let Some(key) = key.filter(|_| has_key_column) {
            columns.push(key_column(&key, has_key.as_ref(), schema.field(0))?);
        }
        let valid = and(value.valid.as_ref(), has_value.as_ref().map(NullBuffer::inner));
        let first = columns.len();
        for (column, field) in value.batch.columns().iter().zip(&schema.fields()[first..]) {
            columns.push(if policies.nullable_values() {
                nulls::with_nulls(column, field, valid.as_ref())?
            } else {
                Arc::clone(column)
            });
        }
        columns.extend(metadata);
        columns.extend(policies.columns(rows, has_value.as_ref(), bad)?);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        match kept {
            Some(kept) => keep_rows(&batch, kept),
            None => Ok(batch),
        }
    }
}

impl BadRows {
    /// What was wrong with each row: the reports of one row joined by `; `.
    fn errors(&self, rows: usize) -> StringArray {
        let mut texts = vec![None::<String>; rows];
        for (row, report) in self.rows.iter().zip(&self.reports) {
            let reason = report.reason().to_string();
            texts[*row] = Some(match texts[*row].take() {
                Some(text) => format!("{text}; {reason}"),
                None => reason,
            });
        }
        texts.into_iter().collect()
    }

    /// The raw values, each in its row.
    fn take_raw(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        let raw: BinaryArray = self.raw.take::<BinaryType>(self.has_raw.finish())?;
        let mut indexes = vec![None; rows];
        let mut bad_rows = self.rows.clone();
        bad_rows.dedup();
        for (index, row) in (0..).zip(bad_rows) {
            indexes[row] = Some(index);
        }
        take(&raw, &UInt32Array::from(indexes), None)
    }
}

/// The column of a key: see [`layout::Sources::schema`].
fn key_column(key: &Slots, has_key: Option<&NullBuffer>, field: &Field) -> Result<ArrayRef, ArrowError> {
    let valid = and(key.valid.as_ref(), has_key.map(NullBuffer::inner));
    if layout::is_single(key.batch.schema_ref()) {
        return nulls::with_nulls(key.batch.column(0), field, valid.as_ref());
    }
    Ok(Arc::new(StructArray::try_new_with_length(
        key.batch.schema_ref().fields().clone(),
        key.batch.columns().to_vec(),
        valid.map(NullBuffer::new),
        key.batch.num_rows(),
    )?))
}

/// The rows set in both; `None` stands for all.
fn and(left: Option<&BooleanBuffer>, right: Option<&BooleanBuffer>) -> Option<BooleanBuffer> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left & right),
        (one, other) => one.or(other).cloned(),
    }
}
