//! Compares the space that an operation takes with the free space.

use std::path::{Path, PathBuf};

use crate::base::fs::free_space_bytes;
use crate::ops::Error;
use crate::volumes::media::MediaError;

/// Space that an operation takes in a folder.
#[derive(Debug, Clone)]
pub struct Space {
    /// The folder.
    pub path: PathBuf,
    /// Bytes that the operation takes.
    pub needed_bytes: u64,
    /// Bytes that are free there.
    pub free_bytes: u64,
}

impl Space {
    /// Measures the free space in `path`.
    ///
    /// # Errors
    /// [`Error::Media`] when the file system does not tell.
    pub(crate) fn in_folder(path: &Path, needed_bytes: u64) -> Result<Self, Error> {
        Ok(Self {
            path: path.to_owned(),
            needed_bytes,
            free_bytes: free_bytes(path)?,
        })
    }

    /// Fails when there is too little space.
    ///
    /// # Errors
    /// [`Error::NoSpace`].
    pub fn check(self) -> Result<(), Error> {
        if self.free_bytes >= self.needed_bytes {
            return Ok(());
        }
        let Self {
            path,
            needed_bytes,
            free_bytes,
        } = self;
        Err(Error::NoSpace {
            path,
            needed_bytes,
            free_bytes,
        })
    }
}

/// Returns the bytes that are free at `path`.
///
/// # Errors
/// [`Error::Media`] when the file system does not tell.
pub fn free_bytes(path: &Path) -> Result<u64, Error> {
    Ok(free_space_bytes(path).map_err(MediaError::io(path))?)
}
