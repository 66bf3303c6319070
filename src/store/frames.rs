//! Reads chunks by way of the frames that hold them, and remembers which frames were found damaged.
//!
//! It does not know what chunks mean. Memory: the frame cache, and one frame for each thread that reads.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::cache::IndexedFrame;
use super::chunk_index::{self, ChunkIndex, PackPlace};
use super::{ChunkBytes, FrameDamage, OpenMode, Store, StoreError, quarantine};
use crate::base::id::{ChunkId, PackId};
use crate::base::roomy::roomy;
use crate::content::content_kind::ContentKind;
use crate::content::frame::{Frame, FrameError, FrameHead, HEADER_BYTES, SealedFrame};
use crate::store::storage::StorageError;

/// Threads that wait for a server at once.
const WAITING_THREADS: usize = 16;

/// The threads that read frames from afar. More of them than cores, because nearly all of their time is waiting.
pub(super) fn waiting_threads() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        let builder = ThreadPoolBuilder::new().num_threads(WAITING_THREADS);
        // Without them the frames are read by the other threads, a little later.
        builder.build().ok()
    });
    pool.as_ref()
}

/// Frames whose headers are remembered in part.
const FACTS_MAX: usize = 1 << 16;

/// What a header says of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameFacts {
    /// Kind of content.
    pub(crate) class: ContentKind,
    /// Bytes that it takes in the pack.
    pub(crate) stored_bytes: u64,
}

impl FrameFacts {
    pub(super) fn of(head: &FrameHead) -> Self {
        Self {
            class: head.class,
            stored_bytes: head.frame_bytes() as u64,
        }
    }
}

/// The facts of frames that were looked at, 4 MiB of them at most.
#[derive(Default)]
pub(super) struct KnownFacts(Mutex<HashMap<PackPlace, FrameFacts>>);

impl KnownFacts {
    fn get(&self, place: PackPlace) -> Option<FrameFacts> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&place).copied()
    }

    pub(super) fn note(&self, place: PackPlace, facts: FrameFacts) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= FACTS_MAX {
            known.clear();
        }
        known.insert(place, facts);
    }

    /// Forgets all of them, because places have changed their meaning.
    pub(super) fn clear(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
    }
}

impl Store {
    /// Returns whether the store has an intact copy of the chunk, as far as is known without reading it. For a writer, a
    /// copy in a pack that is marked for removal is none.
    pub fn contains(&self, id: &ChunkId) -> bool {
        let chunk_index = self.chunk_index();
        let place = chunk_index.find(id);
        place.is_some_and(|place| {
            self.access == OpenMode::Read || chunk_index.fading(place).is_none()
        })
    }

    /// Reads a chunk. A copy found damaged is quarantined (permanently when the store is open for writing), and the
    /// next copy is tried. When no other copy is left, the quarantined ones are read again. A whole one leaves the
    /// quarantine.
    ///
    /// # Errors
    /// A storage error when a copy cannot be read, since that may pass. Otherwise [`StoreError::NoSuchChunk`].
    /// [`StoreError::DamagedChunk`] or [`StoreError::QuarantinedChunk`] when every copy is damaged.
    pub fn read(&self, id: &ChunkId) -> Result<ChunkBytes, StoreError> {
        match self.read_known(id) {
            // Its pack was pruned since the index was read. Before that its chunks were put into another.
            Err(StoreError::Storage(error)) if error.is_missing() && self.is_shared() => {
                self.refresh()?;
                self.read_known(id)
            }
            read => read,
        }
    }

    fn read_known(&self, id: &ChunkId) -> Result<ChunkBytes, StoreError> {
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
                Err(other) => {
                    if let StoreError::Storage(error) = &other
                        && error.is_missing()
                        && self.is_shared()
                    {
                        // It is not asked for again, for each of its chunks.
                        self.chunk_index_mut().forget_pack(place.pack);
                    }
                    fault = Some(other);
                }
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
        let load = || {
            places.par_iter().for_each(|place| {
                let _ = self.cached(*place);
            });
        };
        match self.is_shared().then(waiting_threads).flatten() {
            Some(pool) => pool.install(load),
            None => load(),
        }
    }

    /// Keeps at most so many bytes of decompressed frames from now on, where other work needs the memory.
    pub(crate) fn shrink_cache(&self, limit_bytes: usize) {
        self.cache.shrink_to(limit_bytes);
    }

    /// Keeps on the local disk, from now on, what is read of the packs of a bucket. For those who read it more than once.
    pub(crate) fn keep_reads(&self) {
        self.keeps_reads.store(true, Ordering::Relaxed);
    }

    /// Returns whether a frame is read without asking a server.
    pub(super) fn is_near(&self, place: PackPlace) -> bool {
        let pack = self.chunk_index().pack(place.pack);
        self.storage
            .is_near(&chunk_index::pack_name(&pack.id), u64::from(place.offset))
    }

    /// Returns whether a content that begins with this chunk may be compressed as a whole, as far as that is known without
    /// reading it. Where reading is cheap, it says `true` of all.
    pub(crate) fn may_be_packed(&self, id: &ChunkId) -> bool {
        if !self.is_shared() {
            return true;
        }
        let place = self.chunk_index().find(id);
        let facts = place.and_then(|place| self.facts_of(place).ok());
        // What begins like something compressed was sorted among it when it was added.
        facts.is_none_or(|facts| facts.class == ContentKind::Packed)
    }

    /// Returns the kind of a frame and its length in the pack, and reads no more than its header.
    pub(super) fn facts_of(&self, place: PackPlace) -> Result<FrameFacts, StoreError> {
        if let Some(facts) = self.facts.get(place) {
            return Ok(facts);
        }
        let pack = self.chunk_index().pack(place.pack);
        let mut head = [0; HEADER_BYTES];
        let name = chunk_index::pack_name(&pack.id);
        self.storage
            .read_alone(&name, u64::from(place.offset), &mut head)?;
        let head = FrameHead::parse(&head).map_err(|source| self.damaged(place, source.into()))?;
        let facts = FrameFacts::of(&head);
        self.facts.note(place, facts);
        Ok(facts)
    }

    fn cached(&self, place: PackPlace) -> Result<Arc<IndexedFrame>, StoreError> {
        self.cache.get(place, || self.own_frame(place))
    }

    /// Reads a whole frame without the cache, and trusts its ids.
    pub(super) fn own_frame(&self, place: PackPlace) -> Result<Frame, StoreError> {
        let read = self.frame_bytes(place);
        Ok(self.intact(place, read, |frame| frame.unpack_own())?.0)
    }

    /// Reads and checks a whole frame without the cache.
    pub(super) fn frame(&self, place: PackPlace) -> Result<Frame, StoreError> {
        Ok(self.frame_and_bytes(place)?.0)
    }

    pub(super) fn frame_and_bytes(&self, place: PackPlace) -> Result<(Frame, Vec<u8>), StoreError> {
        let read = self.frame_bytes(place);
        self.intact(place, read, |frame| frame.unpack_briefly())
    }

    /// Reads a whole frame of a known length without the cache.
    pub(super) fn frame_of_bytes(&self, place: PackPlace, bytes: u64) -> Result<Frame, StoreError> {
        let pack = self.chunk_index().pack(place.pack);
        let read = match usize::try_from(bytes) {
            // The length is one that was checked when the frame was looked at.
            Ok(len) if u64::from(place.offset).saturating_add(bytes) <= pack.bytes => {
                self.stretch(place, &pack.id, len)
            }
            _ => Err(self.damaged(place, FrameDamage::Pack)),
        };
        Ok(self.intact(place, read, |frame| frame.unpack_briefly())?.0)
    }

    /// Unpacks a frame that was read. When what is near is damaged, it is read once more, header and all, from where everybody
    /// reads it.
    fn intact(
        &self,
        place: PackPlace,
        read: Result<Vec<u8>, StoreError>,
        unpack: impl Fn(SealedFrame<'_>) -> Result<Frame, FrameError>,
    ) -> Result<(Frame, Vec<u8>), StoreError> {
        let opened = |bytes: Vec<u8>| match SealedFrame::open(&bytes).and_then(&unpack) {
            Ok(frame) => Ok((frame, bytes)),
            Err(source) => Err(self.damaged(place, source.into())),
        };
        match read.and_then(opened) {
            Err(StoreError::DamagedFrame { pack, .. })
                if self.storage.distrust(&chunk_index::pack_name(&pack)) =>
            {
                self.frame_bytes(place).and_then(opened)
            }
            read => read,
        }
    }

    /// Reads a frame's bytes and checks only its lengths.
    fn frame_bytes(&self, place: PackPlace) -> Result<Vec<u8>, StoreError> {
        let (head, pack) = self.frame_head(place)?;
        self.stretch(place, &pack, head.frame_bytes())
    }

    fn stretch(&self, place: PackPlace, pack: &PackId, len: usize) -> Result<Vec<u8>, StoreError> {
        let mut bytes = roomy(len);
        bytes.resize(len, 0);
        let (name, offset) = (chunk_index::pack_name(pack), u64::from(place.offset));
        let read = match self.keeps_reads.load(Ordering::Relaxed) {
            true => self.storage.read_and_keep(&name, offset, &mut bytes),
            false => self.storage.read_at(&name, offset, &mut bytes),
        };
        read.map_err(|error| self.cut_short(place, error))?;
        Ok(bytes)
    }

    pub(super) fn frame_head(&self, place: PackPlace) -> Result<(FrameHead, PackId), StoreError> {
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

    pub(super) fn read_pack(
        &self,
        place: PackPlace,
        id: &PackId,
        offset: u64,
        out: &mut [u8],
    ) -> Result<(), StoreError> {
        self.storage
            .read_at(&chunk_index::pack_name(id), offset, out)
            .map_err(|error| self.cut_short(place, error))
    }

    fn cut_short(&self, place: PackPlace, error: StorageError) -> StoreError {
        // A pack that existed before and is missing now went with its disk, which is not damage.
        if error.source.kind() == std::io::ErrorKind::UnexpectedEof {
            self.damaged(place, FrameDamage::Pack)
        } else {
            error.into()
        }
    }

    pub(super) fn damaged(&self, place: PackPlace, source: FrameDamage) -> StoreError {
        let pack = self.chunk_index().pack(place.pack).id;
        StoreError::DamagedFrame {
            pack,
            offset: place.offset,
            source,
        }
    }

    /// Excludes a frame from deduplication for good. Remembers it when the store is open for writing.
    pub(super) fn quarantine(&self, place: PackPlace) -> Result<(), StoreError> {
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
}

fn log_frame(chunk_index: &ChunkIndex, place: PackPlace, what: &str) {
    let number = usize::try_from(place.pack).unwrap_or(usize::MAX);
    let pack = chunk_index.packs().get(number);
    let pack = pack.map(|pack| pack.id.to_string()).unwrap_or_default();
    tracing::warn!(pack, offset = place.offset, "{what}");
}
