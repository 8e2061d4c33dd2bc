//! Which columns a batch has, under which names.
//!
//! The key's column comes first, the value's columns under their own names after it, then the
//! metadata columns and those that policies add. A value column always keeps its name: where it is
//! also that of a column that the assembler adds, the latter gets underscores after its name until
//! it is its own (`key_`, `_offset_`).

use std::sync::Arc;

use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};

use crate::nulls;

/// The schemas that a layout is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// The key decoder's, once it has one.
    pub(crate) key: Option<&'a SchemaRef>,
    /// The value decoder's, once it has one.
    pub(crate) value: Option<&'a SchemaRef>,
    /// Whether value columns may be null in any row.
    pub(crate) nullable_values: bool,
}

impl Sources<'_> {
    /// The schema of a batch with the columns `added` after those of key and value. Field metadata
    /// stays, and so does the value's schema metadata; the key's goes to its field.
    pub(crate) fn schema(self, added: &[FieldRef]) -> Result<SchemaRef, ArrowError> {
        let mut values = Vec::new();
        for field in self.value.iter().flat_map(|value| value.fields()) {
            values.push(if self.nullable_values {
                Arc::new(nulls::nullable(field)?)
            } else {
                Arc::clone(field)
            });
        }
        let key = self.key.map(|key| key_field(key)).transpose()?;
        let mut fields = Vec::with_capacity(values.len() + added.len() + 1);
        fields.extend(key.map(|key| Arc::new(free_name(key, &values))));
        fields.extend_from_slice(&values);
        fields.extend(
            added
                .iter()
                .map(|field| Arc::new(free_name(Field::clone(field), &values))),
        );
        let metadata = self
            .value
            .map(|value| value.metadata().clone())
            .unwrap_or_default();
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }
}

/// Whether a key is one plain value, and so is its column: its only field is named `key` or
/// `value`, as the codecs name the column of a payload that is no record.
pub(crate) fn is_single(key: &Schema) -> bool {
    matches!(key.fields().as_ref(), [only] if matches!(only.name().as_str(), "key" | "value"))
}

/// The field of the key's column: a key may be null whatever its columns are.
fn key_field(key: &Schema) -> Result<Field, ArrowError> {
    let field = if is_single(key) {
        nulls::nullable(key.field(0))?.with_name("key")
    } else {
        Field::new("key", DataType::Struct(key.fields().clone()), true)
    };
    let mut metadata = key.metadata().clone();
    metadata.extend(field.metadata().clone());
    Ok(field.with_metadata(metadata))
}

fn free_name(field: Field, values: &[FieldRef]) -> Field {
    let mut name = field.name().clone();
    while values.iter().any(|value| *value.name() == name) {
        name.push('_');
    }
    field.with_name(name)
}
