//! Where to begin and where to end in each partition.

use std::sync::Arc;

use rdkafka::{Offset, TopicPartitionList};

use crate::connection::Connection;
use crate::options::SourceOptions;
use crate::range::{End, Fallback, Start};
use crate::subscription::PartitionStart;
use crate::{Error, ErrorKind};

/// What a source was asked for, and whom to ask where that lies.
#[derive(Clone, Copy)]
pub(crate) struct Bounds<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) options: &'a SourceOptions,
}

impl Start {
    /// What librdkafka does by itself where it has no offset, or one that is out of range.
    pub(crate) fn reset(&self) -> &'static str {
        match self {
            Self::Committed(Fallback::Fail) => "error",
            // An offset can be out of range because records were deleted. What is left must not be
            // skipped then, so that "latest" is never left to librdkafka.
            _ => "earliest",
        }
    }
}

impl Bounds<'_> {
    /// Where to begin in each partition. In a `shared` subscription, a committed offset goes first.
    pub(crate) fn starts(
        &self,
        wanted: &[PartitionStart],
        shared: bool,
    ) -> Result<TopicPartitionList, Error> {
        let mut list = TopicPartitionList::with_capacity(wanted.len());
        for place in wanted {
            list.add_partition(&place.topic, place.partition);
        }
        if shared
            && matches!(
                self.options.start,
                Start::Earliest | Start::Committed(Fallback::Earliest | Fallback::Fail)
            )
        {
            // librdkafka fetches what is committed by itself.
            return Ok(list);
        }
        let start_of =
            |place: &PartitionStart| place.start.clone().unwrap_or_else(|| self.options.start.clone());
        let committed = |place: &PartitionStart| shared || matches!(start_of(place), Start::Committed(_));
        let mut known = TopicPartitionList::new();
        for place in wanted.iter().filter(|place| committed(place)) {
            known.add_partition(&place.topic, place.partition);
        }
        if known.count() > 0 {
            known = self.connection.committed(known)?;
        }
        for place in wanted {
            let committed = known.find_partition(&place.topic, place.partition);
            let offset = match committed.map(|element| element.offset()) {
                Some(offset @ Offset::Offset(_)) => offset,
                _ => self.start(place, &start_of(place))?,
            };
            list.set_partition_offset(&place.topic, place.partition, offset)
                .map_err(|cause| Error::kafka(ErrorKind::Config, "the start is refused", &cause))?;
        }
        Ok(list)
    }

    /// Where `start` lies in a partition in which nothing is committed.
    fn start(&self, place: &PartitionStart, start: &Start) -> Result<Offset, Error> {
        Ok(match start {
            Start::Earliest | Start::Committed(Fallback::Earliest) => Offset::Beginning,
            Start::Latest | Start::Committed(Fallback::Latest) | Start::Last(0) => Offset::End,
            Start::Committed(Fallback::Fail) => {
                let group = self.options.group.as_deref().unwrap_or_default();
                return Err(Error::new(
                    ErrorKind::NoOffset,
                    format!("group {group} has committed no offset"),
                )
                .at(&Arc::from(place.topic.as_str()), place.partition, None));
            }
            Start::Offset(offset) => self.at_most_high(place, *offset)?,
            Start::Last(count) => {
                Offset::OffsetTail(i64::try_from(*count).unwrap_or(i64::MAX / 2).min(1 << 60))
            }
            Start::Timestamp(ms) => self
                .connection
                .at_time(&place.topic, place.partition, *ms)?
                .map_or(Offset::End, Offset::Offset),
            Start::Partitions(starts) => match find(starts, &place.topic, place.partition) {
                Some(offset) => self.at_most_high(place, offset)?,
                None => Offset::Beginning,
            },
        })
    }

    /// An offset after the end would be out of range, and librdkafka would begin at the oldest
    /// record.
    fn at_most_high(&self, place: &PartitionStart, offset: i64) -> Result<Offset, Error> {
        let high = self.connection.high(&place.topic, place.partition)?;
        Ok(Offset::Offset(offset.min(high)))
    }

    /// Where each partition ends.
    pub(crate) fn ends(&self, list: &TopicPartitionList) -> Result<Vec<Option<i64>>, Error> {
        if !self.options.end.bounds_partitions() {
            return Ok(vec![None; list.count()]);
        }
        list.elements()
            .iter()
            .map(|element| self.end(element.topic(), element.partition()).map(Some))
            .collect()
    }

    /// Never after where the log ends now: a bounded source waits for nothing.
    fn end(&self, topic: &str, partition: i32) -> Result<i64, Error> {
        let wanted = match &self.options.end {
            End::Timestamp(ms) => self.connection.at_time(topic, partition, *ms)?,
            End::Offsets(ends) => find(ends, topic, partition),
            _ => None,
        };
        let high = self.connection.high(topic, partition)?;
        Ok(wanted.map_or(high, |wanted| wanted.min(high)))
    }
}

fn find(offsets: &[(String, i32, i64)], topic: &str, partition: i32) -> Option<i64> {
    let found = offsets
        .iter()
        .find(|(name, number, _)| name == topic && *number == partition);
    found.map(|(_, _, offset)| *offset)
}
