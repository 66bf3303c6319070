//! A store as a source and a sink of chunks, for recipes and frames.

use super::{ChunkBytes, Store, StoreError, StoreWriter};
use crate::base::id::ChunkId;
use crate::base::limits::CostLimits;
use crate::content::content_kind::ContentKind;
use crate::content::frame::Bases;
use crate::content::recipe::{Blob, ChunkSink, ChunkSource, ReadyBytes, RecipeError};

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
}

impl ChunkSink for StoreWriter<'_> {
    fn put(&mut self, plain: &[u8], class: ContentKind) -> Result<ChunkId, RecipeError> {
        StoreWriter::put(self, plain, class).map_err(RecipeError::store)
    }
}
