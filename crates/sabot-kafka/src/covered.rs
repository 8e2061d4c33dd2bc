//! The offsets that a batch covers.

use std::sync::Arc;

/// The offsets that a batch covers: at most one range for each partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offsets(pub(crate) Arc<[Covered]>);

impl Offsets {
    /// The ranges, in the order in which their partitions were assigned.
    pub fn iter(&self) -> std::slice::Iter<'_, Covered> {
        self.0.iter()
    }

    /// The number of partitions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if no partition is covered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Offsets {
    type Item = &'a Covered;
    type IntoIter = std::slice::Iter<'a, Covered>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A range of offsets of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Covered {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The first offset.
    pub first: i64,
    /// The offset after the last: what an exactly-once sink stores and begins with again.
    pub end: i64,
    /// The assignment that it was read under.
    pub(crate) epoch: u64,
}
