//! From columns to Arrow arrays.
//!
//! The buffers are handed over, not copied, and others of the same room take their place: the next
//! batch is likely to be as long. Every array goes through a checked constructor, so that a codec's
//! fault is an error here; strings alone do not, see [`crate::VarBytes`].

use std::sync::Arc;

use arrow_array::types::{
    BinaryType, BinaryViewType, Int32Type, LargeBinaryType, LargeUtf8Type, StringViewType, Utf8Type,
};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeBinaryArray, GenericByteViewArray, Int32Array,
    ListArray, MapArray, NullArray, RecordBatch, RecordBatchOptions, StructArray, UnionArray, make_array,
};
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Fields};
use sabot_decode::FlushError;

use super::{Columns, with_values};
use crate::check::check_len;
use crate::{Layout, Node, NodeIx, NodeKind};

/// Takes everything out of `columns` as one batch.
pub(crate) fn finish(columns: &mut Columns) -> Result<RecordBatch, FlushError> {
    let layout = Arc::clone(&columns.layout);
    let rows = std::mem::take(&mut columns.rows);
    let arrays: Result<Vec<_>, _> = layout
        .roots()
        .iter()
        .map(|&root| array(columns, &layout, root, rows))
        .collect();
    match &arrays {
        Ok(_) => columns.pool.end_batch(),
        Err(_) => columns.pool.clear(),
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(layout.schema()),
        arrays?,
        &options,
    )?)
}

fn array(columns: &mut Columns, layout: &Layout, ix: NodeIx, len: usize) -> Result<ArrayRef, ArrowError> {
    let node = layout.node(ix);
    let pool = &mut columns.pool;
    let nulls = node
        .validity
        .and_then(|column| columns.validity[column].take_nulls(pool));
    check_len("validity bits", nulls.as_ref().map_or(len, NullBuffer::len), len)?;
    let data_type = node.field.data_type();
    if let NodeKind::Dictionary(column) = &node.kind {
        return dictionary(columns, *column, nulls);
    }
    with_values!(columns, &node.kind, values => {
            let len = values.len();
            primitive((pool.take(values), len), data_type, nulls)
        }, else
        NodeKind::Null(column) => Ok(Arc::new(NullArray::new(std::mem::take(&mut columns.nulls[*column])))),
        NodeKind::Bool(column) => {
            let values = columns.bools[*column].take_with(pool);
            check_len("booleans", values.len(), len)?;
            Ok(Arc::new(BooleanArray::new(values, nulls)))
        }
        NodeKind::Bytes(column) if *data_type == DataType::Utf8 => {
            Ok(Arc::new(columns.bytes[*column].take_with::<Utf8Type>(nulls, pool)?))
        }
        NodeKind::Bytes(column) => Ok(Arc::new(columns.bytes[*column].take_with::<BinaryType>(nulls, pool)?)),
        NodeKind::LargeBytes(column) if *data_type == DataType::LargeUtf8 => {
            Ok(Arc::new(columns.large_bytes[*column].take_with::<LargeUtf8Type>(nulls, pool)?))
        }
        NodeKind::LargeBytes(column) => Ok(Arc::new(columns.large_bytes[*column].take_with::<LargeBinaryType>(nulls, pool)?)),
        NodeKind::Views(column) => {
            let (views, data) = columns.views[*column].take(pool);
            if *data_type == DataType::Utf8View {
                return Ok(Arc::new(GenericByteViewArray::<StringViewType>::try_new(views, data, nulls)?));
            }
            Ok(Arc::new(GenericByteViewArray::<BinaryViewType>::try_new(views, data, nulls)?))
        }
        NodeKind::Fixed(column) => fixed(columns, *column, len, nulls),
        NodeKind::Struct(children) => {
            let arrays: Result<Vec<_>, _> =
                children.iter().map(|&child| array(columns, layout, child, len)).collect();
            let fields = child_fields(layout, children);
            Ok(Arc::new(StructArray::try_new_with_length(fields, arrays?, nulls, len)?))
        }
        NodeKind::List(column, item) => {
            let offsets = columns.lists[*column].take(pool);
            let items = offsets.last().map_or(0, |end| *end as usize);
            let items = array(columns, layout, *item, items)?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(&layout.node(*item).field), offsets, items, nulls)?))
        }
        NodeKind::Map(column, key, value) => map(columns, layout, node, (*column, *key, *value), nulls),
        NodeKind::Union(column, children) => union(columns, layout, data_type, *column, children),
    )
}

/// Any type stored as a plain vector of native values.
fn primitive(
    (values, len): (Buffer, usize),
    data_type: &DataType,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let builder = ArrayData::builder(data_type.clone()).len(len).nulls(nulls);
    Ok(make_array(builder.add_buffer(values).build()?))
}

fn dictionary(
    columns: &mut Columns,
    column: usize,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let keys = columns.pool.take(&mut columns.i32s[column]);
    let values = columns.dictionaries[column]
        .clone()
        .ok_or_else(|| ArrowError::SchemaError("a dictionary's values were not set".into()))?;
    let keys = Int32Array::try_new(ScalarBuffer::from(keys), nulls)?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

fn fixed(
    columns: &mut Columns,
    column: usize,
    rows: usize,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let width = columns.fixed[column].width() as i32;
    let (data, len) = columns.fixed[column].take(&mut columns.pool);
    check_len("fixed-size strings", len, rows)?;
    if width > 0 {
        return Ok(Arc::new(FixedSizeBinaryArray::try_new(width, data, nulls)?));
    }
    // The typed constructor cannot know the length of strings of no bytes.
    let builder = ArrayData::builder(DataType::FixedSizeBinary(0))
        .len(len)
        .nulls(nulls);
    Ok(make_array(builder.add_buffer(data).build()?))
}

fn map(
    columns: &mut Columns,
    layout: &Layout,
    node: &Node,
    (column, key, value): (usize, NodeIx, NodeIx),
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let DataType::Map(entries_field, sorted) = node.field.data_type() else {
        return Err(ArrowError::SchemaError("a map's node has another type".into()));
    };
    let offsets = columns.lists[column].take(&mut columns.pool);
    let items = offsets.last().map_or(0, |end| *end as usize);
    let keys = array(columns, layout, key, items)?;
    let values = array(columns, layout, value, items)?;
    let fields = child_fields(layout, &[key, value]);
    let entries = StructArray::try_new_with_length(fields, vec![keys, values], None, items)?;
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(entries_field),
        offsets,
        entries,
        nulls,
        *sorted,
    )?))
}

fn union(
    columns: &mut Columns,
    layout: &Layout,
    data_type: &DataType,
    column: usize,
    children: &[NodeIx],
) -> Result<ArrayRef, ArrowError> {
    let DataType::Union(fields, _) = data_type else {
        return Err(ArrowError::SchemaError("a union's node has another type".into()));
    };
    let lengths: Vec<_> = (0..children.len())
        .map(|at| columns.unions[column].child_len(at))
        .collect();
    let (type_ids, offsets) = columns.unions[column].take(&mut columns.pool);
    let arrays: Result<Vec<_>, _> = children
        .iter()
        .zip(lengths)
        .map(|(&child, len)| array(columns, layout, child, len))
        .collect();
    Ok(Arc::new(UnionArray::try_new(
        fields.clone(),
        type_ids,
        Some(offsets),
        arrays?,
    )?))
}

fn child_fields(layout: &Layout, children: &[NodeIx]) -> Fields {
    children
        .iter()
        .map(|&child| Arc::clone(&layout.node(child).field))
        .collect()
}
