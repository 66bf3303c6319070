//! Headers of Go's compress/flate (huffman_code.go and huffman_bit_writer.go). The best code of a limited length is
//! found by the package-merge method (Larmore and Hirschberg, 1990). The most frequent symbols get the shortest codes,
//! later symbols first.

use super::super::codes::Histogram;
use super::super::header::DynamicHeader;
use super::{Lengths, assemble, used, write_run};

/// Most bits of a code of the block, and of the code length code.
const BITS_MAX: usize = 15;
const CL_BITS_MAX: usize = 7;

/// Builds the header of a block.
pub(crate) fn header(histogram: &Histogram) -> DynamicHeader {
    let mut dist_counts = histogram.dist;
    if dist_counts.iter().all(|count| *count == 0) {
        dist_counts[0] = 1;
    }
    let mut lengths = Lengths {
        lit: [0; 286],
        dist: [0; 30],
    };
    limited(&histogram.lit, BITS_MAX, &mut lengths.lit);
    limited(&dist_counts, BITS_MAX, &mut lengths.dist);
    finish(&lengths, used(&lengths.lit, 257), used(&lengths.dist, 1))
}

/// Writes the lengths of both codes in one run.
pub(crate) fn finish(lengths: &Lengths, lit_count: usize, dist_count: usize) -> DynamicHeader {
    let mut all = lengths.lit[..lit_count].to_vec();
    all.extend_from_slice(&lengths.dist[..dist_count]);
    let mut ops = Vec::with_capacity(all.len());
    write_run(&all, &mut ops);
    assemble(lengths, lit_count, dist_count, ops, cl_tree)
}

/// Lengths of the code length code.
pub(crate) fn cl_tree(counts: &[u32; 19]) -> [u8; 19] {
    let mut lens = [0; 19];
    limited(counts, CL_BITS_MAX, &mut lens);
    lens
}

/// Lengths of the best code of at most `bits_max` bits for symbols that occur `counts` times.
pub(crate) fn limited(counts: &[u32], bits_max: usize, lens: &mut [u8]) {
    lens.fill(0);
    let mut leaves: Vec<(u32, usize)> = Vec::with_capacity(counts.len());
    leaves.extend(
        counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(symbol, count)| (*count, symbol)),
    );
    if leaves.len() <= 2 {
        for (_, symbol) in leaves {
            lens[symbol] = 1;
        }
        return;
    }
    leaves.sort_unstable();
    let bits_max = bits_max.min(leaves.len() - 1);

    // Each level holds leaves and pairs of the level below, by weight, a pair before a leaf of the same weight. Each
    // item keeps only its weight and whether it is a leaf.
    let mut levels: Vec<Vec<bool>> = Vec::with_capacity(bits_max);
    let mut below: Vec<u64> = Vec::new();
    for _ in 0..bits_max {
        let mut pairs = below
            .chunks_exact(2)
            .map(|pair| pair[0] + pair[1])
            .peekable();
        let mut single = leaves.iter().map(|(count, _)| u64::from(*count)).peekable();
        let mut items = Vec::with_capacity(2 * leaves.len());
        let mut kinds = Vec::with_capacity(2 * leaves.len());
        while kinds.len() < 2 * leaves.len() - 2 {
            let leaf = match (single.peek(), pairs.peek()) {
                (Some(leaf), Some(pair)) => leaf < pair,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => break,
            };
            let weight = if leaf { single.next() } else { pairs.next() };
            items.extend(weight);
            kinds.push(leaf);
        }
        below = items;
        levels.push(kinds);
    }
    // From the top level down: counts the leaves among the needed items.
    let mut needed = 2 * leaves.len() - 2;
    let mut in_level = Vec::with_capacity(bits_max);
    for kinds in levels.iter().rev() {
        let taken = &kinds[..needed.min(kinds.len())];
        let leaf_count = taken.iter().filter(|leaf| **leaf).count();
        in_level.push(leaf_count);
        needed = 2 * (taken.len() - leaf_count);
    }
    in_level.push(0);
    // A leaf that is needed at `bits` levels has a code of that many bits. The rarest leaves are needed at all levels.
    let mut rest = leaves.len();
    for (bits, pair) in (1_u8..).zip(in_level.windows(2)) {
        let count = pair[0].saturating_sub(pair[1]).min(rest);
        for (_, symbol) in &leaves[rest - count..rest] {
            lens[*symbol] = bits;
        }
        rest -= count;
    }
}
