//! Blocks of arrays and maps: how many items follow, and how many bytes they take.

use sabot_cursor::{Cursor, ReadError, ReadErrorKind};
use sabot_decode::RowErrorKind;

/// What is wrong with a row, and where in the body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) kind: RowErrorKind,
    pub(super) byte_offset: usize,
}

impl Failure {
    #[inline]
    pub(super) const fn new(kind: RowErrorKind, byte_offset: usize) -> Self {
        Self { kind, byte_offset }
    }
}

impl From<ReadError> for Failure {
    #[cold]
    fn from(error: ReadError) -> Self {
        let kind = match error.kind {
            ReadErrorKind::Truncated => RowErrorKind::Truncated,
            ReadErrorKind::VarintOverflow => RowErrorKind::VarintOverflow,
            ReadErrorKind::InvalidLength(length) => RowErrorKind::InvalidLength(length),
        };
        Self::new(kind, error.offset_bytes)
    }
}

/// Items that one row may still have, in all its arrays and maps together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items {
    pub(super) left: usize,
}

/// The head of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// Items in it; at least one.
    pub(super) count: usize,
    /// Bytes that they take, where the writer says so.
    pub(super) size_bytes: Option<usize>,
    /// Where its size was written.
    pub(super) size_at: usize,
}

/// Reads the head of the next block; `None` behind the last.
///
/// A count that cannot be true, since the items take `min_item_bytes` each, is refused before anything is done with it.
#[inline]
pub(super) fn read_block(
    cursor: &mut Cursor<'_>,
    items: &mut Items,
    min_item_bytes: u32,
) -> Result<Option<Block>, Failure> {
    let at = cursor.position();
    let written = cursor.read_long()?;
    if written == 0 {
        return Ok(None);
    }
    let size_at = cursor.position();
    let mut room = cursor.remaining();
    let mut size_bytes = None;
    if written < 0 {
        let size = cursor.read_long()?;
        room = cursor.remaining();
        let fits = usize::try_from(size).ok().filter(|size| *size <= room);
        room = fits.ok_or(Failure::new(RowErrorKind::InvalidLength(size), size_at))?;
        size_bytes = Some(room);
    }
    let count = written.unsigned_abs();
    // In 128 bits, since i64::MIN items of some bytes each are easily written.
    if u128::from(count) * u128::from(min_item_bytes) > room as u128 {
        return Err(Failure::new(RowErrorKind::InvalidLength(written), at));
    }
    let count = usize::try_from(count).ok().filter(|count| *count <= items.left);
    let count = count.ok_or(Failure::new(
        RowErrorKind::LimitExceeded("items in one message"),
        at,
    ))?;
    items.left -= count;
    Ok(Some(Block {
        count,
        size_bytes,
        size_at,
    }))
}
