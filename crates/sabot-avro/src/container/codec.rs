//! The standard codecs, each with a feature of its name.
//!
//! All are written in Rust, so that nobody needs a C compiler for a file. Output is bounded while
//! it is made: a block of a few bytes may claim, or really hold, any number of them.

use super::{ContainerError, ContainerErrorKind};

/// How a file's blocks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Null,
    #[cfg(feature = "deflate")]
    Deflate,
    #[cfg(feature = "snappy")]
    Snappy,
    #[cfg(feature = "bzip2")]
    Bzip2,
    #[cfg(feature = "xz")]
    Xz,
    #[cfg(feature = "zstandard")]
    Zstandard,
}

/// Why a block could not be decompressed.
#[derive(Debug)]
#[cfg_attr(
    not(any(
        feature = "deflate",
        feature = "snappy",
        feature = "bzip2",
        feature = "xz",
        feature = "zstandard"
    )),
    expect(dead_code, reason = "without a codec nothing can go wrong")
)]
pub(super) enum DecompressError {
    /// It holds more than the limit.
    TooLarge,
    Corrupt(String),
}

impl Codec {
    /// The codec of this name.
    pub(super) fn of_name(name: &str) -> Result<Self, ContainerError> {
        Ok(match name {
            "null" => Self::Null,
            #[cfg(feature = "deflate")]
            "deflate" => Self::Deflate,
            #[cfg(feature = "snappy")]
            "snappy" => Self::Snappy,
            #[cfg(feature = "bzip2")]
            "bzip2" => Self::Bzip2,
            #[cfg(feature = "xz")]
            "xz" => Self::Xz,
            #[cfg(feature = "zstandard")]
            "zstandard" => Self::Zstandard,
            name => return Err(unknown(name)),
        })
    }

    /// Decompresses `block` into `out`, which is overwritten and holds at most `limit_bytes` then.
    #[cfg_attr(
        not(any(
            feature = "deflate",
            feature = "snappy",
            feature = "bzip2",
            feature = "xz",
            feature = "zstandard"
        )),
        expect(unused_variables, reason = "without a codec there is nothing to do")
    )]
    pub(super) fn decompress(
        self,
        block: &[u8],
        out: &mut Vec<u8>,
        limit_bytes: usize,
    ) -> Result<(), DecompressError> {
        out.clear();
        match self {
            Self::Null => out.extend_from_slice(block),
            #[cfg(feature = "deflate")]
            Self::Deflate => inflate(block, out, limit_bytes)?,
            #[cfg(feature = "snappy")]
            Self::Snappy => snappy(block, out, limit_bytes)?,
            #[cfg(feature = "bzip2")]
            Self::Bzip2 => read(bzip2::bufread::MultiBzDecoder::new(block), out, limit_bytes)?,
            #[cfg(feature = "xz")]
            Self::Xz => {
                // The dictionary's size is a claim of the block too.
                let limit_kib = u32::try_from(limit_bytes >> 10).unwrap_or(u32::MAX).max(1 << 14);
                let reader = lzma_rust2::XzReader::new_mem_limit(block, true, limit_kib);
                read(reader, out, limit_bytes)?;
            }
            #[cfg(feature = "zstandard")]
            Self::Zstandard => zstandard(block, out, limit_bytes)?,
        }
        Ok(())
    }
}

#[cold]
fn unknown(name: &str) -> ContainerError {
    const STANDARD: [&str; 5] = ["deflate", "snappy", "bzip2", "xz", "zstandard"];
    let message = if STANDARD.contains(&name) {
        format!(
            "the blocks are compressed with {name}, and this program is built without the feature {name:?} of sabot-avro"
        )
    } else {
        format!("the blocks are compressed with {name:?}, which is no codec of the Avro specification")
    };
    ContainerError::new(ContainerErrorKind::Codec, message)
}

/// Reads all that `reader` gives, up to the limit.
#[cfg(any(feature = "bzip2", feature = "xz", feature = "zstandard"))]
fn read(reader: impl std::io::Read, out: &mut Vec<u8>, limit_bytes: usize) -> Result<(), DecompressError> {
    use std::io::Read as _;

    // One byte more, which tells a block of just the limit from one that goes on.
    let left = ((limit_bytes - out.len()) as u64).saturating_add(1);
    let mut reader = reader.take(left);
    reader
        .read_to_end(out)
        .map_err(|error| DecompressError::Corrupt(error.to_string()))?;
    if out.len() > limit_bytes {
        return Err(DecompressError::TooLarge);
    }
    Ok(())
}

/// DEFLATE without a wrapper. Not by flate2's reader, to which a stream that is cut off has just
/// ended. What is after the stream is left alone: Python's writers leave three of the four bytes of
/// zlib's checksum there.
#[cfg(feature = "deflate")]
fn inflate(block: &[u8], out: &mut Vec<u8>, limit_bytes: usize) -> Result<(), DecompressError> {
    let mut inflater = flate2::Decompress::new(false);
    loop {
        if out.len() > limit_bytes {
            return Err(DecompressError::TooLarge);
        }
        if out.len() == out.capacity() {
            let more = out.len().max(block.len()).max(1 << 10);
            out.reserve_exact(more.min(limit_bytes.saturating_add(1) - out.len()));
        }
        let rest = &block[inflater.total_in() as usize..];
        let status = inflater.decompress_vec(rest, out, flate2::FlushDecompress::Finish);
        match status.map_err(|error| DecompressError::Corrupt(error.to_string()))? {
            flate2::Status::StreamEnd if out.len() > limit_bytes => return Err(DecompressError::TooLarge),
            flate2::Status::StreamEnd => return Ok(()),
            _ if out.len() < out.capacity() => {
                return Err(DecompressError::Corrupt(
                    "the deflate stream is cut off".to_owned(),
                ));
            }
            _ => {}
        }
    }
}

/// Snappy's raw format, and after it the CRC-32 of the uncompressed bytes, big-endian.
#[cfg(feature = "snappy")]
fn snappy(block: &[u8], out: &mut Vec<u8>, limit_bytes: usize) -> Result<(), DecompressError> {
    // A copy of 64 bytes takes 3 at least, counted generously; a claim beyond that is false.
    const MAX_RATIO: usize = 64;
    let Some((compressed, checksum)) = block.split_last_chunk::<4>() else {
        return Err(DecompressError::Corrupt(
            "the block is too short for its checksum".to_owned(),
        ));
    };
    let corrupt = |error: snap::Error| DecompressError::Corrupt(error.to_string());
    let size_bytes = snap::raw::decompress_len(compressed).map_err(corrupt)?;
    if size_bytes > limit_bytes {
        return Err(DecompressError::TooLarge);
    }
    if size_bytes / MAX_RATIO > compressed.len() {
        return Err(DecompressError::Corrupt(format!(
            "{} bytes cannot stand for the {size_bytes} that they claim",
            compressed.len()
        )));
    }
    out.resize(size_bytes, 0);
    let written = snap::raw::Decoder::new()
        .decompress(compressed, out)
        .map_err(corrupt)?;
    out.truncate(written);
    let (stored, computed) = (u32::from_be_bytes(*checksum), crc32fast::hash(out));
    if stored != computed {
        return Err(DecompressError::Corrupt(format!(
            "the checksum is {computed:08x}, and the block says {stored:08x}"
        )));
    }
    Ok(())
}

/// One frame after the other. The window is a claim of the frame, and bounded by its decoder.
#[cfg(feature = "zstandard")]
fn zstandard(mut block: &[u8], out: &mut Vec<u8>, limit_bytes: usize) -> Result<(), DecompressError> {
    use ruzstd::decoding::StreamingDecoder;

    while !block.is_empty() {
        if let Some(rest) = behind_skippable(block) {
            block = rest;
            continue;
        }
        let window_bytes = ruzstd::decoding::DEFAULT_MAX_WINDOW_SIZE.min((limit_bytes as u64).max(1 << 23));
        let mut frame = StreamingDecoder::new_with_max_window_size(&mut block, window_bytes)
            .map_err(|error| DecompressError::Corrupt(error.to_string()))?;
        read(&mut frame, out, limit_bytes)?;
        let stored = frame.decoder.get_checksum_from_data();
        let computed = frame.decoder.get_calculated_checksum();
        if stored.is_some() && stored != computed {
            return Err(DecompressError::Corrupt(
                "the frame's checksum is not that of its contents".to_owned(),
            ));
        }
    }
    Ok(())
}

/// What is after a skippable frame, if `block` begins with a whole one: a magic number of sixteen,
/// a size, and what is for others.
#[cfg(feature = "zstandard")]
fn behind_skippable(block: &[u8]) -> Option<&[u8]> {
    let (magic, rest) = block.split_first_chunk::<4>()?;
    let (size_bytes, rest) = rest.split_first_chunk::<4>()?;
    let is_skippable = u32::from_le_bytes(*magic) >> 4 == 0x0184_d2a5;
    rest.get(u32::from_le_bytes(*size_bytes) as usize..)
        .filter(|_| is_skippable)
}
