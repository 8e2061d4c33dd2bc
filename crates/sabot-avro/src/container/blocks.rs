//! The blocks of a file, decompressed one at a time, and finding the next one after a broken one.

use std::io::Read;

use sabot_cursor::{Cursor, ReadErrorKind};

use super::codec::{Codec, DecompressError};
use super::error::Place;
use super::input::Input;
use super::{ContainerError, ContainerErrorKind};

/// Bytes of a block's count and size at most.
const MAX_HEAD_BYTES: usize = 20;
const SYNC_BYTES: usize = 16;

/// A block that is at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) place: Place,
    /// How many rows it says it has.
    pub(super) rows: u64,
}

#[derive(Debug)]
pub(super) struct Blocks<R> {
    input: Input<R>,
    codec: Codec,
    sync_marker: [u8; SYNC_BYTES],
    limit_bytes: usize,
    /// Blocks met so far.
    met: u64,
    /// The block's data, if it was compressed.
    plain: Vec<u8>,
    /// The block's data where it was read to, if it was not: so many bytes, and so many after them
    /// to the next block.
    in_place: Option<usize>,
    /// Whether the next block has to be looked for.
    is_lost: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(
        input: Input<R>,
        codec: Codec,
        sync_marker: [u8; SYNC_BYTES],
        limit_bytes: usize,
    ) -> Self {
        Self {
            input,
            codec,
            sync_marker,
            limit_bytes,
            met: 0,
            plain: Vec::new(),
            in_place: None,
            is_lost: false,
        }
    }

    /// The current block's data.
    pub(super) fn data(&self) -> &[u8] {
        match self.in_place {
            Some(size_bytes) => &self.input.available()[..size_bytes],
            None => &self.plain,
        }
    }

    /// Goes to the next block; `None` at the file's end.
    pub(super) fn next(&mut self) -> Result<Option<Block>, ContainerError> {
        if let Some(size_bytes) = self.in_place.take() {
            self.input.consume(size_bytes + SYNC_BYTES);
        }
        self.plain.clear();
        if self.is_lost && !self.find_marker()? {
            return Ok(None);
        }
        self.is_lost = false;
        if self.input.fill(1).map_err(ContainerError::io)?.is_empty() {
            return Ok(None);
        }
        let place = Place {
            number: self.met,
            file_offset: self.input.position(),
        };
        self.met += 1;
        match self.read() {
            Ok(rows) => Ok(Some(Block { place, rows })),
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => Err(error.within(place)),
        }
    }

    /// Reads one block, and says how many rows it has.
    fn read(&mut self) -> Result<u64, ContainerError> {
        // Unless all of its frame is as it should be.
        self.is_lost = true;
        let (rows, size_bytes) = self.read_head()?;
        let frame_bytes = size_bytes + SYNC_BYTES;
        let frame = self.input.fill(frame_bytes).map_err(ContainerError::io)?;
        let Some(frame) = frame.get(..frame_bytes) else {
            let message = format!(
                "the file ends within the block: {} bytes of {frame_bytes} are there",
                frame.len()
            );
            return Err(ContainerError::new(ContainerErrorKind::Truncated, message).losing(rows));
        };
        let (data, marker) = frame.split_at(size_bytes);
        if marker != self.sync_marker {
            return Err(broken("the sync marker behind the block is not the file's").losing(rows));
        }
        self.is_lost = false;
        if self.codec == Codec::Null {
            self.in_place = Some(size_bytes);
            return Ok(rows);
        }
        let result = self.codec.decompress(data, &mut self.plain, self.limit_bytes);
        self.input.consume(frame_bytes);
        result.map(|()| rows).map_err(|error| {
            self.plain.clear();
            let message = match error {
                DecompressError::TooLarge => {
                    format!("its data exceed the limit of {} bytes", self.limit_bytes)
                }
                DecompressError::Corrupt(what) => format!("its data cannot be decompressed: {what}"),
            };
            ContainerError::new(ContainerErrorKind::Decompression, message).losing(rows)
        })
    }

    /// Takes a block's count and size off the input, unless they are wrong.
    fn read_head(&mut self) -> Result<(u64, usize), ContainerError> {
        let head = self.input.fill(MAX_HEAD_BYTES).map_err(ContainerError::io)?;
        let mut cursor = Cursor::new(head);
        let mut read = |what| {
            cursor.read_long().map_err(|error| match error.kind {
                ReadErrorKind::Truncated => ContainerError::new(
                    ContainerErrorKind::Truncated,
                    "the file ends within the block's head",
                ),
                _ => broken(format!("its {what} is no number")),
            })
        };
        let (rows, size_bytes) = (read("count of rows")?, read("size")?);
        let head_bytes = cursor.position();
        let rows = u64::try_from(rows).map_err(|_| broken(format!("its count of rows is {rows}")))?;
        let size_bytes = usize::try_from(size_bytes)
            .ok()
            .filter(|size| *size <= self.limit_bytes)
            .ok_or_else(|| {
                let limit = self.limit_bytes;
                broken(format!("its size is {size_bytes} bytes, and the limit {limit}")).losing(rows)
            })?;
        self.input.consume(head_bytes);
        Ok((rows, size_bytes))
    }

    /// Goes after the next sync marker; `false` if there is none.
    fn find_marker(&mut self) -> Result<bool, ContainerError> {
        loop {
            let bytes = self.input.fill(SYNC_BYTES).map_err(ContainerError::io)?;
            let found = bytes
                .windows(SYNC_BYTES)
                .position(|window| window == self.sync_marker);
            if let Some(at) = found {
                self.input.consume(at + SYNC_BYTES);
                return Ok(true);
            }
            let size_bytes = bytes.len();
            if size_bytes < SYNC_BYTES {
                self.input.consume(size_bytes);
                return Ok(false);
            }
            self.input.consume(size_bytes - (SYNC_BYTES - 1));
        }
    }
}

#[cold]
fn broken(message: impl Into<String>) -> ContainerError {
    ContainerError::new(ContainerErrorKind::Block, message)
}
