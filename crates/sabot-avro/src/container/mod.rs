//! Object Container Files: Avro's file format, as batches.
//!
//! A file is a caller like any other: it cuts its blocks into rows and hands them to the
//! [`Decoder`] that messages go through, with the same plans, limits and mappings. Blocks do not
//! say where their rows end, so each is walked twice, once to find the ends. That costs about as
//! much as skipping every field; it buys that a row with bad contents costs itself alone, as in a
//! topic. Only a row without an end takes the rest of its block along.

mod blocks;
mod codec;
mod error;
mod header;
mod input;

use std::collections::VecDeque;
use std::fmt;
use std::io::Read;
use std::iter::FusedIterator;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sabot_decode::{Decoder, DecoderFactory, Payload, RowError, RowErrorKind, SchemaKey, Stop, Target};

use blocks::{Block, Blocks};
use codec::Codec;
pub use error::{ContainerError, ContainerErrorKind};
pub use header::ContainerHeader;
use input::Input;

use crate::AvroFactory;
use crate::plan::{NoEnd, Splitter};
use crate::schema::Schema;

/// How a container file is read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ContainerOptions {
    /// What to make of the rows: reader schema, projection, mapping, limits. Batches are of 8,192
    /// rows at most unless its `limits.batch_rows` says otherwise.
    pub target: Target,
    /// Bytes of one block at most, compressed and decompressed. A larger one is lost, and reported.
    pub block_bytes: usize,
}

impl Default for ContainerOptions {
    fn default() -> Self {
        let mut target = Target::default();
        target.limits.batch_rows = 8192;
        Self {
            target,
            block_bytes: 256 << 20,
        }
    }
}

/// Reads an Object Container File as record batches.
///
/// Memory is bounded by a block, compressed and decompressed, and a batch, however large the file
/// is. Any [`Read`] will do: reads are of 64 KiB or more, and need no buffer of their own.
///
/// # Errors
///
/// The iterator gives an error where the bad row or block was, between the batches of what was
/// before and after it. Unless it [is fatal](ContainerError::is_fatal), the next call goes on after
/// it. So whoever uses `?` stops at the first bad row, and whoever goes on reads all that can be
/// read.
///
/// A row with bad contents costs itself alone. A row whose end cannot be found, because a length or
/// a union's branch is wrong, takes the rest of its block along; a broken block is lost, and the
/// next one found by its sync marker.
///
/// # Example
///
/// ```
/// use sabot_avro::ContainerReader;
///
/// // A file of ints, with 3 and 4 in its one block.
/// let file = b"Obj\x01\x02\x16avro.schema\x0a\"int\"\x00sixteen bytes ok\x04\x04\x06\x08sixteen bytes ok";
/// let mut rows = 0;
/// for batch in ContainerReader::new(&file[..])? {
///     rows += batch?.num_rows();
/// }
/// assert_eq!(rows, 2);
/// # Ok::<(), sabot_avro::ContainerError>(())
/// ```
pub struct ContainerReader<R> {
    header: ContainerHeader,
    decoder: Box<dyn Decoder>,
    schema: SchemaRef,
    splitter: Splitter,
    options: ContainerOptions,
    blocks: Blocks<R>,
    /// The block that is being read.
    open: Option<Open>,
    /// What comes next.
    ready: VecDeque<Result<RecordBatch, ContainerError>>,
    is_done: bool,
}

/// How far a block is read.
#[derive(Debug, Clone, Copy)]
struct Open {
    block: Block,
    /// The next row.
    row: u64,
    /// Where in the data it begins.
    at: usize,
}

/// Rows handed to the decoder at a time.
const CHUNK_ROWS: usize = 128;

/// The one writer schema of a file.
const KEY: SchemaKey = SchemaKey::Absent;

impl<R: Read> ContainerReader<R> {
    /// Reads the header of a file. The columns are those of its schema.
    ///
    /// # Errors
    ///
    /// As [`ContainerReader::with_options`].
    pub fn new(input: R) -> Result<Self, ContainerError> {
        Self::with_options(input, ContainerOptions::default())
    }

    /// Reads the header of a file, whose rows are to become what `options` say.
    ///
    /// ```
    /// use sabot_avro::{ContainerOptions, ContainerReader};
    /// use sabot_decode::{OutputSchema, WriterSchema};
    ///
    /// let file = b"Obj\x01\x02\x16avro.schema\x0a\"int\"\x00sixteen bytes ok\x04\x04\x06\x08sixteen bytes ok";
    /// let mut options = ContainerOptions::default();
    /// options.target.output = OutputSchema::Reader(WriterSchema::avro("\"double\""));
    /// let reader = ContainerReader::with_options(&file[..], options)?;
    /// assert_eq!(reader.schema().field(0).data_type(), &arrow_schema::DataType::Float64);
    /// # Ok::<(), sabot_avro::ContainerError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ContainerError`] that is fatal: the input is no container file, its header is malformed,
    /// its codec is not built in, or its schema cannot be resolved onto the target.
    pub fn with_options(input: R, options: ContainerOptions) -> Result<Self, ContainerError> {
        let mut input = Input::new(input);
        let header = ContainerHeader::take(&mut input)?;
        let codec = Codec::of_name(header.codec())?;
        let writer = Schema::parse(header.schema()).map_err(ContainerError::schema)?;
        let mut decoder = AvroFactory
            .open(&options.target)
            .map_err(ContainerError::target)?;
        decoder
            .prepare(KEY, header.schema())
            .map_err(ContainerError::resolution)?;
        let schema = decoder.schema().expect("because the writer's schema fixes it");
        Ok(Self {
            schema: SchemaRef::clone(schema),
            splitter: Splitter::new(&writer),
            blocks: Blocks::new(input, codec, header.sync_marker(), options.block_bytes),
            header,
            decoder,
            options,
            open: None,
            ready: VecDeque::new(),
            is_done: false,
        })
    }

    /// What the file says of itself.
    #[must_use]
    pub fn header(&self) -> &ContainerHeader {
        &self.header
    }

    /// The schema of every batch.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Does the next piece of work.
    fn advance(&mut self) {
        if let Some(open) = self.open.take() {
            self.decode(open);
            return;
        }
        match self.blocks.next() {
            Ok(Some(block)) => self.open = Some(Open { block, row: 0, at: 0 }),
            Ok(None) => {
                self.flush(Vec::new());
                self.is_done = true;
            }
            Err(error) => self.report(error),
        }
    }

    /// Decodes the next rows of a block.
    fn decode(&mut self, mut open: Open) {
        let data = self.blocks.data();
        let mut rows = [Payload::tombstone(); CHUNK_ROWS];
        let chunk = self.split(data, &open, &mut rows);
        let (first_slot, first_row) = (self.decoder.slots(), open.row);
        let mut errors = Vec::new();
        let progress = self
            .decoder
            .decode(&rows[..chunk.rows], &mut |error| errors.push(error));
        // Where each row that an error is of begins.
        let mut bad = Vec::new();
        let mut errors = errors.into_iter().peekable();
        for (at, row) in rows[..progress.taken].iter().enumerate() {
            let slot = (first_slot + at) as u32;
            let error = errors.next_if(|error| error.slot == slot);
            let no_end = chunk.no_end.filter(|_| at + 1 == chunk.rows);
            let size_bytes = row_bytes(row);
            let lost_rows = no_end.map_or(0, |_| open.block.rows - open.row - 1);
            if let Some(fault) = self.row_fault(error, no_end) {
                let byte_offset = (open.at + fault.byte_offset) as u64;
                let place = open.block.place;
                let path = fault.path;
                bad.push((
                    slot,
                    ContainerError::row(place, open.row, byte_offset, path, fault.kind, lost_rows),
                ));
            }
            open.row += 1;
            open.at += size_bytes;
        }
        debug_assert_eq!(open.row - first_row, progress.taken as u64);
        let left = data.len().saturating_sub(open.at);
        if !bad.is_empty() || progress.stop != Stop::Done {
            self.flush(bad);
        }
        let is_cut = chunk.no_end.is_some() && progress.taken == chunk.rows;
        if is_cut {
            return;
        }
        if open.row < open.block.rows {
            self.open = Some(open);
        } else if left > 0 {
            self.report(trailing(&open, left));
        }
    }

    /// Finds the ends of the next rows.
    fn split<'a>(&self, data: &'a [u8], open: &Open, rows: &mut [Payload<'a>; CHUNK_ROWS]) -> Chunk {
        let limits = &self.options.target.limits;
        let left = open.block.rows - open.row;
        let mut at = open.at;
        for (count, row) in rows.iter_mut().enumerate() {
            if count as u64 == left {
                return Chunk {
                    rows: count,
                    no_end: None,
                };
            }
            let rest = &data[at..];
            let end = match self.splitter.size_of_first(rest) {
                // A few bytes could stand for any number of rows.
                Ok(0) if open.block.rows > limits.row_items as u64 => Err(NoEnd {
                    byte_offset: 0,
                    kind: RowErrorKind::LimitExceeded("rows without bytes in one block"),
                }),
                end => end,
            };
            match end {
                Ok(size_bytes) => {
                    *row = Payload::with_key(KEY, &rest[..size_bytes]);
                    at += size_bytes;
                }
                Err(no_end) => {
                    // Decoded all the same, for the field's path.
                    *row = Payload::with_key(KEY, &rest[..rest.len().min(limits.row_bytes)]);
                    return Chunk {
                        rows: count + 1,
                        no_end: Some(no_end),
                    };
                }
            }
        }
        Chunk {
            rows: CHUNK_ROWS,
            no_end: None,
        }
    }

    /// What is wrong with a row: as the decoder says, or, of a row without an end, as the splitter
    /// says.
    fn row_fault(&self, error: Option<RowError>, no_end: Option<NoEnd>) -> Option<RowFault> {
        let decoder = error.map(|error| RowFault {
            byte_offset: error.byte_offset as usize,
            kind: error.kind,
            path: self.decoder.field_path(error.path),
        });
        let Some(no_end) = no_end else {
            return decoder;
        };
        // What the decoder found after the place where the end got lost, it found in other rows.
        let is_before = |fault: &RowFault| {
            fault.byte_offset <= no_end.byte_offset && !matches!(fault.kind, RowErrorKind::LimitExceeded(_))
        };
        Some(decoder.filter(is_before).unwrap_or(RowFault {
            byte_offset: no_end.byte_offset,
            kind: no_end.kind,
            path: String::new(),
        }))
    }

    /// Hands over what is decoded, without the slots of bad rows, and says what was wrong with
    /// them.
    fn flush(&mut self, bad: Vec<(u32, ContainerError)>) {
        let batch = match self.decoder.flush() {
            Ok(slots) => slots.batch,
            Err(error) => {
                let message = "the columns could not be made to a batch";
                let error = ContainerError::new(ContainerErrorKind::Columns, message).with_source(error);
                self.ready.push_back(Err(error));
                self.is_done = true;
                return;
            }
        };
        let mut start = 0;
        for (slot, error) in bad {
            self.push(&batch, start, slot as usize);
            self.ready.push_back(Err(error));
            start = slot as usize + 1;
        }
        self.push(&batch, start, batch.num_rows());
    }

    fn push(&mut self, batch: &RecordBatch, start: usize, end: usize) {
        if start < end {
            self.ready.push_back(Ok(batch.slice(start, end - start)));
        }
    }

    /// Reports a fault after all that was read before it.
    fn report(&mut self, error: ContainerError) {
        self.flush(Vec::new());
        self.is_done |= error.is_fatal();
        self.ready.push_back(Err(error));
    }
}

/// Rows of which the ends are known.
#[derive(Clone, Copy)]
struct Chunk {
    rows: usize,
    /// Why the last row has none, if so.
    no_end: Option<NoEnd>,
}

struct RowFault {
    byte_offset: usize,
    kind: RowErrorKind,
    path: String,
}

fn row_bytes(row: &Payload<'_>) -> usize {
    match row.body {
        sabot_decode::Body::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

#[cold]
fn trailing(open: &Open, left: usize) -> ContainerError {
    let message = format!("{left} bytes are left in the block after its last row");
    ContainerError::new(ContainerErrorKind::TrailingBytes, message).within(open.block.place)
}

impl<R: Read> Iterator for ContainerReader<R> {
    type Item = Result<RecordBatch, ContainerError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_done {
            self.advance();
        }
        self.ready.pop_front()
    }
}

impl<R: Read> FusedIterator for ContainerReader<R> {}

impl<R> fmt::Debug for ContainerReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainerReader")
            .field("header", &self.header)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
