//! Protobuf message indexes: which message of a schema file a payload is.
//!
//! A path stays in its encoded form, borrowed from the frame, and is checked once, when it is
//! parsed: whoever holds a [`MessagePath`] iterates without errors. The price is that iterating
//! decodes varints again; decoders do it once for each schema, not for each message.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::iter::FusedIterator;

use crate::MAX_MESSAGE_INDEXES;
use crate::PathError;
use crate::varint::{self, MAX_VARINT_BYTES, Varints};

/// The path to a message type in a protobuf file, as indexes from the top level inwards.
///
/// It borrows the varints of the frame, which were checked when the frame was split. Two paths are
/// equal if their indexes are, however they were encoded.
///
/// ```
/// use sabot_wire::MessagePath;
///
/// // Two indexes, 1 and 0: the first message within the second message of the file. `0x2a` is the body.
/// let (path, body) = MessagePath::split(&[0x04, 0x02, 0x00, 0x2a])?;
/// assert!(path.iter().eq([1, 0]));
/// assert_eq!(body, [0x2a]);
/// # Ok::<(), sabot_wire::PathError>(())
/// ```
#[derive(Clone, Copy)]
pub struct MessagePath<'a> {
    /// The indexes' varints without the count; empty stands for `[0]`, the first message.
    encoded: &'a [u8],
    varints: Varints,
}

impl MessagePath<'static> {
    /// The first message of the file, `[0]`; what every codec but protobuf uses.
    pub const FIRST: Self = Self {
        encoded: &[],
        varints: Varints::Zigzag,
    };
}

impl<'a> MessagePath<'a> {
    /// Reads the message indexes that `bytes` begin with, and returns what follows them too.
    ///
    /// They are a zigzag varint count, then as many zigzag varint indexes; a count of zero stands
    /// for `[0]`.
    ///
    /// # Errors
    ///
    /// See [`PathError`]: the indexes are missing, cut off, too many, negative, out of range, or
    /// overlong.
    #[inline]
    pub fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), PathError> {
        if let [0, rest @ ..] = bytes {
            return Ok((MessagePath::FIRST, rest));
        }
        split_checked(bytes, Varints::Zigzag)
    }

    /// Like [`MessagePath::split`], for the plain (unsigned) varints that old Python clients wrote.
    ///
    /// # Errors
    ///
    /// As [`MessagePath::split`]; nothing can be negative.
    pub fn split_plain_varints(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), PathError> {
        split_checked(bytes, Varints::Plain)
    }

    /// The indexes from the top level inwards: at least one, at most [`MAX_MESSAGE_INDEXES`].
    #[must_use]
    pub const fn iter(&self) -> MessageIndexes<'a> {
        let first = self.encoded.is_empty();
        let encoded = if first { &[0] } else { self.encoded };
        MessageIndexes {
            encoded,
            varints: self.varints,
        }
    }

    /// Whether this is `[0]`, the first message of the file.
    #[must_use]
    #[inline]
    pub const fn is_first(&self) -> bool {
        // Parsing turns every other spelling of `[0]` into this one.
        self.encoded.is_empty()
    }
}

impl PartialEq for MessagePath<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Overlong varints are refused, so that each index has one encoding.
        if self.varints == other.varints {
            self.encoded == other.encoded
        } else {
            self.iter().eq(other.iter())
        }
    }
}

impl Eq for MessagePath<'_> {}

impl Hash for MessagePath<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for index in self {
            state.write_u32(index);
        }
        // A prefix of another path must not hash alike when more fields follow. No index is as
        // large.
        state.write_u32(u32::MAX);
    }
}

impl fmt::Debug for MessagePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Display for MessagePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<'a> IntoIterator for MessagePath<'a> {
    type Item = u32;
    type IntoIter = MessageIndexes<'a>;

    fn into_iter(self) -> MessageIndexes<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &MessagePath<'a> {
    type Item = u32;
    type IntoIter = MessageIndexes<'a>;

    fn into_iter(self) -> MessageIndexes<'a> {
        self.iter()
    }
}

/// The indexes of a [`MessagePath`], from the top level inwards; made by [`MessagePath::iter`].
#[derive(Debug, Clone)]
pub struct MessageIndexes<'a> {
    encoded: &'a [u8],
    varints: Varints,
}

impl Iterator for MessageIndexes<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        // The varints were checked when the path was made, so that an error here means no more than
        // the end.
        let (index, rest) = self.varints.split_index(self.encoded).ok()?;
        self.encoded = rest;
        Some(index)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // Each varint has exactly one byte without the continuation bit.
        let count = self.encoded.iter().filter(|&&byte| byte < 0x80).count();
        (count, Some(count))
    }
}

impl ExactSizeIterator for MessageIndexes<'_> {}
impl FusedIterator for MessageIndexes<'_> {}

/// A path that owns its indexes, made from numbers: for writing frames, and for payloads whose
/// message is configured.
///
/// ```
/// use sabot_wire::MessagePathBuf;
///
/// let path = MessagePathBuf::new(&[2, 1])?;
/// assert!(path.as_path().iter().eq([2, 1]));
/// # Ok::<(), sabot_wire::PathError>(())
/// ```
#[derive(Clone)]
pub struct MessagePathBuf {
    encoded: [u8; MAX_MESSAGE_INDEXES * MAX_VARINT_BYTES],
    len_bytes: u8,
}

impl MessagePathBuf {
    /// Takes the indexes from the top level inwards; none at all stand for `[0]`, as they do on the
    /// wire.
    ///
    /// # Errors
    ///
    /// [`PathError::TooMany`] beyond [`MAX_MESSAGE_INDEXES`], [`PathError::OutOfRange`] beyond
    /// [`i32::MAX`].
    pub fn new(indexes: &[u32]) -> Result<Self, PathError> {
        if indexes.len() > MAX_MESSAGE_INDEXES {
            return Err(PathError::TooMany(
                u32::try_from(indexes.len()).unwrap_or(u32::MAX),
            ));
        }
        let mut path = Self {
            encoded: [0; MAX_MESSAGE_INDEXES * MAX_VARINT_BYTES],
            len_bytes: 0,
        };
        if indexes == [0] {
            return Ok(path);
        }
        let mut end = 0;
        for &index in indexes {
            if index > varint::MAX_INDEX {
                return Err(PathError::OutOfRange);
            }
            let varint = Varints::Zigzag.encode(index);
            path.encoded[end..end + varint.as_bytes().len()].copy_from_slice(varint.as_bytes());
            end += varint.as_bytes().len();
        }
        path.len_bytes = u8::try_from(end).expect("because 32 varints of 5 bytes at most are 160 bytes");
        Ok(path)
    }

    /// The path, borrowed.
    #[must_use]
    pub fn as_path(&self) -> MessagePath<'_> {
        MessagePath {
            encoded: &self.encoded[..usize::from(self.len_bytes)],
            varints: Varints::Zigzag,
        }
    }
}

impl From<MessagePath<'_>> for MessagePathBuf {
    fn from(path: MessagePath<'_>) -> Self {
        let mut indexes = [0; MAX_MESSAGE_INDEXES];
        let mut count = 0;
        for index in path {
            indexes[count] = index;
            count += 1;
        }
        Self::new(&indexes[..count]).expect("because a path's indexes were checked when it was made")
    }
}

impl PartialEq for MessagePathBuf {
    fn eq(&self, other: &Self) -> bool {
        self.as_path() == other.as_path()
    }
}

impl Eq for MessagePathBuf {}

impl Hash for MessagePathBuf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_path().hash(state);
    }
}

impl fmt::Debug for MessagePathBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_path(), f)
    }
}

impl fmt::Display for MessagePathBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_path(), f)
    }
}

/// Writes `path` as a frame carries it: the count and the indexes, or a lone zero byte for `[0]`.
pub(crate) fn write<E: Extend<u8>>(path: MessagePath<'_>, varints: Varints, out: &mut E) {
    if path.is_first() {
        out.extend([0]);
        return;
    }
    let indexes = path.iter();
    let count = u32::try_from(indexes.len()).expect("because a path has at most 32 indexes");
    out.extend(varints.encode(count).as_bytes().iter().copied());
    for index in indexes {
        out.extend(varints.encode(index).as_bytes().iter().copied());
    }
}

/// Reads a path that was not the lone zero byte.
fn split_checked(bytes: &[u8], varints: Varints) -> Result<(MessagePath<'_>, &[u8]), PathError> {
    if bytes.is_empty() {
        return Err(PathError::Missing);
    }
    let (count, indexes) = varints.split_count(bytes)?;
    if count as usize > MAX_MESSAGE_INDEXES {
        return Err(PathError::TooMany(count));
    }
    let mut rest = indexes;
    for _ in 0..count {
        (_, rest) = varints.split_index(rest)?;
    }
    let encoded = &indexes[..indexes.len() - rest.len()];
    let path = if encoded == [0] {
        MessagePath::FIRST
    } else {
        MessagePath { encoded, varints }
    };
    Ok((path, rest))
}
