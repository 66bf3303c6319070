//! Maps an index segment of the local store into memory. This is the only unsafe code of the package.
//!
//! Nothing else is mapped. Packs are read with positioned reads, so that a bad sector is an error and not a signal.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use crate::base::term::Action;
use crate::store::storage::{self, Storage, StorageError};

/// Longest segment that is read when it cannot be mapped.
const SEGMENT_MAX: u64 = 4 << 30;

/// The bytes of a segment.
pub(super) enum Bytes {
    /// Mapped.
    Mapped(Mmap),
    /// Read into memory.
    Read(Vec<u8>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

/// Maps an object when the storage has a path for it, and reads it otherwise.
pub(super) fn map(storage: &dyn Storage, name: &str) -> Result<Bytes, StorageError> {
    match storage.local_path(name) {
        // An empty file cannot be mapped.
        Some(_) if storage.bytes(name)? == 0 => Ok(Bytes::Read(Vec::new())),
        Some(path) => map_file(&path)
            .map(Bytes::Mapped)
            .map_err(|source| StorageError {
                action: Action::Map,
                path,
                source,
            }),
        None => storage::read(storage, name, SEGMENT_MAX).map(Bytes::Read),
    }
}

#[allow(unsafe_code)]
fn map_file(path: &Path) -> std::io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: segments are never changed in place. They are renamed into place whole and removed by name, only by the
    // holder of the store's exclusive lock. A process that breaks this rule can at worst kill this one (SIGBUS).
    unsafe { Mmap::map(&file) }
}
