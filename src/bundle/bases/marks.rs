//! Marks of chunks: hashes of 16 consecutive bytes, of which the hash values themselves select a sample. They find
//! content wherever it moved.

use std::collections::HashMap;

use super::MARKS_MAX;
use crate::base::id::ChunkId;
use crate::content::content_kind::ContentKind;

/// A mark that more chunks share than this is ignored.
const OWNERS_MAX: usize = 16;
/// Chunks that one plain chunk finds by its marks.
const BEST_COUNT: usize = 4;

/// A chunk that may be a base.
pub(super) struct OldChunk {
    pub(super) id: ChunkId,
    pub(super) bytes: u32,
    pub(super) class: ContentKind,
}

impl OldChunk {
    pub(super) fn new(id: ChunkId, plain: &[u8], class: ContentKind) -> Self {
        let bytes = u32::try_from(plain.len()).expect("chunks are bounded");
        Self { id, bytes, class }
    }
}

/// Chunks and their marks.
pub(super) struct MarkedChunks {
    pub(super) chunks: Vec<OldChunk>,
    /// The mark and the number of its chunk, sorted once [`MarkedChunks::settled`].
    marks: Vec<(u32, u32)>,
    /// One position in 2^this is a mark.
    pub(super) sparse_log: u32,
}

impl MarkedChunks {
    pub(super) fn new(sparse_log: u32) -> Self {
        Self {
            chunks: Vec::new(),
            marks: Vec::new(),
            sparse_log,
        }
    }

    pub(super) fn push(&mut self, chunk: OldChunk, marks: impl IntoIterator<Item = u32>) {
        let number = u32::try_from(self.chunks.len()).expect("fewer chunks than places");
        self.chunks.push(chunk);
        self.marks
            .extend(marks.into_iter().map(|mark| (mark, number)));
    }

    /// Returns whether there are so many marks that no more are to be remembered.
    pub(super) fn is_full(&self) -> bool {
        self.marks.len() as u64 >= MARKS_MAX
    }

    /// Sorts the marks. Nothing is found before.
    pub(super) fn settled(mut self) -> Self {
        self.marks.sort_unstable();
        self
    }

    /// Returns whether at least half of the marks of `plain` are here. A chunk without marks counts as found.
    pub(super) fn has_half_of(&self, plain: &[u8]) -> bool {
        let marks = marks_of(plain, self.sparse_log);
        let is_here = |mark: &&u32| {
            self.marks
                .binary_search_by_key(*mark, |(other, _)| *other)
                .is_ok()
        };
        2 * marks.iter().filter(is_here).count() >= marks.len()
    }

    /// Returns the chunks that share most marks with `plain`, and how many they share.
    pub(super) fn like(&self, plain: &[u8]) -> Vec<(u32, u32)> {
        let mut shared: HashMap<u32, u32> = HashMap::new();
        for mark in marks_of(plain, self.sparse_log) {
            let from = self.marks.partition_point(|(other, _)| *other < mark);
            let owners = self.marks[from..]
                .iter()
                .take_while(|(other, _)| *other == mark)
                .take(OWNERS_MAX + 1);
            if owners.clone().count() <= OWNERS_MAX {
                for (_, number) in owners {
                    *shared.entry(*number).or_default() += 1;
                }
            }
        }
        let mut ranked: Vec<(u32, u32)> = shared.into_iter().collect();
        // The number breaks ties, because the map has a random order and the bundle must not.
        ranked.sort_by_key(|(number, count)| (std::cmp::Reverse(*count), *number));
        ranked.truncate(BEST_COUNT);
        ranked
    }
}

/// Returns the marks of a chunk, each once: one position in 2^`sparse_log`.
pub(super) fn marks_of(plain: &[u8], sparse_log: u32) -> Vec<u32> {
    let mut marks = Vec::new();
    for place in plain.windows(16) {
        let (Some(low), Some(high)) = (place.first_chunk::<8>(), place.last_chunk::<8>()) else {
            continue;
        };
        let hash = u64::from_le_bytes(*low)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
            .wrapping_add(u64::from_le_bytes(*high))
            .wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        if hash >> (64 - sparse_log) == 0 {
            // These are bits below those that selected the mark.
            marks.push(u32::try_from((hash >> 16) & 0xffff_ffff).unwrap_or(0));
        }
    }
    marks.sort_unstable();
    marks.dedup();
    marks
}
