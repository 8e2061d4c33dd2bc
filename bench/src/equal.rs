//! Whether two systems made the same rows with the same values.
//!
//! Types may differ where both can stand for the same Avro type (a time zone's spelling, the names of a map's members,
//! nullability): so the second system's columns are cast to the first one's types, and then compared.

use arrow_array::{Array, RecordBatch};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_select::concat::concat_batches;

/// Fails with the first column that differs.
pub fn check(names: [&str; 2], batches: [&[RecordBatch]; 2]) -> Result<(), String> {
    let [left, right] = [join(batches[0])?, join(batches[1])?];
    if (left.num_rows(), left.num_columns()) != (right.num_rows(), right.num_columns()) {
        return Err(format!("{names:?} made different shapes: {left:?} and {right:?}"));
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

    use super::check;

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
        let one = [batch([1, 2], [Some("a"), None])];
        assert_eq!(check(names, [&one, &one]), Ok(()));
        assert!(
            check(names, [&one, &[batch([1, 3], [Some("a"), None])]])
                .unwrap_err()
                .contains("column number, first in row Some(1)")
        );
        assert!(
            check(names, [&one, &[batch([1, 2], [Some("a"), Some("")])]])
                .unwrap_err()
                .contains("column text")
        );
        assert!(check(names, [&one, &[batch([1, 2], [Some("a"), None]).slice(0, 1)]]).is_err());
        assert!(check(names, [&one, &[]]).is_err());
    }
}
