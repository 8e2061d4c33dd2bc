//! Messages that wait until a schema is inferred from them.

use sabot_arrow::{Bits, Fault};
use sabot_decode::{Body, Limits, Mapping, Payload, RowErrorKind};

use crate::infer::Inference;
use crate::parse::Parser;
use arrow_schema::SchemaRef;

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

    /// Takes one payload. A bad one has its slot too, and the fault is for the caller to report.
    pub(crate) fn take(
        &mut self,
        payload: &Payload<'_>,
        parser: &mut Parser,
        limits: &Limits,
    ) -> Result<(), Fault> {
        let result = match payload.body {
            Body::Tombstone => {
                self.slots.push(Waiting::Tombstone);
                return Ok(());
            }
            Body::Refused(kind) => Err(fault(kind)),
            Body::Bytes(text) if text.len() > limits.row_bytes => {
                Err(fault(RowErrorKind::LimitExceeded("bytes in one message")))
            }
            Body::Bytes(text) => {
                let inference = &mut self.inference;
                let items = limits.row_items;
                let added = parser.parse(text, limits, |document| {
                    // Decoding counts items only, so it cannot refuse what passes here.
                    if document.nodes.len() > items {
                        return Err(fault(RowErrorKind::LimitExceeded("items in one message")));
                    }
                    inference.add(document)
                });
                added.map(|()| self.text.extend_from_slice(text))
            }
        };
        self.slots.push(if result.is_ok() {
            Waiting::Good { end: self.text.len() }
        } else {
            Waiting::Bad
        });
        result
    }

    pub(crate) fn schema(&self, mapping: &Mapping) -> SchemaRef {
        self.inference.schema(mapping)
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
            Waiting::Bad => {
                Payload::refused(sabot_decode::SchemaKey::Absent, RowErrorKind::Syntax("not JSON"))
            }
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

fn fault(kind: RowErrorKind) -> Fault {
    Fault::Row {
        byte_offset: 0,
        node: sabot_decode::NodeId::ROOT,
        kind,
    }
}
