//! Single calls that rust-rdkafka does not wrap, or wraps in a way that waits without an end.

use std::ffi::CString;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::TopicPartitionList;
use rdkafka::bindings as rd;
use rdkafka::client::Client;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

use super::events::OwnedEvent;
use super::{code_of, millis};
use crate::client::Consumer;

/// The low and high offsets of a partition as far as librdkafka has learnt them from fetching. Asks
/// no broker.
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

/// Commits offsets, and waits for the answer, at most `timeout`. An answer that comes later goes
/// nowhere; the commit may have been done.
///
/// rust-rdkafka waits without an end, and librdkafka repeats a commit until a broker answers. It
/// also hides it when only some of the partitions are refused.
#[expect(unsafe_code, reason = "see the function")]
pub(crate) fn commit(
    consumer: &Consumer,
    offsets: &TopicPartitionList,
    timeout: Duration,
) -> Result<(), RDKafkaErrorCode> {
    let client = consumer.client().native_ptr();
    // SAFETY: the client and the list are alive; librdkafka copies the list. The queue is made here
    // and given back once: a commit under way has a reference of its own. Without a callback,
    // nothing of ours is called.
    let event = unsafe {
        let queue = rd::rd_kafka_queue_new(client);
        // What it returns says that the commit is under way; what becomes of it comes by the queue.
        rd::rd_kafka_commit_queue(client, offsets.ptr(), queue, None, ptr::null_mut());
        let event = rd::rd_kafka_queue_poll(queue, millis(timeout));
        rd::rd_kafka_queue_destroy(queue);
        event
    };
    let event = NonNull::new(event).map(OwnedEvent);
    let event = event.ok_or(RDKafkaErrorCode::OperationTimedOut)?;
    // SAFETY: the event is alive, and so is the list that it owns, of `cnt` elements. The codes are
    // read as the integers that they are in C.
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

/// Sets how long the mock cluster of `client` waits for more members before a group's first
/// rebalance.
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
