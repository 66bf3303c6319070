//! Keeps the keys that a site trusts, in one file of text in the store's folder.
//!
//! The text is opaque here. Nothing but its absence means that nobody is trusted.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Store, StoreError};
use crate::base::term::Action;
use crate::store::storage::{self, StorageError};

/// Name of the file.
pub const TRUST_FILE: &str = "trust.toml";
/// Most bytes of it.
const BYTES_MAX: u64 = 1 << 20;

impl Store {
    /// Replaces the file.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], or a storage error.
    pub fn put_trust_file(&self, bytes: &[u8]) -> Result<(), StoreError> {
        self.must_write()?;
        Ok(storage::put(self.storage.as_ref(), TRUST_FILE, bytes)?)
    }

    /// Returns the content of the file, or `None` when there is none.
    ///
    /// # Errors
    /// A storage error, also when it is too long.
    pub fn trust_file(&self) -> Result<Option<Vec<u8>>, StoreError> {
        match storage::read(self.storage.as_ref(), TRUST_FILE, BYTES_MAX) {
            Err(error) if error.is_missing() => Ok(None),
            read => Ok(Some(read?)),
        }
    }
}

/// Returns the content of the file in a store that is not opened, or `None` when there is none.
///
/// # Errors
/// A storage error.
pub fn trust_file_in(dir: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    #[cfg(feature = "object-store")]
    if storage::is_address(dir) {
        return super::far::object(dir, TRUST_FILE, BYTES_MAX);
    }
    let path = dir.join(TRUST_FILE);
    let read = || {
        let mut bytes = Vec::new();
        let file = File::open(&path)?;
        file.take(BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(StorageError::on(Action::Read, &path)(error).into()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
