//! The store: chunks by their ids in packs of frames, and the roots of releases, in one directory.
//!
//! It does not know what chunks or roots mean, and does not know discs. Memory: the frame cache (192 MiB), 40 bytes a
//! pack, and while writing what `writer` states. The index is mapped.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rayon::prelude::*;

use crate::base::finding::Finding;
use crate::base::id::{ChunkId, PackId, StoreId};
use crate::base::limits::CostLimits;
use crate::base::roomy::roomy;
use crate::content::frame::{Frame, FrameHead, HEADER_BYTES, SealedFrame};
use crate::store::storage::Storage;
use crate::store::storage::dir::DirStorage;

mod blob_cache;
mod cache;
mod check;
mod chunk_index;
mod chunk_set;
mod chunks;
mod error;
mod ground;
mod history;
mod lock;
mod mmap;
mod needs;
mod orphans;
mod pins;
mod pipeline;
mod prune;
mod quarantine;
mod records;
mod renew;
mod roots;
mod seen;
mod sets;
mod settings;
mod shared;
mod sites;
pub mod storage;
mod trust;
mod visits;
mod window;
mod writer;

pub use blob_cache::{BlobCacheWriter, CachedBlobFile};
pub use cache::ChunkBytes;
pub use check::{CheckDepth, CheckReport};
pub use chunk_set::ChunkSet;
pub use error::{FrameDamage, StoreError};
pub(crate) use history::{FILES_MAX, HistoryEnd, NextLine, StoredHistory};
pub use needs::FrameNeed;
pub use prune::{PruneOptions, PruneReport};
pub use renew::Renewed;
pub use roots::RootEntry;
pub use trust::{TRUST_FILE, trust_file_in};
pub use writer::{StoreWriter, WriteOptions, WriteReport};

use blob_cache::ReadyCopies;
use cache::{FrameCache, IndexedFrame};
use chunk_index::{ChunkIndex, PackPlace};
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
    dir: PathBuf,
    id: StoreId,
    limits: CostLimits,
    access: OpenMode,
    storage: Arc<dyn Storage>,
    chunk_index: RwLock<ChunkIndex>,
    cache: FrameCache,
    ready: ReadyCopies,
    has_writer: AtomicBool,
    seen: OpenNotes,
    lock: Option<fs::File>,
    /// Held while packs are removed.
    alone: Option<fs::File>,
    /// The folders that this process made for the store, if it made it.
    made: Option<Vec<PathBuf>>,
}

impl Store {
    /// Creates a store in `dir`, which is absent or empty, and opens it for writing.
    ///
    /// # Errors
    /// [`StoreError::AlreadyAStore`], [`StoreError::NotEmpty`], [`StoreError::Locked`], or an error of the file system.
    pub fn create(dir: &Path) -> Result<Self, StoreError> {
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
        ground::must_be_free(dir)
    }

    /// Opens the store in `dir`. For [`OpenMode::Write`] it adds complete packs of a killed process to the index, so
    /// that work is not done twice, and removes incomplete ones.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`], [`StoreError::Locked`], [`StoreError::Unsupported`], or an error of the file system.
    pub fn open(dir: &Path, access: OpenMode) -> Result<Self, StoreError> {
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
        lock: Option<fs::File>,
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
        lock: Option<fs::File>,
    ) -> Result<Self, StoreError> {
        Self::open_as(storage, dir, (access, Unlisted::Adopted), lock)
    }

    fn open_as(
        storage: Arc<dyn Storage>,
        dir: &Path,
        (access, unlisted): (OpenMode, Unlisted),
        lock: Option<fs::File>,
    ) -> Result<Self, StoreError> {
        let Settings { id, limits } = settings::read(storage.as_ref(), dir)?;
        if access == OpenMode::Write {
            // Only the holder of the exclusive lock may remove unpublished files, because others may be writing theirs.
            storage.sweep()?;
        }
        let mut seen = OpenNotes::default();
        let mut chunk_index = ChunkIndex::open(storage.as_ref(), access, &mut seen)?;
        if unlisted == Unlisted::Adopted {
            orphans::adopt(storage.as_ref(), &mut chunk_index, access, &mut seen)?;
        }
        quarantine::load(storage.as_ref(), &mut chunk_index, &mut seen);
        let ready = ReadyCopies::list(storage.as_ref());
        Ok(Self {
            dir: dir.to_owned(),
            id,
            limits,
            access,
            storage,
            chunk_index: RwLock::new(chunk_index),
            cache: FrameCache::new(CACHE_BYTES),
            ready,
            has_writer: AtomicBool::new(false),
            seen,
            lock,
            alone: None,
            made: None,
        })
    }

    /// Returns the store's id.
    pub fn id(&self) -> StoreId {
        self.id
    }

    /// Returns the store's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
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

    /// Returns whether the store has an intact copy of the chunk, as far as is known without reading it.
    pub fn contains(&self, id: &ChunkId) -> bool {
        self.chunk_index().find(id).is_some()
    }

    /// Reads a chunk. A copy found damaged is quarantined (permanently when the store is open for writing), and the
    /// next copy is tried. When no other copy is left, the quarantined ones are read again. A whole one leaves the
    /// quarantine.
    ///
    /// # Errors
    /// A storage error when a copy cannot be read, since that may pass. Otherwise [`StoreError::NoSuchChunk`].
    /// [`StoreError::DamagedChunk`] or [`StoreError::QuarantinedChunk`] when every copy is damaged.
    pub fn read(&self, id: &ChunkId) -> Result<ChunkBytes, StoreError> {
        let (places, doubtful) = {
            let chunk_index = self.chunk_index();
            // The places are copied, because a read below takes the lock for writing when it finds damage.
            (chunk_index.places(id), chunk_index.doubtful_places(id))
        };
        let (mut damaged, mut fault) = (None, None);
        for place in places {
            match self.cached(place) {
                Ok(frame) => {
                    if let Some(chunk) = frame.chunk(id) {
                        return Ok(chunk);
                    }
                }
                Err(StoreError::DamagedFrame {
                    pack,
                    offset,
                    source,
                }) => {
                    self.quarantine(place)?;
                    damaged = Some(StoreError::DamagedChunk {
                        id: *id,
                        pack,
                        offset,
                        source,
                    });
                }
                Err(other) => fault = Some(other),
            }
        }
        // A frame may have been quarantined by a read that went wrong on its way. It is tried last.
        let was_doubtful = !doubtful.is_empty();
        for place in doubtful {
            match self.frame(place) {
                Ok(_) => {
                    self.release(place)?;
                    if let Some(chunk) = self.cached(place)?.chunk(id) {
                        return Ok(chunk);
                    }
                }
                Err(StoreError::DamagedFrame { .. }) => {}
                Err(other) => fault = Some(other),
            }
        }
        Err(match (fault, damaged) {
            // A failed read comes first, because the chunk may still be whole.
            (Some(fault), _) => fault,
            (None, Some(damaged)) => damaged,
            (None, None) if was_doubtful => StoreError::QuarantinedChunk { id: *id },
            (None, None) => StoreError::NoSuchChunk { id: *id },
        })
    }

    /// Decompresses the frames of these chunks into the cache on every core, and returns when they are there. A failure
    /// here is ignored, because the later read fails and reports it. Asking for much more than the cache holds is a
    /// waste.
    pub fn prefetch(&self, ids: &[ChunkId]) {
        let mut places: Vec<PackPlace> = {
            let chunk_index = self.chunk_index();
            ids.iter().filter_map(|id| chunk_index.find(id)).collect()
        };
        // Reading in pack order keeps the disk from seeking back and forth.
        places.sort_unstable();
        places.dedup();
        self.cache.touch(&mut places);
        places.par_iter().for_each(|place| {
            let _ = self.cached(*place);
        });
    }

    /// Keeps at most so many bytes of decompressed frames from now on, where other work needs the memory.
    pub(crate) fn shrink_cache(&self, limit_bytes: usize) {
        self.cache.shrink_to(limit_bytes);
    }

    fn cached(&self, place: PackPlace) -> Result<Arc<IndexedFrame>, StoreError> {
        self.cache.get(place, || {
            let bytes = self.frame_bytes(place)?;
            SealedFrame::open(&bytes)
                .and_then(SealedFrame::unpack_own)
                .map_err(|source| self.damaged(place, source.into()))
        })
    }

    /// Reads and checks a whole frame without the cache.
    fn frame(&self, place: PackPlace) -> Result<Frame, StoreError> {
        Ok(self.frame_and_bytes(place)?.0)
    }

    fn frame_and_bytes(&self, place: PackPlace) -> Result<(Frame, Vec<u8>), StoreError> {
        let bytes = self.frame_bytes(place)?;
        match SealedFrame::open(&bytes).and_then(SealedFrame::unpack_briefly) {
            Ok(frame) => Ok((frame, bytes)),
            Err(source) => Err(self.damaged(place, source.into())),
        }
    }

    /// Reads a frame's bytes and checks only its lengths.
    fn frame_bytes(&self, place: PackPlace) -> Result<Vec<u8>, StoreError> {
        let (head, pack) = self.frame_head(place)?;
        let mut bytes = roomy(head.frame_bytes());
        bytes.resize(head.frame_bytes(), 0);
        self.read_pack(place, &pack, u64::from(place.offset), &mut bytes)?;
        Ok(bytes)
    }

    fn frame_head(&self, place: PackPlace) -> Result<(FrameHead, PackId), StoreError> {
        let pack = self.chunk_index().pack(place.pack);
        let mut head = [0; HEADER_BYTES];
        self.read_pack(place, &pack.id, u64::from(place.offset), &mut head)?;
        let head = FrameHead::parse(&head).map_err(|source| self.damaged(place, source.into()))?;
        // The length comes from the frame itself, so it is checked before it is allocated.
        if u64::from(place.offset) + head.frame_bytes() as u64 > pack.bytes {
            return Err(self.damaged(place, FrameDamage::Pack));
        }
        Ok((head, pack.id))
    }

    fn read_pack(
        &self,
        place: PackPlace,
        id: &PackId,
        offset: u64,
        out: &mut [u8],
    ) -> Result<(), StoreError> {
        self.storage
            .read_at(&chunk_index::pack_name(id), offset, out)
            .map_err(|error| {
                // A pack that existed before and is missing now went with its disk, which is not damage.
                if error.source.kind() == std::io::ErrorKind::UnexpectedEof {
                    self.damaged(place, FrameDamage::Pack)
                } else {
                    error.into()
                }
            })
    }

    fn damaged(&self, place: PackPlace, source: FrameDamage) -> StoreError {
        let pack = self.chunk_index().pack(place.pack).id;
        StoreError::DamagedFrame {
            pack,
            offset: place.offset,
            source,
        }
    }

    /// Excludes a frame from deduplication for good. Remembers it when the store is open for writing.
    fn quarantine(&self, place: PackPlace) -> Result<(), StoreError> {
        let mut chunk_index = self.chunk_index_mut();
        chunk_index.quarantine.insert(place);
        log_frame(&chunk_index, place, "frame is damaged and quarantined");
        if self.access == OpenMode::Write {
            quarantine::save(self.storage.as_ref(), &chunk_index)?;
        }
        Ok(())
    }

    /// Takes a frame out of quarantine that a second read found whole.
    fn release(&self, place: PackPlace) -> Result<(), StoreError> {
        let mut chunk_index = self.chunk_index_mut();
        if !chunk_index.quarantine.remove(&place) {
            return Ok(());
        }
        log_frame(&chunk_index, place, "frame reads well again");
        if self.access == OpenMode::Write {
            quarantine::save(self.storage.as_ref(), &chunk_index)?;
        }
        Ok(())
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
                path: self.dir.clone(),
            }),
        }
    }
}

fn log_frame(chunk_index: &ChunkIndex, place: PackPlace, what: &str) {
    let number = usize::try_from(place.pack).unwrap_or(usize::MAX);
    let pack = chunk_index.packs().get(number);
    let pack = pack.map(|pack| pack.id.to_string()).unwrap_or_default();
    tracing::warn!(pack, offset = place.offset, "{what}");
}
