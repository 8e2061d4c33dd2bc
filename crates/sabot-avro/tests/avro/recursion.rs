//! Types that contain themselves.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use sabot_decode::DecoderFactory;
use sabot_decode::{BinaryType, RecursionType, RowErrorKind, StringType, Target, UnionType};
use sabot_testkit::avro::{long, sized};

use crate::common::{decode, decode_once, fields, good, reader, refusal};

const LIST: &str = r#"{"type": "record", "name": "List", "namespace": "n", "fields": [
    {"name": "value", "type": "int"}, {"name": "next", "type": ["null", "List"]}]}"#;

const TREE: &str = r#"{"type": "record", "name": "Tree", "fields": [
    {"name": "name", "type": "string"},
    {"name": "children", "type": {"type": "array", "items": "Tree"}},
    {"name": "by", "type": {"type": "map", "values": ["null", "Tree"]}},
    {"name": "other", "type": ["string", "Tree", "null"]}]}"#;

fn target(recursion: RecursionType) -> Target {
    let mut target = Target::default();
    target.mapping.recursion = recursion;
    target
}

/// A list of these values.
fn list(values: &[i64]) -> Vec<u8> {
    let links = values.iter().enumerate();
    let nodes = links.map(|(at, value)| [long(*value), long(i64::from(at + 1 < values.len()))].concat());
    nodes.collect::<Vec<_>>().concat()
}

/// A tree of one name, and nothing below but `children`.
fn tree(name: &str, children: &[Vec<u8>]) -> Vec<u8> {
    let end = if children.is_empty() { vec![] } else { long(0) };
    [
        &sized(name)[..],
        &long(children.len() as i64),
        &children.concat(),
        &end,
        &long(0),
        &long(2),
    ]
    .concat()
}

#[test]
fn it_is_json_by_default() {
    let decoded = good(
        &Target::default(),
        LIST,
        &[list(&[1]), list(&[1, 2]), list(&[1, 2, 3])],
    );
    let schema = decoded.batch.schema();
    let next = schema.field(1);
    assert_eq!((next.data_type(), next.is_nullable()), (&DataType::Utf8, true));
    assert_eq!(next.metadata()["ARROW:extension:name"], "arrow.json");
    assert_eq!(next.metadata()["avro.name"], "List");
    assert_eq!(
        decoded.column("next"),
        [
            "null",
            r#"{"value":2,"next":null}"#,
            r#"{"value":2,"next":{"n.List":{"value":3,"next":null}}}"#
        ]
    );
    for strings in [StringType::LargeUtf8, StringType::Utf8View] {
        let mut target = Target::default();
        target.mapping.strings = strings;
        let decoded = good(&target, LIST, &[list(&[1, 2])]);
        assert_eq!(*decoded.batch.column(1).data_type(), strings.data_type());
        assert_eq!(decoded.column("next"), [r#"{"value":2,"next":null}"#]);
    }
}

/// A record of every type, that may hold itself.
fn everything() -> String {
    fields(
        r#"{"name": "n", "type": "null"}, {"name": "b", "type": "boolean"}, {"name": "i", "type": "int"}, {"name": "l", "type": "long"},
           {"name": "f", "type": "float"}, {"name": "d", "type": "double"}, {"name": "y", "type": "bytes"}, {"name": "s", "type": "string"},
           {"name": "x", "type": {"type": "fixed", "name": "F", "size": 2}}, {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["A", "B"]}},
           {"name": "a", "type": {"type": "array", "items": ["null", "double"]}}, {"name": "m", "type": {"type": "map", "values": "F"}},
           {"name": "p", "type": {"type": "record", "name": "P", "fields": []}},
           {"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "r", "type": ["R", "null"]}"#,
    )
}

/// A body of it, with another one within if `tail` says so.
fn everything_with(tail: &[u8]) -> Vec<u8> {
    let floats = [0.1f64, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let floats = floats.map(|float| [long(1), float.to_le_bytes().to_vec()].concat());
    let items = [long(-5), long(1 + 4 * 9), long(0), floats.concat(), long(0)].concat();
    let map = [
        long(2),
        sized("k\n"),
        vec![0, 255],
        sized("k\n"),
        vec![34, 92],
        long(0),
    ]
    .concat();
    [
        vec![1],
        long(-7),
        long(i64::MIN),
        0.1f32.to_le_bytes().to_vec(),
        1e300f64.to_le_bytes().to_vec(),
        sized([0, b'a', 0xe9]),
        sized("é\"\u{1}"),
        vec![b'x', b'y'],
        long(1),
        items,
        map,
        long(1),
        tail.to_vec(),
    ]
    .concat()
}

fn everything_twice() -> Vec<u8> {
    everything_with(&[long(0), everything_with(&long(1))].concat())
}

const EVERYTHING_AS_JSON: &str = concat!(
    r#"{"n":null,"b":true,"i":-7,"l":-9223372036854775808,"f":0.1,"d":1e+300,"y":"\u0000aé","s":"é\"\u0001","x":"xy","e":"B","#,
    r#""a":[null,{"double":0.1},{"double":"NaN"},{"double":"Infinity"},{"double":"-Infinity"}],"#,
    r#""m":{"k\n":"\u0000ÿ","k\n":"\"\\"},"p":{},"t":1,"r":null}"#
);

#[test]
fn every_type_as_json() {
    let decoded = good(&Target::default(), &everything(), &[everything_twice()]);
    assert_eq!(decoded.column("r"), [EVERYTHING_AS_JSON]);
    // Any JSON parser reads it.
    serde_json::from_str::<serde_json::Value>(EVERYTHING_AS_JSON).unwrap();
}

/// What is wrong within is found, and nothing is left of the row.
#[test]
fn what_is_wrong_in_json() {
    let (everything, whole) = (everything(), everything_twice());
    let half = everything_with(&[]).len();
    for end in half..whole.len() {
        let bodies = [whole[..end].to_vec(), whole.clone()];
        let decoded = decode(&Target::default(), &everything, &bodies);
        assert_eq!(decoded.bad.len(), 1, "{end}");
        assert_eq!(decoded.bad[0].2, "r");
        assert_eq!(decoded.column("r")[1], EVERYTHING_AS_JSON);
    }
    for (at, byte, kind) in [
        (half, 4, RowErrorKind::InvalidUnionIndex(2)),
        (half + 1, 7, RowErrorKind::InvalidBoolean(7)),
        (whole.len() - 1, 6, RowErrorKind::InvalidUnionIndex(3)),
    ] {
        let mut spoilt = whole.clone();
        spoilt[at] = byte;
        let decoded = decode(&Target::default(), &everything, &[spoilt]);
        assert_eq!((decoded.bad[0].1, decoded.bad[0].3), (at as u32, kind));
    }
}

#[test]
fn json_is_bounded() {
    // Deeper than the limit.
    let mut target = Target::default();
    target.limits.depth = 10;
    let decoded = decode(
        &target,
        LIST,
        &[list(&[0; 11]), list(&[0; 12]), list(&[0; 100_000])],
    );
    let bad: Vec<_> = decoded
        .bad
        .iter()
        .map(|bad| (bad.0, bad.2.as_str(), bad.3))
        .collect();
    let depth = RowErrorKind::LimitExceeded("depth");
    assert_eq!(bad, [(1, "next", depth), (2, "next", depth)]);
    // However high the limit is set.
    target.limits.depth = usize::MAX;
    assert_eq!(decode(&target, LIST, &[list(&[0; 100_000])]).bad[0].3, depth);
    // A field's long name for every byte of the message.
    let long_name = "x".repeat(10_000);
    let writer = fields(&format!(
        r#"{{"name": "a", "type": {{"type": "array", "items": {{"type": "record", "name": "P", "fields": [{{"name": "{long_name}", "type": "boolean"}}]}}}}}},
           {{"name": "r", "type": ["null", "R"]}}"#
    ));
    let mut target = Target::default();
    (target.limits.batch_bytes, target.limits.row_bytes) = (1 << 20, 1 << 20);
    let items = |count: usize| {
        [
            long(0),
            long(1),
            long(count as i64),
            vec![1; count],
            long(0),
            long(0),
        ]
        .concat()
    };
    let decoded = decode_once(&target, &writer, &[items(100), items(1000)]);
    let limit = RowErrorKind::LimitExceeded("bytes of one row in the columns");
    assert_eq!(
        decoded.bad.iter().map(|bad| (bad.0, bad.3)).collect::<Vec<_>>(),
        [(1, limit)]
    );
    assert!(decoded.column("r")[0].len() > 1_000_000);
}

#[test]
fn json_is_the_writers() {
    let reader_schema = r#"{"type": "record", "name": "List", "fields": [
        {"name": "renamed", "aliases": ["value"], "type": "long"},
        {"name": "next", "type": ["null", "List"], "default": null},
        {"name": "spare", "type": ["null", "List"], "default": null},
        {"name": "always", "type": {"type": "array", "items": "List"}, "default": [{"renamed": 5, "always": []}]}]}"#;
    let decoded = good(&reader(reader_schema), LIST, &[list(&[1, 2])]);
    assert_eq!(decoded.column("renamed"), ["1"]);
    assert_eq!(decoded.column("next"), [r#"{"value":2,"next":null}"#]);
    assert_eq!(decoded.column("spare"), ["null"]);
    // A default is written with the reader's schema.
    assert_eq!(
        decoded.column("always"),
        [r#"[{"renamed":5,"next":null,"spare":null,"always":[]}]"#]
    );
    // Records of another name do not match, here as elsewhere.
    let other = r#"{"type": "record", "name": "List", "fields": [{"name": "value", "type": "int"},
        {"name": "next", "type": {"type": "record", "name": "Tail", "fields": []}}]}"#;
    let error = refusal(&reader(LIST), other);
    assert!(
        error.starts_with("field next: the writer's record \"Tail\" cannot be read"),
        "{error}"
    );
}

#[test]
fn bytes_as_they_are() {
    for binary in [
        BinaryType::Binary,
        BinaryType::LargeBinary,
        BinaryType::BinaryView,
    ] {
        let mut target = target(RecursionType::Binary);
        target.mapping.bytes = binary;
        let bodies = [list(&[1]), list(&[1, 2, 300])];
        let decoded = good(&target, LIST, &bodies);
        assert_eq!(*decoded.batch.column(1).data_type(), binary.data_type());
        assert_eq!(decoded.column("next"), ["null", "0402d80400"]);
        // They are what a message of that record would be.
        let column = arrow_cast::cast(decoded.batch.column(1), &DataType::Binary).unwrap();
        let inner = column.as_binary::<i32>().value(1).to_vec();
        assert_eq!(good(&target, LIST, &[inner]).column("value"), ["2"]);
    }
    let target = target(RecursionType::Binary);
    let children = [tree("b", &[tree("c", &[])]), tree("d", &[])];
    let decoded = good(&target, TREE, &[tree("a", &children)]);
    let lists = decoded.batch.column(1).as_list::<i32>().clone();
    let items = lists.values().as_binary::<i32>();
    let expected: Vec<_> = children.iter().map(|child| Some(child.as_slice())).collect();
    assert_eq!(items.iter().collect::<Vec<_>>(), expected);
    // Cut off within.
    let decoded = decode(&target, LIST, &[list(&[1, 2, 300])[..5].to_vec(), list(&[1, 2])]);
    assert_eq!(decoded.bad, [(0, 4, "next".into(), RowErrorKind::Truncated)]);
    assert_eq!(decoded.column("next")[1], "0400");
}

#[test]
fn bytes_mean_the_same_on_both_sides() {
    let mut onto = reader(
        r#"{"type": "record", "name": "List", "namespace": "n", "doc": "Other words.", "fields": [
        {"name": "value", "type": "int", "default": 3}, {"name": "next", "type": ["null", "List"]}]}"#,
    );
    onto.mapping.recursion = RecursionType::Binary;
    assert_eq!(good(&onto, LIST, &[list(&[1, 2])]).column("next"), ["0400"]);
    for changed in [
        LIST.replace("\"int\"", "\"long\""),
        LIST.replace("value", "other"),
        LIST.replace("[\"null\", \"List\"]", "[\"List\", \"null\"]"),
        LIST.replace("\"namespace\": \"n\", ", ""),
    ] {
        let changed = changed.replace("\"name\": \"other\"", "\"name\": \"other\", \"default\": 1");
        let mut onto = reader(&changed);
        onto.mapping.recursion = RecursionType::Binary;
        if changed.contains("other") {
            continue;
        }
        let error = refusal(&onto, LIST);
        assert!(error.contains("the same schema of it"), "{error}");
    }
}

#[test]
fn unrolled_to_a_depth() {
    let (unrolled, too_deep) = (
        target(RecursionType::Unroll(1)),
        RowErrorKind::LimitExceeded("levels of a recursive type"),
    );
    let decoded = decode(&unrolled, LIST, &[list(&[1]), list(&[1, 2]), list(&[1, 2, 3])]);
    assert_eq!(decoded.column("next")[..2], ["null", "{value: 2, next: }"]);
    assert_eq!(decoded.bad, [(2, 4, "next.next".into(), too_deep)]);
    let schema = decoded.batch.schema();
    let DataType::Struct(inner) = schema.field(1).data_type() else {
        panic!("{schema}")
    };
    assert_eq!(
        (inner[1].data_type(), inner[1].is_nullable()),
        (&DataType::Null, true)
    );

    let deepest = target(RecursionType::Unroll(0));
    let decoded = decode(&deepest, LIST, &[list(&[1]), list(&[1, 2])]);
    assert_eq!(
        (decoded.column("next")[0].as_str(), decoded.bad.len()),
        ("null", 1)
    );

    // Lists, maps and unions end in the same way.
    for unions in [UnionType::Dense, UnionType::Struct] {
        let mut unrolled = unrolled.clone();
        unrolled.mapping.unions = unions;
        let bodies = [
            tree("a", &[tree("b", &[])]),
            tree("a", &[tree("b", &[tree("c", &[])])]),
            tree("a", &[]),
        ];
        let decoded = decode(&unrolled, TREE, &bodies);
        assert_eq!(decoded.bad, [(1, 6, "children[].children[]".into(), too_deep)]);
        let children = decoded.column("children");
        assert!(
            children[0].starts_with("[{name: b, children: [], by: {}, other: "),
            "{children:?}"
        );
        assert_eq!(children[2], "[]");
    }
    // A bad row's placeholder is a null of the union too.
    let either = r#"{"type": "record", "name": "R", "fields": [{"name": "u", "type": ["string", "R"]}]}"#;
    let decoded = decode(
        &target(RecursionType::Unroll(0)),
        either,
        &[
            [long(1), long(0), sized("x")].concat(),
            [long(0), sized("y")].concat(),
        ],
    );
    assert_eq!(decoded.bad, [(0, 1, "u<R>".into(), too_deep)]);
    assert_eq!(decoded.column("u")[1], "{string=y}");

    // A projection reaches as deep as the columns do.
    let mut projected = target(RecursionType::Unroll(3));
    projected.projection = Some(vec!["next.next.value".into()]);
    let decoded = good(&projected, LIST, &[list(&[1, 2, 3, 4, 5, 6])]);
    assert_eq!(decoded.column("next"), ["{next: {value: 3}}"]);
    // The limits on schemas hold.
    let mut deep = target(RecursionType::Unroll(255));
    deep.limits.depth = usize::MAX;
    assert!(refusal(&deep, LIST).contains("nests deeper than the limit"));
    assert!(refusal(&target(RecursionType::Unroll(20)), TREE).contains("more than"));
}

#[test]
fn refused_or_dropped() {
    let refuse = target(RecursionType::Refuse);
    let error = refusal(&refuse, LIST);
    assert!(
        error.starts_with("field next: the type \"n.List\" contains itself; choose"),
        "{error}"
    );
    let mut target = refuse.clone();
    target.projection = Some(vec!["value".into()]);
    assert_eq!(good(&target, LIST, &[list(&[1, 2, 3])]).column("value"), ["1"]);
    target.check_tail = true;
    assert_eq!(good(&target, LIST, &[list(&[1, 2, 3])]).column("value"), ["1"]);
    // A recursive writer onto a reader that stops.
    let mut onto =
        reader(r#"{"type": "record", "name": "List", "fields": [{"name": "value", "type": "long"}]}"#);
    onto.mapping.recursion = RecursionType::Refuse;
    assert_eq!(good(&onto, LIST, &[list(&[1, 2])]).column("value"), ["1"]);
    // Text has no fields.
    let mut target = Target::default();
    target.projection = Some(vec!["next.value".into()]);
    assert!(refusal(&target, LIST).contains("cannot select within \"n.List\" within itself"));
}

#[test]
fn the_schema_of_bytes_may_be_deep() {
    // Each record holds the one before, by reference: as deep as there are records.
    let mut all = r#"{"name": "f0", "type": {"type": "record", "name": "T0", "fields": []}}"#.to_owned();
    for at in 1..20_000 {
        all += &format!(
            r#", {{"name": "f{at}", "type": {{"type": "record", "name": "T{at}", "fields": [{{"name": "x", "type": "T{}"}}]}}}}"#,
            at - 1
        );
    }
    let writer = fields(&format!(
        r#"{all}, {{"name": "last", "type": {{"type": "record", "name": "Last", "fields": [
            {{"name": "deep", "type": "T19999"}}, {{"name": "me", "type": ["null", "Last"]}}]}}}}"#
    ));
    for recursion in [RecursionType::Json, RecursionType::Binary] {
        let mut target = target(recursion);
        target.projection = Some(vec!["last.me".into()]);
        match sabot_avro::AvroFactory.open(&reader(&writer)) {
            Ok(_) => panic!("it was unrolled"),
            Err(error) => assert!(error.to_string().contains("nests deeper"), "{error}"),
        }
        let opened = crate::common::open(&target, &writer);
        assert_eq!(opened.is_ok(), recursion == RecursionType::Json);
    }
}

#[test]
fn a_count_that_cannot_be_true_is_told_alike_in_lists_and_in_json() {
    let writer = fields(
        r#"{"name": "a", "type": {"type": "array", "items": "double"}}, {"name": "next", "type": ["null", "R"]}"#,
    );
    let huge = long(1 << 40);
    let in_list = huge.clone();
    let in_json = [long(0), long(1), huge].concat();
    let decoded = decode(&Target::default(), &writer, &[in_list, in_json]);
    let kinds: Vec<_> = decoded.bad.iter().map(|bad| (bad.2.as_str(), bad.3)).collect();
    let expected = RowErrorKind::InvalidLength(1 << 40);
    assert_eq!(kinds, [("a", expected), ("next", expected)]);
}
