//! From a message where it lies to the record that the assembler takes: nothing is copied.

use std::ffi::{CStr, CString};
use std::sync::Arc;

use sabot_assemble::Record;
use sabot_decode::Payload;

use crate::positions::Positions;
use crate::{SourceOptions, ffi};

/// Names of the headers that may hold schema ids.
pub(crate) struct SchemaHeaders {
    key: Option<CString>,
    value: Option<CString>,
}

impl SchemaHeaders {
    pub(crate) fn new(options: &SourceOptions) -> Self {
        Self {
            key: c_name(options.key_framing.key_header()),
            value: c_name(options.value_framing.value_header()),
        }
    }

    /// The record of a message.
    pub(crate) fn record<'a>(
        &self,
        view: &'a ffi::Message<'a>,
        topic: &'a Arc<str>,
        options: &SourceOptions,
    ) -> Record<'a> {
        let header = |name: &'_ Option<CString>| name.as_deref().and_then(|name: &CStr| view.header(name));
        let (raw_key, raw_value) = (view.key(), view.value());
        Record {
            topic,
            partition: view.partition(),
            offset: view.offset(),
            timestamp: view.timestamp(),
            key: Payload::framed(options.key_framing, header(&self.key), raw_key),
            value: Payload::framed(options.value_framing, header(&self.value), raw_value),
            raw_key,
            raw_value,
            headers: Some(view),
        }
    }
}

/// The slot of each message's partition. Messages come in runs, so that most are found by comparing with the last.
pub(crate) fn slots_of(views: &[ffi::Message<'_>], positions: &Positions) -> Vec<usize> {
    let mut last = None;
    let slot_of = |view: &ffi::Message<'_>| {
        let place = (view.topic_id(), view.partition());
        match last {
            Some((known, slot)) if known == place => slot,
            _ => {
                let slot = positions.slot(&view.topic(), view.partition());
                let slot = slot.expect("because messages of partitions that are given up are let go");
                last = Some((place, slot));
                slot
            }
        }
    };
    views.iter().map(slot_of).collect()
}

pub(crate) fn bytes_of(message: &ffi::Message<'_>) -> usize {
    message.key().map_or(0, <[u8]>::len) + message.value().map_or(0, <[u8]>::len)
}

fn c_name(name: Option<&str>) -> Option<CString> {
    name.and_then(|name| CString::new(name).ok())
}
