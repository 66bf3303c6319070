//! Keeps the most recently used decompressed frames, up to a number of bytes.
//!
//! Two threads that want the same frame decompress it once. A chunk that was handed out keeps its frame alive beyond
//! the cache.

use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreError;
use super::chunk_index::PackPlace;
use crate::base::id::ChunkId;
use crate::content::frame::Frame;

/// The bytes of a chunk: a part of a shared, decompressed frame.
#[derive(Clone)]
pub struct ChunkBytes {
    frame: Arc<IndexedFrame>,
    range: Range<usize>,
}

impl Deref for ChunkBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.frame.frame.plain[self.range.clone()]
    }
}

impl AsRef<[u8]> for ChunkBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// A frame whose chunks are found by id.
pub(super) struct IndexedFrame {
    /// Its chunks sorted by id.
    frame: Frame,
}

impl IndexedFrame {
    fn new(mut frame: Frame) -> Self {
        frame.chunks.sort_unstable_by_key(|(id, _)| *id);
        Self { frame }
    }

    pub(super) fn chunk(self: &Arc<Self>, id: &ChunkId) -> Option<ChunkBytes> {
        let chunks = &self.frame.chunks;
        let found = chunks.binary_search_by(|(other, _)| other.cmp(id)).ok()?;
        Some(ChunkBytes {
            frame: Arc::clone(self),
            range: chunks[found].1.clone(),
        })
    }

    fn bytes(&self) -> usize {
        self.frame.plain.len() + self.frame.chunks.len() * size_of::<(ChunkId, Range<usize>)>()
    }
}

/// Filled once. Other threads wait on it meanwhile.
type FrameSlot = Arc<Mutex<Option<Arc<IndexedFrame>>>>;

struct CachedFrame {
    slot: FrameSlot,
    bytes: usize,
    used: u64,
}

#[derive(Default)]
struct CacheState {
    limit_bytes: usize,
    frames: HashMap<PackPlace, CachedFrame>,
    bytes: usize,
    clock: u64,
}

impl CacheState {
    /// Evicts the least recently used frames until the rest is within the limit. `kept` is not evicted.
    fn evict(&mut self, kept: Option<PackPlace>) {
        while self.bytes > self.limit_bytes {
            let oldest = self
                .frames
                .iter()
                // Evicting one that is still loading would free nothing.
                .filter(|(place, held)| held.bytes > 0 && Some(**place) != kept)
                .min_by_key(|(_, held)| held.used)
                .map(|(place, _)| *place);
            let Some(gone) = oldest.and_then(|oldest| self.frames.remove(&oldest)) else {
                return;
            };
            self.bytes -= gone.bytes;
        }
    }
}

pub(super) struct FrameCache {
    inner: Mutex<CacheState>,
}

impl FrameCache {
    pub(super) fn new(limit_bytes: usize) -> Self {
        let state = CacheState {
            limit_bytes,
            ..CacheState::default()
        };
        Self {
            inner: Mutex::new(state),
        }
    }

    /// Keeps at most so many bytes from now on.
    pub(super) fn shrink_to(&self, limit_bytes: usize) {
        let mut inner = self.lock();
        inner.limit_bytes = inner.limit_bytes.min(limit_bytes);
        inner.evict(None);
    }

    fn lock(&self) -> MutexGuard<'_, CacheState> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a frame, and loads it when it is not cached. `load` must not call the cache or wait for other threads.
    pub(super) fn get(
        &self,
        place: PackPlace,
        load: impl FnOnce() -> Result<Frame, StoreError>,
    ) -> Result<Arc<IndexedFrame>, StoreError> {
        let slot = self.slot(place);
        // The slot's own lock is held while loading, so a second thread waits for this frame and no other.
        let mut filled = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = filled.as_ref() {
            return Ok(Arc::clone(frame));
        }
        match load() {
            Ok(frame) => {
                let frame = Arc::new(IndexedFrame::new(frame));
                *filled = Some(Arc::clone(&frame));
                self.account(place, &slot, frame.bytes());
                Ok(frame)
            }
            Err(error) => {
                // A failed load is not kept, so the next request tries again.
                self.lock().frames.remove(&place);
                Err(error)
            }
        }
    }

    fn slot(&self, place: PackPlace) -> FrameSlot {
        let mut inner = self.lock();
        // A count instead of a clock: its order never goes back.
        inner.clock += 1;
        let used = inner.clock;
        let held = inner.frames.entry(place).or_insert_with(|| CachedFrame {
            slot: FrameSlot::default(),
            bytes: 0,
            used,
        });
        held.used = used;
        Arc::clone(&held.slot)
    }

    /// Counts a loaded frame and evicts the least recently used ones. Frames still loading are not counted.
    fn account(&self, place: PackPlace, slot: &FrameSlot, bytes: usize) {
        let mut inner = self.lock();
        match inner.frames.get_mut(&place) {
            // The cache may have been cleared while the frame was loading. The frame is then not counted.
            Some(held) if Arc::ptr_eq(&held.slot, slot) => held.bytes = bytes,
            _ => return,
        }
        inner.bytes += bytes;
        inner.evict(Some(place));
    }

    /// Marks the cached frames as used now, and leaves in `places` those that are not cached.
    pub(super) fn touch(&self, places: &mut Vec<PackPlace>) {
        let mut inner = self.lock();
        inner.clock += 1;
        let now = inner.clock;
        places.retain(|place| match inner.frames.get_mut(place) {
            Some(held) if held.bytes > 0 => {
                held.used = now;
                false
            }
            _ => true,
        });
    }

    /// Empties the cache, because places have changed their meaning.
    pub(super) fn clear(&self) {
        let mut inner = self.lock();
        *inner = CacheState {
            limit_bytes: inner.limit_bytes,
            ..CacheState::default()
        };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::content::content_kind::ContentKind;

    fn frame(byte: u8) -> Frame {
        let plain = vec![byte; 1000];
        Frame {
            class: ContentKind::Other,
            chunks: vec![(ChunkId::of(&plain), 0..1000)],
            plain: plain.into(),
        }
    }

    fn place(offset: u8) -> PackPlace {
        PackPlace {
            pack: 0,
            offset: offset.into(),
        }
    }

    #[test]
    fn frames_used_last_stay_and_chunks_outlive_the_cache() {
        let cache = FrameCache::new(3500);
        let load = |byte| cache.get(place(byte), || Ok(frame(byte))).unwrap();
        let first = load(1).chunk(&ChunkId::of(&[1; 1000])).unwrap();
        (2..=3).for_each(|byte| drop(load(byte)));
        load(1);
        load(4);
        let mut absent: Vec<PackPlace> = (1..=4).map(place).collect();
        cache.touch(&mut absent);
        assert_eq!(absent, [place(2)], "the one used longest ago went");
        load(4);
        cache.shrink_to(1500);
        let mut absent: Vec<PackPlace> = (1..=4).map(place).collect();
        cache.touch(&mut absent);
        assert_eq!(absent, [1, 2, 3].map(place), "one is left");
        cache.clear();
        assert_eq!(&*first, [1; 1000]);
        load(5);
        load(6);
        let mut absent = vec![place(5), place(6)];
        cache.touch(&mut absent);
        assert_eq!(absent, [place(5)], "the limit stays");
    }

    #[test]
    fn a_frame_that_did_not_load_is_tried_again() {
        let cache = FrameCache::new(3500);
        let id = ChunkId([0; 32]);
        assert!(
            cache
                .get(place(1), || Err(StoreError::NoSuchChunk { id }))
                .is_err()
        );
        assert!(cache.get(place(1), || Ok(frame(1))).is_ok());
    }
}
