//! A schema from a sample: what comes of which messages, and where the sample ends.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, FieldRef, Fields};
use sabot_decode::{
    Decoder, DecoderFactory, Payload, RowErrorKind as K, SchemaKey, Stop, StringType, Target,
};
use sabot_json::JsonFactory;
use serde_json::Value;

mod model;

const SAMPLE_ROWS: usize = 1_000;
const SAMPLE_BYTES: usize = 1 << 20;

fn open(target: &Target) -> Box<dyn Decoder> {
    JsonFactory::new()
        .open(target)
        .expect("inference takes any target")
}

/// Decodes all rows at once; gives the slots of bad ones and why they are bad.
fn decode(decoder: &mut dyn Decoder, messages: &[&[u8]]) -> Vec<(u32, K)> {
    let rows: Vec<_> = messages.iter().map(|text| Payload::unframed(text)).collect();
    let mut bad = Vec::new();
    let progress = decoder.decode(&rows, &mut |error| bad.push((error.slot, error.kind)));
    assert_eq!((progress.taken, progress.stop), (rows.len(), Stop::Done));
    bad
}

fn flush(decoder: &mut dyn Decoder) -> RecordBatch {
    let slots = decoder.flush().expect("flushing never fails");
    for column in slots.batch.columns() {
        column.to_data().validate_full().expect("columns are well-formed");
    }
    slots.batch
}

fn schema(decoder: &dyn Decoder) -> String {
    decoder
        .schema()
        .map_or("none".into(), |schema| show(schema.fields()))
}

/// Infers from all messages together, and checks each row against `serde_json`.
fn infer(target: &Target, messages: &[&str]) -> String {
    let mut decoder = open(target);
    let bytes: Vec<_> = messages.iter().map(|text| text.as_bytes()).collect();
    assert_eq!(decode(&mut *decoder, &bytes), [], "{messages:?}");
    let batch = flush(&mut *decoder);
    for (row, text) in messages.iter().enumerate() {
        let value: Value = serde_json::from_str(text).expect("the samples are JSON");
        model::assert_row(&batch, row, &value, text);
    }
    schema(&*decoder)
}

#[test]
fn types_of_samples() {
    let cases: [(&[&str], &str); 47] = [
        (&["{}"], "none"),
        (&[r#"{"a":null}"#], "a json"),
        (&[r#"{"a":true}"#, r#"{"a":false}"#], "a bool"),
        (&[r#"{"a":1}"#, r#"{"a":null}"#, "{}"], "a int"),
        (
            &[r#"{"a":-9223372036854775808}"#, r#"{"a":9223372036854775807}"#],
            "a int",
        ),
        (&[r#"{"a":9223372036854775808}"#], "a uint"),
        (&[r#"{"a":0}"#, r#"{"a":18446744073709551615}"#], "a uint"),
        (&[r#"{"a":-1}"#, r#"{"a":18446744073709551615}"#], "a decimal"),
        (
            &[r#"{"a":-9223372036854775808}"#, r#"{"a":9223372036854775808}"#],
            "a decimal",
        ),
        (&[r#"{"a":18446744073709551616}"#], "a float"),
        (&[r#"{"a":-9223372036854775809}"#], "a float"),
        (&[r#"{"a":1.0}"#], "a float"),
        (&[r#"{"a":1e2}"#], "a float"),
        (&[r#"{"a":-0}"#, r#"{"a":0.5}"#], "a float"),
        (
            &[r#"{"a":1}"#, r#"{"a":2.5}"#, r#"{"a":9007199254740993}"#],
            "a float",
        ),
        (&[r#"{"a":2.5}"#, r#"{"a":1}"#], "a float"),
        (
            &[r#"{"a":18446744073709551615}"#, r#"{"a":-1}"#, r#"{"a":0.5}"#],
            "a float",
        ),
        (&[r#"{"a":"x"}"#, r#"{"a":""}"#], "a text"),
        (
            &[r#"{"a":"x"}"#, r#"{"a":1}"#, r#"{"a":true}"#, r#"{"a":null}"#],
            "a scalar",
        ),
        (&[r#"{"a":1}"#, r#"{"a":"x"}"#], "a scalar"),
        (&[r#"{"a":true}"#, r#"{"a":1.50}"#], "a scalar"),
        (&[r#"{"a":true}"#, r#"{"a":1}"#, r#"{"a":2}"#], "a scalar"),
        (&[r#"{"a":"null"}"#, r#"{"a":null}"#, r#"{"a":0}"#], "a scalar"),
        (&[r#"{"a":{}}"#], "a json"),
        (&[r#"{"a":{}}"#, r#"{"a":null}"#], "a json"),
        (&[r#"{"a":{}}"#, r#"{"a":{"b":1}}"#], "a {b int}"),
        (
            &[r#"{"a":{"b":1}}"#, r#"{"a":{"c":"x"}}"#, r#"{"a":null}"#],
            "a {b int, c text}",
        ),
        (
            &[r#"{"a":{"b":{"c":{"d":1}}}}"#, r#"{"a":{"b":{"c":{"d":0.5}}}}"#],
            "a {b {c {d float}}}",
        ),
        (&[r#"{"a":[]}"#], "a [json]"),
        (&[r#"{"a":[null]}"#], "a [json]"),
        (&[r#"{"a":[]}"#, r#"{"a":[1,null]}"#], "a [int]"),
        (&[r#"{"a":[1]}"#, r#"{"a":[2.5]}"#], "a [float]"),
        (&[r#"{"a":[1,"x",true]}"#], "a [scalar]"),
        (&[r#"{"a":[1,[2],{}]}"#], "a [json]"),
        (&[r#"{"a":[[1],[],[2,3]]}"#], "a [[int]]"),
        (&[r#"{"a":[{"b":1},{"c":2},{}]}"#], "a [{b int, c int}]"),
        (&[r#"{"a":[{"b":[]},{"b":[{"c":1}]}]}"#], "a [{b [{c int}]}]"),
        (&[r#"{"a":1}"#, r#"{"a":{"b":1}}"#], "a json"),
        (&[r#"{"a":{"b":1}}"#, r#"{"a":1}"#], "a json"),
        (&[r#"{"a":{"b":1}}"#, r#"{"a":[1]}"#, r#"{"a":"x"}"#], "a json"),
        (
            &[r#"{"a":[1]}"#, r#"{"a":{"b" : "x\u0041"}}"#, r#"{"a":null}"#],
            "a json",
        ),
        (&[r#"{"a":"x"}"#, r#"{"a":[1, 2]}"#], "a json"),
        (
            &[r#"{"b":1,"a":2}"#, r#"{"a":2,"c":3,"b":1}"#],
            "b int, a int, c int",
        ),
        (&[r#"{"a":"x","a":1}"#], "a scalar"),
        (&[r#"{"":1,"a.b":2,"größe\n":3}"#], " int, a.b int, größe\n int"),
        (&[r#"{"\u0061":1,"a":2}"#], "a int"),
        (&["{}", r#"{"a":1}"#, "{}"], "a int"),
    ];
    for (messages, expected) in cases {
        assert_eq!(infer(&Target::default(), messages), expected, "{messages:?}");
    }
}

#[test]
fn strings_have_the_type_asked_for() {
    let message = [r#"{"a":"x","b":[1,"x"],"c":null,"d":["longer than twelve bytes"]}"#];
    for (strings, suffix) in [(StringType::LargeUtf8, "/large"), (StringType::Utf8View, "/view")] {
        let mut target = Target::default();
        target.mapping.strings = strings;
        let expected = format!("a text{suffix}, b [scalar{suffix}], c json{suffix}, d [text{suffix}]");
        assert_eq!(infer(&target, &message), expected);
    }
}

#[test]
fn later_messages_fit_or_are_bad() {
    let mut decoder = open(&Target::default());
    assert_eq!(
        decode(&mut *decoder, &[br#"{"a":1,"b":{"c":"x"},"j":null,"s":[1,"x"]}"#]),
        []
    );
    assert_eq!(schema(&*decoder), "none");
    let first = flush(&mut *decoder);
    let later: [&[u8]; 8] = [
        br#"{"a":2,"b":{"c":"y","new":[1]},"new":{}}"#,
        br#"{"a":"2"}"#,
        br#"{"a":2.5}"#,
        br#"{"b":{"c":1}}"#,
        br#"{"b":[]}"#,
        br#"{"j":[{"any" : 1.50}],"s":[null,true,2.50]}"#,
        br#"{"s":[[]]}"#,
        b"{}",
    ];
    let bad = decode(&mut *decoder, &later);
    assert_eq!(bad.iter().map(|bad| bad.0).collect::<Vec<_>>(), [1, 2, 3, 4, 6]);
    assert_eq!(bad[1].1, K::NumberOutOfRange);
    let batch = flush(&mut *decoder);
    assert_eq!((batch.schema(), batch.num_rows()), (first.schema(), 8));
    for row in [0, 5, 7] {
        let value = serde_json::from_slice(later[row]).expect("it is JSON");
        model::assert_row(&batch, row, &value, "a later message");
    }
}

#[test]
fn rows_without_a_message_have_slots_in_the_sample() {
    let mut decoder = open(&Target::default());
    let rows = [
        Payload::tombstone(),
        Payload::refused(SchemaKey::Absent, K::UnknownSchema),
        Payload::unframed(b"{\"a\":1"),
        Payload::unframed(b"[{\"a\":1}]"),
        Payload::unframed(b"{\"a\":7}"),
        Payload::tombstone(),
    ];
    let mut bad = Vec::new();
    assert_eq!(decoder.decode(&rows, &mut |error| bad.push(error)).taken, 6);
    let found = "an array";
    let expected = "an object";
    let kinds: Vec<_> = bad
        .iter()
        .map(|bad| (bad.slot, bad.byte_offset, bad.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            (1, 0, K::UnknownSchema),
            (2, 6, K::Truncated),
            (3, 0, K::TypeMismatch { expected, found })
        ]
    );
    assert_eq!((decoder.slots(), decoder.schema()), (6, None));
    assert!(decoder.buffered_bytes() > 0);
    let slots = decoder.flush().expect("flushing never fails");
    let valid: Vec<_> = slots.valid.expect("some are bad").iter().collect();
    assert_eq!(valid, [true, false, false, false, true, true]);
    assert_eq!(slots.batch.column(0).null_count(), 5);
    model::assert_row(&slots.batch, 4, &serde_json::json!({"a": 7}), "the good row");
    assert_eq!((decoder.slots(), decoder.buffered_bytes()), (0, 0));
}

#[test]
fn a_sample_without_fields_is_flushed_without_columns() {
    let mut decoder = open(&Target::default());
    for _ in 0..2 {
        let rows = [
            Payload::unframed(b"{}"),
            Payload::tombstone(),
            Payload::unframed(b""),
        ];
        let mut bad = 0;
        assert_eq!(decoder.decode(&rows, &mut |_| bad += 1).taken, 3);
        let slots = decoder.flush().expect("flushing never fails");
        assert_eq!(
            (bad, slots.batch.num_columns(), slots.batch.num_rows()),
            (1, 0, 3)
        );
        assert_eq!(
            slots.valid.expect("one is bad").iter().collect::<Vec<_>>(),
            [true, true, false]
        );
        assert_eq!(
            (decoder.slots(), decoder.buffered_bytes(), decoder.schema()),
            (0, 0, None)
        );
    }
    assert_eq!(decoder.flush().expect("flushing never fails").batch.num_rows(), 0);
    // The fields may come after any number of rows without any.
    assert_eq!(decode(&mut *decoder, &[b"{}".as_slice(); 2 * SAMPLE_ROWS]), []);
    assert_eq!(decode(&mut *decoder, &[br#"{"a":1}"#]), []);
    assert_eq!(
        (schema(&*decoder), decoder.slots()),
        ("a int".into(), 2 * SAMPLE_ROWS + 1)
    );
    assert_eq!(flush(&mut *decoder).num_rows(), 2 * SAMPLE_ROWS + 1);
}

#[test]
fn selected_fields_alone_are_inferred() {
    let message = br#"{"a":1,"b":{"c":2,"d":[{"e":3,"f":4}]},"j":null,"s":"x"}"#;
    let cases: [(&[&str], &str); 12] = [
        (&["a"], "a int"),
        (&["b.d.f", "a"], "b {d [{f int}]}, a int"),
        (&["a, b.d[].f, b.c"], "a int, b {d [{f int}], c int}"),
        (&["b"], "b {c int, d [{e int, f int}]}"),
        (&["b.d", "b"], "b {c int, d [{e int, f int}]}"),
        // What the sample lacks may come later.
        (&["never"], "never json"),
        (&["b.never.x", "s"], "b {never json}, s text"),
        (&["b.d.never"], "b {d [{never json}]}"),
        (&["b.never", "b"], "b {c int, d [{e int, f int}], never json}"),
        // What is selected may be in the text.
        (&["j.x"], "j json"),
        // Where the sample contradicts a path, the column takes both.
        (&["s.x", "b[].c"], "s json, b json"),
        (&["b.d.e.x"], "b {d [{e json}]}"),
    ];
    for (paths, expected) in cases {
        let mut target = Target::default();
        target.projection = Some(paths.iter().map(|&path| path.to_owned()).collect());
        let mut decoder = open(&target);
        assert_eq!(
            decode(&mut *decoder, &[message, b"{}", b"{"]),
            [(2, K::Truncated)]
        );
        let batch = flush(&mut *decoder);
        assert_eq!(schema(&*decoder), expected, "{paths:?}");
        assert_eq!(batch.num_rows(), 3);
        assert_eq!(decode(&mut *decoder, &[message]), []);
        model::assert_row(
            &flush(&mut *decoder),
            0,
            &serde_json::from_slice(message).expect("JSON"),
            "projected",
        );
    }
}

/// Neither maps nor unions are ever inferred.
#[test]
fn paths_that_no_sample_could_have_are_refused() {
    for (path, expected) in [
        ("b{}", "{} selects the values of a map"),
        ("b[].c<int>", "<int> selects a branch of a union"),
        ("b..c", "is not a field's path"),
    ] {
        let mut target = Target::default();
        target.projection = Some(vec![path.to_owned()]);
        let error = JsonFactory::new().open(&target).unwrap_err().to_string();
        assert!(error.contains(expected), "{path}: {error}");
    }
}

#[test]
fn the_sample_ends_in_the_middle_of_a_call() {
    let (small, late) = (br#"{"a":1}"#.as_slice(), br#"{"a":1,"late":2}"#.as_slice());
    let mut messages = vec![small; SAMPLE_ROWS - 1];
    messages.extend([br#"{"a":1,"b":2}"#.as_slice(), late, br#"{"a":0.5}"#, small]);
    for call_rows in [1, 7, SAMPLE_ROWS - 1, SAMPLE_ROWS, SAMPLE_ROWS + 1, usize::MAX] {
        let mut decoder = open(&Target::default());
        let mut bad = Vec::new();
        for call in messages.chunks(call_rows.min(messages.len())) {
            bad.extend(decode(&mut *decoder, call));
        }
        assert_eq!(
            bad,
            [(SAMPLE_ROWS as u32 + 1, K::NumberOutOfRange)],
            "calls of {call_rows}"
        );
        assert_eq!(schema(&*decoder), "a int, b int");
        assert_eq!(flush(&mut *decoder).num_rows(), messages.len());
    }
    // The schema is there as soon as the sample is complete.
    let mut decoder = open(&Target::default());
    decode(&mut *decoder, &messages[..SAMPLE_ROWS - 1]);
    assert_eq!(schema(&*decoder), "none");
    decode(&mut *decoder, &messages[SAMPLE_ROWS - 1..SAMPLE_ROWS]);
    assert_eq!(schema(&*decoder), "a int, b int");
}

#[test]
fn the_sample_ends_after_so_many_bytes() {
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(SAMPLE_BYTES / 4));
    let mut messages = vec![large.as_bytes(); 4];
    messages.push(br#"{"a":1}"#);
    let mut decoder = open(&Target::default());
    assert_eq!(decode(&mut *decoder, &messages).len(), 1);
    assert_eq!(schema(&*decoder), "a text");
    assert_eq!(flush(&mut *decoder).num_rows(), 5);
}

#[test]
fn limits_of_a_batch_end_the_sample_sooner() {
    let rows = vec![Payload::unframed(br#"{"a":1}"#); 50];
    let mut by_rows = Target::default();
    by_rows.limits.batch_rows = 10;
    let mut by_bytes = Target::default();
    by_bytes.limits.batch_bytes = 10 * 7;
    for target in [by_rows, by_bytes] {
        let mut decoder = open(&target);
        let (mut taken, mut batches) = (0, 0);
        while taken < rows.len() {
            let progress = decoder.decode(&rows[taken..], &mut |error| panic!("{error:?}"));
            taken += progress.taken;
            if progress.stop == Stop::Full {
                assert!(decoder.slots() > 0 && decoder.slots() <= 10);
                batches += 1;
                assert_eq!(show(flush(&mut *decoder).schema().fields()), "a int");
            }
        }
        assert!(batches >= 4, "{batches}");
    }
}

#[test]
fn a_message_with_too_many_fields_leaves_none_behind() {
    let object = |name: &str, count: usize| {
        let members: Vec<_> = (0..count).map(|at| format!("\"{name}{at}\":{at}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let (a, b, c) = (object("a", 6_000), object("b", 6_000), object("c", 3_999));
    let nested = format!("{{\"n\":{}}}", object("d", 2));
    let mut decoder = open(&Target::default());
    let bad = decode(
        &mut *decoder,
        &[
            a.as_bytes(),
            b.as_bytes(),
            c.as_bytes(),
            nested.as_bytes(),
            a.as_bytes(),
        ],
    );
    let kind = K::LimitExceeded("inferred fields");
    assert_eq!(bad, [(1, kind), (3, kind)]);
    let batch = flush(&mut *decoder);
    assert_eq!(batch.num_columns(), 9_999);
    model::assert_row(&batch, 2, &serde_json::from_str(&c).expect("it is JSON"), "c");
}

#[test]
fn a_sampled_message_keeps_to_the_limits() {
    let mut target = Target::default();
    target.limits.row_items = 4;
    target.limits.row_bytes = 40;
    target.limits.depth = 3;
    let mut decoder = open(&target);
    let messages: [&[u8]; 6] = [
        br#"{"a":[1,2],"b":[3,4]}"#,
        br#"{"a":[1,2],"b":[3,4,5]}"#,
        br#"{"o":{"a":1,"b":2,"c":3,"d":4,"e":5}}"#,
        br#"{"a":[1],"o":{"long":"........................"}}"#,
        br#"{"o":{"deep":{}}}"#,
        br#"{"o":{"deep":{"x":[]}}}"#,
    ];
    let bad = decode(&mut *decoder, &messages);
    assert_eq!(
        bad,
        [
            (1, K::LimitExceeded("items in one message")),
            (3, K::LimitExceeded("bytes in one message")),
            (5, K::LimitExceeded("nesting")),
        ]
    );
    assert_eq!(flush(&mut *decoder).num_rows(), 6);
    assert_eq!(
        schema(&*decoder),
        "a [int], b [int], o {a int, b int, c int, d int, e int, deep json}"
    );
}

#[test]
fn objects_in_a_list_with_little_in_common_become_text() {
    let members: Vec<_> = (0..5_000).map(|at| format!("\"m{at}\":0")).collect();
    let wide = format!("{{\"l\":[{{{}}}]}}", members.join(","));
    let empty = format!("{{\"l\":[{}{{}}]}}", "{},".repeat(9_999));
    assert_eq!(infer(&Target::default(), &[&wide, &empty]), "l json");
    // One of them alone is no reason to.
    let mut decoder = open(&Target::default());
    assert_eq!(decode(&mut *decoder, &[wide.as_bytes()]), []);
    assert_eq!(flush(&mut *decoder).num_rows(), 1);
    let kind = K::LimitExceeded("nulls in one message");
    assert_eq!(
        decode(&mut *decoder, &[empty.as_bytes(), b"{\"l\":[{}]}"]),
        [(0, kind)]
    );
    assert_eq!(flush(&mut *decoder).num_rows(), 2);
}

/// What is in the sample must be readable: it has its slots already.
#[test]
fn a_sampled_list_needs_no_more_nulls_than_a_message_may_have() {
    let items = Target::default().limits.row_items;
    let members = |count| {
        (0..count)
            .map(|at| format!("\"m{at}\":true"))
            .collect::<Vec<_>>()
            .join(",")
    };
    let list = |first: &str, others: &str| format!("{{\"l\":[{{{first}}}{}]}}", others.repeat(items - 1));
    let asked = |count| {
        (0..count)
            .map(|at| format!("l.m{at}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    // The message, the projection, and whether its list has columns: 16 values for each of a Mi
    // items are what may be null.
    for (message, paths, is_list) in [
        (list(&members(16), ",{}"), None, true),
        (list(&members(16), ",null"), None, true),
        (list(&members(17), ",{}"), None, false),
        (list("", ",{}"), Some(asked(16)), true),
        (list("", ",{}"), Some(asked(17)), false),
    ] {
        let mut target = Target::default();
        target.projection = paths.map(|paths| vec![paths]);
        let mut decoder = open(&target);
        assert_eq!(decode(&mut *decoder, &[message.as_bytes()]), []);
        let batch = flush(&mut *decoder);
        assert_eq!(batch.column(0).null_count(), 0, "{message:.40}");
        match batch.column(0).as_list_opt::<i32>() {
            Some(list) => assert_eq!((list.value(0).len(), is_list), (items, true), "{message:.40}"),
            None => assert!(!is_list, "{message:.40}"),
        }
    }
}

/// A schema in short: `a int, b [text], c {d bool}`.
fn show(fields: &Fields) -> String {
    fields
        .iter()
        .map(|field| format!("{} {}", field.name(), show_type(field)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn show_type(field: &FieldRef) -> String {
    assert!(field.is_nullable(), "what is inferred may always be null");
    let text = |plain: &str| {
        let metadata = field.metadata();
        match (metadata.get("ARROW:extension:name"), metadata.get("sabot:json")) {
            (Some(name), None) if name == "arrow.json" => format!("json{plain}"),
            (None, Some(kind)) if kind == "scalar" => format!("scalar{plain}"),
            _ => format!("text{plain}"),
        }
    };
    match field.data_type() {
        DataType::Boolean => "bool".into(),
        DataType::Int64 => "int".into(),
        DataType::UInt64 => "uint".into(),
        DataType::Decimal128(20, 0) => "decimal".into(),
        DataType::Float64 => "float".into(),
        DataType::Utf8 => text(""),
        DataType::LargeUtf8 => text("/large"),
        DataType::Utf8View => text("/view"),
        DataType::List(item) => format!("[{}]", show_type(item)),
        DataType::Struct(fields) => format!("{{{}}}", show(fields)),
        other => panic!("{other} is never inferred"),
    }
}
