//! Comparing rows of two batches.

use arrow_array::{Array, RecordBatch};
use arrow_select::interleave::interleave;

/// Compares row for row; says which is the first to differ, by its place in the two lists, and how.
pub(super) fn differing(
    left: (&RecordBatch, &[usize]),
    right: (&RecordBatch, &[usize]),
) -> Option<(usize, String)> {
    let (left_batch, left_rows) = left;
    let (right_batch, right_rows) = right;
    if left_batch.schema() != right_batch.schema() {
        let message = format!(
            "the schema is {}, not {}",
            right_batch.schema(),
            left_batch.schema()
        );
        return Some((0, message));
    }
    if left_rows.len() != right_rows.len() {
        return Some((
            0,
            format!(
                "{} rows are to be compared with {}",
                left_rows.len(),
                right_rows.len()
            ),
        ));
    }
    let fields = left_batch.schema();
    let columns = left_batch
        .columns()
        .iter()
        .zip(right_batch.columns())
        .zip(fields.fields());
    for ((left, right), field) in columns {
        if taken(left, left_rows) == taken(right, right_rows) {
            continue;
        }
        for (place, (left_row, right_row)) in left_rows.iter().zip(right_rows).enumerate() {
            let (expected, found) = (left.slice(*left_row, 1), right.slice(*right_row, 1));
            if expected.as_ref() != found.as_ref() {
                let message = format!(
                    "column {} is {found:?}\nwhere it should be {expected:?}",
                    field.name()
                );
                return Some((place, message));
            }
        }
    }
    None
}

/// The rows of a column. Arrow's `take` would lose values without bytes.
fn taken(column: &dyn Array, rows: &[usize]) -> std::sync::Arc<dyn Array> {
    let rows: Vec<_> = rows.iter().map(|row| (0, *row)).collect();
    interleave(&[column], &rows).expect("because every row taken is in the column")
}
