//! One decoder, and the writer schemas that it could not be given.
//!
//! A schema is fetched when the decoder asks for it, and not before: only the decoder knows whether
//! it needs one (plain values and schemaless JSON do not, framed or not). A key that has no usable
//! schema turns its payloads into refused ones, so that they still take their slots.

use std::collections::HashMap;
use std::sync::Arc;

use sabot_decode::{
    Body, Decoder, FetchError, MessagePathBuf, Payload, RowError, RowErrorKind, SchemaKey, SchemaSource, Stop,
};

use crate::chunk::Chunk;
use crate::vectors::recycle;
use crate::{BadRow, Part, Record, RunPart};

/// A decoder of keys or values.
#[derive(Debug)]
pub(crate) struct PartDecoder {
    pub(crate) decoder: Box<dyn Decoder>,
    part: Part,
    /// Messages without a usable schema, and why. One message of a schema that cannot be used says
    /// nothing of its others.
    refusals: HashMap<(SchemaKey, MessagePathBuf), Refusal>,
    /// What the last [`Self::decode`] reported.
    pub(crate) errors: Vec<RowError>,
    /// Empty between two calls; kept for its room.
    payloads: Vec<Payload<'static>>,
}

/// Why the payloads of one message are bad.
#[derive(Debug, Clone)]
struct Refusal {
    kind: RowErrorKind,
    detail: Arc<str>,
}

/// How far [`PartDecoder::decode`] came.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// Records that have their slot.
    pub(crate) rows: usize,
    pub(crate) stop: PartStop,
}

/// Why [`PartDecoder::decode`] returned.
#[derive(Debug)]
pub(crate) enum PartStop {
    Done,
    Full,
    Unavailable(FetchError),
}

impl PartDecoder {
    /// Refusals at which all are forgotten. No more are added in between than the records of one
    /// call.
    const MAX_REFUSALS: usize = 4096;

    pub(crate) fn new(part: Part, decoder: Box<dyn Decoder>) -> Self {
        Self {
            decoder,
            part,
            refusals: HashMap::new(),
            errors: Vec::new(),
            payloads: Vec::new(),
        }
    }

    /// Forgets what may have changed since: an unknown schema may be known by now. The source is
    /// asked again, once a call of `push` and key, and has a memory of its own.
    pub(crate) fn forget_unknown(&mut self) {
        if !self.refusals.is_empty() {
            self.refusals
                .retain(|_, refusal| refusal.kind != RowErrorKind::UnknownSchema);
        }
    }

    /// Gives each row of the chunk its slot, up to the first that the decoder or the source of
    /// schemas stops at. The first row is bad if there is a reason in `refused`.
    pub(crate) fn decode(
        &mut self,
        chunk: Chunk<'_, '_>,
        refused: Option<RowErrorKind>,
        schemas: &mut dyn SchemaSource,
    ) -> Decoded {
        let mut payloads: Vec<Payload<'_>> = std::mem::take(&mut self.payloads);
        for (run, range) in chunk.pieces() {
            let part: RunPart<'_> = match self.part {
                Part::Key => run.keys,
                Part::Value => run.values,
            };
            part.extend_payloads(range, &mut payloads);
        }
        if let Some(kind) = refused
            && let Some(payload) = payloads.first_mut()
        {
            payload.body = Body::Refused(kind);
        }
        self.errors.clear();
        if self.refusals.len() >= Self::MAX_REFUSALS {
            self.refusals.clear();
        }
        let decoded = self.decode_payloads(&mut payloads, schemas);
        self.payloads = recycle(payloads);
        decoded
    }

    /// The report of an error in the record that it is about.
    #[cold]
    pub(crate) fn report(&self, error: &RowError, record: &Record<'_>) -> BadRow {
        let payload = record.payload(self.part);
        let detail = match error.kind {
            RowErrorKind::UnknownSchema | RowErrorKind::UnusableSchema | RowErrorKind::NoSuchMessage => self
                .refusals
                .get(&message_of(&payload))
                .map(|refusal| Arc::clone(&refusal.detail)),
            _ => None,
        };
        BadRow {
            topic: Arc::clone(record.topic()),
            partition: record.partition(),
            offset: record.offset(),
            part: self.part,
            schema: payload.key,
            field_path: self.decoder.field_path(error.path),
            byte_offset: payload.prefix_bytes.saturating_add(error.byte_offset),
            kind: error.kind,
            detail,
        }
    }

    fn decode_payloads(&mut self, payloads: &mut [Payload<'_>], schemas: &mut dyn SchemaSource) -> Decoded {
        let mut rows = 0;
        // The row for which a schema was prepared last.
        let mut prepared = None;
        loop {
            let errors = &mut self.errors;
            let progress = self
                .decoder
                .decode(&payloads[rows..], &mut |error| errors.push(error));
            rows += progress.taken;
            let Some(payload) = payloads.get(rows) else {
                return Decoded {
                    rows,
                    stop: PartStop::Done,
                };
            };
            let Stop::NeedsSchema(wanted) = progress.stop else {
                return Decoded {
                    rows,
                    stop: PartStop::Full,
                };
            };
            if !matches!(payload.body, Body::Bytes(_)) {
                // A payload without bytes needs no schema; to ask for one for ever would never end.
                debug_assert!(false, "{payload:?} asks for schema {wanted}");
                return Decoded {
                    rows,
                    stop: PartStop::Full,
                };
            }
            let payload = *payload;
            match self.resolve(wanted, &payload, prepared == Some(rows), schemas) {
                Ok(None) => prepared = Some(rows),
                Ok(Some(kind)) => refuse_run(&mut payloads[rows..], &payload, kind),
                Err(error) => {
                    return Decoded {
                        rows,
                        stop: PartStop::Unavailable(error),
                    };
                }
            }
        }
    }

    /// Gives the decoder the schema `wanted` for the message that `payload` is; or says what is
    /// wrong with all payloads that are this message. `again`: the decoder was given it just now
    /// and took nothing since.
    #[cold]
    fn resolve(
        &mut self,
        wanted: SchemaKey,
        payload: &Payload<'_>,
        again: bool,
        schemas: &mut dyn SchemaSource,
    ) -> Result<Option<RowErrorKind>, FetchError> {
        let message = message_of(payload);
        if let Some(refusal) = self.refusals.get(&message) {
            return Ok(Some(refusal.kind));
        }
        let (kind, detail) = if again {
            (
                RowErrorKind::UnusableSchema,
                "the decoder did not keep the schema that it was given".to_owned(),
            )
        } else {
            match schemas.fetch(wanted) {
                Ok(writer) => match self.decoder.prepare_message(wanted, payload.path, &writer) {
                    Ok(()) => return Ok(None),
                    Err(error) => (error.row_kind(), error.to_string()),
                },
                Err(FetchError::Unknown { cause, .. }) => (RowErrorKind::UnknownSchema, cause.to_string()),
                Err(error @ FetchError::Unavailable { .. }) => return Err(error),
            }
        };
        self.refusals.insert(
            message,
            Refusal {
                kind,
                detail: shortened(detail),
            },
        );
        Ok(Some(kind))
    }
}

/// A detail is in the report of every message of its schema: no more of it than a reader can
/// use.
fn shortened(mut detail: String) -> Arc<str> {
    const MAX_DETAIL_CHARS: usize = 1000;
    if let Some((end, _)) = detail.char_indices().nth(MAX_DETAIL_CHARS) {
        detail.truncate(end);
        detail.push('…');
    }
    detail.into()
}

/// Which message of which schema a payload is.
fn message_of(payload: &Payload<'_>) -> (SchemaKey, MessagePathBuf) {
    (payload.key, payload.path.into())
}

/// Condemns the payloads from the first one on that are the same message as `refused`. Any others
/// are met in their turn.
fn refuse_run(payloads: &mut [Payload<'_>], refused: &Payload<'_>, kind: RowErrorKind) {
    let same = |payload: &&mut Payload<'_>| {
        let is_same = (payload.key, payload.path) == (refused.key, refused.path);
        is_same && matches!(payload.body, Body::Bytes(_))
    };
    for payload in payloads.iter_mut().take_while(same) {
        payload.body = Body::Refused(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_stay_short() {
        assert_eq!(&*shortened("é".repeat(1000)), "é".repeat(1000));
        assert_eq!(&*shortened("é".repeat(1001)), "é".repeat(1000) + "…");
    }
}
