//! Any JSON, and what is nearly JSON, against `serde_json`: `fuzz_check` says what must hold.

use std::sync::Arc;

use arrow_schema::{DataType as T, Field, Fields, Schema};
use proptest::prelude::*;
use sabot_decode::{Decoder, DecoderFactory, OutputSchema, Payload, Target};
use sabot_json::JsonFactory;
use serde_json::{Map, Number, Value, json};

use fuzz_check::model;

mod fuzz_check;

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-9_i64..9).prop_map(Number::from),
        any::<f64>().prop_filter_map("JSON has no infinities", Number::from_f64),
        (-1e6..1e6).prop_filter_map("JSON has no infinities", Number::from_f64),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,3}",
        "\\PC{0,40}",
        // Quotes, escapes and what must be escaped.
        prop::collection::vec(
            prop::sample::select(vec![
                '"', '\\', '/', '\0', '\n', '\u{1f}', '\u{7f}', 'ß', '😀', '{', ','
            ]),
            0..80
        )
        .prop_map(String::from_iter),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::Number),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..8)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Few different ones, so that they come again.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[abc]", 1 => text()]
}

fn message() -> impl Strategy<Value = Value> {
    prop::collection::vec((key(), value()), 0..8).prop_map(|members| Value::Object(Map::from_iter(members)))
}

/// Writes `value` in one of many ways: with spaces, members in another order or twice, characters
/// escaped, numbers with an exponent.
fn write(value: &Value, choices: &mut impl Iterator<Item = u8>, out: &mut String) {
    let mut space = |out: &mut String| match choices.next().unwrap_or(0) {
        0..32 => out.push(' '),
        32..48 => out.push_str("\r\n\t"),
        _ => {}
    };
    space(out);
    match value {
        Value::String(text) => write_string(text, choices, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write(item, choices, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let mut members: Vec<_> = members.iter().collect();
            if let Some(turn) = choices.next() {
                let by = usize::from(turn) % members.len().max(1);
                members.rotate_left(by);
                let twice = members
                    .iter()
                    .filter(|_| choices.next().is_some_and(|choice| choice < 20));
                // What comes first is overwritten.
                for (key, _) in twice {
                    write_string(key, &mut std::iter::empty(), out);
                    out.push_str(":[{}],");
                }
            }
            for (at, (key, member)) in members.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write_string(key, choices, out);
                out.push(':');
                write(member, choices, out);
            }
            if out.ends_with(',') {
                out.pop();
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn write_string(text: &str, choices: &mut impl Iterator<Item = u8>, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let must = matches!(character, '"' | '\\' | '\0'..='\u{1f}');
        if must || choices.next().is_some_and(|choice| choice < 40) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    out.push('"');
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn json_in_any_writing_is_accepted_with_its_values(
        value in message(),
        choices in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut text = String::new();
        write(&value, &mut choices.into_iter(), &mut text);
        let parsed: Value = serde_json::from_str(&text).expect("it is JSON");
        prop_assert_eq!(&parsed, &value);
        fuzz_check::check(text.as_bytes());
        fuzz_check::check(value.to_string().as_bytes());
        fuzz_check::check(format!("{value:#}").as_bytes());
    }

    #[test]
    fn samples_of_several_messages_hold_each(values in prop::collection::vec(message(), 1..12)) {
        let texts: Vec<_> = values.iter().map(Value::to_string).collect();
        let rows: Vec<_> = texts.iter().map(|text| Payload::unframed(text.as_bytes())).collect();
        let mut decoder = JsonFactory::new().open(&Target::default()).expect("inference takes any target");
        let progress = decoder.decode(&rows, &mut |error| panic!("{error:?}"));
        prop_assert_eq!(progress.taken, rows.len());
        let batch = decoder.flush().expect("flushing never fails").batch;
        for (row, value) in values.iter().enumerate() {
            model::assert_row(&batch, row, value, &texts[row]);
        }
    }

    #[test]
    fn what_is_nearly_json_is_judged_alike(value in message(), seed in any::<u64>()) {
        let text = value.to_string();
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..4 {
            fuzz_check::check(&sabot_testkit::mutate::random(&mut rng, text.as_bytes()));
            fuzz_check::check(&edited(&mut rng, text.as_bytes()));
        }
    }

    #[test]
    fn tokens_in_any_order_are_judged_alike(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..24)) {
        fuzz_check::check(tokens.concat().as_bytes());
        fuzz_check::check(format!("{{\"a\":{}}}", tokens.concat()).as_bytes());
    }

    #[test]
    fn numbers_are_judged_alike(text in "-?[0-9]{1,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{0,12})?[ x0]?", ) {
        fuzz_check::check(format!("{{\"a\":{text}}}").as_bytes());
        fuzz_check::check(format!("{{\"float32\":{text},\"decimal\":{text}}}").as_bytes());
    }

    #[test]
    fn given_columns_hold_the_values(values in prop::collection::vec(record(), 0..12)) {
        let texts: Vec<_> = values.iter().map(Value::to_string).collect();
        let rows: Vec<_> = texts.iter().map(|text| Payload::unframed(text.as_bytes())).collect();
        let mut decoder = open_record();
        decoder.decode(&rows, &mut |error| panic!("{error:?}"));
        let batch = decoder.flush().expect("flushing never fails").batch;
        for (row, value) in values.iter().enumerate() {
            model::assert_row(&batch, row, value, &texts[row]);
        }
    }
}

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"",
    "\\",
    "\\\"",
    "\\u",
    "d800",
    "\\ud83d\\ude00",
    "dc00",
    "1",
    "-",
    "0",
    ".5",
    "e400",
    "e-5",
    "99999999999999999999",
    "true",
    "null",
    "nul",
    " ",
    "\n",
    "\0",
    "\u{c}",
    "ß",
    "\u{feff}",
    "//",
    "NaN",
];

/// One byte replaced by one that means something.
fn edited(rng: &mut fastrand::Rng, text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    let at = rng.usize(0..text.len());
    text[at] = *rng
        .choice(b"{}[],:\"\\0123456789-+.eEntf \0\x1f\x7f\xff\xc3u")
        .expect("there are bytes");
    text
}

fn record() -> impl Strategy<Value = Value> {
    let maybe = |inner: BoxedStrategy<Value>| prop::option::of(inner).prop_map(Value::from).boxed();
    let item = maybe(
        (maybe(any::<i64>().prop_map(Value::from).boxed()), text())
            .prop_map(|(a, b)| json!({"a": a, "b": b}))
            .boxed(),
    );
    let list = maybe(prop::collection::vec(item, 0..5).prop_map(Value::from).boxed());
    let map = prop::collection::vec((key(), maybe(any::<bool>().prop_map(Value::from).boxed())), 0..5);
    let map = maybe(
        map.prop_map(|members| Value::Object(Map::from_iter(members)))
            .boxed(),
    );
    let dictionary = maybe("[xyz]".prop_map(Value::from).boxed());
    (list, map, dictionary, any::<u64>(), -1e9..1e9_f64).prop_map(|(list, map, dictionary, uint, float)| {
        json!({"list": list, "map": map, "dictionary": dictionary, "uint": uint, "float": float})
    })
}

fn open_record() -> Box<dyn Decoder> {
    let item = T::Struct(vec![Field::new("a", T::Int64, true), Field::new("b", T::Utf8, true)].into());
    let entries = Fields::from(vec![
        Field::new("key", T::Utf8, false),
        Field::new("value", T::Boolean, true),
    ]);
    let fields = vec![
        Field::new("list", T::List(Arc::new(Field::new("item", item, true))), true),
        Field::new(
            "map",
            T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), false),
            true,
        ),
        Field::new(
            "dictionary",
            T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8)),
            true,
        ),
        Field::new("uint", T::UInt64, false),
        Field::new("float", T::Float64, false),
    ];
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(fields)));
    JsonFactory::new().open(&target).expect("the schema fits JSON")
}

#[test]
fn known_pitfalls_are_judged_alike() {
    let deep = "[".repeat(100_000);
    let closed = format!("{{\"a\":{deep}{}}}", "]".repeat(100_000));
    let long = format!("{{\"a\":\"{}\\n\"}}", "ß".repeat(100_000));
    let cases: [&[u8]; 40] = [
        b"",
        b" \n",
        b"{}x",
        b"{}{}",
        b"{}\0",
        b"{\"a\":1\0}",
        b"{\"a\":true\0abc}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\x01\"}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":1}\xc3",
        b"{\"a\":12345678901234567890x}",
        b"{\"a\":1.2345678901234567890123x}",
        b"{\"a\":1e4294967296}",
        b"{\"a\":1e-4294967296}",
        b"{\"a\":0e99999999999}",
        b"{\"a\":1e400}",
        b"{\"a\":-1e400}",
        b"{\"a\":1e-400}",
        b"{\"a\":-0}",
        b"{\"a\":-0.0}",
        b"{\"a\":1.7976931348623159e308}",
        b"{\"a\":2.2250738585072011e-308}",
        b"{\"a\":9007199254740993}",
        b"{\"a\":9007199254740993.0}",
        b"{\"a\":100000000000000016777215.0}",
        br#"{"a":"\ud800"}"#,
        br#"{"a":"\ud800\ue000"}"#,
        br#"{"a":"\udc00\ud800"}"#,
        br#"{"a":"\ud800\u12"}"#,
        br#"{"a":"\u00"}"#,
        br#"{"\ud83d\ude00":1,"a":1,"a":[]}"#,
        b"{\"a\":nul}",
        b"{\"a\":truex}",
        b"{\"a\":+1}",
        b"{\"a\":0x1}",
        deep.as_bytes(),
        closed.as_bytes(),
        long.as_bytes(),
    ];
    for text in cases {
        fuzz_check::check(text);
    }
}
