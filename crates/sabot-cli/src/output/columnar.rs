//! Parquet and Arrow outputs.
//!
//! Their files are of use only when they are whole. With rotation, `NAME-00000.parquet`,
//! `NAME-00001.parquet`, ... each become durable on their own.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::partial::Partial;
use super::sink::{Durable, Sink};
use super::spec::{Destination, Existing, Format, OutputSpec};
use super::storable::Storable;
use crate::failure::Failure;

/// Opens a Parquet or Arrow sink. The file is made with the first batch, when its schema is known.
pub(crate) fn open(spec: &OutputSpec) -> Result<Box<dyn Sink>, Failure> {
    let parquet = matches!(spec.format, Format::Parquet);
    Ok(match &spec.destination {
        Destination::Stdout => Box::new(StdoutSink {
            parquet,
            writer: None,
        }),
        Destination::File { path, existing } => {
            let names = Names::new(path, *existing, spec.rotate_rows.is_some());
            Box::new(FileSink {
                parquet,
                names,
                rotate_rows: spec.rotate_rows,
                writer: None,
                rows: 0,
            })
        }
    })
}

struct FileSink {
    parquet: bool,
    names: Names,
    rotate_rows: Option<usize>,
    writer: Option<Writer<Partial>>,
    /// Rows in the file being written.
    rows: usize,
}

impl FileSink {
    fn close(&mut self) -> Result<(), Failure> {
        self.rows = 0;
        let Some(writer) = self.writer.take() else {
            return Ok(());
        };
        writer.close()?.publish()
    }
}

impl Sink for FileSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<Durable, Failure> {
        if self.writer.is_none() {
            let partial = self.names.create()?;
            self.writer = Some(Writer::open(self.parquet, partial, &batch.schema(), true)?);
        }
        let writer = self.writer.as_mut().expect("because it was opened above");
        writer.write(batch)?;
        self.rows += batch.num_rows();
        // Between batches alone, so that a batch is durable as a whole or not at all.
        if self.rotate_rows.is_some_and(|limit| self.rows >= limit) {
            self.close()?;
        }
        Ok(if self.writer.is_none() {
            Durable::Yes
        } else {
            Durable::NotYet
        })
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.close()
    }
}

/// Parquet, or Arrow's stream format, onto stdout.
struct StdoutSink {
    parquet: bool,
    writer: Option<Writer<io::Stdout>>,
}

impl Sink for StdoutSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<Durable, Failure> {
        if self.writer.is_none() {
            self.writer = Some(Writer::open(self.parquet, io::stdout(), &batch.schema(), false)?);
        }
        let writer = self.writer.as_mut().expect("because it was opened above");
        writer.write(batch)?;
        // A stream of Arrow batches is of use as far as it came; a Parquet file is not.
        Ok(if self.parquet {
            Durable::NotYet
        } else {
            Durable::Yes
        })
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let Some(writer) = self.writer.take() else {
            return Ok(());
        };
        let flushed = writer.close()?.flush();
        flushed.map_err(|error| Failure::io("cannot write to standard output", &error))
    }
}

enum Writer<W: Write + Send> {
    Parquet(Box<ArrowWriter<W>>, Storable),
    ArrowFile(FileWriter<W>),
    ArrowStream(StreamWriter<W>),
}

impl<W: Write + Send> Writer<W> {
    fn open(parquet: bool, to: W, schema: &SchemaRef, seekable: bool) -> Result<Self, Failure> {
        if parquet {
            let storable = Storable::new(schema).map_err(|reason| {
                Failure::failed(format!(
                    "Parquet cannot hold this schema: {reason}; --output arrow or jsonl can"
                ))
            })?;
            let level = ZstdLevel::try_new(3).expect("because 3 is a level of zstd");
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(level))
                .build();
            let writer = ArrowWriter::try_new(to, storable.schema(), Some(properties));
            return Ok(Self::Parquet(
                Box::new(writer.map_err(|error| parquet_failure(&error))?),
                storable,
            ));
        }
        Ok(if seekable {
            Self::ArrowFile(FileWriter::try_new(to, schema).map_err(|error| arrow_failure(&error))?)
        } else {
            Self::ArrowStream(StreamWriter::try_new(to, schema).map_err(|error| arrow_failure(&error))?)
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        match self {
            Self::Parquet(writer, storable) => {
                let batch = storable.convert(batch).map_err(|error| arrow_failure(&error))?;
                writer.write(&batch).map_err(|error| parquet_failure(&error))
            }
            Self::ArrowFile(writer) => writer.write(batch).map_err(|error| arrow_failure(&error)),
            Self::ArrowStream(writer) => {
                let written = writer.write(batch).and_then(|()| writer.flush());
                written.map_err(|error| arrow_failure(&error))
            }
        }
    }

    /// Writes the footer and gives the output back.
    fn close(self) -> Result<W, Failure> {
        match self {
            Self::Parquet(writer, _) => writer.into_inner().map_err(|error| parquet_failure(&error)),
            Self::ArrowFile(writer) => writer.into_inner().map_err(|error| arrow_failure(&error)),
            Self::ArrowStream(writer) => writer.into_inner().map_err(|error| arrow_failure(&error)),
        }
    }
}

fn parquet_failure(error: &parquet::errors::ParquetError) -> Failure {
    // An I/O error arrives wrapped; a closed pipe must be told apart wherever it is.
    if is_closed_pipe(error) {
        return Failure::ClosedPipe;
    }
    Failure::because("cannot write Parquet", error)
}

fn arrow_failure(error: &arrow_schema::ArrowError) -> Failure {
    if is_closed_pipe(error) {
        return Failure::ClosedPipe;
    }
    Failure::because("cannot write Arrow", error)
}

fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(arrow_schema::ArrowError::IoError(_, error)) = error.downcast_ref() {
            return error.kind() == io::ErrorKind::BrokenPipe;
        }
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The names of the files that one sink writes.
struct Names {
    path: PathBuf,
    existing: Existing,
    /// The number of the next file, where files are numbered.
    next: Option<usize>,
}

impl Names {
    fn new(path: &Path, existing: Existing, numbered: bool) -> Self {
        Self {
            path: path.to_owned(),
            existing,
            next: numbered.then_some(0),
        }
    }

    /// Starts the next file. Numbered files never replace one another: a second process, or a
    /// second run, takes the next number that is free.
    fn create(&mut self) -> Result<Partial, Failure> {
        let Some(next) = &mut self.next else {
            return Partial::create(&self.path, self.existing);
        };
        let stem = self
            .path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        let extension = self
            .path
            .extension()
            .map(|extension| format!(".{}", extension.to_string_lossy()));
        loop {
            let name = format!("{stem}-{next:05}{}", extension.as_deref().unwrap_or_default());
            *next += 1;
            let path = self.path.with_file_name(name);
            if path.exists() {
                continue;
            }
            if let Some(partial) = Partial::claim(&path, Existing::Refuse)? {
                return Ok(partial);
            }
        }
    }
}
