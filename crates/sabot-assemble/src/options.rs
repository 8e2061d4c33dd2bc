//! What an assembler is asked to make, and what it does with bad rows and tombstones.

/// What an assembler adds to the decoded columns, and its policies.
///
/// ```
/// use sabot_assemble::{AssemblerOptions, Metadata, OnError, Tombstones};
///
/// let mut options = AssemblerOptions::default();
/// assert_eq!(options.on_error, OnError::Fail);
/// options.on_error = OnError::Skip;
/// options.tombstones = Tombstones::Drop;
/// options.metadata = Metadata::NONE;
/// options.metadata.offset = true;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssemblerOptions {
    /// Which metadata columns to add.
    pub metadata: Metadata,
    /// What becomes of a bad row.
    pub on_error: OnError,
    /// What becomes of a row whose value is null.
    pub tombstones: Tombstones,
    /// Adds the column `_error` (`Utf8`): what was wrong with the row, null in good rows. Only with
    /// [`OnError::Null`]: no other policy keeps a bad row.
    pub error_column: bool,
    /// Adds the column `_raw` (`Binary`): the whole value of a bad row as it came, null in good
    /// rows. Only with [`OnError::Null`].
    pub raw_column: bool,
    /// Bytes gathered in the assembler's own columns (metadata, keys, headers, raw values) before
    /// it says that it is full. A batch holds at least one row, whatever its size. At most 1 GiB is
    /// used.
    pub batch_bytes: usize,
}

impl Default for AssemblerOptions {
    fn default() -> Self {
        Self {
            metadata: Metadata::default(),
            on_error: OnError::default(),
            tombstones: Tombstones::default(),
            error_column: false,
            raw_column: false,
            batch_bytes: 256 << 20,
        }
    }
}

/// Which metadata columns a batch has. The default is all but key and headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// `_topic`: `Dictionary(Int32, Utf8)`.
    pub topic: bool,
    /// `_partition`: `Int32`.
    pub partition: bool,
    /// `_offset`: `Int64`.
    pub offset: bool,
    /// `_timestamp`: `Timestamp(Millisecond, "UTC")`, nullable.
    pub timestamp: bool,
    /// `_timestamp_type`: `Dictionary(Int8, Utf8)`, one of Kafka's names `CreateTime` and
    /// `LogAppendTime`, nullable.
    pub timestamp_type: bool,
    /// `_key`: the key as it came, `Binary`, nullable.
    pub key: bool,
    /// `_headers`: `List<Struct<key: Utf8, value: Binary>>` with nullable values, in the message's
    /// order, duplicates and nulls kept. A name that is not UTF-8 is written with each offending
    /// byte as `\xNN` and each backslash doubled, so that no byte is lost; a name that is UTF-8 is
    /// never changed.
    pub headers: bool,
}

impl Metadata {
    /// No metadata column.
    pub const NONE: Self = Self {
        topic: false,
        partition: false,
        offset: false,
        timestamp: false,
        timestamp_type: false,
        key: false,
        headers: false,
    };

    /// Every metadata column.
    pub const ALL: Self = Self {
        topic: true,
        partition: true,
        offset: true,
        timestamp: true,
        timestamp_type: true,
        key: true,
        headers: true,
    };
}

impl Default for Metadata {
    fn default() -> Self {
        let mut metadata = Self::ALL;
        (metadata.key, metadata.headers) = (false, false);
        metadata
    }
}

/// What becomes of a row whose key or value cannot be decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller has to treat every case")]
pub enum OnError {
    /// The assembler stops before the row. Every row before it is in the batch, and nothing of it
    /// or after it.
    #[default]
    Fail,
    /// The row is left out and reported.
    Skip,
    /// The row is kept with null in the columns of the part that was bad, and reported.
    Null,
    /// As [`OnError::Skip`]; and the original record is handed to the hook, once a row.
    DeadLetter,
}

/// What becomes of a row whose value is null: Kafka's mark of a deletion. A null key is never a
/// tombstone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller has to treat every case")]
pub enum Tombstones {
    /// The row is kept with null in every value column.
    #[default]
    Null,
    /// The row is left out.
    Drop,
    /// As [`Tombstones::Null`]; and the column `_deleted` (`Boolean`) is true in these rows and
    /// false in all others.
    Flag,
}
