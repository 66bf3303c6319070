//! Objects in memory that fail, get damaged or stop working on demand. Tests use them to see how a store behaves on
//! failures.
//!
//! A test double. It keeps the promises of [`Storage`] until it is told to break them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Given, NewObject, Object, ObjectVersion, Put, Storage, StorageError};

use crate::base::term::Action;

#[derive(Debug, Default)]
struct MemoryFiles {
    objects: BTreeMap<String, Vec<u8>>,
    /// The second at which each was put.
    put_at: BTreeMap<String, u64>,
    /// The second that it is.
    now: u64,
    is_shared: bool,
    changes: u64,
    die_at: Option<u64>,
    /// Objects that cannot be read, by the beginning of their names, with the error that reading gives.
    unreadable: Vec<(String, io::ErrorKind)>,
}

impl MemoryFiles {
    fn insert(&mut self, name: &str, bytes: Vec<u8>) {
        self.put_at.insert(name.to_owned(), self.now);
        self.objects.insert(name.to_owned(), bytes);
    }
}

/// Objects in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct FaultyStorage(Arc<Mutex<MemoryFiles>>);

fn error(action: Action, name: &str, kind: io::ErrorKind) -> StorageError {
    StorageError {
        action,
        path: PathBuf::from(name),
        source: kind.into(),
    }
}

impl FaultyStorage {
    /// Objects that others may write at the same time, with a clock that stands until [`FaultyStorage::pass`].
    pub fn shared() -> Self {
        let storage = Self::default();
        storage.lock().is_shared = true;
        storage.pass(1 << 30);
        storage
    }

    /// Lets so many seconds pass.
    pub fn pass(&self, seconds: u64) {
        self.lock().now += seconds;
    }

    fn lock(&self) -> MutexGuard<'_, MemoryFiles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one changing call. Fails from the configured call on.
    fn change(
        &self,
        action: Action,
        name: &str,
    ) -> Result<MutexGuard<'_, MemoryFiles>, StorageError> {
        let mut inner = self.lock();
        inner.changes += 1;
        match inner.die_at {
            Some(at) if inner.changes > at => Err(error(action, name, io::ErrorKind::StorageFull)),
            _ => Ok(inner),
        }
    }

    /// Returns how many changing calls (append, publish, remove) there were.
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// Lets `changes` more changing calls succeed. All later ones fail, as on a full disk or after a kill.
    pub fn die_after(&self, changes: u64) {
        let mut inner = self.lock();
        inner.die_at = Some(inner.changes + changes);
    }

    /// Returns what would be found after a power cut now: the published objects, in a storage that works.
    pub fn crash_image(&self) -> Self {
        let inner = self.lock();
        Self(Arc::new(Mutex::new(MemoryFiles {
            objects: inner.objects.clone(),
            put_at: inner.put_at.clone(),
            now: inner.now,
            is_shared: inner.is_shared,
            changes: 0,
            die_at: None,
            unreadable: Vec::new(),
        })))
    }

    /// Makes reads fail for all objects whose names begin with `prefix`, as with a failing disk or a missing
    /// permission.
    pub fn fail_reads(&self, prefix: &str, kind: io::ErrorKind) {
        self.lock().unreadable.push((prefix.to_owned(), kind));
    }

    /// Makes everything readable again.
    pub fn mend_reads(&self) {
        self.lock().unreadable.clear();
    }

    fn readable(&self, name: &str) -> Result<MutexGuard<'_, MemoryFiles>, StorageError> {
        let inner = self.lock();
        let mut faults = inner.unreadable.iter();
        let fault = faults.find(|(prefix, _)| name.starts_with(prefix));
        match fault.map(|(_, kind)| *kind) {
            Some(kind) => Err(error(Action::Read, name, kind)),
            None => Ok(inner),
        }
    }

    /// Changes an object's bytes behind the store's back.
    ///
    /// # Panics
    /// When there is none of that name.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(
            self.lock()
                .objects
                .get_mut(name)
                .expect("a test damages what is there"),
        );
    }
}

impl Storage for FaultyStorage {
    fn list(&self, folder: &str) -> Result<Vec<Object>, StorageError> {
        let below = format!("{folder}/");
        let inner = self.lock();
        let found = inner
            .objects
            .iter()
            .filter(|(name, _)| name.starts_with(&below));
        Ok(found
            .map(|(name, bytes)| Object {
                name: name.clone(),
                bytes: bytes.len() as u64,
            })
            .collect())
    }

    fn bytes(&self, name: &str) -> Result<u64, StorageError> {
        let inner = self.lock();
        let object =
            inner
                .objects
                .get(name)
                .ok_or(error(Action::Read, name, io::ErrorKind::NotFound))?;
        Ok(object.len() as u64)
    }

    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> Result<(), StorageError> {
        let inner = self.readable(name)?;
        let object =
            inner
                .objects
                .get(name)
                .ok_or(error(Action::Read, name, io::ErrorKind::NotFound))?;
        let range = usize::try_from(offset)
            .ok()
            .and_then(|at| object.get(at..)?.get(..out.len()));
        out.copy_from_slice(range.ok_or(error(
            Action::Read,
            name,
            io::ErrorKind::UnexpectedEof,
        ))?);
        Ok(())
    }

    fn put_if(&self, name: &str, bytes: &[u8], given: &Given) -> Result<Put, StorageError> {
        let mut inner = self.change(Action::Write, name)?;
        let now = inner
            .objects
            .get(name)
            .map(|bytes| ObjectVersion::of(bytes));
        let holds = match given {
            Given::Absent => now.is_none(),
            Given::Unchanged(version) => now.as_ref() == Some(version),
        };
        if !holds {
            return Ok(Put::Lost);
        }
        inner.insert(name, bytes.to_vec());
        Ok(Put::Done(ObjectVersion::of(bytes)))
    }

    fn create(&self) -> Result<Box<dyn NewObject>, StorageError> {
        Ok(Box::new(NewBytes {
            storage: self.clone(),
            bytes: Vec::new(),
        }))
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        self.change(Action::Remove, name)?.objects.remove(name);
        Ok(())
    }

    fn sweep(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn is_shared(&self) -> bool {
        self.lock().is_shared
    }

    fn put_at(&self, name: &str) -> Option<SystemTime> {
        let inner = self.lock();
        let second = inner.put_at.get(name).filter(|_| inner.is_shared)?;
        Some(UNIX_EPOCH + Duration::from_secs(*second))
    }

    fn local_path(&self, _name: &str) -> Option<PathBuf> {
        None
    }
}

struct NewBytes {
    storage: FaultyStorage,
    bytes: Vec<u8>,
}

impl NewObject for NewBytes {
    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        drop(self.storage.change(Action::Write, "unpublished")?);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn publish(self: Box<Self>, name: &str) -> Result<(), StorageError> {
        let mut inner = self.storage.change(Action::RenameIntoPlace, name)?;
        // A replacement is at another place of the disk, so it can be read.
        inner.unreadable.retain(|(prefix, _)| prefix != name);
        inner.insert(name, self.bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_promises_of_storage() {
        super::super::conformance::conformance(&FaultyStorage::default());
    }
}
