//! What is read as another type.

use arrow_schema::DataType as T;
use arrow_schema::TimeUnit;

use super::{decimal, fixed, is_bad, mentions, pairs, read};
use crate::common::{reader, record, refusal};

/// A value of one type, read as another.
struct Read {
    writer: String,
    reader: String,
    body: Vec<u8>,
    expected: Expected,
}

enum Expected {
    Value(T, &'static str),
    BadRow,
    Refused,
}

use Expected::{BadRow, Refused, Value};
use sabot_testkit::avro::{logical, long, sized};

fn case(writer: impl Into<String>, onto: impl Into<String>, body: Vec<u8>, expected: Expected) -> Read {
    Read {
        writer: writer.into(),
        reader: onto.into(),
        body,
        expected,
    }
}

impl Read {
    fn check(&self) {
        let (writer, target) = (record(&self.writer), reader(&record(&self.reader)));
        match &self.expected {
            Value(data_type, value) => {
                let (field, found) = read(&target, &writer, self.body.clone());
                assert_eq!((field.data_type(), &*found), (data_type, *value), "{writer}");
            }
            BadRow => assert!(is_bad(&target, &writer, &self.body), "{writer}"),
            Refused => {
                refusal(&target, &writer);
            }
        }
    }
}

#[test]
fn each_row() {
    let (int, long_, float, double) = ("\"int\"", "\"long\"", "\"float\"", "\"double\"");
    let mut cases = vec![
        (
            "`int`",
            vec![
                case(int, long_, long(7), Value(T::Int64, "7")),
                case(int, float, long(7), Value(T::Float32, "7.0")),
                case(int, double, long(7), Value(T::Float64, "7.0")),
            ],
        ),
        (
            "`long`",
            vec![
                case(long_, float, long(7), Value(T::Float32, "7.0")),
                case(long_, double, long(7), Value(T::Float64, "7.0")),
                case(long_, int, long(7), Refused),
            ],
        ),
        (
            "`float`",
            vec![
                case(
                    float,
                    double,
                    1.5f32.to_le_bytes().into(),
                    Value(T::Float64, "1.5"),
                ),
                case(float, long_, 1.5f32.to_le_bytes().into(), Refused),
            ],
        ),
        (
            "`string`, `bytes`",
            vec![
                case("\"string\"", "\"bytes\"", sized("ab"), Value(T::Binary, "6162")),
                case("\"bytes\"", "\"string\"", sized("ab"), Value(T::Utf8, "ab")),
                case("\"bytes\"", "\"string\"", sized([0xff]), BadRow),
            ],
        ),
    ];
    cases.extend(times());
    cases.extend(logical_types());
    for (row, reads) in pairs("| writer | reader |", cases) {
        let writers: Vec<_> = reads.iter().map(|read| &*read.writer).collect();
        let readers: Vec<_> = reads.iter().map(|read| &*read.reader).collect();
        mentions(&row, &row[0], &writers.join("\n"));
        mentions(&row, &row[1], &readers.join("\n"));
        reads.iter().for_each(Read::check);
    }
}

fn times() -> Vec<(&'static str, Vec<Read>)> {
    use TimeUnit::{Microsecond, Nanosecond};
    let instant = |unit: &str| logical("long", &format!("timestamp-{unit}"));
    let local = |unit: &str| logical("long", &format!("local-timestamp-{unit}"));
    let utc = |unit| T::Timestamp(unit, Some("UTC".into()));
    let time = T::Time64(Microsecond);
    vec![
        (
            "`time-millis`",
            vec![case(
                logical("int", "time-millis"),
                logical("long", "time-micros"),
                long(1),
                Value(time, "00:00:00.001"),
            )],
        ),
        (
            "a timestamp",
            vec![
                case(
                    instant("millis"),
                    instant("micros"),
                    long(1),
                    Value(utc(Microsecond), "1970-01-01T00:00:00.001Z"),
                ),
                case(
                    instant("micros"),
                    instant("nanos"),
                    long(1),
                    Value(utc(Nanosecond), "1970-01-01T00:00:00.000001Z"),
                ),
                case(
                    local("millis"),
                    local("nanos"),
                    long(1),
                    Value(T::Timestamp(Nanosecond, None), "1970-01-01T00:00:00.001"),
                ),
                case(instant("millis"), instant("nanos"), long(i64::MAX), BadRow),
                case(instant("micros"), instant("millis"), long(1), Refused),
                case(instant("millis"), local("micros"), long(1), Refused),
            ],
        ),
    ]
}

fn logical_types() -> Vec<(&'static str, Vec<Read>)> {
    let narrow = || decimal("bytes", 4, 1);
    let millis = || logical("long", "timestamp-millis");
    let utc = T::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    vec![
        (
            "a decimal",
            vec![
                case(
                    narrow(),
                    decimal("bytes", 6, 1),
                    sized([123]),
                    Value(T::Decimal128(6, 1), "12.3"),
                ),
                case(narrow(), decimal("fixed 3", 45, 1), sized([123]), Refused),
                case(
                    decimal("fixed 3", 4, 1),
                    decimal("fixed 3", 6, 1),
                    vec![0, 0, 123],
                    Value(T::Decimal128(6, 1), "12.3"),
                ),
                case(narrow(), decimal("bytes", 6, 2), sized([123]), Refused),
                case(narrow(), decimal("bytes", 3, 1), sized([123]), Refused),
            ],
        ),
        (
            "a type without a logical type",
            vec![
                case(
                    "\"int\"",
                    logical("int", "date"),
                    long(1),
                    Value(T::Date32, "1970-01-02"),
                ),
                case(logical("int", "date"), "\"int\"", long(1), Value(T::Int32, "1")),
                case(
                    "\"long\"",
                    millis(),
                    long(1),
                    Value(utc, "1970-01-01T00:00:00.001Z"),
                ),
                case(millis(), "\"long\"", long(1), Value(T::Int64, "1")),
                case(
                    fixed(12, ""),
                    fixed(12, r#", "logicalType": "duration""#),
                    vec![0; 12],
                    Value(T::Interval(arrow_schema::IntervalUnit::MonthDayNano), "0 secs"),
                ),
                case(
                    "\"bytes\"",
                    narrow(),
                    sized([123]),
                    Value(T::Decimal128(4, 1), "12.3"),
                ),
                case(narrow(), "\"bytes\"", sized([123]), Value(T::Binary, "7b")),
            ],
        ),
    ]
}
