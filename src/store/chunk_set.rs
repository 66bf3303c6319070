//! A set of chunks: which are needed, for `check` and `prune`; which a receiver has, for `pack`.
//!
//! It holds 16 bytes a chunk, and up to four times that while it is built: 160 to 640 MB for ten million chunks.

use crate::base::id::ChunkId;
use crate::content::index::prefix;

/// A set of chunk ids, by their first 128 bits.
#[derive(Debug, Clone, Default)]
pub struct ChunkSet {
    prefixes: Vec<[u8; 16]>,
    /// Length of the sorted front, without doubles.
    sorted: usize,
}

impl ChunkSet {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a chunk.
    pub fn insert(&mut self, id: &ChunkId) {
        self.prefixes.push(prefix(id));
        // Doubles are common (most chunks of a release are those of the last): what is unsorted stays small.
        if self.prefixes.len() - self.sorted > self.sorted.max(1 << 16) {
            self.settle();
        }
    }

    /// Sorts what was added; a set must be settled before it is asked.
    fn settle(&mut self) {
        self.prefixes.sort_unstable();
        self.prefixes.dedup();
        self.sorted = self.prefixes.len();
    }

    /// Ends building.
    pub fn settled(mut self) -> Self {
        self.settle();
        self
    }

    /// Whether the chunk is in the set. Only for a settled set.
    pub fn contains(&self, id: &ChunkId) -> bool {
        self.position(&prefix(id)).is_some()
    }

    /// Number of chunks. Only for a settled set.
    pub fn len(&self) -> usize {
        self.prefixes().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Takes out those of which `keep` says no, by the first 128 bits of their ids. Only for a settled set.
    pub fn retain(&mut self, keep: impl FnMut(&[u8; 16]) -> bool) {
        debug_assert_eq!(self.sorted, self.prefixes.len(), "settled first");
        self.prefixes.retain(keep);
        self.sorted = self.prefixes.len();
    }

    /// Keeps what is in both. Only for settled sets.
    pub fn intersect(&mut self, other: &Self) {
        self.retain(|prefix| other.position(prefix).is_some());
    }

    /// Returns the place of a prefix among all, in order. Only for a settled set.
    pub(super) fn position(&self, prefix: &[u8; 16]) -> Option<usize> {
        debug_assert_eq!(self.sorted, self.prefixes.len(), "settled first");
        self.prefixes.binary_search(prefix).ok()
    }

    /// Returns the prefixes in order. Only for a settled set.
    pub(super) fn prefixes(&self) -> &[[u8; 16]] {
        &self.prefixes
    }
}

impl<'a> Extend<&'a ChunkId> for ChunkSet {
    fn extend<T: IntoIterator<Item = &'a ChunkId>>(&mut self, ids: T) {
        for id in ids {
            self.insert(id);
        }
    }
}

impl FromIterator<ChunkId> for ChunkSet {
    fn from_iter<T: IntoIterator<Item = ChunkId>>(ids: T) -> Self {
        let mut set = Self::new();
        ids.into_iter().for_each(|id| set.insert(&id));
        set
    }
}
