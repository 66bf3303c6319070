//! Keeps objects as files of a local directory: written under a temporary name, made durable, renamed into place.
//!
//! It takes no locks. The layers above decide who may write.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Given, NewObject, Object, ObjectVersion, Put, Storage, StorageError, put};
use crate::base::file_lock::FileLock;
use crate::base::fs::sync;
use crate::base::term::Action;

/// Folder of unpublished files. It is inside the root, so that a rename never crosses file systems.
pub(crate) const UNPUBLISHED: &str = "tmp";
/// Beginning of the names of unpublished files. The process id and a number follow.
const UNPUBLISHED_NAME: &str = "unpublished-";
/// Beginning of the names of files that are unlinked as soon as they are made.
const NAMELESS_NAME: &str = "stream-";

/// Returns whether a file in that folder belongs to this program. Foreign files are left alone.
pub(crate) fn is_unpublished(name: &str) -> bool {
    let numbers = name
        .strip_prefix(UNPUBLISHED_NAME)
        .or_else(|| name.strip_prefix(NAMELESS_NAME));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers
        .and_then(|numbers| numbers.split_once('-'))
        .is_some_and(|(process, number)| is_number(process) && is_number(number))
}

/// A directory that keeps objects.
#[derive(Debug, Clone)]
pub(crate) struct DirStorage {
    root: PathBuf,
}

impl DirStorage {
    /// Keeps objects below `root`, which must exist.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Puts a file that a power cut may leave empty or in part. Serves copies of what is elsewhere, which are checked when
    /// they are read.
    ///
    /// # Errors
    /// [`StorageError`].
    #[cfg(feature = "object-store")]
    pub(crate) fn put_unsynced(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let mut file = self.new_file()?;
        file.append(bytes)?;
        let target = self.path(name);
        let folder = target.parent().unwrap_or(&self.root);
        create_folders(folder)?;
        self.must_be_own(folder)?;
        fs::rename(&file.path, &target)
            .map_err(StorageError::on(Action::RenameIntoPlace, &target))?;
        file.published = true;
        Ok(())
    }

    /// Starts a file under a name that nobody else has.
    fn new_file(&self) -> Result<NewFile, StorageError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let folder = self.path(UNPUBLISHED);
        create_folders(&folder)?;
        self.must_be_own(&folder)?;
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{UNPUBLISHED_NAME}{}-{number}", std::process::id()));
            match File::create_new(&path) {
                // A process with the same id left the file.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                file => {
                    return Ok(NewFile {
                        storage: self.clone(),
                        file: file.map_err(StorageError::on(Action::Create, &path))?,
                        path,
                        published: false,
                    });
                }
            }
        }
    }

    /// Waits for those who put on a condition now, in this process and others, and keeps them out until it is dropped.
    fn alone(&self) -> Result<FileLock, StorageError> {
        let folder = File::open(&self.root).and_then(FileLock::exclusive_at_last);
        folder.map_err(StorageError::on(Action::Lock, &self.root))
    }

    /// Refuses to write through a link, which may lead to other people's files. The root itself may be a link.
    fn must_be_own(&self, folder: &Path) -> Result<(), StorageError> {
        let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|stat| stat.is_symlink());
        let mut below = folder.ancestors().take_while(|path| *path != self.root);
        match below.find(|path| is_link(path)) {
            None => Ok(()),
            Some(link) => Err(StorageError::on(Action::WriteBelow, link)(
                io::Error::other("it is a link"),
            )),
        }
    }
}

fn sync_folder(folder: &Path) -> Result<(), StorageError> {
    sync(folder).map_err(StorageError::on(Action::MakeDurable, folder))
}

/// Creates a folder and those above it, and makes each durable in its parent.
fn create_folders(folder: &Path) -> Result<(), StorageError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        create_folders(above)?;
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StorageError::on(Action::Create, folder)(error));
            }
            // Another process may have made the folder without a sync yet, so it is synced in either case.
            _ => sync_folder(above)?,
        }
    }
    Ok(())
}

impl Storage for DirStorage {
    fn list(&self, folder: &str) -> Result<Vec<Object>, StorageError> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let path = self.path(&folder);
            let entries = match fs::read_dir(&path) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) =>
                {
                    continue;
                }
                entries => entries.map_err(StorageError::on(Action::List, &path))?,
            };
            for entry in entries {
                let entry = entry.map_err(StorageError::on(Action::List, &path))?;
                // A name that is not UTF-8 was not made by this program.
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                let name = format!("{folder}/{name}");
                let meta = match entry.metadata() {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    meta => meta.map_err(StorageError::on(Action::List, &entry.path()))?,
                };
                // The metadata of an entry is that of a link itself, so no link leads out of the store.
                if meta.is_dir() {
                    folders.push(name);
                } else if meta.is_file() {
                    found.push(Object {
                        name,
                        bytes: meta.len(),
                    });
                }
            }
        }
        // The order of a listing must not depend on the file system.
        found.sort_unstable();
        Ok(found)
    }

    fn bytes(&self, name: &str) -> Result<u64, StorageError> {
        let path = self.path(name);
        let stat = fs::metadata(&path).map_err(StorageError::on(Action::Read, &path))?;
        if stat.is_file() {
            return Ok(stat.len());
        }
        // A folder in place of an object is reported as a missing object.
        let other = io::Error::new(io::ErrorKind::NotFound, "it is not a file");
        Err(StorageError::on(Action::Read, &path)(other))
    }

    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        let path = self.path(name);
        File::open(&path)
            .and_then(|file| file.read_exact_at(out, offset))
            .map_err(StorageError::on(Action::Read, &path))
    }

    fn put_if(&self, name: &str, bytes: &[u8], given: &Given) -> Result<Put, StorageError> {
        // A file system has no call that replaces a file on a condition, so those who do it take turns.
        let _alone = self.alone()?;
        let now = match self.get(name, u64::MAX) {
            Err(error) if error.is_missing() => None,
            read => Some(read?.1),
        };
        let holds = match given {
            Given::Absent => now.is_none(),
            Given::Unchanged(version) => now.as_ref() == Some(version),
        };
        if !holds {
            return Ok(Put::Lost);
        }
        put(self, name, bytes)?;
        Ok(Put::Done(ObjectVersion::of(bytes)))
    }

    fn create(&self) -> Result<Box<dyn NewObject>, StorageError> {
        Ok(Box::new(self.new_file()?))
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StorageError::on(Action::Remove, &path)(error)),
            Ok(()) => sync_folder(path.parent().unwrap_or(&self.root)),
        }
    }

    fn sweep(&self) -> Result<(), StorageError> {
        let folder = self.path(UNPUBLISHED);
        // A link would lead outside the store.
        if !folder.symlink_metadata().is_ok_and(|stat| stat.is_dir()) {
            return Ok(());
        }
        let below = format!("{UNPUBLISHED}/");
        for left in self.list(UNPUBLISHED)? {
            // Only names that this program makes are removed. Foreign files stay.
            if left.name.strip_prefix(&below).is_some_and(is_unpublished) {
                self.remove(&left.name)?;
            }
        }
        Ok(())
    }

    fn local_path(&self, name: &str) -> Option<PathBuf> {
        Some(self.path(name))
    }
}

struct NewFile {
    storage: DirStorage,
    path: PathBuf,
    file: File,
    published: bool,
}

impl NewObject for NewFile {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.file
            .write_all(bytes)
            .map_err(StorageError::on(Action::Write, &self.path))
    }

    fn publish(mut self: Box<Self>, name: &str) -> Result<(), StorageError> {
        let target = self.storage.path(name);
        let folder = target.parent().unwrap_or(&self.storage.root);
        create_folders(folder)?;
        self.storage.must_be_own(folder)?;
        self.file
            .sync_all()
            .map_err(StorageError::on(Action::MakeDurable, &self.path))?;
        // The bytes are durable before the name is, so the name never stands for a partial file after a power cut.
        fs::rename(&self.path, &target)
            .map_err(StorageError::on(Action::RenameIntoPlace, &target))?;
        // From here on the file has its name, and must not be removed even when the folder's sync fails.
        self.published = true;
        sync_folder(folder)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.published {
            // The next writer sweeps a file that cannot be removed now.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_promises_of_storage() {
        let dir = tempfile::tempdir().unwrap();
        super::super::conformance::conformance(&DirStorage::new(dir.path()));
        assert_eq!(
            fs::read_dir(dir.path().join(UNPUBLISHED)).unwrap().count(),
            0
        );
    }
}
