//! The projection of an Arrow schema.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, UnionFields, UnionMode};
use sabot_decode::{PlanError, branch_segment, field_segment};

use super::{Projection, Selection};
use crate::extension;

/// The metadata that tells the struct of a union's members from other structs, by the value
/// [`STRUCT_UNION`].
pub const UNION_KEY: &str = "avro.union";
/// The value under [`UNION_KEY`].
pub const STRUCT_UNION: &str = "struct";

impl Projection {
    /// The schema without what the projection drops, its fields in the order asked for.
    ///
    /// A dense union keeps all of its branches, so that a row is known to be of one: those that are
    /// dropped become columns of type Null.
    ///
    /// # Errors
    ///
    /// [`PlanError`] where a path leads nowhere; it names the nearest fields.
    pub fn prune(&self, schema: &SchemaRef) -> Result<SchemaRef, PlanError> {
        let root = self.root();
        if root.is_all() {
            return Ok(Arc::clone(schema));
        }
        let fields = fields(schema.fields(), &root)?;
        Ok(Arc::new(Schema::new_with_metadata(
            fields,
            schema.metadata().clone(),
        )))
    }
}

fn fields(all: &Fields, selection: &Selection<'_>) -> Result<Fields, PlanError> {
    let kept = selection.members(all.iter().map(|field| field.name().as_str()))?;
    let kept = kept.into_iter().map(|(at, selection)| {
        let name = all[at].name();
        field(&all[at], &selection).map_err(|error| error.within(field_segment(name)))
    });
    kept.collect()
}

fn field(whole: &FieldRef, selection: &Selection<'_>) -> Result<FieldRef, PlanError> {
    if selection.is_all() {
        return Ok(Arc::clone(whole));
    }
    let with = |data_type| Arc::new(whole.as_ref().clone().with_data_type(data_type));
    Ok(match whole.data_type() {
        DataType::Struct(members) if is_struct_union(whole) => {
            with(DataType::Struct(union_members(members, selection)?))
        }
        DataType::Struct(members) => with(DataType::Struct(fields(members, selection)?)),
        DataType::List(item) => {
            let items = selection.items();
            with(DataType::List(
                field(item, &items).map_err(|error| error.within("[]"))?,
            ))
        }
        DataType::Map(entries, is_sorted) => {
            with(DataType::Map(map_entries(entries, selection)?, *is_sorted))
        }
        DataType::Union(branches, UnionMode::Dense) => {
            let (branches, any_dropped) = dense_branches(branches, selection)?;
            let union = with(DataType::Union(branches, UnionMode::Dense));
            if any_dropped {
                // Arrow counts the rows of a branch of type Null among the nulls.
                return Ok(Arc::new(union.as_ref().clone().with_nullable(true)));
            }
            union
        }
        other => {
            let is_json = extension::name(whole) == Some(extension::JSON);
            let what = if is_json { "JSON text" } else { &other.to_string() };
            selection.leaf(what)?;
            Arc::clone(whole)
        }
    })
}

/// Whether a struct's members are the branches of a union.
fn is_struct_union(field: &Field) -> bool {
    field
        .metadata()
        .get(UNION_KEY)
        .is_some_and(|value| value == STRUCT_UNION)
}

/// The branches that are kept: a struct has no members for others.
fn union_members(members: &Fields, selection: &Selection<'_>) -> Result<Fields, PlanError> {
    let names: Vec<_> = members.iter().map(|member| member.name().as_str()).collect();
    let kept = selection.branches(&names)?;
    let kept = members
        .iter()
        .zip(kept)
        .filter_map(|(member, kept)| Some(branch(member, &kept?)));
    kept.collect()
}

/// All branches, and whether any is dropped.
fn dense_branches(
    branches: &UnionFields,
    selection: &Selection<'_>,
) -> Result<(UnionFields, bool), PlanError> {
    let names: Vec<_> = branches
        .iter()
        .map(|(_, branch)| branch.name().as_str())
        .collect();
    let kept = selection.branches(&names)?;
    let any_dropped = kept.iter().any(Option::is_none);
    let mut fields = Vec::with_capacity(kept.len());
    for ((_, whole), kept) in branches.iter().zip(kept) {
        fields.push(match kept {
            Some(kept) => branch(whole, &kept)?,
            None => Arc::new(Field::new(whole.name(), DataType::Null, true)),
        });
    }
    let ids = branches.iter().map(|(id, _)| id);
    let fields = UnionFields::try_new(ids, fields)
        .map_err(|error| PlanError::new("the union cannot be projected").with_source(error))?;
    Ok((fields, any_dropped))
}

fn branch(whole: &FieldRef, selection: &Selection<'_>) -> Result<FieldRef, PlanError> {
    field(whole, selection).map_err(|error| error.within(branch_segment(whole.name())))
}

fn map_entries(entries: &FieldRef, selection: &Selection<'_>) -> Result<FieldRef, PlanError> {
    let values = selection.values();
    let DataType::Struct(pair) = entries.data_type() else {
        values.leaf(&entries.data_type().to_string())?;
        return Ok(Arc::clone(entries));
    };
    let [key, value] = pair.as_ref() else {
        values.leaf(&entries.data_type().to_string())?;
        return Ok(Arc::clone(entries));
    };
    let value = field(value, &values).map_err(|error| error.within("{}"))?;
    let pair = DataType::Struct([Arc::clone(key), value].into_iter().collect());
    Ok(Arc::new(entries.as_ref().clone().with_data_type(pair)))
}
