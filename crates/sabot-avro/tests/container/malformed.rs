//! What is wrong with a file is told exactly, and costs no more than it has to.

use std::io::Read;

use sabot_avro::{ContainerErrorKind, ContainerHeader, ContainerOptions, ContainerReader};
use sabot_decode::RowErrorKind;
use sabot_testkit::avro::{long, sized};

use crate::common::{Out, SCHEMA, SYNC, block, block_of, header, header_of, read, read_with, row};

fn bad(text: impl Into<String>) -> Out {
    Out::Bad(text.into())
}

#[test]
fn no_container() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "it is empty"),
        (b"Ob", "it begins with 0x4f, not with \"Obj\" and 0x01"),
        (
            b"Obj\x00 and so on",
            "it is of version 0 of the format, and 1 is known",
        ),
        (b"PAR1\x15\x04\x15", "it looks like Parquet"),
        (b"ARROW1\x00\x00", "it looks like Arrow's file format"),
        (&[0x1f, 0x8b, 8, 0], "it looks like gzip"),
        (&[0xc3, 1, 2, 3], "it looks like Avro's single-object encoding"),
        (b"{\"a\": 1}", "it looks like JSON"),
        (&[0xff; 9], "it begins with 0xff, not with \"Obj\" and 0x01"),
    ];
    for (bytes, text) in cases {
        let error = ContainerReader::new(*bytes).unwrap_err();
        assert_eq!(
            (error.kind(), error.is_fatal()),
            (ContainerErrorKind::NotAContainer, true)
        );
        assert_eq!(
            error.to_string(),
            format!("not an Avro object container file: {text}")
        );
    }
}

#[test]
fn headers() {
    let cut = &header(SCHEMA, "null")[..100];
    let cases: &[(Vec<u8>, &str)] = &[
        (cut.to_vec(), "the file ends within it"),
        (header_of(&[]), "it has no avro.schema"),
        (
            header_of(&[("avro.schema", &[0xff])]),
            "its avro.schema is not UTF-8",
        ),
        (
            header_of(&[("avro.schema", b"\"int\""), ("avro.codec", &[0xff])]),
            "its avro.codec is not UTF-8",
        ),
        (
            b"Obj\x01\x02\x02\xff\x00".to_vec(),
            "a key of its metadata is not UTF-8",
        ),
        (b"Obj\x01\x02\x01".to_vec(), "the length -1 at byte 5"),
        (
            [b"Obj\x01\x02", &long(1 << 40)[..]].concat(),
            "the length 1099511627776 at byte 5",
        ),
        (
            [&b"Obj\x01"[..], &[0xff; 11]].concat(),
            "the number at byte 4 is too long",
        ),
        (
            [&b"Obj\x01"[..], &long(i64::MAX), &[0; 100]].concat(),
            "the file ends within it",
        ),
    ];
    for (bytes, text) in cases {
        for error in [
            ContainerReader::new(&bytes[..]).unwrap_err(),
            ContainerHeader::read(&bytes[..]).unwrap_err(),
        ] {
            assert_eq!(
                (error.kind(), error.is_fatal()),
                (ContainerErrorKind::Header, true)
            );
            let expected = format!("the container file's header is malformed: {text}");
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn headers_without_end() {
    let many = [&b"Obj\x01"[..], &long(i64::MAX)].concat();
    let large = [&b"Obj\x01\x02\x02x"[..], &long(32 << 20)].concat();
    let cases = [
        (many, "it has more than 65536 entries"),
        (large, "it exceeds 33554432 bytes"),
    ];
    for (start, text) in cases {
        let input = std::io::Read::chain(&start[..], std::io::repeat(0));
        let error = ContainerReader::new(input).unwrap_err();
        assert!(error.to_string().ends_with(text), "{error}");
    }
}

#[test]
fn schemas_and_codecs() {
    let cases = [
        (
            header("\"what\"", "null"),
            ContainerErrorKind::Schema,
            "the file's schema cannot be used: the type \"what\" is not defined",
        ),
        (
            header("\"int\"", "lz4"),
            ContainerErrorKind::Codec,
            "the blocks are compressed with \"lz4\", which is no codec of the Avro specification",
        ),
        #[cfg(not(feature = "xz"))]
        (
            header("\"int\"", "xz"),
            ContainerErrorKind::Codec,
            "the blocks are compressed with xz, and this program is built without the feature \"xz\" of sabot-avro",
        ),
    ];
    for (file, kind, text) in cases {
        let error = ContainerReader::new(&file[..]).unwrap_err();
        assert_eq!((error.kind(), error.is_fatal()), (kind, true));
        assert_eq!(error.to_string(), text);
    }
}

/// A row with bad contents costs itself alone.
#[test]
fn rows_with_bad_contents() {
    let header = header(SCHEMA, "null");
    let at = header.len();
    let bad_boolean = [long(3), sized("c"), vec![7]].concat();
    let bad_text = [long(5), sized([b'a', 0xff]), vec![1]].concat();
    let rows = [row(1), row(2), bad_boolean, row(4), bad_text, row(6)].concat();
    let file = [header, block(6, &rows), block_of(7..9)].concat();
    let expected = [
        Out::Ids(vec![1, 2]),
        bad(format!(
            "block 0 at byte {at}, row 2, field ok, byte 19 of its data: the byte 0x07 is not a boolean"
        )),
        Out::Ids(vec![4]),
        bad(format!(
            "block 0 at byte {at}, row 4, field name, byte 31 of its data: the string is not valid UTF-8"
        )),
        Out::Ids(vec![6, 7, 8]),
    ];
    for batch_rows in [1, 2, 3, 100] {
        let mut options = ContainerOptions::default();
        options.target.limits.batch_rows = batch_rows;
        assert_eq!(read_with(&file[..], options).unwrap(), expected);
    }

    let mut reader = ContainerReader::new(&file[..]).unwrap();
    reader.next();
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ContainerErrorKind::Row);
    assert_eq!((error.block(), error.block_offset()), (Some(0), Some(at as u64)));
    assert_eq!((error.row_in_block(), error.byte_offset()), (Some(2), Some(19)));
    assert_eq!(error.field_path(), "ok");
    assert_eq!(error.row_error(), Some(RowErrorKind::InvalidBoolean(7)));
    assert_eq!((error.lost_rows(), error.is_fatal()), (1, false));
}

/// A row whose end cannot be found takes the rest of its block along.
#[test]
fn rows_without_an_end() {
    let header = header(SCHEMA, "null");
    let at = header.len() + block_of(0..2).len();
    let cases = [
        (
            [long(3), long(-1), vec![1]].concat(),
            "field name, byte 17 of its data: the length -1 is negative or exceeds the message",
        ),
        (
            [long(3), long(1 << 50), vec![1]].concat(),
            "field name, byte 17 of its data: the length 1125899906842624 is negative or exceeds the message",
        ),
        (
            vec![0xff; 11],
            "field id, byte 16 of its data: the variable-length integer does not fit its type",
        ),
    ];
    for (broken, text) in cases {
        let rows = [row(2), row(3), broken, row(4), row(5)].concat();
        let file = [header.clone(), block_of(0..2), block(5, &rows), block_of(6..8)].concat();
        let expected = [
            Out::Ids(vec![0, 1, 2, 3]),
            bad(format!(
                "block 1 at byte {at}, row 2, {text}; the 2 rows behind it in the block are lost with it"
            )),
            Out::Ids(vec![6, 7]),
        ];
        assert_eq!(read(&file[..]), expected);
    }
}

/// What a row lacks is told with the field's path even where a projection does not look at it.
#[test]
fn rows_that_end_within_a_field_that_is_not_read() {
    let header = header(SCHEMA, "null");
    let at = header.len();
    let file = [header, block(2, &[row(1), long(2)].concat()), block_of(3..4)].concat();
    let read_id = |projection: Option<Vec<String>>| {
        let mut options = ContainerOptions::default();
        options.target.projection = projection;
        read_with(&file[..], options).unwrap()
    };
    let all = bad(format!(
        "block 0 at byte {at}, row 1, field name, byte 9 of its data: the message ends inside a value"
    ));
    assert_eq!(read_id(None), [Out::Ids(vec![1]), all, Out::Ids(vec![3])]);
    let out = read_id(Some(vec!["id".into()]));
    let [Out::Ids(before), Out::Bad(text), Out::Ids(behind)] = &out[..] else {
        panic!("{out:?}");
    };
    assert_eq!((&before[..], &behind[..]), (&[1][..], &[3][..]));
    assert!(
        text.ends_with("byte 9 of its data: the message ends inside a value"),
        "{text}"
    );
}

#[test]
fn counts_that_are_not_true() {
    let header = header(SCHEMA, "null");
    let at = header.len();
    let two = [row(1), row(2)].concat();
    let less = [header.clone(), block(1, &two), block_of(3..4)].concat();
    let left = row(2).len();
    let expected = [
        Out::Ids(vec![1]),
        bad(format!(
            "block 0 at byte {at}: {left} bytes are left in the block after its last row"
        )),
        Out::Ids(vec![3]),
    ];
    assert_eq!(read(&less[..]), expected);

    let more = [header, block(4, &two), block_of(3..4)].concat();
    let expected = [
        Out::Ids(vec![1, 2]),
        bad(format!(
            "block 0 at byte {at}, row 2, field id, byte {} of its data: the message ends inside a value; \
             the next row, which ends the block, is lost with it",
            two.len()
        )),
        Out::Ids(vec![3]),
    ];
    assert_eq!(read(&more[..]), expected);
}

#[test]
fn blocks_that_are_broken() {
    let header = header(SCHEMA, "null");
    let at = header.len() + block_of(0..2).len();
    let good = block_of(2..4);
    let mut wrong_marker = good.clone();
    *wrong_marker.last_mut().unwrap() ^= 1;
    let data = &good[2..good.len() - 16];
    let with_head = |count: i64, size: i64| [long(count), long(size), data.to_vec(), SYNC.to_vec()].concat();
    let cases = [
        (
            with_head(-1, data.len() as i64),
            "its count of rows is -1".to_owned(),
        ),
        (
            with_head(2, -5),
            "its size is -5 bytes, and the limit 268435456; its 2 rows are lost".to_owned(),
        ),
        (
            with_head(2, 1 << 40),
            "its size is 1099511627776 bytes, and the limit 268435456; its 2 rows are lost".to_owned(),
        ),
        (
            with_head(2, data.len() as i64 - 1),
            "the sync marker behind the block is not the file's; its 2 rows are lost".to_owned(),
        ),
        (
            with_head(1, 3),
            "the sync marker behind the block is not the file's; its one row is lost".to_owned(),
        ),
        (
            [vec![0xff; 12], SYNC.to_vec()].concat(),
            "its count of rows is no number".to_owned(),
        ),
        (
            [vec![2], vec![0xff; 12], SYNC.to_vec()].concat(),
            "its size is no number".to_owned(),
        ),
    ];
    for (broken, text) in cases {
        let file = [header.clone(), block_of(0..2), broken, block_of(6..8)].concat();
        let expected = [
            Out::Ids(vec![0, 1]),
            bad(format!("block 1 at byte {at}: {text}")),
            Out::Ids(vec![6, 7]),
        ];
        assert_eq!(read(&file[..]), expected, "{text}");
    }

    // After a marker that is wrong itself, the next one is the next block's end.
    let file = [
        header.clone(),
        block_of(0..2),
        wrong_marker,
        block_of(6..8),
        block_of(8..9),
    ]
    .concat();
    let text = "the sync marker behind the block is not the file's; its 2 rows are lost";
    let expected = [
        Out::Ids(vec![0, 1]),
        bad(format!("block 1 at byte {at}: {text}")),
        Out::Ids(vec![8]),
    ];
    assert_eq!(read(&file[..]), expected);
}

/// A size beyond the end hides the blocks after it only until they are looked for.
#[test]
fn a_size_beyond_the_end() {
    let header = header(SCHEMA, "null");
    let at = header.len();
    let broken = [long(2), long(5000), row(0), row(1), SYNC.to_vec()].concat();
    let there = broken.len() - 3 + block_of(6..8).len();
    let file = [header, broken, block_of(6..8)].concat();
    let expected = [
        bad(format!(
            "block 0 at byte {at}: the file ends within the block: {there} bytes of 5016 are there; its 2 rows are lost"
        )),
        Out::Ids(vec![6, 7]),
    ];
    assert_eq!(read(&file[..]), expected);
}

/// A file cut anywhere gives the blocks before the cut, and says where it ends.
#[test]
fn cut_files() {
    let header = header(SCHEMA, "null");
    let (first, second) = (block_of(0..3), block_of(3..6));
    let file = [header.clone(), first.clone(), second].concat();
    let ends = [header.len(), header.len() + first.len(), file.len()];
    for end in 0..=file.len() {
        let result = read_with(&file[..end], ContainerOptions::default());
        let Ok(out) = result else {
            assert!(end < header.len(), "the header is whole at {end}");
            continue;
        };
        let blocks = ends.iter().filter(|at| **at <= end).count() - 1;
        let mut out = &out[..];
        if blocks > 0 {
            assert_eq!(out[0], Out::Ids((0..3 * blocks as i64).collect()));
            out = &out[1..];
        }
        match out {
            [] => assert!(ends.contains(&end), "a cut at {end} is not told of"),
            [Out::Bad(text)] => {
                let start = format!(
                    "block {blocks} at byte {}: the file ends within the block",
                    ends[blocks]
                );
                assert!(text.starts_with(&start), "{end}: {text}");
            }
            more => panic!("{end}: {more:?}"),
        }
    }
}

#[test]
fn rows_without_bytes_are_bounded() {
    let header = header(r#""null""#, "null");
    let file = [header, block(i64::MAX, b""), block(7, b"")].concat();
    let items: Vec<_> = ContainerReader::new(&file[..]).unwrap().collect();
    assert_eq!(items.len(), 2);
    let error = items[0].as_ref().unwrap_err();
    assert_eq!(
        error.row_error(),
        Some(RowErrorKind::LimitExceeded("rows without bytes in one block"))
    );
    assert_eq!(error.lost_rows(), i64::MAX as u64);
    assert_eq!(items[1].as_ref().unwrap().num_rows(), 7);
}

/// The limits of one message hold for one row.
#[test]
fn limits_of_rows() {
    let header = header(SCHEMA, "null");
    let at = header.len();
    let large = [long(2), sized(vec![b'x'; 100]), vec![0]].concat();
    let file = [header, block(3, &[row(1), large, row(3)].concat())].concat();
    let mut options = ContainerOptions::default();
    options.target.limits.row_bytes = 50;
    let expected = [
        Out::Ids(vec![1]),
        bad(format!(
            "block 0 at byte {at}, row 1, byte 8 of its data: the message exceeds the limit of bytes in one message"
        )),
        Out::Ids(vec![3]),
    ];
    assert_eq!(read_with(&file[..], options).unwrap(), expected);
}

/// Counts how often it is asked.
struct Counted<'a> {
    bytes: &'a [u8],
    reads: usize,
}

impl Read for &mut Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.reads += 1;
        self.bytes.read(into)
    }
}

/// Each head claims a block as large as may be, which is looked through for the next one: before
/// every read what is there moves to the buffer's start, so that reads have to grow with it.
#[test]
fn claims_within_claims() {
    const LIMIT_BYTES: usize = 4 << 20;
    /// From 64 KiB to the limit by doubling and as much as the heads took, then a quarter of the
    /// limit at a time, and the end.
    const MAX_READS: usize = 7 + 1 + 4 + 1;

    let piece = [long(1), long(LIMIT_BYTES as i64), vec![0; 1000], SYNC.to_vec()].concat();
    let file = [
        header(SCHEMA, "null"),
        piece.repeat(2 * LIMIT_BYTES / piece.len()),
        block_of(7..8),
    ]
    .concat();
    let mut options = ContainerOptions::default();
    options.block_bytes = LIMIT_BYTES;
    let mut counted = Counted {
        bytes: &file,
        reads: 0,
    };
    let out = read_with(&mut counted, options).unwrap();
    assert_eq!(out.last(), Some(&Out::Ids(vec![7])));
    assert!(counted.reads <= MAX_READS, "{} reads", counted.reads);
}
