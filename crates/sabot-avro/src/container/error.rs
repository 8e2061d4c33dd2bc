//! What can be wrong with a container file, and where.

use std::{error, fmt, io};

use sabot_decode::{PlanError, RowErrorKind};

/// A container file, a block of it or a row of a block that cannot be read.
///
/// [`ContainerError::is_fatal`] tells faults of the whole file from those that cost some rows:
/// after the latter the iterator goes on.
#[derive(Debug)]
pub struct ContainerError(Box<ErrorInner>);

#[derive(Debug)]
struct ErrorInner {
    kind: ContainerErrorKind,
    message: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
    block: Option<Place>,
    row: Option<RowPlace>,
    lost_rows: u64,
}

/// Where a block is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) number: u64,
    /// Where in the file.
    pub(super) file_offset: u64,
}

#[derive(Debug)]
struct RowPlace {
    number: u64,
    byte_offset: u64,
    field_path: String,
    kind: RowErrorKind,
}

/// What kind of fault a [`ContainerError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContainerErrorKind {
    /// The input could not be read. Fatal.
    Io,
    /// The input does not begin as a container file does. Fatal.
    NotAContainer,
    /// The header is malformed or cut off, or exceeds 32 MiB. Fatal.
    Header,
    /// The file's codec is unknown, or its feature is not built in. Fatal.
    Codec,
    /// The file's schema is malformed, or cannot be resolved onto the target. Fatal.
    Schema,
    /// A block's count, size or sync marker is wrong. The block is lost; reading goes on after the
    /// next sync marker.
    Block,
    /// The file ends within a block. The block is lost.
    Truncated,
    /// A block cannot be decompressed, or is larger than the limit. The block is lost.
    Decompression,
    /// A row is bad. It is lost, and where it has no end, so are the rows of the block after it
    /// ([`ContainerError::lost_rows`]).
    Row,
    /// Bytes are left in a block after its last row. No row is lost, but what the block says is
    /// doubtful.
    TrailingBytes,
    /// Columns could not be made to a batch: a fault of the program, never of a file. Fatal.
    Columns,
}

impl ContainerError {
    #[cold]
    pub(super) fn new(kind: ContainerErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorInner {
            kind,
            message: message.into(),
            source: None,
            block: None,
            row: None,
            lost_rows: 0,
        }))
    }

    #[cold]
    pub(super) fn io(source: io::Error) -> Self {
        let error = Self::new(ContainerErrorKind::Io, "the input could not be read");
        error.with_source(source)
    }

    /// The file's schema is none.
    #[cold]
    pub(super) fn schema(source: PlanError) -> Self {
        let error = Self::new(ContainerErrorKind::Schema, "the file's schema cannot be used");
        error.with_source(source)
    }

    /// What the file is to be read as is wrong, whatever the file's schema is.
    #[cold]
    pub(super) fn target(source: PlanError) -> Self {
        let text = "the reader schema or the projection cannot be used";
        Self::new(ContainerErrorKind::Schema, text).with_source(source)
    }

    /// The file's schema cannot become what was asked for.
    #[cold]
    pub(super) fn resolution(source: PlanError) -> Self {
        let text = "the file's schema cannot be read as asked for";
        Self::new(ContainerErrorKind::Schema, text).with_source(source)
    }

    /// A bad row. `lost_rows` counts those after it.
    #[cold]
    pub(super) fn row(
        block: Place,
        number: u64,
        byte_offset: u64,
        field_path: String,
        kind: RowErrorKind,
        lost_rows: u64,
    ) -> Self {
        let mut error = Self::new(ContainerErrorKind::Row, kind.to_string()).within(block);
        error.0.row = Some(RowPlace {
            number,
            byte_offset,
            field_path,
            kind,
        });
        error.0.lost_rows = 1 + lost_rows;
        error
    }

    pub(super) fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(super) fn within(mut self, block: Place) -> Self {
        self.0.block = Some(block);
        self
    }

    pub(super) fn losing(mut self, rows: u64) -> Self {
        self.0.lost_rows = rows;
        self
    }

    /// What kind of fault it is.
    #[must_use]
    pub fn kind(&self) -> ContainerErrorKind {
        self.0.kind
    }

    /// Whether nothing more can be read. Otherwise the next call of the iterator goes on after the
    /// fault.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        use ContainerErrorKind as Kind;
        !matches!(
            self.0.kind,
            Kind::Block | Kind::Truncated | Kind::Decompression | Kind::Row | Kind::TrailingBytes
        )
    }

    /// The block, counting from 0 those that were met; `None` for a fault of the whole file.
    #[must_use]
    pub fn block(&self) -> Option<u64> {
        self.0.block.map(|block| block.number)
    }

    /// Where in the file that block begins, in bytes.
    #[must_use]
    pub fn block_offset(&self) -> Option<u64> {
        self.0.block.map(|block| block.file_offset)
    }

    /// The row, counting from 0 within its block.
    #[must_use]
    pub fn row_in_block(&self) -> Option<u64> {
        self.0.row.as_ref().map(|row| row.number)
    }

    /// Where in the block's data, decompressed, the row is bad, in bytes.
    #[must_use]
    pub fn byte_offset(&self) -> Option<u64> {
        self.0.row.as_ref().map(|row| row.byte_offset)
    }

    /// The field that is bad, such as `order.items[].price`; empty for a whole row, and where no
    /// row is bad.
    #[must_use]
    pub fn field_path(&self) -> &str {
        self.0.row.as_ref().map_or("", |row| &row.field_path)
    }

    /// What is wrong with a bad row.
    #[must_use]
    pub fn row_error(&self) -> Option<RowErrorKind> {
        self.0.row.as_ref().map(|row| row.kind)
    }

    /// How many rows are lost by it, as far as the file says so: a block whose head is wrong may
    /// hold any number.
    #[must_use]
    pub fn lost_rows(&self) -> u64 {
        self.0.lost_rows
    }
}

impl fmt::Display for ContainerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = &*self.0;
        if let Some(block) = fault.block {
            write!(f, "block {} at byte {}", block.number, block.file_offset)?;
            if let Some(row) = &fault.row {
                write!(f, ", row {}", row.number)?;
                if !row.field_path.is_empty() {
                    write!(f, ", field {}", row.field_path)?;
                }
                write!(f, ", byte {} of its data", row.byte_offset)?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&fault.message)?;
        if let Some(source) = &fault.source {
            write!(f, ": {source}")?;
        }
        match (&fault.row, fault.lost_rows) {
            (_, 0) | (Some(_), 1) => Ok(()),
            (Some(_), 2) => f.write_str("; the next row, which ends the block, is lost with it"),
            (Some(_), lost) => write!(
                f,
                "; the {} rows behind it in the block are lost with it",
                lost - 1
            ),
            (None, 1) => f.write_str("; its one row is lost"),
            (None, lost) => write!(f, "; its {lost} rows are lost"),
        }
    }
}

impl error::Error for ContainerError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let source = self.0.source.as_deref();
        source.map(|source| source as &(dyn error::Error + 'static))
    }
}
