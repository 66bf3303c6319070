//! Caches copies of blobs that take long to rebuild, in the store that they are rebuilt from. A long blob is one file
//! of the same bytes. Short blobs share group files.
//!
//! The copies may be removed at any time. A copy is compared with its blob's id on first use, and is not used when it
//! differs. The callers decide which blobs are worth a copy. Memory: 150 bytes a copy, and 1 MiB for each copy that is
//! being compared.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::{OpenMode, Store, StoreError};
use crate::base::backend::BackendError;
use crate::base::id::{self, BlobId, Hasher, PackId};
use crate::base::own::is_hex;
use crate::content::recipe::ReadyBytes;
use crate::store::storage::{NewObject, Storage, StorageError};

const FOLDER: &str = "ready";
const GROUP: &str = ".group";
/// Bytes that are compared together.
const PIECE_BYTES: u64 = 1 << 20;
/// The magic at the end of a group.
const GROUP_MAGIC: &[u8; 8] = b"CARRYGRP";
/// An id and a length.
const GROUP_ENTRY_BYTES: usize = BlobId::BYTES + 4;
/// The number of entries, and the magic.
const GROUP_TAIL_BYTES: usize = 4 + GROUP_MAGIC.len();
/// Most copies in one group.
const GROUP_ENTRIES_MAX: u32 = 1 << 20;

/// A file with copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedBlobFile {
    name: String,
    /// Length of the file.
    pub bytes: u64,
    /// The blobs in it, with their lengths, in file order.
    pub blobs: Vec<(BlobId, u64)>,
}

impl CachedBlobFile {
    /// Lists the files. A file that cannot be read has no copies. Foreign files in the folder are left out.
    fn list(storage: &dyn Storage) -> Result<Vec<Self>, StorageError> {
        let files = storage.list(FOLDER)?.into_iter().filter_map(|object| {
            let name = object.name.strip_prefix(FOLDER)?.strip_prefix('/')?;
            let blobs = match (name.parse::<BlobId>(), name.strip_suffix(GROUP)) {
                (Ok(id), _) if own_name(&id) == object.name => vec![(id, object.bytes)],
                (_, Some(group)) if is_hex(group, 2 * PackId::BYTES) => {
                    group_blobs(storage, &object.name, object.bytes).unwrap_or_default()
                }
                _ => return None,
            };
            Some(Self {
                name: object.name,
                bytes: object.bytes,
                blobs,
            })
        });
        Ok(files.collect())
    }

    /// Returns the place of each copy.
    fn places(&self) -> impl Iterator<Item = (BlobId, CopySlot)> {
        let name: Arc<str> = self.name.as_str().into();
        self.blobs.iter().scan(0, move |at, (id, bytes)| {
            let slot = CopySlot {
                file: Arc::clone(&name),
                offset: *at,
                bytes: *bytes,
                verdict: Arc::default(),
            };
            *at += bytes;
            Some((*id, slot))
        })
    }
}

/// Reads the table of a group.
fn group_blobs(storage: &dyn Storage, name: &str, bytes: u64) -> Option<Vec<(BlobId, u64)>> {
    let mut tail = [0; GROUP_TAIL_BYTES];
    storage
        .read_at(name, bytes.checked_sub(tail.len() as u64)?, &mut tail)
        .ok()?;
    let (count, magic) = tail.split_first_chunk::<4>()?;
    let count = u32::from_le_bytes(*count);
    // The count is bounded before the table is allocated.
    if magic != GROUP_MAGIC || count > GROUP_ENTRIES_MAX {
        return None;
    }
    let mut table = vec![0; usize::try_from(count).ok()? * GROUP_ENTRY_BYTES];
    let end = bytes.checked_sub((table.len() + tail.len()) as u64)?;
    storage.read_at(name, end, &mut table).ok()?;
    let entries = table.chunks_exact(GROUP_ENTRY_BYTES).map(|entry| {
        let (id, len) = entry.split_first_chunk::<{ BlobId::BYTES }>()?;
        let len = u32::from_le_bytes(*len.first_chunk::<4>()?);
        Some((BlobId(*id), u64::from(len)))
    });
    let blobs: Vec<(BlobId, u64)> = entries.collect::<Option<_>>()?;
    // The blobs must fill the file exactly. Otherwise their offsets would be wrong.
    (blobs.iter().map(|(_, bytes)| bytes).sum::<u64>() == end).then_some(blobs)
}

/// The place of a copy.
#[derive(Clone)]
struct CopySlot {
    file: Arc<str>,
    offset: u64,
    bytes: u64,
    /// Whether the copy is right, once it was compared.
    verdict: Arc<OnceLock<bool>>,
}

/// The copies that were found when the store was opened, and those that came since.
#[derive(Default)]
pub(super) struct ReadyCopies(RwLock<HashMap<BlobId, CopySlot>>);

impl ReadyCopies {
    /// Lists the copies. Copies that cannot be listed are treated as missing.
    pub(super) fn list(storage: &dyn Storage) -> Self {
        let copies = Self::default();
        copies.look_again(storage);
        copies
    }

    /// Adds copies that came since.
    pub(super) fn look_again(&self, storage: &dyn Storage) {
        let files = CachedBlobFile::list(storage).unwrap_or_default();
        self.with(|copies| {
            for (id, slot) in files.iter().flat_map(CachedBlobFile::places) {
                // A known copy keeps its entry, because that holds the result of its comparison.
                copies.entry(id).or_insert(slot);
            }
        });
    }

    fn slot(&self, id: &BlobId) -> Option<CopySlot> {
        let copies = self.0.read().unwrap_or_else(PoisonError::into_inner);
        copies.get(id).cloned()
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<BlobId, CopySlot>) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An open copy. Where it is in a file, the file is held open, so that the copy stays readable when its name is
/// removed.
struct Copy {
    storage: Arc<dyn Storage>,
    slot: CopySlot,
    file: Option<File>,
}

impl Copy {
    fn open(storage: &Arc<dyn Storage>, slot: CopySlot) -> io::Result<Self> {
        let path = storage.local_path(&slot.file);
        Ok(Self {
            storage: Arc::clone(storage),
            slot,
            file: path.map(File::open).transpose()?,
        })
    }

    /// Returns whether length and hash are those of the blob.
    fn is_of(&self, id: &BlobId, bytes: u64) -> bool {
        if self.slot.bytes != bytes {
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
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), BackendError> {
        let at = self.slot.offset.saturating_add(offset);
        match &self.file {
            Some(file) => Ok(file.read_exact_at(out, at)?),
            None => Ok(self
                .storage
                .read_at(&self.slot.file, at, out)
                .map_err(StoreError::from)?),
        }
    }
}

impl Store {
    /// Returns whether a good copy of a blob of `bytes` bytes exists.
    pub fn has_cached_blob(&self, id: &BlobId, bytes: u64) -> bool {
        self.ready_copy(id, bytes).is_some()
    }

    /// Returns the copy of a blob of `bytes` bytes. Compares it with its id on first use.
    pub(super) fn ready_copy(&self, id: &BlobId, bytes: u64) -> Option<Box<dyn ReadyBytes>> {
        let slot = self.ready.slot(id)?;
        // The verdict is shared by all readers of the copy, so it is compared once.
        let verdict = Arc::clone(&slot.verdict);
        let is_own = slot.file.ends_with(&id.to_string());
        let copy = Copy::open(&self.storage, slot).ok();
        let is_good = |copy: &Copy| *verdict.get_or_init(|| copy.is_of(id, bytes));
        if let Some(copy) = copy.filter(is_good) {
            return Some(Box::new(copy));
        }
        // Forgetting the copy makes later readers rebuild the blob without comparing it again.
        self.ready.with(|copies| copies.remove(id));
        if is_own && self.access == OpenMode::Write {
            // A wrong copy that cannot be removed is skipped again next time.
            let _ = self.storage.remove(&own_name(id));
        }
        None
    }

    /// Returns whether a copy of a blob exists, as far as is known without reading it.
    pub fn may_have_cached_blob(&self, id: &BlobId) -> bool {
        self.ready.slot(id).is_some()
    }

    /// Starts a copy of a long blob.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], or a storage error.
    pub fn cache_blob(&self, id: BlobId) -> Result<BlobCacheWriter<'_>, StoreError> {
        self.must_write()?;
        Ok(BlobCacheWriter {
            store: self,
            id,
            object: self.storage.create_in(FOLDER)?,
            bytes: 0,
        })
    }

    /// Keeps copies of short blobs, of less than 4 GiB each, as one group. The caller guarantees that the bytes are
    /// those of the blobs.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], or a storage error.
    pub fn cache_blob_group(&self, blobs: &[(BlobId, Vec<u8>)]) -> Result<(), StoreError> {
        self.must_write()?;
        let mut object = self.storage.create_in(FOLDER)?;
        let mut table = Vec::with_capacity(blobs.len() * GROUP_ENTRY_BYTES);
        for (id, bytes) in blobs {
            object.append(bytes)?;
            table.extend_from_slice(id.as_bytes());
            table.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        object.append(&table)?;
        object.append(&u32::try_from(blobs.len()).unwrap_or(u32::MAX).to_le_bytes())?;
        // The magic ends the file, so that a group that was cut short is not taken for one.
        object.append(GROUP_MAGIC)?;
        let name = format!("{FOLDER}/{}{GROUP}", PackId(id::hash(&table)));
        object.publish(&name)?;
        let file = CachedBlobFile {
            name,
            bytes: 0,
            blobs: blobs
                .iter()
                .map(|(id, bytes)| (*id, bytes.len() as u64))
                .collect(),
        };
        self.ready.with(|copies| copies.extend(file.places()));
        Ok(())
    }

    /// Returns the files with copies, by name.
    ///
    /// # Errors
    /// A storage error.
    pub fn cached_blob_files(&self) -> Result<Vec<CachedBlobFile>, StoreError> {
        Ok(CachedBlobFile::list(self.storage.as_ref())?)
    }

    /// Returns the total length of all copies.
    ///
    /// # Errors
    /// A storage error.
    pub fn cached_bytes(&self) -> Result<u64, StoreError> {
        let files = CachedBlobFile::list(self.storage.as_ref())?;
        Ok(files.iter().map(|file| file.bytes).sum())
    }

    /// Removes these files. Returns the bytes that they took.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], or a storage error.
    pub fn drop_cached_blobs<'f>(
        &self,
        files: impl Iterator<Item = &'f CachedBlobFile>,
    ) -> Result<u64, StoreError> {
        self.must_write()?;
        let mut dropped_bytes = 0;
        for file in files {
            self.ready.with(|copies| {
                for (id, _) in &file.blobs {
                    copies.remove(id);
                }
            });
            self.storage.remove(&file.name)?;
            dropped_bytes += file.bytes;
        }
        Ok(dropped_bytes)
    }
}

/// A copy that is being written. Leaves nothing when it is dropped unfinished.
pub struct BlobCacheWriter<'a> {
    store: &'a Store,
    id: BlobId,
    object: Box<dyn NewObject>,
    bytes: u64,
}

impl BlobCacheWriter<'_> {
    /// Appends the next bytes.
    ///
    /// # Errors
    /// A storage error.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += bytes.len() as u64;
        Ok(self.object.append(bytes)?)
    }

    /// Keeps the copy. The caller guarantees that the bytes are those of the blob.
    ///
    /// # Errors
    /// A storage error.
    pub fn finish(self) -> Result<(), StoreError> {
        let file = CachedBlobFile {
            name: own_name(&self.id),
            bytes: self.bytes,
            blobs: vec![(self.id, self.bytes)],
        };
        // Readers hear of the copy only once it has its name.
        self.object.publish(&file.name)?;
        self.store.ready.with(|copies| copies.extend(file.places()));
        Ok(())
    }
}

fn own_name(id: &BlobId) -> String {
    format!("{FOLDER}/{id}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::storage::memory::FaultyStorage;

    #[test]
    fn groups_that_lie_have_no_copies() {
        let storage = Arc::new(FaultyStorage::default());
        let store = Store::create_on(storage.clone(), "store".as_ref(), None).unwrap();
        let blobs: Vec<(BlobId, Vec<u8>)> = [&b"one"[..], b"", b"three"]
            .map(|bytes| (BlobId(id::hash(bytes)), bytes.to_vec()))
            .into();
        store.cache_blob_group(&blobs).unwrap();
        let [file] = &store.cached_blob_files().unwrap()[..] else {
            panic!("one group");
        };
        let len = usize::try_from(file.bytes).unwrap();
        assert_eq!(file.blobs.len(), 3);
        let good = crate::store::storage::read(storage.as_ref(), &file.name, 1 << 20).unwrap();
        for (id, bytes) in &blobs {
            let copy = store.ready_copy(id, bytes.len() as u64).unwrap();
            let mut out = vec![0; bytes.len()];
            copy.read_at(0, &mut out).unwrap();
            assert_eq!(out, *bytes);
        }
        // A changed byte or length never gives other bytes and never panics.
        let mut bad: Vec<Vec<u8>> = (0..len).map(|cut| good[..cut].to_vec()).collect();
        for at in 0..len {
            let mut flipped = good.clone();
            flipped[at] ^= 0xff;
            bad.push(flipped);
        }
        for bytes in bad {
            crate::store::storage::put(storage.as_ref(), &file.name, &bytes).unwrap();
            let store = Store::open_on(storage.clone(), "store".as_ref(), OpenMode::Read, None);
            let store = store.unwrap();
            for (id, bytes) in &blobs {
                let Some(copy) = store.ready_copy(id, bytes.len() as u64) else {
                    continue;
                };
                let mut out = vec![0; bytes.len()];
                copy.read_at(0, &mut out).unwrap();
                assert_eq!(out, *bytes);
            }
        }
    }
}
