//! Leaving rows out of a finished batch.
//!
//! Mostly a few rows are to go, so that what stays are long runs. Arrow's filter copies numbers by
//! runs, but takes the offsets of strings and lists one by one; its concatenation shifts those of a
//! run at once, and takes longer for the rest.

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{ArrowError, DataType};
use arrow_select::concat::concat;
use arrow_select::filter::FilterBuilder;

/// Rows of a run at least, on average, for which offsets are better taken by runs.
const LONG_RUN_ROWS: usize = 32;

/// The rows of `batch` that `kept` has a bit for.
///
/// ```
/// use std::sync::Arc;
///
/// use arrow_array::{Int32Array, RecordBatch};
///
/// let column = Int32Array::from(vec![1, 2, 3]);
/// let batch = RecordBatch::try_from_iter([("n", Arc::new(column) as _)])?;
/// let kept = sabot_assemble::keep_rows(&batch, vec![true, false, true].into())?;
/// assert_eq!(kept.column(0).as_ref(), &Int32Array::from(vec![1, 3]));
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
///
/// # Errors
///
/// [`ArrowError`] if the offsets of a column overflow, or `kept` has another length than the batch.
pub fn keep_rows(batch: &RecordBatch, kept: BooleanBuffer) -> Result<RecordBatch, ArrowError> {
    if kept.len() != batch.num_rows() {
        return Err(ArrowError::InvalidArgumentError(format!(
            "{} bits for {} rows",
            kept.len(),
            batch.num_rows()
        )));
    }
    let runs: Vec<_> = kept.set_slices().collect();
    let mask = BooleanArray::new(kept, None);
    let predicate = FilterBuilder::new(&mask).optimize().build();
    let rows = predicate.count();
    let has_long_runs = !runs.is_empty() && rows / runs.len() >= LONG_RUN_ROWS;
    let columns = batch.columns().iter().map(|column| {
        let by_runs = has_long_runs && has_offsets(column.data_type());
        if by_runs || has_empty_values(column.data_type()) {
            return concat_runs(column, &runs);
        }
        predicate.filter(column)
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(batch.schema(), columns.collect::<Result<_, _>>()?, &options)
}

/// Whether there are values without bytes anywhere, which Arrow's filter loses.
fn has_empty_values(data_type: &DataType) -> bool {
    match data_type {
        DataType::FixedSizeBinary(size) => *size == 0,
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => has_empty_values(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_empty_values(field.data_type())),
        DataType::Union(fields, _) => fields
            .iter()
            .any(|(_, field)| has_empty_values(field.data_type())),
        _ => false,
    }
}

fn has_offsets(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => fields.iter().any(|field| has_offsets(field.data_type())),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::List(_)
        | DataType::Map(..) => true,
        _ => false,
    }
}

fn concat_runs(column: &ArrayRef, runs: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    let runs: Vec<_> = runs
        .iter()
        .map(|(start, end)| column.slice(*start, end - start))
        .collect();
    let runs: Vec<&dyn Array> = runs.iter().map(|run| &**run).collect();
    match runs.is_empty() {
        true => Ok(column.slice(0, 0)),
        false => concat(&runs),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{Int64Builder, MapBuilder, StringBuilder};
    use arrow_array::types::Int32Type;
    use arrow_array::{
        ArrayRef, BinaryArray, BinaryViewArray, DictionaryArray, GenericListArray, Int64Array,
        LargeBinaryArray, LargeStringArray, MapArray, OffsetSizeTrait, RecordBatch, StringArray,
        StringViewArray, StructArray, UnionArray,
    };
    use arrow_schema::{Field, Schema, UnionFields};
    use arrow_select::filter::filter_record_batch;
    use proptest::prelude::*;

    use super::*;

    fn texts<T: FromIterator<Option<String>>>(rows: usize) -> T {
        let text = |row: usize| (!row.is_multiple_of(5)).then(|| "x".repeat(row * 3 % 20));
        (0..rows).map(text).collect()
    }

    fn numbers(rows: usize) -> Int64Array {
        let rows = 0..rows as i64;
        rows.map(|row| (row % 3 != 0).then_some(row)).collect()
    }

    fn lists<O: OffsetSizeTrait>(rows: usize) -> GenericListArray<O> {
        let list = |row: i32| (row % 4 != 0).then(|| (0..row % 6).map(Some));
        GenericListArray::from_iter_primitive::<Int32Type, _, _>((0..rows as i32).map(list))
    }

    fn maps(rows: usize) -> MapArray {
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
        for row in 0..rows {
            for at in 0..row % 4 {
                maps.keys().append_value(format!("key {at}"));
                maps.values().append_option((at != 1).then_some(row as i64));
            }
            maps.append(!row.is_multiple_of(7)).unwrap();
        }
        maps.finish()
    }

    /// Texts and numbers in turn.
    fn union(rows: usize, is_dense: bool) -> UnionArray {
        let fields = [
            Field::new("text", DataType::Utf8, true),
            Field::new("number", DataType::Int64, true),
        ];
        let children: Vec<ArrayRef> = vec![Arc::new(texts::<StringArray>(rows)), Arc::new(numbers(rows))];
        let type_ids = (0..rows).map(|row| i8::from(row % 3 == 1)).collect();
        let mut used = [0; 2];
        let offsets = (0..rows).map(|row| {
            let used = &mut used[usize::from(row % 3 == 1)];
            *used += 1;
            *used - 1
        });
        let offsets = is_dense.then(|| offsets.collect());
        let fields = UnionFields::try_new([0, 1], fields).unwrap();
        UnionArray::try_new(fields, type_ids, offsets, children).unwrap()
    }

    /// A column of each type that is copied in its own way, and a struct of all of them.
    fn batch(rows: usize) -> RecordBatch {
        let dictionary: DictionaryArray<Int32Type> = texts::<StringArray>(rows).iter().collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(texts::<StringArray>(rows)),
            Arc::new(texts::<LargeStringArray>(rows)),
            Arc::new(texts::<StringViewArray>(rows)),
            Arc::new(texts::<BinaryArray>(rows)),
            Arc::new(texts::<LargeBinaryArray>(rows)),
            Arc::new(texts::<BinaryViewArray>(rows)),
            Arc::new(dictionary),
            Arc::new(numbers(rows)),
            Arc::new(lists::<i32>(rows)),
            Arc::new(lists::<i64>(rows)),
            Arc::new(maps(rows)),
            Arc::new(union(rows, true)),
            Arc::new(union(rows, false)),
        ];
        let alone = named(columns);
        let mut columns = alone.columns().to_vec();
        columns.push(Arc::new(StructArray::from(alone)));
        named(columns)
    }

    fn named(columns: Vec<ArrayRef>) -> RecordBatch {
        let fields = columns.iter().enumerate();
        let fields =
            fields.map(|(at, column)| Field::new(format!("c{at}"), column.data_type().clone(), true));
        RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).unwrap()
    }

    proptest! {
        #[test]
        fn it_is_the_filter(rows in 0usize..300, start in 0usize..20, gone in prop::collection::vec(0usize..300, 0..8), many in any::<bool>()) {
            let batch = batch(start + rows).slice(start, rows);
            let kept: Vec<bool> = (0..rows).map(|row| !(gone.contains(&row) || many && row % 3 == 0)).collect();
            let expected = filter_record_batch(&batch, &BooleanArray::from(kept.clone())).unwrap();
            prop_assert_eq!(keep_rows(&batch, kept.into()).unwrap(), expected);
        }
    }

    #[test]
    fn another_length_is_refused() {
        assert!(keep_rows(&batch(3), vec![true, false].into()).is_err());
    }

    #[test]
    fn rows_without_columns_are_counted() {
        let options = RecordBatchOptions::new().with_row_count(Some(3));
        let batch =
            RecordBatch::try_new_with_options(Arc::new(arrow_schema::Schema::empty()), vec![], &options);
        let kept = keep_rows(&batch.unwrap(), vec![true, false, true].into()).unwrap();
        assert_eq!(kept.num_rows(), 2);
    }
}
