//! `-O`, `--out` and their like, and what they ask for.

use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};

use super::at_least;
use crate::console;
use crate::failure::Failure;
use crate::output::{Destination, Existing, Format, TableOptions};

/// How to write rows.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to write")]
pub(crate) struct OutputArgs {
    /// The format. [default: by the file's extension; else table on a terminal, jsonl in a pipe and
    /// in a file without an extension]
    #[arg(short = 'O', long, value_name = "FORMAT")]
    pub(crate) output: Option<OutputFormat>,

    /// Write to this file; - is stdout.
    #[arg(long, short = 'w', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,

    /// Replace the file if it exists.
    #[arg(long, conflicts_with = "append")]
    pub(crate) overwrite: bool,

    /// Add to the file if it exists (JSON lines, CSV and text). A torn last line is cut off first.
    #[arg(long)]
    pub(crate) append: bool,

    /// Finish a Parquet or Arrow file with the batch that brings it to so many rows, and begin the
    /// next: NAME-00000.parquet, NAME-00001.parquet, ...
    #[arg(long, value_name = "N", value_parser = at_least(1_usize))]
    pub(crate) rotate_rows: Option<usize>,

    /// Do not cut table cells to the terminal's width.
    #[arg(long)]
    pub(crate) wide: bool,

    /// How many bad messages, or faults of a file, to describe on stderr; all are counted.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least(0_u64))]
    pub(crate) max_errors_shown: u64,

    /// No progress and no summary.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Table,
    /// One array of objects.
    Json,
    /// One object a line.
    Jsonl,
    Csv,
    Parquet,
    /// An Arrow IPC file; on stdout, Arrow's stream format.
    Arrow,
}

impl OutputArgs {
    /// Where the rows go.
    pub(crate) fn destination(&self) -> Destination {
        match &self.out {
            Some(path) if path != Path::new("-") => Destination::File {
                path: path.clone(),
                existing: match (self.overwrite, self.append) {
                    (true, _) => Existing::Overwrite,
                    (_, true) => Existing::Append,
                    _ => Existing::Refuse,
                },
            },
            _ => Destination::Stdout,
        }
    }

    /// How the rows are written.
    pub(crate) fn format(&self, destination: &Destination, color: bool) -> Result<Format, Failure> {
        let table = || match destination {
            Destination::Stdout if !self.wide => TableOptions {
                width: console::width(),
                color,
                flags: "--wide, --select",
            },
            Destination::Stdout => TableOptions {
                color,
                ..TableOptions::default()
            },
            Destination::File { .. } => TableOptions::default(),
        };
        let output = match (self.output, destination) {
            (Some(output), _) => output,
            (None, Destination::File { path, .. }) => by_extension(path)?,
            (None, Destination::Stdout) if stdout().is_terminal() => OutputFormat::Table,
            (None, Destination::Stdout) => OutputFormat::Jsonl,
        };
        Ok(match output {
            OutputFormat::Table => Format::Table(table()),
            OutputFormat::Json => Format::Json,
            OutputFormat::Jsonl => Format::JsonLines,
            OutputFormat::Csv => Format::Csv,
            OutputFormat::Parquet => Format::Parquet,
            OutputFormat::Arrow => Format::Arrow,
        })
    }
}

fn by_extension(path: &Path) -> Result<OutputFormat, Failure> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    Ok(match extension.as_deref() {
        Some("parquet" | "pq") => OutputFormat::Parquet,
        Some("arrow" | "feather" | "ipc") => OutputFormat::Arrow,
        Some("csv") => OutputFormat::Csv,
        Some("json") => OutputFormat::Json,
        None | Some("jsonl" | "ndjson" | "txt" | "log") => OutputFormat::Jsonl,
        Some(_) => {
            let path = path.display();
            return Err(Failure::usage(format!(
                "the extension of {path} names no format: add -O FORMAT"
            )));
        }
    })
}
