//! Gives new settings to a store whose settings are damaged or lost. Nothing else in the store depends on them.

use std::fs;
use std::path::{Path, PathBuf};

use super::{OpenMode, Store, StoreError, chunk_index, ground, lock, roots, settings};
use crate::base::id::StoreId;
use crate::base::term::Action;
use crate::store::storage::StorageError;
use crate::store::storage::dir::DirStorage;
use crate::store::storage::is_address;

/// The result of renewing the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// The store's new id.
    pub id: StoreId,
    /// Path of the damaged settings, which were renamed. `None` when there were none.
    pub aside: Option<PathBuf>,
}

impl Store {
    /// Rewrites the settings of the store in `dir` when they are damaged or lost, and returns `None` when they are
    /// whole. The store gets a new id. The damaged file is renamed.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`] or [`StoreError::BadSettings`] when `dir` holds nothing that only a store has.
    /// [`StoreError::Unsupported`], [`StoreError::Locked`], [`StoreError::NotInBucket`], or an error of the file system.
    pub fn renew_settings(dir: &Path) -> Result<Option<Renewed>, StoreError> {
        if is_address(dir) {
            let place = dir.to_owned();
            return Err(StoreError::NotInBucket { place });
        }
        let storage = DirStorage::new(dir);
        let wrong = match settings::read(&storage, dir) {
            Ok(_) => return Ok(None),
            Err(wrong @ (StoreError::NotAStore { .. } | StoreError::BadSettings { .. })) => wrong,
            Err(other) => return Err(other),
        };
        // A folder without either may be anything, and this program must not make it a store.
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
        let id = settings::read(&storage, dir)?.id;
        Ok(Some(Renewed { id, aside }))
    }
}

/// Renames a file to an unused name in the same folder.
fn put_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let mut aside = path.with_extension("toml.damaged");
    let mut number = 1;
    // What was put aside before is replaced by nothing.
    while aside.symlink_metadata().is_ok() {
        number += 1;
        aside = path.with_extension(format!("toml.damaged-{number}"));
    }
    fs::rename(path, &aside).map_err(|source| StorageError {
        action: Action::PutAside,
        path: path.to_owned(),
        source,
    })?;
    Ok(aside)
}
