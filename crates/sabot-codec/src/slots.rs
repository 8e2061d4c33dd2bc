//! What every codec does with a payload before and after it reads the bytes.
//!
//! [`Slots`](sabot_decode::Slots) are counted, tombstones and refused payloads get theirs, a bad row is rolled back and
//! leaves a placeholder, limits fill the batch: all of that stands here once, so that a codec is a function from one
//! payload to one row. A codec that works on blocks of rows appends to [`SlotColumns::columns`] and calls
//! [`SlotColumns::end_good`] on its own, and leaves the bad rows to [`SlotColumns::take`].

use arrow_buffer::BooleanBuffer;
use sabot_decode::{
    Body, FieldPathId, FlushError, Limits, Payload, Progress, RowError, RowErrorKind, SchemaKey, Slots, Stop,
};

use sabot_columns::{Bits, Columns, Overflow};

/// Why a codec could not append a row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the ways to go on")]
pub enum Fault {
    /// The row is bad. Its slot is filled in by [`SlotColumns`].
    Row {
        /// Where in the body, in bytes from its start.
        byte_offset: usize,
        /// Which part of the schema was being read.
        path: FieldPathId,
        /// What is wrong.
        kind: RowErrorKind,
    },
    /// The payload's writer schema is not prepared.
    NeedsSchema(SchemaKey),
    /// A column's 32-bit offsets are used up.
    Overflow,
}

impl From<Overflow> for Fault {
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}

/// Columns with a slot for each payload, good or bad.
///
/// A codec for payloads of one byte:
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_schema::{DataType, Field, Schema};
/// use sabot_codec::{Fault, SlotColumns};
/// use sabot_columns::{Columns, Layout};
/// use sabot_decode::{Limits, FieldPathId, Payload, RowErrorKind};
///
/// let schema = Arc::new(Schema::new(vec![Field::new("byte", DataType::UInt8, false)]));
/// let columns = Columns::new(Arc::new(Layout::new(&schema)?));
/// let mut slots = SlotColumns::new(columns, Limits::default());
///
/// let mut bad = Vec::new();
/// let rows = [b"a".as_slice(), b"", b"c"].map(Payload::unframed);
/// slots.take(&rows, &mut |error| bad.push(error), |columns, _, body| {
///     let byte = body.first().ok_or(Fault::Row {
///         byte_offset: 0,
///         path: FieldPathId::ROOT,
///         kind: RowErrorKind::Truncated,
///     })?;
///     columns.u8s[0].push(*byte);
///     Ok(())
/// });
/// assert_eq!((bad.len(), bad[0].slot), (1, 1));
///
/// // Or many good rows at once.
/// slots.columns.u8s[0].extend(b"de");
/// slots.end_good(2, 2);
///
/// let flushed = slots.flush()?;
/// assert_eq!(flushed.batch.num_rows(), 5);
/// assert_eq!(flushed.valid.map(|valid| valid.count_set_bits()), Some(4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SlotColumns {
    /// The columns; a codec appends one value to every root node and leaves ending the row to [`SlotColumns::take`].
    pub columns: Columns,
    limits: Limits,
    /// A bit for each slot up to the last bad one; those behind it are good.
    valid: Bits,
    /// What a row adds to that at least, however short its payload: its nulls, or placeholders.
    row_bytes: usize,
    /// What the columns held when it was last counted, and what came in since then.
    counted_bytes: usize,
    uncounted_bytes: usize,
}

impl SlotColumns {
    /// Bytes of payload after which the columns' size is counted anew.
    const COUNT_EVERY_BYTES: usize = 64 << 10;
    /// The least of what a row is taken to add to that.
    const MIN_ROW_BYTES: usize = 64;

    /// No slots yet.
    #[must_use]
    pub fn new(mut columns: Columns, limits: Limits) -> Self {
        Self {
            row_bytes: Self::row_bytes_of(&mut columns),
            columns,
            limits,
            valid: Bits::default(),
            counted_bytes: 0,
            uncounted_bytes: 0,
        }
    }

    /// Goes on in `columns`, which are empty: where the schema is known only after some slots. These get placeholders.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the placeholders do not fit; nothing changes then.
    pub fn set_columns(&mut self, mut columns: Columns) -> Result<(), Overflow> {
        let row_bytes = Self::row_bytes_of(&mut columns);
        for _ in 0..self.slots() {
            columns.push_null_values()?;
            columns.end_row();
        }
        (self.columns, self.row_bytes) = (columns, row_bytes);
        self.uncounted_bytes = usize::MAX;
        Ok(())
    }

    /// Changes the limits from here on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Slots gathered.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.columns.rows()
    }

    /// Bytes held.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.columns.buffered_bytes() + self.valid.bytes()
    }

    /// Takes payloads in order, each into one slot; `decode` appends the row of one body.
    pub fn take(
        &mut self,
        rows: &[Payload<'_>],
        bad: &mut dyn FnMut(RowError),
        mut decode: impl FnMut(&mut Columns, &Payload<'_>, &[u8]) -> Result<(), Fault>,
    ) -> Progress {
        for (taken, row) in rows.iter().enumerate() {
            if self.is_full() {
                return Progress {
                    taken,
                    stop: Stop::Full,
                };
            }
            self.uncounted_bytes = self.uncounted_bytes.saturating_add(self.row_bytes);
            let result = match row.body {
                Body::Bytes(bytes) if bytes.len() > self.limits.row_bytes => {
                    Err(Self::fault(RowErrorKind::LimitExceeded("bytes in one message")))
                }
                Body::Bytes(bytes) => {
                    self.uncounted_bytes = self.uncounted_bytes.saturating_add(bytes.len());
                    decode(&mut self.columns, row, bytes)
                }
                Body::Tombstone => self.columns.push_null_values().map_err(Fault::from),
                Body::Refused(kind) => Err(Self::fault(kind)),
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
        Progress {
            taken: rows.len(),
            stop: Stop::Done,
        }
    }

    /// Ends `count` good rows that a codec appended by itself, from `body_bytes` bytes of payload in all.
    pub fn end_good(&mut self, count: usize, body_bytes: usize) {
        let uncounted_bytes = count.saturating_mul(self.row_bytes).saturating_add(body_bytes);
        self.uncounted_bytes = self.uncounted_bytes.saturating_add(uncounted_bytes);
        self.columns.end_rows(count);
    }

    /// Whether the batch is far enough from its limits for `count` rows from `body_bytes` bytes of payload at once: a
    /// column takes twice its bytes in the payload at most, apart from what every row takes.
    #[must_use]
    pub fn has_room(&self, count: usize, body_bytes: usize) -> bool {
        let more_bytes = count
            .saturating_mul(self.row_bytes)
            .saturating_add(body_bytes.saturating_mul(2));
        let held_bytes = self.counted_bytes.saturating_add(self.uncounted_bytes);
        let bytes = held_bytes
            .saturating_add(self.columns.unforeseen_bytes)
            .saturating_add(more_bytes);
        self.slots().saturating_add(count) <= self.limits.batch_rows && bytes <= self.limits.batch_bytes
    }

    /// Whether the batch is at one of its limits.
    pub fn is_full(&mut self) -> bool {
        let uncounted_bytes = self.uncounted_bytes.saturating_add(self.columns.unforeseen_bytes);
        if uncounted_bytes >= Self::COUNT_EVERY_BYTES.min(self.limits.batch_bytes / 4) {
            self.counted_bytes = self.buffered_bytes();
            (self.uncounted_bytes, self.columns.unforeseen_bytes) = (0, 0);
        }
        let is_over = self.counted_bytes >= self.limits.batch_bytes || self.slots() >= self.limits.batch_rows;
        is_over && self.slots() > 0
    }

    /// Hands over all slots and starts anew.
    ///
    /// # Errors
    ///
    /// [`FlushError`] for a codec's fault alone.
    pub fn flush(&mut self) -> Result<Slots, FlushError> {
        let slots = self.slots();
        let valid = self.take_valid(slots);
        (self.counted_bytes, self.uncounted_bytes) = (0, 0);
        Ok(Slots {
            batch: self.columns.finish()?,
            valid,
        })
    }

    fn row_bytes_of(columns: &mut Columns) -> usize {
        let empty_bytes = columns.buffered_bytes();
        let has_row = columns.push_null_values().is_ok();
        let row_bytes = columns.buffered_bytes() - empty_bytes;
        columns.rollback();
        debug_assert!(has_row, "there is room for one row");
        row_bytes.max(Self::MIN_ROW_BYTES)
    }

    fn take_valid(&mut self, slots: usize) -> Option<BooleanBuffer> {
        if self.valid.is_empty() {
            return None;
        }
        self.pad_valid(slots);
        Some(self.valid.take())
    }

    fn pad_valid(&mut self, slots: usize) {
        while self.valid.len() < slots {
            self.valid.push_word(u64::MAX, (slots - self.valid.len()).min(64));
        }
    }

    /// Undoes a row; leaves a placeholder and reports it, or says why to stop before it.
    #[cold]
    fn refuse(&mut self, fault: Fault, bad: &mut dyn FnMut(RowError)) -> Option<Stop> {
        self.columns.rollback();
        let slot = self.slots();
        let (byte_offset, path, kind) = match fault {
            Fault::NeedsSchema(key) => return Some(Stop::NeedsSchema(key)),
            Fault::Overflow if slot > 0 => return Some(Stop::Full),
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

    fn fault(kind: RowErrorKind) -> Fault {
        Fault::Row {
            byte_offset: 0,
            path: FieldPathId::ROOT,
            kind,
        }
    }
}
