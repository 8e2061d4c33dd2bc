//! Any name can be selected, and a path that is printed is read as the same names.

mod fuzz_check;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, UnionFields};
use proptest::prelude::*;
use sabot_codec::{Projection, extension};
use sabot_decode::{PlanError, branch_segment, field_segment, join_path};

/// Names of what a path is made of, and others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,3}",
        r#"[a-b.,<>{}"\[\] \t]{0,5}"#,
        any::<String>(),
        Just("[]".to_owned()),
        Just("<a>".to_owned()),
    ]
}

/// What a value is of, around a field's innermost value.
#[derive(Debug, Clone)]
enum Step {
    Member(String),
    Items,
    Values,
    Branch(String),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        name().prop_map(Step::Member),
        Just(Step::Items),
        Just(Step::Values),
        name().prop_map(Step::Branch),
    ]
}

/// A type in which the steps lead to an integer, each beside something else.
fn data_type(steps: &[Step]) -> DataType {
    let Some((first, rest)) = steps.split_first() else {
        return DataType::Int64;
    };
    let inner = |name: &str| Field::new(name, data_type(rest), true);
    match first {
        Step::Member(name) => DataType::Struct(vec![beside(name), inner(name)].into()),
        Step::Items => DataType::List(Arc::new(inner("item"))),
        Step::Values => {
            let pair = vec![Field::new("key", DataType::Utf8, false), inner("value")];
            let entries = Field::new("entries", DataType::Struct(pair.into()), false);
            DataType::Map(Arc::new(entries), false)
        }
        Step::Branch(name) => {
            let fields = UnionFields::try_new([0, 1], [beside(name), inner(name)]).expect("two branches");
            DataType::Union(fields, arrow_schema::UnionMode::Dense)
        }
    }
}

/// A field with another name.
fn beside(name: &str) -> Field {
    Field::new(format!("{name}'"), DataType::Boolean, true)
}

fn path(name: &str, steps: &[Step]) -> String {
    let mut segments = vec![field_segment(name).into_owned()];
    segments.extend(steps.iter().map(|step| match step {
        Step::Member(name) => field_segment(name).into_owned(),
        Step::Items => "[]".to_owned(),
        Step::Values => "{}".to_owned(),
        Step::Branch(name) => branch_segment(name),
    }));
    join_path(segments)
}

/// How deep the only field at each level leads to the integer.
fn depth(field: &Field) -> Option<usize> {
    let below = |field: &Field| depth(field).map(|depth| depth + 1);
    match field.data_type() {
        DataType::Int64 => Some(0),
        DataType::Struct(fields) if fields.len() == 1 => below(&fields[0]),
        DataType::List(item) => below(item),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => below(&pair[1]),
            _ => None,
        },
        DataType::Union(branches, _) => {
            let (_, dropped) = branches.iter().next()?;
            let (_, kept) = branches.iter().nth(1)?;
            below(kept).filter(|_| *dropped.data_type() == DataType::Null)
        }
        _ => None,
    }
}

fn prune(schema: &SchemaRef, paths: &[String]) -> Result<SchemaRef, PlanError> {
    Projection::parse(Some(paths))?.prune(schema)
}

proptest! {
    #[test]
    fn any_path_that_is_printed_can_be_selected(first in name(), steps in prop::collection::vec(step(), 0..6)) {
        let field = Field::new(&first, data_type(&steps), true);
        let schema: SchemaRef = Arc::new(Schema::new(vec![beside(&first), field]));
        let path = path(&first, &steps);
        // Alone, and in a list; the others' blanks are theirs.
        for text in [path.clone(), format!(" {path} , {path},{}", field_segment(&first))] {
            let pruned = prune(&schema, std::slice::from_ref(&text)).expect("the path leads to the integer");
            prop_assert_eq!(pruned.fields().len(), 1, "{}", &text);
            prop_assert_eq!(pruned.field(0).name(), &first);
            let is_whole = text != path;
            prop_assert!(is_whole || depth(pruned.field(0)) == Some(steps.len()), "{}: {}", text, pruned);
            prop_assert!(!is_whole || pruned.field(0) == schema.field(1), "{}: {}", text, pruned);
        }
        // One step too far is an error that prints the path which led there.
        let beyond = format!("{path}.beyond");
        let error = prune(&schema, std::slice::from_ref(&beyond)).expect_err("nothing is below an integer");
        prop_assert_eq!(error.field_path(), path);
    }

    #[test]
    fn any_text_is_paths_or_an_error(text in r#"[a-bp-rlmu.,<>{}"\[\] \n]{0,16}"#) {
        fuzz_check::check(text.as_bytes());
    }

    #[test]
    fn paths_of_the_schema_hold_too(
        paths in prop::collection::vec(r#"(a|p|l|m|u|"q.r"|p\.a|p\."b.c"|[lm][]\[}{.]{0,4}\.?a|u<(int|n\.P)>(\.a)?)"#, 0..4),
    ) {
        fuzz_check::check(paths.join(",").as_bytes());
    }
}

/// The names are those of a schema, in the order of the columns; `expected` is what is kept or a
/// part of the error.
#[test]
fn order_and_repetition() {
    let pair = DataType::Struct(
        vec![
            Field::new("x", DataType::Int64, true),
            Field::new("y", DataType::Int64, true),
        ]
        .into(),
    );
    let schema: SchemaRef = Arc::new(Schema::new(vec![
        Field::new("a", DataType::Int64, true),
        Field::new("p", pair.clone(), true),
        Field::new("q.r", pair, true),
        Field::new("j", DataType::Utf8, true).with_metadata([extension::entry(extension::JSON)].into()),
    ]));
    for (paths, expected) in [
        (&["a"][..], "a"),
        (&["p", "a"], "p(x y) a"),
        (&["p, a"], "p(x y) a"),
        (&["p.y", "a", "p.x"], "p(y x) a"),
        (&["p.y", "p"], "p(x y)"),
        (&["p", "p.y", "p"], "p(x y)"),
        (&["\"q.r\".y, a", "a,\"q.r\".x"], "q.r(y x) a"),
        (&[], ""),
        (
            &["q.r"],
            "field q: the projection names a field that the schema does not have; did you mean \"q.r\"?",
        ),
        (
            &["p", "p.z"],
            "field p.z: the projection names a field that the schema does not have; there are x, y",
        ),
        (
            &["p[]"],
            "field p: the projection has [] where the schema has a record",
        ),
        (
            &["p<x>"],
            "field p: the projection has <x> where the schema has a record",
        ),
        (&["a{}"], "field a: a projection cannot select within Int64"),
        (&["j.x"], "field j: a projection cannot select within JSON text"),
    ] {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let found = match prune(&schema, &paths) {
            Ok(pruned) => {
                let names = pruned.fields().iter().map(|field| match field.data_type() {
                    DataType::Struct(members) => {
                        let members: Vec<_> = members.iter().map(|member| member.name().as_str()).collect();
                        format!("{}({})", field.name(), members.join(" "))
                    }
                    _ => field.name().clone(),
                });
                names.collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        };
        assert!(
            found.starts_with(expected) && (found == expected || expected.len() > 20),
            "{paths:?}: {found}"
        );
    }
}
