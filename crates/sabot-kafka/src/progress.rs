//! How far a source has come.

use std::sync::Arc;

/// What has been read since the source was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Messages in batches: good, bad and dropped.
    pub messages: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Bad keys and values among them.
    pub bad: u64,
    /// The partitions assigned now.
    pub partitions: Vec<PartitionProgress>,
}

/// How far a partition has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionProgress {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The offset after the last record read; `None` before the first.
    pub position: Option<i64>,
    /// Where it ends: the bounded source's end, or the newest offset that librdkafka knows of.
    pub end: Option<i64>,
    /// Offsets between the two; 0 once a bounded partition has ended.
    pub lag: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) bad: u64,
}
