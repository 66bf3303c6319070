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
