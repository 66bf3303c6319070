//! The operations of carryall: one module a command, each a free function with a report.
//!
//! Operations know stores, volumes and files, but not one another, and they print nothing.

pub mod add;
mod blob_cache;
pub mod checkout;
mod completion;
mod diagnose;
mod error;
pub mod evidence;
pub mod history;
pub mod maintain;
pub mod media;
pub mod overlap;
pub mod pack;
pub mod program;
mod proof;
pub mod publish;
pub mod receive;
mod space;
mod store;
pub mod trust;
mod unpack_limits;
mod unseal;

pub use completion::Completion;
pub use diagnose::diagnose;
pub use error::{Error, ErrorKind};
pub use store::{BadRoot, is_fault, release, release_for, releases, remove};
pub(crate) use store::{Roots, all_roots, commit_release, must_know_all};

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::SystemTime;

use crate::base::backend::BackendError;
use crate::base::id::ReleaseId;
use crate::base::monitor::Monitor;
use crate::content::recipe::rebuild::BlobKeeper;
use crate::content::recipe::{ChunkSink, ChunkSource};
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::ops::history::HistoryEntry;

/// Folder in a store for pulls. It stays when a pull ends early, so that the next one continues. `prune` removes it.
const PULLS: &str = "pulls";
/// Folder in a store for unfinished files of this process. Opening the store empties it.
const UNFINISHED: &str = "tmp";

/// Where releases are read from: a store, or something like one.
pub trait Releases: ChunkSource {
    /// Returns the folder of the store, or `None` when it has none.
    fn place(&self) -> Option<&Path> {
        None
    }

    /// Returns how many bytes of what is added take room in that folder at most.
    fn local_bytes_max(&self) -> u64 {
        u64::MAX
    }

    /// Reads the listing again, because other processes may have written. The chunks of roots that were read before are
    /// found afterwards.
    ///
    /// # Errors
    /// An error when it cannot be read.
    fn refresh(&self) -> Result<(), BackendError> {
        Ok(())
    }

    /// Returns all readable releases, by name.
    ///
    /// # Errors
    /// An error when they cannot be listed.
    fn roots(&self) -> Result<Vec<ReleaseRoot>, BackendError>;

    /// Returns one release, or `None` when there is none of this name.
    ///
    /// # Errors
    /// An error when it exists but cannot be read.
    fn root(&self, name: &ReleaseName) -> Result<Option<ReleaseRoot>, BackendError>;

    /// Returns when a release was committed, where that is known.
    fn committed_at(&self, _name: &ReleaseName) -> Option<SystemTime> {
        None
    }

    /// Adds a line to the history, where one is kept.
    ///
    /// # Errors
    /// An error when it cannot be written.
    fn add_history(&self, _entry: &HistoryEntry) -> Result<(), BackendError> {
        Ok(())
    }
}

/// The result of a writer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Bytes of the chunks that were not there before.
    pub new_bytes: u64,
    /// Bytes that these take in the store.
    pub stored_bytes: u64,
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
    /// An error when the store is not writable.
    fn writer<'a>(&'a self, monitor: &'a dyn Monitor) -> Result<Self::Writer<'a>, BackendError>;

    /// Makes all chunks that were put readable and durable.
    ///
    /// # Errors
    /// An error when they cannot be written.
    fn finish(&self, writer: Self::Writer<'_>) -> Result<Stored, BackendError>;

    /// Commits a release whose chunks are all present, replacing one of the same name.
    ///
    /// # Errors
    /// An error when it cannot be written.
    fn commit(&self, root: &ReleaseRoot) -> Result<ReleaseId, BackendError>;

    /// Returns a keeper that caches blobs as they are rebuilt for a proof, until it is dropped. Returns `None` where
    /// nothing is cached.
    fn keeper(&self) -> Option<Box<dyn BlobKeeper + '_>> {
        None
    }

    /// Returns the bytes of cached blobs.
    fn cached_bytes(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod memory {
    //! A store in memory, for tests of the operations.
    #![allow(clippy::unwrap_used)]
    use std::collections::{BTreeMap, HashSet};
    use std::sync::Mutex;

    use super::*;
    use crate::base::id::ChunkId;
    use crate::content::recipe::RecipeError;
    use crate::content::recipe::memory::Memory;

    #[derive(Default)]
    pub(crate) struct MemoryStore {
        pub chunks: Memory,
        pub roots: Mutex<BTreeMap<ReleaseName, ReleaseRoot>>,
        /// Chunks that come back as other bytes.
        pub broken: HashSet<ChunkId>,
    }

    impl ChunkSource for MemoryStore {
        type Bytes = <Memory as ChunkSource>::Bytes;

        fn chunk(&self, id: &ChunkId) -> Result<Self::Bytes, RecipeError> {
            let bytes = self.chunks.chunk(id)?;
            if self.broken.contains(id) {
                return Ok(bytes.iter().map(|byte| !byte).collect());
            }
            Ok(bytes)
        }

        fn prefetch(&self, _: &[ChunkId]) {}

        fn contains(&self, id: &ChunkId) -> bool {
            self.chunks.contains(id)
        }
    }

    impl Releases for MemoryStore {
        fn roots(&self) -> Result<Vec<ReleaseRoot>, BackendError> {
            Ok(self.roots.lock().unwrap().values().cloned().collect())
        }

        fn root(&self, name: &ReleaseName) -> Result<Option<ReleaseRoot>, BackendError> {
            Ok(self.roots.lock().unwrap().get(name).cloned())
        }
    }

    impl ReleasesMut for MemoryStore {
        type Writer<'a> = Memory;

        fn writer<'a>(&'a self, _: &'a dyn Monitor) -> Result<Memory, BackendError> {
            Ok(self.chunks.clone())
        }

        fn finish(&self, _: Memory) -> Result<Stored, BackendError> {
            Ok(Stored::default())
        }

        fn commit(&self, root: &ReleaseRoot) -> Result<ReleaseId, BackendError> {
            let mut roots = self.roots.lock().unwrap();
            roots.insert(root.name.clone(), root.clone());
            Ok(root.id())
        }
    }
}
