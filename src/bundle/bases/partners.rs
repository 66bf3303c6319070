//! Pairs files of machine code with old ones. References are known by their places, so old code is worth more as a base
//! when it is whole.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::marks::{MarkedChunks, OldChunk};
use crate::base::id::ChunkId;
use crate::bundle::programs::Programs;

/// How far the same content may have moved, besides a sixteenth of its place.
const MOVED_BYTES: u64 = 256 << 10;

/// A new chunk, and the numbers of old chunks that are like it with the marks they share.
type Liked<'a> = (&'a (ChunkId, &'a [u8]), &'a [(u32, u32)]);

/// Returns which of `code` are at about the places of the new chunks in the old files that are most like theirs.
pub(super) fn partners<'a>(
    programs: &Programs,
    dropped: &MarkedChunks,
    code: &[OldChunk],
    new: impl Iterator<Item = Liked<'a>>,
) -> Vec<usize> {
    // For each new file the part of it that is there, and the votes for old files.
    let mut files: BTreeMap<usize, (Range<u64>, BTreeMap<usize, u32>)> = BTreeMap::new();
    for ((id, plain), liked) in new {
        let Some((file, offset)) = programs.place(id) else {
            continue;
        };
        let end = offset + plain.len() as u64;
        let (range, votes) = files
            .entry(file)
            .or_insert_with(|| (offset..end, BTreeMap::new()));
        *range = range.start.min(offset)..range.end.max(end);
        for (number, count) in liked {
            if let Some((old, _)) = programs.place(&dropped.chunks[*number as usize].id) {
                *votes.entry(old).or_default() += count;
            }
        }
    }
    let partners: HashMap<usize, Range<u64>> = files
        .into_values()
        .filter_map(|(range, votes)| {
            let (old, _) = votes.into_iter().max_by_key(|(_, count)| *count)?;
            let moved = MOVED_BYTES + range.end / 16;
            Some((old, range.start.saturating_sub(moved)..range.end + moved))
        })
        .collect();
    let is_partner = |old: &OldChunk| {
        let Some((file, offset)) = programs.place(&old.id) else {
            return false;
        };
        partners
            .get(&file)
            .is_some_and(|range| offset < range.end && offset + u64::from(old.bytes) > range.start)
    };
    let numbered = code.iter().enumerate();
    numbered
        .filter(|(_, old)| is_partner(old))
        .map(|(number, _)| number)
        .collect()
}
