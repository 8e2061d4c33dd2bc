//! What Arrow's constructors do not say by an error.

use arrow_schema::ArrowError;

/// The constructors without a `Result` panic where validity and values differ in length; this says it first.
pub(crate) fn check_len(what: &str, found: usize, expected: usize) -> Result<(), ArrowError> {
    if found == expected {
        return Ok(());
    }
    Err(ArrowError::InvalidArgumentError(format!(
        "{found} {what} in a column of {expected} rows"
    )))
}
