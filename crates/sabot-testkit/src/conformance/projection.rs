//! Whether a projection gives what it names of the whole, in the order asked for, and nothing else.
//!
//! Paths are made from the schema of the reference, at random: members in any order, signs of lists
//! and maps written or left out, names in quotes or not. What should come out is cut out of the
//! reference's columns here, by Arrow's means alone and without a path, so that it is right
//! whatever a codec makes of paths.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, NullArray, RecordBatch, StructArray, UnionArray};
use arrow_schema::{DataType, Field, FieldRef, Schema, UnionFields, UnionMode};
use fastrand::Rng;
use sabot_decode::Target;

use super::harness::{Decoded, Harness, Steps};
use super::{Invariant, Violation, rows};

/// Random projections that are tried.
const ROUNDS: u64 = 24;

/// Projects the good payloads, and compares the columns with those of `reference`, which are whole.
pub(super) fn check(harness: Harness<'_>, reference: &Decoded) -> Result<(), Violation> {
    if harness.target.projection.is_some() || reference.batch.num_columns() == 0 {
        return Ok(());
    }
    let harness = Harness {
        check: "projections",
        ..harness
    };
    for seed in 0..ROUNDS {
        let mut rng = Rng::with_seed(seed);
        subset(harness, reference, &mut rng)?;
    }
    unknown(harness, reference)?;
    malformed(harness, reference)
}

/// Some columns, and parts of them.
fn subset(harness: Harness<'_>, reference: &Decoded, rng: &mut Rng) -> Result<(), Violation> {
    let schema = reference.batch.schema();
    let kept = some_members(rng, schema.fields());
    let mut paths = Vec::new();
    for (at, kept) in &kept {
        let name = quoted(rng, schema.field(*at).name(), "");
        write_paths(rng, kept, schema.field(*at), name, &mut paths);
    }
    // A path that is there already changes nothing.
    paths.push(paths[rng.usize(0..paths.len())].clone());
    let texts = if rng.bool() {
        vec![paths.join(" , ")]
    } else {
        paths
    };
    let run = run(harness, &texts).map_err(|refused| {
        harness.violation(
            Invariant::Projection,
            format!("{texts:?} is refused: {}", refused.message),
        )
    })?;
    let all: Vec<usize> = (0..run.errors.len()).collect();
    if let Some(error) = run.errors.iter().flatten().next() {
        let message = format!("with {texts:?} a good payload is refused: {}", error.kind);
        return Err(harness.violation(Invariant::Projection, message));
    }
    let expected = projected(&reference.batch, &kept);
    match rows::differing((&expected, &all), (&run.batch, &all)) {
        None => Ok(()),
        Some((_, message)) => {
            Err(harness.violation(Invariant::Projection, format!("with {texts:?} {message}")))
        }
    }
}

/// Names in another case, which are no fields: the error says which there are.
fn unknown(harness: Harness<'_>, reference: &Decoded) -> Result<(), Violation> {
    let fail = |message| Err(harness.violation(Invariant::Projection, message));
    let schema = reference.batch.schema();
    for field in schema.fields() {
        let other: String = field.name().chars().map(swapped_case).collect();
        if schema.field_with_name(&other).is_ok() {
            continue;
        }
        let path = in_quotes(&other);
        match run(harness, std::slice::from_ref(&path)) {
            Ok(run) if harness.corpus.is_inferred && *run.batch.schema().field(0).name() == other => {}
            Ok(_) => return fail(format!("the unknown field {path} is accepted")),
            Err(refused) if !refused.message.contains(field.name().as_str()) => {
                return fail(format!(
                    "the error about {path} does not name {:?}: {}",
                    field.name(),
                    refused.message
                ));
            }
            Err(_) => {}
        }
    }
    Ok(())
}

/// Paths that are none, or lead beyond a value that has nothing below it.
fn malformed(harness: Harness<'_>, reference: &Decoded) -> Result<(), Violation> {
    let schema = reference.batch.schema();
    let mut paths: Vec<_> = ["", "a..b", "[]", "\"a", "a,"].map(str::to_owned).into();
    let leaves = schema
        .fields()
        .iter()
        .filter(|field| !field.data_type().is_nested());
    if !harness.corpus.is_inferred {
        paths.extend(leaves.map(|leaf| format!("{}.x", in_quotes(leaf.name()))));
    }
    for path in paths {
        if run(harness, std::slice::from_ref(&path)).is_ok() {
            let message = format!("the path {path:?} is accepted");
            return Err(harness.violation(Invariant::Projection, message));
        }
    }
    Ok(())
}

fn run(harness: Harness<'_>, paths: &[String]) -> Result<Decoded, Violation> {
    let mut target: Target = harness.target.clone();
    target.projection = Some(paths.to_vec());
    let harness = Harness {
        target: &target,
        ..harness
    };
    harness.run(&harness.corpus.good_rows(), Steps::whole())
}

/// What is kept of a value.
#[derive(Debug)]
enum Kept {
    All,
    /// Of a struct.
    Members(Vec<(usize, Kept)>),
    /// Of a list's items.
    Items(Box<Kept>),
    /// Of a map's values.
    Values(Box<Kept>),
    /// Of a union.
    Branches(Vec<Option<Kept>>),
}

fn some_members<'f>(rng: &mut Rng, fields: impl IntoIterator<Item = &'f FieldRef>) -> Vec<(usize, Kept)> {
    let mut members: Vec<_> = fields.into_iter().enumerate().collect();
    rng.shuffle(&mut members);
    members.truncate(rng.usize(1..=members.len()));
    members
        .into_iter()
        .map(|(at, field)| (at, some(rng, field)))
        .collect()
}

fn some_branches<'f>(rng: &mut Rng, branches: impl Iterator<Item = &'f FieldRef>) -> Kept {
    let mut kept: Vec<_> = branches
        .map(|branch| rng.bool().then(|| some(rng, branch)))
        .collect();
    let one = rng.usize(0..kept.len());
    kept[one].get_or_insert(Kept::All);
    Kept::Branches(kept)
}

fn some(rng: &mut Rng, field: &Field) -> Kept {
    if rng.u8(0..3) == 0 {
        return Kept::All;
    }
    match field.data_type() {
        DataType::Struct(fields) if fields.is_empty() => Kept::All,
        DataType::Struct(fields) if is_union(field) => some_branches(rng, fields.iter()),
        DataType::Struct(fields) => Kept::Members(some_members(rng, fields)),
        DataType::List(item) => Kept::Items(Box::new(some(rng, item))),
        DataType::Map(entries, _) => Kept::Values(Box::new(some(rng, value_of(entries)))),
        DataType::Union(fields, UnionMode::Dense) => {
            some_branches(rng, fields.iter().map(|(_, field)| field))
        }
        _ => Kept::All,
    }
}

/// The paths that keep `kept` of a value at `path`.
fn write_paths(rng: &mut Rng, kept: &Kept, field: &Field, path: String, paths: &mut Vec<String>) {
    match (kept, field.data_type()) {
        (Kept::Members(members), DataType::Struct(fields)) => {
            for (at, kept) in members {
                let path = format!("{path}.{}", quoted(rng, fields[*at].name(), ""));
                write_paths(rng, kept, &fields[*at], path, paths);
            }
        }
        (Kept::Branches(branches), DataType::Struct(fields)) => {
            write_branches(rng, branches, fields.iter(), &path, paths);
        }
        (Kept::Branches(branches), DataType::Union(fields, _)) => {
            write_branches(rng, branches, fields.iter().map(|(_, field)| field), &path, paths);
        }
        (Kept::Items(kept), DataType::List(item)) => {
            let sign = if rng.bool() { "[]" } else { "" };
            write_paths(rng, kept, item, format!("{path}{sign}"), paths);
        }
        (Kept::Values(kept), DataType::Map(entries, _)) => {
            let sign = if rng.bool() { "{}" } else { "" };
            write_paths(rng, kept, value_of(entries), format!("{path}{sign}"), paths);
        }
        _ => paths.push(path),
    }
}

fn write_branches<'f>(
    rng: &mut Rng,
    branches: &[Option<Kept>],
    fields: impl Iterator<Item = &'f FieldRef>,
    path: &str,
    paths: &mut Vec<String>,
) {
    for (kept, field) in branches.iter().zip(fields) {
        if let Some(kept) = kept {
            let path = format!("{path}<{}>", quoted(rng, field.name(), "."));
            write_paths(rng, kept, field, path, paths);
        }
    }
}

/// A name in quotes; or as it is, where it has letters, digits, underscores and what is in `plain`
/// alone.
fn quoted(rng: &mut Rng, name: &str, plain: &str) -> String {
    let is_plain = |letter: char| letter == '_' || letter.is_alphanumeric() || plain.contains(letter);
    if !name.is_empty() && name.chars().all(is_plain) && rng.bool() {
        return name.to_owned();
    }
    in_quotes(name)
}

fn in_quotes(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn swapped_case(letter: char) -> char {
    if letter.is_ascii_lowercase() {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    }
}

fn projected(batch: &RecordBatch, kept: &[(usize, Kept)]) -> RecordBatch {
    let schema = batch.schema();
    let columns = kept
        .iter()
        .map(|(at, kept)| cut(kept, &schema.fields()[*at], batch.column(*at)));
    let (fields, columns): (Vec<_>, Vec<_>) = columns.unzip();
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    RecordBatch::try_new(Arc::new(schema), columns).expect("because fields and columns are cut alike")
}

/// What is kept of a column.
fn cut(kept: &Kept, field: &FieldRef, array: &ArrayRef) -> (FieldRef, ArrayRef) {
    let with = |data_type| Arc::new(field.as_ref().clone().with_data_type(data_type));
    match (kept, field.data_type()) {
        (Kept::Members(members), DataType::Struct(fields)) => {
            let members = members.iter().map(|(at, kept)| (kept, &fields[*at], *at));
            let array = cut_struct(members, array.as_struct());
            (with(array.data_type().clone()), Arc::new(array))
        }
        (Kept::Branches(branches), DataType::Struct(fields)) => {
            let members = branches.iter().enumerate();
            let members = members.filter_map(|(at, kept)| Some((kept.as_ref()?, &fields[at], at)));
            let array = cut_struct(members, array.as_struct());
            (with(array.data_type().clone()), Arc::new(array))
        }
        (Kept::Items(kept), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let (item, values) = cut(kept, item, list.values());
            let list = ListArray::new(item, list.offsets().clone(), values, list.nulls().cloned());
            (with(list.data_type().clone()), Arc::new(list))
        }
        (Kept::Values(kept), DataType::Map(entries, is_sorted)) => {
            let map = array.as_map();
            let (value, values) = cut(kept, value_of(entries), map.values());
            let (key, _) = map.entries_fields();
            let pair = vec![(Arc::new(key.clone()), Arc::clone(map.keys())), (value, values)];
            let pair = StructArray::from(pair);
            let entries = entries.as_ref().clone().with_data_type(pair.data_type().clone());
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            let map = MapArray::new(Arc::new(entries), offsets, pair, nulls, *is_sorted);
            (with(map.data_type().clone()), Arc::new(map))
        }
        (Kept::Branches(branches), DataType::Union(fields, _)) => {
            let union = cut_union(branches, fields, array.as_union());
            // Arrow counts the rows of a column of type Null among the nulls.
            let is_nullable = field.is_nullable() || branches.iter().any(Option::is_none);
            let field = with(union.data_type().clone())
                .as_ref()
                .clone()
                .with_nullable(is_nullable);
            (Arc::new(field), Arc::new(union))
        }
        _ => (Arc::clone(field), Arc::clone(array)),
    }
}

fn cut_struct<'k>(
    members: impl Iterator<Item = (&'k Kept, &'k FieldRef, usize)>,
    array: &StructArray,
) -> StructArray {
    let members = members.map(|(kept, field, at)| cut(kept, field, array.column(at)));
    let (fields, columns): (Vec<_>, Vec<_>) = members.unzip();
    StructArray::new(fields.into(), columns, array.nulls().cloned())
}

/// A branch that is dropped stays, as a column of type Null.
fn cut_union(branches: &[Option<Kept>], fields: &UnionFields, array: &UnionArray) -> UnionArray {
    let children = branches.iter().zip(fields.iter()).map(|(kept, (id, field))| {
        let child = array.child(id);
        match kept {
            Some(kept) => cut(kept, field, child),
            None => {
                let field = Field::new(field.name(), DataType::Null, true);
                (Arc::new(field), Arc::new(NullArray::new(child.len())) as ArrayRef)
            }
        }
    });
    let (cut_fields, children): (Vec<_>, Vec<_>) = children.unzip();
    let ids = fields.iter().map(|(id, _)| id);
    let fields = UnionFields::try_new(ids, cut_fields).expect("because the ids are those of a union");
    let (type_ids, offsets) = (array.type_ids().clone(), array.offsets().cloned());
    UnionArray::try_new(fields, type_ids, offsets, children).expect("because each child is as long as it was")
}

fn is_union(field: &Field) -> bool {
    field
        .metadata()
        .get("avro.union")
        .is_some_and(|value| value == "struct")
}

fn value_of(entries: &Field) -> &FieldRef {
    match entries.data_type() {
        DataType::Struct(pair) if pair.len() == 2 => &pair[1],
        other => panic!("a map's entries are pairs, not {other}"),
    }
}
