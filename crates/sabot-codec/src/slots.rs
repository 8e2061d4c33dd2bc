//! Columns with a slot for each payload, good or bad.
//!
//! What comes before and after a payload is read is here: [slots](sabot_decode::Slots) are counted,
//! tombstones and refused payloads get theirs, a bad row is taken back and leaves a placeholder,
//! and limits fill the batch.

use arrow_buffer::BooleanBuffer;
use sabot_decode::{
    Body, FieldPathId, FlushError, Limits, Payload, Progress, RowError, RowErrorKind, Slots, Stop,
};

use sabot_columns::{Bits, Columns, Overflow};

use crate::RowBudget;
use crate::budget::{Budget, OverBudget};
use crate::fault::Fault;

/// Columns with a slot for each payload.
#[derive(Debug)]
pub(crate) struct SlotColumns {
    pub(crate) columns: Columns,
    pub(crate) budget: Budget,
    /// A bit for each slot up to the last bad one; those after it are good.
    valid: Bits,
}

impl SlotColumns {
    /// No slots yet.
    pub(crate) fn new(columns: Columns, limits: Limits) -> Self {
        let mut slots = Self {
            columns,
            budget: Budget::new(limits),
            valid: Bits::default(),
        };
        slots.budget.set_slot_bytes(slot_bytes(&mut slots.columns));
        slots
    }

    /// Goes on in `columns`, which are empty: the schema is known only now. Each slot so far is
    /// appended by `row`, or is a placeholder where that says that there is none.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the placeholders do not fit; nothing changes then.
    pub(crate) fn set_columns(
        &mut self,
        mut columns: Columns,
        mut row: impl FnMut(usize, &mut Columns) -> bool,
    ) -> Result<(), Overflow> {
        for slot in 0..self.len() {
            if !row(slot, &mut columns) {
                columns.rollback();
                columns.push_null_values()?;
            }
            columns.end_row();
        }
        self.begin(columns);
        Ok(())
    }

    /// Goes on in `columns`, which have as many rows as there are slots.
    pub(crate) fn begin(&mut self, columns: Columns) {
        self.columns = columns;
        self.budget.set_slot_bytes(slot_bytes(&mut self.columns));
        self.count();
    }

    /// Slots gathered.
    pub(crate) fn len(&self) -> usize {
        self.columns.rows()
    }

    /// Bytes held.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.columns.buffered_bytes() + self.valid.bytes()
    }

    /// Counts what is held, where it was an estimate so far.
    pub(crate) fn count(&mut self) {
        self.budget.count(self.buffered_bytes());
    }

    /// Whether the batch is at one of its limits.
    pub(crate) fn is_full(&mut self) -> bool {
        let valid = &self.valid;
        self.budget.is_full(&self.columns, || valid.bytes())
    }

    /// Takes payloads in order, each into one slot; `decode` appends the row of one body.
    pub(crate) fn take(
        &mut self,
        rows: &[Payload<'_>],
        bad: &mut dyn FnMut(RowError),
        mut decode: impl FnMut(&mut Columns, &mut RowBudget, &Payload<'_>, &[u8]) -> Result<(), Fault>,
    ) -> Progress {
        for (taken, row) in rows.iter().enumerate() {
            if self.is_full() {
                let stop = Stop::Full;
                return Progress { taken, stop };
            }
            let result = match row.body {
                Body::Bytes(bytes) if bytes.len() > self.budget.limits.row_bytes => Err(Fault::of_message(
                    0,
                    RowErrorKind::LimitExceeded("bytes in one message"),
                )),
                Body::Bytes(bytes) => self.take_body(row, bytes, &mut decode),
                Body::Tombstone => {
                    self.budget.end_rows(1, 0, 0);
                    self.columns.push_null_values().map_err(Fault::from)
                }
                Body::Refused(kind) => Err(Fault::of_message(0, kind)),
            };
            let stop = match result {
                Ok(()) => {
                    self.columns.end_row();
                    continue;
                }
                Err(fault) => self.refuse(fault, bad),
            };
            if let Some(stop) = stop {
                return Progress { taken, stop };
            }
        }
        done(rows.len())
    }

    #[inline]
    fn take_body(
        &mut self,
        row: &Payload<'_>,
        bytes: &[u8],
        decode: &mut impl FnMut(&mut Columns, &mut RowBudget, &Payload<'_>, &[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let is_first = self.len() == 0;
        let mut budget = self.budget.row(is_first);
        let mut result = decode(&mut self.columns, &mut budget, row, bytes);
        if result == Err(Fault::Full) && !is_first {
            // What the rows so far take was an estimate; now it is counted.
            self.columns.rollback();
            self.count();
            budget = self.budget.row(is_first);
            result = decode(&mut self.columns, &mut budget, row, bytes);
        }
        if result.is_ok() {
            self.budget.end_row(budget, bytes.len());
        }
        result
    }

    /// Ends `count` good rows that a block appended, from `body_bytes` of messages in all.
    pub(crate) fn end_good(&mut self, count: usize, charged_bytes: usize, body_bytes: usize) {
        self.budget.end_rows(count, charged_bytes, body_bytes);
        self.columns.end_rows(count);
    }

    /// Hands over all slots and starts anew.
    pub(crate) fn flush(&mut self) -> Result<Slots, FlushError> {
        let valid = self.take_valid();
        self.budget.count(0);
        Ok(Slots {
            batch: self.columns.finish()?,
            valid,
        })
    }

    fn take_valid(&mut self) -> Option<BooleanBuffer> {
        if self.valid.is_empty() {
            return None;
        }
        self.pad_valid(self.len());
        Some(self.valid.take())
    }

    fn pad_valid(&mut self, slots: usize) {
        while self.valid.len() < slots {
            self.valid.push_word(u64::MAX, (slots - self.valid.len()).min(64));
        }
    }

    /// Takes a row back; leaves a placeholder and reports it, or says why to stop before it.
    #[cold]
    fn refuse(&mut self, fault: Fault, bad: &mut dyn FnMut(RowError)) -> Option<Stop> {
        self.columns.rollback();
        let slot = self.len();
        let (byte_offset, path, kind) = match fault {
            Fault::NeedsSchema(key) => return Some(Stop::NeedsSchema(key)),
            Fault::Full | Fault::Overflow if slot > 0 => return Some(Stop::Full),
            // A row alone in its batch that is too large is too large for any.
            Fault::Full => (0, FieldPathId::ROOT, OverBudget::Batch.kind()),
            Fault::Overflow => (
                0,
                FieldPathId::ROOT,
                RowErrorKind::LimitExceeded("32-bit offsets of one column"),
            ),
            Fault::Row {
                byte_offset,
                path,
                kind,
            } => (byte_offset, path, kind),
        };
        if self.columns.push_null_values().is_err() {
            self.columns.rollback();
            return Some(Stop::Full);
        }
        self.columns.end_row();
        self.budget.end_rows(1, 0, 0);
        self.pad_valid(slot);
        self.valid.push(false);
        bad(RowError {
            slot: slot as u32,
            byte_offset: u32::try_from(byte_offset).unwrap_or(u32::MAX),
            path,
            kind,
        });
        None
    }
}

/// That many rows were taken, and nothing is in the way of the next.
pub(crate) const fn done(taken: usize) -> Progress {
    Progress {
        taken,
        stop: Stop::Done,
    }
}

/// What a slot takes in empty columns.
pub(crate) fn slot_bytes(columns: &mut Columns) -> usize {
    let held_bytes = columns.buffered_bytes();
    let has_row = columns.push_null_values().is_ok();
    let slot_bytes = columns.buffered_bytes() - held_bytes;
    columns.rollback();
    debug_assert!(has_row, "there is room for one row");
    slot_bytes
}
