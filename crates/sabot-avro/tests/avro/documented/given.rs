//! What the columns of a given Arrow schema take beyond Avro's promotions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::DataType as T;
use arrow_schema::{Field, Schema, TimeUnit, UnionFields, UnionMode};
use sabot_decode::{OutputSchema, Target, TimeZone};

use super::{decimal, fixed, is_bad, mentions, pairs, read};
use crate::common::{fields, record, refusal};

/// A value, read onto a column.
struct Read {
    writer: String,
    body: Vec<u8>,
    column: Field,
    zone: TimeZone,
    expected: Expected,
}

enum Expected {
    Value(&'static str),
    BadRow,
    Refused,
}

use Expected::{BadRow, Refused, Value};
use sabot_testkit::avro::{logical, long, sized};

/// The type of a record's field, read onto the column `f`.
fn case(ty: impl AsRef<str>, body: Vec<u8>, data_type: T, expected: Expected) -> Read {
    Read {
        writer: record(ty.as_ref()),
        body,
        column: Field::new("f", data_type, false),
        zone: TimeZone::Utc,
        expected,
    }
}

impl Read {
    fn marked(mut self, key: &str, value: &str) -> Self {
        self.column
            .set_metadata(HashMap::from([(key.to_owned(), value.to_owned())]));
        self
    }

    fn nullable(mut self) -> Self {
        self.column.set_nullable(true);
        self
    }

    fn check(&self) {
        let mut target = Target::default();
        target.output = OutputSchema::Arrow(Arc::new(Schema::new(vec![self.column.clone()])));
        target.mapping.time_zone = self.zone.clone();
        match self.expected {
            Value(value) => {
                let (field, found) = read(&target, &self.writer, self.body.clone());
                assert_eq!((&field, &*found), (&self.column, value), "{}", self.writer);
            }
            BadRow => assert!(is_bad(&target, &self.writer, &self.body), "{}", self.writer),
            Refused => {
                refusal(&target, &self.writer);
            }
        }
    }
}

const UUID: &str = "89791762-2336-4186-9674-299b90a802e2";
const UUID_BYTES: [u8; 16] = *b"\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2";
const EXTENSION: &str = "ARROW:extension:name";
const SYMBOLS: &str = "avro.enum.symbols";
const ENUM: &str = r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#;
const POINT: &str = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}"#;
const TEXTS: [T; 3] = [T::Utf8, T::LargeUtf8, T::Utf8View];
const BYTES: [T; 3] = [T::Binary, T::LargeBinary, T::BinaryView];

fn big() -> (String, Vec<u8>) {
    let body = sized([sized([0x10, 0x68]), long(2)].concat());
    (logical("bytes", "big-decimal"), body)
}

#[test]
fn each_row() {
    let mut cases = leaves();
    cases.push(decimals());
    cases.extend(times());
    cases.extend(unions());
    cases.extend(nulls());
    for (row, reads) in pairs("| column | takes |", cases) {
        let tried = reads
            .iter()
            .map(|read| format!("{:?} {:?} {}", read.column, read.zone, read.writer));
        let tried = tried.collect::<Vec<_>>().join("\n");
        mentions(&row, &row[0], &tried);
        mentions(&row, &row[1], &tried);
        reads.iter().for_each(Read::check);
    }
}

fn leaves() -> Vec<(&'static str, Vec<Read>)> {
    let fixed_uuid = fixed(16, r#", "logicalType": "uuid""#);
    let texts = TEXTS.into_iter().flat_map(|text| {
        [
            case(ENUM, long(1), text.clone(), Value("B")),
            case(decimal("bytes", 4, 1), sized([123]), text.clone(), Value("12.3")),
            case(big().0, big().1, text.clone(), Value("42.00")),
            case(&fixed_uuid, UUID_BYTES.into(), text, Value(UUID)),
        ]
    });
    let json = TEXTS.into_iter().flat_map(|text| {
        [
            case(POINT, long(7), text.clone(), Value(r#"{"x":7}"#)),
            case(ENUM, long(1), text.clone(), Value("\"B\"")),
            case(
                r#"["null", "int"]"#,
                [long(1), long(7)].concat(),
                text,
                Value("7"),
            )
            .nullable(),
        ]
        .map(|read| read.marked(EXTENSION, "arrow.json"))
    });
    let bytes = BYTES
        .into_iter()
        .map(|bytes| case(fixed(2, ""), b"ab".into(), bytes, Value("6162")));
    let text_uuid = logical("string", "uuid");
    let hex = "89791762233641869674299b90a802e2";
    let uuid = |body, expected| {
        case(&text_uuid, body, T::FixedSizeBinary(16), expected).marked(EXTENSION, "arrow.uuid")
    };
    let dictionary = || T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8));
    vec![
        ("`Utf8`, `LargeUtf8`, `Utf8View`", texts.collect()),
        ("the same with the extension type `arrow.json`", json.collect()),
        ("`Binary`, `LargeBinary`, `BinaryView`", bytes.collect()),
        (
            "`FixedSizeBinary(16)`, extension type `arrow.uuid`",
            vec![uuid(sized(UUID), Value(hex)), uuid(sized("no"), BadRow)],
        ),
        (
            "`Dictionary(Int32, Utf8)`",
            vec![
                case(ENUM, long(1), dictionary(), Value("B")),
                case(ENUM, long(1), dictionary(), Value("B")).marked(SYMBOLS, r#"["B"]"#),
                case(ENUM, long(0), dictionary(), BadRow).marked(SYMBOLS, r#"["B"]"#),
            ],
        ),
        (
            "`Int32` with `avro.enum.symbols`",
            vec![
                case(ENUM, long(1), T::Int32, Value("2")).marked(SYMBOLS, r#"["X", "A", "B"]"#),
                case(ENUM, long(1), T::Int32, Refused),
            ],
        ),
    ]
}

fn decimals() -> (&'static str, Vec<Read>) {
    let fixed_decimal = || decimal("fixed 2", 4, 1);
    let body = vec![0, 123];
    let decimals = vec![
        case(fixed_decimal(), body.clone(), T::Decimal32(9, 1), Value("12.3")),
        case(fixed_decimal(), body.clone(), T::Decimal32(10, 1), Refused),
        case(fixed_decimal(), body.clone(), T::Decimal64(18, 1), Value("12.3")),
        case(big().0, big().1, T::Decimal32(5, 3), Value("42.000")),
        case(big().0, big().1, T::Decimal64(5, 3), Value("42.000")),
        case(big().0, big().1, T::Decimal32(4, 3), BadRow),
        case(
            decimal("bytes", 9, 0),
            sized((-999_999_999i32).to_be_bytes()),
            T::Decimal32(9, 0),
            Value("-999999999"),
        ),
        case(
            decimal("bytes", 9, 0),
            sized(1_000_000_000i32.to_be_bytes()),
            T::Decimal32(9, 0),
            BadRow,
        ),
        case(
            decimal("bytes", 18, 0),
            sized((10i64.pow(18) - 1).to_be_bytes()),
            T::Decimal64(18, 0),
            Value("999999999999999999"),
        ),
        case(
            decimal("bytes", 18, 0),
            sized(10i64.pow(18).to_be_bytes()),
            T::Decimal64(18, 0),
            BadRow,
        ),
        case(
            decimal("bytes", 4, 1),
            sized([123]),
            T::Decimal128(4, 1),
            Value("12.3"),
        ),
        case(fixed_decimal(), body.clone(), T::Decimal128(38, 1), Value("12.3")),
        case(fixed_decimal(), body.clone(), T::Decimal256(4, 1), Value("12.3")),
        case(fixed_decimal(), body.clone(), T::Decimal128(4, 2), Refused),
        case(fixed_decimal(), body, T::Decimal128(3, 1), Refused),
        case(big().0, big().1, T::Decimal128(5, 3), Value("42.000")),
        case(big().0, big().1, T::Decimal256(40, 0), Value("42")),
        case(big().0, big().1, T::Decimal128(4, 3), BadRow),
    ];
    ("`Decimal32` to `Decimal256`", decimals)
}

fn times() -> Vec<(&'static str, Vec<Read>)> {
    let millis = TimeUnit::Millisecond;
    let zoned = |zone: &str| T::Timestamp(millis, Some(zone.into()));
    let instant = logical("long", "timestamp-millis");
    let local = logical("long", "local-timestamp-millis");
    let without_zone = |ty: &str, expected| case(ty, long(1), T::Timestamp(millis, None), expected);
    let at = "1970-01-01T00:00:00.001";
    let mut with_option = without_zone(&instant, Value(at));
    with_option.zone = TimeZone::None;
    vec![(
        "`Timestamp` with a zone",
        vec![
            case(&instant, long(1), zoned("UTC"), Value("1970-01-01T00:00:00.001Z")),
            case(
                &instant,
                long(1),
                zoned("Asia/Tokyo"),
                Value("1970-01-01T00:00:00.001Z"),
            ),
            case(&local, long(1), zoned("UTC"), Refused),
            without_zone(&local, Value(at)),
            without_zone(&instant, Refused),
            with_option,
            without_zone(&instant, Value(at)).marked("avro.logicalType", "timestamp-millis"),
        ],
    )]
}

fn unions() -> Vec<(&'static str, Vec<Read>)> {
    let structure = |fields: Vec<Field>| T::Struct(fields.into());
    let x = || structure(vec![Field::new("x", T::Int64, false)]);
    let member = |name: &str, data_type| Field::new(name, data_type, true);
    let union = r#"["int", "string"]"#;
    let body = [long(1), sized("x")].concat();
    let members = structure(vec![member("int", T::Int32), member("text", T::Utf8)]);
    let named = |name: &str, data_type: T, namespace: &str| {
        let metadata = [("avro.name", name), ("avro.namespace", namespace)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        Field::new(name, data_type, false).with_metadata(HashMap::from(metadata))
    };
    let dictionary = T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8));
    let dense = |fields: Vec<Field>| {
        let ids = 0..fields.len() as i8;
        T::Union(
            UnionFields::try_new(ids, fields).expect("the ids are apart"),
            UnionMode::Dense,
        )
    };
    let by_type = dense(vec![
        Field::new("words", T::Utf8, false),
        Field::new("number", T::Int32, false),
    ]);
    let other = POINT.replace("\"P\"", "\"Q\"");
    let by_name = || {
        dense(vec![
            named("Q", x(), ""),
            named("P", x(), ""),
            named("E", dictionary.clone(), ""),
            named("F", T::FixedSizeBinary(1), "n"),
        ])
    };
    let named_union = format!(r#"[{POINT}, {other}, {ENUM}, {{"type": "fixed", "name": "n.F", "size": 1}}]"#);
    let value = |branch, body, expected| {
        case(
            &named_union,
            [long(branch), body].concat(),
            by_name(),
            Value(expected),
        )
    };
    vec![
        (
            "`Struct`",
            vec![
                case(POINT, long(7), x(), Value("{x: 7}")),
                case(&other, long(7), x(), Value("{x: 7}")),
                case(union, body.clone(), members, Value("{int: , text: x}")).marked("avro.union", "struct"),
            ],
        ),
        (
            "`Union`",
            vec![
                case(union, body, by_type, Value("{words=x}")),
                value(0, long(7), "{P={x: 7}}"),
                value(1, long(7), "{Q={x: 7}}"),
                value(2, long(1), "{E=B}"),
                value(3, vec![9], "{F=09}"),
            ],
        ),
    ]
}

fn nulls() -> Vec<(&'static str, Vec<Read>)> {
    let optional = r#"["null", "int"]"#;
    let lacks = |column: Read| Read {
        writer: fields(r#"{"name": "g", "type": "int"}"#),
        ..column
    };
    vec![
        (
            "a nullable column",
            vec![
                case(optional, long(0), T::Int32, Value("null")).nullable(),
                case("\"int\"", long(7), T::Int32, Value("7")).nullable(),
                lacks(case("\"int\"", long(7), T::Int32, Value("null")).nullable()),
            ],
        ),
        (
            "a column that is not nullable",
            vec![
                case(optional, [long(1), long(7)].concat(), T::Int32, Value("7")),
                case(optional, long(0), T::Int32, BadRow),
                lacks(case("\"int\"", long(7), T::Int32, Refused)),
            ],
        ),
    ]
}
