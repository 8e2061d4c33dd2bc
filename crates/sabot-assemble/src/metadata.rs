//! The metadata columns while they gather.
//!
//! Plain vectors, to which runs are appended as slices, and all of which can be truncated: rows are
//! appended before it is known how many of them the decoders take. A topic costs a pointer
//! comparison a run, headers nothing unless they are asked for. Keys and headers alone go row by
//! row, since they may fill a batch.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::NullBufferBuilder;
use arrow_array::types::{BinaryType, Int8Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, Int8Array, Int32Array, Int64Array, StringArray,
    TimestampMillisecondArray,
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, TimeUnit};

use sabot_columns::{Overflow, VarBytes};

use crate::headers::{self, HeaderColumn};
use crate::vectors::take;
use crate::{Metadata, Run, RunPart, TimestampKind, Timestamps};

/// Kafka's names of [`TimestampKind::Create`] and [`TimestampKind::LogAppend`], in this order.
const TIMESTAMP_TYPES: [&str; 2] = ["CreateTime", "LogAppendTime"];

/// The columns that [`Metadata`] asks for; the others stay empty.
#[derive(Debug)]
pub(crate) struct MetadataColumns {
    wanted: Metadata,
    rows: usize,
    topics: Topics,
    partitions: Vec<i32>,
    offsets: Vec<i64>,
    timestamps: Vec<i64>,
    timestamp_types: Vec<i8>,
    has_timestamp: NullBufferBuilder,
    keys: VarBytes<i32>,
    has_key: NullBufferBuilder,
    headers: HeaderColumn,
}

impl MetadataColumns {
    pub(crate) fn new(wanted: Metadata) -> Self {
        Self {
            wanted,
            rows: 0,
            topics: Topics::default(),
            partitions: Vec::new(),
            offsets: Vec::new(),
            timestamps: Vec::new(),
            timestamp_types: Vec::new(),
            has_timestamp: NullBufferBuilder::new(0),
            keys: VarBytes::default(),
            has_key: NullBufferBuilder::new(0),
            headers: HeaderColumn::default(),
        }
    }

    /// The columns' fields, in the order of [`Self::finish`].
    pub(crate) fn fields(&self) -> Vec<FieldRef> {
        let dictionary = |key: DataType| DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8));
        let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let wanted = self.wanted;
        [
            (wanted.topic, "_topic", dictionary(DataType::Int32), false),
            (wanted.partition, "_partition", DataType::Int32, false),
            (wanted.offset, "_offset", DataType::Int64, false),
            (wanted.timestamp, "_timestamp", utc, true),
            (
                wanted.timestamp_type,
                "_timestamp_type",
                dictionary(DataType::Int8),
                true,
            ),
            (wanted.key, "_key", DataType::Binary, true),
            (wanted.headers, "_headers", headers::data_type(), false),
        ]
        .into_iter()
        .filter(|(is_wanted, ..)| *is_wanted)
        .map(|(_, name, data_type, nullable)| Arc::new(Field::new(name, data_type, nullable)))
        .collect()
    }

    /// Appends the run's records in `range`, up to the first whose bytes fit no column, or before
    /// which the columns whose rows differ in size hold `most_bytes`. Returns how many.
    pub(crate) fn push(&mut self, run: &Run<'_>, range: Range<usize>, most_bytes: usize) -> usize {
        let rows = if self.varies() {
            self.push_varying(run, range.clone(), most_bytes)
        } else {
            range.len()
        };
        self.push_fixed(run, range.start..range.start + rows);
        rows
    }

    /// Appends a record without its key and headers.
    pub(crate) fn push_without_bytes(&mut self, run: &Run<'_>, index: usize) {
        let bare = Run {
            keys: RunPart::NULL,
            headers: None,
            ..*run
        };
        self.push(&bare, index..index + 1, usize::MAX);
    }

    /// Keeps the first `rows` rows.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.rows = self.rows.min(rows);
        self.topics.indexes.truncate(rows);
        self.partitions.truncate(rows);
        self.offsets.truncate(rows);
        self.timestamps.truncate(rows);
        self.timestamp_types.truncate(rows);
        self.has_timestamp.truncate(rows);
        self.keys.truncate(rows);
        self.has_key.truncate(rows);
        self.headers.truncate(rows);
    }

    /// Whether a column holds timestamps.
    pub(crate) fn wants_timestamps(&self) -> bool {
        self.wanted.timestamp || self.wanted.timestamp_type
    }

    /// Whether rows differ in size.
    fn varies(&self) -> bool {
        self.wanted.key || self.wanted.headers
    }

    /// Bytes held in the columns whose rows differ in size.
    pub(crate) fn varying_bytes(&self) -> usize {
        self.keys.bytes() + self.headers.bytes()
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.topics.indexes.as_slice())
            + size_of_val(self.partitions.as_slice())
            + size_of_val(self.offsets.as_slice())
            + size_of_val(self.timestamps.as_slice())
            + size_of_val(self.timestamp_types.as_slice())
            + self.has_timestamp.allocated_size()
            + self.has_key.allocated_size()
            + self.varying_bytes()
    }

    /// Hands over the columns that are wanted and starts anew.
    pub(crate) fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(7);
        if self.wanted.topic {
            columns.push(Arc::new(self.topics.finish()?));
        }
        if self.wanted.partition {
            columns.push(Arc::new(Int32Array::from(take(&mut self.partitions))));
        }
        if self.wanted.offset {
            columns.push(Arc::new(Int64Array::from(take(&mut self.offsets))));
        }
        let has_timestamp = self.has_timestamp.finish();
        if self.wanted.timestamp {
            let values = take(&mut self.timestamps).into();
            let timestamps = TimestampMillisecondArray::try_new(values, has_timestamp.clone())?;
            columns.push(Arc::new(timestamps.with_timezone("UTC")));
        }
        if self.wanted.timestamp_type {
            let indexes = Int8Array::try_new(take(&mut self.timestamp_types).into(), has_timestamp)?;
            let names = StringArray::from(TIMESTAMP_TYPES.to_vec());
            columns.push(Arc::new(DictionaryArray::<Int8Type>::try_new(
                indexes,
                Arc::new(names),
            )?));
        }
        if self.wanted.key {
            let keys: BinaryArray = self.keys.take::<BinaryType>(self.has_key.finish())?;
            columns.push(Arc::new(keys));
        }
        if self.wanted.headers {
            columns.push(self.headers.finish()?);
        }
        debug_assert!(
            columns.iter().all(|column| column.len() == rows),
            "each row is in each column"
        );
        Ok(columns)
    }

    fn push_varying(&mut self, run: &Run<'_>, range: Range<usize>, most_bytes: usize) -> usize {
        for (rows, index) in range.clone().enumerate() {
            if self.varying_bytes() >= most_bytes {
                return rows;
            }
            if self.push_bytes(run, index).is_err() {
                self.keys.truncate(self.rows + rows);
                self.has_key.truncate(self.rows + rows);
                self.headers.truncate(self.rows + rows);
                return rows;
            }
        }
        range.len()
    }

    fn push_bytes(&mut self, run: &Run<'_>, index: usize) -> Result<(), Overflow> {
        if self.wanted.key {
            let key = run.keys.at(index);
            self.keys.push(key.unwrap_or_default())?;
            self.has_key.append(key.is_some());
        }
        if self.wanted.headers {
            self.headers.push(run, index)?;
        }
        Ok(())
    }

    fn push_fixed(&mut self, run: &Run<'_>, range: Range<usize>) {
        let rows = range.len();
        self.rows += rows;
        if self.wanted.topic {
            self.topics.push(run.topic, rows);
        }
        if self.wanted.partition {
            self.partitions.extend(repeat_n(run.partition, rows));
        }
        if self.wanted.offset {
            self.offsets.extend_from_slice(&run.offsets[range.clone()]);
        }
        if self.wants_timestamps() {
            self.push_timestamps(run.timestamps, range);
        }
    }

    fn push_timestamps(&mut self, timestamps: Option<Timestamps<'_>>, range: Range<usize>) {
        let rows = range.len();
        let Some(Timestamps { ms, kind }) = timestamps else {
            self.has_timestamp.append_n_nulls(rows);
            self.timestamps
                .extend(repeat_n(0, rows * usize::from(self.wanted.timestamp)));
            let types = rows * usize::from(self.wanted.timestamp_type);
            return self.timestamp_types.extend(repeat_n(0, types));
        };
        let ms = &ms[range];
        if ms.contains(&Timestamps::NONE) {
            for ms in ms {
                self.has_timestamp.append(*ms != Timestamps::NONE);
            }
        } else {
            self.has_timestamp.append_n_non_nulls(rows);
        }
        if self.wanted.timestamp {
            self.timestamps.extend_from_slice(ms);
        }
        if self.wanted.timestamp_type {
            let index = match kind {
                TimestampKind::Create => 0,
                TimestampKind::LogAppend => 1,
            };
            self.timestamp_types.extend(repeat_n(index, rows));
        }
    }
}

/// Topic names, each once a batch, and each row's index among them.
#[derive(Debug, Default)]
struct Topics {
    indexes: Vec<i32>,
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, i32>,
    /// The last row's topic and its index.
    last: Option<(Arc<str>, i32)>,
}

impl Topics {
    fn push(&mut self, topic: &Arc<str>, rows: usize) {
        let index = match &self.last {
            Some((last, index)) if Arc::ptr_eq(last, topic) => *index,
            _ => self.find(topic),
        };
        self.indexes.extend(repeat_n(index, rows));
    }

    fn find(&mut self, topic: &Arc<str>) -> i32 {
        let index = *self.by_name.entry(Arc::clone(topic)).or_insert_with(|| {
            self.names.push(Arc::clone(topic));
            // Rows are bounded by i32::MAX, and so are the topics that they are in.
            (self.names.len() - 1) as i32
        });
        self.last = Some((Arc::clone(topic), index));
        index
    }

    fn finish(&mut self) -> Result<DictionaryArray<Int32Type>, ArrowError> {
        let names: StringArray = self.names.iter().map(|name| Some(&**name)).collect();
        self.names.clear();
        self.by_name.clear();
        self.last = None;
        DictionaryArray::try_new(Int32Array::from(take(&mut self.indexes)), Arc::new(names))
    }
}
