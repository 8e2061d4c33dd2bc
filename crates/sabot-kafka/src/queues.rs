//! Runs from librdkafka's queues.
//!
//! The queues of all assigned partitions are forwarded to one, which holds nothing but messages and
//! the partitions' errors, and is drained a thousand at a time, which costs far less than to poll
//! for each (`cargo xtask bench --suite e2e` measures both). Rebalances and everything else come by
//! the consumer's queue ([`crate::connection`]).
//!
//! What holds of librdkafka 2.12, as its source says it, and what is done about it:
//!
//! - A partition's end and its errors go the way of its messages, in order
//!   (`rd_kafka_consumer_err(rktp_fetchq, ..)`).
//! - What was fetched before a partition was revoked, or before its position was changed, is
//!   outdated, and left out when the queue is drained (`rd_kafka_op_version_outdated`).
//! - Revoking a partition ends its forwarding (`rd_kafka_toppar_fetch_stop`). So it is forwarded
//!   again at each assignment, *before* that is answered: fetching begins after the answer, and a
//!   new assignment is handed out only when all that was revoked has stopped.
//! - A batch call brings a partition's position up to date when it ends. If librdkafka stops the
//!   partition for a rebalance in that moment, it goes on at the position before the batch, whose
//!   messages come once more: point 6 of the contract in [`crate::runs`].
//! - Draining a forwarded queue counts as polling (`max.poll.interval.ms`), and so does polling the
//!   consumer's queue. A source that does not drain stays a member as long as it looks for events.

use std::collections::HashSet;
use std::ffi::CString;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use sabot_assemble::{Headers, TimestampKind};

use crate::client::Consumer;
use crate::failure::Failure;
use crate::ffi::{ErrorEvent, Message, MessageQueue};
use crate::runs::{Arrival, RunSource, Slices, Wanted};
use crate::{Error, ErrorKind};

/// Bytes of keys and values of a fetch, as far as the fetch before lets them be guessed.
const FETCH_BYTES: usize = 1 << 20;
/// Messages of a fetch at least.
const MIN_FETCH: usize = 16;

/// See the module.
pub(crate) struct Queues {
    queue: MessageQueue,
    has_group: bool,
    wants_timestamps: bool,
    key_header: Option<CString>,
    value_header: Option<CString>,
    /// The topics of all partitions that were ever assigned: a run shares its topic's name.
    topics: HashSet<Arc<str>>,
    offsets: Vec<i64>,
    timestamps_ms: Vec<i64>,
    /// Messages that are probably [`FETCH_BYTES`].
    guess: usize,
}

impl Queues {
    /// `has_group`: see [`Failure::new`].
    pub(crate) fn new(consumer: Arc<Consumer>, has_group: bool, wanted: Wanted) -> Result<Self, Error> {
        let queue = MessageQueue::new(consumer)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the client makes no queue"))?;
        let name = |name: Option<&str>| name.and_then(|name| CString::new(name).ok());
        Ok(Self {
            queue,
            has_group,
            wants_timestamps: wanted.timestamps,
            key_header: name(wanted.key_header),
            value_header: name(wanted.value_header),
            topics: HashSet::new(),
            offsets: Vec::new(),
            timestamps_ms: Vec::new(),
            guess: MIN_FETCH,
        })
    }

    /// What an error in the place of a message says.
    fn arrival_of(&self, error: Message<'_>) -> Arrival {
        let (topic, partition) = (error.topic().into_owned(), error.partition());
        let code = error.code();
        if code == RDKafkaErrorCode::PartitionEOF {
            return Arrival::End {
                topic,
                partition,
                offset: error.offset(),
            };
        }
        let words = error.value().map(String::from_utf8_lossy);
        let reason = words.map_or_else(|| code.to_string(), |words| words.trim().to_owned());
        let event = ErrorEvent {
            code,
            fatal: code == RDKafkaErrorCode::Fatal,
            reason,
            place: (!topic.is_empty()).then_some((topic, partition)),
        };
        Arrival::Failure(Failure::new(event, self.has_group))
    }
}

/// A run that is being gathered.
struct Open {
    topic_id: usize,
    partition: i32,
    kind: Option<TimestampKind>,
    start: usize,
}

impl Open {
    /// Whether a message goes on with it. One without a time has no say in who set it.
    fn takes(&mut self, message: Message<'_>, kind: Option<TimestampKind>) -> bool {
        let is_same_kind = kind.is_none() || self.kind.is_none() || kind == self.kind;
        let takes =
            self.topic_id == message.topic_id() && self.partition == message.partition() && is_same_kind;
        if takes {
            self.kind = self.kind.or(kind);
        }
        takes
    }

    /// The run, which ends before `end`; `None` if no partition of its topic was ever assigned.
    fn close(self, end: usize, queue: &MessageQueue, topics: &HashSet<Arc<str>>) -> Option<Arrival> {
        let name = queue.get(self.start)?.topic();
        Some(Arrival::Run {
            topic: Arc::clone(topics.get(&*name)?),
            partition: self.partition,
            range: self.start..end,
            kind: self.kind.unwrap_or(TimestampKind::Create),
        })
    }
}

impl RunSource for Queues {
    fn assign(&mut self, partitions: &[(String, i32)]) -> Result<(), Failure> {
        for (topic, partition) in partitions {
            if !self.queue.forward(topic, *partition) {
                let place = (topic.clone(), *partition);
                return Err(Failure::internal(
                    "the client has no queue for the partition",
                    place,
                ));
            }
            if !self.topics.contains(topic.as_str()) {
                self.topics.insert(Arc::from(topic.as_str()));
            }
        }
        Ok(())
    }

    fn revoke(&mut self, _: &[(String, i32)]) {
        // librdkafka ends the forwarding when it is given the answer.
    }

    fn fetch(&mut self, wait: Duration, most: usize, arrivals: &mut Vec<Arrival>) {
        let count = self.queue.take(wait, most.min(self.guess));
        self.offsets.clear();
        self.timestamps_ms.clear();
        let mut bytes = 0;
        let mut open: Option<Open> = None;
        for index in 0..count {
            let Some(message) = self.queue.get(index) else {
                break;
            };
            self.offsets.push(message.offset());
            let (ms, kind) = if self.wants_timestamps {
                message.timestamp()
            } else {
                (0, None)
            };
            if self.wants_timestamps {
                self.timestamps_ms.push(ms);
            }
            let is_error = message.code() != RDKafkaErrorCode::NoError;
            if !is_error && open.as_mut().is_some_and(|open| open.takes(message, kind)) {
                bytes += message.bytes();
                continue;
            }
            arrivals.extend(
                open.take()
                    .and_then(|open| open.close(index, &self.queue, &self.topics)),
            );
            if is_error {
                arrivals.push(self.arrival_of(message));
                continue;
            }
            bytes += message.bytes();
            open = Some(Open {
                topic_id: message.topic_id(),
                partition: message.partition(),
                kind,
                start: index,
            });
        }
        arrivals.extend(open.and_then(|open| open.close(count, &self.queue, &self.topics)));
        if let Some(mean_bytes) = bytes.checked_div(count) {
            self.guess = (FETCH_BYTES / mean_bytes.max(1)).clamp(MIN_FETCH, self.guess * 4);
        }
    }

    fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    fn timestamps_ms(&self) -> &[i64] {
        &self.timestamps_ms
    }

    fn view<'a>(&'a self, range: Range<usize>, slices: &mut Slices<'a>) {
        for message in self.queue.iter(range) {
            slices.keys.push(message.key());
            slices.values.push(message.value());
            let row = slices.keys.len();
            for (name, headers) in [
                (&self.key_header, &mut slices.key_headers),
                (&self.value_header, &mut slices.value_headers),
            ] {
                let found = name.as_deref().and_then(|name| message.header(name));
                if found.is_some() || !headers.is_empty() {
                    headers.resize(row - 1, None);
                    headers.push(found);
                }
            }
        }
    }

    fn headers(&self) -> &dyn Headers {
        &self.queue
    }

    fn release(&mut self, end: usize) {
        self.queue.release(end);
    }
}
