//! The storage of a store's files: immutable objects that are put whole, read in ranges, listed and removed.
//!
//! This seam has three implementations. [`dir`] uses a directory, `object` a bucket of an object store, and [`memory`]
//! memory that fails where a test wants. It does not know the content of objects.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::base::fs::cannot_write;
use crate::base::id::{BlobId, hash};
use crate::base::term::Action;

#[cfg(feature = "object-store")]
pub mod cached;
pub mod conformance;
pub mod dir;
pub mod memory;
#[cfg(feature = "object-store")]
mod near_parts;
#[cfg(feature = "object-store")]
pub mod object;

/// Beginnings of addresses in object stores.
const SCHEMES: [&str; 3] = ["s3://", "gs://", "az://"];

/// Returns whether a path is meant as an address in an object store, well written or not. A folder of such a name is
/// `./s3:/...`.
pub fn is_address(path: &Path) -> bool {
    let text = path.to_string_lossy();
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

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

    /// The object is longer than allowed.
    fn too_long(name: &str) -> Self {
        Self {
            action: Action::Read,
            path: name.into(),
            source: io::Error::new(io::ErrorKind::FileTooLarge, "longer than it may be"),
        }
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

/// What tells the states of one object apart. Two objects of the same content may have the same version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion(pub(super) String);

impl ObjectVersion {
    /// The version of an object that is told by its content alone.
    fn of(bytes: &[u8]) -> Self {
        Self(BlobId(hash(bytes)).to_string())
    }
}

#[cfg(feature = "object-store")]
impl ObjectVersion {
    /// A version that no object has, in the form of each provider: an entity tag and a generation.
    pub(super) fn of_none() -> Self {
        Self("\"00000000000000000000000000000000\"\n1".to_owned())
    }
}

/// What must be so for an object to be put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// There is none of that name.
    Absent,
    /// It still is what it was.
    Unchanged(ObjectVersion),
}

/// What became of a put with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// The object is in place, and has this version now.
    Done(ObjectVersion),
    /// The condition did not hold. Somebody else was first, or this caller was and did not hear of it.
    Lost,
}

/// An object with what it holds.
#[derive(Debug)]
pub struct ReadObject {
    /// Its name.
    pub name: String,
    /// Its bytes, or why they cannot be read.
    pub bytes: Result<Vec<u8>, StorageError>,
}

/// Keeps objects. Every implementation passes [`conformance`].
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

    /// Fills `out` as [`Storage::read_at`] does, and may keep what it read nearer for the next who reads it.
    ///
    /// # Errors
    /// As [`Storage::read_at`].
    fn read_and_keep(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        self.read_at(name, offset, out)
    }

    /// Fills `out` as [`Storage::read_at`] does, and reads nothing beside it, because nothing beside it is wanted.
    ///
    /// # Errors
    /// As [`Storage::read_at`].
    fn read_alone(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        self.read_at(name, offset, out)
    }

    /// Returns whether what begins at a place is read without asking anybody far away.
    fn is_near(&self, _name: &str, _offset: u64) -> bool {
        true
    }

    /// Drops what was kept nearer of an object, because what was read is not what it should be. Returns whether anything
    /// was, so that another read may be right.
    fn distrust(&self, _name: &str) -> bool {
        false
    }

    /// Reads many ranges of an object, each an offset and a length, in the order in which they were asked for. What
    /// lies close together may be read in one piece, and several pieces at once. Holds as much as was asked for.
    ///
    /// # Errors
    /// As [`Storage::read_at`].
    fn read_ranges(
        &self,
        name: &str,
        ranges: &[(u64, usize)],
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let read = |(offset, len): &(u64, usize)| {
            let mut out = vec![0; *len];
            self.read_at(name, *offset, &mut out)?;
            Ok(out)
        };
        ranges.iter().map(read).collect()
    }

    /// Reads a whole object of at most `limit_bytes`.
    ///
    /// # Errors
    /// [`StorageError`], for which `is_missing` or `is_too_long` may be true.
    fn whole(&self, name: &str, limit_bytes: u64) -> Result<Vec<u8>, StorageError> {
        let bytes = self.bytes(name)?;
        let len = usize::try_from(bytes).ok().filter(|_| bytes <= limit_bytes);
        let mut out = vec![0; len.ok_or_else(|| StorageError::too_long(name))?];
        self.read_at(name, 0, &mut out)?;
        Ok(out)
    }

    /// Reads a whole object of at most `limit_bytes`, with its version.
    ///
    /// # Errors
    /// As [`Storage::whole`].
    fn get(&self, name: &str, limit_bytes: u64) -> Result<(Vec<u8>, ObjectVersion), StorageError> {
        let bytes = self.whole(name, limit_bytes)?;
        let version = ObjectVersion::of(&bytes);
        Ok((bytes, version))
    }

    /// Puts a small object in one step when the condition holds. Of all who put an object on the same condition at
    /// once, one succeeds.
    ///
    /// # Errors
    /// [`StorageError`], after which it is not known whether the object is in place.
    fn put_if(&self, name: &str, bytes: &[u8], given: &Given) -> Result<Put, StorageError>;

    /// Starts an object that is invisible until it is published.
    ///
    /// # Errors
    /// [`StorageError`] when nothing can be written.
    fn create(&self) -> Result<Box<dyn NewObject>, StorageError>;

    /// As [`Storage::create`], for an object that gets a name in `folder`. Packs, index segments and copies of blobs are
    /// begun like this, because a storage may keep these folders at other places.
    ///
    /// # Errors
    /// As [`Storage::create`].
    fn create_in(&self, _folder: &str) -> Result<Box<dyn NewObject>, StorageError> {
        self.create()
    }

    /// Lists the objects in `folder` and reads each, at most `limit_bytes` of it.
    ///
    /// # Errors
    /// [`StorageError`] when the folder cannot be listed. An object that cannot be read is an error in its place.
    fn read_all(&self, folder: &str, limit_bytes: u64) -> Result<Vec<ReadObject>, StorageError> {
        let objects = self.list(folder)?.into_iter();
        let read = |object: Object| ReadObject {
            bytes: self.whole(&object.name, limit_bytes),
            name: object.name,
        };
        Ok(objects.map(read).collect())
    }

    /// Lists the objects in `folder` whose names come after `name`, sorted.
    ///
    /// # Errors
    /// As [`Storage::list`].
    fn list_after(&self, folder: &str, name: &str) -> Result<Vec<Object>, StorageError> {
        let mut objects = self.list(folder)?;
        objects.retain(|object| object.name.as_str() > name);
        Ok(objects)
    }

    /// Reads whole objects of at most `limit_bytes` each, in the order of their names here. Several may be read at once.
    fn read_many(&self, names: &[String], limit_bytes: u64) -> Vec<Result<Vec<u8>, StorageError>> {
        let names = names.iter();
        names.map(|name| self.whole(name, limit_bytes)).collect()
    }

    /// Returns whether others write at the same time, on other machines, and no lock keeps them out.
    fn is_shared(&self) -> bool {
        false
    }

    /// Reads objects from where everybody reads them from now on, and not from copies that are nearer.
    fn read_source(&self) {}

    /// Returns when an object was put, where the storage itself knows and not a file system below it.
    fn put_at(&self, _name: &str) -> Option<SystemTime> {
        None
    }

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
    let folder = name.split_once('/').map_or("", |(folder, _)| folder);
    let mut object = storage.create_in(folder)?;
    object.append(bytes)?;
    object.publish(name)
}

/// Reads a whole object of at most `limit_bytes`.
///
/// # Errors
/// [`StorageError`], also when the object is longer.
pub fn read(storage: &dyn Storage, name: &str, limit_bytes: u64) -> Result<Vec<u8>, StorageError> {
    storage.whole(name, limit_bytes)
}
