//! A queue of our own that holds messages only, drained many at a time.
//!
//! librdkafka puts what it fetches of a partition into that partition's queue, and forwards that
//! queue to the consumer's, where events are as well. Batch calls are no use there: a rebalance
//! among the messages would be answered by librdkafka itself, and be gone. So the partitions'
//! queues are forwarded here instead ([`MessageQueue::forward`]), where nothing but messages and
//! the partitions' errors arrive, each partition's in the order of its log.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as rd;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;
use sabot_assemble::{Headers, TimestampKind, Timestamps};

use super::{bytes_of, code_of, millis, optional_slice, text_of};
use crate::client::Consumer;

/// The queue, and the messages taken from it that are not let go of yet.
pub(crate) struct MessageQueue {
    queue: NonNull<rd::rd_kafka_queue_t>,
    /// The messages of the last [`Self::take`]. Those before `released` are destroyed.
    taken: Vec<*mut rd::rd_kafka_message_t>,
    released: usize,
    // Last, so that it is let go of last.
    consumer: Arc<Consumer>,
}

impl MessageQueue {
    /// A queue to which no partition is forwarded yet.
    #[expect(unsafe_code, reason = "rust-rdkafka does not wrap it")]
    pub(crate) fn new(consumer: Arc<Consumer>) -> Option<Self> {
        // SAFETY: (1). The call returns a queue of ours, or null.
        let queue = unsafe { rd::rd_kafka_queue_new(consumer.client().native_ptr()) };
        NonNull::new(queue).map(|queue| Self {
            queue,
            taken: Vec::new(),
            released: 0,
            consumer,
        })
    }

    /// Has a partition's messages come here, until it is revoked. False if librdkafka does not know
    /// it.
    #[expect(
        unsafe_code,
        reason = "rust-rdkafka's own call gives a queue out, and keeps a reference to it"
    )]
    pub(crate) fn forward(&self, topic: &str, partition: i32) -> bool {
        let Ok(topic) = CString::new(topic) else {
            return false;
        };
        // SAFETY: (1), (2). The partition's queue is a new reference, or null; it is given back
        // here. librdkafka keeps a reference of its own to what a queue is forwarded to.
        unsafe {
            let client = self.consumer.client().native_ptr();
            let queue = rd::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition);
            if queue.is_null() {
                return false;
            }
            rd::rd_kafka_queue_forward(queue, self.queue.as_ptr());
            rd::rd_kafka_queue_destroy(queue);
        }
        true
    }

    /// Takes what has arrived, at most `most` messages, waiting at most `wait` for the first; gives
    /// their number. What was taken before is let go of.
    pub(crate) fn take(&mut self, wait: Duration, most: usize) -> usize {
        self.release(self.taken.len());
        self.released = 0;
        // The call waits until all that it was asked for has come. So it is asked for what is
        // there, and only where that is nothing is one message waited for.
        let mut count = self.take_into(0, Duration::ZERO, most);
        if count == 0 && most > 0 && !wait.is_zero() {
            count = self.take_into(0, wait, 1);
            if count == 1 {
                count += self.take_into(1, Duration::ZERO, most - 1);
            }
        }
        self.taken.truncate(count);
        count
    }

    /// Takes at most `most` messages to the places from `start` on.
    #[expect(unsafe_code, reason = "see the module")]
    fn take_into(&mut self, start: usize, wait: Duration, most: usize) -> usize {
        self.taken.resize(start + most, ptr::null_mut());
        let room = &mut self.taken[start..];
        // SAFETY: (2). librdkafka writes at most `room.len()` pointers, and each message written is
        // ours.
        let count = unsafe {
            let queue = self.queue.as_ptr();
            rd::rd_kafka_consume_batch_queue(queue, millis(wait), room.as_mut_ptr(), room.len())
        };
        usize::try_from(count).unwrap_or(0)
    }

    /// The message at `index` of those that were taken, unless it is let go of.
    pub(crate) fn get(&self, index: usize) -> Option<Message<'_>> {
        if index < self.released {
            return None;
        }
        let message = NonNull::new(*self.taken.get(index)?)?;
        Some(Message {
            message,
            held: PhantomData,
        })
    }

    /// The messages in `range`, but those that are let go of.
    pub(crate) fn iter(&self, range: Range<usize>) -> impl Iterator<Item = Message<'_>> {
        range.filter_map(|index| self.get(index))
    }

    /// Lets go of all messages before `end`.
    #[expect(unsafe_code, reason = "the messages are ours")]
    pub(crate) fn release(&mut self, end: usize) {
        let end = end.min(self.taken.len());
        if end <= self.released {
            return;
        }
        for message in &self.taken[self.released..end] {
            // SAFETY: (4): it is destroyed once, since `released` goes past it; no view of it is
            // left, for a view borrows this queue.
            unsafe { rd::rd_kafka_message_destroy(*message) }
        }
        self.released = end;
    }
}

impl Drop for MessageQueue {
    #[expect(unsafe_code, reason = "the queue is ours")]
    fn drop(&mut self) {
        self.release(self.taken.len());
        // SAFETY: (2): it was made in `new`, and is given back once, before the consumer is let go
        // of. librdkafka lets go of what is still in it.
        unsafe { rd::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

// SAFETY: (5).
#[expect(unsafe_code, reason = "a raw pointer hides that")]
unsafe impl Send for MessageQueue {}

impl Headers for MessageQueue {
    fn visit(&self, index: usize, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) {
        if let Some(message) = self.get(index) {
            message.visit_headers(each);
        }
    }
}

/// A message where it lies in librdkafka's buffer; or, with a code, an error in the place of one.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    /// A pointer and no reference, for two reasons: librdkafka parses headers in place, beside the
    /// fields; and the code in it may be one that the bindings' enum lacks, so that it is read as
    /// the integer that it is in C.
    message: NonNull<rd::rd_kafka_message_t>,
    held: PhantomData<&'a MessageQueue>,
}

#[expect(unsafe_code, reason = "see the module")]
impl<'a> Message<'a> {
    pub(crate) fn code(self) -> RDKafkaErrorCode {
        // SAFETY: (4).
        code_of(unsafe { (&raw const (*self.message.as_ptr()).err).cast::<i32>().read() })
    }

    pub(crate) fn partition(self) -> i32 {
        // SAFETY: (4).
        unsafe { (*self.message.as_ptr()).partition }
    }

    pub(crate) fn offset(self) -> i64 {
        // SAFETY: (4).
        unsafe { (*self.message.as_ptr()).offset }
    }

    /// Equal for messages of the same topic, while one of them is held; 0 without a topic.
    pub(crate) fn topic_id(self) -> usize {
        // SAFETY: (4).
        unsafe { (*self.message.as_ptr()).rkt }.addr()
    }

    /// The topic's name; empty for an error that is about no topic.
    pub(crate) fn topic(self) -> std::borrow::Cow<'a, str> {
        // SAFETY: (4): a message keeps its topic alive, whose name is a C string.
        unsafe {
            let topic = (*self.message.as_ptr()).rkt;
            if topic.is_null() {
                return std::borrow::Cow::Borrowed("");
            }
            text_of(rd::rd_kafka_topic_name(topic))
        }
    }

    pub(crate) fn key(self) -> Option<&'a [u8]> {
        // SAFETY: (4): the key lies in the message: null, or so many bytes.
        unsafe {
            let message = self.message.as_ptr();
            optional_slice((*message).key, (*message).key_len)
        }
    }

    /// The value; for an error its words.
    pub(crate) fn value(self) -> Option<&'a [u8]> {
        // SAFETY: (4): as for the key.
        unsafe {
            let message = self.message.as_ptr();
            optional_slice((*message).payload, (*message).len)
        }
    }

    /// Bytes of key and value.
    pub(crate) fn bytes(self) -> usize {
        // SAFETY: (4).
        unsafe { (*self.message.as_ptr()).key_len + (*self.message.as_ptr()).len }
    }

    /// The time in milliseconds, or [`Timestamps::NONE`], and who set it, if anybody did.
    pub(crate) fn timestamp(self) -> (i64, Option<TimestampKind>) {
        let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: (4).
        let ms = unsafe { rd::rd_kafka_message_timestamp(self.message.as_ptr(), &raw mut kind) };
        match kind {
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => (Timestamps::NONE, None),
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => {
                (ms, Some(TimestampKind::Create))
            }
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => {
                (ms, Some(TimestampKind::LogAppend))
            }
        }
    }

    /// The value of the last header of that name, unless it is null.
    pub(crate) fn header(self, name: &CStr) -> Option<&'a [u8]> {
        let headers = self.parsed_headers()?;
        let (mut value, mut bytes) = (ptr::null(), 0);
        // SAFETY: (4): the headers belong to the message, and so does the value.
        unsafe {
            let code =
                rd::rd_kafka_header_get_last(headers.as_ptr(), name.as_ptr(), &raw mut value, &raw mut bytes);
            (code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR)
                .then(|| optional_slice(value, bytes))
                .flatten()
        }
    }

    fn visit_headers(self, mut each: impl FnMut(&[u8], Option<&[u8]>)) {
        let Some(headers) = self.parsed_headers() else {
            return;
        };
        for index in 0.. {
            let (mut name, mut value, mut bytes) = (ptr::null(), ptr::null(), 0);
            // SAFETY: (4): the headers belong to the message, and so do names (C strings) and
            // values.
            unsafe {
                let headers = headers.as_ptr();
                let (name, value, bytes) = (&raw mut name, &raw mut value, &raw mut bytes);
                let code = rd::rd_kafka_header_get_all(headers, index, name, value, bytes);
                if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                    return;
                }
            }
            // SAFETY: as above.
            unsafe { each(bytes_of(name), optional_slice(value, bytes)) }
        }
    }

    /// The headers, parsed on first use; `None` if there are none or they are malformed.
    fn parsed_headers(self) -> Option<NonNull<rd::rd_kafka_headers_t>> {
        let mut headers = ptr::null_mut();
        // SAFETY: (4), (5): it is used by one thread at a time.
        let code = unsafe { rd::rd_kafka_message_headers(self.message.as_ptr(), &raw mut headers) };
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            NonNull::new(headers)
        } else {
            None
        }
    }
}
