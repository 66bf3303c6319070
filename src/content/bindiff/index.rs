//! Finds places in the old bytes by twelve of the new bytes: chains of places with the same hash.
//!
//! It only finds places. `align` decides what is worth copying.

use crate::base::roomy::roomy;

/// Bytes that are hashed together. Fewer would be found at too many places.
const SEED_BYTES: usize = 12;
/// Places with one hash that are compared for a script. More had no measurable gain.
pub(super) const DEPTH: usize = 8;
/// The same for an alignment by which references vote. More makes frames smaller by 0.7 % at most.
pub(super) const COARSE_DEPTH: usize = 4;
/// When the old bytes at the likely place match for this long, no other place is searched.
const GOOD_BYTES: usize = 32;
const HASH_BITS_MAX: u32 = 24;
const NOWHERE: u32 = u32::MAX;
/// Places of the new bytes whose chains are read ahead together.
pub(super) const AHEAD_PLACES: usize = 16;
/// Links of each of these chains that are read ahead.
const AHEAD_LINKS: usize = 2;
/// Places that are inserted together.
const BLOCK_PLACES: usize = 64;

/// The places of the old bytes by hash. Takes 4 bytes for each place that is indexed, and up to 64 MiB.
pub(super) struct OldBytesIndex<'a> {
    pub(super) old: &'a [u8],
    heads: Vec<u32>,
    /// For each place, the next place with the same hash. Places are counted in steps.
    nexts: Vec<u32>,
    hash_bits: u32,
    step: usize,
    depth: usize,
}

/// A place in the old bytes, and the number of matching bytes from there on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) from: usize,
    pub(super) bytes: usize,
}

impl<'a> OldBytesIndex<'a> {
    /// Indexes every place of `old` that is a multiple of `step`. Of those with one
    /// hash, `depth` are compared. Returns `None` when it has 4 GiB or more.
    pub(super) fn of(old: &'a [u8], step: usize, depth: usize) -> Option<Self> {
        u32::try_from(old.len()).ok()?;
        let hash_bits = (old.len() / step).max(256).ilog2().min(HASH_BITS_MAX);
        let mut heads = places(1 << hash_bits);
        let mut nexts = places(old.len().div_ceil(step));
        let mut last = usize::MAX;
        // Places are inserted from the end, so that the first place becomes the first in its chain.
        let seed_count = old.windows(SEED_BYTES).step_by(step).len();
        let mut hashes = [0; BLOCK_PLACES];
        let mut end = seed_count;
        while end > 0 {
            let begin = end.saturating_sub(BLOCK_PLACES);
            let hashes = &mut hashes[..end - begin];
            for (at, hashed) in hashes.iter_mut().enumerate() {
                let place = (begin + at) * step;
                *hashed = hash(&old[place..place + SEED_BYTES], hash_bits);
            }
            // The table is larger than any cache. Reads that wait for nothing are answered many at a time.
            std::hint::black_box(hashes.iter().fold(0, |all, hash| all ^ heads[*hash]));
            for (at, hash) in hashes.iter().enumerate().rev() {
                let number = begin + at;
                // In a run of one byte the first place stands for all, because the others would fill the chain.
                nexts[number] = if *hash == last {
                    nexts[number + 1]
                } else {
                    heads[*hash]
                };
                heads[*hash] = u32::try_from(number).unwrap_or(NOWHERE);
                last = *hash;
            }
            end = begin;
        }
        Some(Self {
            old,
            heads,
            nexts,
            hash_bits,
            step,
            depth,
        })
    }

    /// Brings what [`Self::longest`] needs for the first [`AHEAD_PLACES`] places of `wanted` into the caches. One after
    /// the other, each place would wait for the memory once for each link of its chain.
    pub(super) fn read_ahead(&self, wanted: &[u8]) {
        let mut numbers = [NOWHERE; AHEAD_PLACES];
        for (number, seed) in numbers.iter_mut().zip(wanted.windows(SEED_BYTES)) {
            *number = self.heads[hash(seed, self.hash_bits)];
        }
        let mut all = 0;
        for _ in 0..AHEAD_LINKS {
            for number in numbers.iter_mut().filter(|number| **number != NOWHERE) {
                let from = *number as usize * self.step;
                *number = self.nexts[*number as usize];
                all ^= *number ^ u32::from(self.old[from]);
            }
        }
        std::hint::black_box(all);
    }

    /// Returns the longest run of old bytes that `wanted` begins with. `likely` is compared first. Subtracts the
    /// compared bytes from `work_left`.
    pub(super) fn longest(
        &self,
        wanted: &[u8],
        likely: Option<usize>,
        work_left: &mut u64,
    ) -> Match {
        let mut best = Match::default();
        if let Some(from) = likely.filter(|from| *from < self.old.len()) {
            let bytes = common(&self.old[from..], wanted);
            *work_left = work_left.saturating_sub(bytes as u64);
            best = Match { from, bytes };
        }
        if best.bytes >= GOOD_BYTES || wanted.len() < SEED_BYTES {
            return best;
        }
        let mut number = self.heads[hash(wanted, self.hash_bits)];
        for _ in 0..self.depth {
            if number == NOWHERE {
                break;
            }
            let from = number as usize * self.step;
            // A match can be longer than the best only when this byte agrees, too.
            if self.old.get(from + best.bytes) == wanted.get(best.bytes) {
                let bytes = common(&self.old[from..], wanted);
                *work_left = work_left.saturating_sub(bytes as u64);
                if bytes > best.bytes {
                    best = Match { from, bytes };
                }
            }
            number = self.nexts[number as usize];
        }
        best
    }
}

/// Returns `count` places that are nowhere.
fn places(count: usize) -> Vec<u32> {
    let mut places = roomy(count);
    places.resize(count, NOWHERE);
    places
}

fn hash(seed: &[u8], bits: u32) -> usize {
    let mut low = [0; 8];
    low.copy_from_slice(&seed[..8]);
    let mut high = [0; 4];
    high.copy_from_slice(&seed[8..SEED_BYTES]);
    let mixed = u64::from_le_bytes(low).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ u64::from(u32::from_le_bytes(high))
            .wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            .rotate_left(31);
    let hash = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits);
    usize::try_from(hash).unwrap_or(0)
}

/// Returns the number of equal bytes at the beginning of two slices.
fn common(one: &[u8], other: &[u8]) -> usize {
    let words = one.chunks_exact(8).zip(other.chunks_exact(8));
    let mut same = 0;
    for (one, other) in words {
        if one != other {
            break;
        }
        same += 8;
    }
    same + one[same..]
        .iter()
        .zip(&other[same..])
        .take_while(|(one, other)| one == other)
        .count()
}
