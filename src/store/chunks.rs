//! A store as a source and a sink of chunks, for recipes and frames.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use super::{ChunkBytes, Store, StoreError, StoreWriter};
use crate::base::id::ChunkId;
use crate::base::limits::CostLimits;
use crate::content::content_kind::ContentKind;
use crate::content::frame::Bases;
use crate::content::recipe::{Blob, ChunkSink, ChunkSource, ReadyBytes, RecipeError};

/// Most bytes of chunks that are read together.
const TOGETHER_BYTES_MAX: usize = 128 << 20;

impl ChunkSource for Store {
    type Bytes = ChunkBytes;

    fn chunk(&self, id: &ChunkId) -> Result<ChunkBytes, RecipeError> {
        self.read(id).map_err(|error| match error {
            StoreError::NoSuchChunk { id } => RecipeError::Missing(id),
            other => RecipeError::chunk(*id, other),
        })
    }

    fn prefetch(&self, ids: &[ChunkId]) {
        Store::prefetch(self, ids);
    }

    fn contains(&self, id: &ChunkId) -> bool {
        Store::contains(self, id)
    }

    fn may_be_packed(&self, id: &ChunkId) -> bool {
        Store::may_be_packed(self, id)
    }

    fn ready(&self, blob: &Blob) -> Option<Box<dyn ReadyBytes + '_>> {
        self.ready_copy(&blob.id, blob.bytes)
    }

    fn limits(&self) -> CostLimits {
        self.limits
    }
}

impl Bases for Store {
    fn append(&self, id: &ChunkId, out: &mut Vec<u8>) -> bool {
        self.read(id)
            .map(|plain| out.extend_from_slice(&plain))
            .is_ok()
    }

    /// Unpacks each frame of the store once, whichever frames depend on its chunks, and beside the cache. Returns up to
    /// [`TOGETHER_BYTES_MAX`]. From afar it reads nothing.
    fn read_together(&self, ids: &[ChunkId]) -> HashMap<ChunkId, Box<[u8]>> {
        let mut here = ids.iter().copied().filter(|id| self.contains(id));
        let groups = match self.is_shared() {
            false => self.groups_of(&mut here).unwrap_or_default(),
            true => Vec::new(),
        };
        let room = AtomicUsize::new(TOGETHER_BYTES_MAX);
        let read = groups.par_iter().map(|group| {
            let mut chunks = Vec::new();
            // What cannot be read is told when its chunk is asked for.
            let Ok(frame) = self.load_own_group(group) else {
                return chunks;
            };
            for (id, range) in &frame.chunks {
                let bytes = &frame.plain[range.clone()];
                let fits = |room: usize| room.checked_sub(bytes.len());
                if group.chunks.binary_search(id).is_ok()
                    && room.fetch_update(Relaxed, Relaxed, fits).is_ok()
                {
                    chunks.push((*id, bytes.into()));
                }
            }
            chunks
        });
        read.flatten_iter().collect()
    }
}

impl ChunkSink for StoreWriter<'_> {
    fn put(&mut self, plain: &[u8], class: ContentKind) -> Result<ChunkId, RecipeError> {
        StoreWriter::put(self, plain, class).map_err(RecipeError::store)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::base::monitor::Silent;
    use crate::store::{OpenMode, WriteOptions};

    #[test]
    fn chunks_of_whole_frames_are_read_together_and_the_others_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create(dir.path()).unwrap();
        let put = |kind| {
            let mut writer = store.writer(&WriteOptions::default(), &Silent).unwrap();
            let contents = (1..=3_u8).map(|each| vec![each ^ kind as u8; 5000]);
            let ids: Vec<ChunkId> = contents
                .map(|bytes| writer.put(&bytes, kind).unwrap())
                .collect();
            writer.finish().unwrap();
            ids
        };
        let (text, data) = (put(ContentKind::Text), put(ContentKind::Data));
        let absent = ChunkId([9; 32]);
        // One that is asked for twice is there once.
        let asked = [text[2], absent, data[0], text[0], text[2]];
        let read = store.read_together(&asked);
        let mut ids: Vec<ChunkId> = read.keys().copied().collect();
        let mut wanted = vec![text[0], text[2], data[0]];
        ids.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(ids, wanted);
        assert!(read.iter().all(|(id, bytes)| ChunkId::of(bytes) == *id));
        drop(store);

        // Each pack has one frame, so that a byte in its middle is one of the frame.
        let packs = walkdir::WalkDir::new(dir.path().join("packs")).into_iter();
        let packs = packs
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file());
        for pack in packs {
            let mut bytes = std::fs::read(pack.path()).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(pack.path(), bytes).unwrap();
        }
        let store = Store::open(dir.path(), OpenMode::Read).unwrap();
        assert!(store.read_together(&asked).is_empty());
    }
}
