//! What to write, and where.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use super::layout::Layout;
use super::table::TableOptions;
use super::template::Template;
use crate::failure::Failure;

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
    /// Go on after the last whole record.
    Append,
}

/// Everything that a sink needs to know.
#[derive(Debug, Clone)]
pub(crate) struct OutputSpec {
    pub(crate) format: Format,
    pub(crate) destination: Destination,
    pub(crate) layout: Layout,
    /// Rows after which a new Parquet or Arrow file begins.
    pub(crate) rotate_rows: Option<usize>,
    /// Whether to wait for the disk before a batch counts as durable.
    pub(crate) sync: bool,
}

impl OutputSpec {
    /// Whether the rows themselves go to a terminal.
    pub(crate) fn is_on_terminal(&self) -> bool {
        self.destination == Destination::Stdout && io::stdout().is_terminal()
    }

    /// Whether the output is a file.
    pub(crate) fn is_file(&self) -> bool {
        self.destination != Destination::Stdout
    }

    /// Whether an output without rows still has columns: nothing at all would be no Parquet and no
    /// Arrow.
    pub(crate) fn has_columns_without_rows(&self) -> bool {
        self.is_file() || self.format.is_binary() || matches!(self.format, Format::Csv)
    }

    /// Refuses what can be refused before anything is read.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.format.is_binary() && self.destination == Destination::Stdout && io::stdout().is_terminal() {
            return Err(Failure::usage(
                "refusing to write binary data to a terminal: name a file with --out, or pipe the output",
            ));
        }
        let Destination::File { path, existing } = &self.destination else {
            return match self.rotate_rows {
                Some(_) => Err(Failure::usage("--rotate-rows needs files: name them with --out")),
                None => Ok(()),
            };
        };
        if self.rotate_rows.is_some() && !self.format.is_binary() {
            return Err(Failure::usage("--rotate-rows is for Parquet and Arrow files"));
        }
        if *existing == Existing::Append && self.format.is_whole_file() {
            return Err(Failure::usage(
                "--append is for JSON lines, CSV and text: such a file is written in one piece",
            ));
        }
        if *existing == Existing::Refuse && self.rotate_rows.is_none() && path.is_file() {
            let append = if self.format.is_whole_file() {
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
}
