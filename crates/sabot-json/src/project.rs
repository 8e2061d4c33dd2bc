//! A part of an Arrow schema.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use sabot_codec::extension;
use sabot_decode::PlanError;

/// `schema` with the fields at `paths` alone, in the schema's order. A path goes through lists without a sign of them.
pub(crate) fn project(schema: &SchemaRef, paths: &[String]) -> Result<SchemaRef, PlanError> {
    for path in paths {
        if !exists(schema.fields(), path) {
            return Err(PlanError::new(format!(
                "the schema has no field {path:?} to select"
            )));
        }
    }
    Ok(select(schema, paths))
}

/// The same, but paths that lead nowhere select nothing.
pub(crate) fn select(schema: &SchemaRef, paths: &[String]) -> SchemaRef {
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    Arc::new(Schema::new_with_metadata(
        select_fields(schema.fields(), &paths),
        schema.metadata().clone(),
    ))
}

fn select_fields(fields: &Fields, paths: &[&str]) -> Fields {
    let keep = |field: &FieldRef| {
        if paths.contains(&field.name().as_str()) {
            return Some(Arc::clone(field));
        }
        let below: Vec<_> = paths.iter().filter_map(|path| below(path, field)).collect();
        if below.is_empty() {
            None
        } else {
            select_in(field, &below)
        }
    };
    fields.iter().filter_map(keep).collect()
}

/// What of a field lies at `paths` below it; `None` if nothing does. JSON text is kept whole: what is selected may stand in it.
fn select_in(field: &FieldRef, paths: &[&str]) -> Option<FieldRef> {
    let data_type = match field.data_type() {
        DataType::Struct(fields) => {
            let fields = select_fields(fields, paths);
            (!fields.is_empty()).then_some(DataType::Struct(fields))?
        }
        DataType::List(item) => DataType::List(select_in(item, paths)?),
        _ => return (extension::name(field) == Some(extension::JSON)).then(|| Arc::clone(field)),
    };
    Some(Arc::new(field.as_ref().clone().with_data_type(data_type)))
}

fn exists(fields: &Fields, path: &str) -> bool {
    fields.iter().any(|field| {
        field.name() == path
            || below(path, field)
                .is_some_and(|rest| members(field).is_some_and(|fields| exists(fields, rest)))
    })
}

/// What of `path` lies below `field`.
fn below<'a>(path: &'a str, field: &Field) -> Option<&'a str> {
    path.strip_prefix(field.name().as_str())?.strip_prefix('.')
}

fn members(field: &Field) -> Option<&Fields> {
    match field.data_type() {
        DataType::Struct(fields) => Some(fields),
        DataType::List(item) => members(item),
        _ => None,
    }
}
