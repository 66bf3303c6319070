//! Marks of releases that are to stay, however many newer ones come: an empty file each.
//!
//! What a mark means is for others to act on.

use super::{Store, StoreError};
use crate::store::storage;

const FOLDER: &str = "kept";
const SUFFIX: &str = ".kept";

impl Store {
    /// Marks a root, or takes its mark away.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::NoSuchRoot`], or what the storage says.
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

    /// The roots that are marked, sorted.
    ///
    /// # Errors
    /// What the storage says.
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

/// `stem` is one that a root has.
pub(super) fn name(stem: &str) -> String {
    format!("{FOLDER}/{stem}{SUFFIX}")
}
