//! A store whose settings are damaged or lost gets new ones: nothing else in it depends on them.

use std::fs;
use std::path::{Path, PathBuf};

use super::{OpenMode, Store, StoreError, chunk_index, ground, lock, roots, settings};
use crate::base::id::StoreId;
use crate::store::storage::dir::DirStorage;
use crate::store::storage::{Storage, StorageError};

/// What became of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// The store's new id.
    pub id: StoreId,
    /// Where the damaged settings were put aside; `None` when there were none.
    pub aside: Option<PathBuf>,
}

impl Store {
    /// Writes the settings of the store in `dir` anew when they are damaged or lost; `None` when they are whole. The store
    /// gets a new id. What was there is put aside.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`] or [`StoreError::BadSettings`] when there is nothing in `dir` that only a store has,
    /// [`StoreError::Unsupported`], [`StoreError::Locked`], or what the file system says.
    pub fn renew_settings(dir: &Path) -> Result<Option<Renewed>, StoreError> {
        let storage = DirStorage::new(dir);
        let wrong = match settings::read(&storage, dir) {
            Ok(_) => return Ok(None),
            Err(wrong @ (StoreError::NotAStore { .. } | StoreError::BadSettings { .. })) => wrong,
            Err(other) => return Err(other),
        };
        if !chunk_index::holds_a_pack(&storage)? && !roots::holds_a_root(&storage)? {
            return Err(wrong);
        }
        ground::must_be_own(dir, OpenMode::Write)?;
        let _lock = lock::take(dir, OpenMode::Write)?;
        let path = dir.join(settings::NAME);
        let aside = match path.symlink_metadata() {
            Err(_) => None,
            Ok(_) => Some(put_aside(&path)?),
        };
        settings::create(&storage)?;
        let id = settings::read(&storage, dir)?;
        Ok(Some(Renewed { id, aside }))
    }
}

/// Gives a file a name beside it that nothing has.
fn put_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let mut aside = path.with_extension("toml.damaged");
    let mut number = 1;
    while aside.symlink_metadata().is_ok() {
        number += 1;
        aside = path.with_extension(format!("toml.damaged-{number}"));
    }
    fs::rename(path, &aside).map_err(|source| StorageError {
        action: "put aside",
        path: path.to_owned(),
        source,
    })?;
    Ok(aside)
}

/// Whether an object begins as bytes of a store do.
pub(super) fn begins(storage: &dyn Storage, name: &str, is_own: &dyn Fn(&[u8]) -> bool) -> bool {
    let mut head = [0; crate::content::pack::HEADER_BYTES];
    storage.read_at(name, 0, &mut head).is_ok() && is_own(&head)
}
