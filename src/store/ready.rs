//! Copies of blobs that take long to rebuild, kept beside what they are rebuilt from, as files of the same bytes.
//!
//! They may go at any time. One is compared with its blob's id when it is first asked for, and passed over when it is not
//! that. Which blobs are worth it is for others to decide. 100 bytes a copy; 1 MiB for each that is being compared.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::{Access, Store, StoreError};
use crate::id::{BlobId, Hasher};
use crate::recipe::{BoxError, ReadyBytes};
use crate::storage::{NewObject, Storage, StorageError};

const FOLDER: &str = "ready";
/// Bytes that are compared together.
const PIECE_BYTES: u64 = 1 << 20;

/// Whether a copy is what it should be, once that was looked at.
type Verdict = Arc<OnceLock<bool>>;

/// The copies that were there when the store was opened, and those that came since.
#[derive(Default)]
pub(super) struct ReadyCopies(RwLock<HashMap<BlobId, Verdict>>);

impl ReadyCopies {
    /// Lists the copies; ones that cannot be listed are as good as none.
    pub(super) fn list(storage: &dyn Storage) -> Self {
        let objects = storage.list(FOLDER).unwrap_or_default();
        let ids = objects.iter().filter_map(|object| id_of(&object.name));
        Self(RwLock::new(
            ids.map(|id| (id, Verdict::default())).collect(),
        ))
    }

    /// Takes in copies that came since.
    pub(super) fn look_again(&self, storage: &dyn Storage) {
        let objects = storage.list(FOLDER).unwrap_or_default();
        self.with(|copies| {
            for id in objects.iter().filter_map(|object| id_of(&object.name)) {
                copies.entry(id).or_default();
            }
        });
    }

    fn verdict(&self, id: &BlobId) -> Option<Verdict> {
        let copies = self.0.read().unwrap_or_else(PoisonError::into_inner);
        copies.get(id).cloned()
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<BlobId, Verdict>) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A copy. Where it is a file, that is held open: it stays readable when its name goes.
struct Copy {
    storage: Arc<dyn Storage>,
    name: String,
    file: Option<File>,
}

impl Copy {
    fn open(storage: &Arc<dyn Storage>, id: &BlobId) -> Result<Self, StorageError> {
        let name = name(id);
        let file = match storage.local_path(&name) {
            None => None,
            Some(path) => Some(File::open(&path).map_err(|source| StorageError {
                action: "read",
                path,
                source,
            })?),
        };
        Ok(Self {
            storage: Arc::clone(storage),
            name,
            file,
        })
    }

    fn bytes(&self) -> Option<u64> {
        match &self.file {
            Some(file) => file.metadata().ok().map(|meta| meta.len()),
            None => self.storage.bytes(&self.name).ok(),
        }
    }

    /// Compares length and hash.
    fn is_of(&self, id: &BlobId, bytes: u64) -> bool {
        if self.bytes() != Some(bytes) {
            return false;
        }
        let mut hasher = Hasher::new();
        let mut piece = Vec::new();
        let mut at = 0;
        while at < bytes {
            let len = (bytes - at).min(PIECE_BYTES);
            piece.resize(usize::try_from(len).unwrap_or(0), 0);
            if self.read_at(at, &mut piece).is_err() {
                return false;
            }
            hasher.update_parallel(&piece);
            at += len;
        }
        BlobId(hasher.finish()) == *id
    }
}

impl ReadyBytes for Copy {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), BoxError> {
        match &self.file {
            Some(file) => Ok(file.read_exact_at(out, offset)?),
            None => Ok(self.storage.read_at(&self.name, offset, out)?),
        }
    }
}

impl Store {
    /// Whether there is a good copy of a blob of `bytes` bytes.
    pub fn is_ready(&self, id: &BlobId, bytes: u64) -> bool {
        self.ready_copy(id, bytes).is_some()
    }

    /// The copy of a blob of `bytes` bytes. It is compared with its id when it is asked for the first time.
    pub(super) fn ready_copy(&self, id: &BlobId, bytes: u64) -> Option<Box<dyn ReadyBytes>> {
        let verdict = self.ready.verdict(id)?;
        let copy = Copy::open(&self.storage, id).ok();
        let is_good = |copy: &Copy| *verdict.get_or_init(|| copy.is_of(id, bytes));
        if let Some(copy) = copy.filter(is_good) {
            return Some(Box::new(copy));
        }
        self.ready.with(|copies| copies.remove(id));
        if self.access == Access::Write {
            // One that stays is passed over again.
            let _ = self.storage.remove(&name(id));
        }
        None
    }

    /// Begins a copy of a blob; `None` when there is one.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], or what the storage says.
    pub fn keep_ready(&self, id: BlobId) -> Result<Option<ReadyWriter<'_>>, StoreError> {
        self.must_write()?;
        if self.ready.verdict(&id).is_some() {
            return Ok(None);
        }
        Ok(Some(ReadyWriter {
            store: self,
            id,
            object: self.storage.create()?,
        }))
    }

    /// The blobs of which there are copies, with the bytes of each.
    ///
    /// # Errors
    /// What the storage says.
    pub fn ready_copies(&self) -> Result<BTreeMap<BlobId, u64>, StoreError> {
        let objects = self.storage.list(FOLDER)?.into_iter();
        Ok(objects
            .filter_map(|object| Some((id_of(&object.name)?, object.bytes)))
            .collect())
    }

    /// Drops the copies of these blobs. Returns the bytes that they took.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], or what the storage says.
    pub fn drop_ready<'i>(&self, ids: impl Iterator<Item = &'i BlobId>) -> Result<u64, StoreError> {
        self.must_write()?;
        let mut dropped_bytes = 0;
        for id in ids {
            let name = name(id);
            let bytes = self.storage.bytes(&name).unwrap_or(0);
            self.ready.with(|copies| copies.remove(id));
            self.storage.remove(&name)?;
            dropped_bytes += bytes;
        }
        Ok(dropped_bytes)
    }
}

/// A copy that is being written. Dropped unfinished, it leaves nothing.
pub struct ReadyWriter<'a> {
    store: &'a Store,
    id: BlobId,
    object: Box<dyn NewObject>,
}

impl ReadyWriter<'_> {
    /// Keeps the copy. Who wrote it knows that the bytes are those of the blob.
    ///
    /// # Errors
    /// What the storage says.
    pub fn finish(self) -> Result<(), StoreError> {
        self.object.publish(&name(&self.id))?;
        self.store
            .ready
            .with(|copies| copies.insert(self.id, Verdict::default()));
        Ok(())
    }
}

impl io::Write for ReadyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.object.append(bytes).map_err(|error| error.source)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn name(id: &BlobId) -> String {
    format!("{FOLDER}/{id}")
}

fn id_of(name: &str) -> Option<BlobId> {
    name.strip_prefix(FOLDER)?.strip_prefix('/')?.parse().ok()
}
