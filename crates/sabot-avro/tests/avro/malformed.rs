//! Bodies that are wrong: what is said of them, and exactly where.

use sabot_decode::{RowErrorKind as K, Target};
use sabot_testkit::avro::{cat, long, sized};

use crate::common::{decode, record};

const INT: &str = r#""int""#;
const STRING: &str = r#""string""#;
const UNION: &str = r#"["int", "string", "null"]"#;
const FIXED: &str = r#"{"type": "fixed", "name": "F", "size": 4}"#;
const ENUM: &str = r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#;
const MAP: &str = r#"{"type": "map", "values": "boolean"}"#;
const DECIMAL: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 2}"#;
const FIXED_DECIMAL: &str =
    r#"{"type": "fixed", "name": "D", "size": 2, "logicalType": "decimal", "precision": 2}"#;
const DURATION: &str = r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#;
const UUID: &str = r#"{"type": "string", "logicalType": "uuid"}"#;
const ITEMS: &str = r#"{"type": "array", "items": {"type": "record", "name": "P", "fields": [
    {"name": "price", "type": "double"}, {"name": "tag", "type": ["null", "string"]}]}}"#;
const NULLS: &str = r#"{"type": "array", "items": "null"}"#;
const LONGEST: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
/// Of 17 bytes.
const LONG_DECIMAL: [u8; 18] = *b"\x22\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const TOO_MANY: K = K::LimitExceeded("items in one message");

/// A type, a body that is wrong, at which byte, in which field, and how.
const FAULTS: &[(&str, &[u8], u32, &str, K)] = &[
    // Ends and leftovers.
    (INT, b"", 0, "f", K::Truncated),
    (INT, b"\x80", 0, "f", K::Truncated),
    (r#""float""#, b"\0\0\0", 0, "f", K::Truncated),
    (INT, b"\x02\x02\x02", 1, "", K::TrailingBytes(2)),
    (FIXED, b"\x01\x02\x03", 0, "f", K::Truncated),
    // Numbers.
    (INT, b"\x80\x80\x80\x80\x10", 0, "f", K::VarintOverflow),
    (INT, b"\x80\x80\x80\x80\x80\0", 0, "f", K::VarintOverflow),
    (r#""long""#, &[0xff; 10], 0, "f", K::VarintOverflow),
    (r#""boolean""#, b"\x02", 0, "f", K::InvalidBoolean(2)),
    // Strings.
    (STRING, b"\x04a", 0, "f", K::InvalidLength(2)),
    (STRING, b"\x01a", 0, "f", K::InvalidLength(-1)),
    (r#""bytes""#, &LONGEST, 0, "f", K::InvalidLength(i64::MIN)),
    (STRING, b"\x0aab\xffcd", 3, "f", K::InvalidUtf8),
    (STRING, b"\x08ab\xe2\x82", 3, "f", K::InvalidUtf8),
    // Unions and enums.
    (r#"["null", "int"]"#, b"", 0, "f", K::Truncated),
    (r#"["null", "int"]"#, b"\x04\x02", 0, "f", K::InvalidUnionIndex(2)),
    (
        r#"["int", "null"]"#,
        b"\x01\x02",
        0,
        "f",
        K::InvalidUnionIndex(-1),
    ),
    (UNION, b"\x06", 0, "f", K::InvalidUnionIndex(3)),
    (UNION, &LONGEST, 0, "f", K::InvalidUnionIndex(i64::MIN)),
    (UNION, b"\x02\x02", 1, "f<string>", K::InvalidLength(1)),
    (ENUM, b"\x02", 0, "f", K::InvalidEnumIndex(1)),
    (ENUM, b"\x01", 0, "f", K::InvalidEnumIndex(-1)),
    // Logical types.
    (DECIMAL, b"\x02\x64", 0, "f", K::DecimalOverflow),
    (DECIMAL, &LONG_DECIMAL, 0, "f", K::DecimalOverflow),
    (FIXED_DECIMAL, b"\0\x64", 0, "f", K::DecimalOverflow),
    (
        DURATION,
        b"\0\0\0\0\xff\xff\xff\xff\0\0\0\0",
        0,
        "f",
        K::NumberOutOfRange,
    ),
    (UUID, b"\x14not a uuid", 0, "f", K::InvalidText),
    // Lists.
    (
        ITEMS,
        b"\x02\0\0\0\0\0\0\xf8\x3f\x02",
        9 + 1,
        "f[].tag",
        K::Truncated,
    ),
    (
        ITEMS,
        b"\x02\0\0\0\0\0\0\xf8\x3f\x02\x02\xff\0",
        11,
        "f[].tag",
        K::InvalidUtf8,
    ),
    (ITEMS, b"\x02\0\0\0\0\0\0\xf8\x3f\0", 10, "f", K::Truncated),
    (
        ITEMS,
        b"\x04\0\0\0\0\0\0\xf8\x3f\0\0",
        0,
        "f",
        K::InvalidLength(2),
    ),
    (ITEMS, &LONGEST, 10, "f", K::Truncated),
    (
        ITEMS,
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0",
        0,
        "f",
        K::InvalidLength(i64::MIN),
    ),
    (ITEMS, b"\x01\x01", 1, "f", K::InvalidLength(-1)),
    (
        ITEMS,
        b"\x01\x14\0\0\0\0\0\0\xf8\x3f\0",
        1,
        "f",
        K::InvalidLength(10),
    ),
    (
        ITEMS,
        b"\x01\x14\0\0\0\0\0\0\xf8\x3f\0\0",
        1,
        "f",
        K::InvalidLength(10),
    ),
    (NULLS, b"\x80\x80\x80\x01\x02\0", 4, "f", TOO_MANY),
    (
        NULLS,
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0",
        0,
        "f",
        TOO_MANY,
    ),
    // Maps.
    (MAP, b"\x02\x02k\x03", 3, "f{}", K::InvalidBoolean(3)),
    (MAP, b"\x02\x02\xff\x01\0", 2, "f{}", K::InvalidUtf8),
    (MAP, b"\x04\0\x01", 0, "f", K::InvalidLength(2)),
];

#[test]
fn each_fault_has_its_kind_and_place() {
    for (ty, body, byte_offset, path, kind) in FAULTS {
        let bodies = [body.to_vec(), body.to_vec()];
        let decoded = decode(&Target::default(), &record(ty), &bodies);
        let expected = [0, 1].map(|slot| (slot, *byte_offset, (*path).to_owned(), *kind));
        assert_eq!(decoded.bad, expected, "{ty}: {body:02x?}");
        assert_eq!(decoded.batch.num_rows(), 2);
    }
}

#[test]
fn what_is_skipped_is_checked_for_structure() {
    let mut target = Target::default();
    target.projection = Some(vec!["keep".into()]);
    let map = r#"{"type": "map", "values": ["null", "string"]}"#;
    let recursive = r#"{"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}"#;
    for (ty, body, byte_offset, kind) in [
        (
            r#""int""#,
            vec![0xff, 0xff, 0xff, 0xff, 0x1f, 2],
            0,
            K::VarintOverflow,
        ),
        (r#""double""#, vec![0; 7], 0, K::Truncated),
        (r#""string""#, vec![6, b'a'], 0, K::InvalidLength(3)),
        (r#"["null", "int"]"#, vec![4, 0], 0, K::InvalidUnionIndex(2)),
        (map, cat(&[&long(-1), &long(9), &long(0)]), 1, K::InvalidLength(9)),
        (
            map,
            cat(&[&long(-5), &long(9), &[0; 9], &long(0)]),
            0,
            K::InvalidLength(-5),
        ),
        (
            map,
            cat(&[&long(1), &sized("k"), &long(1), &long(3)]),
            4,
            K::InvalidLength(3),
        ),
        (
            map,
            cat(&[&LONGEST, &long(1), &[0]]),
            0,
            K::InvalidLength(i64::MIN),
        ),
        (
            NULLS,
            cat(&[&long(1 << 21), &long(0), &long(0)]),
            0,
            K::LimitExceeded("items in one message"),
        ),
        (recursive, vec![2; 200], 64, K::LimitExceeded("depth")),
    ] {
        let writer = format!(
            r#"{{"type": "record", "name": "R", "fields": [{{"name": "gone", "type": {ty}}}, {{"name": "keep", "type": "int"}}]}}"#
        );
        let decoded = decode(&target, &writer, &[body]);
        assert_eq!(decoded.bad, [(0, byte_offset, "gone".to_owned(), kind)], "{ty}");
    }
}

#[test]
fn longer_integers_than_necessary_are_allowed() {
    for (ty, body, value) in [
        (r#""int""#, vec![0x82, 0x80, 0x00], "1"),
        (r#"["null", "int"]"#, vec![0x82, 0x00, 2], "1"),
        (r#"["null", "int"]"#, vec![0x80, 0x00], "null"),
        (r#""string""#, vec![0x82, 0x00, b'x'], "x"),
    ] {
        let decoded = decode(&Target::default(), &record(ty), &[body]);
        assert_eq!(decoded.bad, [], "{ty}");
        assert_eq!(decoded.column("f"), [value], "{ty}");
    }
}

#[test]
fn bad_rows_leave_the_others_alone() {
    let good = cat(&[&long(1), &1.5f64.to_le_bytes(), &long(1), &sized("t"), &long(0)]);
    let bodies: Vec<_> = (0..good.len())
        .flat_map(|end| [good[..end].to_vec(), good.clone()])
        .collect();
    let decoded = decode(&Target::default(), &record(ITEMS), &bodies);
    assert_eq!(decoded.bad.len(), good.len());
    for (row, value) in decoded.column("f").into_iter().enumerate() {
        assert_eq!(
            value,
            if row % 2 == 0 {
                "[]"
            } else {
                "[{price: 1.5, tag: t}]"
            }
        );
    }
}
