//! Cuts long contents into chunks at places that depend on the bytes, so that an insertion moves few cuts.
//!
//! It only finds lengths. Its callers apply the rule that a file of up to 64 KiB is one chunk. Cut points are part of
//! the format (docs/format.md, Chunks). The same bytes must always be cut alike, or no stored chunk would be found
//! again.

/// Fewest bytes of a chunk that is not the last of its content.
pub(crate) const CHUNK_MIN: usize = 16 * 1024;
/// Approximate mean length of a chunk. Cuts are rare up to here and frequent behind it.
pub(crate) const CHUNK_AVERAGE: usize = 64 * 1024;
/// Most bytes of a chunk.
pub const CHUNK_MAX: usize = 256 * 1024;

/// Eighteen bits below the topmost: one cut in 2^18 places before [`CHUNK_AVERAGE`].
const RARE: u64 = ((1 << 18) - 1) << 45;
/// Fourteen bits below the topmost: one cut in 2^14 places behind it.
const FREQUENT: u64 = ((1 << 14) - 1) << 49;

/// A pseudorandom number for every byte: the outputs of splitmix64 from state 0.
const GEAR: [u64; 256] = gear_table();
/// [`GEAR`] shifted by one, for rolling two bytes at a step.
const GEAR_SHIFTED: [u64; 256] = shifted(GEAR);

const fn gear_table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut state: u64 = 0;
    let mut at = 0;
    while at < table.len() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[at] = z ^ (z >> 31);
        at += 1;
    }
    table
}

const fn shifted(mut table: [u64; 256]) -> [u64; 256] {
    let mut at = 0;
    while at < table.len() {
        table[at] <<= 1;
        at += 1;
    }
    table
}

/// The content-defined cutter: a gear hash with normalized chunking, as in FastCDC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cutter;

impl Cutter {
    /// Returns the length of the first chunk of `bytes`. Returns 0 only when `bytes` is empty.
    ///
    /// `bytes` must hold at least [`CHUNK_MAX`] bytes unless the content ends, because it is taken for the whole
    /// content.
    pub fn cut(bytes: &[u8]) -> usize {
        let end = bytes.len().min(CHUNK_MAX);
        if end <= CHUNK_MIN {
            return end;
        }
        let middle = end.min(CHUNK_AVERAGE);
        let mut hash = 0;
        // The hash rolls on from one range to the other, so the masks alone differ.
        find(bytes, CHUNK_MIN..middle, RARE, &mut hash)
            .or_else(|| find(bytes, middle..end, FREQUENT, &mut hash))
            .unwrap_or(end)
    }

    /// Cuts a whole content into its chunks.
    #[cfg(test)]
    pub fn split(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            let (first, rest) = bytes.split_at(Self::cut(bytes));
            bytes = rest;
            Some(first)
        })
    }
}

/// Rolls `hash` over `range` and returns the length up to and including the first byte that leaves the bits of `mask`
/// zero. `mask` leaves the top bit out, so that one bit may be shifted in ahead of the second byte of a step.
fn find(bytes: &[u8], range: std::ops::Range<usize>, mask: u64, hash: &mut u64) -> Option<usize> {
    let start = range.start;
    let mut rolled = *hash;
    let (pairs, odd) = bytes[range].as_chunks::<2>();
    for (step, [first, second]) in pairs.iter().enumerate() {
        rolled = (rolled << 2).wrapping_add(GEAR_SHIFTED[usize::from(*first)]);
        if rolled & (mask << 1) == 0 {
            return Some(start + step * 2 + 1);
        }
        rolled = rolled.wrapping_add(GEAR[usize::from(*second)]);
        if rolled & mask == 0 {
            return Some(start + step * 2 + 2);
        }
    }
    if let [last] = odd {
        rolled = (rolled << 1).wrapping_add(GEAR[usize::from(*last)]);
        if rolled & mask == 0 {
            return Some(start + pairs.len() * 2 + 1);
        }
    }
    *hash = rolled;
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns bytes from splitmix64 with another start. They must never change, because the golden cuts depend on them.
    fn noise(seed: u64, len: usize) -> Vec<u8> {
        let mut state = seed;
        let mut out = Vec::with_capacity(len + 8);
        while out.len() < len {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            out.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
        }
        out.truncate(len);
        out
    }

    /// Cuts by the definition in docs/format.md, one byte at a time.
    fn cut_plainly(bytes: &[u8]) -> usize {
        let end = bytes.len().min(CHUNK_MAX);
        let mut hash: u64 = 0;
        for at in CHUNK_MIN..end {
            hash = (hash << 1).wrapping_add(GEAR[usize::from(bytes[at])]);
            let mask = if at < CHUNK_AVERAGE { RARE } else { FREQUENT };
            if hash & mask == 0 {
                return at + 1;
            }
        }
        end
    }

    #[test]
    fn golden_cut_points() {
        let bytes = noise(42, 1 << 20);
        let cuts: Vec<usize> = Cutter::split(&bytes).map(<[u8]>::len).collect();
        assert_eq!(cuts, GOLDEN);
        assert_eq!(GEAR[0], 0xe220_a839_7b1d_cdaf);
    }

    const GOLDEN: &[usize] = &[
        22599, 104532, 24212, 17781, 46956, 82472, 82656, 85093, 68853, 16614, 66153, 65789, 22486,
        39572, 83923, 84798, 89863, 44224,
    ];

    #[test]
    fn an_insertion_moves_few_cuts() {
        let bytes = noise(7, 4 << 20);
        let mut edited = bytes.clone();
        edited.splice(100_000..100_000, *b"inserted");
        let before: std::collections::HashSet<&[u8]> = Cutter::split(&bytes).collect();
        let new = Cutter::split(&edited)
            .filter(|chunk| !before.contains(chunk))
            .count();
        assert!(new <= 3, "{new} chunks changed");
    }

    #[test]
    fn uniform_bytes_are_cut_at_the_bounds() {
        let zeros = vec![0; CHUNK_MAX * 2];
        assert!(Cutter::split(&zeros).all(|chunk| (CHUNK_MIN..=CHUNK_MAX).contains(&chunk.len())));
        assert_eq!(Cutter::cut(&[]), 0);
        assert_eq!(Cutter::cut(&[1]), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn chunks_join_to_the_content_and_match_the_definition(seed: u64, len in 0_usize..600_000) {
            let bytes = noise(seed, len);
            let mut joined = Vec::new();
            for chunk in Cutter::split(&bytes) {
                prop_assert_eq!(chunk.len(), cut_plainly(&bytes[joined.len()..]));
                joined.extend_from_slice(chunk);
            }
            prop_assert_eq!(joined, bytes);
        }
    }
}
