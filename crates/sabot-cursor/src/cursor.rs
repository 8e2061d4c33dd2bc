//! A position that moves through a slice, and all that a binary codec reads there.

use crate::{ReadError, ReadErrorKind, varint};

/// A position in a slice. Every read is checked, and a read that fails does not move.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Stands at the start of `bytes`.
    #[inline]
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    #[inline]
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Bytes not yet read.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// What is not yet read.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Reads one byte.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] at the end.
    #[inline]
    pub fn read_u8(&mut self) -> Result<u8, ReadError> {
        let byte = *self
            .bytes
            .get(self.at)
            .ok_or_else(|| self.error(ReadErrorKind::Truncated))?;
        self.at += 1;
        Ok(byte)
    }

    /// Reads `N` bytes.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if fewer are left.
    #[inline]
    pub fn read_array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let array = *self
            .rest()
            .first_chunk::<N>()
            .ok_or_else(|| self.error(ReadErrorKind::Truncated))?;
        self.at += N;
        Ok(array)
    }

    /// Reads `len` bytes without copying them.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if fewer are left.
    #[inline]
    pub fn read_slice(&mut self, len: usize) -> Result<&'a [u8], ReadError> {
        let slice = self
            .rest()
            .get(..len)
            .ok_or_else(|| self.error(ReadErrorKind::Truncated))?;
        self.at += len;
        Ok(slice)
    }

    /// Steps over `len` bytes.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if fewer are left.
    #[inline]
    pub fn skip(&mut self, len: usize) -> Result<(), ReadError> {
        self.read_slice(len).map(|_| ())
    }

    /// Reads an IEEE 754 single, little-endian.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if fewer than 4 bytes are left.
    #[inline]
    pub fn read_f32(&mut self) -> Result<f32, ReadError> {
        self.read_array().map(f32::from_le_bytes)
    }

    /// Reads an IEEE 754 double, little-endian.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if fewer than 8 bytes are left.
    #[inline]
    pub fn read_f64(&mut self) -> Result<f64, ReadError> {
        self.read_array().map(f64::from_le_bytes)
    }

    /// Reads an unsigned 64-bit varint.
    ///
    /// # Errors
    ///
    /// As [`varint::read_u64`].
    #[inline]
    pub fn read_varint(&mut self) -> Result<u64, ReadError> {
        let (value, len) = varint::read_u64(self.rest()).map_err(|kind| self.error(kind))?;
        self.at += len;
        Ok(value)
    }

    /// Reads a zigzag 32-bit varint: Avro's int, Protobuf's sint32.
    ///
    /// # Errors
    ///
    /// As [`varint::read_u32`].
    #[inline]
    pub fn read_int(&mut self) -> Result<i32, ReadError> {
        let (value, len) = varint::read_u32(self.rest()).map_err(|kind| self.error(kind))?;
        self.at += len;
        Ok(varint::unzigzag_32(value))
    }

    /// Reads a zigzag 64-bit varint: Avro's long, Protobuf's sint64.
    ///
    /// # Errors
    ///
    /// As [`varint::read_u64`].
    #[inline]
    pub fn read_long(&mut self) -> Result<i64, ReadError> {
        self.read_varint().map(varint::unzigzag_64)
    }

    /// Reads a zigzag length and as many bytes, without copying them: Avro's bytes and string.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::InvalidLength`] if the length is negative or beyond the end; as
    /// [`varint::read_u64`] otherwise.
    #[inline]
    pub fn read_sized(&mut self) -> Result<&'a [u8], ReadError> {
        let (length, prefix) = varint::read_u64(self.rest()).map_err(|kind| self.error(kind))?;
        let length = varint::unzigzag_64(length);
        let slice = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest()[prefix..].get(..length));
        let slice = slice.ok_or_else(|| self.error(ReadErrorKind::InvalidLength(length)))?;
        self.at += prefix + slice.len();
        Ok(slice)
    }

    #[cold]
    fn error(&self, kind: ReadErrorKind) -> ReadError {
        ReadError::new(kind, self.at)
    }
}
