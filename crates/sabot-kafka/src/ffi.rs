//! The few calls of librdkafka that rust-rdkafka does not offer safely.
//!
//! All unsafe code of this crate is here. Its gain is measured in what could not be done without it:
//!
//! - rust-rdkafka reports the end of a partition without its topic and offset, so that a reader of several topics
//!   cannot tell which one ended. It answers rebalances inside `poll`, where a batch in hand cannot be given out first.
//!   It allocates an `Arc` for each message. Its header accessor panics if a name is not UTF-8. [`EventQueue`] polls the
//!   consumer's queue itself and has none of this.
//! - The low and high offsets that librdkafka already knows ([`known_offsets`]), and the embedded broker's rebalance
//!   delay, are not wrapped at all.
//!
//! Messages point into librdkafka's fetch buffers. [`Messages`] keeps both the events that own them and the consumer
//! alive, and hands out views that borrow from it.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::TopicPartitionList;
use rdkafka::bindings as rd;
use rdkafka::client::Client;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;
use sabot_assemble::{Headers, Timestamp, TimestampKind};

use crate::client::{Consumer, log_line, log_statistics};

/// The queue on which a consumer's messages and events arrive.
pub(crate) struct EventQueue {
    queue: NonNull<rd::rd_kafka_queue_t>,
    consumer: Arc<Consumer>,
}

/// What [`EventQueue::poll`] came upon.
#[derive(Debug)]
pub(crate) enum Event {
    /// Nothing within the time.
    Idle,
    /// A message, which is now the last of the [`Messages`].
    Message,
    /// Something that needs no further attention.
    Served,
    /// The position has reached the end of a partition.
    PartitionEnd {
        topic: String,
        partition: i32,
        offset: i64,
    },
    /// Something that librdkafka or a broker complains about.
    Error {
        code: RDKafkaErrorCode,
        fatal: bool,
        reason: String,
        place: Option<(String, i32)>,
    },
    /// Partitions to take or to give up. The group waits until it has been done.
    Rebalance {
        revoke: bool,
        partitions: Vec<(String, i32)>,
    },
}

impl EventQueue {
    /// The queue of `consumer`. Nothing else may poll that consumer while the queue exists, or events get lost for it.
    #[expect(unsafe_code, reason = "rust-rdkafka keeps its queue to itself")]
    pub(crate) fn new(consumer: Arc<Consumer>) -> Option<Self> {
        // SAFETY: the client is alive. The call returns a new reference to the queue, or null.
        let queue = unsafe { rd::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        NonNull::new(queue).map(|queue| Self { queue, consumer })
    }

    /// Takes the next event, waiting at most `timeout`. A message is appended to `messages`.
    #[expect(unsafe_code, reason = "see the module")]
    pub(crate) fn poll(&self, timeout: Duration, messages: &mut Messages) -> Event {
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is ours, and the client that it belongs to is alive.
        let event = unsafe { rd::rd_kafka_queue_poll(self.queue.as_ptr(), timeout_ms) };
        let Some(event) = NonNull::new(event).map(OwnedEvent) else {
            return Event::Idle;
        };
        // SAFETY: the event is alive.
        match unsafe { rd::rd_kafka_event_type(event.ptr()) } {
            rd::RD_KAFKA_EVENT_FETCH => self.on_fetch(event, messages),
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
                // SAFETY: a statistics event holds a C string for as long as it lives.
                log_statistics(unsafe { bytes_of(rd::rd_kafka_event_stats(event.ptr())) });
                Event::Served
            }
            other => {
                log::debug!(target: "librdkafka", "event {other} is ignored");
                Event::Served
            }
        }
    }

    #[expect(unsafe_code, reason = "see the module")]
    fn on_fetch(&self, event: OwnedEvent, messages: &mut Messages) -> Event {
        debug_assert!(
            Arc::ptr_eq(&self.consumer, &messages.consumer),
            "messages outlive their own consumer"
        );
        // SAFETY: the event is alive. The message, if there is one, belongs to it.
        let message = unsafe { rd::rd_kafka_event_message_next(event.ptr()) };
        let Some(message) = NonNull::new(message.cast_mut()) else {
            return Event::Served;
        };
        // SAFETY: the message is alive, and has only just been handed out. Its code is read as the integer that it is in
        // C, before any reference to the message makes an enum of it.
        let code = code_of(unsafe { (&raw const (*message.as_ptr()).err).cast::<i32>().read() });
        if code != RDKafkaErrorCode::NoError {
            return Event::Error {
                code,
                fatal: false,
                reason: code.to_string(),
                place: None,
            };
        }
        messages.held.push_back(Held {
            message,
            _event: event,
        });
        Event::Message
    }
}

impl Drop for EventQueue {
    #[expect(unsafe_code, reason = "the reference is ours to give back")]
    fn drop(&mut self) {
        // SAFETY: the reference was taken in `new`, and is given back once; the client is alive until after this.
        unsafe { rd::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

// SAFETY: librdkafka's queues may be used from any thread.
#[expect(unsafe_code, reason = "a raw pointer hides that")]
unsafe impl Send for EventQueue {}

/// An event, destroyed on drop.
struct OwnedEvent(NonNull<rd::rd_kafka_event_t>);

impl Drop for OwnedEvent {
    #[expect(unsafe_code, reason = "the event is ours")]
    fn drop(&mut self) {
        // SAFETY: `rd_kafka_queue_poll` handed the event to us, and nobody else destroys it. Whoever holds it holds the
        // consumer as well.
        unsafe { rd::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

impl OwnedEvent {
    fn ptr(&self) -> *mut rd::rd_kafka_event_t {
        self.0.as_ptr()
    }

    #[expect(unsafe_code, reason = "see the module")]
    fn code(&self) -> RDKafkaErrorCode {
        // SAFETY: the event is alive.
        code_of(unsafe { event_error(self.ptr()) })
    }

    #[expect(unsafe_code, reason = "see the module")]
    fn log(&self) -> Event {
        let (mut facility, mut line, mut level) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the event is alive; on success both pointers are C strings that live as long as it.
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
        // SAFETY: the event is alive.
        let place = NonNull::new(unsafe { rd::rd_kafka_event_topic_partition(self.ptr()) });
        let place = place.map(|place| {
            // SAFETY: the element is ours: it is copied out here, and destroyed once. Its topic is a C string.
            unsafe {
                let element = place.as_ref();
                let copy = (
                    text_of(element.topic).into_owned(),
                    element.partition,
                    element.offset,
                );
                rd::rd_kafka_topic_partition_destroy(place.as_ptr());
                copy
            }
        });
        match (code, place) {
            (RDKafkaErrorCode::NoError, _) => Event::Served,
            (RDKafkaErrorCode::PartitionEOF, Some((topic, partition, offset))) => Event::PartitionEnd {
                topic,
                partition,
                offset,
            },
            (code, place) => {
                // SAFETY: the event is alive, and so is the C string that it holds.
                let (fatal, reason) = unsafe {
                    let fatal = rd::rd_kafka_event_error_is_fatal(self.ptr()) != 0;
                    (
                        fatal,
                        text_of(rd::rd_kafka_event_error_string(self.ptr()))
                            .trim()
                            .to_owned(),
                    )
                };
                Event::Error {
                    code,
                    fatal,
                    reason,
                    place: place.map(|(topic, partition, _)| (topic, partition)),
                }
            }
        }
    }

    #[expect(unsafe_code, reason = "see the module")]
    fn rebalance(&self) -> Event {
        // SAFETY: the event is alive, and so is the list that it owns: `cnt` elements, each with a C string.
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

/// Messages taken from a queue, oldest first, with everything they need to stay alive.
pub(crate) struct Messages {
    // Before the consumer, so that it is dropped first.
    held: VecDeque<Held>,
    consumer: Arc<Consumer>,
}

struct Held {
    /// It belongs to the event.
    message: NonNull<rd::rd_kafka_message_t>,
    _event: OwnedEvent,
}

impl Messages {
    pub(crate) fn new(consumer: Arc<Consumer>) -> Self {
        Self {
            held: VecDeque::new(),
            consumer,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        self.held.iter().map(Held::view)
    }

    pub(crate) fn last(&self) -> Option<Message<'_>> {
        self.held.back().map(Held::view)
    }

    /// Lets go of the oldest messages.
    pub(crate) fn drop_first(&mut self, count: usize) {
        self.held.drain(..count);
    }

    /// Lets go of the newest message.
    pub(crate) fn drop_last(&mut self) {
        self.held.pop_back();
    }

    /// Lets go of all messages but those that `keep` wants.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Message<'_>) -> bool) {
        self.held.retain(|held| keep(&held.view()));
    }
}

impl Held {
    fn view(&self) -> Message<'_> {
        Message {
            message: self.message,
            held: PhantomData,
        }
    }
}

// SAFETY: events and messages may be used and destroyed on any thread, by one at a time; and nothing here is `Sync`.
#[expect(unsafe_code, reason = "a raw pointer hides that")]
unsafe impl Send for Messages {}

/// A message where it lies in librdkafka's buffer.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    /// Alive during `'a`, for its event is. A pointer, because librdkafka parses headers in place, beside the fields.
    message: NonNull<rd::rd_kafka_message_t>,
    held: PhantomData<&'a Held>,
}

impl<'a> Message<'a> {
    #[expect(unsafe_code, reason = "see the module")]
    fn raw(&self) -> &'a rd::rd_kafka_message_t {
        // SAFETY: the message is alive during `'a`, and nothing changes its fields.
        unsafe { self.message.as_ref() }
    }

    pub(crate) fn partition(&self) -> i32 {
        self.raw().partition
    }

    pub(crate) fn offset(&self) -> i64 {
        self.raw().offset
    }

    /// Equal for messages of the same topic, while one of them is held.
    pub(crate) fn topic_id(&self) -> usize {
        self.raw().rkt.addr()
    }

    #[expect(unsafe_code, reason = "see the module")]
    pub(crate) fn topic(&self) -> std::borrow::Cow<'a, str> {
        // SAFETY: a message keeps its topic alive, whose name is a C string.
        unsafe { text_of(rd::rd_kafka_topic_name(self.raw().rkt)) }
    }

    #[expect(unsafe_code, reason = "see the module")]
    pub(crate) fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: the key lies in the message: null, or so many bytes.
        unsafe { optional_slice(self.raw().key, self.raw().key_len) }
    }

    #[expect(unsafe_code, reason = "see the module")]
    pub(crate) fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: as for the key.
        unsafe { optional_slice(self.raw().payload, self.raw().len) }
    }

    #[expect(unsafe_code, reason = "see the module")]
    pub(crate) fn timestamp(&self) -> Option<Timestamp> {
        let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive.
        let ms = unsafe { rd::rd_kafka_message_timestamp(self.message.as_ptr(), &raw mut kind) };
        let kind = match kind {
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => return None,
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => TimestampKind::Create,
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => TimestampKind::LogAppend,
        };
        // A producer may have written -1 for "none".
        (ms != -1).then_some(Timestamp { ms, kind })
    }

    /// The value of the last header of that name, unless it is null.
    #[expect(unsafe_code, reason = "see the module")]
    pub(crate) fn header(&self, name: &CStr) -> Option<&'a [u8]> {
        let headers = self.parsed_headers()?;
        let (mut value, mut bytes) = (ptr::null(), 0);
        // SAFETY: the headers belong to the message, and so does the value.
        unsafe {
            let code =
                rd::rd_kafka_header_get_last(headers.as_ptr(), name.as_ptr(), &raw mut value, &raw mut bytes);
            (code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR)
                .then(|| optional_slice(value, bytes))
                .flatten()
        }
    }

    /// The headers, parsed on first use; `None` if there are none or they are malformed.
    #[expect(unsafe_code, reason = "see the module")]
    fn parsed_headers(&self) -> Option<NonNull<rd::rd_kafka_headers_t>> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive, and used by one thread at a time.
        let code = unsafe { rd::rd_kafka_message_headers(self.message.as_ptr(), &raw mut headers) };
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            NonNull::new(headers)
        } else {
            None
        }
    }
}

impl Headers for Message<'_> {
    #[expect(unsafe_code, reason = "see the module")]
    fn visit(&self, each: &mut dyn FnMut(&[u8], Option<&[u8]>)) {
        let Some(headers) = self.parsed_headers() else {
            return;
        };
        for index in 0.. {
            let (mut name, mut value, mut bytes) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the headers belong to the message, and so do names (C strings) and values.
            unsafe {
                let headers = headers.as_ptr();
                let code = rd::rd_kafka_header_get_all(
                    headers,
                    index,
                    &raw mut name,
                    &raw mut value,
                    &raw mut bytes,
                );
                if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                    return;
                }
                each(bytes_of(name), optional_slice(value, bytes));
            }
        }
    }
}

/// The low and high offsets of a partition as far as librdkafka has learnt them from fetching. Asks no broker.
#[expect(unsafe_code, reason = "rust-rdkafka does not wrap it")]
pub(crate) fn known_offsets(consumer: &Consumer, topic: &str, partition: i32) -> Option<(i64, i64)> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client is alive, and all pointers are valid during the call.
    let code = unsafe {
        let client = consumer.client().native_ptr();
        rd::rd_kafka_get_watermark_offsets(client, topic.as_ptr(), partition, &raw mut low, &raw mut high)
    };
    (code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some((low, high))
}

/// Commits offsets, and waits for the answer, at most `timeout`. An answer that comes later goes nowhere; the commit may
/// have been done.
///
/// rust-rdkafka waits without an end, and librdkafka repeats a commit until a broker answers. It also hides it when only
/// some of the partitions are refused.
#[expect(unsafe_code, reason = "see the function")]
pub(crate) fn commit(
    consumer: &Consumer,
    offsets: &TopicPartitionList,
    timeout: Duration,
) -> Result<(), RDKafkaErrorCode> {
    let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    let client = consumer.client().native_ptr();
    // SAFETY: the client and the list are alive; librdkafka copies the list. The queue is made here and given back once:
    // a commit under way has a reference of its own. Without a callback, nothing of ours is called.
    let event = unsafe {
        let queue = rd::rd_kafka_queue_new(client);
        // What it returns says that the commit is under way; what becomes of it comes by the queue.
        rd::rd_kafka_commit_queue(client, offsets.ptr(), queue, None, ptr::null_mut());
        let event = rd::rd_kafka_queue_poll(queue, timeout_ms);
        rd::rd_kafka_queue_destroy(queue);
        event
    };
    let event = NonNull::new(event).map(OwnedEvent);
    let event = event.ok_or(RDKafkaErrorCode::OperationTimedOut)?;
    // SAFETY: the event is alive, and so is the list that it owns, of `cnt` elements. The codes are read as the integers
    // that they are in C.
    let refused = unsafe {
        let list = rd::rd_kafka_event_topic_partition_list(event.ptr());
        let count = list.as_ref().map_or(0, |list| list.cnt.unsigned_abs() as usize);
        (0..count)
            .map(|index| code_of((&raw const (*(*list).elems.add(index)).err).cast::<i32>().read()))
            .find(|code| *code != RDKafkaErrorCode::NoError)
    };
    match (event.code(), refused) {
        (RDKafkaErrorCode::NoError, None) => Ok(()),
        (RDKafkaErrorCode::NoError, Some(code)) | (code, _) => Err(code),
    }
}

/// Sets how long the mock cluster of `client` waits for more members before a group's first rebalance.
#[expect(unsafe_code, reason = "rust-rdkafka does not wrap it")]
pub(crate) fn set_initial_rebalance_delay<C: ClientContext>(client: &Client<C>, delay_ms: i32) {
    // SAFETY: the client is alive, and owns the cluster if there is one.
    unsafe {
        let cluster = rd::rd_kafka_handle_mock_cluster(client.native_ptr());
        if !cluster.is_null() {
            rd::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, delay_ms);
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

/// A code as brokers and librdkafka send it. One that is not known has no name: it is [`RDKafkaErrorCode::Unknown`].
fn code_of(code: i32) -> RDKafkaErrorCode {
    RDKafkaRespErr::try_from(code).map_or(RDKafkaErrorCode::Unknown, RDKafkaErrorCode::from)
}

/// # Safety
///
/// `text` is null or a C string that lives for `'a`.
#[expect(unsafe_code, reason = "its callers give the promise")]
unsafe fn bytes_of<'a>(text: *const c_char) -> &'a [u8] {
    if text.is_null() {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

/// # Safety
///
/// As [`bytes_of`].
#[expect(unsafe_code, reason = "its callers give the promise")]
unsafe fn text_of<'a>(text: *const c_char) -> std::borrow::Cow<'a, str> {
    // SAFETY: as the caller promises.
    String::from_utf8_lossy(unsafe { bytes_of(text) })
}

/// # Safety
///
/// `data` is null or points at `bytes` bytes that live for `'a`.
#[expect(unsafe_code, reason = "its callers give the promise")]
unsafe fn optional_slice<'a>(data: *const c_void, bytes: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!data.is_null()).then(|| unsafe { slice::from_raw_parts(data.cast::<u8>(), bytes) })
}

#[cfg(test)]
mod tests {
    use rdkafka::Offset;

    use super::*;
    use crate::client::Context;
    use crate::embedded::EmbeddedBroker;
    use crate::{Producer, Properties, SourceOptions, Subscription, config};

    const TIMEOUT: Duration = Duration::from_secs(120);

    /// Produces a message whose headers no safe API writes.
    #[expect(unsafe_code, reason = "rust-rdkafka takes only names that are UTF-8")]
    fn produce(producer: &Producer, headers: &[(&[u8], Option<&[u8]>)]) {
        use rd::rd_kafka_vtype_t::{
            RD_KAFKA_VTYPE_END, RD_KAFKA_VTYPE_HEADERS, RD_KAFKA_VTYPE_PARTITION, RD_KAFKA_VTYPE_TOPIC,
        };
        // SAFETY: names and values are copied; the message takes the headers over.
        unsafe {
            let list = rd::rd_kafka_headers_new(headers.len());
            for (name, value) in headers {
                let (data, bytes) = value.map_or((ptr::null(), 0), |value| (value.as_ptr(), value.len()));
                let name_bytes = isize::try_from(name.len()).unwrap();
                let bytes = isize::try_from(bytes).unwrap();
                rd::rd_kafka_header_add(list, name.as_ptr().cast(), name_bytes, data.cast(), bytes);
            }
            let code = rd::rd_kafka_producev(
                producer.client().native_ptr(),
                RD_KAFKA_VTYPE_TOPIC,
                c"t".as_ptr(),
                RD_KAFKA_VTYPE_PARTITION,
                0,
                RD_KAFKA_VTYPE_HEADERS,
                list,
                RD_KAFKA_VTYPE_END,
            );
            assert_eq!(code, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR);
        }
        producer.flush(TIMEOUT).unwrap();
    }

    #[test]
    fn a_code_that_nobody_knows_is_unknown() {
        assert_eq!(code_of(-191), RDKafkaErrorCode::PartitionEOF);
        assert_eq!(code_of(0), RDKafkaErrorCode::NoError);
        for code in [i32::MIN, -1, 9999, i32::MAX] {
            assert_eq!(code_of(code), RDKafkaErrorCode::Unknown);
        }
    }

    #[test]
    fn headers_come_as_they_were_written() {
        let broker = EmbeddedBroker::start(1).unwrap();
        broker.create_topic("t", 1).unwrap();
        let producer = Producer::new(broker.brokers(), &Properties::default()).unwrap();
        let written: [(&[u8], Option<&[u8]>); 5] = [
            (b"id", Some(b"1")),
            (b"\xff\xfe", Some(b"")),
            (b"", None),
            (b"id", Some(b"2")),
            (b"null", None),
        ];
        produce(&producer, &written);
        produce(&producer, &[]);

        let options = SourceOptions::new(broker.brokers(), Subscription::topics(["t"]));
        let consumer = config::consumer(&options)
            .unwrap()
            .create_with_context(Context::default())
            .unwrap();
        let consumer = Arc::new(Consumer::new(consumer, TIMEOUT));
        let queue = EventQueue::new(Arc::clone(&consumer)).unwrap();
        let mut messages = Messages::new(Arc::clone(&consumer));
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("t", 0, Offset::Beginning).unwrap();
        consumer.assign(&list).unwrap();
        let deadline = std::time::Instant::now() + TIMEOUT;
        while messages.len() < 2 && std::time::Instant::now() < deadline {
            queue.poll(Duration::from_millis(100), &mut messages);
        }
        // The messages outlive the queue.
        drop(queue);
        let views: Vec<Message<'_>> = messages.iter().collect();
        let mut read = Vec::new();
        views[0].visit(&mut |name, value| read.push((name.to_vec(), value.map(<[u8]>::to_vec))));
        let written = written.map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)));
        assert_eq!(read, written);
        assert_eq!(views[0].header(c"id"), Some(&b"2"[..]));
        assert_eq!(views[0].header(c"null"), None);
        assert_eq!(views[0].header(c"none"), None);
        assert_eq!(
            (views[0].key(), views[0].value(), views[0].offset()),
            (None, None, 0)
        );
        views[1].visit(&mut |_, _| panic!("it has none"));
        assert_eq!(views[1].header(c"id"), None);
        assert_eq!(views[1].topic(), "t");
        drop(views);
        drop(consumer);
        messages.drop_first(1);
        assert_eq!(
            messages
                .iter()
                .map(|message| message.offset())
                .collect::<Vec<_>>(),
            [1]
        );
    }
}
