//! The metadata columns while they gather.
//!
//! Plain vectors, one push a row and column, all of which can be truncated: rows are appended before it is known how
//! many of them the decoders take. A topic costs a pointer comparison a row, headers nothing unless they are asked for.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::NullBufferBuilder;
use arrow_array::types::{BinaryType, Int8Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, Int8Array, Int32Array, Int64Array, StringArray,
    TimestampMillisecondArray,
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, TimeUnit};

use crate::headers::{self, HeaderColumn};
use crate::{Metadata, Record, Timestamp, TimestampKind};
use sabot_columns::{Overflow, VarBytes};

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

    /// Appends one row; nothing of it on an error.
    pub(crate) fn push(&mut self, record: &Record<'_>) -> Result<(), Overflow> {
        let pushed = self.push_bytes(record);
        if pushed.is_err() {
            self.truncate(self.rows);
            return pushed;
        }
        self.push_fixed(record);
        Ok(())
    }

    /// Appends the batch's first row without its key and headers.
    pub(crate) fn push_without_bytes(&mut self, record: &Record<'_>) {
        self.push(&Record {
            raw_key: None,
            headers: None,
            ..*record
        })
        .expect("because no bytes always fit");
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

    /// Whether rows differ in size.
    pub(crate) fn varies(&self) -> bool {
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

    fn push_bytes(&mut self, record: &Record<'_>) -> Result<(), Overflow> {
        if self.wanted.key {
            self.keys.push(record.raw_key.unwrap_or_default())?;
            self.has_key.append(record.raw_key.is_some());
        }
        if self.wanted.headers {
            self.headers.push(record.headers)?;
        }
        Ok(())
    }

    fn push_fixed(&mut self, record: &Record<'_>) {
        self.rows += 1;
        if self.wanted.topic {
            self.topics.push(record.topic);
        }
        if self.wanted.partition {
            self.partitions.push(record.partition);
        }
        if self.wanted.offset {
            self.offsets.push(record.offset);
        }
        let Timestamp { ms, kind } = record.timestamp.unwrap_or(Timestamp {
            ms: 0,
            kind: TimestampKind::Create,
        });
        if self.wanted.timestamp {
            self.timestamps.push(ms);
        }
        if self.wanted.timestamp_type {
            self.timestamp_types.push(match kind {
                TimestampKind::Create => 0,
                TimestampKind::LogAppend => 1,
            });
        }
        if self.wanted.timestamp || self.wanted.timestamp_type {
            self.has_timestamp.append(record.timestamp.is_some());
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
    fn push(&mut self, topic: &Arc<str>) {
        let index = match &self.last {
            Some((last, index)) if Arc::ptr_eq(last, topic) => *index,
            _ => self.find(topic),
        };
        self.indexes.push(index);
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

/// The vector, with a new one of the same room in its place: the next batch is likely to be as long.
pub(crate) fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}
