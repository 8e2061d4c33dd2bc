//! A bounded byte cursor and the variable-length integers of the binary codecs.
//!
//! A [`Cursor`] never reads beyond its slice and never panics; what it cannot read is a small
//! `Copy` error that says where. The integers are kept apart from it, as functions from a slice to
//! a value and a length ([`varint`]), so that an engine which keeps many positions in one buffer
//! can use them without a cursor for each. The price of checking every read is a compare that is
//! always predicted. An [`Arena`] holds a block of messages, and [`Lanes`] read one value of all of
//! them at once.
//!
//! ```
//! use sabot_cursor::{Cursor, ReadErrorKind};
//!
//! let mut cursor = Cursor::new(&[0x04, b'h', b'i', 0x01]);
//! assert_eq!(cursor.read_sized()?, b"hi");
//! assert_eq!(cursor.read_long()?, -1);
//! assert_eq!(cursor.read_u8().unwrap_err().kind, ReadErrorKind::Truncated);
//! # Ok::<(), sabot_cursor::ReadError>(())
//! ```
mod arena;
mod cursor;
mod error;
mod lanes;
mod runs;
pub mod varint;

pub use arena::{ARENA_BYTES, Arena, Window};
pub use cursor::Cursor;
pub use error::{ReadError, ReadErrorKind};
pub use lanes::{IntEncoding, LANES, Lanes, PackedSpan, Presence, bits_of_bytes};
pub use runs::RUN;
