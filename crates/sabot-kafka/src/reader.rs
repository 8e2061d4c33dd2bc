//! From runs to rows: what was fetched is decoded, a window at a time. It knows no broker and no
//! group.

use std::sync::Arc;

use sabot_assemble::{Assembled, Assembler, PushStop};
use sabot_decode::{FlushError, SchemaSource};

use crate::dead_letter::DeadLetters;
use crate::fetched::Fetched;
use crate::positions::Positions;
use crate::runs::Slices;

/// Records that are decoded in one go: so few that what was read ahead is still in a cache when it
/// is decoded.
const WINDOW_RECORDS: usize = 128;

/// See the module.
pub(crate) struct Reader {
    pub(crate) fetched: Fetched,
    assembler: Assembler,
    schemas: Box<dyn SchemaSource + Send>,
    /// Room for the slices of a window, kept between two of them.
    slices: Slices<'static>,
}

/// What [`Reader::decode`] did.
pub(crate) struct Decoded {
    pub(crate) records: usize,
    /// Bytes of their keys and values.
    pub(crate) bytes: usize,
    pub(crate) stop: PushStop,
    /// The record that it stopped at.
    pub(crate) stopped_at: Option<(Arc<str>, i32, i64)>,
    /// A record became a dead letter, and there is nowhere to put it.
    pub(crate) is_letter_lost: bool,
}

impl Reader {
    pub(crate) fn new(fetched: Fetched, assembler: Assembler, schemas: Box<dyn SchemaSource + Send>) -> Self {
        Self {
            fetched,
            assembler,
            schemas,
            slices: Slices::default(),
        }
    }

    pub(crate) fn assembler(&self) -> &Assembler {
        &self.assembler
    }

    /// Decodes at most `most` of the records that were fetched, and moves the positions of those
    /// that were taken.
    pub(crate) fn decode(
        &mut self,
        most: usize,
        positions: &mut Positions,
        mut dead_letters: Option<&mut DeadLetters>,
    ) -> Decoded {
        let most = most.min(WINDOW_RECORDS);
        let Self {
            fetched,
            assembler,
            schemas,
            slices: room,
        } = self;
        let mut slices: Slices<'_> = std::mem::take(room).recycle();
        fetched.view(most, &mut slices);
        sabot_wire::touch(slices.present_values());
        let mut is_letter_lost = false;
        let pushed = fetched.window(most, &slices, |runs| {
            assembler.push(runs, &mut **schemas, &mut |bad, record| match &mut dead_letters {
                Some(dead_letters) => dead_letters.push(bad, record),
                None => is_letter_lost = true,
            })
        });
        let (rows, bytes) = (slices.keys.len(), slices.bytes(0..pushed.taken));
        *room = slices.recycle();
        fetched.advance(pushed.taken, positions);
        Decoded {
            records: pushed.taken,
            bytes,
            stop: pushed.stop,
            stopped_at: fetched.next().filter(|_| pushed.taken < rows),
            is_letter_lost,
        }
    }

    /// The rows that were taken, as a batch.
    pub(crate) fn finish(&mut self) -> Result<Assembled, FlushError> {
        self.assembler.finish()
    }
}
