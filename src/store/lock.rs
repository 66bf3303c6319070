//! Locks a store with one file. The lock ends with the process that holds it.
//!
//! The lock is shared for readers and exclusive for the writer. A second lock is shared for those who read beside a
//! writer, and exclusive for a process that removes packs. Taking a lock never waits.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::ground::{LOCK, SERVED};
use super::{OpenMode, StoreError};
use crate::base::file_lock::FileLock;
use crate::base::fs::cannot_write;
use crate::base::term::Action;
use crate::store::storage::StorageError;

/// Locks the store in `dir` until it is dropped. A reader needs no lock where no file can be made, as on a disc,
/// because nobody can write there either.
pub(super) fn take(dir: &Path, access: OpenMode) -> Result<Option<FileLock>, StoreError> {
    let path = dir.join(LOCK);
    let file = match access {
        // A store on a read-only medium is readable without the right to create the file.
        OpenMode::Read => File::open(&path).or_else(|_| open_for_writing(&path)),
        OpenMode::Write => open_for_writing(&path),
    };
    let file = match file {
        Err(error) if access == OpenMode::Read && cannot_write(&error) => return Ok(None),
        file => file.map_err(failed(&path))?,
    };
    let taken = match access {
        OpenMode::Read => FileLock::shared(file),
        OpenMode::Write => FileLock::exclusive(file),
    };
    held(taken, &path, || StoreError::Locked {
        path: dir.to_owned(),
    })
    .map(Some)
}

/// Takes the lock for reading beside a writer. Returns `None` where no file can be made.
pub(super) fn beside_writers(dir: &Path) -> Result<Option<FileLock>, StoreError> {
    let path = dir.join(SERVED);
    let file = match File::open(&path).or_else(|_| open_for_writing(&path)) {
        Ok(file) => file,
        Err(error) if cannot_write(&error) => return Ok(None),
        Err(error) => return Err(failed(&path)(error).into()),
    };
    held(FileLock::shared(file), &path, || StoreError::Locked {
        path: dir.to_owned(),
    })
    .map(Some)
}

/// Takes the lock for removing packs.
pub(super) fn alone(dir: &Path) -> Result<FileLock, StoreError> {
    let path = dir.join(SERVED);
    let file = open_for_writing(&path).map_err(failed(&path))?;
    held(FileLock::exclusive(file), &path, || StoreError::Served {
        path: dir.to_owned(),
    })
}

fn held(
    taken: Result<FileLock, TryLockError>,
    path: &Path,
    busy: impl FnOnce() -> StoreError,
) -> Result<FileLock, StoreError> {
    match taken {
        Ok(lock) => Ok(lock),
        // Waiting could take hours, and a person would not know for what.
        Err(TryLockError::WouldBlock) => Err(busy()),
        Err(TryLockError::Error(source)) => Err(failed(path)(source).into()),
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> StorageError + '_ {
    |source| StorageError {
        action: Action::Lock,
        path: path.to_owned(),
        source,
    }
}

fn open_for_writing(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .create(true)
        // Somebody else may hold the file locked, and its content is theirs.
        .truncate(false)
        .write(true)
        .read(true)
        .open(path)
}
