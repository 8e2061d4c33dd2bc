//! What can go wrong with a column, and what Arrow's constructors do not say by an error.

use arrow_schema::ArrowError;

/// A column's 32-bit offsets are used up. Flush, or refuse the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the 32-bit offsets of a column are used up")]
#[expect(clippy::exhaustive_structs, reason = "it says only that it happened")]
pub struct Overflow;

/// The constructors without a `Result` panic where validity and values differ in length; this says
/// it first.
pub(crate) fn check_len(what: &str, found: usize, expected: usize) -> Result<(), ArrowError> {
    if found == expected {
        return Ok(());
    }
    Err(ArrowError::InvalidArgumentError(format!(
        "{found} {what} in a column of {expected} rows"
    )))
}
