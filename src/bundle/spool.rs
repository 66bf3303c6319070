//! The spool: finished frames in a temporary file, until they are laid out on volumes.
//!
//! Workers write frames in any order; pieces of payload are read back by their numbers.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::bundle::{BundleError, Catalog};

/// A file of finished frames. It has no name from the start, so that it goes even when the process is killed.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: File,
}

impl Spool {
    /// Creates the file, which must not exist.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn create(path: &Path) -> Result<Self, BundleError> {
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path);
        let unnamed = file.and_then(|file| std::fs::remove_file(path).map(|()| file));
        match unnamed {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
            }),
            Err(source) => Err(BundleError::Io {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Writes bytes at an offset; from any thread.
    pub(super) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), BundleError> {
        let io = |source| BundleError::Io {
            path: self.path.clone(),
            source,
        };
        self.file.write_all_at(bytes, offset).map_err(io)
    }
}

/// A bundle that is cut and waits to be laid out.
#[derive(Debug)]
pub struct CutBundle {
    /// What it carries.
    pub catalog: Catalog,
    /// Chunks in it.
    pub chunks: u64,
    spool: Spool,
    places: Vec<(u64, u32)>,
}

impl CutBundle {
    /// `places` are offset and length in the spool, by frame.
    pub(super) fn new(
        catalog: Catalog,
        chunks: u64,
        spool: Spool,
        places: Vec<(u64, u32)>,
    ) -> Self {
        Self {
            catalog,
            chunks,
            spool,
            places,
        }
    }

    /// Sizes of the frames in bytes, in order.
    pub fn piece_bytes(&self) -> Vec<u64> {
        self.places
            .iter()
            .map(|(_, bytes)| u64::from(*bytes))
            .collect()
    }

    /// Reads frame `piece_no`.
    ///
    /// # Errors
    /// Whatever reading the spool gives, on use; an unknown number at once.
    pub fn open_piece(&self, piece_no: usize) -> std::io::Result<impl Read + '_> {
        let (offset, bytes) = self
            .places
            .get(piece_no)
            .ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(PieceReader {
            file: &self.spool.file,
            at: *offset,
            left: u64::from(*bytes),
        })
    }
}

struct PieceReader<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for PieceReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buf.len());
        let read = self.file.read_at(&mut buf[..most], self.at)?;
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
