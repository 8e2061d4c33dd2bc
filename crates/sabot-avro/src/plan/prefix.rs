//! What comes before values, for reading and skipping: the heads of the blocks of arrays and maps
//! (how many items follow, how many bytes they take), and the byte that says whether a value is
//! null.

use sabot_codec::RowBudget;
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

/// The head of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct ItemBlock {
    /// Items in it; at least one.
    pub(super) count: usize,
    /// Bytes that they take, where the writer says so.
    pub(super) size_bytes: Option<usize>,
    /// Where its size was written.
    pub(super) size_at: usize,
}

/// Reads the head of the next block; `None` after the last.
///
/// A count that cannot be true, since the items take `min_item_bytes` each, is refused before
/// anything is done with it.
#[inline]
pub(super) fn read_block(
    cursor: &mut Cursor<'_>,
    budget: &mut RowBudget,
    min_item_bytes: u32,
) -> Result<Option<ItemBlock>, Failure> {
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
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    budget
        .take_items(count)
        .map_err(|over| Failure::new(over.kind(), at))?;
    Ok(Some(ItemBlock {
        count,
        size_bytes,
        size_at,
    }))
}

/// Whether a nullable value is there; `non_null_byte` is [`super::Op::non_null_byte`].
#[inline]
pub(super) fn read_presence(cursor: &mut Cursor<'_>, non_null_byte: u8) -> Result<bool, Failure> {
    let at = cursor.position();
    match cursor.rest().first() {
        Some(byte @ (0 | 2)) => {
            cursor.skip(1)?;
            Ok(*byte == non_null_byte)
        }
        // A longer index than necessary, or none that exists.
        _ => match cursor.read_long()? {
            index @ (0 | 1) => Ok(index as u8 * 2 == non_null_byte),
            index => Err(Failure::new(RowErrorKind::InvalidUnionIndex(index), at)),
        },
    }
}
