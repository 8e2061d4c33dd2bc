//! Text outputs: a renderer makes bytes of batches, a sink brings them to stdout or to a file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use arrow_array::RecordBatch;

use super::csv::Csv;
use super::envelope::Envelope;
use super::json::{JsonArray, JsonLines};
use super::partial::{Partial, lock, on_disk, sync};
use super::print::print;
use super::render::Render;
use super::sink::{Durable, Sink};
use super::spec::{Destination, Existing, Format, OutputSpec};
use super::table::Table;
use super::template::Templated;
use crate::console::{counted, note};
use crate::failure::Failure;

/// Opens a text sink.
pub(crate) fn open(spec: &OutputSpec) -> Result<Box<dyn Sink>, Failure> {
    let mut target = Target::open(spec)?;
    let header = match &mut target {
        Target::File { header, .. } => header.take(),
        _ => None,
    };
    let render: Box<dyn Render> = match &spec.format {
        Format::Table(options) => Box::new(Table::new(options.clone())),
        Format::Json => Box::new(JsonArray::default()),
        Format::Envelope => Box::new(Envelope::new(spec.layout.clone())),
        Format::Template(template) => Box::new(Templated::new(template.clone(), spec.layout.clone())),
        Format::Csv => Box::new(Csv { header }),
        Format::JsonLines | Format::Parquet | Format::Arrow => Box::new(JsonLines),
    };
    Ok(Box::new(TextSink {
        render,
        target,
        buffer: Vec::new(),
        sync: spec.sync,
    }))
}

struct TextSink {
    render: Box<dyn Render>,
    target: Target,
    /// One batch's text.
    buffer: Vec<u8>,
    sync: bool,
}

impl Sink for TextSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<Durable, Failure> {
        self.buffer.clear();
        self.render
            .batch(batch, &mut self.buffer)
            .map_err(|error| Failure::because("cannot write a batch as text", &error))?;
        self.target.write(&self.buffer, self.sync)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.buffer.clear();
        self.render.end(&mut self.buffer);
        self.target.write(&self.buffer, self.sync)?;
        self.target.finish()
    }
}

enum Target {
    Stdout,
    File {
        file: File,
        name: String,
        /// The header of a CSV file that rows are added to.
        header: Option<Vec<u8>>,
    },
    /// Renamed when it is whole.
    Partial(Option<Partial>),
}

impl Target {
    fn open(spec: &OutputSpec) -> Result<Self, Failure> {
        let (path, existing) = match &spec.destination {
            Destination::Stdout => return Ok(Self::Stdout),
            Destination::File { path, existing } => (path, *existing),
        };
        if spec.format.is_whole_file() {
            return Ok(Self::Partial(Some(Partial::create(path, existing)?)));
        }
        let name = path.display().to_string();
        let (file, header) = open_text_file(path, existing, &spec.format)
            .map_err(|error| Failure::io(format_args!("cannot open {name}"), &error))?;
        Ok(Self::File { file, name, header })
    }

    fn write(&mut self, bytes: &[u8], sync: bool) -> Result<Durable, Failure> {
        match self {
            Self::Stdout => print(bytes).map(|()| Durable::Yes),
            Self::File { file, name, .. } => {
                let written = file
                    .write_all(bytes)
                    .and_then(|()| if sync { on_disk(file.sync_data()) } else { Ok(()) });
                written.map_err(|error| Failure::io(format_args!("cannot write {name}"), &error))?;
                Ok(Durable::Yes)
            }
            Self::Partial(partial) => {
                let partial = partial
                    .as_mut()
                    .expect("because nothing is written after the end");
                partial
                    .write_all(bytes)
                    .map_err(|error| Failure::io("cannot write the output", &error))?;
                Ok(Durable::NotYet)
            }
        }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        match self {
            Self::Stdout => Ok(()),
            Self::File { file, name, .. } => {
                sync(file).map_err(|error| Failure::io(format_args!("cannot write {name}"), &error))
            }
            Self::Partial(partial) => partial.take().map_or(Ok(()), Partial::publish),
        }
    }
}

/// Opens the file, alone; and where rows are added to a CSV file, reads its header.
fn open_text_file(path: &Path, existing: Existing, format: &Format) -> io::Result<(File, Option<Vec<u8>>)> {
    let mut options = OpenOptions::new();
    options.write(true);
    // What is no regular file, such as /dev/null or a named pipe, holds nothing that could be lost.
    if path.exists() && !path.is_file() {
        return Ok((options.open(path)?, None));
    }
    let mut file = match existing {
        Existing::Refuse => options.create_new(true).open(path)?,
        Existing::Overwrite => options.create(true).truncate(false).open(path)?,
        Existing::Append => options.read(true).create(true).truncate(false).open(path)?,
    };
    if !lock(&file) {
        return Err(io::Error::other("another process writes it"));
    }
    if existing != Existing::Append {
        file.set_len(0)?;
        return Ok((file, None));
    }
    if matches!(format, Format::Template(template) if !template.ends_lines()) {
        // Nothing tells a torn message from a whole one.
        file.seek(SeekFrom::End(0))?;
        return Ok((file, None));
    }
    let csv = matches!(format, Format::Csv);
    let records = whole_records(&mut file, csv)?;
    file.seek(SeekFrom::Start(0))?;
    let mut header = Vec::new();
    (&file).take(records.first_end).read_to_end(&mut header)?;
    file.seek(SeekFrom::Start(records.end))?;
    end_last_record(&mut file, path, records.end, format)?;
    Ok((file, Some(header).filter(|header| csv && !header.is_empty())))
}

/// Cuts off what comes after the last whole record, at `end`, and says so. A JSON object that lacks
/// its line break alone is whole: it gets one.
fn end_last_record(file: &mut File, path: &Path, end: u64, format: &Format) -> io::Result<()> {
    let torn_bytes = file.metadata()?.len() - end;
    if torn_bytes == 0 {
        return Ok(());
    }
    let is_json = matches!(format, Format::JsonLines | Format::Envelope);
    if is_json && serde_json::from_reader::<_, serde::de::IgnoredAny>(BufReader::new(&*file)).is_ok() {
        file.seek(SeekFrom::End(0))?;
        return file.write_all(b"\n");
    }
    note(format_args!(
        "sabot: {} ended in the middle of a line: its last {} are cut off",
        path.display(),
        counted(torn_bytes, "byte")
    ));
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end)).map(drop)
}

/// How far the whole records of a file reach.
#[derive(Default)]
struct Records {
    /// Where the first ends.
    first_end: u64,
    /// Where the last ends.
    end: u64,
}

/// Where the last whole record of a file ends. A process that was killed may have left a part of
/// one, whose message it has not acknowledged.
fn whole_records(file: &mut File, csv: bool) -> io::Result<Records> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut position, mut records, mut quoted) = (0u64, Records::default(), false);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(records);
        }
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                // A doubled quote inside quotes leaves the state as it was.
                b'"' if csv => quoted = !quoted,
                b'\n' if !quoted => {
                    records.end = position + at as u64 + 1;
                    if records.first_end == 0 {
                        records.first_end = records.end;
                    }
                }
                _ => {}
            }
        }
        let length = bytes.len();
        position += length as u64;
        reader.consume(length);
    }
}
