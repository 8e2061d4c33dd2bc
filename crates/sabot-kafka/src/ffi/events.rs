//! The consumer's own queue: rebalances, errors, log lines, statistics, results of commits.
//! Messages go elsewhere.

use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;

use super::{bytes_of, code_of, millis, text_of};
use crate::client::{Consumer, log_line, log_statistics};

/// The queue on which a consumer's events arrive.
pub(crate) struct EventQueue {
    queue: NonNull<rd::rd_kafka_queue_t>,
    /// Kept alive: the queue is the consumer's.
    _consumer: Arc<Consumer>,
}

/// What [`EventQueue::poll`] came upon.
#[derive(Debug)]
pub(crate) enum Event {
    /// Nothing within the time.
    Idle,
    /// Something that needs no further attention.
    Served,
    /// Something that librdkafka or a broker complains about.
    Error(ErrorEvent),
    /// Partitions are assigned, or revoked if `revoke`. The group waits until that has been
    /// answered.
    Rebalance {
        revoke: bool,
        partitions: Vec<(String, i32)>,
    },
}

/// A complaint of librdkafka or a broker.
#[derive(Debug)]
pub(crate) struct ErrorEvent {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) fatal: bool,
    pub(crate) reason: String,
    /// The partition that it is about.
    pub(crate) place: Option<(String, i32)>,
}

impl EventQueue {
    /// The queue of `consumer`. Nothing else may poll that consumer while the queue exists, or
    /// events get lost for it.
    #[expect(unsafe_code, reason = "rust-rdkafka keeps its queue to itself")]
    pub(crate) fn new(consumer: Arc<Consumer>) -> Option<Self> {
        // SAFETY: (1). The call returns a new reference to the queue, or null.
        let queue = unsafe { rd::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        NonNull::new(queue).map(|queue| Self {
            queue,
            _consumer: consumer,
        })
    }

    /// Takes the next event, waiting at most `timeout`.
    #[expect(unsafe_code, reason = "see the module")]
    pub(crate) fn poll(&self, timeout: Duration) -> Event {
        // SAFETY: (2).
        let event = unsafe { rd::rd_kafka_queue_poll(self.queue.as_ptr(), millis(timeout)) };
        let Some(event) = NonNull::new(event).map(OwnedEvent) else {
            return Event::Idle;
        };
        // SAFETY: (3).
        match unsafe { rd::rd_kafka_event_type(event.ptr()) } {
            rd::RD_KAFKA_EVENT_ERROR => event.error(),
            rd::RD_KAFKA_EVENT_REBALANCE => event.rebalance(),
            rd::RD_KAFKA_EVENT_OFFSET_COMMIT => {
                let code = event.code();
                // An interval without anything to commit is not worth a word.
                if code != RDKafkaErrorCode::NoError && code != RDKafkaErrorCode::NoOffset {
                    log::warn!(target: "librdkafka", "offsets could not be committed: {code}");
                }
                Event::Served
            }
            rd::RD_KAFKA_EVENT_LOG => event.log(),
            rd::RD_KAFKA_EVENT_STATS => {
                // SAFETY: (3): a statistics event holds a C string.
                log_statistics(unsafe { bytes_of(rd::rd_kafka_event_stats(event.ptr())) });
                Event::Served
            }
            // To let go of it would be to lose it without a word.
            rd::RD_KAFKA_EVENT_FETCH => Event::Error(ErrorEvent {
                code: RDKafkaErrorCode::Fail,
                fatal: true,
                reason: "a message came by the queue of events".to_owned(),
                place: None,
            }),
            other => {
                log::debug!(target: "librdkafka", "event {other} is ignored");
                Event::Served
            }
        }
    }
}

impl Drop for EventQueue {
    #[expect(unsafe_code, reason = "the reference is ours to give back")]
    fn drop(&mut self) {
        // SAFETY: (2): the reference was taken in `new`, and is given back once, before the
        // consumer is let go of.
        unsafe { rd::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

// SAFETY: (5).
#[expect(unsafe_code, reason = "a raw pointer hides that")]
unsafe impl Send for EventQueue {}

/// An event, destroyed on drop.
pub(super) struct OwnedEvent(pub(super) NonNull<rd::rd_kafka_event_t>);

impl Drop for OwnedEvent {
    #[expect(unsafe_code, reason = "the event is ours")]
    fn drop(&mut self) {
        // SAFETY: (3): nobody else destroys it.
        unsafe { rd::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

impl OwnedEvent {
    pub(super) fn ptr(&self) -> *mut rd::rd_kafka_event_t {
        self.0.as_ptr()
    }

    #[expect(unsafe_code, reason = "see the module")]
    pub(super) fn code(&self) -> RDKafkaErrorCode {
        // SAFETY: (3).
        code_of(unsafe { event_error(self.ptr()) })
    }

    #[expect(unsafe_code, reason = "see the module")]
    fn log(&self) -> Event {
        let (mut facility, mut line, mut level) = (ptr::null(), ptr::null(), 0);
        // SAFETY: (3): on success both pointers are C strings that live as long as the event.
        unsafe {
            if rd::rd_kafka_event_log(self.ptr(), &raw mut facility, &raw mut line, &raw mut level) == 0 {
                log_line(level, text_of(facility).trim(), text_of(line).trim());
            }
        }
        Event::Served
    }

    #[expect(unsafe_code, reason = "see the module")]
    fn error(&self) -> Event {
        let code = self.code();
        if code == RDKafkaErrorCode::NoError {
            return Event::Served;
        }
        // SAFETY: (3).
        let place = NonNull::new(unsafe { rd::rd_kafka_event_topic_partition(self.ptr()) });
        let place = place.map(|place| {
            // SAFETY: the element is ours: it is copied out here, and destroyed once. Its topic is
            // a C string.
            unsafe {
                let element = place.as_ref();
                let copy = (text_of(element.topic).into_owned(), element.partition);
                rd::rd_kafka_topic_partition_destroy(place.as_ptr());
                copy
            }
        });
        // SAFETY: (3): and so is the C string that it holds.
        let (fatal, reason) = unsafe {
            let fatal = rd::rd_kafka_event_error_is_fatal(self.ptr()) != 0;
            (fatal, text_of(rd::rd_kafka_event_error_string(self.ptr())))
        };
        Event::Error(ErrorEvent {
            code,
            fatal,
            reason: reason.trim().to_owned(),
            place,
        })
    }

    #[expect(unsafe_code, reason = "see the module")]
    fn rebalance(&self) -> Event {
        // SAFETY: (3): and so is the list that it owns, of `cnt` elements, each with a C string.
        let partitions = unsafe {
            let list = rd::rd_kafka_event_topic_partition_list(self.ptr());
            let elements = match list.as_ref() {
                Some(list) if list.cnt > 0 => {
                    slice::from_raw_parts(list.elems, list.cnt.unsigned_abs() as usize)
                }
                _ => &[],
            };
            elements
                .iter()
                .map(|element| (text_of(element.topic).into_owned(), element.partition))
                .collect()
        };
        Event::Rebalance {
            revoke: self.code() != RDKafkaErrorCode::AssignPartitions,
            partitions,
        }
    }
}

#[expect(
    unsafe_code,
    reason = "a broker may send a code that the bindings' enum lacks, which would be undefined behaviour"
)]
// SAFETY: the signature is librdkafka's, whose enums are C's `int`.
unsafe extern "C" {
    #[link_name = "rd_kafka_event_error"]
    fn event_error(event: *mut rd::rd_kafka_event_t) -> i32;
}
