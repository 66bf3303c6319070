//! Where a store may lie: a folder that is absent or empty, or a store already. Nothing that others put somewhere is touched.
//!
//! It looks at names and kinds of files; what is in them is looked at elsewhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{OpenMode, Store, StoreError, settings};
use crate::base::own::remove_own;
use crate::store::storage::StorageError;
use crate::store::storage::dir::{UNPUBLISHED, is_unpublished};

/// The lock's file, made before anything else and removed last.
pub(super) const LOCK: &str = "lock";
/// The second lock's file.
pub(super) const SERVED: &str = "served";
/// Folders that a store makes in its own.
const FOLDERS: [&str; 10] = [
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
];
/// What systems put into folders that nobody put anything into.
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
/// What systems put there for each user, by the beginning of the name.
const TRASH: &str = ".Trash-";
/// No beginning of settings is longer.
const SETTINGS_BYTES: u64 = 256;

/// Makes sure that a store may be made in `dir`: nothing is there, or an empty folder, or what a process left that was killed
/// while it made one.
///
/// # Errors
/// [`StoreError::AlreadyAStore`], [`StoreError::NotEmpty`], or what the file system says.
pub(super) fn must_be_free(dir: &Path) -> Result<(), StoreError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(StorageError::on("list", dir))?,
    };
    let was_begun = dir
        .join(LOCK)
        .symlink_metadata()
        .is_ok_and(|stat| stat.is_file() && stat.len() == 0);
    for entry in entries {
        let entry = entry.map_err(StorageError::on("list", dir))?;
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

/// Whether it is what a store has that holds nothing yet.
fn is_beginning(path: &Path, name: &str) -> Result<bool, StoreError> {
    let stat = path
        .symlink_metadata()
        .map_err(StorageError::on("look at", path))?;
    if [LOCK, SERVED].contains(&name) {
        return Ok(stat.is_file() && stat.len() == 0);
    }
    if name == UNPUBLISHED && stat.is_dir() {
        for entry in fs::read_dir(path).map_err(StorageError::on("list", path))? {
            let entry = entry.map_err(StorageError::on("list", path))?;
            let stat = entry
                .metadata()
                .map_err(StorageError::on("look at", path))?;
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

/// Whether there are only folders at and below `path`, or nothing is there.
fn holds_no_file(path: &Path) -> Result<bool, StoreError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries.map_err(StorageError::on("list", path))?,
    };
    for entry in entries {
        let entry = entry.map_err(StorageError::on("list", path))?;
        let kind = entry
            .file_type()
            .map_err(StorageError::on("look at", path))?;
        if !kind.is_dir() || !holds_no_file(&entry.path())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes sure that what a store writes to lies in its own folder: a link could lead to what others have.
///
/// # Errors
/// [`StoreError::Linked`].
pub(super) fn must_be_own(dir: &Path, access: OpenMode) -> Result<(), StoreError> {
    if access == OpenMode::Read {
        return Ok(());
    }
    for name in FOLDERS.iter().chain(&[LOCK, SERVED, settings::NAME]) {
        let path = dir.join(name);
        if path.symlink_metadata().is_ok_and(|stat| stat.is_symlink()) {
            return Err(StoreError::Linked { path });
        }
    }
    Ok(())
}

/// Makes `dir` and what is lacking above it; returns what was made, the topmost first.
pub(super) fn make(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut made: Vec<PathBuf> = dir
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && path.symlink_metadata().is_err())
        .map(Path::to_owned)
        .collect();
    made.reverse();
    fs::create_dir_all(dir).map_err(StorageError::on("create", dir))?;
    Ok(made)
}

impl Store {
    /// Whether this process made it.
    pub fn is_new(&self) -> bool {
        self.made.is_some()
    }

    /// Takes back a store that this process made and that nothing came into, with the folders that were made for it. One
    /// that was there before, or that something is in, stays.
    ///
    /// # Errors
    /// What the file system says.
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
                    Err(StorageError::on("remove", &path)(error))
                }
                _ => Ok(()),
            }
        };
        self.storage.sweep()?;
        remove(settings::NAME)?;
        for name in FOLDERS {
            let path = self.dir.join(name);
            remove_own(&path, &|_| true).map_err(StorageError::on("remove", &path))?;
        }
        remove(SERVED)?;
        remove(LOCK)?;
        for folder in made.iter().rev() {
            // One that something else came into stays.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }
}
