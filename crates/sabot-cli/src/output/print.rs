//! Straight to stdout, for commands that have all of their output at hand.

use std::io::{self, Write};

use arrow_array::RecordBatch;

use super::json::JsonLines;
use super::render::Render;
use super::table::{Table, TableOptions};
use crate::failure::Failure;

/// Writes all of `bytes` to stdout and flushes it.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::io("cannot write to standard output", &error))
}

/// Writes a whole table to stdout.
pub(crate) fn print_table(batch: &RecordBatch, options: &TableOptions) -> Result<(), Failure> {
    let mut out = Vec::new();
    let mut table = Table::new(options.clone());
    table
        .batch(batch, &mut out)
        .map_err(|error| Failure::because("cannot write the table", &error))?;
    print(&out)
}

/// Writes all rows to stdout as JSON lines.
pub(crate) fn print_json_lines(batch: &RecordBatch) -> Result<(), Failure> {
    let mut out = Vec::new();
    JsonLines
        .batch(batch, &mut out)
        .map_err(|error| Failure::because("cannot write JSON", &error))?;
    print(&out)
}
