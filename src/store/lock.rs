//! The lock of a store: flock on one file, gone with the process that held it.
//!
//! Shared for readers, exclusive for the writer. It never waits.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::{Access, StoreError};
use crate::storage::StorageError;

/// Locks the store in `dir` until the file is dropped.
pub(super) fn take(dir: &Path, access: Access) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let failed = |source| StorageError {
        action: "lock",
        path: path.clone(),
        source,
    };
    let file = match access {
        // A store on a read-only medium is read without the right to create the file.
        Access::Read => File::open(&path).or_else(|_| open_for_writing(&path)),
        Access::Write => open_for_writing(&path),
    }
    .map_err(failed)?;
    let taken = match access {
        Access::Read => file.try_lock_shared(),
        Access::Write => file.try_lock(),
    };
    match taken {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
            path: dir.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source).into()),
    }
}

fn open_for_writing(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(path)
}
