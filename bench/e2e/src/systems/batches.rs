//! librdkafka's messages drained 1,024 at a time from one queue that all partition queues are
//! forwarded to, and no decoding: what Sabot's source stands on.

use std::ptr;

use rdkafka::bindings as rd;
use rdkafka::consumer::Consumer as _;

use super::{PATIENCE, Read, poll};
use crate::topics::PARTITIONS;

const BATCH: usize = 1024;

#[expect(unsafe_code, reason = "rust-rdkafka offers no batches")]
pub fn read(topic: &str, messages: usize) -> Result<Read, String> {
    let consumer = poll::consumer(topic)?;
    let name = std::ffi::CString::new(topic).map_err(|error| error.to_string())?;
    let client = consumer.client().native_ptr();
    let mut read = Read::default();
    let timeout_ms = i32::try_from(PATIENCE.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: (1) `client` is alive until `consumer` is dropped at the end of this function; (2)
    // every queue reference that is made here is given back once, before that; (3) the first
    // `count` elements of `batch` are messages that are ours, and each is destroyed once after its
    // value was read; (4) a value is null or `len` bytes of its message.
    unsafe {
        let ours = rd::rd_kafka_queue_new(client);
        for partition in 0..PARTITIONS {
            let queue = rd::rd_kafka_queue_get_partition(client, name.as_ptr(), partition);
            rd::rd_kafka_queue_forward(queue, ours);
            rd::rd_kafka_queue_destroy(queue);
        }
        let mut batch = [ptr::null_mut(); BATCH];
        while read.messages < messages {
            // It waits until a batch is full. So it is asked for what is there, and then waits for
            // one message.
            let mut count = rd::rd_kafka_consume_batch_queue(ours, 0, batch.as_mut_ptr(), BATCH);
            if count == 0 {
                count = rd::rd_kafka_consume_batch_queue(ours, timeout_ms, batch.as_mut_ptr(), 1);
            }
            if count <= 0 {
                break;
            }
            for message in &batch[..count.unsigned_abs()] {
                let (value, bytes) = ((**message).payload.cast::<u8>(), (**message).len);
                if !value.is_null() {
                    read.touch(std::slice::from_raw_parts(value, bytes));
                }
                rd::rd_kafka_message_destroy(*message);
            }
        }
        rd::rd_kafka_queue_destroy(ours);
    }
    Ok(read)
}
