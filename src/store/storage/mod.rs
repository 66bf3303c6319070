//! Where a store keeps its files: immutable objects that are put whole, read in ranges, listed and removed.
//!
//! A seam with two sides: [`dir`] keeps them in a directory, [`memory`] in memory, failing where a test wants. It knows
//! nothing of what is in the objects.

use std::io;
use std::path::{Path, PathBuf};

pub mod dir;
pub mod memory;

/// A call to storage that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct StorageError {
    /// What was tried: `read`, `write`, `list` ...
    pub action: &'static str,
    /// The file it was tried on.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl StorageError {
    /// Gives an I/O error what was tried and where, for `map_err`.
    pub(crate) fn on(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self {
            action,
            path,
            source,
        }
    }

    /// Whether the object, or that part of it, is not there.
    pub fn is_missing(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
        )
    }
}

impl StorageError {
    /// Whether the system lets nobody write there, or not this user.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
        )
    }

    /// Whether the object is longer than it may be.
    pub fn is_too_long(&self) -> bool {
        self.source.kind() == io::ErrorKind::FileTooLarge
    }
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its name: parts of `[A-Za-z0-9._-]` and whatever else a file name may hold, with `/` between them.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Keeps objects. Every implementation passes [`conformance`].
pub trait Storage: Send + Sync {
    /// Lists the objects in `folder` and the folders below it, sorted by name; none when there is no such folder.
    ///
    /// # Errors
    /// [`StorageError`] when a folder cannot be read.
    fn list(&self, folder: &str) -> Result<Vec<Object>, StorageError>;

    /// Returns an object's length.
    ///
    /// # Errors
    /// [`StorageError`], for which `is_missing` holds when there is no such object.
    fn bytes(&self, name: &str) -> Result<u64, StorageError>;

    /// Fills `out` from an object, beginning at `offset`.
    ///
    /// # Errors
    /// [`StorageError`], for which `is_missing` holds when the object or a part of the range is not there.
    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError>;

    /// Begins an object that nobody sees before it is published.
    ///
    /// # Errors
    /// [`StorageError`] when nothing can be written.
    fn create(&self) -> Result<Box<dyn NewObject>, StorageError>;

    /// Removes an object; it is no error when there is none.
    ///
    /// # Errors
    /// [`StorageError`] when it is still there.
    fn remove(&self, name: &str) -> Result<(), StorageError>;

    /// Removes what processes that were killed left unpublished. Only for the holder of the exclusive lock.
    ///
    /// # Errors
    /// [`StorageError`] when something could not be removed.
    fn sweep(&self) -> Result<(), StorageError>;

    /// Returns the path of an object that may be mapped, where there is one.
    fn local_path(&self, name: &str) -> Option<PathBuf>;
}

/// An object being written. Dropped unpublished, it leaves nothing.
pub trait NewObject: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`StorageError`], after which only dropping makes sense.
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError>;

    /// Gives the object its name, taking the place of one of that name. When this returns, bytes and name outlive a
    /// power cut; when it fails or the process dies, the name stands for the whole old object or the whole new one.
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
/// [`StorageError`], also when it is longer.
pub fn read(storage: &dyn Storage, name: &str, limit_bytes: u64) -> Result<Vec<u8>, StorageError> {
    let bytes = storage.bytes(name)?;
    let len = usize::try_from(bytes).ok().filter(|_| bytes <= limit_bytes);
    let Some(len) = len else {
        return Err(StorageError {
            action: "read",
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
pub fn conformance(storage: &dyn Storage) {
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
