//! The storage of a store's files: immutable objects that are put whole, read in ranges, listed and removed.
//!
//! This seam has two implementations: [`dir`] uses a directory, and [`memory`] uses memory and fails where a test
//! wants. It does not know the content of objects.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::fs::cannot_write;
use crate::base::term::Action;

pub mod dir;
pub mod memory;

/// A call to storage that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct StorageError {
    /// What was tried: `read`, `write`, `list` ...
    pub action: Action,
    /// The file it was tried on.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

impl StorageError {
    /// Adds the action and the path to an I/O error, for `map_err`.
    pub(crate) fn on(action: Action, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source,
        }
    }

    /// Returns whether the object, or that part of it, does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
        )
    }
}

impl StorageError {
    /// Returns whether the system refuses writes there, for everyone or for this user.
    pub fn is_refusal(&self) -> bool {
        cannot_write(&self.source)
    }

    /// Returns whether the object is longer than allowed.
    pub(crate) fn is_too_long(&self) -> bool {
        self.source.kind() == io::ErrorKind::FileTooLarge
    }
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its name: parts of `[A-Za-z0-9._-]` and whatever else a file name may hold, separated by `/`.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Keeps objects. Every implementation passes `conformance`.
pub trait Storage: Send + Sync {
    /// Lists the objects in `folder` and the folders below it, sorted by name. Returns none when there is no such
    /// folder.
    ///
    /// # Errors
    /// [`StorageError`] when a folder cannot be read.
    fn list(&self, folder: &str) -> Result<Vec<Object>, StorageError>;

    /// Returns an object's length.
    ///
    /// # Errors
    /// [`StorageError`], for which `is_missing` is true when there is no such object.
    fn bytes(&self, name: &str) -> Result<u64, StorageError>;

    /// Fills `out` from an object, starting at `offset`.
    ///
    /// # Errors
    /// [`StorageError`], for which `is_missing` is true when the object or a part of the range does not exist.
    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError>;

    /// Starts an object that is invisible until it is published.
    ///
    /// # Errors
    /// [`StorageError`] when nothing can be written.
    fn create(&self) -> Result<Box<dyn NewObject>, StorageError>;

    /// Removes an object. A missing object is not an error.
    ///
    /// # Errors
    /// [`StorageError`] when the object still exists.
    fn remove(&self, name: &str) -> Result<(), StorageError>;

    /// Removes what killed processes left unpublished. Only for the holder of the exclusive lock.
    ///
    /// # Errors
    /// [`StorageError`] when something could not be removed.
    fn sweep(&self) -> Result<(), StorageError>;

    /// Returns the path of an object that may be mapped, if there is one.
    fn local_path(&self, name: &str) -> Option<PathBuf>;
}

/// An object being written. Leaves nothing when it is dropped unpublished.
pub trait NewObject: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`StorageError`], after which the object can only be dropped.
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError>;

    /// Gives the object its name, replacing one of that name. When this returns, bytes and name survive a power cut.
    /// When it fails or the process dies, the name stands for the whole old object or the whole new one.
    ///
    /// # Errors
    /// [`StorageError`].
    fn publish(self: Box<Self>, name: &str) -> Result<(), StorageError>;
}

/// Puts a small object in one step.
///
/// # Errors
/// [`StorageError`].
pub fn put(storage: &dyn Storage, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
    let mut object = storage.create()?;
    object.append(bytes)?;
    object.publish(name)
}

/// Reads a whole object of at most `limit_bytes`.
///
/// # Errors
/// [`StorageError`], also when the object is longer.
pub fn read(storage: &dyn Storage, name: &str, limit_bytes: u64) -> Result<Vec<u8>, StorageError> {
    let bytes = storage.bytes(name)?;
    let len = usize::try_from(bytes).ok().filter(|_| bytes <= limit_bytes);
    let Some(len) = len else {
        return Err(StorageError {
            action: Action::Read,
            path: name.into(),
            source: io::Error::new(io::ErrorKind::FileTooLarge, "longer than it may be"),
        });
    };
    let mut out = vec![0; len];
    storage.read_at(name, 0, &mut out)?;
    Ok(out)
}

/// The suite that every [`Storage`] passes.
///
/// # Panics
/// When `storage`, which must be empty, does not keep a promise of the trait.
#[cfg(test)]
pub(crate) fn conformance(storage: &dyn Storage) {
    let ok = "the storage works";
    assert!(storage.list("packs").expect(ok).is_empty());
    assert!(
        storage
            .bytes("packs/ab/x")
            .is_err_and(|error| error.is_missing())
    );
    put(storage, "packs/ab/x", b"hello").expect(ok);
    put(storage, "packs/aa/y", b"").expect(ok);
    put(storage, "other", b"1").expect(ok);
    let names = |folder: &str| -> Vec<(String, u64)> {
        storage
            .list(folder)
            .expect(ok)
            .into_iter()
            .map(|o| (o.name, o.bytes))
            .collect()
    };
    assert_eq!(
        names("packs"),
        [("packs/aa/y".to_owned(), 0), ("packs/ab/x".to_owned(), 5)]
    );

    let mut middle = [0; 3];
    storage.read_at("packs/ab/x", 1, &mut middle).expect(ok);
    assert_eq!(&middle, b"ell");
    assert!(
        storage
            .read_at("packs/ab/x", 3, &mut middle)
            .is_err_and(|error| error.is_missing())
    );
    assert!(read(storage, "packs/ab/x", 4).is_err());

    let mut dropped = storage.create().expect(ok);
    dropped.append(b"half").expect(ok);
    drop(dropped);
    let mut replacing = storage.create().expect(ok);
    replacing.append(b"good").expect(ok);
    assert_eq!(
        read(storage, "packs/ab/x", 9).expect(ok),
        b"hello",
        "unpublished is unseen"
    );
    replacing.append(b"bye").expect(ok);
    replacing.publish("packs/ab/x").expect(ok);
    assert_eq!(read(storage, "packs/ab/x", 9).expect(ok), b"goodbye");

    storage.remove("packs/ab/x").expect(ok);
    storage.remove("packs/ab/x").expect(ok);
    storage.sweep().expect(ok);
    assert_eq!(names("packs"), [("packs/aa/y".to_owned(), 0)]);
    assert_eq!(
        names("other").len() + names("absent").len(),
        0,
        "a folder is not a name"
    );
}
