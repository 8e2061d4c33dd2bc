//! Where batches go: formats, destinations, and when what was written is safe to acknowledge.
//!
//! A [`Sink`] answers each write with [`Durable`]. Text formats are durable once flushed: a reader can use every line
//! that arrived. Parquet, Arrow files and a JSON array are worth nothing until they are whole, so a sink for them
//! writes under a temporary name, renames at the end, and only then says that it is durable. The driver acknowledges
//! no batch before that, so that a crash at any moment loses nothing.

pub(crate) mod choice;
mod encode;
mod envelope;
mod file;
mod layout;
mod storable;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use arrow_array::RecordBatch;

use crate::failure::Failure;

pub(crate) use layout::{Layout, ValueLayout};
pub(crate) use table::TableOptions;
pub(crate) use template::Template;

/// Takes batches until it is finished.
pub(crate) trait Sink {
    /// Writes a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<Durable, Failure>;

    /// Ends the output. All that was written is durable if this succeeds.
    fn finish(&mut self) -> Result<(), Failure>;
}

/// Whether all that a sink took so far would survive the end of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    Yes,
    NotYet,
}

/// What to write.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    Table(TableOptions),
    /// One array of objects.
    Json,
    /// One object a line.
    JsonLines,
    /// One of kcat's `-J` objects a line.
    Envelope,
    /// kcat's `-f`.
    Template(Template),
    Csv,
    Parquet,
    Arrow,
}

impl Format {
    /// Whether the output means nothing to a terminal.
    pub(crate) fn is_binary(&self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    /// Whether its columns are fixed with the first row.
    pub(crate) fn needs_one_schema(&self) -> bool {
        matches!(self, Self::Table(_) | Self::Csv | Self::Parquet | Self::Arrow)
    }

    /// Whether a file of this format is worth nothing before its last byte.
    pub(crate) fn is_whole_file(&self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow | Self::Json)
    }
}

/// Where to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Stdout,
    File { path: PathBuf, existing: Existing },
}

/// What to do where the file exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Overwrite,
    /// Go on behind the last whole record.
    Append,
}

/// Everything that a sink needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) format: Format,
    pub(crate) destination: Destination,
    pub(crate) layout: Layout,
    /// Rows after which a new Parquet or Arrow file begins.
    pub(crate) rotate_rows: Option<usize>,
    /// Whether to wait for the disk before a batch counts as durable.
    pub(crate) sync: bool,
}

impl Plan {
    /// Whether the rows themselves go to a terminal.
    pub(crate) fn is_on_terminal(&self) -> bool {
        self.destination == Destination::Stdout && io::stdout().is_terminal()
    }

    /// Whether the output is a file.
    pub(crate) fn is_file(&self) -> bool {
        self.destination != Destination::Stdout
    }

    /// Whether an output without rows still has columns: nothing at all would be no Parquet and no Arrow.
    pub(crate) fn has_columns_without_rows(&self) -> bool {
        self.is_file() || self.format.is_binary() || matches!(self.format, Format::Csv)
    }
}

/// Refuses what can be refused before anything is read.
pub(crate) fn check(plan: &Plan) -> Result<(), Failure> {
    if plan.format.is_binary() && plan.destination == Destination::Stdout && io::stdout().is_terminal() {
        return Err(Failure::usage(
            "refusing to write binary data to a terminal: name a file with --out, or pipe the output",
        ));
    }
    let Destination::File { path, existing } = &plan.destination else {
        return match plan.rotate_rows {
            Some(_) => Err(Failure::usage("--rotate-rows needs files: name them with --out")),
            None => Ok(()),
        };
    };
    if plan.rotate_rows.is_some() && !plan.format.is_binary() {
        return Err(Failure::usage("--rotate-rows is for Parquet and Arrow files"));
    }
    if *existing == Existing::Append && plan.format.is_whole_file() {
        return Err(Failure::usage(
            "--append is for JSON lines, CSV and text: such a file is written in one piece",
        ));
    }
    if *existing == Existing::Refuse && plan.rotate_rows.is_none() && path.is_file() {
        let append = if plan.format.is_whole_file() {
            ""
        } else {
            "--append to add to it, or "
        };
        return Err(Failure::failed(format!(
            "{} exists: pass {append}--overwrite to replace it",
            path.display()
        )));
    }
    Ok(())
}

/// Opens the sink that `plan` describes.
pub(crate) fn open(plan: &Plan) -> Result<Box<dyn Sink>, Failure> {
    match plan.format {
        Format::Parquet | Format::Arrow => file::open(plan),
        _ => text::open(plan),
    }
}

/// Writes all of `bytes` to stdout and flushes it.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::io("cannot write to standard output", &error))
}

/// Writes a whole table to stdout, for commands that have all their rows at hand.
pub(crate) fn print_table(batch: &RecordBatch, options: &TableOptions) -> Result<(), Failure> {
    let mut out = Vec::new();
    let mut table = table::Table::new(options.clone());
    text::Render::batch(&mut table, batch, &mut out)
        .map_err(|error| Failure::because("cannot write the table", &error))?;
    print(&out)
}

/// Writes all rows to stdout as JSON lines.
pub(crate) fn print_json_lines(batch: &RecordBatch) -> Result<(), Failure> {
    let mut out = Vec::new();
    text::Render::batch(&mut text::JsonLines, batch, &mut out)
        .map_err(|error| Failure::because("cannot write JSON", &error))?;
    print(&out)
}
