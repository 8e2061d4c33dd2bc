//! Which Arrow type each of Avro's becomes, and by which option another.

use std::sync::Arc;

use arrow_schema::DataType as T;
use arrow_schema::{Field, Fields, IntervalUnit, TimeUnit, UnionFields, UnionMode};
use sabot_decode::{
    BigDecimalType, BinaryType, EnumType, Mapping, RecursionType, StringType, TimeZone, UnionType, UuidType,
    WideDecimalType,
};
use sabot_testkit::avro::{logical, long, sized};

use super::{bare, decimal, fixed, mentions, pairs, read, words};
use crate::common::{fields, mapped, record, refusal};

/// One value of a type: what it is read as.
struct Read {
    option: Option<&'static str>,
    mapping: Mapping,
    writer: String,
    body: Vec<u8>,
    /// `None` where the schema is refused.
    expected: Option<(T, &'static str)>,
    /// The metadata that it has too.
    metadata: Option<(&'static str, &'static str)>,
    is_nullable: bool,
}

impl Read {
    /// By default, as the whole message.
    fn message(writer: impl Into<String>, body: Vec<u8>, data_type: T, value: &'static str) -> Self {
        Self {
            option: None,
            mapping: Mapping::default(),
            writer: writer.into(),
            body,
            expected: Some((data_type, value)),
            metadata: None,
            is_nullable: false,
        }
    }

    /// By default, as the field of a record.
    fn new(ty: impl Into<String>, body: Vec<u8>, data_type: T, value: &'static str) -> Self {
        Self::message(record(&ty.into()), body, data_type, value)
    }

    fn quoted(ty: &str, body: Vec<u8>, data_type: T, value: &'static str) -> Self {
        Self::new(format!("{ty:?}"), body, data_type, value)
    }

    /// By an option.
    fn by(mut self, option: &'static str, set: impl FnOnce(&mut Mapping)) -> Self {
        self.option = Some(option);
        set(&mut self.mapping);
        self
    }

    fn marked(mut self, key: &'static str, value: &'static str) -> Self {
        self.metadata = Some((key, value));
        self
    }

    const fn nullable(mut self) -> Self {
        self.is_nullable = true;
        self
    }

    fn refused(mut self) -> Self {
        self.expected = None;
        self
    }

    /// Reads it; the field that came out, as text.
    fn check(&self) -> String {
        let target = mapped(&self.mapping);
        let Some((data_type, value)) = &self.expected else {
            return refusal(&target, &self.writer);
        };
        let (field, found) = read(&target, &self.writer, self.body.clone());
        let bare = bare(field.data_type());
        assert_eq!((&bare, &*found), (data_type, *value), "{}", self.writer);
        assert_eq!(field.is_nullable(), self.is_nullable, "{}", self.writer);
        let entries = self.metadata.into_iter();
        for (key, value) in entries {
            assert_eq!(
                field.metadata().get(key).map(String::as_str),
                Some(value),
                "{}",
                self.writer
            );
        }
        // A list's debug form leaves the usual name out.
        match field.data_type() {
            T::List(item) => format!("{field:?}: {}", item.name()),
            _ => format!("{field:?}"),
        }
    }
}

fn list(item: T) -> T {
    T::List(Arc::new(Field::new("item", item, false)))
}

fn map(key: T, value: T) -> T {
    let fields = Fields::from(vec![
        Field::new("key", key, false),
        Field::new("value", value, false),
    ]);
    T::Map(Arc::new(Field::new("entries", T::Struct(fields), false)), false)
}

fn structure(columns: &[(&str, T, bool)]) -> T {
    let fields = columns
        .iter()
        .map(|(name, data_type, is_nullable)| Field::new(*name, data_type.clone(), *is_nullable));
    T::Struct(fields.collect())
}

fn union(branches: &[(&str, T)]) -> T {
    let fields = branches
        .iter()
        .map(|(name, data_type)| Field::new(*name, data_type.clone(), *data_type == T::Null));
    T::Union(
        UnionFields::try_new(0..branches.len() as i8, fields).expect("the ids are apart"),
        UnionMode::Dense,
    )
}

fn utc(unit: TimeUnit) -> T {
    T::Timestamp(unit, Some("UTC".into()))
}

const UUID: &str = "89791762-2336-4186-9674-299b90a802e2";
const UUID_HEX: &str = "89791762233641869674299b90a802e2";
const UUID_BYTES: [u8; 16] = *b"\x89\x79\x17\x62\x23\x36\x41\x86\x96\x74\x29\x9b\x90\xa8\x02\xe2";
const ENUM: &str = r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#;
const EXTENSION: &str = "ARROW:extension:name";

#[test]
fn each_row() {
    let mut cases = scalars();
    cases.extend(nested());
    cases.extend(unions());
    cases.extend(numbers());
    cases.extend(times());
    cases.extend(instants());
    cases.extend(others());
    for (row, reads) in pairs("| Avro | Arrow type | by option |", cases) {
        let by_default = reads.iter().filter(|read| read.option.is_none());
        let by_default: Vec<_> = by_default.map(Read::check).collect();
        assert!(!by_default.is_empty(), "{row:?}");
        mentions(&row, &row[1], &by_default.join("\n"));
        let by_option: Vec<_> = reads.iter().filter(|read| read.option.is_some()).collect();
        let fields: Vec<_> = by_option.iter().map(|read| read.check()).collect();
        let options: Vec<_> = by_option.iter().filter_map(|read| read.option).collect();
        let named: Vec<_> = words(&row[2])
            .into_iter()
            .filter(|word| word.starts_with("Mapping"))
            .collect();
        for option in &options {
            assert!(named.contains(option), "{row:?} does not name {option}");
        }
        mentions(
            &row,
            &row[2],
            &format!("{}\n{}", fields.join("\n"), options.join("\n")),
        );
    }
}

fn scalars() -> Vec<(&'static str, Vec<Read>)> {
    let bytes = |data_type| Read::quoted("bytes", sized([0, 255]), data_type, "00ff");
    let string = |data_type| Read::quoted("string", sized("größer"), data_type, "größer");
    let keys = |data_type| {
        let body = [long(1), sized("k"), long(7), long(0)].concat();
        Read::new(
            r#"{"type": "map", "values": "int"}"#,
            body,
            map(data_type, T::Int32),
            "{k: 7}",
        )
    };
    vec![
        (
            "`null`",
            vec![Read::quoted("null", vec![], T::Null, "null").nullable()],
        ),
        (
            "`boolean`",
            vec![Read::quoted("boolean", vec![1], T::Boolean, "true")],
        ),
        (
            "`int`, `long`",
            vec![
                Read::quoted("int", long(i64::from(i32::MIN)), T::Int32, "-2147483648"),
                Read::quoted("long", long(i64::MAX), T::Int64, "9223372036854775807"),
            ],
        ),
        (
            "`float`, `double`",
            vec![
                Read::quoted("float", 1.5f32.to_le_bytes().into(), T::Float32, "1.5"),
                Read::quoted("double", (-0.25f64).to_le_bytes().into(), T::Float64, "-0.25"),
            ],
        ),
        (
            "`bytes`",
            vec![
                bytes(T::Binary),
                bytes(T::LargeBinary).by("Mapping::bytes", |m| m.bytes = BinaryType::LargeBinary),
                bytes(T::BinaryView).by("Mapping::bytes", |m| m.bytes = BinaryType::BinaryView),
            ],
        ),
        (
            "`string`",
            vec![
                string(T::Utf8),
                string(T::LargeUtf8).by("Mapping::strings", |m| m.strings = StringType::LargeUtf8),
                string(T::Utf8View).by("Mapping::strings", |m| m.strings = StringType::Utf8View),
                keys(T::LargeUtf8).by("Mapping::strings", |m| m.strings = StringType::LargeUtf8),
                keys(T::Utf8View).by("Mapping::strings", |m| m.strings = StringType::Utf8View),
            ],
        ),
        (
            "`fixed` of N bytes",
            vec![Read::new(
                fixed(3, ""),
                vec![1, 2, 3],
                T::FixedSizeBinary(3),
                "010203",
            )],
        ),
    ]
}

fn nested() -> Vec<(&'static str, Vec<Read>)> {
    let point = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}"#;
    let symbol = |data_type, value| Read::new(ENUM, long(1), data_type, value);
    let dictionary = T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8));
    vec![
        (
            "`enum`",
            vec![
                symbol(dictionary, "B").marked("avro.enum.symbols", r#"["A","B"]"#),
                symbol(T::Utf8, "B").by("Mapping::enums", |m| m.enums = EnumType::Utf8),
                symbol(T::Int32, "1").by("Mapping::enums", |m| m.enums = EnumType::Int32),
            ],
        ),
        (
            "`array`",
            vec![Read::new(
                r#"{"type": "array", "items": "int"}"#,
                [long(2), long(1), long(2), long(0)].concat(),
                list(T::Int32),
                "[1, 2]",
            )],
        ),
        (
            "`map`",
            vec![Read::new(
                r#"{"type": "map", "values": "int"}"#,
                [long(1), sized("k"), long(7), long(0)].concat(),
                map(T::Utf8, T::Int32),
                "{k: 7}",
            )],
        ),
        (
            "`record`",
            vec![
                Read::new(point, long(7), structure(&[("x", T::Int32, false)]), "{x: 7}"),
                Read::message(point, long(7), T::Int32, "7"),
            ],
        ),
        (
            "a message that is no record",
            vec![Read::message("\"int\"", long(7), T::Int32, "7")],
        ),
    ]
}

fn unions() -> Vec<(&'static str, Vec<Read>)> {
    let short = |ns: &str| format!(r#"{{"type": "fixed", "name": "{ns}.F", "size": 1}}"#);
    let same_names = format!("[{}, {}]", short("a"), short("b"));
    let number = |name| (name, T::FixedSizeBinary(1));
    let branch = || [long(1), sized("x")].concat();
    let general = r#"["int", "string", "null"]"#;
    let nullable = |ty: &str, body| Read::new(ty, body, T::Int32, "7").nullable();
    let as_struct = structure(&[("int", T::Int32, true), ("string", T::Utf8, true)]);
    vec![
        (
            "a union of null and one type, in either order",
            vec![
                nullable(r#"["null", "int"]"#, [long(1), long(7)].concat()),
                nullable(r#"["int", "null"]"#, [long(0), long(7)].concat()),
            ],
        ),
        (
            "a union of one branch",
            vec![Read::new(
                r#"["int"]"#,
                [long(0), long(7)].concat(),
                T::Int32,
                "7",
            )],
        ),
        (
            "any other union",
            vec![
                Read::new(
                    general,
                    branch(),
                    union(&[("int", T::Int32), ("string", T::Utf8), ("null", T::Null)]),
                    "{string=x}",
                )
                .nullable(),
                Read::new(
                    same_names,
                    [long(1), vec![9]].concat(),
                    union(&[number("a.F"), number("b.F")]),
                    "{b.F=09}",
                ),
                Read::new(general, branch(), as_struct, "{int: , string: x}")
                    .nullable()
                    .by("Mapping::unions", |m| m.unions = UnionType::Struct),
            ],
        ),
    ]
}

fn numbers() -> Vec<(&'static str, Vec<Read>)> {
    let wide = |data_type, value| Read::new(decimal("bytes", 80, 1), sized([123]), data_type, value);
    vec![
        (
            "`decimal` on `bytes` or `fixed`, 1 to 38 digits",
            vec![
                Read::new(decimal("bytes", 1, 0), sized([9]), T::Decimal128(1, 0), "9"),
                Read::new(
                    decimal("fixed 4", 4, 2),
                    vec![0xff, 0xff, 0xff, 0x85],
                    T::Decimal128(4, 2),
                    "-1.23",
                ),
                Read::new(
                    decimal("bytes", 38, 2),
                    sized([123]),
                    T::Decimal128(38, 2),
                    "1.23",
                ),
            ],
        ),
        (
            "39 to 76 digits",
            vec![
                Read::new(
                    decimal("bytes", 39, 2),
                    sized([123]),
                    T::Decimal256(39, 2),
                    "1.23",
                ),
                Read::new(
                    decimal("fixed 40", 76, 0),
                    vec![0xff; 40],
                    T::Decimal256(76, 0),
                    "-1",
                ),
            ],
        ),
        (
            "more digits than 76",
            vec![
                wide(T::Binary, "7b"),
                Read::new(
                    decimal("fixed 33", 77, 0),
                    vec![0; 33],
                    T::FixedSizeBinary(33),
                    ZEROS,
                ),
                wide(T::Utf8, "12.3").by("Mapping::wide_decimals", |m| {
                    m.wide_decimals = WideDecimalType::Utf8;
                }),
                Read::new(decimal("bytes", 1000, 0), sized([5]), T::Utf8, "5").by(
                    "Mapping::wide_decimals",
                    |m| {
                        m.wide_decimals = WideDecimalType::Utf8;
                    },
                ),
                Read::new(decimal("bytes", 1001, 0), sized([5]), T::Binary, "05").by(
                    "Mapping::wide_decimals",
                    |m| {
                        m.wide_decimals = WideDecimalType::Utf8;
                    },
                ),
            ],
        ),
    ]
}

const ZEROS: &str = "000000000000000000000000000000000000000000000000000000000000000000";

fn times() -> Vec<(&'static str, Vec<Read>)> {
    use TimeUnit::{Microsecond, Millisecond};
    let months = [1u32, 2, 3].map(u32::to_le_bytes).concat();
    vec![
        (
            "`date`",
            vec![Read::new(
                logical("int", "date"),
                long(1),
                T::Date32,
                "1970-01-02",
            )],
        ),
        (
            "`time-millis`, `time-micros`",
            vec![
                Read::new(
                    logical("int", "time-millis"),
                    long(1),
                    T::Time32(Millisecond),
                    "00:00:00.001",
                ),
                Read::new(
                    logical("long", "time-micros"),
                    long(1),
                    T::Time64(Microsecond),
                    "00:00:00.000001",
                ),
            ],
        ),
        (
            "`duration` on `fixed(12)`",
            vec![Read::new(
                fixed(12, r#", "logicalType": "duration""#),
                months,
                T::Interval(IntervalUnit::MonthDayNano),
                "1 mons 2 days 0.003000000 secs",
            )],
        ),
    ]
}

fn instants() -> Vec<(&'static str, Vec<Read>)> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond};
    let instant = |name: &str, data_type, value| Read::new(logical("long", name), long(1), data_type, value);
    let millis = |data_type, value| instant("timestamp-millis", data_type, value);
    let named = T::Timestamp(Microsecond, Some("Europe/Berlin".into()));
    vec![
        (
            "`timestamp-millis`, `-micros`, `-nanos`",
            vec![
                millis(utc(Millisecond), "1970-01-01T00:00:00.001Z"),
                instant(
                    "timestamp-micros",
                    utc(Microsecond),
                    "1970-01-01T00:00:00.000001Z",
                ),
                instant(
                    "timestamp-nanos",
                    utc(Nanosecond),
                    "1970-01-01T00:00:00.000000001Z",
                ),
                instant("timestamp-micros", named, "1970-01-01T00:00:00.000001Z").by(
                    "Mapping::time_zone",
                    |m| {
                        m.time_zone = TimeZone::Named("Europe/Berlin".into());
                    },
                ),
                millis(T::Timestamp(Millisecond, None), "1970-01-01T00:00:00.001")
                    .by("Mapping::time_zone", |m| m.time_zone = TimeZone::None),
            ],
        ),
        (
            "`local-timestamp-millis`, `-micros`, `-nanos`",
            vec![
                instant(
                    "local-timestamp-millis",
                    T::Timestamp(Millisecond, None),
                    "1970-01-01T00:00:00.001",
                ),
                instant(
                    "local-timestamp-micros",
                    T::Timestamp(Microsecond, None),
                    "1970-01-01T00:00:00.000001",
                ),
                instant(
                    "local-timestamp-nanos",
                    T::Timestamp(Nanosecond, None),
                    "1970-01-01T00:00:00.000000001",
                ),
            ],
        ),
    ]
}

fn others() -> Vec<(&'static str, Vec<Read>)> {
    let uuids = |data_type: &T, value| {
        let bytes = fixed(16, r#", "logicalType": "uuid""#);
        let text = sized(UUID.to_uppercase());
        [
            Read::new(logical("string", "uuid"), text, data_type.clone(), value),
            Read::new(bytes, UUID_BYTES.into(), data_type.clone(), value),
        ]
    };
    let as_bytes = uuids(&T::FixedSizeBinary(16), UUID_HEX).map(|read| read.marked(EXTENSION, "arrow.uuid"));
    let as_text = uuids(&T::Utf8, UUID).map(|read| read.by("Mapping::uuids", |m| m.uuids = UuidType::Utf8));
    let big = |data_type, value| {
        let body = sized([sized([0x10, 0x68]), long(2)].concat());
        Read::new(logical("bytes", "big-decimal"), body, data_type, value)
    };
    let text = sized("x");
    vec![
        (
            "`uuid` on `string` or `fixed(16)`",
            as_bytes.into_iter().chain(as_text).collect(),
        ),
        (
            "a logical type that is unknown or does not fit its base type",
            vec![
                Read::new(logical("int", "moon"), long(7), T::Int32, "7").marked("avro.logicalType", "moon"),
                Read::new(logical("string", "date"), text.clone(), T::Utf8, "x"),
                Read::new(decimal("bytes", 2, 3), text, T::Binary, "78"),
            ],
        ),
        (
            "`big-decimal` on `bytes`",
            vec![
                big(T::Binary, "04106804"),
                big(T::Utf8, "42.00").by("Mapping::big_decimals", |m| m.big_decimals = BigDecimalType::Utf8),
                big(T::Decimal128(38, 3), "42.000").by("Mapping::big_decimals", |m| {
                    m.big_decimals = BigDecimalType::Decimal128 { scale: 3 };
                }),
                big(T::Decimal256(76, 0), "42").by("Mapping::big_decimals", |m| {
                    m.big_decimals = BigDecimalType::Decimal256 { scale: 0 };
                }),
            ],
        ),
        ("a type within itself", recursion()),
    ]
}

fn recursion() -> Vec<Read> {
    let list = fields(r#"{"name": "next", "type": ["null", "R"]}, {"name": "v", "type": "int"}"#);
    let body = [long(1), long(0), long(2), long(1)].concat();
    let next = |data_type, value| Read::message(list.clone(), body.clone(), data_type, value).nullable();
    let unrolled = structure(&[("next", T::Null, true), ("v", T::Int32, false)]);
    let by = |read: Read, to| read.by("Mapping::recursion", move |m| m.recursion = to);
    vec![
        next(T::Utf8, r#"{"next":null,"v":2}"#).marked(EXTENSION, "arrow.json"),
        by(next(T::Binary, "0004"), RecursionType::Binary),
        by(next(unrolled, "{next: , v: 2}"), RecursionType::Unroll(1)),
        by(next(T::Null, "").refused(), RecursionType::Refuse),
    ]
}
