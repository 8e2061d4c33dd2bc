//! Any bytes as an Object Container File: it comes to an end, in the same way however it is cut.
//!
//! Random bytes seldom have a header, and hardly ever a block after it, so that most inputs are
//! changes of good files, or what is in a block.

use std::io::Read;

use sabot_avro::{ContainerOptions, ContainerReader};

use super::dice::Dice;
use super::encode::encode_plainly;
use super::input::{bodies, spoil};
use super::types::{Base, Ty, Types};
use super::values::Val;

const SYNC: &[u8; 16] = b"sixteen bytes ok";
const CODECS: [&str; 7] = [
    "null",
    "deflate",
    "snappy",
    "bzip2",
    "xz",
    "zstandard",
    "unheard-of",
];

/// What came out of a file: the rows of batches one after the other, and errors where they were.
#[derive(Debug, PartialEq)]
enum Out {
    Rows(usize),
    Bad(String),
}

/// One input: a byte that says what the others are, and those. Says how many rows could be read.
pub(crate) fn check(input: &[u8]) -> usize {
    let Some((what, rest)) = input.split_first() else {
        return 0;
    };
    let file = match what % 4 {
        0 => rest.to_vec(),
        1 => in_block(rest),
        _ => changed(rest),
    };
    check_file(&file)
}

fn check_file(file: &[u8]) -> usize {
    let whole = read(file, 8192);
    assert_eq!(whole, read(file, 8192), "the same bytes, read twice");
    assert_eq!(whole, read(Trickle { bytes: file, size: 7 }, 8192), "in pieces");
    assert_eq!(whole, read(file, 3), "in small batches");
    let rows = whole.iter().map(|out| match out {
        Out::Rows(count) => *count,
        Out::Bad(_) => 0,
    });
    rows.sum()
}

/// All that comes out; an error that is fatal is the only one after the header's.
fn read(input: impl Read, batch_rows: usize) -> Vec<Out> {
    let mut options = ContainerOptions::default();
    options.block_bytes = 1 << 18;
    options.target.limits.batch_rows = batch_rows;
    options.target.limits.row_items = 1000;
    let mut reader = match ContainerReader::with_options(input, options) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(error.is_fatal(), "{error}");
            return vec![Out::Bad(error.to_string())];
        }
    };
    let mut out = Vec::new();
    for item in reader.by_ref() {
        match (item, out.last_mut()) {
            (Ok(batch), Some(Out::Rows(rows))) => *rows += batch.num_rows(),
            (Ok(batch), _) => out.push(Out::Rows(batch.num_rows())),
            (Err(error), _) => {
                assert!(!error.is_fatal(), "{error}");
                let text = error.to_string();
                assert!(!text.is_empty() && !text.contains('\n'), "{text}");
                out.push(Out::Bad(text));
            }
        }
    }
    assert!(reader.next().is_none(), "it ended already");
    out
}

/// A file whose one block has the bytes given, as a codec's or as they are.
fn in_block(rest: &[u8]) -> Vec<u8> {
    let (choices, data) = rest.split_at(rest.len().min(3));
    let mut dice = Dice::new(choices);
    let codec = dice.pick(&CODECS);
    let schema = dice.pick(&[
        r#"{"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}]}"#,
        r#"{"type": "array", "items": ["null", "string"]}"#,
        "\"null\"",
        r#"{"type": "array", "items": "null"}"#,
    ]);
    let rows = dice.below(9) as i64;
    [header(schema, codec), block(rows, data), block(1, &[0, 0])].concat()
}

/// A good file of a random schema, with some changes.
fn changed(rest: &[u8]) -> Vec<u8> {
    let mut dice = Dice::new(rest);
    let mut types = Types::new(&mut dice);
    let ty = types.root(&mut dice);
    let mut file = header(&ty.json(), "null");
    for _ in 0..=dice.below(3) {
        let rows: Vec<_> = bodies(&mut dice, &ty).into_iter().map(|(_, body)| body).collect();
        file.extend(block(rows.len() as i64, &rows.concat()));
    }
    if !dice.once_in(3) {
        spoil(&mut dice, &mut file);
    }
    file
}

fn header(schema: &str, codec: &str) -> Vec<u8> {
    let ty = Ty::from(Base::Map(Box::new(Base::Bytes.into())));
    let entries = [("avro.schema", schema), ("avro.codec", codec)];
    let entries = entries.map(|(key, value)| (key.to_owned(), Val::Bytes(value.into())));
    let mut bytes = b"Obj\x01".to_vec();
    encode_plainly(&ty, &Val::Map(entries.into()), &mut bytes);
    bytes.extend(SYNC);
    bytes
}

fn block(rows: i64, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_plainly(&Base::Long.into(), &Val::Long(rows), &mut bytes);
    encode_plainly(&Base::Bytes.into(), &Val::Bytes(data.into()), &mut bytes);
    bytes.extend(SYNC);
    bytes
}

/// Gives some bytes at a time.
struct Trickle<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.size.min(into.len()).min(self.bytes.len());
        let (now, later) = self.bytes.split_at(size);
        into[..size].copy_from_slice(now);
        self.bytes = later;
        Ok(size)
    }
}
