//! A folder that stays hidden until it is finished.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::base::file_lock::FileLock;
use crate::base::fs::{parent_of, sync};
use crate::volumes::media::MediaError;

/// A folder that is being written. It is locked against other processes, and removed unless it is renamed.
#[derive(Debug)]
pub(super) struct WorkFolder {
    pub(super) path: PathBuf,
    renamed: bool,
    _lock: FileLock,
}

impl WorkFolder {
    /// Creates the folder. Removes an earlier one that a killed process left.
    pub(super) fn create(path: PathBuf) -> Result<Self, MediaError> {
        if path.is_dir() {
            // The lock fails while another process still writes there.
            drop(Self::lock(&path)?);
            fs::remove_dir_all(&path).map_err(MediaError::io(&path))?;
        }
        fs::create_dir(&path).map_err(MediaError::io(&path))?;
        let lock = Self::lock(&path)?;
        Ok(Self {
            path,
            renamed: false,
            _lock: lock,
        })
    }

    fn lock(path: &Path) -> Result<FileLock, MediaError> {
        let folder = File::open(path).map_err(MediaError::io(path))?;
        // Where the file system has no locks, the rename still lets only one of two writers win.
        FileLock::exclusive_where_possible(folder).ok_or_else(|| MediaError::Busy {
            path: path.to_owned(),
        })
    }

    pub(super) fn rename_to(mut self, target: &Path) -> Result<(), MediaError> {
        // rename(2) would replace an empty folder of that name.
        if target.symlink_metadata().is_ok() {
            return Err(MediaError::Exists {
                path: target.to_owned(),
            });
        }
        fs::rename(&self.path, target).map_err(MediaError::io(target))?;
        self.renamed = true;
        sync(parent_of(target)).map_err(MediaError::io(target))
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if !self.renamed {
            // A destructor cannot report errors. The next writer of this volume removes the rest.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
