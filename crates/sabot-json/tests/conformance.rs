//! The invariants of every decoder, for schemas of each shape.

use std::sync::Arc;

use arrow_schema::{DataType as T, Field, Fields, Schema, TimeUnit};
use sabot_decode::{
    Decoder, DecoderFactory, OutputSchema, Payload, PlanError, SchemaKey, SchemaKind, Target,
};
use sabot_json::JsonFactory;
use sabot_testkit::conformance::{self, Corpus};

fn nullable(name: &str, data_type: T) -> Field {
    Field::new(name, data_type, true)
}

fn check(fields: Vec<Field>, good: &[&str], bad: &[&str]) {
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(fields)));
    check_target(&target, good, bad);
}

fn check_target(target: &Target, good: &[&str], bad: &[&str]) {
    let corpus = good.iter().fold(Corpus::new(), |corpus, text| {
        corpus.good(SchemaKey::Absent, *text)
    });
    let corpus = bad
        .iter()
        .fold(corpus, |corpus, text| corpus.bad(SchemaKey::Absent, *text));
    conformance::check(&JsonFactory::new(), target, &corpus);
}

#[test]
fn flat() {
    let fields = vec![
        nullable("b", T::Boolean),
        nullable("i", T::Int32),
        nullable("f", T::Float64),
        nullable("s", T::Utf8),
        nullable("v", T::Utf8View),
        nullable("d", T::Decimal128(10, 2)),
        nullable("t", T::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))),
    ];
    let good = [
        r#"{"b":true,"i":-1,"f":0.5,"s":"one","v":"","d":1.25,"t":"2024-02-29T00:00:00Z"}"#,
        r#"{"s":"longer than twelve bytes \u00e9\n","v":"longer than twelve bytes","t":1}"#,
        r#"{"b":null,"x":[1,{"y":2}]}"#,
        "{}",
    ];
    let bad = [
        "",
        "{",
        "[]",
        r#"{"i":1.5}"#,
        r#"{"b":true,"i":1,"s":2}"#,
        r#"{"t":"2024"}"#,
        r#"{"s":"\ud800"}"#,
    ];
    check(fields, &good, &bad);
}

#[test]
fn nested() {
    let item = nullable(
        "item",
        T::Struct(vec![nullable("a", T::Int64), nullable("l", list(T::Utf8))].into()),
    );
    let entries = Fields::from(vec![
        Field::new("key", T::Utf8, false),
        nullable("value", list(T::Int64)),
    ]);
    let fields = vec![
        nullable("list", T::List(Arc::new(item))),
        nullable(
            "map",
            T::Map(Arc::new(Field::new("entries", T::Struct(entries), false)), false),
        ),
        nullable(
            "struct",
            T::Struct(vec![nullable("x", T::Binary), nullable("y", T::FixedSizeBinary(2))].into()),
        ),
    ];
    let good = [
        r#"{"list":[{"a":1,"l":["x","y"]},null,{}],"map":{"k":[1,2],"k":[3],"":null},"struct":{"x":"AP8=","y":"AP8="}}"#,
        r#"{"list":[],"map":{},"struct":{}}"#,
        r#"{"list":null,"struct":{"x":null}}"#,
    ];
    let bad = [
        r#"{"list":[{"a":1},{"a":"x"}]}"#,
        r#"{"map":{"k":[1],"j":["x"]}}"#,
        r#"{"struct":{"x":"AP8=","y":"AA=="}}"#,
        r#"{"list":{}}"#,
    ];
    check(fields, &good, &bad);
}

#[test]
fn dictionaries_and_text() {
    let dictionary = || T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8));
    let json = nullable("j", T::Utf8)
        .with_metadata([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())].into());
    let fields = vec![
        nullable("d", dictionary()),
        Field::new("required", dictionary(), false),
        nullable("l", list(dictionary())),
        json,
    ];
    let good = [
        r#"{"d":"a","required":"x","l":["a","b",null],"j":{"a" : 1.50}}"#,
        r#"{"d":"","required":"y","l":["c"],"j":"x"}"#,
        r#"{"required":"x"}"#,
    ];
    let bad = [
        r#"{"d":"new"}"#,
        r#"{"required":"new","l":["newer",1]}"#,
        r#"{"d":"new","required":null}"#,
    ];
    check(fields, &good, &bad);
}

#[test]
fn required() {
    let members = vec![Field::new("a", T::Int64, false), nullable("b", T::Utf8)];
    let fields = vec![
        Field::new("id", T::Int64, false),
        Field::new("s", T::Struct(members.into()), false),
        Field::new(
            "l",
            T::List(Arc::new(Field::new("item", T::Boolean, false))),
            false,
        ),
    ];
    let good = [
        r#"{"id":1,"s":{"a":1},"l":[]}"#,
        r#"{"l":[true,false],"s":{"b":"x","a":2},"id":2}"#,
    ];
    let bad = [
        "{}",
        r#"{"id":1,"s":{},"l":[]}"#,
        r#"{"id":1,"s":{"a":1},"l":[null]}"#,
        r#"{"id":null}"#,
    ];
    check(fields, &good, &bad);
}

#[test]
fn projected() {
    let members = vec![nullable("a", T::Int64), nullable("b", T::Utf8)];
    let mut target = Target::default();
    target.output = OutputSchema::Arrow(Arc::new(Schema::new(vec![
        nullable("s", T::Struct(members.into())),
        nullable("t", T::Utf8),
    ])));
    target.projection = Some(vec!["s.b".to_owned()]);
    check_target(
        &target,
        &[r#"{"s":{"a":"skipped","b":"x"},"t":7}"#, "{}"],
        &[r#"{"s":{"b":1}}"#, r#"{"s":1,"t":"#],
    );
}

/// Which rows make up the sample is up to the splits, so a decoder is compared with others once its
/// schema is inferred.
#[derive(Debug)]
struct Settled(&'static str);

impl DecoderFactory for Settled {
    fn kind(&self) -> SchemaKind {
        JsonFactory::new().kind()
    }

    fn needs_writer_schemas(&self) -> bool {
        JsonFactory::new().needs_writer_schemas()
    }

    fn open(&self, target: &Target) -> Result<Box<dyn Decoder>, PlanError> {
        let mut decoder = JsonFactory::new().open(target)?;
        decoder.decode(&[Payload::unframed(self.0.as_bytes())], &mut |_| {});
        decoder
            .flush()
            .map_err(|error| PlanError::new("the sample").with_source(error))?;
        Ok(decoder)
    }
}

#[test]
fn inferred() {
    let sample = r#"{"i":1,"f":0.5,"s":"x","b":true,"o":{"a":1,"l":[{"x":"y"}]},"m":[1,"x"],"j":null}"#;
    let good = [
        sample,
        r#"{"i":-2,"f":1,"s":"","o":{"l":[]},"m":[null,2.50,true],"j":[ {}]}"#,
        r#"{"b":null,"o":{"a":null,"l":[null,{"x":"z"}]},"new":1}"#,
    ];
    let bad = [
        "",
        "[]",
        "{",
        r#"{"i":1"#,
        r#"{"s":"\ud800"}"#,
        "{\"s\":\"\u{1}\"}",
        "{\"i\":01}",
        r#"{"i":"x"}"#,
    ];
    let corpus = good.iter().fold(Corpus::new(), |corpus, text| {
        corpus.good(SchemaKey::Absent, *text)
    });
    let corpus = bad
        .iter()
        .fold(corpus, |corpus, text| corpus.bad(SchemaKey::Absent, *text));
    conformance::check(&Settled(sample), &Target::default(), &corpus.inferred());
}

fn list(item: T) -> T {
    T::List(Arc::new(nullable("item", item)))
}
