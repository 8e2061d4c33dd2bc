//! What `-O` and `--out` ask for.

use std::io::{IsTerminal, stdout};
use std::path::Path;

use super::{Destination, Existing, Format, TableOptions};
use crate::args::{OutputArgs, OutputFormat};
use crate::console;
use crate::failure::Failure;

/// Where the rows go.
pub(crate) fn destination(args: &OutputArgs) -> Destination {
    match &args.out {
        Some(path) if path != Path::new("-") => Destination::File {
            path: path.clone(),
            existing: match (args.overwrite, args.append) {
                (true, _) => Existing::Overwrite,
                (_, true) => Existing::Append,
                _ => Existing::Refuse,
            },
        },
        _ => Destination::Stdout,
    }
}

/// How the rows are written.
pub(crate) fn format(args: &OutputArgs, destination: &Destination, color: bool) -> Result<Format, Failure> {
    let table = || match destination {
        Destination::Stdout if !args.wide => TableOptions {
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
    let output = match (args.output, destination) {
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

/// The text of a file that the command line names.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
}
