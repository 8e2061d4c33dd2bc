//! Each malformed frame has an error of its own, and each error a text that helps.

use std::collections::HashSet;

use sabot_wire::{
    FrameError, Framing, HeaderError, MAX_MESSAGE_INDEXES, MessagePath, MessagePathBuf, PathError, SchemaKey,
    WriteError,
};

const GUID: [u8; 16] = *b"sixteen bytes ok";

/// `bytes` after a v0 prefix.
fn v0(bytes: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 0, 7], bytes].concat()
}

#[test]
fn malformed_payloads() {
    use FrameError::{Empty, InvalidMagicByte, Path, TruncatedGuid, TruncatedId, TruncatedLongId};
    use Framing::{ApicurioLegacy, Confluent, ConfluentProtobuf, ConfluentProtobufPlainVarints as Plain};
    let too_many = v0(&[66]);
    let plain_too_many = v0(&[33]);
    let cases: &[(Framing, &[u8], FrameError)] = &[
        (Confluent, b"", Empty),
        (Confluent, b"{\"a\":1}", InvalidMagicByte(b'{')),
        (Confluent, &[2, 0, 0, 0, 1], InvalidMagicByte(2)),
        (Confluent, &[0xff], InvalidMagicByte(0xff)),
        (Confluent, &[0], TruncatedId { found_bytes: 0 }),
        (Confluent, &[0, 0, 0, 0], TruncatedId { found_bytes: 3 }),
        (Confluent, &[1], TruncatedGuid { found_bytes: 0 }),
        (Confluent, &[1; 16], TruncatedGuid { found_bytes: 15 }),
        (ConfluentProtobuf, b"", Empty),
        (ConfluentProtobuf, &[8, 1], InvalidMagicByte(8)),
        (ConfluentProtobuf, &[0, 0, 0, 0], TruncatedId { found_bytes: 3 }),
        (ConfluentProtobuf, &v0(&[]), Path(PathError::Missing)),
        (ConfluentProtobuf, &[1; 17], Path(PathError::Missing)),
        (ConfluentProtobuf, &v0(&[0x80]), Path(PathError::Truncated)),
        (ConfluentProtobuf, &v0(&[4, 2]), Path(PathError::Truncated)),
        (ConfluentProtobuf, &v0(&[4, 2, 0x80]), Path(PathError::Truncated)),
        (ConfluentProtobuf, &v0(&[1]), Path(PathError::NegativeCount(-1))),
        (
            ConfluentProtobuf,
            &v0(&[0xff, 0xff, 0xff, 0xff, 0x0f]),
            Path(PathError::NegativeCount(i32::MIN)),
        ),
        (ConfluentProtobuf, &too_many, Path(PathError::TooMany(33))),
        (
            ConfluentProtobuf,
            &v0(&[0xfe, 0xff, 0xff, 0xff, 0x0f]),
            Path(PathError::TooMany(i32::MAX as u32)),
        ),
        (
            ConfluentProtobuf,
            &v0(&[2, 1]),
            Path(PathError::NegativeIndex(-1)),
        ),
        (
            ConfluentProtobuf,
            &v0(&[4, 0, 3]),
            Path(PathError::NegativeIndex(-2)),
        ),
        (
            ConfluentProtobuf,
            &v0(&[2, 0xfe, 0xff, 0xff, 0xff, 0x1f]),
            Path(PathError::OutOfRange),
        ),
        (
            ConfluentProtobuf,
            &v0(&[2, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
            Path(PathError::OutOfRange),
        ),
        (ConfluentProtobuf, &v0(&[0xff; 5]), Path(PathError::OutOfRange)),
        (ConfluentProtobuf, &v0(&[0x80, 0]), Path(PathError::Overlong)),
        (ConfluentProtobuf, &v0(&[2, 0x82, 0]), Path(PathError::Overlong)),
        (
            ConfluentProtobuf,
            &v0(&[2, 0x80, 0x80, 0x80, 0x80, 0]),
            Path(PathError::Overlong),
        ),
        (Plain, &v0(&[]), Path(PathError::Missing)),
        (Plain, &v0(&[2, 0]), Path(PathError::Truncated)),
        (Plain, &plain_too_many, Path(PathError::TooMany(33))),
        (
            Plain,
            &v0(&[1, 0x80, 0x80, 0x80, 0x80, 0x08]),
            Path(PathError::OutOfRange),
        ),
        (Plain, &v0(&[1, 0x81, 0]), Path(PathError::Overlong)),
        (ApicurioLegacy, b"", Empty),
        (ApicurioLegacy, b"[]", InvalidMagicByte(b'[')),
        (ApicurioLegacy, &[1; 17], InvalidMagicByte(1)),
        (ApicurioLegacy, &[0], TruncatedLongId { found_bytes: 0 }),
        (ApicurioLegacy, &[0; 8], TruncatedLongId { found_bytes: 7 }),
    ];
    for &(framing, payload, error) in cases {
        assert_eq!(
            framing.split(None, payload),
            Err(error),
            "{framing:?} {payload:02x?}"
        );
    }
}

#[test]
fn malformed_single_objects() {
    use FrameError::{Empty, InvalidMarker, TruncatedFingerprint, UnknownSingleObjectVersion};
    let cut = |found_bytes| TruncatedFingerprint { found_bytes };
    let cases: &[(&[u8], FrameError, &str)] = &[
        (
            b"",
            Empty,
            "the payload is empty: a magic byte and a schema id are missing",
        ),
        (
            &[0, 0, 0, 0, 7],
            InvalidMarker(0),
            "the payload begins with 0x00, not with the marker 0xc3 0x01 of Avro's single-object encoding \
             (it looks like a registry's wire format)",
        ),
        (
            b"{}",
            InvalidMarker(b'{'),
            "the payload begins with 0x7b, not with the marker 0xc3 0x01 of Avro's single-object encoding \
             (it looks like JSON)",
        ),
        (
            &[0xc3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            UnknownSingleObjectVersion(2),
            "version 2 of Avro's single-object encoding is unknown: expected 1",
        ),
        (
            &[0xc3],
            cut(0),
            "the payload ends within its 8-byte schema fingerprint: 0 bytes behind the marker",
        ),
        (
            &[0xc3, 1, 9],
            cut(1),
            "the payload ends within its 8-byte schema fingerprint: 1 byte behind the marker",
        ),
        (
            &[0xc3, 1, 1, 2, 3, 4, 5, 6, 7],
            cut(7),
            "the payload ends within its 8-byte schema fingerprint: 7 bytes behind the marker",
        ),
    ];
    for &(payload, error, text) in cases {
        // A header is not looked at.
        for header in [None, Some(&GUID[..])] {
            let split = Framing::AvroSingleObject.split(header, payload);
            assert_eq!(split, Err(error), "{payload:02x?}");
        }
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn malformed_headers() {
    use Framing::{ApicurioLegacy, ApicurioLegacyContentId, Confluent, ConfluentProtobuf};
    use HeaderError::{
        Empty, InvalidLongIdSize, InvalidMagicByte, Path, TrailingBytes, TruncatedGuid, TruncatedId,
    };
    let guid = |bytes: &[u8]| [&[1][..], &GUID, bytes].concat();
    let cases: &[(Framing, &[u8], HeaderError)] = &[
        (Confluent, b"", Empty),
        (Confluent, b"42", InvalidMagicByte(b'4')),
        (Confluent, &[0, 1, 2], TruncatedId { found_bytes: 2 }),
        (Confluent, &[1, 1, 2], TruncatedGuid { found_bytes: 2 }),
        (Confluent, &v0(&[0]), TrailingBytes { found_bytes: 1 }),
        (Confluent, &guid(&[4, 0, 0]), TrailingBytes { found_bytes: 3 }),
        (ConfluentProtobuf, &guid(&[]), Path(PathError::Missing)),
        (ConfluentProtobuf, &guid(&[2]), Path(PathError::Truncated)),
        (
            ConfluentProtobuf,
            &guid(&[1, 0]),
            Path(PathError::NegativeCount(-1)),
        ),
        (
            ConfluentProtobuf,
            &guid(&[0, 0]),
            TrailingBytes { found_bytes: 1 },
        ),
        (ApicurioLegacy, b"", InvalidLongIdSize { found_bytes: 0 }),
        (ApicurioLegacy, &[0; 7], InvalidLongIdSize { found_bytes: 7 }),
        (
            ApicurioLegacyContentId,
            &[0; 9],
            InvalidLongIdSize { found_bytes: 9 },
        ),
    ];
    for &(framing, header, error) in cases {
        // A good prefix in the payload does not help: with the header, the payload is the body.
        let split = framing.split(Some(header), &[0; 20]);
        assert_eq!(split, Err(FrameError::Header(error)), "{framing:?} {header:02x?}");
    }
}

/// A frame cut anywhere before its body is an error, and so is a header cut anywhere.
#[test]
fn cut_frames() {
    let path = MessagePathBuf::new(&[1, 300, 2]).unwrap();
    let cases = [
        (Framing::Confluent, SchemaKey::Id(1), MessagePath::FIRST),
        (
            Framing::Confluent,
            SchemaKey::Guid(sabot_wire::Guid::from_bytes(GUID)),
            MessagePath::FIRST,
        ),
        (Framing::ConfluentProtobuf, SchemaKey::Id(1), path.as_path()),
        (
            Framing::ConfluentProtobufPlainVarints,
            SchemaKey::Id(1),
            path.as_path(),
        ),
        (
            Framing::ApicurioLegacy,
            SchemaKey::GlobalId(-1),
            MessagePath::FIRST,
        ),
        (
            Framing::ApicurioLegacyContentId,
            SchemaKey::ContentId(1),
            MessagePath::FIRST,
        ),
    ];
    for (framing, key, path) in cases {
        let (mut prefix, mut header) = (Vec::new(), Vec::new());
        framing.write_prefix(key, path, &mut prefix).unwrap();
        framing.write_header(key, path, &mut header).unwrap();
        for end in 0..prefix.len() {
            assert!(
                framing.split(None, &prefix[..end]).is_err(),
                "{framing:?} cut at {end}"
            );
        }
        for end in 0..header.len() {
            assert!(
                framing.split(Some(&header[..end]), b"body").is_err(),
                "{framing:?} header cut at {end}"
            );
        }
        let whole = framing.split(None, &prefix).unwrap();
        assert_eq!((whole.key, whole.path, whole.body), (key, path, &[][..]));
    }
}

#[test]
fn accepted_spellings() {
    // `02 00` spells `[0]` out, and equals the short form.
    let spelt = v0(&[2, 0, 9]);
    let frame = Framing::ConfluentProtobuf.split(None, &spelt).unwrap();
    assert!(frame.path.is_first());
    assert_eq!(
        (frame.path, frame.body, frame.prefix_bytes),
        (MessagePath::FIRST, &[9][..], 7)
    );
    // A v0 id may be in a header.
    let frame = Framing::Confluent.split(Some(&[0, 0, 0, 0, 7]), b"{}").unwrap();
    assert_eq!(
        (frame.key, frame.body, frame.prefix_bytes),
        (SchemaKey::Id(7), &b"{}"[..], 0)
    );
    // A body may be empty: a record without fields is.
    assert_eq!(Framing::Confluent.split(None, &v0(&[])).unwrap().body, []);
    assert_eq!(Framing::Confluent.split(Some(&v0(&[])), &[]).unwrap().body, []);
    // Unframed payloads may be anything, and headers do not count.
    for payload in [&b""[..], b"{}", &[0; 5]] {
        let frame = Framing::Unframed.split(Some(b"junk"), payload).unwrap();
        assert_eq!(
            (frame.key, frame.body, frame.prefix_bytes),
            (SchemaKey::Absent, payload, 0)
        );
    }
}

#[test]
fn paths_are_equal_by_their_indexes() {
    let (zigzag, _) = MessagePath::split(&[4, 2, 0]).unwrap();
    let (plain, _) = MessagePath::split_plain_varints(&[2, 1, 0]).unwrap();
    let (other, _) = MessagePath::split(&[4, 2, 2]).unwrap();
    assert_eq!(zigzag, plain);
    assert_ne!(zigzag, other);
    assert_eq!(HashSet::from([zigzag, plain, other, MessagePath::FIRST]).len(), 3);
    assert_eq!(zigzag.to_string(), "[1, 0]");
    assert_eq!(MessagePath::FIRST.iter().collect::<Vec<_>>(), [0]);
    assert_eq!(MessagePath::FIRST.iter().len(), 1);
    assert_eq!(zigzag.iter().len(), 2);
}

#[test]
fn path_buffers_have_limits() {
    let most = [i32::MAX as u32; MAX_MESSAGE_INDEXES];
    assert!(MessagePathBuf::new(&most).unwrap().as_path().iter().eq(most));
    assert_eq!(
        MessagePathBuf::new(&[0; MAX_MESSAGE_INDEXES + 1]),
        Err(PathError::TooMany(33))
    );
    assert_eq!(MessagePathBuf::new(&[0, 1 << 31]), Err(PathError::OutOfRange));
    assert!(MessagePathBuf::new(&[]).unwrap().as_path().is_first());
    assert!(MessagePathBuf::new(&[0]).unwrap().as_path().is_first());
    assert!(!MessagePathBuf::new(&[0, 0]).unwrap().as_path().is_first());
}

#[test]
fn what_a_framing_cannot_carry_is_not_written() {
    let path = MessagePathBuf::new(&[1]).unwrap();
    let first = MessagePath::FIRST;
    let cases = [
        (
            Framing::Unframed,
            SchemaKey::Id(1),
            first,
            WriteError::Key(SchemaKey::Id(1)),
        ),
        (
            Framing::Unframed,
            SchemaKey::Absent,
            path.as_path(),
            WriteError::Path,
        ),
        (
            Framing::Confluent,
            SchemaKey::Absent,
            first,
            WriteError::Key(SchemaKey::Absent),
        ),
        (
            Framing::Confluent,
            SchemaKey::GlobalId(1),
            first,
            WriteError::Key(SchemaKey::GlobalId(1)),
        ),
        (
            Framing::Confluent,
            SchemaKey::Id(1),
            path.as_path(),
            WriteError::Path,
        ),
        (
            Framing::ApicurioLegacy,
            SchemaKey::ContentId(1),
            first,
            WriteError::Key(SchemaKey::ContentId(1)),
        ),
        (
            Framing::ApicurioLegacyContentId,
            SchemaKey::Id(1),
            first,
            WriteError::Key(SchemaKey::Id(1)),
        ),
        (
            Framing::ApicurioLegacy,
            SchemaKey::GlobalId(1),
            path.as_path(),
            WriteError::Path,
        ),
        (
            Framing::Confluent,
            SchemaKey::Fingerprint(1),
            first,
            WriteError::Key(SchemaKey::Fingerprint(1)),
        ),
        (
            Framing::AvroSingleObject,
            SchemaKey::Id(1),
            first,
            WriteError::Key(SchemaKey::Id(1)),
        ),
        (
            Framing::AvroSingleObject,
            SchemaKey::Fingerprint(1),
            path.as_path(),
            WriteError::Path,
        ),
    ];
    for (framing, key, path, error) in cases {
        let mut out = Vec::new();
        assert_eq!(
            framing.write_prefix(key, path, &mut out),
            Err(error),
            "{framing:?} {key:?}"
        );
        assert_eq!(
            framing.write_header(key, path, &mut out),
            Err(error),
            "{framing:?} {key:?}"
        );
        assert!(out.is_empty());
    }
    let mut out = Vec::new();
    let no_header = Framing::Unframed.write_header(SchemaKey::Absent, first, &mut out);
    assert_eq!(no_header, Err(WriteError::Key(SchemaKey::Absent)));
    let fingerprint = SchemaKey::Fingerprint(1);
    let no_header = Framing::AvroSingleObject.write_header(fingerprint, first, &mut out);
    assert_eq!(no_header, Err(WriteError::Key(fingerprint)));
    assert_eq!(
        Framing::Unframed.write_prefix(SchemaKey::Absent, first, &mut out),
        Ok(())
    );
    assert!(out.is_empty());
}

#[test]
fn texts_say_what_probably_happened() {
    let (negative, cut) = (v0(&[1, 1]), v0(&[2]));
    let cases = [
        (
            Framing::Confluent.split(None, b"{}"),
            "invalid magic byte 0x7b: the payload is not in the registry's wire format (it looks like JSON)",
        ),
        (
            Framing::Confluent.split(None, b"hello"),
            "invalid magic byte 0x68: the payload is not in the registry's wire format (it looks like text)",
        ),
        (
            Framing::Confluent.split(None, &[2]),
            "invalid magic byte 0x02: the payload is not in the registry's wire format",
        ),
        (
            Framing::Confluent.split(None, &[0, 0, 1]),
            "the payload ends within its 4-byte schema id: 2 bytes behind the magic byte",
        ),
        (
            Framing::Confluent.split(None, &[1, 0]),
            "the payload ends within its 16-byte schema GUID: 1 byte behind the magic byte",
        ),
        (
            Framing::Confluent.split(Some(b"7"), b"{}"),
            "invalid magic byte 0x37 in the schema id header: expected 0x00 or 0x01 (it looks like text)",
        ),
        (
            Framing::ConfluentProtobuf.split(None, &negative),
            "the number of protobuf message indexes is negative: -1 \
             (old Python clients wrote plain varints, which a framing of its own reads)",
        ),
        (
            Framing::ConfluentProtobuf.split(Some(&cut), &[]),
            "in the schema id header, the protobuf message indexes are cut off",
        ),
    ];
    for (split, text) in cases {
        assert_eq!(split.unwrap_err().to_string(), text);
    }
}

#[test]
fn guids_are_read_and_shown() {
    let text = "89791762-2336-4186-9674-299b90a802e2";
    let guid: sabot_wire::Guid = text.parse().unwrap();
    assert_eq!(guid.to_string(), text);
    assert_eq!(text.to_uppercase().parse(), Ok(guid));
    assert_eq!(text.replace('-', "").parse(), Ok(guid));
    let hyphens_elsewhere = "8979176-22336-4186-9674-299b90a802e2";
    let too_long = "89791762-2336-4186-9674-299b90a802e20";
    let not_hexadecimal = "g9791762-2336-4186-9674-299b90a802e2";
    let not_ascii = "é9791762233641869674299b90a802e2";
    for bad in [
        "",
        hyphens_elsewhere,
        too_long,
        not_hexadecimal,
        not_ascii,
        &text[1..],
        &"-".repeat(36),
    ] {
        assert!(bad.parse::<sabot_wire::Guid>().is_err(), "{bad}");
    }
}
