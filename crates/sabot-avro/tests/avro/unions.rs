//! Unions on either side of schema resolution.

use sabot_decode::{RowErrorKind, Target, UnionType};
use sabot_testkit::avro::{long, sized};

use crate::common::{decode, good, reader, record, refusal};

fn dense(reader_type: &str) -> Target {
    reader(&record(reader_type))
}

fn as_struct(reader_type: &str) -> Target {
    let mut target = dense(reader_type);
    target.mapping.unions = UnionType::Struct;
    target
}

#[test]
fn branches_are_found_by_type() {
    let writer = record(r#"["string", "int", "null"]"#);
    let bodies = [
        [long(0), sized("x")].concat(),
        [long(1), long(5)].concat(),
        long(2),
    ];
    let reader_type = r#"["null", "double", "int", "bytes", "string"]"#;
    let decoded = good(&dense(reader_type), &writer, &bodies);
    assert_eq!(decoded.column("f"), ["{string=x}", "{int=5}", "{null=}"]);
    let decoded = good(&as_struct(reader_type), &writer, &bodies);
    assert_eq!(
        decoded.column("f"),
        [
            "{double: , int: , bytes: , string: x}",
            "{double: , int: 5, bytes: , string: }",
            "null"
        ]
    );
    // Without an exact match the first promotion, and null as null of the whole.
    let decoded = good(
        &dense(r#"["null", "bytes", "float", "double"]"#),
        &writer,
        &bodies,
    );
    assert_eq!(decoded.column("f"), ["{bytes=78}", "{float=5.0}", "{null=}"]);
}

#[test]
fn the_same_schema_on_both_sides_changes_nothing() {
    // By the letter of the specification the int would become the double before it.
    let union = r#"["double", "int"]"#;
    let decoded = good(&dense(union), &record(union), &[[long(1), long(5)].concat()]);
    assert_eq!(decoded.column("f"), ["{int=5}"]);
}

#[test]
fn named_branches_match_by_full_name_first() {
    let fixed = |name: &str| format!(r#"{{"type": "fixed", "name": "{name}", "size": 1}}"#);
    let reader_type = format!("[{}, {}, \"null\"]", fixed("b.F"), fixed("a.F"));
    let decoded = good(&dense(&reader_type), &record(&fixed("a.F")), &[vec![1]]);
    assert_eq!(decoded.column("f"), ["{a.F=01}"]);
    let decoded = good(&dense(&reader_type), &record(&fixed("c.F")), &[vec![1]]);
    assert_eq!(decoded.column("f"), ["{b.F=01}"]);
}

#[test]
fn a_union_onto_one_type() {
    let writer = record(r#"["null", "int", "string"]"#);
    let bodies = [
        long(0),
        [long(1), long(5)].concat(),
        [long(2), sized("x")].concat(),
    ];
    let unresolvable = |slot, at| (slot, at, "f".to_owned(), RowErrorKind::Unresolvable);
    let decoded = decode(&dense(r#""long""#), &writer, &bodies);
    assert_eq!(decoded.bad, [unresolvable(0, 1), unresolvable(2, 1)]);
    assert_eq!(decoded.column("f")[1], "5");
    let decoded = decode(&dense(r#"["null", "long"]"#), &writer, &bodies);
    assert_eq!(decoded.bad, [unresolvable(2, 1)]);
    assert_eq!(decoded.column("f")[..2], ["null", "5"]);
    let error = refusal(&dense(r#""boolean""#), &writer);
    assert!(
        error.contains("int cannot be read as the reader's boolean"),
        "{error}"
    );
}

#[test]
fn one_type_onto_a_union() {
    let writer = record(r#""int""#);
    for (reader_type, value) in [
        (r#"["string", "int"]"#, "{int=5}"),
        (r#"["string", "long"]"#, "{long=5}"),
        (r#"["long"]"#, "5"),
        (r#"["null", "long"]"#, "5"),
    ] {
        assert_eq!(
            good(&dense(reader_type), &writer, &[long(5)]).column("f"),
            [value],
            "{reader_type}"
        );
    }
    let error = refusal(&dense(r#"["string", "boolean"]"#), &writer);
    assert!(error.contains("no branch for the writer's int"), "{error}");
    let decoded = good(
        &as_struct(r#"["null", "string", "int"]"#),
        &record(r#""null""#),
        &[vec![]],
    );
    assert_eq!(decoded.column("f"), ["null"]);
}

#[test]
fn references_are_resolved_on_both_sides() {
    let point = r#"{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}"#;
    let writer = format!(
        r#"{{"type": "record", "name": "R", "fields": [{{"name": "p", "type": {point}}}, {{"name": "q", "type": ["null", "P"]}}]}}"#
    );
    let reader_schema = format!(
        r#"{{"type": "record", "name": "R", "fields": [
            {{"name": "q", "type": ["null", {}]}}, {{"name": "p", "type": "P"}}]}}"#,
        r#"{"type": "record", "name": "P", "fields": [{"name": "y", "type": "string", "default": "d"}, {"name": "x", "type": "long"}]}"#
    );
    let decoded = good(
        &reader(&reader_schema),
        &writer,
        &[[long(1), long(1), long(2)].concat()],
    );
    assert_eq!(decoded.column("p"), ["{y: d, x: 1}"]);
    assert_eq!(decoded.column("q"), ["{y: d, x: 2}"]);
}

#[test]
fn paths_name_the_branch() {
    let union = r#"["int", {"type": "record", "name": "P", "fields": [{"name": "x", "type": {"type": "array", "items": "boolean"}}]}]"#;
    for target in [dense(union), as_struct(union)] {
        let decoded = decode(
            &target,
            &record(union),
            &[[long(1), long(1), vec![7]].concat(), [long(0), long(1)].concat()],
        );
        assert_eq!(
            decoded.bad,
            [(0, 2, "f<P>.x[]".to_owned(), RowErrorKind::InvalidBoolean(7))]
        );
    }
}

#[test]
fn as_many_branches_as_arrow_takes() {
    let union = |branches: usize| {
        let fixed = |at| format!(r#"{{"type": "fixed", "name": "F{at}", "size": 1}}"#);
        let branches: Vec<_> = (0..branches).map(fixed).collect();
        format!("[{}]", branches.join(", "))
    };
    for (branches, target) in [(128, dense as fn(&str) -> Target), (1024, as_struct)] {
        let ty = union(branches);
        let last = branches - 1;
        let body = [long(last as i64), vec![7]].concat();
        let decoded = good(&target(&ty), &record(&ty), &[[long(0), vec![1]].concat(), body]);
        assert!(decoded.column("f")[0].contains("F0"), "{branches}");
        assert!(decoded.column("f")[1].contains("07"), "{branches}");
        let ty = union(branches + 1);
        assert!(refusal(&target(&ty), &record(&ty)).contains("are the most"));
    }
}
