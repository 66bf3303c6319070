//! A store that is read for as long as a server runs, while other processes write to it.
//!
//! Packs are only added meanwhile, because removing packs requires the second lock exclusively. Index segments that are
//! removed stay mapped here. New releases are visible after [`Store::refresh`].

use std::path::Path;
use std::sync::Arc;

use super::{OpenMode, Store, StoreError, Unlisted, lock};
use crate::base::file_lock::FileLock;
use crate::store::storage::dir::DirStorage;
use crate::store::storage::is_address;

/// How often a listing is repeated when a listed file was removed meanwhile.
const TRIES: u32 = 8;

impl Store {
    /// Opens a store for reading beside a writer. Only [`Store::prune`] is kept out. Where no lock file can be made, as
    /// on a disc, writers are kept out as [`Store::open`] does.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_shared(dir: &Path) -> Result<Self, StoreError> {
        if is_address(dir) {
            return Self::open(dir, OpenMode::Read);
        }
        let mut store = Self::open_to_read(dir)?;
        if let Some(beside) = lock::beside_writers(dir)? {
            // Replaces the reader's lock, which would keep every writer out while the server runs.
            store.lock = Some(beside);
        }
        Ok(store)
    }

    /// Opens a store for reading, also while another process writes to it. Only [`Store::prune`] and a reader exclude
    /// each other. Uncommitted work of the writer is not visible.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_to_read(dir: &Path) -> Result<Self, StoreError> {
        if is_address(dir) {
            return Self::open(dir, OpenMode::Read);
        }
        let busy = match Self::open(dir, OpenMode::Read) {
            Err(busy @ StoreError::Locked { .. }) => busy,
            other => return other,
        };
        let mut tries = 0;
        loop {
            let Some(lock) = lock::beside_writers(dir)? else {
                return Err(busy);
            };
            let storage = Arc::new(DirStorage::new(dir));
            let how = (OpenMode::Read, Unlisted::Left);
            match Self::open_as(storage, dir, how, Some(lock)) {
                // The writer merged segments between the listing and the read. The next listing has the merged one.
                Err(StoreError::Storage(error)) if error.is_missing() && tries < TRIES => {
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    /// Keeps other processes of this machine away from the volumes that are being received, until the lock is dropped. A
    /// store in a folder is locked already.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process receives.
    pub(crate) fn lock_staging(&self) -> Result<Option<FileLock>, StoreError> {
        if self.is_shared() {
            lock::take(&self.dir, OpenMode::Write)
        } else {
            Ok(None)
        }
    }

    /// Excludes those who read beside writers until the store is dropped. In a bucket it excludes those who prune, and
    /// nobody else.
    ///
    /// # Errors
    /// [`StoreError::Served`] when there is such a reader, [`StoreError::Maintained`] when somebody prunes, or a storage
    /// error.
    pub fn be_alone(&mut self) -> Result<(), StoreError> {
        self.must_write()?;
        if self.is_shared() {
            return self.begin_reclaim();
        }
        // A store on a storage without locks has no other process to exclude.
        if self.alone.is_none() && self.lock.is_some() {
            self.alone = Some(lock::alone(&self.dir)?);
        }
        Ok(())
    }

    /// Reads the listing again. The chunks of a release are found afterwards when its root was read before.
    ///
    /// # Errors
    /// A storage error.
    pub fn refresh(&self) -> Result<(), StoreError> {
        // A writer may merge segments between the listing and the read. The next refresh tries again.
        for _ in 0..TRIES {
            if self.chunk_index_mut().look_again(self.storage.as_ref())? {
                break;
            }
        }
        self.ready.look_again(self.storage.as_ref());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::id::ChunkId;
    use crate::base::monitor::Silent;
    use crate::content::content_kind::ContentKind;
    use crate::store::{ChunkSet, PruneOptions, WriteOptions};

    fn put(store: &Store, bytes: &[u8]) -> ChunkId {
        let mut writer = store.writer(&WriteOptions::default(), &Silent).unwrap();
        let id = writer.put(bytes, ContentKind::Text).unwrap();
        writer.finish().unwrap();
        id
    }

    #[test]
    fn a_reader_beside_writers_sees_what_came_and_keeps_what_it_had() {
        let dir = tempfile::tempdir().unwrap();
        let first = put(&Store::create(dir.path()).unwrap(), b"first");
        let beside = Store::open_shared(dir.path()).unwrap();
        let other = Store::open_shared(dir.path()).unwrap();
        // Enough segments to have them merged, which removes the first one's file.
        let mut later = Vec::new();
        for number in 0..40_u32 {
            let writer = Store::open(dir.path(), OpenMode::Write).unwrap();
            later.push(put(&writer, &number.to_le_bytes().repeat(9)));
        }
        assert_eq!(&beside.read(&first).unwrap()[..], b"first");
        assert!(!beside.contains(&later[0]));
        beside.refresh().unwrap();
        for id in later.iter().chain([&first]) {
            assert!(beside.read(id).is_ok());
        }
        let mut writer = Store::open(dir.path(), OpenMode::Write).unwrap();
        let nothing = ChunkSet::new;
        let mut prune = || writer.prune(nothing(), &PruneOptions::default(), &Silent);
        assert!(matches!(prune(), Err(StoreError::Served { .. })));
        drop(beside);
        assert!(matches!(prune(), Err(StoreError::Served { .. })));
        assert!(other.read(&first).is_ok());
        drop(other);
        assert!(prune().unwrap().packs_removed > 0);
        assert!(
            Store::open_shared(dir.path()).is_err(),
            "the writer is here"
        );
    }
}
