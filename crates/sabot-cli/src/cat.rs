//! `sabot cat`: from Avro's object container files to rows.
//!
//! The files are read one after the other, as if they were one. Whatever ends the reading, what was
//! read until then is written and finished properly, as `sabot consume` does it.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sabot::decode::{OutputSchema, WriterSchema};
use sabot::{
    ContainerError, ContainerErrorKind, ContainerHeader, ContainerOptions, ContainerReader, Metadata,
    Tombstones,
};

use crate::args::{CatArgs, CatErrorArg, read_file};
use crate::console::{counted, grouped, harmless, note};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::{self, Layout, OutputSpec, Sink, ValueLayout};
use crate::serde::Encoding;
use crate::types;

/// Runs the command.
pub(crate) fn run(args: &CatArgs, color: bool) -> Result<(), Failure> {
    if args.schema {
        return print_schemas(args);
    }
    let spec = spec(args, color)?;
    spec.check()?;
    let options = options(args, &spec)?;
    let interrupt = Interrupt::catch()?;
    let mut cat = Cat {
        args,
        options,
        sink: output::open(&spec)?,
        schema: None,
        rows: 0,
        lost_rows: 0,
        faults: 0,
    };
    let begin = Instant::now();
    let read = cat.files(&interrupt);
    if matches!(read, Err(Ended::Writing(_))) {
        return read.map_err(Ended::failure);
    }
    if let (0, true, Some(schema)) = (cat.rows, spec.has_columns_without_rows(), &cat.schema) {
        cat.sink.write(&RecordBatch::new_empty(schema.clone()))?;
    }
    let finished = cat.sink.finish();
    if !args.output.quiet && cat.schema.is_some() {
        cat.summary(begin);
    }
    read.map_err(Ended::failure)
        .and(finished)
        .and_then(|()| interrupt.check())
}

/// What ended the reading early.
enum Ended {
    Reading(Failure),
    /// What was written is worth nothing.
    Writing(Failure),
}

impl Ended {
    fn failure(self) -> Failure {
        match self {
            Self::Reading(failure) | Self::Writing(failure) => failure,
        }
    }
}

struct Cat<'a> {
    args: &'a CatArgs,
    options: ContainerOptions,
    sink: Box<dyn Sink>,
    /// The schema of all rows, once a file is open.
    schema: Option<SchemaRef>,
    rows: u64,
    lost_rows: u64,
    faults: u64,
}

impl Cat<'_> {
    fn files(&mut self, interrupt: &Interrupt) -> Result<(), Ended> {
        for path in &self.args.files {
            if self.left() == 0 || interrupt.is_set() {
                break;
            }
            let input = open(path).map_err(Ended::Reading)?;
            let failed = |error: &ContainerError| Ended::Reading(failed(path, error));
            let mut reader =
                ContainerReader::with_options(input, self.options.clone()).map_err(|error| failed(&error))?;
            self.schema.get_or_insert_with(|| reader.schema().clone());
            if self.options.target.output == OutputSchema::FirstWriter {
                self.options.target.output = OutputSchema::Reader(reader.header().schema().clone());
            }
            while self.left() > 0 && !interrupt.is_set() {
                match reader.next() {
                    Some(Ok(batch)) => self.write(&batch)?,
                    Some(Err(error)) if error.is_fatal() || self.args.on_error == CatErrorArg::Fail => {
                        return Err(failed(&error));
                    }
                    Some(Err(error)) => self.report(path, &error),
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Rows that are still wanted.
    fn left(&self) -> u64 {
        self.args.count.map_or(u64::MAX, |count| count - self.rows)
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), Ended> {
        let wanted = usize::try_from(self.left()).unwrap_or(usize::MAX);
        let batch = batch.slice(0, batch.num_rows().min(wanted));
        self.rows += batch.num_rows() as u64;
        self.sink.write(&batch).map_err(Ended::Writing)?;
        Ok(())
    }

    fn report(&mut self, path: &Path, error: &ContainerError) {
        let most_shown = self.args.output.max_errors_shown;
        self.faults += 1;
        self.lost_rows = self.lost_rows.saturating_add(error.lost_rows());
        if self.faults <= most_shown {
            let text = harmless(&format!("{}: {error}", path.display()));
            note(format_args!("sabot: {text}"));
            if self.faults == most_shown {
                note("sabot: further faults are only counted (--max-errors-shown)");
            }
        }
    }

    fn summary(&self, begin: Instant) {
        let seconds = begin.elapsed().as_secs_f64();
        let rows = counted(self.rows, "row");
        if self.faults == 0 {
            note(format_args!("sabot: {rows}; {seconds:.1} s"));
        } else {
            let (faults, lost) = (counted(self.faults, "fault"), grouped(self.lost_rows));
            note(format_args!(
                "sabot: {rows}, {lost} lost by {faults}; {seconds:.1} s"
            ));
        }
    }
}

fn spec(args: &CatArgs, color: bool) -> Result<OutputSpec, Failure> {
    let destination = args.output.destination();
    Ok(OutputSpec {
        format: args.output.format(&destination, color)?,
        destination,
        layout: Layout {
            key: false,
            metadata: Metadata::NONE,
            tombstones: Tombstones::Null,
            error_columns: false,
            value: ValueLayout::Record,
        },
        rotate_rows: args.output.rotate_rows,
        sync: false,
    })
}

fn options(args: &CatArgs, spec: &OutputSpec) -> Result<ContainerOptions, Failure> {
    let mut options = ContainerOptions::default();
    let target = &mut options.target;
    if let Some(path) = &args.reader_schema {
        target.output = OutputSchema::Reader(WriterSchema::avro(read_file(path)?));
    }
    if !args.select.is_empty() {
        target.projection = Some(args.select.clone());
    }
    target.check_tail = args.types.check_tail;
    target.mapping = types::mapping(&args.types.types, &spec.format, Encoding::Avro);
    let rotate_rows = args.output.rotate_rows.unwrap_or(usize::MAX);
    target.limits.batch_rows = args.batch_rows.min(rotate_rows);
    Ok(options)
}

fn print_schemas(args: &CatArgs) -> Result<(), Failure> {
    for path in &args.files {
        let header = ContainerHeader::read(open(path)?).map_err(|error| failed(path, &error))?;
        let text = &header.schema().text;
        output::print(format!("{}\n", text.trim_end()).as_bytes())?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(stdin().lock()));
    }
    let file = File::open(path)
        .map_err(|error| Failure::failed(format!("cannot open {}: {error}", path.display())))?;
    Ok(Box::new(file))
}

/// The error with its file, and what to do about it.
fn failed(path: &Path, error: &ContainerError) -> Failure {
    let mut text = format!("{}: {}", path.display(), sabot::with_causes(error));
    if !error.is_fatal() {
        text.push_str(
            "\n  --on-error skip leaves out what cannot be read, reports it, and goes on behind it",
        );
    } else if error.kind() == ContainerErrorKind::Schema && text.contains("recursive") {
        text.push_str("\n  --select PATHS keeps the fields that are named alone");
    }
    Failure::failed(text)
}
