//! Bodies that are wrong: what is said of them, and exactly where.

use sabot_decode::{RowErrorKind as K, Target};
use sabot_testkit::avro::{cat, long, sized};

use crate::common::{decode, record};

const ITEMS: &str = r#"{"type": "array", "items": {"type": "record", "name": "P", "fields": [
    {"name": "price", "type": "double"}, {"name": "tag", "type": ["null", "string"]}]}}"#;
const NULLS: &str = r#"{"type": "array", "items": "null"}"#;
const LONGEST: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

#[test]
fn each_fault_has_its_kind_and_place() {
    let price = 1.5f64.to_le_bytes();
    let decimal = r#"{"type": "bytes", "logicalType": "decimal", "precision": 2}"#;
    let fixed_decimal =
        r#"{"type": "fixed", "name": "D", "size": 2, "logicalType": "decimal", "precision": 2}"#;
    let duration = r#"{"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}"#;
    let symbols = r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#;
    let map = r#"{"type": "map", "values": "boolean"}"#;
    for (ty, body, byte_offset, path, kind) in [
        // Ends and leftovers.
        (r#""int""#, vec![], 0, "f", K::Truncated),
        (r#""int""#, vec![0x80], 0, "f", K::Truncated),
        (r#""float""#, vec![0, 0, 0], 0, "f", K::Truncated),
        (r#""int""#, vec![2, 2, 2], 1, "", K::TrailingBytes(2)),
        (
            r#"{"type": "fixed", "name": "F", "size": 4}"#,
            vec![1, 2, 3],
            0,
            "f",
            K::Truncated,
        ),
        // Numbers.
        (
            r#""int""#,
            vec![0x80, 0x80, 0x80, 0x80, 0x10],
            0,
            "f",
            K::VarintOverflow,
        ),
        (
            r#""int""#,
            vec![0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
            0,
            "f",
            K::VarintOverflow,
        ),
        (r#""long""#, vec![0xff; 10], 0, "f", K::VarintOverflow),
        (r#""boolean""#, vec![2], 0, "f", K::InvalidBoolean(2)),
        // Strings.
        (r#""string""#, vec![4, b'a'], 0, "f", K::InvalidLength(2)),
        (r#""string""#, vec![1, b'a'], 0, "f", K::InvalidLength(-1)),
        (r#""bytes""#, LONGEST.to_vec(), 0, "f", K::InvalidLength(i64::MIN)),
        (r#""string""#, cat(&[&sized(b"ab\xffcd")]), 3, "f", K::InvalidUtf8),
        (
            r#""string""#,
            cat(&[&sized(b"ab\xe2\x82")]),
            3,
            "f",
            K::InvalidUtf8,
        ),
        // Unions and enums.
        (r#"["null", "int"]"#, vec![], 0, "f", K::Truncated),
        (r#"["null", "int"]"#, vec![4, 2], 0, "f", K::InvalidUnionIndex(2)),
        (r#"["int", "null"]"#, vec![1, 2], 0, "f", K::InvalidUnionIndex(-1)),
        (
            r#"["int", "string", "null"]"#,
            vec![6],
            0,
            "f",
            K::InvalidUnionIndex(3),
        ),
        (
            r#"["int", "string", "null"]"#,
            LONGEST.to_vec(),
            0,
            "f",
            K::InvalidUnionIndex(i64::MIN),
        ),
        (
            r#"["int", "string", "null"]"#,
            vec![2, 2],
            1,
            "f<string>",
            K::InvalidLength(1),
        ),
        (symbols, vec![2], 0, "f", K::InvalidEnumIndex(1)),
        (symbols, vec![1], 0, "f", K::InvalidEnumIndex(-1)),
        // Logical types.
        (decimal, sized([100]), 0, "f", K::DecimalOverflow),
        (
            decimal,
            sized([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            0,
            "f",
            K::DecimalOverflow,
        ),
        (fixed_decimal, vec![0, 100], 0, "f", K::DecimalOverflow),
        (
            duration,
            cat(&[&[0; 4], &[0xff; 4], &[0; 4]]),
            0,
            "f",
            K::NumberOutOfRange,
        ),
        (
            r#"{"type": "string", "logicalType": "uuid"}"#,
            sized("not a uuid"),
            0,
            "f",
            K::InvalidText,
        ),
        // Lists.
        (
            ITEMS,
            cat(&[&long(1), &price, &long(1)]),
            9 + 1,
            "f[].tag",
            K::Truncated,
        ),
        (
            ITEMS,
            cat(&[&long(1), &price, &long(1), &sized(b"\xff"), &long(0)]),
            11,
            "f[].tag",
            K::InvalidUtf8,
        ),
        (ITEMS, cat(&[&long(1), &price, &long(0)]), 10, "f", K::Truncated),
        (
            ITEMS,
            cat(&[&long(2), &price, &long(0), &long(0)]),
            0,
            "f",
            K::InvalidLength(2),
        ),
        (ITEMS, LONGEST.to_vec(), 10, "f", K::Truncated),
        (
            ITEMS,
            cat(&[&LONGEST, &long(0)]),
            0,
            "f",
            K::InvalidLength(i64::MIN),
        ),
        (ITEMS, cat(&[&long(-1), &long(-1)]), 1, "f", K::InvalidLength(-1)),
        (
            ITEMS,
            cat(&[&long(-1), &long(10), &price, &long(0)]),
            1,
            "f",
            K::InvalidLength(10),
        ),
        (
            ITEMS,
            cat(&[&long(-1), &long(10), &price, &long(0), &long(0)]),
            1,
            "f",
            K::InvalidLength(10),
        ),
        (
            NULLS,
            cat(&[&long(1 << 20), &long(1), &long(0)]),
            4,
            "f",
            K::LimitExceeded("items in one message"),
        ),
        (
            NULLS,
            cat(&[&LONGEST, &long(0)]),
            0,
            "f",
            K::LimitExceeded("items in one message"),
        ),
        // Maps.
        (
            map,
            cat(&[&long(1), &sized("k"), &[3]]),
            3,
            "f{}",
            K::InvalidBoolean(3),
        ),
        (
            map,
            cat(&[&long(1), &sized(b"\xff"), &[1], &long(0)]),
            2,
            "f{}",
            K::InvalidUtf8,
        ),
        (
            map,
            cat(&[&long(2), &sized(""), &[1]]),
            0,
            "f",
            K::InvalidLength(2),
        ),
    ] {
        let decoded = decode(&Target::default(), &record(ty), &[body.clone(), body]);
        let expected = [0, 1].map(|slot| (slot, byte_offset, path.to_owned(), kind));
        assert_eq!(decoded.bad, expected, "{ty}");
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
