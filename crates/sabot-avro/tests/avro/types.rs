//! Each Avro type's Arrow type, and its values.

use arrow_array::cast::AsArray;
use arrow_schema::{DataType, Field, UnionMode};
use sabot_decode::{EnumType, Mapping, Payload, StringType, Target, UnionType, UuidType};
use sabot_testkit::avro::{array, cat, long, nullable, sized};

use crate::common::{KEY, good, mapped, open, record};

/// Decodes `bodies` as records of one field of `ty`: its Arrow field and its values.
fn column(target: &Target, ty: &str, bodies: &[Vec<u8>]) -> (Field, Vec<String>) {
    let decoded = good(target, &record(ty), bodies);
    let field = decoded.batch.schema().field(0).clone();
    (field, decoded.column("f"))
}

/// A type, its column's, a body, and the value.
const LEAVES: &[(&str, &str, &[u8], &str)] = &[
    (r#""null""#, "Null", b"", "null"),
    (r#""boolean""#, "Boolean", b"\x01", "true"),
    (r#""int""#, "Int32", b"\xff\xff\xff\xff\x0f", "-2147483648"),
    (r#""long""#, "Int64", LARGEST, "9223372036854775807"),
    (r#""float""#, "Float32", &1.5f32.to_le_bytes(), "1.5"),
    (r#""double""#, "Float64", &(-0.25f64).to_le_bytes(), "-0.25"),
    (r#""bytes""#, "Binary", b"\x04\0\xff", "00ff"),
    (r#""string""#, "Utf8", b"\x10gr\xc3\xb6\xc3\x9fer", "größer"),
    (FIXED, "FixedSizeBinary(3)", b"\x01\x02\x03", "010203"),
    (EMPTY, "FixedSizeBinary(0)", b"", ""),
    (ENUM, "Dictionary(Int32, Utf8)", b"\x02", "B"),
    (DECIMAL, "Decimal128(4, 2)", b"\x04\xff\x85", "-1.23"),
    (DECIMAL, "Decimal128(4, 2)", b"\0", "0.00"),
    (WIDE_DECIMAL, "Decimal256(39, 0)", &MINUS_ONE, "-1"),
    (FIXED_DECIMAL, "Decimal128(11, 1)", b"\0\0\0\0\x7b", "12.3"),
    (WIDE_FIXED_DECIMAL, "Decimal256(40, 0)", &[0xff; 17], "-1"),
    (DATE, "Date32", b"\x02", "1970-01-02"),
    (TIME_MILLIS, "Time32(ms)", b"\x02", "00:00:00.001"),
    (TIME_MICROS, "Time64(µs)", b"\x02", "00:00:00.000001"),
    (
        MILLIS,
        r#"Timestamp(ms, "UTC")"#,
        b"\x02",
        "1970-01-01T00:00:00.001Z",
    ),
    (
        MICROS,
        r#"Timestamp(µs, "UTC")"#,
        b"\x01",
        "1969-12-31T23:59:59.999999Z",
    ),
    (
        NANOS,
        r#"Timestamp(ns, "UTC")"#,
        b"\x02",
        "1970-01-01T00:00:00.000000001Z",
    ),
    (LOCAL_MILLIS, "Timestamp(ms)", b"\x02", "1970-01-01T00:00:00.001"),
    (
        LOCAL_MICROS,
        "Timestamp(µs)",
        b"\x02",
        "1970-01-01T00:00:00.000001",
    ),
    (
        LOCAL_NANOS,
        "Timestamp(ns)",
        b"\x02",
        "1970-01-01T00:00:00.000000001",
    ),
    (
        DURATION,
        "Interval(MonthDayNano)",
        b"\x01\0\0\0\x02\0\0\0\x03\0\0\0",
        "1 mons 2 days 0.003000000 secs",
    ),
    (
        UUID,
        "FixedSizeBinary(16)",
        b"\x4889791762-2336-4186-9674-299B90A802E2",
        "89791762233641869674299b90a802e2",
    ),
    (
        FIXED_UUID,
        "FixedSizeBinary(16)",
        b"\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2",
        "89791762233641869674299b90a802e2",
    ),
];

const FIXED: &str = r#"{"type": "fixed", "name": "F", "size": 3}"#;
const EMPTY: &str = r#"{"type": "fixed", "name": "F", "size": 0}"#;
const ENUM: &str = r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#;
const DECIMAL: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}"#;
const WIDE_DECIMAL: &str = r#"{"type": "bytes", "logicalType": "decimal", "precision": 39, "scale": 0}"#;
const FIXED_DECIMAL: &str =
    r#"{"type": "fixed", "name": "F", "size": 5, "logicalType": "decimal", "precision": 11, "scale": 1}"#;
const WIDE_FIXED_DECIMAL: &str =
    r#"{"type": "fixed", "name": "F", "size": 17, "logicalType": "decimal", "precision": 40, "scale": 0}"#;
const DATE: &str = r#"{"type": "int", "logicalType": "date"}"#;
const TIME_MILLIS: &str = r#"{"type": "int", "logicalType": "time-millis"}"#;
const TIME_MICROS: &str = r#"{"type": "long", "logicalType": "time-micros"}"#;
const MILLIS: &str = r#"{"type": "long", "logicalType": "timestamp-millis"}"#;
const MICROS: &str = r#"{"type": "long", "logicalType": "timestamp-micros"}"#;
const NANOS: &str = r#"{"type": "long", "logicalType": "timestamp-nanos"}"#;
const LOCAL_MILLIS: &str = r#"{"type": "long", "logicalType": "local-timestamp-millis"}"#;
const LOCAL_MICROS: &str = r#"{"type": "long", "logicalType": "local-timestamp-micros"}"#;
const LOCAL_NANOS: &str = r#"{"type": "long", "logicalType": "local-timestamp-nanos"}"#;
const DURATION: &str = r#"{"type": "fixed", "name": "F", "size": 12, "logicalType": "duration"}"#;
const UUID: &str = r#"{"type": "string", "logicalType": "uuid"}"#;
const FIXED_UUID: &str = r#"{"type": "fixed", "name": "F", "size": 16, "logicalType": "uuid"}"#;

const LARGEST: &[u8] = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01";
/// Of more bytes than a Decimal256.
const MINUS_ONE: [u8; 34] = {
    let mut bytes = [0xff; 34];
    bytes[0] = 33 << 1;
    bytes
};

#[test]
fn leaves() {
    for (ty, data_type, body, value) in LEAVES {
        let (field, values) = column(&Target::default(), ty, &[body.to_vec()]);
        assert_eq!(field.data_type().to_string(), *data_type, "{ty}");
        let is_null = *field.data_type() == DataType::Null;
        assert_eq!(field.is_nullable(), is_null, "{ty}");
        assert_eq!(values, [*value], "{ty}");
        // The same, nullable, in either order.
        if is_null {
            continue;
        }
        for (union, present, absent) in [
            (format!(r#"["null", {ty}]"#), 1, 0),
            (format!(r#"[{ty}, "null"]"#), 0, 1),
        ] {
            let there = cat(&[&long(present), body]);
            let (field, values) = column(&Target::default(), &union, &[there.clone(), long(absent), there]);
            assert_eq!(field.data_type().to_string(), *data_type, "{union}");
            assert!(field.is_nullable(), "{union}");
            assert_eq!(values, [value, "null", value], "{union}");
        }
    }
}

#[test]
fn invalid_logical_types_are_ignored() {
    for (ty, data_type) in [
        (r#"{"type": "string", "logicalType": "date"}"#, DataType::Utf8),
        (
            r#"{"type": "int", "logicalType": "timestamp-millis"}"#,
            DataType::Int32,
        ),
        (
            r#"{"type": "long", "logicalType": "no-such-type"}"#,
            DataType::Int64,
        ),
        (r#"{"type": "long", "logicalType": 7}"#, DataType::Int64),
        (r#"{"type": "bytes", "logicalType": "decimal"}"#, DataType::Binary),
        (
            r#"{"type": "bytes", "logicalType": "decimal", "precision": 0}"#,
            DataType::Binary,
        ),
        (
            r#"{"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3}"#,
            DataType::Binary,
        ),
        (
            r#"{"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": -1}"#,
            DataType::Binary,
        ),
        (
            r#"{"type": "bytes", "logicalType": "decimal", "precision": 77}"#,
            DataType::Binary,
        ),
        (
            r#"{"type": "fixed", "name": "F", "size": 40, "logicalType": "decimal", "precision": 77}"#,
            DataType::FixedSizeBinary(40),
        ),
        (
            r#"{"type": "fixed", "name": "F", "size": 1, "logicalType": "decimal", "precision": 3}"#,
            DataType::FixedSizeBinary(1),
        ),
        (
            r#"{"type": "fixed", "name": "F", "size": 15, "logicalType": "uuid"}"#,
            DataType::FixedSizeBinary(15),
        ),
        (
            r#"{"type": "fixed", "name": "F", "size": 11, "logicalType": "duration"}"#,
            DataType::FixedSizeBinary(11),
        ),
    ] {
        let (field, _) = column(&Target::default(), ty, &[]);
        assert_eq!(*field.data_type(), data_type, "{ty}");
    }
}

#[test]
fn nested_types() {
    let writer = r#"{"type": "map", "values": {"type": "array", "items": ["null",
        {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": ["null", "string"]}]}]}}"#;
    let point = cat(&[&long(1), &long(7), &long(1), &sized("why")]);
    let bare = cat(&[&long(1), &long(8), &long(0)]);
    let items = cat(&[
        &long(2),
        &point,
        &long(0),
        &long(-1),
        &long(bare.len() as i64),
        &bare,
        &long(0),
    ]);
    let body = cat(&[
        &long(1),
        &sized("a"),
        &items,
        &long(-1),
        &long(3),
        &sized("b"),
        &long(0),
        &long(0),
    ]);
    let (field, values) = column(&Target::default(), writer, &[body, long(0)]);
    let DataType::Map(entries, false) = field.data_type() else {
        panic!("{field:?}")
    };
    let DataType::Struct(entries) = entries.data_type() else {
        panic!("{field:?}")
    };
    assert_eq!(
        (entries[0].name().as_str(), entries[0].is_nullable()),
        ("key", false)
    );
    assert_eq!(
        (entries[1].name().as_str(), entries[1].is_nullable()),
        ("value", false)
    );
    let DataType::List(item) = entries[1].data_type() else {
        panic!("{field:?}")
    };
    assert_eq!((item.name().as_str(), item.is_nullable()), ("item", true));
    assert_eq!(values, ["{a: [{x: 7, y: why}, , {x: 8, y: }], b: []}", "{}"]);
}

#[test]
fn nulls_of_nested_types() {
    for ty in [
        r#"{"type": "array", "items": "string"}"#,
        r#"{"type": "map", "values": "int"}"#,
        r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": {"type": "array", "items": "int"}}]}"#,
        r#"{"type": "record", "name": "P", "fields": []}"#,
    ] {
        let body = if ty.contains("[]") { vec![] } else { long(0) };
        let bodies = [long(0), cat(&[&long(1), &body]), long(0)];
        let (field, values) = column(&Target::default(), &format!(r#"["null", {ty}]"#), &bodies);
        assert!(field.is_nullable());
        assert_eq!((values[0].as_str(), values[2].as_str()), ("null", "null"), "{ty}");
        assert_ne!(values[1], "null", "{ty}");
    }
}

#[test]
fn mappings() {
    let mut strings = Mapping::default();
    for (mapped_to, data_type) in [
        (StringType::LargeUtf8, DataType::LargeUtf8),
        (StringType::Utf8View, DataType::Utf8View),
    ] {
        strings.strings = mapped_to;
        strings.enums = EnumType::Utf8;
        strings.uuids = UuidType::Utf8;
        let text = "longer than twelve bytes";
        let (field, values) = column(&mapped(&strings), r#""string""#, &[sized(text)]);
        assert_eq!((field.data_type(), values[0].as_str()), (&data_type, text));
        let symbols = r#"{"type": "enum", "name": "E", "symbols": ["Alpha", "B"]}"#;
        let (field, values) = column(&mapped(&strings), symbols, &[long(0), long(1)]);
        assert_eq!(
            (field.data_type(), values),
            (&data_type, vec!["Alpha".to_owned(), "B".to_owned()])
        );
        for (uuid, body) in [
            (
                r#"{"type": "string", "logicalType": "uuid"}"#,
                sized("89791762-2336-4186-9674-299B90A802E2"),
            ),
            (
                r#"{"type": "fixed", "name": "U", "size": 16, "logicalType": "uuid"}"#,
                vec![0x11; 16],
            ),
        ] {
            let expected = [
                "89791762-2336-4186-9674-299b90a802e2",
                "11111111-1111-1111-1111-111111111111",
            ];
            let (field, values) = column(&mapped(&strings), uuid, &[body]);
            assert_eq!(*field.data_type(), data_type);
            assert!(expected.contains(&values[0].as_str()), "{values:?}");
        }
        let (field, values) = column(
            &mapped(&strings),
            r#"{"type": "map", "values": "int"}"#,
            &[[long(1), sized("k"), long(1), long(0)].concat()],
        );
        assert!(
            field.data_type().to_string().contains(&data_type.to_string()),
            "{field:?}"
        );
        assert_eq!(values, ["{k: 1}"]);
    }
    let mut indexes = Mapping::default();
    indexes.enums = EnumType::Int32;
    let (field, values) = column(
        &mapped(&indexes),
        r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#,
        &[long(1)],
    );
    assert_eq!((field.data_type(), values[0].as_str()), (&DataType::Int32, "1"));
}

#[test]
fn unions() {
    let union = r#"["int", "null", {"type": "record", "name": "a.P", "fields": []}, {"type": "fixed", "name": "b.P", "size": 1}]"#;
    let bodies = [
        cat(&[&long(0), &long(5)]),
        long(1),
        long(2),
        cat(&[&long(3), &[9]]),
    ];
    let (field, values) = column(&Target::default(), union, &bodies);
    let DataType::Union(children, UnionMode::Dense) = field.data_type() else {
        panic!("{field:?}")
    };
    assert!(field.is_nullable(), "a null branch was not declared");
    let names: Vec<_> = children
        .iter()
        .map(|(id, child)| (id, child.name().as_str()))
        .collect();
    assert_eq!(names, [(0, "int"), (1, "null"), (2, "a.P"), (3, "b.P")]);
    assert_eq!(values, ["{int=5}", "{null=}", "{a.P={}}", "{b.P=09}"]);

    let mut mapping = Mapping::default();
    mapping.unions = UnionType::Struct;
    let (field, values) = column(&mapped(&mapping), union, &bodies);
    assert!(field.is_nullable());
    assert_eq!(
        values,
        [
            "{int: 5, a.P: , b.P: }",
            "null",
            "{int: , a.P: {}, b.P: }",
            "{int: , a.P: , b.P: 09}"
        ]
    );
    for mapping in [mapping, Mapping::default()] {
        let (field, _) = column(&mapped(&mapping), r#"["int", "string"]"#, &[]);
        assert!(!field.is_nullable());
    }
}

#[test]
fn unions_of_one_branch_are_that_branch() {
    let (field, values) = column(&Target::default(), r#"["int"]"#, &[cat(&[&long(0), &long(5)])]);
    assert_eq!(
        (field.data_type(), field.is_nullable(), values[0].as_str()),
        (&DataType::Int32, false, "5")
    );
    let (field, values) = column(&Target::default(), r#"["null"]"#, &[long(0)]);
    assert_eq!((field.data_type(), values[0].as_str()), (&DataType::Null, "null"));
}

#[test]
fn messages_that_are_no_records() {
    for (writer, body, value) in [
        (r#""string""#, sized("x"), "x"),
        ("string", sized("x"), "x"),
        (r#"["null", "long"]"#, cat(&[&long(1), &long(3)]), "3"),
        (
            r#"{"type": "array", "items": "int"}"#,
            cat(&[&long(1), &long(3), &long(0)]),
            "[3]",
        ),
        (
            r#"["null", {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}]"#,
            cat(&[&long(1), &long(3)]),
            "{x: 3}",
        ),
    ] {
        let decoded = good(&Target::default(), writer, &[body]);
        assert_eq!(decoded.column("value"), [value], "{writer}");
    }
}

#[test]
fn metadata_says_what_arrow_types_cannot() {
    let writer = r#"{"type": "record", "name": "Order", "namespace": "com.acme", "doc": "An order.", "fields": [
        {"name": "e", "doc": "Its state.", "type": {"type": "enum", "name": "State", "doc": "All.", "symbols": ["A", "B"]}},
        {"name": "u", "type": ["null", {"type": "string", "logicalType": "uuid"}]},
        {"name": "x", "type": {"type": "long", "logicalType": "of our own"}}]}"#;
    let schema = good(&Target::default(), writer, &[]).batch.schema();
    let get = |field: usize, key: &str| schema.field(field).metadata().get(key).map(String::as_str);
    let whole = schema.metadata();
    assert_eq!(whole["avro.name"], "Order");
    assert_eq!(whole["avro.namespace"], "com.acme");
    assert_eq!(whole["avro.doc"], "An order.");
    assert_eq!(get(0, "avro.doc"), Some("Its state."));
    assert_eq!(get(0, "avro.name"), Some("State"));
    assert_eq!(get(0, "avro.enum.symbols"), Some(r#"["A","B"]"#));
    assert_eq!(get(1, "avro.logicalType"), Some("uuid"));
    assert_eq!(get(1, "ARROW:extension:name"), Some("arrow.uuid"));
    assert_eq!(get(2, "avro.logicalType"), Some("of our own"));
}

/// Arrow's kernels lose count of values without bytes: rows that are left out take no others along.
#[test]
fn values_without_bytes_stay_with_their_rows() {
    const NOTHING: &str = r#"{"type": "fixed", "name": "F", "size": 0}"#;
    const GOOD: usize = 100;
    for (ty, body) in [
        (NOTHING.to_owned(), vec![]),
        (nullable(NOTHING), long(1)),
        (array(NOTHING), cat(&[&long(2), &long(0)])),
        (
            format!(r#"{{"type": "record", "name": "I", "fields": [{{"name": "x", "type": {NOTHING}}}]}}"#),
            vec![],
        ),
    ] {
        for every in [2, 50] {
            let mut rows = Vec::new();
            for row in 0..GOOD {
                if row % every == 0 {
                    rows.push(cat(&[&body, &[0xff]]));
                }
                rows.push(body.clone());
            }
            let rows: Vec<_> = rows.iter().map(|row| Payload::with_key(KEY, row)).collect();
            let mut decoder = open(&Target::default(), &record(&ty)).expect("the schema is read");
            decoder.decode(&rows, &mut |_| {});
            let slots = decoder.flush().expect("flushing never fails");
            let valid = slots.valid.expect("some rows are bad");
            let kept = sabot_assemble::keep_rows(&slots.batch, valid)
                .unwrap_or_else(|error| panic!("{ty}: {error}"));
            let column = kept.column(0);
            assert_eq!(column.len(), GOOD, "{ty}");
            if let Some(inner) = column.as_struct_opt() {
                assert_eq!(inner.column(0).len(), GOOD);
            }
        }
    }
}
