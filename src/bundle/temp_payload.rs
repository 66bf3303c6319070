//! The spool of a bundle: finished frames in a temporary file, until they are laid out on volumes.
//!
//! Workers write frames in any order. Pieces of payload are read back by their numbers.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::bundle::{BundleError, Catalog, MissingMark};

/// A file of finished frames. It is unlinked when it is made, so that it disappears even when the process is killed.
#[derive(Debug)]
pub struct TempPayload {
    path: PathBuf,
    /// `None` when nothing is kept, because only the sizes of frames are needed.
    file: Option<File>,
}

impl TempPayload {
    /// Creates the file, which must not exist, and unlinks it. Also removes a spool next to it whose process was killed
    /// between these two steps.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn create(path: &Path) -> Result<Self, BundleError> {
        remove_left(path);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path);
        let unnamed = file.and_then(|file| match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(file),
        });
        match unnamed {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file: Some(file),
            }),
            Err(source) => Err(BundleError::Io {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Makes a spool that keeps nothing and takes no room, for a plan that is not carried out. Pieces cannot be read
    /// from it.
    pub(crate) fn for_sizes() -> Self {
        Self {
            path: PathBuf::new(),
            file: None,
        }
    }

    /// Writes bytes at an offset, from any thread.
    pub(super) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), BundleError> {
        let io = |source| BundleError::Io {
            path: self.path.clone(),
            source,
        };
        match &self.file {
            Some(file) => file.write_all_at(bytes, offset).map_err(io),
            None => Ok(()),
        }
    }
}

/// Removes empty spools of other processes in the folder of `path`. A spool that cannot be inspected or removed is
/// harmless and stays.
fn remove_left(path: &Path) {
    let folder = path.parent().map(std::fs::read_dir);
    for entry in folder.into_iter().flatten().flatten().flatten() {
        let name = entry.file_name();
        let is_spool = name
            .to_str()
            .is_some_and(|name| name.starts_with(".carryall-spool-") && name.ends_with(".tmp"));
        // A spool that is in use was unlinked at once, so only one of a killed process can be listed.
        if is_spool && entry.metadata().is_ok_and(|stat| stat.len() == 0) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A finished bundle that is not laid out yet.
#[derive(Debug)]
pub struct CutBundle {
    /// What it carries.
    pub catalog: Catalog,
    /// For each frame the first bytes of the ids of its chunks, ascending.
    pub chunks: Vec<Vec<MissingMark>>,
    spool: TempPayload,
    places: Vec<(u64, u32)>,
}

impl CutBundle {
    /// `frame_of` says which frame each chunk is in. `places` are the offset and length of each frame in the spool.
    pub(super) fn new(
        catalog: Catalog,
        frame_of: HashMap<[u8; 16], u32>,
        spool: TempPayload,
        places: Vec<(u64, u32)>,
    ) -> Self {
        let mut chunks: Vec<Vec<MissingMark>> = vec![Vec::new(); places.len()];
        for (prefix, frame) in frame_of {
            if let (Some(lack), Some(frame)) =
                (prefix.first_chunk(), chunks.get_mut(frame as usize))
            {
                frame.push(*lack);
            }
        }
        // The map has a random order, and the record of the set must not.
        chunks.iter_mut().for_each(|frame| frame.sort_unstable());
        Self {
            catalog,
            chunks,
            spool,
            places,
        }
    }

    /// Returns the sizes of the frames in bytes, in order.
    pub fn piece_bytes(&self) -> Vec<u64> {
        self.places
            .iter()
            .map(|(_, bytes)| u64::from(*bytes))
            .collect()
    }

    /// Reads frame `piece_no`.
    ///
    /// # Errors
    /// An error of reading the spool, on use. An unknown number fails at once.
    pub(crate) fn open_piece(&self, piece_no: usize) -> std::io::Result<impl Read + '_> {
        let (offset, bytes) = self
            .places
            .get(piece_no)
            .ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(PayloadPieceReader {
            file: self
                .spool
                .file
                .as_ref()
                .ok_or(std::io::ErrorKind::Unsupported)?,
            at: *offset,
            left: u64::from(*bytes),
        })
    }
}

struct PayloadPieceReader<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for PayloadPieceReader<'_> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_empty_spool_that_a_kill_left_goes_and_all_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            (".carryall-spool-1.tmp", ""),
            (".carryall-spool-2.tmp", "x"),
            ("other", ""),
        ] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        TempPayload::create(&dir.path().join(".carryall-spool-3.tmp")).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, [".carryall-spool-2.tmp", "other"]);
    }
}
