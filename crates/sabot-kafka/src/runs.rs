//! The seam: where runs come from.
//!
//! What is above it ([`crate::fetched`]) takes runs of records, and knows nothing of how they were
//! fetched. Today one thing is below it, librdkafka's queues ([`crate::queues`]). It is laid
//! for a second one: a fetch path of our own has record batches as they come from the broker,
//! decompressed, many records in one buffer, and hands them out as slices of that buffer.
//!
//! # The contract of a [`RunSource`]
//!
//! 1. **Order.** The records of a partition come in the order of its log, and its [`Arrival::End`]
//!    and [`Arrival::Failure`] at their place among them. Nothing is said about the order between
//!    partitions.
//! 2. **Only what is assigned.** After [`RunSource::revoke`] nothing of a partition arrives until
//!    it is assigned again, and then nothing that was fetched before. What arrived already stays
//!    where it is until it is released.
//! 3. **Lying still.** What [`RunSource::fetch`] took stays where it is, under its numbers, until
//!    it is released or the next fetch. Views borrow from it; none of it is copied.
//! 4. **Bounded.** What waits to be fetched is bounded by the source's own options, however long
//!    nobody fetches. So to hold back is to not fetch: no partition has to be paused for it.
//! 5. **No wait but the one that is asked for**, and nothing is allocated for a fetch in steady
//!    state.
//! 6. **Repeats at a rebalance.** Records of the last fetch may come once more after a rebalance.
//!    Whoever takes them knows the offsets that they have had ([`crate::positions`]), and leaves
//!    them out.
//!
//! # Example
//!
//! A topic with two partitions. A fetch of at most 1,024 records gives five:
//!
//! ```text
//! record     0    1    2    3    4
//! offsets   [7] [ 8] [10] [ 3] [ 4]
//! arrivals   Run orders[0], 0..3   Run orders[1], 3..5   End orders[1] at 5
//! ```
//!
//! Both runs are admitted whole, and decoded together, from `view(0..3)` and `view(3..5)`. If the
//! batch is full after four of the five records, `release(4)` gives their memory back, and the last
//! one waits under its number.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use sabot_assemble::{Headers, TimestampKind, recycle};

use crate::failure::Failure;

/// Where the records of the assigned partitions come from. See the module for what it promises.
pub(crate) trait RunSource: Send {
    /// Has the records of these partitions arrive. Called before the assignment is answered.
    fn assign(&mut self, partitions: &[(String, i32)]) -> Result<(), Failure>;

    /// Has no more records of these partitions arrive. Called before the revocation is answered.
    fn revoke(&mut self, partitions: &[(String, i32)]);

    /// Takes at most `most` records, waiting at most `wait` for the first, and appends what
    /// arrived. What was fetched before is let go of.
    fn fetch(&mut self, wait: Duration, most: usize, arrivals: &mut Vec<Arrival>);

    /// The offsets of all records that were fetched.
    fn offsets(&self) -> &[i64];

    /// Their times, in milliseconds or [`sabot_assemble::Timestamps::NONE`]; empty if nobody asked
    /// for them.
    fn timestamps_ms(&self) -> &[i64];

    /// Appends keys, values and schemas' headers of the records in `range`.
    fn view<'a>(&'a self, range: Range<usize>, slices: &mut Slices<'a>);

    /// The headers of all records that were fetched.
    fn headers(&self) -> &dyn Headers;

    /// Lets go of all records before `end`.
    fn release(&mut self, end: usize);
}

/// What a fetch came upon.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Records of one partition.
    Run {
        topic: Arc<str>,
        partition: i32,
        /// Which of the fetch's records.
        range: Range<usize>,
        /// Who set their times.
        kind: TimestampKind,
    },
    /// The position has reached the end of a partition.
    End {
        topic: String,
        partition: i32,
        offset: i64,
    },
    /// Something that the source has to know of.
    Failure(Failure),
}

/// What a [`RunSource`] has to look at beside offsets, keys and values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Whether somebody wants to know times.
    pub(crate) timestamps: bool,
    /// The name of the header that may hold the schema of a key.
    pub(crate) key_header: Option<&'static str>,
    /// The name of the header that may hold the schema of a value.
    pub(crate) value_header: Option<&'static str>,
}

/// Parallel slices of records: what runs are made of.
#[derive(Debug, Default)]
pub(crate) struct Slices<'a> {
    pub(crate) keys: Vec<Option<&'a [u8]>>,
    pub(crate) values: Vec<Option<&'a [u8]>>,
    /// Empty while no record has such a header.
    pub(crate) key_headers: Vec<Option<&'a [u8]>>,
    pub(crate) value_headers: Vec<Option<&'a [u8]>>,
}

impl<'a> Slices<'a> {
    /// The same room for slices of something else.
    pub(crate) fn recycle<'b>(self) -> Slices<'b> {
        Slices {
            keys: recycle(self.keys),
            values: recycle(self.values),
            key_headers: recycle(self.key_headers),
            value_headers: recycle(self.value_headers),
        }
    }

    /// Bytes of keys and values in `range`.
    pub(crate) fn bytes(&self, range: Range<usize>) -> usize {
        let bytes =
            |slices: &[Option<&[u8]>]| -> usize { slices.iter().flatten().map(|slice| slice.len()).sum() };
        bytes(&self.keys[range.clone()]) + bytes(&self.values[range])
    }

    /// The values that there are.
    pub(crate) fn present_values(&self) -> impl Iterator<Item = &'a [u8]> {
        self.values.iter().filter_map(|value| *value)
    }
}
