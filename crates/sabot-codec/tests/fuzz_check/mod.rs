//! What must hold of a projection for any text at all. The fuzz target, the property tests and the
//! replayed findings share it.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, UnionFields, UnionMode};
use sabot_codec::Projection;

/// Takes `data` for paths, a line for each text. They are an error that says something, or they lead
/// to columns of the schema; which they do again in what is left of it.
///
/// # Panics
///
/// If an invariant is broken.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let texts: Vec<String> = text.lines().map(str::to_owned).collect();
    let projection = match Projection::parse(Some(&texts)) {
        Ok(projection) => projection,
        Err(error) => return assert!(error.message().contains("is not a field's path"), "{error}"),
    };
    let pruned = match projection.prune(&SCHEMA) {
        Ok(pruned) => pruned,
        Err(error) => return assert!(!error.message().is_empty() && !error.field_path().is_empty()),
    };
    assert!(is_within(pruned.fields(), SCHEMA.fields()), "{texts:?}: {pruned}");
    let again = projection
        .prune(&pruned)
        .unwrap_or_else(|error| panic!("{texts:?}: {error}"));
    assert_eq!(again, pruned, "{texts:?}");
}

/// Every kind of column that paths lead through, and names that need quotes.
static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let int = |name: &str| Field::new(name, DataType::Int64, true);
    let pair = DataType::Struct(vec![int("a"), int("b.c")].into());
    let map = |value: DataType| {
        let entries = vec![
            Field::new("key", DataType::Utf8, false),
            Field::new("value", value, true),
        ];
        let entries = Field::new("entries", DataType::Struct(entries.into()), false);
        DataType::Map(Arc::new(entries), false)
    };
    let list = |item: DataType| DataType::List(Arc::new(Field::new("item", item, true)));
    let branches = [int("int"), Field::new("n.P", pair.clone(), true)];
    let union = UnionFields::try_new([0, 1], branches).expect("two branches");
    Arc::new(Schema::new(vec![
        int("a"),
        Field::new("p", pair.clone(), true),
        Field::new("l", list(list(pair.clone())), true),
        Field::new("m", map(list(pair)), true),
        Field::new("u", DataType::Union(union, UnionMode::Dense), true),
        int("q.r"),
        int("\""),
        int(""),
    ]))
});

/// Whether each column is one of the whole, once, or a part of one.
fn is_within(part: &Fields, whole: &Fields) -> bool {
    let names: Vec<_> = part.iter().map(|field| field.name()).collect();
    let is_once = names
        .iter()
        .enumerate()
        .all(|(at, name)| !names[..at].contains(name));
    is_once
        && part.iter().all(|field| {
            let same = whole.iter().find(|other| other.name() == field.name());
            same.is_some_and(|other| is_part(field, other))
        })
}

fn is_part(part: &Field, whole: &Field) -> bool {
    match (part.data_type(), whole.data_type()) {
        (DataType::Struct(part), DataType::Struct(whole)) => is_within(part, whole),
        (DataType::List(part), DataType::List(whole)) | (DataType::Map(part, _), DataType::Map(whole, _)) => {
            is_part(part, whole)
        }
        (DataType::Union(part, _), DataType::Union(whole, _)) => {
            let mut branches = part.iter().zip(whole.iter());
            branches.all(|((id, part), (other, whole))| {
                let is_dropped = *part.data_type() == DataType::Null;
                id == other && part.name() == whole.name() && (is_dropped || is_part(part, whole))
            })
        }
        (part, whole) => part == whole,
    }
}
