//! A set of chunks: the needed ones for `check` and `prune`, and those that a recipient has for `pack`.
//!
//! It holds 16 bytes a chunk, and up to four times that while it is built: 160 to 640 MB for ten million chunks.

use crate::base::id::ChunkId;
use crate::content::index::prefix;

/// A set of chunk ids, by their first 128 bits.
#[derive(Debug, Clone, Default)]
pub struct ChunkSet {
    prefixes: Vec<[u8; 16]>,
    /// Length of the sorted front, without duplicates.
    sorted: usize,
}

impl ChunkSet {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a set of the first 128 bits of ids.
    pub(super) fn of_prefixes(prefixes: Vec<[u8; 16]>) -> Self {
        let set = Self {
            prefixes,
            sorted: 0,
        };
        set.settled()
    }

    /// Adds a chunk.
    pub fn insert(&mut self, id: &ChunkId) {
        self.prefixes.push(prefix(id));
        // Duplicates are common, because most chunks of a release are also in the one before. Early sorting keeps the
        // unsorted part small.
        if self.prefixes.len() - self.sorted > self.sorted.max(1 << 16) {
            self.settle();
        }
    }

    /// Sorts what was added. A set must be settled before it is queried.
    fn settle(&mut self) {
        self.prefixes.sort_unstable();
        self.prefixes.dedup();
        self.sorted = self.prefixes.len();
    }

    /// Finishes building.
    pub(crate) fn settled(mut self) -> Self {
        self.settle();
        self
    }

    /// Returns whether the chunk is in the set. Only for a settled set.
    pub fn contains(&self, id: &ChunkId) -> bool {
        self.position(&prefix(id)).is_some()
    }

    /// Returns the number of chunks. Only for a settled set.
    pub fn len(&self) -> usize {
        self.prefixes().len()
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Removes the chunks for which `keep` returns false, by the first 128 bits of their ids. Only for a settled set.
    pub fn retain(&mut self, keep: impl FnMut(&[u8; 16]) -> bool) {
        debug_assert_eq!(self.sorted, self.prefixes.len(), "settled first");
        self.prefixes.retain(keep);
        self.sorted = self.prefixes.len();
    }

    /// Keeps the chunks that are in both sets. Only for settled sets.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.retain(|prefix| other.position(prefix).is_some());
    }

    /// Returns the position of a prefix among all, in order. Only for a settled set.
    pub(super) fn position(&self, prefix: &[u8; 16]) -> Option<usize> {
        debug_assert_eq!(self.sorted, self.prefixes.len(), "settled first");
        self.prefixes.binary_search(prefix).ok()
    }

    /// Returns a search for prefixes that come in ascending order. Only for a settled set.
    pub(super) fn ascending_search(&self) -> AscendingSearch<'_> {
        AscendingSearch {
            prefixes: self.prefixes(),
            at: 0,
        }
    }

    /// Returns the prefixes in order. Only for a settled set.
    pub(super) fn prefixes(&self) -> &[[u8; 16]] {
        &self.prefixes
    }
}

/// Finds many prefixes in a set, each from where the one before it was. One that is smaller begins anew.
pub(super) struct AscendingSearch<'s> {
    prefixes: &'s [[u8; 16]],
    at: usize,
}

impl AscendingSearch<'_> {
    /// Returns the position of a prefix among all, in order.
    pub(super) fn position(&mut self, prefix: &[u8; 16]) -> Option<usize> {
        if self.at > 0 && self.prefixes[self.at - 1] >= *prefix {
            self.at = 0;
        }
        let rest = &self.prefixes[self.at..];
        // Twice as far each time, since the next one is mostly near.
        let mut far = 1;
        while rest.get(far).is_some_and(|other| other < prefix) {
            far *= 2;
        }
        let near = &rest[..rest.len().min(far + 1)];
        self.at += near.partition_point(|other| other < prefix);
        (self.prefixes.get(self.at) == Some(prefix)).then_some(self.at)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_found_in_any_order() {
        let of = |number: u32| {
            let mut prefix = [0; 16];
            prefix[..4].copy_from_slice(&number.to_be_bytes());
            prefix
        };
        for count in [0, 1, 2, 3, 100, 1000] {
            let set = ChunkSet::of_prefixes((0..count).map(|at| of(at * 3)).collect());
            let mut search = set.ascending_search();
            let runs = [
                (0..3 * count + 4).collect::<Vec<u32>>(),
                (0..3 * count + 4).rev().collect(),
                (0..500).map(|at| at * 7919 % (3 * count + 4)).collect(),
                vec![3, 3, 3, 0, 0, 6],
            ];
            for number in runs.concat() {
                let found = search.position(&of(number));
                assert_eq!(found, set.position(&of(number)), "{number} of {count}");
            }
        }
    }
}
