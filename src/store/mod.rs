//! The store: chunks by their ids in packs of frames, and the roots of releases, in one directory.
//!
//! It does not know what chunks or roots mean, and does not know discs. Memory: the frame cache (192 MiB), 40 bytes a
//! pack, and while writing what `writer` states. The index is mapped.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::base::file_lock::FileLock;
use crate::base::finding::Finding;
use crate::base::id::{PackId, StoreId};
use crate::base::limits::CostLimits;
use crate::store::storage::Storage;
use crate::store::storage::dir::DirStorage;
#[cfg(feature = "object-store")]
use crate::store::storage::is_address;

mod blob_cache;
mod cache;
mod check;
mod chunk_index;
mod chunk_set;
mod chunks;
mod error;
#[cfg(feature = "object-store")]
mod far;
mod frames;
mod ground;
mod history;
mod known_roots;
mod lease;
mod live_chunks;
mod lives;
mod lock;
mod marks;
mod mmap;
mod needs;
mod orphans;
mod pins;
mod pipeline;
mod prune;
mod quarantine;
mod reclaim;
mod records;
mod reliance;
mod renew;
mod roots;
mod seen;
mod sets;
mod settings;
mod shared;
mod shared_history;
mod sites;
pub mod storage;
mod transfer;
mod trust;
mod visits;
mod window;
mod writer;

pub use blob_cache::{BlobCacheWriter, CachedBlobFile};
pub use cache::ChunkBytes;
pub use check::{CheckDepth, CheckReport};
pub use chunk_set::ChunkSet;
pub use error::{FrameDamage, StoreError};
pub(crate) use frames::FrameFacts;
pub(crate) use history::{HistoryEnd, NextLine, StoredHistory};
pub use lease::LeaseRecord;
pub use live_chunks::LiveChunks;
pub use marks::{MarkState, PackMark, PackMarks};
pub(crate) use needs::FrameGroup;
pub use needs::FrameNeed;
pub use prune::{PruneOptions, PruneReport};
pub use renew::Renewed;
pub use roots::RootEntry;
pub use transfer::ChunkPlaces;
pub use trust::{TRUST_FILE, trust_file_in};
pub use writer::{StoreWriter, WriteOptions, WriteReport};

use blob_cache::ReadyCopies;
use cache::FrameCache;
use chunk_index::ChunkIndex;
use frames::KnownFacts;
use known_roots::KnownRoots;
use lease::Lease;
use marks::ReadMarks;
use seen::OpenNotes;
use settings::Settings;

/// Bytes of decompressed frames that are cached.
const CACHE_BYTES: usize = 192 << 20;

/// The access that a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Beside other readers, without changing anything.
    Read,
    /// Exclusively.
    Write,
}

/// What happens to packs that no index segment lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unlisted {
    /// They are read and added to the index.
    Adopted,
    /// They are left alone, because another process is writing them.
    Left,
}

/// A store, locked for as long as this value lives.
pub struct Store {
    /// The folder of the store. Of one in a bucket, the folder that this machine has for it.
    dir: PathBuf,
    /// What the store is called where people read it.
    place: PathBuf,
    id: StoreId,
    limits: CostLimits,
    access: OpenMode,
    storage: Arc<dyn Storage>,
    chunk_index: RwLock<ChunkIndex>,
    cache: FrameCache,
    facts: KnownFacts,
    /// Whether what is read of packs is kept nearer.
    keeps_reads: AtomicBool,
    ready: ReadyCopies,
    has_writer: AtomicBool,
    seen: OpenNotes,
    known_roots: KnownRoots,
    lock: Option<FileLock>,
    /// Held while packs are removed.
    alone: Option<FileLock>,
    /// Held while packs are removed from a bucket.
    lease: Option<Lease>,
    /// The marks of a bucket before its index was read.
    marks_seen: ReadMarks,
    /// The packs that they name.
    marked: Arc<HashSet<PackId>>,
    /// How long a marked pack stays.
    grace: Duration,
    /// Most bytes of packs that this machine keeps of a store in a bucket.
    kept_bytes: u64,
    /// The folders that this process made for the store, if it made it.
    made: Option<Vec<PathBuf>>,
}

impl Store {
    /// Creates a store in `dir`, which is absent or empty, and opens it for writing. With the feature `object-store`,
    /// `dir` may be an address such as `s3://BUCKET/PREFIX`, below which there is nothing yet.
    ///
    /// # Errors
    /// [`StoreError::AlreadyAStore`], [`StoreError::NotEmpty`], [`StoreError::Locked`], or an error of the file system.
    pub fn create(dir: &Path) -> Result<Self, StoreError> {
        #[cfg(feature = "object-store")]
        if is_address(dir) {
            return far::create(dir);
        }
        ground::must_be_free(dir)?;
        let made = ground::make(dir)?;
        // The lock comes before the first file, so that two processes never make one store together.
        let lock = lock::take(dir, OpenMode::Write)?;
        let storage = Arc::new(DirStorage::new(dir));
        let mut store = Self::create_on(storage, dir, lock)?;
        store.made = Some(made);
        // The folder of roots exists from the start. A store without it has lost its roots, and with them the meaning
        // of its packs.
        roots::make_folder(dir)?;
        Ok(store)
    }

    /// Checks that a store could be created in `dir`, without touching anything.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn may_create(dir: &Path) -> Result<(), StoreError> {
        #[cfg(feature = "object-store")]
        if is_address(dir) {
            return far::may_create(dir);
        }
        ground::must_be_free(dir)
    }

    /// Opens the store in `dir`. For [`OpenMode::Write`] it adds complete packs of a killed process to the index, so
    /// that work is not done twice, and removes incomplete ones. `dir` may be an address as with [`Store::create`].
    /// There is no lock then, and packs that no index segment lists are left alone.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Locked`], [`StoreError::Unsupported`], or an error of the file system.
    pub fn open(dir: &Path, access: OpenMode) -> Result<Self, StoreError> {
        #[cfg(feature = "object-store")]
        if is_address(dir) {
            return far::open(dir, access);
        }
        let storage = Arc::new(DirStorage::new(dir));
        // Reading the settings comes first, so that not even a lock file is made in a folder that is not a store.
        settings::read(storage.as_ref(), dir)?;
        ground::must_be_own(dir, access)?;
        let lock = lock::take(dir, access)?;
        Self::open_on(storage, dir, access, lock)
    }

    /// Creates a store on any storage. Serves tests and storage that needs no lock. `dir` is for messages.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn create_on(
        storage: Arc<dyn Storage>,
        dir: &Path,
        lock: Option<FileLock>,
    ) -> Result<Self, StoreError> {
        if storage.bytes(settings::NAME).is_ok() {
            return Err(StoreError::AlreadyAStore {
                path: dir.to_owned(),
            });
        }
        settings::create(storage.as_ref())?;
        Self::open_on(storage, dir, OpenMode::Write, lock)
    }

    /// Opens a store on any storage.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(
        storage: Arc<dyn Storage>,
        dir: &Path,
        access: OpenMode,
        lock: Option<FileLock>,
    ) -> Result<Self, StoreError> {
        let unlisted = match storage.is_shared() {
            true => Unlisted::Left,
            false => Unlisted::Adopted,
        };
        Self::open_as(storage, dir, (access, unlisted), lock)
    }

    fn open_as(
        storage: Arc<dyn Storage>,
        dir: &Path,
        (access, unlisted): (OpenMode, Unlisted),
        lock: Option<FileLock>,
    ) -> Result<Self, StoreError> {
        let settings = settings::read(storage.as_ref(), dir)?;
        Self::open_with(storage, (dir, dir), (access, unlisted), lock, settings)
    }

    fn open_with(
        storage: Arc<dyn Storage>,
        (dir, place): (&Path, &Path),
        (access, unlisted): (OpenMode, Unlisted),
        lock: Option<FileLock>,
        settings: Settings,
    ) -> Result<Self, StoreError> {
        if access == OpenMode::Write {
            // Only the holder of the exclusive lock may remove unpublished files, because others may be writing theirs.
            storage.sweep()?;
        }
        let mut seen = OpenNotes::default();
        // The marks come first. What is decided after this read changes them, and is found out before a commit.
        let marks_seen = match storage.is_shared() {
            true => ReadMarks::read(storage.as_ref())?,
            false => ReadMarks::default(),
        };
        let mut chunk_index = ChunkIndex::open(storage.as_ref(), access, &mut seen)?;
        chunk_index.set_fading(&marks_seen.marks);
        if unlisted == Unlisted::Adopted {
            orphans::adopt(storage.as_ref(), &mut chunk_index, access, &mut seen)?;
        }
        quarantine::load(storage.as_ref(), &mut chunk_index, &mut seen);
        let ready = ReadyCopies::list(storage.as_ref());
        Ok(Self {
            dir: dir.to_owned(),
            place: place.to_owned(),
            id: settings.id,
            limits: settings.limits,
            access,
            storage,
            chunk_index: RwLock::new(chunk_index),
            cache: FrameCache::new(CACHE_BYTES),
            facts: KnownFacts::default(),
            keeps_reads: AtomicBool::new(false),
            ready,
            has_writer: AtomicBool::new(false),
            seen,
            known_roots: KnownRoots::default(),
            lock,
            alone: None,
            lease: None,
            marked: Arc::new(marks_seen.marks.packs.keys().copied().collect()),
            marks_seen,
            kept_bytes: settings.cache.pack_bytes,
            grace: Duration::from_secs(u64::from(settings.prune.grace_hours) * 3600),
            made: None,
        })
    }

    /// Returns the store's id.
    pub fn id(&self) -> StoreId {
        self.id
    }

    /// Returns the store's directory. Of a store in a bucket, it is the folder that this machine has for it.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns what the store is called where people read it: its directory or its address.
    pub fn shown_as(&self) -> &Path {
        &self.place
    }

    /// Returns how many bytes of new packs take room in [`Store::dir`] at most. Of those in a bucket only the newest do.
    pub fn local_bytes_max(&self) -> u64 {
        match self.is_shared() {
            true => self.kept_bytes,
            false => u64::MAX,
        }
    }

    /// Returns whether other machines may write to the store at the same time.
    pub fn is_shared(&self) -> bool {
        self.storage.is_shared()
    }

    /// Returns the folder for volumes that are being received. It may not exist yet.
    pub fn incoming_dir(&self) -> PathBuf {
        self.dir.join("incoming")
    }

    /// Returns what was found and repaired while opening.
    pub fn findings(&self) -> &[Finding] {
        &self.seen.findings
    }

    /// Returns what could not be read while opening. This need not be damage.
    pub fn faults(&self) -> &[Finding] {
        &self.seen.faults
    }

    fn chunk_index(&self) -> RwLockReadGuard<'_, ChunkIndex> {
        self.chunk_index
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn chunk_index_mut(&self) -> RwLockWriteGuard<'_, ChunkIndex> {
        self.chunk_index
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn must_write(&self) -> Result<(), StoreError> {
        match self.access {
            OpenMode::Write => Ok(()),
            OpenMode::Read => Err(StoreError::ReadOnly {
                path: self.place.clone(),
            }),
        }
    }
}
