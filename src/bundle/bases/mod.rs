//! Chooses the old chunks that a solid frame is compressed against. Candidates are chunks that the recipient has and
//! the releases no longer need. Those that share most with the frame win, whatever their files were called.
//!
//! A chunk is represented by *marks*: hashes of 16 consecutive bytes, of which the hash values themselves select a
//! sample. Moved, renamed and differently cut content is therefore found, as well as content that changed in place.
//! Chunks that stay in the releases are no bases, but their changed neighbors are. Memory: 8 bytes a mark, 32 MiB at
//! most, and 48 bytes an old chunk.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, Have};
use crate::content::content_kind::ContentKind;
use crate::content::frame::BASES_MAX;
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::release::walk;
use crate::store::Store;

/// Most marks of all old chunks together.
const MARKS_MAX: u64 = 1 << 22;
/// One position in 2^8 is a mark, or fewer when there is much content.
const SPARSE_LOG: u32 = 8;
/// A mark that more old chunks share than this is ignored.
const OWNERS_MAX: usize = 16;
/// Old chunks that a new one may add by its marks.
const BEST_COUNT: usize = 4;
/// Old chunks of one kind are all taken when they have no more bytes than this.
const SMALL_BYTES: usize = 16 << 20;

/// An old chunk.
struct Old {
    id: ChunkId,
    bytes: u32,
    class: ContentKind,
}

/// The old chunks that may be bases.
pub(super) struct OldChunks {
    /// By content kind, and within a kind in the order in which the old releases need them.
    chunks: Vec<Old>,
    /// The mark and the number of its chunk, sorted.
    marks: Vec<(u32, u32)>,
    sparse_log: u32,
}

impl OldChunks {
    /// Reads the chunks of the recipient's newest release of each name for which `is_needed` returns false.
    ///
    /// # Errors
    /// [`BundleError`] when the store cannot provide them.
    pub(super) fn of(
        store: &Store,
        have: &Have,
        is_needed: impl Fn(&ChunkId) -> bool,
        monitor: &dyn Monitor,
    ) -> Result<Self, BundleError> {
        let mut ids: Vec<ChunkId> = Vec::new();
        let mut walker = Walker::new(store);
        // Newest first. Older releases have little that is closer, and the bundle should depend on as few releases as
        // possible.
        let newest = have
            .releases()
            .chunk_by(|one, other| {
                one.name.name() == other.name.name() && one.name.arch() == other.name.arch()
            })
            .filter_map(<[_]>::first);
        for root in newest {
            let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
                if have.contains(id) && !is_needed(id) {
                    ids.push(*id);
                }
                Ok(())
            };
            walk::release(&mut walker, root, &mut note)?;
        }
        let mut frames = store.frames_of(&mut ids.into_iter())?;
        frames.sort_by_key(|need| need.class as u8);
        let mut sparse_log = SPARSE_LOG;
        let plain_bytes: u64 = 4 * frames.iter().map(|need| need.share_bytes).sum::<u64>();
        // Fewer positions become marks until all marks fit the stated memory.
        while plain_bytes >> sparse_log > MARKS_MAX {
            sparse_log += 1;
        }
        let mut old = Self {
            chunks: Vec::new(),
            marks: Vec::new(),
            sparse_log,
        };
        for need in &frames {
            monitor.check_stop()?;
            let frame = store.load_frame(need)?;
            let places: HashMap<&ChunkId, _> =
                frame.chunks.iter().map(|(id, range)| (id, range)).collect();
            let wanted: Vec<(&ChunkId, &[u8])> = need
                .chunks
                .iter()
                .filter_map(|id| Some((id, &frame.plain[(*places.get(id)?).clone()])))
                .collect();
            let marks: Vec<Vec<u32>> = wanted
                .par_iter()
                .map(|(_, plain)| marks_of(plain, sparse_log))
                .collect();
            for ((id, plain), marks) in wanted.into_iter().zip(marks) {
                let number = u32::try_from(old.chunks.len()).expect("fewer chunks than places");
                old.chunks.push(Old {
                    id: *id,
                    bytes: u32::try_from(plain.len()).expect("chunks are bounded"),
                    class: need.class,
                });
                old.marks
                    .extend(marks.into_iter().map(|mark| (mark, number)));
            }
        }
        old.marks.sort_unstable();
        Ok(old)
    }

    /// Returns the bases for `chunks` of `class`, of up to `limit_bytes` together, in the order of the old chunks.
    pub(super) fn best_for(
        &self,
        class: ContentKind,
        chunks: &[(ChunkId, &[u8])],
        limit_bytes: usize,
    ) -> Vec<ChunkId> {
        let found: Vec<Vec<(u32, u32)>> = chunks
            .par_iter()
            .map(|(_, plain)| self.like(plain))
            .collect();
        let mut votes: BTreeMap<u32, u32> = BTreeMap::new();
        let of_class = self.of_class(class);
        let bytes_of = |number: usize| self.chunks[number].bytes as usize;
        if of_class.clone().map(bytes_of).sum::<usize>() <= SMALL_BYTES {
            votes.extend(
                (0_u32..)
                    .zip(&self.chunks)
                    .skip(of_class.start)
                    .take(of_class.len())
                    .map(|(number, _)| (number, 1)),
            );
        }
        for (number, count) in found.into_iter().flatten() {
            *votes.entry(number).or_default() += 2 * count;
            // The content at the edges of a chunk may continue in the next old chunk.
            for beside in [number.wrapping_sub(1), number + 1] {
                if (beside as usize) < self.chunks.len() {
                    *votes.entry(beside).or_default() += 1;
                }
            }
        }
        self.within_limits(votes, limit_bytes)
    }

    /// Returns the chunks with the most votes that fit a frame, in order.
    fn within_limits(&self, votes: BTreeMap<u32, u32>, limit_bytes: usize) -> Vec<ChunkId> {
        let mut ranked: Vec<(u32, u32)> = votes.into_iter().collect();
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked.truncate(BASES_MAX);
        let mut bytes = 0;
        ranked.retain(|(number, _)| {
            bytes += self.chunks[*number as usize].bytes as usize;
            bytes <= limit_bytes
        });
        ranked.sort_unstable();
        ranked
            .iter()
            .map(|(number, _)| self.chunks[*number as usize].id)
            .collect()
    }

    fn of_class(&self, class: ContentKind) -> std::ops::Range<usize> {
        let start = self
            .chunks
            .partition_point(|old| (old.class as u8) < class as u8);
        let end = self
            .chunks
            .partition_point(|old| old.class as u8 <= class as u8);
        start..end
    }

    /// Returns the old chunks that share most marks with `plain`, and how many they share.
    fn like(&self, plain: &[u8]) -> Vec<(u32, u32)> {
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
fn marks_of(plain: &[u8], sparse_log: u32) -> Vec<u32> {
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
