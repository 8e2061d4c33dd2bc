//! What a batch, a block of rows, and a row may still take.
//!
//! A message's bytes say little about what it takes in the columns: a null of one byte may stand
//! for a kilobyte there, an item of no bytes for a default, and a decimal of few bytes for long
//! text. So what a row takes is *charged* before it is appended. Charges are estimates. Where they
//! come to the batch's limit, what the columns really hold is counted, and the batch goes on from
//! there: the estimate only says when to look.
//!
//! There is one count of bytes, the batch's [`Budget`]. A row's [`RowBudget`] and a block's
//! [`BlockBudget`] are loans from it: they know what is left when they are made, and what was
//! charged to them is added to the batch when their rows end. A row that is bad, or a block that is
//! taken back, costs the batch nothing.
//!
//! # Example
//!
//! A batch may take 1,000 bytes. Its columns held 700 when they were counted last, and rows that
//! came since were charged 180.
//!
//! 1. A row begins. It may still be charged 120 bytes, and its own limit is the larger of a row's
//!    and a batch's.
//! 2. It is charged 20 bytes for its fixed-size values, then 160 for 20 items of 8 bytes: that is
//!    more than 120, so [`OverBudget::Batch`].
//! 3. The row is taken back and the columns are counted. They hold 800, since the charges were too
//!    high by 80.
//! 4. The row begins again, with 200 bytes. Its 180 fit, and the batch now has 800 counted and 180
//!    charged. Had they not fitted, the batch would be full, and the row the first of the next one.

use sabot_columns::Columns;
use sabot_decode::{FieldPathId, Limits, RowErrorKind};

use crate::{BLOCK_ROWS, Fault};

/// What a batch holds, against its limits.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    /// What a slot takes at least, whatever its payload: its nulls, or placeholders.
    slot_bytes: usize,
    /// What the columns held when they were counted last.
    counted_bytes: usize,
    /// What was charged since then.
    charged_bytes: usize,
}

/// What one row may still take.
#[derive(Debug, Clone, Copy)]
pub struct RowBudget {
    items_left: usize,
    /// What was charged so far.
    bytes: usize,
    /// What may be charged to any row.
    row_limit_bytes: usize,
    /// What may be charged to this one for the batch's sake.
    batch_limit_bytes: usize,
}

/// What the rows of a block may still take.
#[derive(Debug)]
pub struct BlockBudget {
    items_left: [usize; BLOCK_ROWS],
    /// No more than the least of them.
    items_left_each: usize,
    /// What was charged to each row so far.
    bytes: [usize; BLOCK_ROWS],
    row_limit_bytes: usize,
    /// What all of them together may still be charged.
    bytes_left: usize,
}

/// What was charged is more than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all the limits that there are")]
pub enum OverBudget {
    /// More items than one message may have.
    Items,
    /// More bytes than one row may take in the columns.
    Row,
    /// More bytes than the batch can still take: the row is one for the next batch.
    Batch,
}

impl OverBudget {
    /// What is wrong with a row that no other batch has room for either.
    #[cold]
    #[must_use]
    pub const fn kind(self) -> RowErrorKind {
        RowErrorKind::LimitExceeded(match self {
            Self::Items => "items in one message",
            Self::Row => "bytes of one row in the columns",
            Self::Batch => "bytes in one batch",
        })
    }

    /// What to do with the row, where this was found `byte_offset` bytes from its start while
    /// `path` was read.
    #[cold]
    #[must_use]
    pub const fn at(self, byte_offset: usize, path: FieldPathId) -> Fault {
        match self {
            Self::Batch => Fault::Full,
            Self::Items | Self::Row => Fault::Row {
                byte_offset,
                path,
                kind: self.kind(),
            },
        }
    }
}

impl From<OverBudget> for Fault {
    #[cold]
    fn from(over: OverBudget) -> Self {
        over.at(0, FieldPathId::ROOT)
    }
}

impl RowBudget {
    /// For a row that may take whatever it takes, but for its items.
    #[must_use]
    pub const fn unlimited(items: usize) -> Self {
        Self {
            items_left: items,
            bytes: 0,
            row_limit_bytes: usize::MAX,
            batch_limit_bytes: usize::MAX,
        }
    }

    /// Items that the row may still have, in all its lists and maps together.
    #[inline]
    #[must_use]
    pub const fn items_left(&self) -> usize {
        self.items_left
    }

    /// Bytes that any row may be charged.
    #[inline]
    #[must_use]
    pub const fn row_limit_bytes(&self) -> usize {
        self.row_limit_bytes
    }

    /// Counts items.
    ///
    /// # Errors
    ///
    /// [`OverBudget::Items`], and nothing is counted.
    #[inline]
    pub fn take_items(&mut self, count: usize) -> Result<(), OverBudget> {
        self.items_left = self.items_left.checked_sub(count).ok_or(OverBudget::Items)?;
        Ok(())
    }

    /// Charges what every row of a plan takes. The row's own limit has no say in it: no row could
    /// be taken otherwise.
    #[inline]
    pub(crate) fn begin(&mut self, row_bytes: usize) -> Result<(), OverBudget> {
        self.bytes = row_bytes;
        match row_bytes > self.batch_limit_bytes {
            true => Err(OverBudget::Batch),
            false => Ok(()),
        }
    }

    /// Charges bytes whatever the limits say: those that another limit bounds. The batch may go
    /// beyond its own by them.
    #[inline]
    pub fn charge_anyway(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Charges bytes that the row takes in the columns beyond those of its message.
    ///
    /// # Errors
    ///
    /// [`OverBudget::Row`] or [`OverBudget::Batch`]; the row is to be taken back then.
    #[inline]
    pub fn charge(&mut self, bytes: usize) -> Result<(), OverBudget> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.row_limit_bytes {
            return Err(OverBudget::Row);
        }
        if self.bytes > self.batch_limit_bytes {
            return Err(OverBudget::Batch);
        }
        Ok(())
    }
}

impl BlockBudget {
    /// For no rows. It is kept from block to block, since it is too large to be moved for each.
    pub(crate) const fn new() -> Self {
        Self {
            items_left: [0; BLOCK_ROWS],
            items_left_each: 0,
            bytes: [0; BLOCK_ROWS],
            row_limit_bytes: 0,
            bytes_left: 0,
        }
    }

    /// What one row may still take. [`BlockBudget::put_row`] gives it back.
    #[inline]
    #[must_use]
    pub const fn row(&self, row: usize) -> RowBudget {
        RowBudget {
            items_left: self.items_left[row],
            bytes: self.bytes[row],
            row_limit_bytes: self.row_limit_bytes,
            batch_limit_bytes: self.bytes[row].saturating_add(self.bytes_left),
        }
    }

    /// Keeps what was charged to a row.
    #[inline]
    pub fn put_row(&mut self, row: usize, budget: RowBudget) {
        self.bytes_left = self.bytes_left.saturating_sub(budget.bytes - self.bytes[row]);
        self.bytes[row] = budget.bytes;
        self.items_left[row] = budget.items_left;
        self.items_left_each = self.items_left_each.min(budget.items_left);
    }

    /// Whether the items of a list of each row, `total` in all, are surely within every limit; each
    /// takes `item_bytes`. Nearly always they are, so that no row has to be looked at by itself.
    #[inline]
    #[must_use]
    pub const fn has_room(&self, total: usize, item_bytes: usize) -> bool {
        total <= self.items_left_each && total.saturating_mul(item_bytes) <= self.bytes_left
    }

    /// Charges the items of lists for which there [is room](BlockBudget::has_room): `lists` are
    /// rows and their counts.
    #[inline]
    pub fn take_lists(&mut self, total: usize, item_bytes: usize, lists: impl Iterator<Item = (u8, u32)>) {
        self.items_left_each -= total;
        self.bytes_left -= total * item_bytes;
        for (row, count) in lists {
            let row = usize::from(row) % BLOCK_ROWS;
            self.items_left[row] -= count as usize;
            self.bytes[row] += count as usize * item_bytes;
        }
    }

    /// Charges the items of one row's list, if all of them are within the limits.
    #[must_use]
    pub fn try_list(&mut self, row: usize, count: usize, item_bytes: usize) -> bool {
        let mut budget = self.row(row);
        let bytes = count.saturating_mul(item_bytes);
        let is_taken = budget.take_items(count).is_ok() && budget.charge(bytes).is_ok();
        if is_taken {
            self.put_row(row, budget);
        }
        is_taken
    }

    /// The items that each row may still have. [`BlockBudget::set_items`] gives those back that
    /// were only skipped.
    #[must_use]
    pub const fn items(&self) -> ([usize; BLOCK_ROWS], usize) {
        (self.items_left, self.items_left_each)
    }

    /// Goes back to what each row might have before.
    pub fn set_items(&mut self, (items_left, items_left_each): ([usize; BLOCK_ROWS], usize)) {
        (self.items_left, self.items_left_each) = (items_left, items_left_each);
    }

    /// What was charged to the first `rows`.
    pub(crate) fn charged_bytes(&self, rows: usize) -> usize {
        self.bytes[..rows].iter().sum()
    }
}

impl Budget {
    /// Charged bytes after which the columns are counted.
    const COUNT_EVERY_BYTES: usize = 64 << 10;
    /// The least of what a slot is charged.
    const MIN_SLOT_BYTES: usize = 64;

    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            slot_bytes: Self::MIN_SLOT_BYTES,
            counted_bytes: 0,
            charged_bytes: 0,
        }
    }

    /// Goes on with other columns, in which a slot takes so many bytes at least.
    pub(crate) fn set_slot_bytes(&mut self, slot_bytes: usize) {
        self.slot_bytes = slot_bytes.max(Self::MIN_SLOT_BYTES);
    }

    /// Counts what the columns hold.
    pub(crate) fn count(&mut self, held_bytes: usize) {
        (self.counted_bytes, self.charged_bytes) = (held_bytes, 0);
    }

    /// Whether the batch of `columns` is at one of its limits.
    pub(crate) fn is_full(&mut self, columns: &Columns, more_bytes: impl Fn() -> usize) -> bool {
        if self.charged_bytes >= Self::COUNT_EVERY_BYTES.min(self.limits.batch_bytes / 4) {
            self.count(columns.buffered_bytes() + more_bytes());
        }
        let is_over =
            self.counted_bytes >= self.limits.batch_bytes || columns.rows() >= self.limits.batch_rows;
        is_over && columns.rows() > 0
    }

    /// Whether the batch is far enough from its limit of bytes for `rows` more with `body_bytes` in
    /// all: a column takes twice its bytes in a message at most, apart from what every row takes.
    pub(crate) fn has_room(&self, rows: usize, body_bytes: usize) -> bool {
        let more_bytes = rows
            .saturating_mul(self.slot_bytes)
            .saturating_add(body_bytes.saturating_mul(2));
        more_bytes <= self.bytes_left()
    }

    /// A row's loan. A row that is `first` in its batch is taken whatever it takes, within its own
    /// limit.
    #[inline]
    pub(crate) fn row(&self, is_first: bool) -> RowBudget {
        RowBudget {
            items_left: self.limits.row_items,
            bytes: 0,
            row_limit_bytes: self.row_limit_bytes(),
            batch_limit_bytes: if is_first { usize::MAX } else { self.bytes_left() },
        }
    }

    /// A block's loan, of so many `rows`; `charge` says what each is charged to begin with. `false`
    /// if that is too much already.
    pub(crate) fn lend(
        &self,
        block: &mut BlockBudget,
        rows: usize,
        charge: impl FnOnce(&mut [usize; BLOCK_ROWS]),
    ) -> bool {
        charge(&mut block.bytes);
        let taken_bytes: usize = block.bytes[..rows].iter().sum();
        block.items_left.fill(self.limits.row_items);
        block.items_left_each = self.limits.row_items;
        block.row_limit_bytes = self.row_limit_bytes();
        let bytes_left = self.bytes_left().checked_sub(taken_bytes);
        block.bytes_left = bytes_left.unwrap_or(0);
        bytes_left.is_some()
    }

    /// Ends a row: adds what was charged to it, and the bytes of its message.
    #[inline]
    pub(crate) fn end_row(&mut self, row: RowBudget, body_bytes: usize) {
        self.end_rows(1, row.bytes, body_bytes);
    }

    /// Ends rows that were charged so many bytes together.
    #[inline]
    pub(crate) fn end_rows(&mut self, rows: usize, charged_bytes: usize, body_bytes: usize) {
        let bytes = charged_bytes.max(rows.saturating_mul(self.slot_bytes));
        self.charged_bytes = self
            .charged_bytes
            .saturating_add(bytes)
            .saturating_add(body_bytes);
    }

    const fn bytes_left(&self) -> usize {
        let held_bytes = self.counted_bytes.saturating_add(self.charged_bytes);
        self.limits.batch_bytes.saturating_sub(held_bytes)
    }

    fn row_limit_bytes(&self) -> usize {
        self.limits.batch_bytes.max(self.limits.row_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(counted_bytes: usize, charged_bytes: usize) -> Budget {
        let mut limits = Limits::default();
        (limits.batch_bytes, limits.row_bytes, limits.row_items) = (1000, 500, 30);
        let mut budget = Budget::new(limits);
        budget.count(counted_bytes);
        budget.end_rows(0, charged_bytes, 0);
        budget
    }

    /// The example that the module opens with.
    #[test]
    fn a_row_that_fits_once_the_columns_are_counted() {
        let mut budget = budget(700, 180);
        let charge = |budget: &Budget| {
            let mut row = budget.row(false);
            row.begin(20)?;
            row.take_items(20)?;
            row.charge(20 * 8)?;
            Ok(row)
        };
        assert_eq!(charge(&budget).err(), Some(OverBudget::Batch));
        budget.count(800);
        let row = charge(&budget).unwrap();
        budget.end_row(row, 0);
        assert_eq!(budget.bytes_left(), 1000 - 800 - 180);
    }

    #[test]
    fn limits_of_a_row() {
        use OverBudget::{Batch, Items, Row};
        // Whether the row is the first of its batch, its items, what is charged, and what is over.
        for (is_first, items, bytes, over) in [
            (false, 30, 300, None),
            (false, 31, 0, Some(Items)),
            (false, 0, 301, Some(Batch)),
            (true, 0, 301, None),
            (true, 0, 1000, None),
            (true, 0, 1001, Some(Row)),
            (false, 0, 1001, Some(Row)),
        ] {
            let mut row = budget(700, 0).row(is_first);
            let charged = row.take_items(items).and_then(|()| row.charge(bytes));
            assert_eq!(charged.err(), over, "{is_first} {items} {bytes}");
        }
    }

    #[test]
    fn a_block_shares_what_is_left() {
        let mut block = BlockBudget::new();
        assert!(budget(700, 0).lend(&mut block, 3, |bytes| bytes.fill(50)));
        // Rows and their lists in turn; each item takes 10 bytes, and 150 are left for all.
        for (row, count, is_taken) in [
            (0, 31, false),
            (0, 10, true),
            (1, 6, false),
            (1, 5, true),
            (2, 1, false),
        ] {
            assert_eq!(block.try_list(row, count, 10), is_taken, "{row} {count}");
        }
        assert_eq!((block.charged_bytes(1), block.charged_bytes(3)), (150, 300));
        assert_eq!(block.row(0).items_left(), 20);
        // Three rows of 101 bytes are too much for the 300 that are left.
        assert!(!budget(700, 0).lend(&mut block, 3, |bytes| bytes.fill(101)));
    }
}
