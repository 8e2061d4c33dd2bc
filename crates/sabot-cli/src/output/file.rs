//! Parquet and Arrow outputs, and files that appear only when they are whole.
//!
//! A Parquet file without its footer is lost. So a file is written as `.NAME.partial` and renamed once it is closed
//! and on disk: under its own name there is never half a file, and what a killed process left behind is overwritten
//! by the next run. With rotation, `NAME-00000.parquet`, `NAME-00001.parquet`, ... each become durable on their own.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::storable::Storable;
use super::text::sync;
use super::{Destination, Durable, Existing, Format, Plan, Sink};
use crate::failure::Failure;

/// Opens a Parquet or Arrow sink. The file is made with the first batch, when its schema is known.
pub(crate) fn open(plan: &Plan) -> Result<Box<dyn Sink>, Failure> {
    let parquet = matches!(plan.format, Format::Parquet);
    Ok(match &plan.destination {
        Destination::Stdout => Box::new(StdoutSink {
            parquet,
            writer: None,
        }),
        Destination::File { path, existing } => {
            let names = Names::new(path, *existing, plan.rotate_rows.is_some());
            Box::new(FileSink {
                parquet,
                names,
                rotate_rows: plan.rotate_rows,
                writer: None,
                rows: 0,
            })
        }
    })
}

/// A file that takes its name when it is whole.
pub(crate) struct Partial {
    file: BufWriter<File>,
    /// Where it is written; `None` for what is no regular file and is written directly.
    temporary: Option<PathBuf>,
    path: PathBuf,
}

impl Partial {
    /// Starts a file that will be called `path`.
    pub(crate) fn create(path: &Path, existing: Existing) -> Result<Self, Failure> {
        refuse(path, existing)?;
        Self::claim(path, existing)?
            .ok_or_else(|| Failure::failed(format!("{} is being written by another process", path.display())))
    }

    /// As [`Self::create`]; `None` if another process writes that file, or has just finished it.
    fn claim(path: &Path, existing: Existing) -> Result<Option<Self>, Failure> {
        let fail = |error: io::Error| Failure::io(format_args!("cannot open {}", path.display()), &error);
        let (file, temporary) = if path.exists() && !path.is_file() {
            (OpenOptions::new().write(true).open(path).map_err(fail)?, None)
        } else {
            let name = path
                .file_name()
                .ok_or_else(|| Failure::usage("--out names no file"))?;
            let temporary = path.with_file_name(format!(".{}.partial", name.to_string_lossy()));
            // Not truncated before it is known to be ours.
            let mut options = OpenOptions::new();
            let file = options
                .write(true)
                .create(true)
                .truncate(false)
                .open(&temporary)
                .map_err(fail)?;
            if !lock(&file) || !is_at(&file, &temporary) || (path.exists() && existing != Existing::Overwrite)
            {
                return Ok(None);
            }
            file.set_len(0).map_err(fail)?;
            (file, Some(temporary))
        };
        Ok(Some(Self {
            file: BufWriter::new(file),
            temporary,
            path: path.to_owned(),
        }))
    }

    /// Brings it to disk and gives it its name.
    pub(crate) fn publish(mut self) -> Result<(), Failure> {
        let fail = |path: &Path, error: &io::Error| {
            Failure::io(format_args!("cannot write {}", path.display()), error)
        };
        self.file
            .flush()
            .and_then(|()| sync(self.file.get_ref()))
            .map_err(|error| fail(&self.path, &error))?;
        let Some(temporary) = self.temporary.take() else {
            return Ok(());
        };
        fs::rename(&temporary, &self.path)
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| fail(&self.path, &error))
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nothing of it is of use. If it cannot be removed, the next run overwrites it.
            let _ = fs::remove_file(temporary);
        }
    }
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
    // An I/O error arrives wrapped; a closed pipe must be told apart wherever it lies.
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

    /// Starts the next file. Numbered files never replace one another: a second process, or a second run, takes the
    /// next number that is free.
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

/// Makes sure that this process alone writes a file; false if another one does. It ends with the process, however that
/// ends. Where the file system has no locks, everyone has to take care for themselves.
pub(super) fn lock(file: &File) -> bool {
    !matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock))
}

/// Whether the file still has that name. Between opening and locking it, its owner may have finished it, so that it
/// has its final name and must not be touched, or removed it.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let place = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
        matches!((file.metadata(), fs::metadata(path)), (Ok(open), Ok(named)) if place(&open) == place(&named))
    }
    #[cfg(not(unix))]
    {
        // An open file cannot be renamed or removed there.
        let _ = (file, path);
        true
    }
}

/// Brings a new name to disk. Only Unix lets a folder be opened for that.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

fn refuse(path: &Path, existing: Existing) -> Result<(), Failure> {
    if path.is_file() && existing != Existing::Overwrite {
        return Err(Failure::failed(format!(
            "{} exists: pass --overwrite to replace it",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_renamed_or_replaced_after_opening_is_not_ours() {
        let folder = tempfile::tempdir().expect("because there is room");
        let (partial, whole) = (folder.path().join(".x.partial"), folder.path().join("x"));
        let file = File::create(&partial).expect("because the folder is ours");
        assert!(is_at(&file, &partial));
        fs::rename(&partial, &whole).expect("because both are in one folder");
        assert!(!is_at(&file, &partial));
        let _next = File::create(&partial).expect("because the folder is ours");
        assert!(!is_at(&file, &partial));
    }
}
