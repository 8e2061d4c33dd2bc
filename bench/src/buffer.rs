//! Messages as a consumer has them: one after another in one buffer, with a record header's worth
//! of bytes between.
//!
//! One allocation for each message, with others in between, would make every system slower and hide
//! what is compared.

use std::ops::Range;

/// Bytes of a record's header in Kafka's batch format: lengths, attributes, deltas, no key.
const RECORD_HEADER_BYTES: usize = 10;

/// Bytes of messages at most, so that workloads of long messages do not measure the memory alone.
const CAPACITY_BYTES: usize = 64 << 20;

/// Framed messages.
#[derive(Default)]
pub struct Messages {
    bytes: Vec<u8>,
    spans: Vec<Range<usize>>,
    body_bytes: usize,
}

impl Messages {
    /// Adds a message: Confluent's five bytes for `id`, then `body`.
    pub fn push(&mut self, id: u32, body: &[u8]) {
        let prefix = sabot_wire::id_prefix(id);
        self.bytes.extend_from_slice(&[0xa5; RECORD_HEADER_BYTES]);
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&prefix);
        self.bytes.extend_from_slice(body);
        self.spans.push(start..self.bytes.len());
        self.body_bytes += body.len();
    }

    /// Whether there is no room for more.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= CAPACITY_BYTES
    }

    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Bytes of all bodies.
    pub fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Bytes of an average message's body: the frame is left out.
    pub fn mean_bytes(&self) -> usize {
        let count = self.spans.len().max(1);
        (self.body_bytes + count / 2) / count
    }

    /// Each message in turn.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|span| &self.bytes[span.clone()])
    }

    /// The messages in turn, so many at once.
    pub fn chunks(&self, count: usize) -> impl Iterator<Item = impl ExactSizeIterator<Item = &[u8]> + Clone> {
        let chunks = self.spans.chunks(count);
        chunks.map(|spans| spans.iter().map(|span| &self.bytes[span.clone()]))
    }
}
