//! The ways in which a frame can be malformed.

use core::fmt;

/// Why a payload could not be split. Each malformed frame has a variant of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The payload is empty (and not null).
    Empty,
    /// The first byte is no magic byte that this framing knows.
    InvalidMagicByte(u8),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the payload is empty"),
            Self::InvalidMagicByte(byte) => write!(f, "invalid magic byte {byte:#04x}"),
        }
    }
}

impl core::error::Error for FrameError {}
