//! A reader whose bytes are looked at before they are taken.
//!
//! A block is decoded where it was read to, and a block that turns out to be broken is searched for
//! the next sync marker, so bytes stay until somebody consumes them. The buffer grows as bytes come
//! in, whatever size a file claims.

use std::io::{self, Read};

/// Bytes read at a time at least.
const READ_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Input<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where in the buffer the bytes begin and end that are not consumed.
    start: usize,
    end: usize,
    /// Where in the file `start` is.
    position: u64,
    is_at_end: bool,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            position: 0,
            is_at_end: false,
        }
    }

    /// Bytes consumed so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// What is read and not consumed.
    pub(super) fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads until `wanted` bytes are available or the input ends, and returns what is available.
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end - self.start < wanted && !self.is_at_end {
            self.make_room(wanted);
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_at_end = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.available())
    }

    /// Takes bytes that are available.
    pub(super) fn consume(&mut self, bytes: usize) {
        debug_assert!(
            bytes <= self.end - self.start,
            "only what is available is consumed"
        );
        self.start += bytes;
        self.position += bytes as u64;
    }

    /// Makes room after `end`: at most as much again as there is, so that a claim alone costs
    /// nothing; and a quarter of what has to be moved for it, so that a byte is moved four times on
    /// average, however often blocks are searched.
    fn make_room(&mut self, wanted: usize) {
        if self.end < self.buffer.len() {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let least_bytes = self.end + READ_BYTES.max(self.end / 4);
        let size_bytes = wanted.min(self.end.saturating_mul(2)).max(least_bytes);
        if self.buffer.len() < size_bytes {
            self.buffer.resize(size_bytes, 0);
        }
    }
}
