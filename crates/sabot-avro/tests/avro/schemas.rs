//! Schema texts: what is read, and what is refused with a clear error.

use sabot_avro::{AvroFactory, canonical_form};
use sabot_decode::{DecoderFactory, NamedSchema, Payload, SchemaKind, Target, WriterSchema};
use sabot_testkit::avro::{long, sized};

use crate::common::{KEY, feed, fields, good, reader, record, refusal};

#[test]
fn malformed_schemas_are_refused() {
    for (schema, expected) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("7", "no Avro type"),
        ("[]", "without branches"),
        ("{}", "\"type\""),
        (r#""nothing""#, "not defined"),
        ("nothing", "not defined"),
        (r#"{"type": "array"}"#, "\"items\""),
        (r#"{"type": "map"}"#, "\"values\""),
        (r#"{"type": "fixed", "name": "F"}"#, "\"size\""),
        (r#"{"type": "fixed", "name": "F", "size": -1}"#, "no size"),
        (r#"{"type": "fixed", "name": "F", "size": 2147483648}"#, "no size"),
        (r#"{"type": "fixed", "size": 1}"#, "\"name\""),
        (r#"{"type": "fixed", "name": "", "size": 1}"#, "cannot name"),
        (r#"{"type": "fixed", "name": "1F", "size": 1}"#, "cannot name"),
        (r#"{"type": "fixed", "name": "a-b", "size": 1}"#, "cannot name"),
        (r#"{"type": "fixed", "name": "int", "size": 1}"#, "cannot name"),
        (r#"{"type": "fixed", "name": 1, "size": 1}"#, "not a string"),
        (r#"{"type": "enum", "name": "E"}"#, "\"symbols\""),
        (
            r#"{"type": "enum", "name": "E", "symbols": []}"#,
            "without symbols",
        ),
        (r#"{"type": "enum", "name": "E", "symbols": ["A", "A"]}"#, "twice"),
        (
            r#"{"type": "enum", "name": "E", "symbols": ["A b"]}"#,
            "no enum symbol",
        ),
        (
            r#"{"type": "enum", "name": "E", "symbols": [1]}"#,
            "no enum symbol",
        ),
        (
            r#"{"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}"#,
            "no symbol",
        ),
        (r#"["int", "int"]"#, "twice"),
        (r#"["int", ["string"]]"#, "directly within"),
        (r#"{"type": "record", "name": "R"}"#, "\"fields\""),
        (
            r#"{"type": "record", "name": "R", "fields": [1]}"#,
            "not an object",
        ),
        (
            r#"{"type": "record", "name": "R", "fields": [{"name": "a"}]}"#,
            "field a: a field without a type",
        ),
        (
            r#"{"type": "record", "name": "R", "fields": [{"type": "int"}]}"#,
            "\"name\"",
        ),
    ] {
        let error = refusal(&Target::default(), schema);
        assert!(error.contains(expected), "{schema}: {error}");
        assert!(AvroFactory.open(&reader(schema)).is_err(), "{schema}");
    }
    let nested = record(r#"{"type": "array", "items": {"type": "map", "values": "none"}}"#);
    assert!(refusal(&Target::default(), &nested).starts_with("field f[]{}: the type \"none\""));
    let twice = fields(r#"{"name": "a", "type": "int"}, {"name": "a", "type": "int"}"#);
    assert!(refusal(&Target::default(), &twice).contains("field \"a\" twice"));
    let redefined = fields(
        r#"{"name": "a", "type": {"type": "fixed", "name": "F", "size": 1}}, {"name": "b", "type": {"type": "fixed", "name": "F", "size": 1}}"#,
    );
    assert!(refusal(&Target::default(), &redefined).contains("\"F\" is defined twice"));
}

#[test]
fn other_languages_are_refused() {
    let mut decoder = AvroFactory.open(&Target::default()).unwrap();
    let error = decoder
        .prepare(KEY, &WriterSchema::new(SchemaKind::Json, "{}"))
        .unwrap_err();
    assert_eq!(error.to_string(), "expected an Avro schema, found JSON");
    assert!(decoder.schema().is_none());
}

#[test]
fn names_and_namespaces() {
    // References: within the namespace, full, and in the null namespace.
    let writer = r#"{"type": "record", "name": "R", "namespace": "a.b", "fields": [
        {"name": "one", "type": {"type": "fixed", "name": "F", "size": 1}},
        {"name": "two", "type": "F"},
        {"name": "three", "type": "a.b.F"},
        {"name": "four", "type": {"type": "fixed", "name": "c.F", "size": 2}},
        {"name": "five", "type": "c.F"},
        {"name": "six", "type": {"type": "record", "name": "N", "namespace": "", "fields": [{"name": "n", "type": "int"}]}},
        {"name": "seven", "type": "N"},
        {"name": "eight", "type": {"type": "record", "name": "x.y.Z", "namespace": "ignored", "fields": [
            {"name": "g", "type": {"type": "fixed", "name": "G", "size": 1}}, {"name": "h", "type": "x.y.G"}]}}]}"#;
    let body = [&[1, 2, 3][..], &[4, 4], &[5, 5], &long(6), &long(7), &[8, 9]].concat();
    let decoded = good(&Target::default(), writer, &[body]);
    for (column, value) in [
        ("two", "02"),
        ("three", "03"),
        ("five", "0505"),
        ("six", "{n: 6}"),
        ("seven", "{n: 7}"),
        ("eight", "{g: 08, h: 09}"),
    ] {
        assert_eq!(decoded.column(column), [value], "{column}");
    }
}

#[test]
fn logical_types_stand_on_the_type() {
    for (ty, value) in [
        (
            r#"{"type": {"type": "int"}, "logicalType": "date"}"#,
            "1970-01-02",
        ),
        (
            r#"{"type": {"type": "int", "logicalType": "date"}}"#,
            "1970-01-02",
        ),
        (
            r#"{"type": {"type": "int", "logicalType": "date"}, "logicalType": "time-millis"}"#,
            "1970-01-02",
        ),
    ] {
        assert_eq!(
            good(&Target::default(), &record(ty), &[long(1)]).column("f"),
            [value],
            "{ty}"
        );
    }
    let wrapped = record(
        r#"{"type": {"type": "fixed", "name": "F", "size": 1}, "logicalType": "decimal", "precision": 2, "scale": 1}"#,
    );
    assert_eq!(
        good(&Target::default(), &wrapped, &[vec![5]]).column("f"),
        ["0.5"]
    );
    // On the field it is not the type's, and a reference keeps its definition's.
    let field = fields(r#"{"name": "f", "type": "int", "logicalType": "date"}"#);
    assert_eq!(good(&Target::default(), &field, &[long(1)]).column("f"), ["1"]);
    for named in [r#""F""#, r#"{"type": "F"}"#, r#"{"type": {"type": "F"}}"#] {
        let reference = fields(&format!(
            r#"{{"name": "e", "type": {{"type": "fixed", "name": "F", "size": 1}}}},
               {{"name": "f", "type": {{"type": {named}, "logicalType": "decimal", "precision": 2}}}}"#
        ));
        let decoded = good(&Target::default(), &reference, &[vec![1, 2]]);
        assert_eq!(
            (decoded.column("e"), decoded.column("f")),
            (vec!["01".to_owned()], vec!["02".to_owned()]),
            "{named}"
        );
    }
}

/// Namespaces are taken as they come, as Java takes them: many a registry has one with a hyphen in
/// it.
#[test]
fn namespaces_are_not_looked_at() {
    for (name, namespace, full) in [
        ("F", "my-company.orders", "my-company.orders.F"),
        ("F", "1-2", "1-2.F"),
        ("a.b c.F", "", "a.b c.F"),
        ("a..F", "", "a..F"),
        // One leading dot is no namespace, and two are one.
        (".F", "a", "F"),
        ("..F", "", "..F"),
        // The specification forbids it, and only the full name can mean it.
        ("int", "a", "a.int"),
    ] {
        let ty = format!(r#"{{"type": "fixed", "name": "{name}", "namespace": "{namespace}", "size": 1}}"#);
        let form = canonical_form(&WriterSchema::avro(&*ty)).unwrap();
        assert_eq!(form, format!(r#"{{"name":"{full}","type":"fixed","size":1}}"#));
        let writer = fields(&format!(
            r#"{{"name": "e", "type": {ty}}}, {{"name": "f", "type": "{full}"}}, {{"name": "g", "type": "int"}}"#
        ));
        let decoded = good(&Target::default(), &writer, &[vec![1, 2, 6]]);
        assert_eq!(
            (decoded.column("f"), decoded.column("g")),
            (vec!["02".to_owned()], vec!["3".to_owned()]),
            "{full}"
        );
    }
}

#[test]
fn references_of_a_registry() {
    let named = |name: &str, text: &str| NamedSchema {
        name: name.into(),
        text: text.into(),
    };
    let writer = WriterSchema {
        references: [
            named(
                "acme.Id",
                r#"{"type": "fixed", "name": "Id", "namespace": "acme", "size": 1}"#,
            ),
            named(
                "acme.Line",
                r#"{"type": "record", "name": "acme.Line", "fields": [{"name": "id", "type": "Id"}]}"#,
            ),
            named("Alias", r#""string""#),
        ]
        .into(),
        ..WriterSchema::avro(
            r#"{"type": "record", "name": "Order", "namespace": "acme", "fields": [
                {"name": "id", "type": "acme.Id"}, {"name": "lines", "type": {"type": "array", "items": "Line"}},
                {"name": "note", "type": "Alias"}]}"#,
        )
    };
    let mut decoder = AvroFactory.open(&Target::default()).unwrap();
    decoder.prepare(KEY, &writer).unwrap();
    let body = [&[1][..], &long(2), &[2, 3], &long(0), &sized("n")].concat();
    let decoded = feed(&mut *decoder, &[Payload::with_key(KEY, &body)]);
    assert_eq!(decoded.column("lines"), ["[{id: 02}, {id: 03}]"]);
    assert_eq!(decoded.column("note"), ["n"]);

    let broken = WriterSchema {
        references: [named("x.Y", "{")].into(),
        ..WriterSchema::avro(r#""int""#)
    };
    let error = decoder.prepare(KEY, &broken).unwrap_err();
    assert!(error.to_string().contains("<reference x.Y>"), "{error}");
}

/// Each type holds the one before twice: 2^40 columns.
#[test]
fn schemas_that_double_are_refused() {
    let mut doubling = record(r#"{"type": "record", "name": "T0", "fields": []}"#);
    for level in 1..40 {
        let (inner, name) = (level - 1, format!("T{level}"));
        let first = if level == 1 {
            r#"{"type": "record", "name": "T0", "fields": []}"#.into()
        } else {
            doubling
        };
        doubling = format!(
            r#"{{"type": "record", "name": "{name}", "fields": [{{"name": "a", "type": {first}}}, {{"name": "b", "type": "T{inner}"}}]}}"#
        );
    }
    let error = refusal(&Target::default(), &doubling);
    assert!(error.contains("more than 65536 columns"), "{error}");
    // Skipped, it takes no bytes and no time.
    let dropped = fields(&format!(
        r#"{{"name": "keep", "type": "int"}}, {{"name": "gone", "type": {doubling}}}"#
    ));
    let mut target = Target::default();
    target.projection = Some(vec!["keep".into()]);
    assert_eq!(good(&target, &dropped, &[long(1)]).column("keep"), ["1"]);
}

#[test]
fn schemas_that_are_too_deep_or_long_are_refused() {
    let deep = |levels: usize| {
        format!(
            "{}\"int\"{}",
            r#"{"type": "array", "items": "#.repeat(levels),
            "}".repeat(levels)
        )
    };
    let mut target = Target::default();
    assert!(refusal(&target, &deep(64)).contains("limit of 64"));
    assert_eq!(good(&target, &deep(63), &[long(0)]).column("value"), ["[]"]);
    assert!(refusal(&target, &deep(10_000)).contains("not JSON"));
    let long_name = "x".repeat(17 << 20);
    let large = fields(&format!(r#"{{"name": "{long_name}", "type": "int"}}"#));
    assert!(refusal(&target, &large).contains("exceeds"));
    // A chain of names is as deep without being nested in the text.
    let chain = (0..20_000).map(|level| match level {
        0 => r#"{"name": "c0", "type": {"type": "record", "name": "T0", "fields": []}}"#.to_owned(),
        _ => format!(
            r#"{{"name": "c{level}", "type": {{"type": "record", "name": "T{level}", "fields": [{{"name": "f", "type": "T{}"}}]}}}}"#,
            level - 1
        ),
    });
    let chain = fields(&chain.collect::<Vec<_>>().join(","));
    assert!(refusal(&target, &chain).contains("limit of 64"));
    target.limits.depth = usize::MAX;
    assert!(refusal(&target, &chain).contains("limit of 128"));
}

#[test]
fn defaults_that_multiply_are_refused() {
    let mut ty =
        r#"{"type": "record", "name": "T0", "fields": [{"name": "x", "type": "int", "default": 0}]}"#
            .to_owned();
    for level in 1..40 {
        ty = format!(
            r#"{{"type": "record", "name": "T{level}", "fields": [{{"name": "a", "type": {ty}, "default": {{}}}}, {{"name": "b", "type": "T{}", "default": {{}}}}]}}"#,
            level - 1
        );
    }
    // The columns alone would be too many; with a map before each, the columns are few and the
    // default is not.
    let recursive = r#"{"type": "record", "name": "M", "fields": [{"name": "a", "type": "int", "default": 0}, {"name": "m", "type": "M", "default": {}}]}"#;
    for default in [ty.as_str(), recursive] {
        let reader_schema = fields(&format!(r#"{{"name": "f", "type": {default}, "default": {{}}}}"#));
        let mut target = reader(&reader_schema);
        target.projection = Some(vec!["f.a".into()]);
        let error = match AvroFactory.open(&target) {
            Err(error) => error,
            Ok(mut decoder) => decoder.prepare(KEY, &WriterSchema::avro(fields(""))).unwrap_err(),
        };
        assert!(
            error.to_string().contains("too large or too deep") || error.to_string().contains("columns"),
            "{error}"
        );
    }
}

#[test]
fn resolutions_that_multiply_are_refused() {
    // Each level has ten records of one unqualified name, each with a union of the ten below: 10^20
    // ways to the last.
    let mut levels = String::new();
    for level in (0..20).rev() {
        for namespace in 'a'..='j' {
            let ty = if level == 19 {
                r#""boolean""#.to_owned()
            } else {
                let below: Vec<_> = ('a'..='j')
                    .map(|below| format!("\"{below}.L{}\"", level + 1))
                    .collect();
                format!("[{}]", below.join(","))
            };
            let record = format!(
                r#"{{"type": "record", "name": "{namespace}.L{level}", "fields": [{{"name": "f", "type": {ty}}}]}}"#
            );
            levels.push_str(&format!(
                r#"{{"name": "d{level}{namespace}", "type": {record}}},"#
            ));
        }
    }
    let writer = fields(&format!(r#"{levels} {{"name": "f", "type": ["a.L0", "b.L0"]}}"#));
    let mut ty = r#""int""#.to_owned();
    for level in (0..20).rev() {
        ty =
            format!(r#"{{"type": "record", "name": "L{level}", "fields": [{{"name": "f", "type": {ty}}}]}}"#);
    }
    let error = refusal(&reader(&record(&ty)), &writer);
    assert!(error.contains("steps to resolve"), "{error}");
}
