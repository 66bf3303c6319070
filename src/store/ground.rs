//! Decides where a store may be made: in a folder that is absent or empty, or that already is a store. Foreign files
//! are never touched.
//!
//! It looks only at the names and kinds of files, and not at their content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{OpenMode, Store, StoreError, TRUST_FILE, settings};
use crate::base::own::remove_own;
use crate::base::term::Action;
use crate::store::storage::StorageError;
use crate::store::storage::dir::{UNPUBLISHED, is_unpublished};

/// The lock file, made before anything else and removed last.
pub(super) const LOCK: &str = "lock";
/// The file of the second lock.
pub(super) const SERVED: &str = "served";
/// Folders that a store makes inside its own.
const FOLDERS: [&str; 12] = [
    UNPUBLISHED,
    "packs",
    "index",
    "releases",
    "kept",
    "ready",
    "sets",
    "sites",
    "incoming",
    "pulls",
    "visits",
    "history",
];
/// Entries that operating systems put into empty folders.
const OF_SYSTEMS: [&str; 8] = [
    "lost+found",
    "System Volume Information",
    "$RECYCLE.BIN",
    ".Trashes",
    ".Spotlight-V100",
    ".fseventsd",
    ".DS_Store",
    ".snapshot",
];
/// Beginning of the names of per-user folders that operating systems make there.
const TRASH: &str = ".Trash-";
/// Most bytes that the beginning of new settings can have.
const SETTINGS_BYTES: u64 = 256;

/// Checks that a store may be made in `dir`. Accepts an absent or empty folder, and the remains of a process that was
/// killed while it made a store.
///
/// # Errors
/// [`StoreError::AlreadyAStore`], [`StoreError::NotEmpty`], or an error of the file system.
pub(super) fn must_be_free(dir: &Path) -> Result<(), StoreError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(StoreError::BelowFile {
                path: dir.to_owned(),
            });
        }
        entries => entries.map_err(StorageError::on(Action::List, dir))?,
    };
    // The lock is the first file of a store, so without it the other files are not the remains of one.
    let was_begun = dir
        .join(LOCK)
        .symlink_metadata()
        .is_ok_and(|stat| stat.is_file() && stat.len() == 0);
    for entry in entries {
        let entry = entry.map_err(StorageError::on(Action::List, dir))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == settings::NAME {
            return Err(StoreError::AlreadyAStore {
                path: dir.to_owned(),
            });
        }
        let is_of_system = OF_SYSTEMS.contains(&&*name) || name.starts_with(TRASH);
        if !(is_of_system || was_begun && is_beginning(&entry.path(), &name)?) {
            return Err(StoreError::NotEmpty {
                path: dir.to_owned(),
                entry: entry.path(),
            });
        }
    }
    Ok(())
}

/// Returns whether an entry is part of a store that holds nothing yet.
fn is_beginning(path: &Path, name: &str) -> Result<bool, StoreError> {
    let stat = path
        .symlink_metadata()
        .map_err(StorageError::on(Action::LookAt, path))?;
    if [LOCK, SERVED].contains(&name) {
        return Ok(stat.is_file() && stat.len() == 0);
    }
    if name == UNPUBLISHED && stat.is_dir() {
        for entry in fs::read_dir(path).map_err(StorageError::on(Action::List, path))? {
            let entry = entry.map_err(StorageError::on(Action::List, path))?;
            let stat = entry
                .metadata()
                .map_err(StorageError::on(Action::LookAt, path))?;
            let is_own = is_unpublished(&entry.file_name().to_string_lossy())
                && stat.is_file()
                && stat.len() <= SETTINGS_BYTES
                && fs::read(entry.path()).is_ok_and(|bytes| settings::is_beginning(&bytes));
            if !is_own {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    Ok(FOLDERS.contains(&name) && stat.is_dir() && holds_no_file(path)?)
}

/// Returns whether `path` is absent, or holds nothing but folders at any depth.
fn holds_no_file(path: &Path) -> Result<bool, StoreError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries.map_err(StorageError::on(Action::List, path))?,
    };
    for entry in entries {
        let entry = entry.map_err(StorageError::on(Action::List, path))?;
        let kind = entry
            .file_type()
            .map_err(StorageError::on(Action::LookAt, path))?;
        if !kind.is_dir() || !holds_no_file(&entry.path())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Checks that everything a store writes to is inside its own folder, because a link could lead to other people's
/// files.
///
/// # Errors
/// [`StoreError::Linked`].
pub(super) fn must_be_own(dir: &Path, access: OpenMode) -> Result<(), StoreError> {
    if access == OpenMode::Read {
        return Ok(());
    }
    for name in FOLDERS
        .iter()
        .chain(&[LOCK, SERVED, settings::NAME, TRUST_FILE])
    {
        let path = dir.join(name);
        if path.symlink_metadata().is_ok_and(|stat| stat.is_symlink()) {
            return Err(StoreError::Linked { path });
        }
    }
    Ok(())
}

/// Makes `dir` and the missing folders above it. Returns what was made, the topmost first.
pub(super) fn make(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut made: Vec<PathBuf> = dir
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && path.symlink_metadata().is_err())
        .map(Path::to_owned)
        .collect();
    made.reverse();
    fs::create_dir_all(dir).map_err(StorageError::on(Action::Create, dir))?;
    Ok(made)
}

impl Store {
    /// Returns whether this process made the store.
    pub fn is_new(&self) -> bool {
        self.made.is_some()
    }

    /// Removes a store that this process made and that is still empty, with the folders that were made for it. A store
    /// that existed before or holds something stays.
    ///
    /// # Errors
    /// An error of the file system.
    pub fn abandon_if_empty(self) -> Result<(), StoreError> {
        let Some(made) = &self.made else {
            return Ok(());
        };
        for name in FOLDERS.iter().filter(|name| **name != UNPUBLISHED) {
            if !holds_no_file(&self.dir.join(name))? {
                return Ok(());
            }
        }
        let remove = |name: &str| {
            let path = self.dir.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(StorageError::on(Action::Remove, &path)(error))
                }
                _ => Ok(()),
            }
        };
        self.storage.sweep()?;
        remove(settings::NAME)?;
        for name in FOLDERS {
            let path = self.dir.join(name);
            remove_own(&path, &|_| true).map_err(StorageError::on(Action::Remove, &path))?;
        }
        remove(SERVED)?;
        // The lock is removed last, so that a kill before leaves what `must_be_free` recognizes.
        remove(LOCK)?;
        for folder in made.iter().rev() {
            // A folder that has other entries by now stays.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }
}
