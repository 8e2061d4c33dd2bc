//! The few calls of librdkafka that rust-rdkafka does not offer safely.
//!
//! All unsafe code of this crate is here. Its gain is measured in what could not be done without
//! it:
//!
//! - rust-rdkafka hands out one message at a time, with an `Arc` and several locks for each;
//!   [`MessageQueue`] takes a thousand at once. It also reports the end of a partition without its
//!   topic and offset, so that a reader of several topics cannot tell which one ended, and its
//!   header accessor panics if a name is not UTF-8.
//! - It answers rebalances inside `poll`, where a batch in hand cannot be given out first.
//!   [`EventQueue`] polls the consumer's queue itself.
//! - The low and high offsets that librdkafka already knows ([`known_offsets`]), a commit with an
//!   end to its waiting ([`commit`]) and the embedded broker's rebalance delay are not wrapped at
//!   all.
//!
//! The SAFETY arguments below refer to these facts:
//!
//! - **(1) The client is alive.** Whoever calls into it holds an `Arc<Consumer>`, whose drop is the
//!   only place that destroys it.
//! - **(2) A queue is alive and ours.** The types here hold one reference each, from `new` to
//!   `drop`, and the consumer for longer. Every queue reference has to be given back before the
//!   client is destroyed, or that never ends: hence the consumer is the last field, and no call
//!   keeps a reference to a partition's queue.
//! - **(3) An event is alive.** [`OwnedEvent`](events::OwnedEvent) owns what `rd_kafka_queue_poll`
//!   handed out, and what an event holds (strings, lists) lives as long as it does.
//! - **(4) A message is alive.** [`MessageQueue`] owns what `rd_kafka_consume_batch_queue` wrote,
//!   until `release` goes past it; a [`Message`] borrows the queue, and `release` takes it mutably.
//!   Key, value and headers lie in the message or in the fetch buffer that it keeps. Nothing writes
//!   to its fields but librdkafka when it parses headers, on the thread that asks for them.
//! - **(5) One thread at a time.** Queues, events and messages may be used and destroyed on any
//!   thread. None of the types here is `Sync`, so that no two threads use one at once.

mod calls;
mod events;
mod messages;

use std::ffi::{CStr, c_char, c_void};
use std::slice;
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

pub(crate) use calls::{commit, known_offsets, set_initial_rebalance_delay};
pub(crate) use events::{ErrorEvent, Event, EventQueue};
pub(crate) use messages::{Message, MessageQueue};

/// A time as librdkafka takes it.
fn millis(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

/// A code as brokers and librdkafka send it. One that is not known has no name: it is
/// [`RDKafkaErrorCode::Unknown`].
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
    use std::ptr;
    use std::sync::Arc;

    use rdkafka::bindings as rd;
    use rdkafka::consumer::Consumer as _;
    use rdkafka::{Offset, TopicPartitionList};
    use sabot_assemble::Headers;

    use super::*;
    use crate::client::{Consumer, Context};
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
        let mut queue = MessageQueue::new(Arc::clone(&consumer)).unwrap();
        assert!(queue.forward("t", 0));
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("t", 0, Offset::Beginning).unwrap();
        consumer.assign(&list).unwrap();
        let deadline = std::time::Instant::now() + TIMEOUT;
        let mut count = 0;
        while count < 1 && std::time::Instant::now() < deadline {
            count = queue.take(Duration::from_millis(100), 1);
        }
        // The messages keep the client alive.
        drop(consumer);
        let first = queue.get(0).unwrap();
        let mut read = Vec::new();
        queue.visit(0, &mut |name, value| {
            read.push((name.to_vec(), value.map(<[u8]>::to_vec)));
        });
        let written = written.map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)));
        assert_eq!(read, written);
        assert_eq!(first.header(c"id"), Some(&b"2"[..]));
        assert_eq!(first.header(c"null"), None);
        assert_eq!(first.header(c"none"), None);
        assert_eq!((first.key(), first.value(), first.offset()), (None, None, 0));
        queue.release(1);
        assert!(queue.get(0).is_none());

        count = 0;
        while count < 1 && std::time::Instant::now() < deadline {
            count = queue.take(Duration::from_millis(100), 10);
        }
        queue.visit(0, &mut |_, _| panic!("it has none"));
        let second = queue.get(0).unwrap();
        assert_eq!(second.header(c"id"), None);
        assert_eq!((&*second.topic(), second.offset()), ("t", 1));
    }
}
