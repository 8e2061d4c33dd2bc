//! Columns of byte strings: with offsets, as views, or of fixed size.
//!
//! Whether they are UTF-8 is checked by who appends, since only there a fault has a row. Strings
//! that were not appended by [`VarBytes::extend_text`], which checks many at once, are checked once
//! more when the column is taken.

use arrow_array::builder::make_view;
use arrow_array::types::ByteArrayType;
use arrow_array::{GenericByteArray, OffsetSizeTrait};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};

use crate::Overflow;
use crate::check::check_len;
use crate::pool::BufferPool;

/// Where a string is in a buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a start and a length and nothing else")]
pub struct Span {
    /// Its first byte.
    pub start: u32,
    /// Its bytes.
    pub len: u32,
}

impl Span {
    /// Bytes from the start of a string on that are best copied all, however short it is.
    pub const ROOM_BYTES: usize = 32;

    /// The string in `source`.
    ///
    /// # Panics
    ///
    /// If it goes beyond it.
    #[inline]
    #[must_use]
    pub fn of(self, source: &[u8]) -> &[u8] {
        &source[self.start as usize..][..self.len as usize]
    }
}

/// Bytes below which strings are copied in one move of a vector register.
const SHORTEST_BYTES: usize = 16;

/// Byte strings one after another, with `i32` (Utf8, Binary) or `i64` offsets (LargeUtf8,
/// LargeBinary).
#[derive(Debug)]
pub struct VarBytes<O> {
    /// `offsets[n]` is where string `n` begins; one more than there are strings.
    offsets: Vec<O>,
    data: Vec<u8>,
    /// Whether all strings are known to be UTF-8.
    is_checked: bool,
}

impl<O: OffsetSizeTrait> Default for VarBytes<O> {
    fn default() -> Self {
        Self {
            offsets: vec![O::default()],
            data: Vec::new(),
            is_checked: true,
        }
    }
}

impl<O: OffsetSizeTrait> VarBytes<O> {
    /// Strings held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends one string. For a UTF-8 column the caller has checked it.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the offsets cannot address it; nothing is appended then.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Overflow> {
        self.is_checked = false;
        let end = O::from_usize(self.data.len() + bytes.len()).ok_or(Overflow)?;
        self.data.extend_from_slice(bytes);
        self.offsets.push(end);
        Ok(())
    }

    /// The strings from `row` on, back to back, and the offsets that part them: for checks of many
    /// strings at once.
    ///
    /// ```
    /// let mut strings = sabot_columns::VarBytes::<i32>::default();
    /// for string in [b"a".as_slice(), b"bc", b"d"] {
    ///     strings.push(string)?;
    /// }
    /// assert_eq!(strings.tail(1), (b"bcd".as_slice(), [1, 3, 4].as_slice()));
    /// # Ok::<(), sabot_columns::Overflow>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer strings than `row`.
    #[must_use]
    pub fn tail(&self, row: usize) -> (&[u8], &[O]) {
        let start = self.offsets[row].as_usize();
        (&self.data[start..], &self.offsets[row..])
    }

    /// Appends a block of strings that are in `source`, and says whether all of them are UTF-8. If
    /// they have to be and are not, the caller truncates.
    ///
    /// ```
    /// use sabot_columns::{Span, VarBytes};
    ///
    /// let mut strings = VarBytes::<i32>::default();
    /// let of = |start, len| Span { start, len };
    /// assert!(strings.extend_text("größer".as_bytes(), &[of(0, 2), of(2, 2)])?);
    /// // Half an `ö`.
    /// assert!(!strings.extend_text("größer".as_bytes(), &[of(0, 3)])?);
    /// strings.truncate(2);
    /// assert_eq!(strings.tail(0), ("grö".as_bytes(), [0, 2, 4].as_slice()));
    /// # Ok::<(), sabot_columns::Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`VarBytes::extend_spans`].
    ///
    /// # Panics
    ///
    /// As [`VarBytes::extend_spans`].
    pub fn extend_text(&mut self, source: &[u8], spans: &[Span]) -> Result<bool, Overflow> {
        let (len, is_checked) = (self.len(), self.is_checked);
        self.extend_spans(source, spans)?;
        let is_text = self.is_utf8_from(len);
        self.is_checked = is_checked && is_text;
        Ok(is_text)
    }

    /// Appends a block of strings that are in `source`.
    ///
    /// Short strings are copied with what comes after them, in one move of a fixed size, wherever
    /// `source` has [`Span::ROOM_BYTES`] from their start on.
    ///
    /// ```
    /// use sabot_columns::{Span, VarBytes};
    ///
    /// let mut strings = VarBytes::<i32>::default();
    /// let spans = [Span { start: 4, len: 3 }, Span { start: 0, len: 3 }];
    /// strings.extend_spans(b"one two", &spans)?;
    /// assert_eq!(strings.tail(0), (b"twoone".as_slice(), [0, 3, 6].as_slice()));
    /// # Ok::<(), sabot_columns::Overflow>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the offsets cannot address them; nothing is appended then.
    ///
    /// # Panics
    ///
    /// If a span goes beyond `source`.
    pub fn extend_spans(&mut self, source: &[u8], spans: &[Span]) -> Result<(), Overflow> {
        self.is_checked = false;
        let start = self.data.len();
        // All bits that occur, which is no less than the most: a maximum takes three times as long.
        let (mut total, mut lens, mut starts) = (0, 0, 0);
        for span in spans {
            total += span.len as usize;
            lens |= span.len;
            starts |= span.start;
        }
        O::from_usize(start + total).ok_or(Overflow)?;
        let has_room = starts as usize + Span::ROOM_BYTES <= source.len();
        let longest = lens as usize;
        if has_room && longest < Span::ROOM_BYTES {
            #[expect(unsafe_code, reason = "checking the places of each string doubles its cost")]
            // SAFETY: 1. No string is longer than all bits of all lengths together say, which is
            // fewer than the room. 2. None begins later than all bits of all starts say, and from
            // there on the source has the room. 3. The total was summed up above.
            unsafe {
                if longest < SHORTEST_BYTES {
                    self.extend_short::<SHORTEST_BYTES>(source, spans, total);
                } else {
                    self.extend_short::<{ Span::ROOM_BYTES }>(source, spans, total);
                }
            }
        } else {
            for span in spans {
                self.data.extend_from_slice(span.of(source));
                self.offsets.push(O::usize_as(self.data.len()));
            }
        }
        Ok(())
    }

    /// Appends strings.
    ///
    /// # Safety
    ///
    /// All of them have fewer than `ROOM` bytes, and `total` bytes together; from each start on
    /// `source` has `ROOM` bytes.
    #[inline]
    #[expect(unsafe_code, reason = "checking the places of each string doubles its cost")]
    unsafe fn extend_short<const ROOM: usize>(&mut self, source: &[u8], spans: &[Span], total: usize) {
        let start = self.data.len();
        self.data.reserve(total + ROOM);
        let room = &mut self.data.spare_capacity_mut()[..total + ROOM];
        let mut at = 0;
        self.offsets.extend(spans.iter().map(|span| {
            // SAFETY: 1. The source has the room from every start on, as the caller says.
            // 2. `at` is the sum of the lengths before this one, `total` at most, and `room` has as
            // many bytes more than that as are copied. 3. A source that is borrowed does not
            // overlap with the room.
            unsafe {
                let from = source.as_ptr().add(span.start as usize);
                let to = room.as_mut_ptr().cast::<u8>().add(at);
                std::ptr::copy_nonoverlapping(from, to, ROOM);
            }
            at += span.len as usize;
            O::usize_as(start + at)
        }));
        debug_assert_eq!(at, total, "the lengths make up the total");
        #[expect(unsafe_code, reason = "the bytes are written already")]
        // SAFETY: 1. The bytes after the old length were reserved above. 2. `total` of them were
        // written, string after string without a gap.
        unsafe {
            self.data.set_len(start + total);
        }
    }

    /// Whether all strings from `row` on are UTF-8, each by itself.
    fn is_utf8_from(&self, row: usize) -> bool {
        let (text, offsets) = self.tail(row);
        if text.is_ascii() {
            return true;
        }
        let start = offsets[0].as_usize();
        simdutf8::basic::from_utf8(text).is_ok_and(|text| {
            let ends = offsets.iter().map(|offset| offset.as_usize() - start);
            ends.into_iter().all(|end| text.is_char_boundary(end))
        })
    }

    /// Drops every string from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.offsets.truncate(len + 1);
            self.data.truncate(self.offsets[len].as_usize());
        }
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.len() + size_of_val(self.offsets.as_slice())
    }

    /// Takes the strings out and leaves room for as many again.
    ///
    /// # Errors
    ///
    /// [`ArrowError`] where `nulls` has another length than the column.
    pub fn take<T: ByteArrayType<Offset = O>>(
        &mut self,
        nulls: Option<NullBuffer>,
    ) -> Result<GenericByteArray<T>, ArrowError> {
        self.take_with(nulls, &mut BufferPool::default())
    }

    pub(crate) fn take_with<T: ByteArrayType<Offset = O>>(
        &mut self,
        nulls: Option<NullBuffer>,
        pool: &mut BufferPool,
    ) -> Result<GenericByteArray<T>, ArrowError> {
        let is_text = matches!(T::DATA_TYPE, DataType::Utf8 | DataType::LargeUtf8);
        if is_text && !self.is_checked && !self.is_utf8_from(0) {
            return Err(ArrowError::InvalidArgumentError("a string is not UTF-8".into()));
        }
        check_len(
            "validity bits",
            nulls.as_ref().map_or(self.len(), NullBuffer::len),
            self.len(),
        )?;
        let end = self.offsets.last().map_or(0, |end| end.as_usize());
        check_len("bytes of strings", self.data.len(), end)?;
        self.is_checked = true;
        let offsets = pool.take(&mut self.offsets);
        self.offsets.push(O::default());
        let data = pool.take(&mut self.data);
        #[expect(unsafe_code, reason = "checking all again takes 6 % of short strings' time")]
        // SAFETY: 1. The offsets begin with 0 and never fall: only `push` and `extend_spans` append
        // to them, each the length of the data at that time, and only `truncate` drops any, from
        // both. 2. That they end where the data ends was checked above. 3. There is one more of
        // them than there are strings, as many as validity bits. 4. Text was found to be UTF-8
        // string by string, when it was appended or above.
        unsafe {
            let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets));
            Ok(GenericByteArray::new_unchecked(offsets, data, nulls))
        }
    }
}

/// Byte strings as Arrow views (Utf8View, BinaryView): up to 12 bytes are in the view itself.
#[derive(Debug, Default)]
pub struct Views {
    views: Vec<u128>,
    data: Vec<u8>,
}

impl Views {
    /// Bytes that fit into the view itself.
    const INLINE_BYTES: u32 = 12;

    /// Strings held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// Appends one string. For a UTF-8 column the caller has checked it.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if a view cannot address it; nothing is appended then.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Overflow> {
        let start = i32::try_from(self.data.len()).map_err(|_| Overflow)?;
        let len = i32::try_from(bytes.len()).map_err(|_| Overflow)?;
        if len as u32 > Self::INLINE_BYTES {
            start.checked_add(len).ok_or(Overflow)?;
            self.data.extend_from_slice(bytes);
        }
        self.views.push(make_view(bytes, 0, start as u32));
        Ok(())
    }

    /// Drops every string from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.views.len() {
            return;
        }
        // The first long string among those dropped began where the data ended at that time.
        if let Some(view) = self.views[len..]
            .iter()
            .find(|view| **view as u32 > Self::INLINE_BYTES)
        {
            self.data.truncate((view >> 96) as usize);
        }
        self.views.truncate(len);
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.len() + size_of_val(self.views.as_slice())
    }

    pub(crate) fn take(&mut self, pool: &mut BufferPool) -> (ScalarBuffer<u128>, Vec<Buffer>) {
        let views = pool.take(&mut self.views);
        let data = pool.take(&mut self.data);
        let data = if data.is_empty() { Vec::new() } else { vec![data] };
        (ScalarBuffer::from(views), data)
    }
}

/// Byte strings of one size (FixedSizeBinary).
#[derive(Debug)]
pub struct FixedBytes {
    width: usize,
    len: usize,
    data: Vec<u8>,
}

impl FixedBytes {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            len: 0,
            data: Vec::new(),
        }
    }

    /// Bytes of each string.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Strings held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends one string.
    ///
    /// # Panics
    ///
    /// If it has not the column's width.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        assert_eq!(
            bytes.len(),
            self.width,
            "a fixed-size string has the width of its column"
        );
        self.data.extend_from_slice(bytes);
        self.len += 1;
    }

    /// Appends one string of zeros.
    pub fn push_zeros(&mut self) {
        self.grow(self.len + 1);
    }

    /// Appends strings of zeros until there are `len`.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use arrow_schema::{DataType, Field, Schema};
    /// # use sabot_columns::{Columns, Layout};
    /// # let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::FixedSizeBinary(2), false)]));
    /// let mut columns = Columns::new(Arc::new(Layout::new(&schema)?));
    /// let ids = &mut columns.fixed[0];
    /// ids.push(b"ab");
    /// ids.grow(3);
    /// assert_eq!((ids.len(), ids.bytes()), (3, 6));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            self.data.resize(len * self.width, 0);
            self.len = len;
        }
    }

    /// Changes one string.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use arrow_array::cast::AsArray;
    /// # use arrow_schema::{DataType, Field, Schema};
    /// # use sabot_columns::{Columns, Layout};
    /// # let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::FixedSizeBinary(2), false)]));
    /// let mut columns = Columns::new(Arc::new(Layout::new(&schema)?));
    /// columns.fixed[0].grow(2);
    /// columns.fixed[0].set(1, b"ab");
    /// columns.end_rows(2);
    /// let batch = columns.finish()?;
    /// assert_eq!(batch["id"].as_fixed_size_binary().value(0), [0, 0]);
    /// assert_eq!(batch["id"].as_fixed_size_binary().value(1), b"ab");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such string, or `bytes` has not the column's width.
    #[inline]
    pub fn set(&mut self, at: usize, bytes: &[u8]) {
        self.data[at * self.width..][..self.width].copy_from_slice(bytes);
    }

    /// Appends the strings that lie in `source`; where a span has another length than the column's
    /// width, zeros.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use arrow_array::cast::AsArray;
    /// # use arrow_schema::{DataType, Field, Schema};
    /// # use sabot_columns::{Columns, Layout, Span};
    /// # let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::FixedSizeBinary(2), false)]));
    /// let mut columns = Columns::new(Arc::new(Layout::new(&schema)?));
    /// columns.fixed[0].extend_spans(b"abcd", &[Span { start: 1, len: 2 }, Span { start: 3, len: 0 }]);
    /// columns.end_rows(2);
    /// let batch = columns.finish()?;
    /// assert_eq!(batch["id"].as_fixed_size_binary().value(0), b"bc");
    /// assert_eq!(batch["id"].as_fixed_size_binary().value(1), [0, 0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If a span goes beyond `source`.
    pub fn extend_spans(&mut self, source: &[u8], spans: &[Span]) {
        // A copy of a length that the compiler knows is a move or two; of any other length it is a
        // call.
        match self.width {
            4 => self.extend_arrays::<4>(source, spans),
            8 => self.extend_arrays::<8>(source, spans),
            12 => self.extend_arrays::<12>(source, spans),
            16 => self.extend_arrays::<16>(source, spans),
            20 => self.extend_arrays::<20>(source, spans),
            32 => self.extend_arrays::<32>(source, spans),
            width => {
                for span in spans {
                    let end = self.data.len() + width;
                    if span.len as usize == width {
                        self.data.extend_from_slice(span.of(source));
                    }
                    self.data.resize(end, 0);
                }
            }
        }
        self.len += spans.len();
    }

    #[inline]
    fn extend_arrays<const WIDTH: usize>(&mut self, source: &[u8], spans: &[Span]) {
        let start = self.data.len();
        self.data.resize(start + WIDTH * spans.len(), 0);
        let (strings, _) = self.data[start..].as_chunks_mut::<WIDTH>();
        for (string, span) in strings.iter_mut().zip(spans) {
            if span.len as usize == WIDTH {
                string.copy_from_slice(span.of(source));
            }
        }
    }

    /// Appends strings that lie back to back.
    ///
    /// # Panics
    ///
    /// If they have not the column's width.
    pub fn extend_packed<const WIDTH: usize>(&mut self, strings: &[[u8; WIDTH]]) {
        assert_eq!(WIDTH, self.width, "strings have the width of their column");
        self.data.extend_from_slice(strings.as_flattened());
        self.len += strings.len();
    }

    /// Drops every string from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.data.truncate(len * self.width);
            self.len = len;
        }
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    pub(crate) fn take(&mut self, pool: &mut BufferPool) -> (Buffer, usize) {
        (pool.take(&mut self.data), std::mem::take(&mut self.len))
    }
}
