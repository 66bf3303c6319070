//! What carryall does: one module a command, each a free function with a report.
//!
//! Verbs know stores, volumes and layouts, but not one another, and they print nothing.

pub mod add;
pub mod checkout;
#[cfg(test)]
mod tests;

use crate::id::ReleaseId;
use crate::monitor::Monitor;
use crate::recipe::{BoxError, ChunkSink, ChunkSource};
use crate::release::{ReleaseName, ReleaseRoot};

/// Where releases are read from: a store, or something like one.
pub trait Releases: ChunkSource {
    /// All releases that can be read, by name.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn roots(&self) -> Result<Vec<ReleaseRoot>, BoxError>;

    /// One release; `None` when there is none of this name.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn root(&self, name: &ReleaseName) -> Result<Option<ReleaseRoot>, BoxError>;
}

/// Where releases are written to.
pub trait ReleasesMut: Releases {
    /// Takes chunks until it is finished.
    type Writer<'a>: ChunkSink
    where
        Self: 'a;

    /// Starts to write chunks.
    ///
    /// # Errors
    /// When the store is not writable.
    fn writer<'a>(&'a self, monitor: &'a dyn Monitor) -> Result<Self::Writer<'a>, BoxError>;

    /// Makes all chunks that were put readable and durable.
    ///
    /// # Errors
    /// When they cannot be written.
    fn finish(&self, writer: Self::Writer<'_>) -> Result<(), BoxError>;

    /// Commits a release whose chunks are all there, in place of one of the same name.
    ///
    /// # Errors
    /// When it cannot be written.
    fn commit(&self, root: &ReleaseRoot) -> Result<ReleaseId, BoxError>;
}

#[cfg(test)]
mod memory {
    //! A store in memory, for the verbs' tests.
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::id::ChunkId;
    use crate::recipe::RecipeError;
    use crate::recipe::memory::Memory;

    #[derive(Default)]
    pub struct MemoryStore {
        pub chunks: Memory,
        pub roots: Mutex<BTreeMap<ReleaseName, ReleaseRoot>>,
    }

    impl ChunkSource for MemoryStore {
        type Bytes = <Memory as ChunkSource>::Bytes;

        fn chunk(&self, id: &ChunkId) -> Result<Self::Bytes, RecipeError> {
            self.chunks.chunk(id)
        }

        fn prefetch(&self, _: &[ChunkId]) {}

        fn contains(&self, id: &ChunkId) -> bool {
            self.chunks.contains(id)
        }
    }

    impl Releases for MemoryStore {
        fn roots(&self) -> Result<Vec<ReleaseRoot>, BoxError> {
            Ok(self.roots.lock().unwrap().values().cloned().collect())
        }

        fn root(&self, name: &ReleaseName) -> Result<Option<ReleaseRoot>, BoxError> {
            Ok(self.roots.lock().unwrap().get(name).cloned())
        }
    }

    impl ReleasesMut for MemoryStore {
        type Writer<'a> = Memory;

        fn writer<'a>(&'a self, _: &'a dyn Monitor) -> Result<Memory, BoxError> {
            Ok(self.chunks.clone())
        }

        fn finish(&self, _: Memory) -> Result<(), BoxError> {
            Ok(())
        }

        fn commit(&self, root: &ReleaseRoot) -> Result<ReleaseId, BoxError> {
            let mut roots = self.roots.lock().unwrap();
            roots.insert(root.name.clone(), root.clone());
            Ok(root.id())
        }
    }
}
