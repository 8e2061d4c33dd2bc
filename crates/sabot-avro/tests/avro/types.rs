//! Each Avro type's Arrow type, and its values.

use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit, UnionMode};
use sabot_decode::{EnumType, Mapping, StringType, Target, UnionType, UuidType};
use sabot_testkit::avro::{cat, logical, long, sized};

use crate::common::{good, mapped, record};

/// Decodes `bodies` as records of one field of `ty`: its Arrow field and its values.
fn column(target: &Target, ty: &str, bodies: &[Vec<u8>]) -> (Field, Vec<String>) {
    let decoded = good(target, &record(ty), bodies);
    let field = decoded.batch.schema().field(0).clone();
    (field, decoded.column("f"))
}

#[test]
fn leaves() {
    use DataType as T;
    const UUID: [u8; 16] = *b"\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2";
    let fixed = |size: usize, logical: &str| {
        format!(r#"{{"type": "fixed", "name": "F", "size": {size}, {logical}}}"#)
    };
    let timestamp = |unit, zone: bool| T::Timestamp(unit, zone.then(|| "UTC".into()));
    let symbols = r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#;
    let dictionary = T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8));
    let decimal = |p: u8, s: u8| format!(r#""logicalType": "decimal", "precision": {p}, "scale": {s}"#);
    let bytes_decimal = |p: u8, s: u8| format!(r#"{{"type": "bytes", {}}}"#, decimal(p, s));
    for (ty, data_type, body, value) in [
        (r#""null""#.to_owned(), T::Null, vec![], "null"),
        (r#""boolean""#.into(), T::Boolean, vec![1], "true"),
        (r#""int""#.into(), T::Int32, long(-2_147_483_648), "-2147483648"),
        (
            r#""long""#.into(),
            T::Int64,
            long(i64::MAX),
            "9223372036854775807",
        ),
        (
            r#""float""#.into(),
            T::Float32,
            1.5f32.to_le_bytes().into(),
            "1.5",
        ),
        (
            r#""double""#.into(),
            T::Float64,
            (-0.25f64).to_le_bytes().into(),
            "-0.25",
        ),
        (r#""bytes""#.into(), T::Binary, sized([0, 255]), "00ff"),
        (r#""string""#.into(), T::Utf8, sized("größer"), "größer"),
        (
            fixed(3, r#""doc": """#),
            T::FixedSizeBinary(3),
            vec![1, 2, 3],
            "010203",
        ),
        (fixed(0, r#""doc": """#), T::FixedSizeBinary(0), vec![], ""),
        (symbols.into(), dictionary, long(1), "B"),
        (
            bytes_decimal(4, 2),
            T::Decimal128(4, 2),
            sized([0xff, 0x85]),
            "-1.23",
        ),
        (bytes_decimal(4, 2), T::Decimal128(4, 2), sized([]), "0.00"),
        (
            bytes_decimal(39, 0),
            T::Decimal256(39, 0),
            sized([0xff; 33]),
            "-1",
        ),
        (
            fixed(5, &decimal(11, 1)),
            T::Decimal128(11, 1),
            vec![0, 0, 0, 0, 123],
            "12.3",
        ),
        (
            fixed(17, &decimal(40, 0)),
            T::Decimal256(40, 0),
            vec![255; 17],
            "-1",
        ),
        (logical("int", "date"), T::Date32, long(1), "1970-01-02"),
        (
            logical("int", "time-millis"),
            T::Time32(TimeUnit::Millisecond),
            long(1),
            "00:00:00.001",
        ),
        (
            logical("long", "time-micros"),
            T::Time64(TimeUnit::Microsecond),
            long(1),
            "00:00:00.000001",
        ),
        (
            logical("long", "timestamp-millis"),
            timestamp(TimeUnit::Millisecond, true),
            long(1),
            "1970-01-01T00:00:00.001Z",
        ),
        (
            logical("long", "timestamp-micros"),
            timestamp(TimeUnit::Microsecond, true),
            long(-1),
            "1969-12-31T23:59:59.999999Z",
        ),
        (
            logical("long", "timestamp-nanos"),
            timestamp(TimeUnit::Nanosecond, true),
            long(1),
            "1970-01-01T00:00:00.000000001Z",
        ),
        (
            logical("long", "local-timestamp-millis"),
            timestamp(TimeUnit::Millisecond, false),
            long(1),
            "1970-01-01T00:00:00.001",
        ),
        (
            logical("long", "local-timestamp-micros"),
            timestamp(TimeUnit::Microsecond, false),
            long(1),
            "1970-01-01T00:00:00.000001",
        ),
        (
            logical("long", "local-timestamp-nanos"),
            timestamp(TimeUnit::Nanosecond, false),
            long(1),
            "1970-01-01T00:00:00.000000001",
        ),
        (
            fixed(12, r#""logicalType": "duration""#),
            T::Interval(IntervalUnit::MonthDayNano),
            vec![1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0],
            "1 mons 2 days 0.003000000 secs",
        ),
        (
            logical("string", "uuid"),
            T::FixedSizeBinary(16),
            sized("89791762-2336-4186-9674-299B90A802E2"),
            "89791762233641869674299b90a802e2",
        ),
        (
            fixed(16, r#""logicalType": "uuid""#),
            T::FixedSizeBinary(16),
            UUID.into(),
            "89791762233641869674299b90a802e2",
        ),
    ] {
        let (field, values) = column(&Target::default(), &ty, std::slice::from_ref(&body));
        assert_eq!(*field.data_type(), data_type, "{ty}");
        assert_eq!(field.is_nullable(), data_type == T::Null, "{ty}");
        assert_eq!(values, [value], "{ty}");

        // The same, nullable, in either order.
        if data_type != T::Null {
            for (union, present, absent) in [
                (format!(r#"["null", {ty}]"#), 1, 0),
                (format!(r#"[{ty}, "null"]"#), 0, 1),
            ] {
                let bodies = [
                    cat(&[&long(present), &body]),
                    long(absent),
                    cat(&[&long(present), &body]),
                ];
                let (field, values) = column(&Target::default(), &union, &bodies);
                assert_eq!(
                    (field.data_type(), field.is_nullable()),
                    (&data_type, true),
                    "{union}"
                );
                assert_eq!(values, [value, "null", value], "{union}");
            }
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
