//! Which Arrow types to use where there is a choice.

use arrow_schema::{DataType, TimeUnit};
use sabot_avro::AvroFactory;
use sabot_decode::{
    BigDecimalType, BinaryType, DecoderFactory, Mapping, RowErrorKind, StringType, Target, TimeZone,
    WideDecimalType,
};
use sabot_testkit::avro::{long, sized};

use crate::common::{decode, fields, good, mapped, open, reader, record, refusal};

#[test]
fn bytes() {
    for (bytes, data_type) in [
        (BinaryType::Binary, DataType::Binary),
        (BinaryType::LargeBinary, DataType::LargeBinary),
        (BinaryType::BinaryView, DataType::BinaryView),
    ] {
        let mut mapping = Mapping::default();
        mapping.bytes = bytes;
        for (writer, body) in [
            (r#""bytes""#, sized("ab")),
            (r#"["null", "bytes"]"#, [long(1), sized("ab")].concat()),
        ] {
            let decoded = good(&mapped(&mapping), &record(writer), &[body]);
            assert_eq!(*decoded.batch.column(0).data_type(), data_type);
            assert_eq!(decoded.column("f"), ["6162"]);
        }
        let mut onto = reader(&record(r#""bytes""#));
        onto.mapping = mapping;
        assert_eq!(
            good(&onto, &record(r#""string""#), &[sized("ab")]).column("f"),
            ["6162"]
        );
    }
}

#[test]
fn zones() {
    let writer = fields(
        r#"{"name": "utc", "type": {"type": "long", "logicalType": "timestamp-micros"}},
           {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-micros"}}"#,
    );
    for (zone, name) in [
        (TimeZone::Utc, Some("UTC")),
        (TimeZone::None, None),
        (TimeZone::Named("Europe/Berlin".into()), Some("Europe/Berlin")),
        (TimeZone::Named("+02:00".into()), Some("+02:00")),
    ] {
        let mut mapping = Mapping::default();
        mapping.time_zone = zone;
        let decoded = good(&mapped(&mapping), &writer, &[[long(1), long(1)].concat()]);
        let schema = decoded.batch.schema();
        let expected = DataType::Timestamp(TimeUnit::Microsecond, name.map(Into::into));
        assert_eq!(*schema.field(0).data_type(), expected);
        assert_eq!(
            *schema.field(1).data_type(),
            DataType::Timestamp(TimeUnit::Microsecond, None)
        );
    }
    let mut mapping = Mapping::default();
    mapping.time_zone = TimeZone::Named("Berlin".into());
    assert!(refusal(&mapped(&mapping), &writer).contains("`time_zone` is \"Berlin\""));
}

#[test]
fn wide_decimals() {
    let decimal = |precision: u32, scale: u32| {
        record(&format!(
            r#"{{"type": "bytes", "logicalType": "decimal", "precision": {precision}, "scale": {scale}}}"#
        ))
    };
    let fixed = record(
        r#"{"type": "fixed", "name": "F", "size": 40, "logicalType": "decimal", "precision": 80, "scale": 3}"#,
    );
    let number = [&[0xff; 38][..], &[0x85, 0x00]].concat();
    let nines = [&[0x7f][..], &[0xff; 39]].concat();
    let mut text = Mapping::default();
    text.wide_decimals = WideDecimalType::Utf8;
    for strings in [StringType::Utf8, StringType::LargeUtf8, StringType::Utf8View] {
        text.strings = strings;
        let decoded = decode(
            &mapped(&text),
            &decimal(80, 3),
            &[sized(&number), sized([]), sized(&nines), sized([5])],
        );
        assert_eq!(*decoded.batch.column(0).data_type(), strings.data_type());
        let column = decoded.column("f");
        assert_eq!(
            (column[0].as_str(), column[1].as_str(), column[3].as_str()),
            ("-31.488", "0.000", "0.005")
        );
        assert_eq!(decoded.bad[0].3, RowErrorKind::DecimalOverflow);
        assert_eq!(
            good(&mapped(&text), &fixed, std::slice::from_ref(&number)).column("f"),
            ["-31.488"]
        );
    }
    // The bytes as they are, by default; and as text only up to a thousand digits.
    let decoded = good(&Target::default(), &decimal(80, 3), &[sized([5])]);
    assert_eq!(
        (decoded.batch.column(0).data_type(), decoded.column("f")),
        (&DataType::Binary, vec!["05".to_owned()])
    );
    assert_eq!(
        good(&Target::default(), &fixed, &[number]).column("f")[0].len(),
        80
    );
    let decoded = good(&mapped(&text), &decimal(1001, 0), &[sized([5])]);
    assert_eq!(*decoded.batch.column(0).data_type(), DataType::Binary);
    // Narrower ones stay numbers.
    let decoded = good(&mapped(&text), &decimal(76, 0), &[sized([5])]);
    assert_eq!(*decoded.batch.column(0).data_type(), DataType::Decimal256(76, 0));
    // Scales are compared, whatever holds the digits.
    for mapping in [Mapping::default(), text] {
        let mut onto = reader(&decimal(80, 3));
        onto.mapping = mapping;
        good(&onto, &decimal(20, 3), &[sized([5])]);
        assert!(refusal(&onto, &decimal(80, 2)).contains("cannot be read"));
        assert!(refusal(&onto, &decimal(81, 3)).contains("cannot be read"));
    }
}

const BIG: &str = r#"{"type": "bytes", "logicalType": "big-decimal"}"#;

/// As Java and Rust write it.
fn big(unscaled: &[u8], scale: i64) -> Vec<u8> {
    sized([sized(unscaled), long(scale)].concat())
}

#[test]
fn big_decimals() {
    // The bytes of the specification's implementations: 42.00 in the tests of apache-avro.
    let bodies = [
        big(&[0x10, 0x68], 2),
        big(&[0xff], 0),
        big(&[], 3),
        big(&[0x7b], -3),
        big(&[0x01], 20),
    ];
    let mut mapping = Mapping::default();
    let decoded = good(&mapped(&mapping), &record(BIG), &bodies);
    assert_eq!(*decoded.batch.column(0).data_type(), DataType::Binary);
    assert_eq!(
        decoded.batch.schema().field(0).metadata()["avro.logicalType"],
        "big-decimal"
    );
    assert_eq!(decoded.column("f")[0], "04106804");

    mapping.big_decimals = BigDecimalType::Utf8;
    let decoded = good(&mapped(&mapping), &record(BIG), &bodies);
    assert_eq!(decoded.column("f"), ["42.00", "-1", "0.000", "1.23E+5", "1E-20"]);

    for (to, data_type) in [
        (
            BigDecimalType::Decimal128 { scale: 2 },
            DataType::Decimal128(38, 2),
        ),
        (
            BigDecimalType::Decimal256 { scale: 2 },
            DataType::Decimal256(76, 2),
        ),
    ] {
        mapping.big_decimals = to;
        let decoded = decode(&mapped(&mapping), &record(BIG), &bodies);
        assert_eq!(*decoded.batch.column(0).data_type(), data_type);
        assert_eq!(decoded.column("f")[..4], ["42.00", "-1.00", "0.00", "123000.00"]);
        let bad: Vec<_> = decoded.bad.iter().map(|bad| (bad.0, bad.3)).collect();
        assert_eq!(bad, [(4, RowErrorKind::DecimalOverflow)]);
    }
}

/// A number's bytes and its scale, and what that is where no digits come after the point.
const BIG_DECIMALS: &[(&[u8], i64, Result<&str, RowErrorKind>)] = &[
    (
        &(TEN_TO_38 - 1).to_be_bytes(),
        0,
        Ok("99999999999999999999999999999999999999"),
    ),
    (&TEN_TO_38.to_be_bytes(), 0, Err(RowErrorKind::DecimalOverflow)),
    (
        &TEN_TO_38.to_be_bytes(),
        1,
        Ok("10000000000000000000000000000000000000"),
    ),
    (&[0x9c], 2, Ok("-1")),
    (&[0x9d], 2, Err(RowErrorKind::DecimalOverflow)),
    (&[1], -37, Ok("10000000000000000000000000000000000000")),
    (&[1], -38, Err(RowErrorKind::DecimalOverflow)),
    (&[1], i32::MIN as i64, Err(RowErrorKind::DecimalOverflow)),
    (&[0], i32::MIN as i64, Ok("0")),
    (
        &[1; 1025],
        0,
        Err(RowErrorKind::LimitExceeded("bytes of one big-decimal")),
    ),
    (&[1], 1 << 40, Err(NO_BIG_DECIMAL)),
];
const TEN_TO_38: i128 = 10i128.pow(38);
const NO_BIG_DECIMAL: RowErrorKind = RowErrorKind::Syntax("a big-decimal is a number's bytes and a scale");

fn big_decimals_as(to: BigDecimalType) -> Mapping {
    let mut mapping = Mapping::default();
    mapping.big_decimals = to;
    mapping
}

#[test]
fn big_decimals_that_do_not_fit() {
    let target = mapped(&big_decimals_as(BigDecimalType::Decimal128 { scale: 0 }));
    for (number, scale, expected) in BIG_DECIMALS {
        let decoded = decode(&target, &record(BIG), &[big(number, *scale)]);
        match expected {
            Ok(value) => assert_eq!((decoded.column("f")[0].as_str(), decoded.bad.len()), (*value, 0)),
            Err(kind) => assert_eq!(decoded.bad[0].3, *kind, "{number:02x?}"),
        }
    }
    for body in [&[2, 1][..], &[2, 1, 0, 0], &[]] {
        let decoded = decode(&target, &record(BIG), &[sized(body)]);
        assert_eq!(decoded.bad[0].3, NO_BIG_DECIMAL, "{body:02x?}");
    }
}

#[test]
fn scales_of_big_decimals() {
    for (to, is_fine) in [
        (BigDecimalType::Decimal128 { scale: 38 }, true),
        (BigDecimalType::Decimal128 { scale: 39 }, false),
        (BigDecimalType::Decimal256 { scale: -76 }, true),
        (BigDecimalType::Decimal256 { scale: 77 }, false),
    ] {
        let target = mapped(&big_decimals_as(to));
        let is_open = AvroFactory.open(&target).is_ok() && open(&target, &record(BIG)).is_ok();
        assert_eq!(is_open, is_fine, "{to:?}");
    }
}

/// A type of its own in resolution, and of bytes alone.
#[test]
fn big_decimals_and_other_types() {
    let decimal = r#"{"type": "bytes", "logicalType": "decimal", "precision": 4}"#;
    assert!(refusal(&reader(&record(BIG)), &record(decimal)).contains("cannot be read"));
    good(&reader(&record(BIG)), &record(r#""bytes""#), &[big(&[1], 0)]);
    let text = r#"{"type": "string", "logicalType": "big-decimal"}"#;
    let mapping = big_decimals_as(BigDecimalType::Decimal128 { scale: 0 });
    let decoded = good(&mapped(&mapping), &record(text), &[sized("x")]);
    assert_eq!(decoded.column("f"), ["x"]);
    // Defaults too.
    let with_default = |default: &str| {
        fields(&format!(
            r#"{{"name": "f", "type": {BIG}, "default": "{default}"}}"#
        ))
    };
    let mut onto = reader(&with_default(r"\u0002\u0005\u0000"));
    onto.mapping = mapping;
    assert_eq!(good(&onto, &fields(""), &[vec![]]).column("f"), ["5"]);
    assert!(refusal(&reader(&with_default("x")), &fields("")).contains("is no bytes"));
}
