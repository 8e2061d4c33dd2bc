//! The header: magic, metadata, sync marker.

use std::io::Read;

use sabot_cursor::{Cursor, ReadError, ReadErrorKind};
use sabot_decode::WriterSchema;

use super::input::Input;
use super::{ContainerError, ContainerErrorKind};

/// Bytes of a header at most. The text of a schema is bounded by half of it.
const MAX_HEADER_BYTES: usize = 32 << 20;

/// Entries of the metadata at most: short ones take more memory than bytes.
const MAX_ENTRIES: usize = 1 << 16;

const MAGIC: [u8; 4] = *b"Obj\x01";

/// What a container file says of itself.
///
/// ```
/// use sabot_avro::ContainerHeader;
///
/// let file = b"Obj\x01\x02\x16avro.schema\x0a\"int\"\x00sixteen bytes ok";
/// let header = ContainerHeader::read(&file[..])?;
/// assert_eq!(&*header.schema().text, "\"int\"");
/// assert_eq!(header.codec(), "null");
/// # Ok::<(), sabot_avro::ContainerError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ContainerHeader {
    schema: WriterSchema,
    codec: String,
    metadata: Vec<(String, Vec<u8>)>,
    sync_marker: [u8; 16],
}

impl ContainerHeader {
    /// Reads the header alone, even of a file whose codec or schema cannot be used. Some bytes
    /// after it may be taken from `input`.
    ///
    /// # Errors
    ///
    /// Of the kinds [`ContainerErrorKind::Io`], [`ContainerErrorKind::NotAContainer`] and
    /// [`ContainerErrorKind::Header`].
    pub fn read(input: impl Read) -> Result<Self, ContainerError> {
        Self::take(&mut Input::new(input))
    }

    /// The schema that the file was written with, as its author wrote it.
    #[must_use]
    pub fn schema(&self) -> &WriterSchema {
        &self.schema
    }

    /// The codec's name; `null` where the file names none.
    #[must_use]
    pub fn codec(&self) -> &str {
        &self.codec
    }

    /// All metadata, `avro.schema` and `avro.codec` included, in the file's order. The values may
    /// be any bytes.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.metadata
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// What comes after each block.
    #[must_use]
    pub fn sync_marker(&self) -> [u8; 16] {
        self.sync_marker
    }

    /// Takes the header off the input.
    pub(super) fn take<R: Read>(input: &mut Input<R>) -> Result<Self, ContainerError> {
        let mut wanted = MAGIC.len();
        loop {
            let bytes = input.fill(wanted).map_err(ContainerError::io)?;
            let is_at_end = bytes.len() < wanted;
            let mut cursor = Cursor::new(bytes);
            let error = match parse(&mut cursor) {
                Ok((metadata, sync_marker)) => {
                    let header = Self::new(metadata, sync_marker)?;
                    let size_bytes = cursor.position();
                    input.consume(size_bytes);
                    return Ok(header);
                }
                Err(error) => error,
            };
            match error {
                // Parsed anew from its start with twice the bytes, so that all of it costs twice
                // the last time at most.
                HeaderError::Short if !is_at_end && bytes.len() < MAX_HEADER_BYTES => {
                    wanted = (bytes.len() * 2).clamp(512, MAX_HEADER_BYTES);
                }
                HeaderError::Short if !is_at_end => {
                    return Err(malformed(format!("it exceeds {MAX_HEADER_BYTES} bytes")));
                }
                HeaderError::Short if bytes.len() < MAGIC.len() => return Err(no_container(bytes)),
                HeaderError::Short => return Err(malformed("the file ends within it")),
                HeaderError::Magic => return Err(no_container(bytes)),
                HeaderError::Malformed(what) => return Err(malformed(what)),
            }
        }
    }

    fn new(metadata: Vec<(String, Vec<u8>)>, sync_marker: [u8; 16]) -> Result<Self, ContainerError> {
        // Of a key that is there twice the last value counts, as in a map that is read in order.
        let text = |key: &str| {
            let entry = metadata.iter().rev().find(|(name, _)| name == key);
            let text = entry.map(|(_, value)| std::str::from_utf8(value).map(str::to_owned));
            text.transpose()
                .map_err(|_| malformed(format!("its {key} is not UTF-8")))
        };
        let schema = text("avro.schema")?.ok_or_else(|| malformed("it has no avro.schema"))?;
        let codec = text("avro.codec")?.unwrap_or_else(|| "null".to_owned());
        Ok(Self {
            schema: WriterSchema::avro(schema),
            codec,
            metadata,
            sync_marker,
        })
    }
}

enum HeaderError {
    /// More bytes are needed.
    Short,
    Magic,
    Malformed(String),
}

impl From<ReadError> for HeaderError {
    fn from(error: ReadError) -> Self {
        match error.kind {
            ReadErrorKind::Truncated => Self::Short,
            ReadErrorKind::InvalidLength(length) if length >= 0 && length <= MAX_HEADER_BYTES as i64 => {
                Self::Short
            }
            ReadErrorKind::InvalidLength(length) => {
                Self::Malformed(format!("the length {length} at byte {}", error.offset_bytes))
            }
            ReadErrorKind::VarintOverflow => {
                Self::Malformed(format!("the number at byte {} is too long", error.offset_bytes))
            }
        }
    }
}

type Metadata = Vec<(String, Vec<u8>)>;

fn parse(cursor: &mut Cursor<'_>) -> Result<(Metadata, [u8; 16]), HeaderError> {
    if cursor.read_array::<4>()? != MAGIC {
        return Err(HeaderError::Magic);
    }
    let mut metadata = Vec::new();
    loop {
        let count = cursor.read_long()?;
        if count == 0 {
            break;
        }
        if count < 0 {
            // The block's size, which only matters to those who step over it.
            cursor.read_long()?;
        }
        for _ in 0..count.unsigned_abs() {
            let key = cursor.read_sized()?;
            let key = std::str::from_utf8(key)
                .map_err(|_| HeaderError::Malformed("a key of its metadata is not UTF-8".to_owned()))?;
            if metadata.len() == MAX_ENTRIES {
                return Err(HeaderError::Malformed(format!(
                    "it has more than {MAX_ENTRIES} entries"
                )));
            }
            metadata.push((key.to_owned(), cursor.read_sized()?.to_vec()));
        }
    }
    Ok((metadata, cursor.read_array()?))
}

#[cold]
fn malformed(what: impl AsRef<str>) -> ContainerError {
    let message = format!("the container file's header is malformed: {}", what.as_ref());
    ContainerError::new(ContainerErrorKind::Header, message)
}

/// Says what the file probably is.
#[cold]
fn no_container(bytes: &[u8]) -> ContainerError {
    let what = match bytes {
        [] => "it is empty".to_owned(),
        [b'O', b'b', b'j', version, ..] => {
            format!("it is of version {version} of the format, and 1 is known")
        }
        [b'P', b'A', b'R', b'1', ..] => "it looks like Parquet".to_owned(),
        [b'A', b'R', b'R', b'O', b'W', ..] => "it looks like Arrow's file format".to_owned(),
        [0x1f, 0x8b, ..] => "it looks like gzip".to_owned(),
        [0xc3, 0x01, ..] => "it looks like Avro's single-object encoding".to_owned(),
        [b'{' | b'[', ..] => "it looks like JSON".to_owned(),
        [first, ..] => format!("it begins with {first:#04x}, not with \"Obj\" and 0x01"),
    };
    let message = format!("not an Avro object container file: {what}");
    ContainerError::new(ContainerErrorKind::NotAContainer, message)
}
