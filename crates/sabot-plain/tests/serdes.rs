//! Each serde against the bytes that Kafka's serializers write, and against bytes that they do not.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, StringArray,
};
use sabot_decode::{
    BinaryType, DecoderFactory, EnumType, FieldPathId, OutputSchema, Payload, RowErrorKind, StringType,
    Target, UuidType, WriterSchema,
};
use sabot_plain::{PlainFactory, Serde};

const UUID: &str = "89791762-2336-4186-9674-299b90a802e2";

fn decode(serde: Serde, target: &Target, payloads: &[&[u8]]) -> (ArrayRef, Vec<(u32, u32, RowErrorKind)>) {
    let mut decoder = PlainFactory::new(serde).open(target).unwrap();
    let rows: Vec<_> = payloads.iter().map(|bytes| Payload::unframed(bytes)).collect();
    let mut bad = Vec::new();
    let progress = decoder.decode(&rows, &mut |e| {
        assert_eq!(e.path, FieldPathId::ROOT);
        bad.push((e.slot, e.byte_offset, e.kind));
    });
    assert_eq!(progress.taken, rows.len());
    (Arc::clone(decoder.flush().unwrap().batch.column(0)), bad)
}

#[test]
fn what_kafka_writes_is_read() {
    let uuid = hex("89791762233641869674299b90a802e2");
    let cases: [(Serde, &[u8], ArrayRef); 9] = [
        (
            Serde::String,
            "größer".as_bytes(),
            Arc::new(StringArray::from(vec!["größer"])),
        ),
        (
            Serde::Bytes,
            &[0, 0xff],
            Arc::new(BinaryArray::from_vec(vec![&[0, 0xff]])),
        ),
        (Serde::Boolean, &[1], Arc::new(BooleanArray::from(vec![true]))),
        (Serde::Short, &[0xff, 0xfe], Arc::new(Int16Array::from(vec![-2]))),
        (Serde::Int, &[0, 0, 1, 0], Arc::new(Int32Array::from(vec![256]))),
        (
            Serde::Long,
            &[0x80, 0, 0, 0, 0, 0, 0, 0],
            Arc::new(Int64Array::from(vec![i64::MIN])),
        ),
        (
            Serde::Float,
            &[0x3f, 0x80, 0, 0],
            Arc::new(Float32Array::from(vec![1.0])),
        ),
        (
            Serde::Double,
            &[0xbf, 0xf0, 0, 0, 0, 0, 0, 0],
            Arc::new(Float64Array::from(vec![-1.0])),
        ),
        (
            Serde::Uuid,
            UUID.as_bytes(),
            Arc::new(FixedSizeBinaryArray::try_from_iter([uuid].into_iter()).unwrap()),
        ),
    ];
    for (serde, bytes, expected) in cases {
        let (column, bad) = decode(serde, &Target::default(), &[bytes]);
        assert!(bad.is_empty(), "{serde:?}: {bad:?}");
        assert_eq!(&column, &expected, "{serde:?}");
    }
}

#[test]
fn what_kafka_would_not_write_is_refused_where_the_fault_is() {
    use RowErrorKind as K;
    let cases: [(Serde, &[u8], u32, K); 10] = [
        (Serde::String, b"ab\xff", 2, K::InvalidUtf8),
        (Serde::String, b"\xc3", 0, K::InvalidUtf8),
        (
            Serde::Boolean,
            &[],
            0,
            K::WrongSize {
                expected: 1,
                found: 0,
            },
        ),
        (Serde::Boolean, &[2], 0, K::InvalidBoolean(2)),
        (
            Serde::Short,
            &[1],
            0,
            K::WrongSize {
                expected: 2,
                found: 1,
            },
        ),
        (
            Serde::Int,
            &[0; 5],
            0,
            K::WrongSize {
                expected: 4,
                found: 5,
            },
        ),
        (
            Serde::Long,
            &[0; 4],
            0,
            K::WrongSize {
                expected: 8,
                found: 4,
            },
        ),
        (
            Serde::Double,
            &[0; 4],
            0,
            K::WrongSize {
                expected: 8,
                found: 4,
            },
        ),
        (
            Serde::Uuid,
            b"89791762233641869674299b90a802e2",
            0,
            K::InvalidText,
        ),
        (
            Serde::Uuid,
            b"89791762-2336-4186-9674-299b90a802eg",
            0,
            K::InvalidText,
        ),
    ];
    for (serde, bytes, byte_offset, kind) in cases {
        let (column, bad) = decode(serde, &Target::default(), &[bytes]);
        assert_eq!(bad, [(0, byte_offset, kind)], "{serde:?} {bytes:?}");
        assert!(column.is_null(0), "{serde:?}");
    }
}

#[test]
fn the_mapping_chooses_the_text_types() {
    let mut target = Target::default();
    for (strings, expected) in [
        (StringType::Utf8, "Utf8"),
        (StringType::LargeUtf8, "LargeUtf8"),
        (StringType::Utf8View, "Utf8View"),
    ] {
        target.mapping.strings = strings;
        let (column, bad) = decode(
            Serde::String,
            &target,
            &[b"x", b"\xff", b"longer than twelve bytes"],
        );
        assert_eq!(column.data_type().to_string(), expected);
        assert_eq!((column.null_count(), bad.len()), (1, 1));
        // Text is text, a UUID's too.
        target.mapping.uuids = UuidType::Utf8;
        let (column, _) = decode(Serde::Uuid, &target, &[UUID.as_bytes()]);
        assert_eq!(column.data_type().to_string(), expected);
    }
    target.mapping.strings = StringType::Utf8;
    let (column, bad) = decode(Serde::Uuid, &target, &[UUID.as_bytes(), b"no UUID"]);
    assert_eq!(
        &column,
        &(Arc::new(StringArray::from(vec![Some(UUID), None])) as ArrayRef)
    );
    assert_eq!(bad.len(), 1);
}

#[test]
fn the_mapping_chooses_the_type_of_bytes() {
    let mut target = Target::default();
    for (bytes, expected) in [
        (BinaryType::Binary, "Binary"),
        (BinaryType::LargeBinary, "LargeBinary"),
        (BinaryType::BinaryView, "BinaryView"),
    ] {
        target.mapping.bytes = bytes;
        let (column, bad) = decode(Serde::Bytes, &target, &[b"\xff", b"longer than twelve bytes"]);
        assert_eq!(
            (column.data_type().to_string().as_str(), bad.len()),
            (expected, 0)
        );
    }
}

#[test]
fn a_target_that_a_plain_value_cannot_meet_is_refused() {
    let mut target = Target::default();
    target.output = OutputSchema::Reader(WriterSchema::avro("\"string\""));
    assert!(PlainFactory::new(Serde::String).open(&target).is_err());
    target.output = OutputSchema::FirstWriter;
    let factory = PlainFactory::new(Serde::String).named("the, text");
    for (path, expected) in [
        ("\"the, text\"", None),
        ("THE_TEXT", Some("field THE_TEXT: ")),
        ("\"the, text\".x", Some("cannot select within string")),
        ("the, text", Some("there are \"the, text\"")),
        ("other", Some("field other: ")),
    ] {
        target.projection = Some(vec![path.to_owned()]);
        let error = factory.open(&target).err().map(|error| error.to_string());
        match (expected, error) {
            (None, None) => {}
            (Some(expected), Some(error)) if error.contains(expected) => {}
            (_, error) => panic!("{path}: {error:?}"),
        }
    }
    target.projection = None;
    target.mapping.enums = EnumType::Utf8;
    let error = factory.open(&target).unwrap_err().to_string();
    assert!(error.contains("the option `enums` cannot be honoured"), "{error}");
}

#[test]
fn names_read_back() {
    for serde in Serde::ALL {
        assert_eq!(Serde::from_name(serde.name()), Some(serde));
    }
    assert_eq!(Serde::from_name("avro"), None);
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
