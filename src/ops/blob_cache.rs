//! Decides which blobs are cached at sites and on request: those with deflate streams, which take long to rebuild.
//!
//! Copies are kept while there is spare room, and are removed first when room is short. Up to 16 MiB of short blobs are
//! gathered in memory.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::id::BlobId;
use crate::content::recipe::Blob;
use crate::content::recipe::rebuild::{BlobKeeper, Keeping};
use crate::ops::Error;
use crate::ops::space::Space;
use crate::ops::space::free_bytes;
use crate::store::{BlobCacheWriter, Store};

/// Shorter blobs are kept in groups.
const OWN_BYTES_MIN: u64 = 1 << 20;
/// Bytes of a group.
const GROUP_BYTES: usize = 16 << 20;

/// Caches blobs as long as all copies take at most half of the room that would be free without them. A copy that cannot
/// be written is not an error, because everything works without it, only slower.
pub(super) struct Keeper<'a> {
    store: &'a Store,
    room_bytes: AtomicU64,
    group: Mutex<BlobGroup>,
}

#[derive(Default)]
struct BlobGroup {
    blobs: Vec<(BlobId, Vec<u8>)>,
    ids: HashSet<BlobId>,
    bytes: usize,
}

impl<'a> Keeper<'a> {
    /// Measures the free room. Of it `reserved_bytes` are for what the store is about to get.
    ///
    /// # Errors
    /// [`Error::Media`] when the file system does not tell, or an error of the store.
    pub(super) fn new(store: &'a Store, reserved_bytes: u64) -> Result<Self, Error> {
        let ready_bytes = store.cached_bytes()?;
        let free_bytes = free_bytes(store.dir())?.saturating_sub(reserved_bytes);
        let most_bytes = free_bytes.saturating_add(ready_bytes) / 2;
        Ok(Self {
            store,
            room_bytes: AtomicU64::new(most_bytes.saturating_sub(ready_bytes)),
            group: Mutex::default(),
        })
    }

    fn flush(&self, group: &mut BlobGroup) {
        let group = std::mem::take(group);
        if !group.blobs.is_empty() {
            let _ = self.store.cache_blob_group(&group.blobs);
        }
    }

    fn gather(&self, id: BlobId, bytes: Vec<u8>) {
        let mut group = self.group();
        // The same blob may be in two items.
        if !group.ids.insert(id) {
            return;
        }
        group.bytes += bytes.len();
        group.blobs.push((id, bytes));
        if group.bytes >= GROUP_BYTES {
            self.flush(&mut group);
        }
    }

    fn group(&self) -> MutexGuard<'_, BlobGroup> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_room(&self, bytes: u64) -> bool {
        let order = Ordering::Relaxed;
        let taken = |room: u64| room.checked_sub(bytes);
        self.room_bytes.fetch_update(order, order, taken).is_ok()
    }
}

/// Writes the gathered group.
impl Drop for Keeper<'_> {
    fn drop(&mut self) {
        self.flush(&mut self.group());
    }
}

impl BlobKeeper for Keeper<'_> {
    fn begin(&self, blob: &Blob) -> Option<Box<dyn Keeping + '_>> {
        if self.store.may_have_cached_blob(&blob.id) || !self.take_room(blob.bytes) {
            return None;
        }
        if blob.bytes >= OWN_BYTES_MIN {
            let writer = self.store.cache_blob(blob.id).ok();
            return Some(Box::new(Long(writer)));
        }
        Some(Box::new(Short {
            keeper: self,
            id: blob.id,
            bytes: Vec::new(),
        }))
    }
}

/// A copy in a file of its own. `None` once it could not be written.
struct Long<'a>(Option<BlobCacheWriter<'a>>);

impl Keeping for Long<'_> {
    fn take(&mut self, bytes: &[u8]) {
        if let Some(writer) = &mut self.0
            && writer.append(bytes).is_err()
        {
            self.0 = None;
        }
    }

    fn keep(self: Box<Self>) {
        if let Some(writer) = self.0 {
            let _ = writer.finish();
        }
    }
}

/// A copy for a group.
struct Short<'a> {
    keeper: &'a Keeper<'a>,
    id: BlobId,
    bytes: Vec<u8>,
}

impl Keeping for Short<'_> {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn keep(self: Box<Self>) {
        self.keeper.gather(self.id, self.bytes);
    }
}

/// Makes room in the store's folder. Removes cached copies when that is enough.
///
/// # Errors
/// [`Error::NoSpace`], or an error of the store.
pub(super) fn make_room(store: &Store, needed_bytes: u64) -> Result<(), Error> {
    let room = || Space::in_folder(store.dir(), needed_bytes);
    let free_bytes = room()?.free_bytes;
    let ready_bytes = store.cached_bytes()?;
    if free_bytes < needed_bytes && free_bytes.saturating_add(ready_bytes) >= needed_bytes {
        store.drop_cached_blobs(store.cached_blob_files()?.iter())?;
    }
    room()?.check()
}
