//! A file that is being received. It is hashed while it is written, resumed when it exists already, and renamed when it
//! is whole.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::RegistryError;
use crate::base::monitor::Monitor;
use crate::oci::image::{Digest, DigestHasher};

/// Bytes that are read at a time when an existing part is hashed.
const PIECE_BYTES: usize = 1 << 20;

/// A file under a temporary name.
pub(crate) struct PartFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    digest: Digest,
    hasher: DigestHasher,
}

impl PartFile {
    /// Opens the file of a blob, and hashes its content.
    ///
    /// # Errors
    /// [`RegistryError::Io`].
    pub fn open(
        path: &Path,
        digest: &Digest,
        monitor: &dyn Monitor,
    ) -> Result<Self, RegistryError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            // An earlier run may have left the beginning of the blob, which is kept.
            .truncate(false)
            .open(path)
            .map_err(RegistryError::io(path))?;
        let mut part = Self {
            path: path.to_owned(),
            file,
            bytes: 0,
            digest: digest.clone(),
            hasher: DigestHasher::like(digest),
        };
        // Hashing reads to the end, so the next write appends.
        let (hasher, bytes) = hash(&mut part.file, path, digest, monitor)?;
        part.hasher = hasher;
        part.bytes = bytes;
        Ok(part)
    }

    /// Returns the number of bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns whether the bytes so far match the digest.
    pub fn is_whole(&self) -> bool {
        self.hasher.clone().finish() == self.digest
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`RegistryError::Io`].
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), RegistryError> {
        self.file
            .write_all(bytes)
            .map_err(RegistryError::io(&self.path))?;
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Empties the file.
    ///
    /// # Errors
    /// [`RegistryError::Io`].
    pub fn clear(&mut self) -> Result<(), RegistryError> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(RegistryError::io(&self.path))?;
        self.hasher = DigestHasher::like(&self.digest);
        self.bytes = 0;
        Ok(())
    }

    /// Renames the file when its bytes match its digest, and empties it when they do not.
    ///
    /// # Errors
    /// [`RegistryError::Mismatch`] and [`RegistryError::Io`].
    pub fn finish(mut self, to: &Path, what: &str) -> Result<(), RegistryError> {
        let got = std::mem::take(&mut self.hasher).finish();
        // The digest is compared before the file gets its name, so a file of that name is always right.
        if got != self.digest {
            // The bytes are wrong from somewhere on, so the next try must not resume behind them.
            self.clear()?;
            return Err(RegistryError::Mismatch {
                what: what.to_owned(),
                got,
            });
        }
        std::fs::rename(&self.path, to).map_err(RegistryError::io(to))
    }
}

/// Returns whether a file exists and holds the bytes of the digest.
///
/// # Errors
/// [`RegistryError::Io`] when it exists and cannot be read.
pub fn holds(path: &Path, digest: &Digest, monitor: &dyn Monitor) -> Result<bool, RegistryError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        file => file.map_err(RegistryError::io(path))?,
    };
    let (hasher, _) = hash(&mut file, path, digest, monitor)?;
    Ok(hasher.finish() == *digest)
}

fn hash(
    file: &mut File,
    path: &Path,
    digest: &Digest,
    monitor: &dyn Monitor,
) -> Result<(DigestHasher, u64), RegistryError> {
    let (mut hasher, mut bytes) = (DigestHasher::like(digest), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        monitor.check_stop()?;
        let count = file.read(&mut piece).map_err(RegistryError::io(path))?;
        if count == 0 {
            return Ok((hasher, bytes));
        }
        hasher.update(&piece[..count]);
        bytes += count as u64;
    }
}
