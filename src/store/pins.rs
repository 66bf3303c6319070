//! Marks releases that retention must keep. Each mark is an empty file.
//!
//! Acting on a mark is the work of the callers.

use super::{Store, StoreError};
use crate::store::storage;

const FOLDER: &str = "kept";
const SUFFIX: &str = ".kept";

impl Store {
    /// Marks a root, or removes its mark.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::NoSuchRoot`], or a storage error.
    pub fn pin(&self, stem: &str, is_kept: bool) -> Result<(), StoreError> {
        self.must_write()?;
        self.read_root(stem)?;
        let name = name(stem);
        if is_kept {
            Ok(storage::put(self.storage.as_ref(), &name, &[])?)
        } else {
            Ok(self.storage.remove(&name)?)
        }
    }

    /// Returns the marked roots, sorted.
    ///
    /// # Errors
    /// A storage error.
    pub fn pinned(&self) -> Result<Vec<String>, StoreError> {
        let objects = self.storage.list(FOLDER)?.into_iter();
        let stems = objects.filter_map(|object| {
            let stem = object.name.strip_prefix(FOLDER)?.strip_prefix('/')?;
            Some(stem.strip_suffix(SUFFIX)?.to_owned())
        });
        let mut stems: Vec<String> = stems.collect();
        stems.sort_unstable();
        Ok(stems)
    }
}

/// Returns the object name of a mark. `stem` must be the stem of a root.
pub(super) fn name(stem: &str) -> String {
    format!("{FOLDER}/{stem}{SUFFIX}")
}
