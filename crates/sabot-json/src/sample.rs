//! Messages that wait until a schema is inferred from them.

use arrow_schema::SchemaRef;
use sabot_codec::{Fault, Projection};
use sabot_columns::Bits;
use sabot_decode::{Body, Limits, Mapping, Payload, Progress, RowError, RowErrorKind, SchemaKey, Stop};
use simd_json::Node;

use crate::infer::Inference;
use crate::locate::Locator;
use crate::parse::{Document, Parser, fault};

/// Slots that are taken and not yet decoded.
#[derive(Debug)]
pub(crate) struct Sample {
    inference: Inference,
    text: Vec<u8>,
    slots: Vec<Waiting>,
}

/// One slot.
#[derive(Debug, Clone, Copy)]
enum Waiting {
    /// A good message, which ends here in `text`.
    Good {
        end: usize,
    },
    Tombstone,
    /// Reported already.
    Bad,
}

impl Sample {
    const ROWS: usize = 1_000;
    const TEXT_BYTES: usize = 1 << 20;
    /// What a single message may have, whatever the limit: all of the sample has to fit below 32-bit offsets.
    const MESSAGE_BYTES: usize = 1 << 30;

    pub(crate) fn new() -> Self {
        Self {
            inference: Inference::new(),
            text: Vec::new(),
            slots: Vec::new(),
        }
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + size_of_val(self.slots.as_slice())
    }

    /// Whether there is enough to infer a schema from.
    pub(crate) fn is_complete(&self) -> bool {
        !self.inference.is_empty() && (self.slots.len() >= Self::ROWS || self.text.len() >= Self::TEXT_BYTES)
    }

    pub(crate) fn has_fields(&self) -> bool {
        !self.inference.is_empty()
    }

    /// Takes payloads until the sample is complete, or as large as a batch may be.
    pub(crate) fn take(
        &mut self,
        rows: &[Payload<'_>],
        parser: &mut Parser,
        limits: &Limits,
        bad: &mut dyn FnMut(RowError),
    ) -> Progress {
        for (taken, row) in rows.iter().enumerate() {
            let is_full = self.slots() >= limits.batch_rows || self.bytes() >= limits.batch_bytes;
            let stop = if self.is_complete() {
                Stop::Done
            } else if is_full && self.slots() > 0 {
                Stop::Full
            } else {
                self.take_one(row, parser, limits, bad);
                continue;
            };
            return Progress { taken, stop };
        }
        Progress {
            taken: rows.len(),
            stop: Stop::Done,
        }
    }

    fn take_one(
        &mut self,
        row: &Payload<'_>,
        parser: &mut Parser,
        limits: &Limits,
        bad: &mut dyn FnMut(RowError),
    ) {
        let result = match row.body {
            Body::Tombstone => {
                self.slots.push(Waiting::Tombstone);
                return;
            }
            Body::Refused(kind) => Err(fault(0, kind)),
            Body::Bytes(text) => self.take_text(text, parser, limits),
        };
        if let Err(Fault::Row {
            byte_offset,
            path,
            kind,
        }) = result
        {
            let (slot, byte_offset) = (self.slots() as u32, byte_offset as u32);
            self.slots.push(Waiting::Bad);
            bad(RowError {
                slot,
                byte_offset,
                path,
                kind,
            });
            return;
        }
        self.slots.push(Waiting::Good { end: self.text.len() });
    }

    /// What passes here, decoding cannot refuse: the schema is made to fit, and the limits are as strict.
    fn take_text(&mut self, text: &[u8], parser: &mut Parser, limits: &Limits) -> Result<(), Fault> {
        if text.len() > limits.row_bytes.min(Self::MESSAGE_BYTES) {
            return Err(fault(0, RowErrorKind::LimitExceeded("bytes in one message")));
        }
        parser.parse(text, |document| {
            check_items(document, limits.row_items)?;
            self.inference.add(document)
        })?;
        self.text.extend_from_slice(text);
        Ok(())
    }

    pub(crate) fn schema(&self, mapping: &Mapping, projection: &Projection) -> SchemaRef {
        self.inference.schema(mapping, projection)
    }

    /// The payloads in order; bad ones as refused.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = Payload<'_>> {
        let mut start = 0;
        self.slots.iter().map(move |slot| match slot {
            Waiting::Good { end } => {
                let text = &self.text[start..*end];
                start = *end;
                Payload::unframed(text)
            }
            Waiting::Tombstone => Payload::tombstone(),
            Waiting::Bad => Payload::refused(SchemaKey::Absent, RowErrorKind::Syntax("not JSON")),
        })
    }

    /// Gives the slots up, of which none held a field: how many, and which are good.
    pub(crate) fn take_empty(&mut self) -> (usize, Option<Bits>) {
        let mut valid = Bits::default();
        self.slots
            .iter()
            .for_each(|slot| valid.push(!matches!(slot, Waiting::Bad)));
        let any_bad = self.slots.iter().any(|slot| matches!(slot, Waiting::Bad));
        let slots = self.slots.len();
        self.slots.clear();
        self.text.clear();
        (slots, any_bad.then_some(valid))
    }
}

/// Items count in lists alone: maps are never inferred.
fn check_items(document: Document<'_>, limit: usize) -> Result<(), Fault> {
    if document.nodes.len() <= limit {
        return Ok(());
    }
    let mut items = 0;
    for (at, node) in document.nodes.iter().enumerate() {
        if let Node::Array { len, .. } = node {
            items += len;
        }
        if items > limit {
            let kind = RowErrorKind::LimitExceeded("items in one message");
            return Err(fault(Locator::new(document).offset(at), kind));
        }
    }
    Ok(())
}
