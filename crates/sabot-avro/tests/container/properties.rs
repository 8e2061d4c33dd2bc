//! What holds for any bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use sabot_avro::{ContainerOptions, ContainerReader};

use crate::common::{Out, SCHEMA, block_of, header, read};

fn file(codec: &str) -> (usize, Vec<u8>) {
    let header = header(SCHEMA, codec);
    let start = header.len();
    (
        start,
        [header, block_of(0..40), block_of(40..50), block_of(50..90)].concat(),
    )
}

/// Reads all there is.
fn drain(bytes: &[u8]) {
    let mut options = ContainerOptions::default();
    options.block_bytes = 1 << 20;
    let Ok(mut reader) = ContainerReader::with_options(bytes, options) else {
        return;
    };
    let (mut rows, mut errors) = (0, 0);
    for item in reader.by_ref() {
        match item {
            Ok(batch) => rows += batch.num_rows(),
            Err(error) => {
                errors += 1;
                assert!(!error.is_fatal(), "{error}");
                let text = error.to_string();
                assert!(!text.is_empty() && !text.contains('\n'), "{text}");
            }
        }
    }
    // Every row takes some bytes, and every error its block's.
    assert!(rows + errors <= bytes.len() + (1 << 20));
    assert!(reader.next().is_none());
}

proptest! {
    #[test]
    fn changed_files(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        for codec in ["null", "deflate", "snappy", "bzip2", "xz", "zstandard"] {
            let (_, mut file) = file(codec);
            for (at, byte) in &changes {
                let at = at.index(file.len());
                file[at] = *byte;
            }
            drain(&file);
        }
    }

    #[test]
    fn arbitrary_blocks(data in vec(prop_oneof![Just(0u8), 0..8_u8, any::<u8>()], 0..200)) {
        for codec in ["null", "deflate", "snappy", "bzip2", "xz", "zstandard"] {
            for schema in [SCHEMA, r#""null""#, r#"{"type": "array", "items": ["null", "string"]}"#] {
                let block = crate::common::block(3, &data);
                drain(&[header(schema, codec), data.clone(), block].concat());
            }
        }
    }

    /// Rows before a change in the last block are as they were, and those of the other blocks.
    #[test]
    fn rows_of_other_blocks_are_unchanged(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_, file) = file("null");
        let last = block_of(50..90).len();
        let start = file.len() - last;
        let mut changed = file.clone();
        let at = start + at.index(last);
        changed[at] = byte;
        let out = read(&changed[..]);
        let Out::Ids(first) = &out[0] else {
            panic!("{out:?}");
        };
        prop_assert_eq!(&first[..50], &(0..50).collect::<Vec<_>>()[..]);
    }
}
