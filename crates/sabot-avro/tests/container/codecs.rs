//! The codecs: what they give, what they refuse, and how much they may cost.

use apache_avro::Codec;
use apache_avro::types::Value;
use sabot_avro::{ContainerErrorKind, ContainerOptions, ContainerReader};

use crate::common::{Out, SCHEMA, block, block_of, header, read, read_with, row};

/// Files of a thousand rows in several blocks.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    let codecs = [
        ("null", Codec::Null),
        #[cfg(feature = "deflate")]
        ("deflate", Codec::Deflate(Default::default())),
        #[cfg(feature = "snappy")]
        ("snappy", Codec::Snappy),
        #[cfg(feature = "bzip2")]
        ("bzip2", Codec::Bzip2(Default::default())),
    ];
    codecs
        .into_iter()
        .map(|(name, codec)| (name, written(codec)))
        .collect()
}

fn written(codec: Codec) -> Vec<u8> {
    let schema = apache_avro::Schema::parse_str(SCHEMA).expect("the reference implementation writes it");
    let mut writer = apache_avro::Writer::builder()
        .schema(&schema)
        .writer(Vec::new())
        .codec(codec)
        .block_size(2000)
        .build()
        .expect("the reference implementation writes it");
    for id in 0..1000 {
        let row = Value::Record(vec![
            ("id".into(), Value::Long(id)),
            ("name".into(), Value::String(format!("row {id}"))),
            ("ok".into(), Value::Boolean(true)),
        ]);
        writer
            .append_value(row)
            .expect("the reference implementation writes it");
    }
    writer
        .into_inner()
        .expect("the reference implementation writes it")
}

#[test]
fn what_apache_avro_compressed() {
    for (name, file) in files() {
        let reader = ContainerReader::new(&file[..]).unwrap();
        assert_eq!(reader.header().codec(), name);
        assert_eq!(read(&file[..]), [Out::Ids((0..1000).collect())], "{name}");
    }
}

/// A changed byte in a block costs that block at most, and what a codec does not notice, the rows
/// do.
#[test]
fn changed_bytes() {
    for (name, file) in files() {
        let start = ContainerReader::new(&file[..]).unwrap().header().metadata().len();
        assert!(start > 0);
        for at in (file.len() / 3..file.len() / 2).step_by(7) {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            let rows: Vec<i64> = read(&changed[..])
                .into_iter()
                .flat_map(|out| match out {
                    Out::Ids(ids) => ids,
                    Out::Bad(_) => Vec::new(),
                })
                .collect();
            assert!(rows.len() <= 1000, "{name} with byte {at} changed");
            assert!(
                rows.len() >= 500,
                "{name} with byte {at} changed: {} rows",
                rows.len()
            );
            assert_eq!(rows.last(), Some(&999), "{name} with byte {at} changed");
        }
    }
}

/// A block that is cut or empty is no block, whatever its codec.
#[test]
fn blocks_that_are_cut() {
    let data: Vec<u8> = (0..50).flat_map(row).collect();
    for (codec, compressed) in compressed(&data) {
        let header = header(SCHEMA, codec);
        let at = header.len();
        let whole = [header.clone(), block(50, &compressed)].concat();
        assert_eq!(read(&whole[..]), [Out::Ids((0..50).collect())], "{codec}");
        for end in 0..compressed.len() {
            let cut = &compressed[..end];
            let file = [header.clone(), block(50, cut), block(50, &compressed)].concat();
            let items: Vec<_> = ContainerReader::new(&file[..]).unwrap().collect();
            let error = items[0].as_ref().expect_err(codec);
            assert_eq!(error.block_offset(), Some(at as u64));
            if end == 0 && error.kind() == ContainerErrorKind::Row {
                // Nothing decompresses to nothing.
                continue;
            }
            assert_eq!(
                error.kind(),
                ContainerErrorKind::Decompression,
                "{codec} cut at {end}"
            );
            assert_eq!(error.lost_rows(), 50);
            assert_eq!(items[1].as_ref().unwrap().num_rows(), 50, "{codec} cut at {end}");
        }
    }
}

/// What is larger than the limit is refused, and what is as large is not.
#[test]
fn blocks_beyond_the_limit() {
    let data: Vec<u8> = (0..5000).flat_map(|_| row(7)).collect();
    for (codec, compressed) in compressed(&data) {
        let file = [
            header(SCHEMA, codec),
            block(5000, &compressed),
            block(5000, &compressed),
        ]
        .concat();
        let mut options = ContainerOptions::default();
        options.block_bytes = data.len();
        let good = read_with(&file[..], options.clone()).unwrap();
        assert_eq!(good, [Out::Ids(vec![7; 10_000])], "{codec}");
        options.block_bytes = data.len() - 1;
        let bad = read_with(&file[..], options).unwrap();
        assert_eq!(bad.len(), 2, "{codec}: {bad:?}");
        for out in bad {
            let Out::Bad(text) = out else {
                panic!("{codec}: {out:?}");
            };
            let limit = format!(
                "its data exceed the limit of {} bytes; its 5000 rows are lost",
                data.len() - 1
            );
            assert!(text.ends_with(&limit), "{codec}: {text}");
        }
    }
}

/// No limit at all is one too.
#[test]
fn blocks_without_a_limit() {
    let data: Vec<u8> = (0..50).flat_map(row).collect();
    let mut options = ContainerOptions::default();
    options.block_bytes = usize::MAX;
    for (codec, compressed) in compressed(&data) {
        let file = [header(SCHEMA, codec), block(50, &compressed)].concat();
        let out = read_with(&file[..], options.clone()).unwrap();
        assert_eq!(out, [Out::Ids((0..50).collect())], "{codec}");
    }
}

/// Python's writers cut a zlib stream into shape, and leave three of its checksum's bytes behind
/// the data.
#[cfg(feature = "deflate")]
#[test]
fn deflate_with_the_rest_of_a_checksum() {
    use std::io::Write as _;

    let data = row(1);
    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(&data).expect("writing to memory works");
    let compressed = writer.finish().expect("writing to memory works");
    let compressed = &compressed[2..compressed.len() - 1];
    let file = [header(SCHEMA, "deflate"), block(1, compressed)].concat();
    assert_eq!(read(&file[..]), [Out::Ids(vec![1])]);
}

#[cfg(feature = "zstandard")]
#[test]
fn zstandard_frames() {
    let frame =
        |id| ruzstd::encoding::compress_to_vec(&*row(id), ruzstd::encoding::CompressionLevel::Fastest);
    let skippable =
        |last: u8, claim: u32| [&[last, 0x2a, 0x4d, 0x18][..], &claim.to_le_bytes(), b"abc"].concat();
    let (first, last) = (skippable(0x50, 3), skippable(0x5f, 3));
    for (frames, rows) in [
        (vec![frame(1), frame(2)], 2),
        (
            vec![first.clone(), frame(1), last.clone(), first, frame(2), last],
            2,
        ),
        // Larger than the block, cut off, and no skippable frame.
        (vec![frame(1), skippable(0x50, 4)], 0),
        (vec![frame(1), skippable(0x50, u32::MAX)], 0),
        (vec![frame(1), skippable(0x50, 0)[..7].to_vec()], 0),
        (vec![frame(1), skippable(0x60, 3)], 0),
    ] {
        let file = [header(SCHEMA, "zstandard"), block(2, &frames.concat())].concat();
        let out = read(&file[..]);
        if rows == 2 {
            assert_eq!(out, [Out::Ids(vec![1, 2])]);
        } else {
            assert!(matches!(&out[..], [Out::Bad(_)]), "{out:?}");
        }
    }
}

#[cfg(feature = "snappy")]
#[test]
fn snappy_checks() {
    let data = row(1);
    let mut compressed = snap::raw::Encoder::new().compress_vec(&data).unwrap();
    compressed.extend(crc32fast::hash(&data).wrapping_add(1).to_be_bytes());
    let claim = [0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0];
    let cases: [(&[u8], &str); 3] = [
        (&compressed, "and the block says"),
        (&[1, 2, 3], "too short for its checksum"),
        (&claim, "cannot stand for"),
    ];
    for (compressed, text) in cases {
        let file = [header(SCHEMA, "snappy"), block(1, compressed)].concat();
        let out = read_with(&file[..], ContainerOptions::default()).unwrap();
        let [Out::Bad(error)] = &out[..] else {
            panic!("{out:?}");
        };
        assert!(error.contains(text), "{error}");
    }
}

/// The same block with each codec that can be written here.
fn compressed(data: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    assert!(!block_of(0..1).is_empty() && !data.is_empty());
    vec![
        #[cfg(feature = "deflate")]
        ("deflate", {
            use std::io::Write as _;
            let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            writer.write_all(data).expect("writing to memory works");
            writer.finish().expect("writing to memory works")
        }),
        #[cfg(feature = "snappy")]
        ("snappy", {
            let mut compressed = snap::raw::Encoder::new()
                .compress_vec(data)
                .expect("writing to memory works");
            compressed.extend(crc32fast::hash(data).to_be_bytes());
            compressed
        }),
        #[cfg(feature = "bzip2")]
        ("bzip2", {
            use std::io::Write as _;
            let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
            writer.write_all(data).expect("writing to memory works");
            writer.finish().expect("writing to memory works")
        }),
        #[cfg(feature = "zstandard")]
        (
            "zstandard",
            ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest),
        ),
    ]
}
