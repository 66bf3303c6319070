//! What fuzz targets share: chunks in memory, and bytes as numbers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use carryall::class::Class;
use carryall::id::ChunkId;
use carryall::recipe::{ChunkSink, ChunkSource, RecipeError};

/// Chunks in memory; handles share them.
#[derive(Debug, Default, Clone)]
pub struct Memory(Arc<Mutex<HashMap<ChunkId, Arc<[u8]>>>>);

impl ChunkSource for Memory {
    type Bytes = Arc<[u8]>;

    fn chunk(&self, id: &ChunkId) -> Result<Arc<[u8]>, RecipeError> {
        let chunks = self.0.lock().expect("no target panics while it holds this");
        chunks.get(id).cloned().ok_or(RecipeError::Missing(*id))
    }

    fn prefetch(&self, _: &[ChunkId]) {}

    fn contains(&self, id: &ChunkId) -> bool {
        let chunks = self.0.lock().expect("no target panics while it holds this");
        chunks.contains_key(id)
    }
}

impl ChunkSink for Memory {
    fn put(&mut self, plain: &[u8], _: Class) -> Result<ChunkId, RecipeError> {
        let id = ChunkId::of(plain);
        let mut chunks = self.0.lock().expect("no target panics while it holds this");
        chunks.entry(id).or_insert_with(|| plain.into());
        Ok(id)
    }
}

/// Takes numbers from the front of the input; zeros when it has ended.
#[derive(Debug)]
pub struct Numbers<'a>(pub &'a [u8]);

impl Numbers<'_> {
    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        let mut out = [0; 4];
        let len = self.0.len().min(4);
        let (front, rest) = self.0.split_at(len);
        out[..len].copy_from_slice(front);
        self.0 = rest;
        u32::from_le_bytes(out)
    }

    /// The next 16 bits.
    pub fn next_u16(&mut self) -> u16 {
        (self.next_u32() & 0xffff) as u16
    }
}
