//! What a good file gives.

use std::io::{self, Read};

use apache_avro::types::Value;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use sabot_avro::{ContainerErrorKind, ContainerHeader, ContainerOptions, ContainerReader};
use sabot_decode::{OutputSchema, WriterSchema};

use crate::common::{Out, SCHEMA, SYNC, Trickle, block, block_of, header, header_of, read, read_with};

fn three_blocks() -> Vec<u8> {
    let blocks = [
        block_of(0..3),
        block(0, b""),
        block_of(3..300),
        block_of(300..301),
    ];
    [header(SCHEMA, "null"), blocks.concat()].concat()
}

#[test]
fn rows_of_all_blocks_come_in_order() {
    assert_eq!(read(&three_blocks()[..]), [Out::Ids((0..301).collect())]);
}

#[test]
fn batches_do_not_follow_blocks() {
    for batch_rows in [1, 2, 100, 128, 129, 1000] {
        let mut options = ContainerOptions::default();
        options.target.limits.batch_rows = batch_rows;
        let file = three_blocks();
        let reader = ContainerReader::with_options(&file[..], options.clone()).unwrap();
        let sizes: Vec<_> = reader.map(|batch| batch.unwrap().num_rows()).collect();
        let (last, full) = sizes.split_last().unwrap();
        assert!(full.iter().all(|size| *size == batch_rows), "{sizes:?}");
        assert!((1..=batch_rows).contains(last), "{sizes:?}");
        assert_eq!(
            read_with(&file[..], options).unwrap(),
            [Out::Ids((0..301).collect())]
        );
    }
}

#[test]
fn input_in_pieces() {
    let file = three_blocks();
    for size in [1, 2, 15, 16, 17, 1000] {
        let input = Trickle {
            bytes: &file,
            size,
            is_interrupted: false,
        };
        assert_eq!(
            read(input),
            [Out::Ids((0..301).collect())],
            "{size} bytes at a time"
        );
    }
}

#[test]
fn a_file_without_rows_has_a_schema_and_no_batch() {
    for file in [
        header(SCHEMA, "null"),
        [header(SCHEMA, "null"), block(0, b"")].concat(),
    ] {
        let mut reader = ContainerReader::new(&file[..]).unwrap();
        assert_eq!(reader.schema().fields().len(), 3);
        assert!(reader.next().is_none());
        assert!(reader.next().is_none());
    }
}

#[test]
fn rows_without_bytes() {
    let file = [header(r#""null""#, "null"), block(1000, b"")].concat();
    let reader = ContainerReader::new(&file[..]).unwrap();
    let rows: usize = reader.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 1000);
}

#[test]
fn the_header_is_shown() {
    let metadata: &[(&str, &[u8])] = &[
        ("avro.schema", b"\"int\""),
        ("made.by", b"hand"),
        ("not.text", &[0xff]),
        ("avro.codec", b"lz4"),
    ];
    let header = ContainerHeader::read(&header_of(metadata)[..]).unwrap();
    assert_eq!(*header.schema(), WriterSchema::avro("\"int\""));
    assert_eq!(header.codec(), "lz4");
    assert_eq!(header.metadata().collect::<Vec<_>>(), metadata);
    assert_eq!(header.sync_marker(), *SYNC);

    // The metadata in blocks, one with its size; no codec; a key twice.
    let mut bytes = b"Obj\x01\x01\x2a\x16avro.schema\x08\"in\"".to_vec();
    bytes.extend(b"\x02\x16avro.schema\x0c\"long\"\x00");
    bytes.extend(SYNC);
    let header = ContainerHeader::read(&bytes[..]).unwrap();
    assert_eq!((&*header.schema().text, header.codec()), ("\"long\"", "null"));
    assert_eq!(header.metadata().len(), 2);
}

#[test]
fn a_header_of_any_size() {
    // The sizes around those that are tried.
    for padding in (380..400).chain(900..920).chain([5000, 70_000, 1 << 20]) {
        let padding = vec![b'x'; padding];
        let metadata: &[(&str, &[u8])] = &[("padding", &padding), ("avro.schema", SCHEMA.as_bytes())];
        let file = [header_of(metadata), block_of(0..2)].concat();
        assert_eq!(read(&file[..]), [Out::Ids(vec![0, 1])]);
    }
}

#[test]
fn a_reader_schema_and_a_projection() {
    let file = three_blocks();
    let mut options = ContainerOptions::default();
    options.target.output = OutputSchema::Reader(WriterSchema::avro(
        r#"{"type": "record", "name": "R", "fields": [
            {"name": "id", "type": "double"}, {"name": "name", "type": "string"},
            {"name": "new", "type": "string", "default": "none"}]}"#,
    ));
    options.target.projection = Some(vec!["id".into(), "new".into()]);
    let mut reader = ContainerReader::with_options(&file[..], options).unwrap();
    let types: Vec<_> = reader.schema().fields().iter().map(|f| f.data_type()).collect();
    assert_eq!(types, [&DataType::Float64, &DataType::Utf8]);
    let batch = reader.next().unwrap().unwrap();
    assert_eq!(batch.num_rows(), 301);
    assert_eq!(batch["new"].as_string::<i32>().value(300), "none");
}

#[test]
fn files_that_apache_avro_wrote() {
    let schema = apache_avro::Schema::parse_str(SCHEMA).unwrap();
    let mut writer = apache_avro::Writer::new(&schema, Vec::new()).unwrap();
    for id in 0..20_000 {
        writer
            .append_value(Value::Record(vec![
                ("id".into(), Value::Long(id)),
                ("name".into(), Value::String(format!("row {id}"))),
                ("ok".into(), Value::Boolean(id % 2 == 0)),
            ]))
            .unwrap();
    }
    let file = writer.into_inner().unwrap();
    assert_eq!(read(&file[..]), [Out::Ids((0..20_000).collect())]);
}

/// Fails after some bytes.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk is on fire")),
            read => Ok(read),
        }
    }
}

#[test]
fn input_that_fails() {
    let file = three_blocks();
    let mut reader = ContainerReader::new(Failing(&file)).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().num_rows(), 301);
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.is_fatal()), (ContainerErrorKind::Io, true));
    assert_eq!(
        error.to_string(),
        "the input could not be read: the disk is on fire"
    );
    assert!(reader.next().is_none());

    let error = ContainerReader::new(Failing(&file[..20])).unwrap_err();
    assert_eq!(error.kind(), ContainerErrorKind::Io);
}
