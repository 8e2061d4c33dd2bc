//! What a read can fail with.

use core::error::Error;
use core::fmt;

/// A value that could not be read. The cursor is where it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadError {
    /// What is wrong.
    pub kind: ReadErrorKind,
    /// Where the value begins, in bytes from the start of the cursor's slice.
    pub offset_bytes: usize,
}

/// The ways in which a read can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a codec maps every case to an error of its own"
)]
pub enum ReadErrorKind {
    /// The bytes end inside the value.
    Truncated,
    /// A variable-length integer is longer than its type allows, or does not fit it.
    VarintOverflow,
    /// A length is negative, or goes beyond the end.
    InvalidLength(i64),
}

impl ReadError {
    #[cold]
    pub(crate) fn new(kind: ReadErrorKind, offset_bytes: usize) -> Self {
        Self { kind, offset_bytes }
    }
}

impl fmt::Display for ReadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end inside a value"),
            Self::VarintOverflow => f.write_str("the variable-length integer does not fit its type"),
            Self::InvalidLength(length) => write!(f, "the length {length} is negative or exceeds the bytes"),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.offset_bytes)
    }
}

impl Error for ReadError {}
