//! Nulls where a column had none: rows without a value, and bad rows that are kept.
//!
//! A validity bitmap does it for every type but a union, which has none. A union gets a branch of
//! type `Null` for it, unless it has one: then null is as visible there as a null branch that the
//! writer chose.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray, NullArray, UnionArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, DataType, Field, UnionFields};
use arrow_select::nullif::nullif;

/// The field, able to hold null. Its metadata stays.
///
/// # Errors
///
/// [`ArrowError`] for a union whose 128 type ids are all in use, none of them by `Null`.
pub(crate) fn nullable(field: &Field) -> Result<Field, ArrowError> {
    let field = field.clone().with_nullable(true);
    let DataType::Union(branches, mode) = field.data_type() else {
        return Ok(field);
    };
    if null_branch(branches).is_some() {
        return Ok(field);
    }
    let id = (0..=i8::MAX)
        .find(|id| branches.iter().all(|(used, _)| used != *id))
        .ok_or_else(|| {
            ArrowError::SchemaError(format!("the union {} has no type id left for null", field.name()))
        })?;
    let mut name = "null".to_owned();
    while branches.iter().any(|(_, branch)| *branch.name() == name) {
        name.push('_');
    }
    let null = Arc::new(Field::new(name, DataType::Null, true));
    let (ids, branches): (Vec<_>, Vec<_>) = branches
        .iter()
        .map(|(id, branch)| (id, Arc::clone(branch)))
        .chain([(id, null)])
        .unzip();
    let data_type = DataType::Union(UnionFields::try_new(ids, branches)?, *mode);
    Ok(field.with_data_type(data_type))
}

/// The column in the type that [`nullable`] gave its field, null wherever `valid` is not set.
pub(crate) fn with_nulls(
    column: &ArrayRef,
    nullable: &Field,
    valid: Option<&BooleanBuffer>,
) -> Result<ArrayRef, ArrowError> {
    match (nullable.data_type(), valid) {
        (DataType::Union(branches, _), _) => {
            Ok(Arc::new(union_with_nulls(column.as_union(), branches, valid)?))
        }
        (_, Some(valid)) => nullif(column, &BooleanArray::new(!valid, None)),
        (_, None) => Ok(Arc::clone(column)),
    }
}

fn null_branch(branches: &UnionFields) -> Option<i8> {
    branches
        .iter()
        .find(|(_, branch)| *branch.data_type() == DataType::Null)
        .map(|(id, _)| id)
}

fn union_with_nulls(
    column: &UnionArray,
    branches: &UnionFields,
    valid: Option<&BooleanBuffer>,
) -> Result<UnionArray, ArrowError> {
    let null = null_branch(branches)
        .ok_or_else(|| ArrowError::SchemaError("a nullable union has a branch for null".into()))?;
    let mut ids: Vec<i8> = column.type_ids().to_vec();
    if let Some(valid) = valid {
        for (id, _) in ids.iter_mut().zip(valid).filter(|(_, is_valid)| !is_valid) {
            *id = null;
        }
    }
    let mut nulls = 0;
    let offsets = column.offsets().map(|offsets| {
        // A dense union's offsets rise within each branch: those into the branch for null are
        // counted anew.
        let mut offsets = offsets.to_vec();
        for (offset, _) in offsets.iter_mut().zip(&ids).filter(|(_, id)| **id == null) {
            *offset = nulls;
            nulls += 1;
        }
        offsets
    });
    let null_rows = if offsets.is_some() {
        nulls as usize
    } else {
        ids.len()
    };
    let children = branches
        .iter()
        .map(|(id, _)| -> ArrayRef {
            if id == null {
                Arc::new(NullArray::new(null_rows))
            } else {
                Arc::clone(column.child(id))
            }
        })
        .collect();
    UnionArray::try_new(branches.clone(), ids.into(), offsets.map(Into::into), children)
}

#[cfg(test)]
mod tests {
    use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
    use arrow_array::types::Int32Type;
    use arrow_array::{
        Array, DictionaryArray, FixedSizeBinaryArray, Int32Array, ListArray, StringArray, StringViewArray,
        StructArray,
    };
    use arrow_buffer::{Buffer, OffsetBuffer};
    use arrow_schema::UnionMode;

    use super::*;

    fn branches(third: Option<DataType>) -> UnionFields {
        let mut fields = vec![
            Field::new("n", DataType::Int32, false),
            Field::new("s", DataType::Utf8, false),
        ];
        fields.extend(third.map(|data_type| Field::new("null", data_type, true)));
        UnionFields::try_new([3_i8, 0, 7].into_iter().take(fields.len()), fields).unwrap()
    }

    /// Rows `[1, "a", 2, "b"]`; a third branch, if there is one, is not used.
    fn union(third: Option<ArrayRef>, dense: bool) -> ArrayRef {
        let fields = branches(third.as_ref().map(|third| third.data_type().clone()));
        let (numbers, strings, offsets) = if dense {
            (vec![1, 2], vec!["a", "b"], Some(vec![0, 0, 1, 1].into()))
        } else {
            (vec![1, 0, 2, 0], vec!["", "a", "", "b"], None)
        };
        let mut children: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(numbers)),
            Arc::new(StringArray::from(strings)),
        ];
        children.extend(third);
        Arc::new(UnionArray::try_new(fields, vec![3, 0, 3, 0].into(), offsets, children).unwrap())
    }

    #[test]
    fn a_union_says_null_in_a_branch_of_its_own() {
        for dense in [true, false] {
            let rows = if dense { 0 } else { 4 };
            for third in [
                None,
                Some(Arc::new(NullArray::new(rows)) as ArrayRef),
                Some(Arc::new(Int32Array::from(vec![0; rows])) as ArrayRef),
            ] {
                let column = union(third, dense);
                let field = Field::new("u", column.data_type().clone(), false);
                let field = nullable(&field).unwrap();
                assert!(field.is_nullable());
                let valid = BooleanBuffer::from(vec![true, false, true, true]);
                let nulled = with_nulls(&column, &field, Some(&valid)).unwrap();
                assert_eq!(nulled.data_type(), field.data_type());
                nulled.to_data().validate_full().unwrap();
                assert_eq!(nulled.logical_null_count(), 1);
                assert_eq!(nulled.as_union().value(1).data_type(), &DataType::Null);
                for row in [0, 2, 3] {
                    assert_eq!(&nulled.as_union().value(row), &column.as_union().value(row));
                }
                let untouched = with_nulls(&column, &field, None).unwrap();
                assert_eq!(untouched.data_type(), field.data_type());
                assert_eq!(untouched.logical_null_count(), 0);
            }
        }
    }

    #[test]
    fn every_other_type_has_a_bitmap_for_it() {
        let ints: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
        let child = Arc::new(Field::new("child", DataType::Int32, false));
        let starts = || OffsetBuffer::from_lengths([1, 1, 1]);
        let dictionary: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for _ in 0..3 {
            map.keys().append_value("k");
            map.values().append_value(1);
            map.append(true).unwrap();
        }
        let columns: [ArrayRef; 9] = [
            Arc::clone(&ints),
            Arc::new(Int32Array::from(vec![Some(1), Some(2), None])),
            Arc::new(BooleanArray::from(vec![true, true, false])),
            Arc::new(StringViewArray::from(vec!["a", "b", "longer than twelve bytes"])),
            Arc::new(FixedSizeBinaryArray::try_new(1, Buffer::from(b"abc"), None).unwrap()),
            Arc::new(StructArray::new(
                vec![Arc::clone(&child)].into(),
                vec![Arc::clone(&ints)],
                None,
            )),
            Arc::new(ListArray::new(child, starts(), ints, None)),
            Arc::new(dictionary),
            Arc::new(map.finish()),
        ];
        for column in columns {
            let field = Field::new("c", column.data_type().clone(), false);
            let field = nullable(&field).unwrap();
            assert_eq!(field.data_type(), column.data_type());
            let valid = BooleanBuffer::from(vec![true, false, true]);
            let nulled = with_nulls(&column, &field, Some(&valid)).unwrap();
            nulled.to_data().validate_full().unwrap();
            assert!(nulled.is_null(1), "{column:?}");
            assert_eq!(&nulled.slice(0, 1), &column.slice(0, 1));
            assert_eq!(&nulled.slice(2, 1), &column.slice(2, 1));
        }
    }

    #[test]
    fn a_union_without_room_for_null_is_refused() {
        let fields: Vec<_> = (0..128)
            .map(|branch| Field::new(format!("b{branch}"), DataType::Int32, false))
            .collect();
        let full = UnionFields::try_new(0..=127, fields).unwrap();
        let field = Field::new("u", DataType::Union(full, UnionMode::Dense), false);
        assert!(nullable(&field).unwrap_err().to_string().contains("union u"));
    }
}
