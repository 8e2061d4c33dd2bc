//! Files that appear only when they are whole.
//!
//! A Parquet file without its footer is lost. So a file is written as `.NAME.partial` and renamed
//! once it is closed and on disk: under its own name there is never half a file, and what a killed
//! process left is overwritten by the next run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::spec::Existing;
use crate::failure::Failure;

/// A file that takes its name when it is whole.
pub(super) struct Partial {
    file: BufWriter<File>,
    /// Where it is written; `None` for what is no regular file and is written directly.
    temporary: Option<PathBuf>,
    path: PathBuf,
}

impl Partial {
    /// Starts a file that will be called `path`.
    pub(super) fn create(path: &Path, existing: Existing) -> Result<Self, Failure> {
        refuse(path, existing)?;
        Self::claim(path, existing)?
            .ok_or_else(|| Failure::failed(format!("{} is being written by another process", path.display())))
    }

    /// As [`Self::create`]; `None` if another process writes that file, or has just finished it.
    pub(super) fn claim(path: &Path, existing: Existing) -> Result<Option<Self>, Failure> {
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
    pub(super) fn publish(mut self) -> Result<(), Failure> {
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

/// Waits for the disk, where there is one: pipes and terminals have none.
pub(super) fn sync(file: &File) -> io::Result<()> {
    on_disk(file.sync_all())
}

/// As if the disk had been waited for, where there is none.
pub(super) fn on_disk(synced: io::Result<()>) -> io::Result<()> {
    match synced {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other,
    }
}

/// Makes sure that this process alone writes a file; false if another one does. It ends with the
/// process, however that ends. Where the file system has no locks, everyone has to take care for
/// themselves.
pub(super) fn lock(file: &File) -> bool {
    !matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock))
}

/// Whether the file still has that name. Between opening and locking it, its owner may have
/// finished it, so that it has its final name and must not be touched, or removed it.
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
