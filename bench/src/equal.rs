//! Whether all systems made the same rows with the same values.
//!
//! Types may differ where both can stand for the same Avro type (a time zone's spelling, the names
//! of a map's or a union's members, nullability): so the second system's columns are given the
//! first one's types, and then compared.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, RecordBatch, StructArray, UnionArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_ord::sort::sort_to_indices;
use arrow_schema::{ArrowError, DataType};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

use crate::batch::{Batch, into_ours};
use crate::buffer::Messages;
use crate::suites::{Case, Rows, Run};

/// Lets every system decode everything, and fails with the first column that differs; says what it
/// found.
pub fn check(case: &mut Case) -> Result<&'static str, String> {
    let Some(expected) = &mut case.expected else {
        return Ok("nothing to compare");
    };
    let messages = expected.messages.as_ref().unwrap_or(&case.messages);
    let trusted = rows(expected.name, &mut *expected.run, messages)?;
    for system in &mut case.systems {
        let names = [expected.name, system.name];
        match system.rows {
            Rows::None => {}
            Rows::InOrder => {
                let found = rows(system.name, &mut *system.run, &case.messages)?;
                compare(names, [&trusted, &found])?;
            }
            Rows::AnyOrder => {
                let found = rows(system.name, &mut *system.run, &case.messages)?;
                compare(names, [&sorted(&trusted)?, &sorted(&found)?])?;
            }
            Rows::Bytes => {
                let mut bytes = 0;
                system.run.run(&case.messages, &mut |batch| {
                    if let Batch::Bytes(copied) = batch {
                        bytes += copied.len();
                    }
                })?;
                if bytes != case.messages.body_bytes() {
                    return Err(format!("{} made {bytes} bytes", system.name));
                }
            }
        }
    }
    Ok("results equal")
}

/// Everything that a system makes of the messages.
fn rows(name: &str, system: &mut dyn Run, messages: &Messages) -> Result<RecordBatch, String> {
    let mut batches: Vec<Batch> = Vec::new();
    system
        .run(messages, &mut |batch| batches.push(batch))
        .and_then(|()| join(&into_ours(batches)?))
        .map_err(|reason| format!("{name}: {reason}"))
}

/// The rows by their first column, in which no value occurs twice.
fn sorted(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let indices = sort_to_indices(batch.column(0), None, None).map_err(|error| error.to_string())?;
    take_record_batch(batch, &indices).map_err(|error| error.to_string())
}

fn compare(names: [&str; 2], [left, right]: [&RecordBatch; 2]) -> Result<(), String> {
    if (left.num_rows(), left.num_columns()) != (right.num_rows(), right.num_columns()) {
        let shape =
            |batch: &RecordBatch| format!("{} rows of {} columns", batch.num_rows(), batch.num_columns());
        return Err(format!("{names:?} made {} and {}", shape(left), shape(right)));
    }
    for (field, column) in left.schema().fields().iter().zip(left.columns()) {
        let name = field.name();
        let other = right
            .column_by_name(name)
            .ok_or(format!("{} made no column {name}", names[1]))?;
        let other = with_type(other, column.data_type())
            .map_err(|error| format!("column {name} of {names:?}: {error}"))?;
        if other.to_data() != column.to_data() {
            let row = (0..column.len())
                .find(|row| column.slice(*row, 1).to_data() != other.slice(*row, 1).to_data());
            return Err(format!("{names:?} differ in column {name}, first in row {row:?}"));
        }
    }
    Ok(())
}

/// The same values with another type of the same layout. Arrow's cast knows no unions, nor what
/// holds some.
fn with_type(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    let below = |arrays: &[ArrayRef], wanted: &[&DataType]| {
        let pairs = arrays.iter().zip(wanted);
        pairs
            .map(|(array, wanted)| with_type(array, wanted))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match (array.data_type(), wanted) {
        (DataType::Struct(from), DataType::Struct(to)) if from.len() == to.len() => {
            let types: Vec<_> = to.iter().map(|field| field.data_type()).collect();
            let array = array.as_struct();
            let columns = below(array.columns(), &types)?;
            let len = array.len();
            Arc::new(StructArray::try_new_with_length(
                to.clone(),
                columns,
                array.nulls().cloned(),
                len,
            )?)
        }
        (DataType::List(_), DataType::List(item)) => {
            let array = array.as_list::<i32>();
            let values = with_type(array.values(), item.data_type())?;
            let (offsets, nulls) = (array.offsets().clone(), array.nulls().cloned());
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls)?)
        }
        (DataType::Map(..), DataType::Map(entry, is_sorted)) => {
            let array = array.as_map();
            let entries: ArrayRef = Arc::new(array.entries().clone());
            let entries = with_type(&entries, entry.data_type())?.as_struct().clone();
            let (offsets, nulls) = (array.offsets().clone(), array.nulls().cloned());
            let map = MapArray::try_new(Arc::clone(entry), offsets, entries, nulls, *is_sorted)?;
            Arc::new(map)
        }
        (DataType::Union(from, _), DataType::Union(to, _)) if from.len() == to.len() => {
            let array = array.as_union();
            let children: Vec<_> = from.iter().map(|(id, _)| Arc::clone(array.child(id))).collect();
            let types: Vec<_> = to.iter().map(|(_, field)| field.data_type()).collect();
            let children = below(&children, &types)?;
            let (ids, offsets) = (array.type_ids().clone(), array.offsets().cloned());
            Arc::new(UnionArray::try_new(to.clone(), ids, offsets, children)?)
        }
        _ => {
            let options = CastOptions {
                safe: false,
                ..CastOptions::default()
            };
            cast_with_options(array, wanted, &options)?
        }
    })
}

fn join(batches: &[RecordBatch]) -> Result<RecordBatch, String> {
    let first = batches.first().ok_or("no batch was made")?;
    concat_batches(&first.schema(), batches).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

    use super::{compare, sorted};

    fn batch(numbers: [i64; 2], texts: [Option<&str>; 2]) -> RecordBatch {
        let columns: [(&str, ArrayRef); 2] = [
            ("number", Arc::new(Int64Array::from_iter_values(numbers))),
            ("text", Arc::new(StringArray::from_iter(texts))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn what_differs_is_found() {
        let names = ["one", "other"];
        let one = batch([1, 2], [Some("a"), None]);
        assert_eq!(compare(names, [&one, &one]), Ok(()));
        assert!(
            compare(names, [&one, &batch([1, 3], [Some("a"), None])])
                .unwrap_err()
                .contains("column number, first in row Some(1)")
        );
        assert!(
            compare(names, [&one, &batch([1, 2], [Some("a"), Some("")])])
                .unwrap_err()
                .contains("column text")
        );
        assert!(
            compare(names, [&one, &one.slice(0, 1)])
                .unwrap_err()
                .contains("1 rows")
        );
    }

    #[test]
    fn another_order_is_the_same_when_sorted() {
        let names = ["one", "other"];
        let [one, other] = [batch([1, 2], [Some("a"), None]), batch([2, 1], [None, Some("a")])];
        assert!(compare(names, [&one, &other]).is_err());
        assert_eq!(
            compare(names, [&sorted(&one).unwrap(), &sorted(&other).unwrap()]),
            Ok(())
        );
    }
}
