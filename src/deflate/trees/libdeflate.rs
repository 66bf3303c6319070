//! Headers of libdeflate (<https://github.com/ebiggers/libdeflate>) in dynamic blocks, all versions and levels.
//!
//! The rules were taken from its `lib/deflate_compress.c`. It builds a plain Huffman tree over symbols sorted by count
//! and number. Codes that are too long are shortened one by one, from the root on.

use super::super::codes::Histogram;
use super::super::header::DynamicHeader;
use super::{Lengths, assemble, used, write_run};

/// Longest codes of literals and lengths, of distances, and of code lengths.
const LIT_LEN_MAX: usize = 14;
const DIST_LEN_MAX: usize = 15;
const CL_LEN_MAX: usize = 7;

/// Builds the header of a block of these symbols, as versions up to 1.18 do.
pub(crate) fn header(histogram: &Histogram) -> DynamicHeader {
    build(histogram, None)
}

/// Builds the header as versions from 1.19 on do. They write two codes of distances where none is used.
pub(crate) fn header_paired(histogram: &Histogram) -> DynamicHeader {
    build(histogram, Some(0))
}

fn build(histogram: &Histogram, unused: Option<usize>) -> DynamicHeader {
    let lengths = Lengths {
        lit: code_lengths(&histogram.lit, LIT_LEN_MAX, unused),
        dist: code_lengths(&histogram.dist, DIST_LEN_MAX, unused),
    };
    let lit_count = used(&lengths.lit, 257);
    let dist_count = used(&lengths.dist, 1);
    let mut all = lengths.lit[..lit_count].to_vec();
    all.extend_from_slice(&lengths.dist[..dist_count]);
    let mut ops = Vec::new();
    write_run(&all, &mut ops);
    assemble(&lengths, lit_count, dist_count, ops, |counts| {
        code_lengths(counts, CL_LEN_MAX, unused)
    })
}

/// Returns the lengths of a code, none longer than `max` (`deflate_make_huffman_code`). A single symbol gets a second
/// one beside it. When no symbol is used, `unused` counts as used.
fn code_lengths<const N: usize>(counts: &[u32; N], max: usize, unused: Option<usize>) -> [u8; N] {
    let mut lens = [0; N];
    let mut used: Vec<_> = (0..N).filter(|symbol| counts[*symbol] > 0).collect();
    used.sort_by_key(|symbol| (counts[*symbol], *symbol));
    if used.len() < 2 {
        if let Some(symbol) = used.first().copied().or(unused) {
            lens[0] = 1;
            lens[symbol.max(1)] = 1;
        }
        return lens;
    }
    let leaves: Vec<_> = used
        .iter()
        .map(|symbol| u64::from(counts[*symbol]))
        .collect();
    let mut symbols = used.into_iter();
    for (len, count) in length_counts(&parents(&leaves), max)
        .into_iter()
        .enumerate()
        .rev()
    {
        for symbol in symbols.by_ref().take(count) {
            lens[symbol] = u8::try_from(len).expect("15 at most");
        }
    }
    lens
}

/// Returns the parents of the inner nodes of the tree over sorted leaves. The root is last and its own parent
/// (`build_tree`).
pub(super) fn parents(leaves: &[u64]) -> Vec<usize> {
    let count = leaves.len() - 1;
    let mut weights = Vec::with_capacity(count);
    let mut parents = vec![count - 1; count];
    let (mut leaf, mut inner) = (0, 0);
    for node in 0..count {
        let mut weight = 0;
        for _ in 0..2 {
            // Of a leaf and an inner node of the same weight the leaf comes first.
            if leaf < leaves.len() && (inner == node || leaves[leaf] <= weights[inner]) {
                weight += leaves[leaf];
                leaf += 1;
            } else {
                weight += weights[inner];
                parents[inner] = node;
                inner += 1;
            }
        }
        weights.push(weight);
    }
    parents
}

/// Returns the number of codes of each length (`compute_length_counts`). Each inner node, from the root on, turns one
/// code of its depth, or of the longest that may still grow, into two.
fn length_counts(parents: &[usize], max: usize) -> Vec<usize> {
    let mut counts = vec![0; max + 1];
    counts[1] = 2;
    let root = parents.len() - 1;
    let mut depths = vec![0; parents.len()];
    for node in (0..root).rev() {
        depths[node] = depths[parents[node]] + 1;
        let mut depth = depths[node];
        if depth >= max {
            depth = (1..max).rev().find(|depth| counts[*depth] > 0).unwrap_or(1);
        }
        counts[depth] -= 1;
        counts[depth + 1] += 2;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_histogram_gives_a_header_that_fits() {
        let mut seed = 7_u32;
        for round in 0..500 {
            let mut histogram = Histogram {
                lit: [0; 286],
                dist: [0; 30],
            };
            for count in histogram.lit.iter_mut().chain(&mut histogram.dist) {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *count = if seed >> 29 > round % 8 {
                    0
                } else {
                    (seed & 0xffff) >> (seed >> 16 & 15)
                };
            }
            histogram.lit[256] = 1;
            for header in [header(&histogram), header_paired(&histogram)] {
                assert!(super::super::super::codes::fits(header.lit_lens()));
                assert!(super::super::super::codes::fits(header.dist_lens()));
                assert_eq!(
                    header.ops.iter().map(|op| op.count()).sum::<usize>(),
                    header.lens.len()
                );
            }
        }
    }

    #[test]
    fn steep_counts_keep_to_the_longest_code() {
        let mut counts = [1_u32; 30];
        for symbol in 2..30 {
            counts[symbol] = counts[symbol - 1] + counts[symbol - 2];
        }
        let lens = code_lengths(&counts, DIST_LEN_MAX, None);
        assert_eq!(lens.iter().max(), Some(&15));
        let used: u32 = lens.iter().map(|len| 1 << (15 - len)).sum();
        assert_eq!(used, 1 << 15);
    }
}
