//! Whether all systems made the same rows with the same values.
//!
//! Types may differ where both can stand for the same Avro type (a time zone's spelling, the names of a map's members,
//! nullability): so the second system's columns are cast to the first one's types, and then compared.

use arrow_array::{Array, RecordBatch};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_ord::sort::sort_to_indices;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

use crate::batch::{Batch, into_ours};
use crate::buffer::Messages;
use crate::suites::{Case, Rows, Run};

/// Lets every system decode everything, and fails with the first column that differs; says what it found.
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

/// The rows by their first column, in which no value stands twice.
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
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    for (field, column) in left.schema().fields().iter().zip(left.columns()) {
        let name = field.name();
        let other = right
            .column_by_name(name)
            .ok_or(format!("{} made no column {name}", names[1]))?;
        let other = cast_with_options(other, column.data_type(), &options)
            .map_err(|error| format!("column {name} of {names:?}: {error}"))?;
        if other.to_data() != column.to_data() {
            let row = (0..column.len())
                .find(|row| column.slice(*row, 1).to_data() != other.slice(*row, 1).to_data());
            return Err(format!("{names:?} differ in column {name}, first in row {row:?}"));
        }
    }
    Ok(())
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
