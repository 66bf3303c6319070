//! Headers of miniz and of its Rust port miniz_oxide in dynamic blocks.
//!
//! The rules were taken from miniz_oxide's `core.rs` (`optimize_table`): a plain Huffman tree over symbols sorted by count
//! and number, whose overlong codes are cut and paid for by the longest of the others.

use super::super::codes::Histogram;
use super::super::header::DynamicHeader;
use super::libdeflate::parents;
use super::{Lengths, assemble, used, write_run};

/// Longest codes of the block, and of code lengths.
const BITS_MAX: usize = 15;
const CL_BITS_MAX: usize = 7;

/// Builds the header of a block of these symbols.
pub(crate) fn header(histogram: &Histogram) -> DynamicHeader {
    let lengths = Lengths {
        lit: code_lengths(&histogram.lit, BITS_MAX),
        dist: code_lengths(&histogram.dist, BITS_MAX),
    };
    let lit_count = used(&lengths.lit, 257);
    let dist_count = used(&lengths.dist, 1);
    let mut all = lengths.lit[..lit_count].to_vec();
    all.extend_from_slice(&lengths.dist[..dist_count]);
    let mut ops = Vec::new();
    write_run(&all, &mut ops);
    assemble(&lengths, lit_count, dist_count, ops, |counts| {
        code_lengths(counts, CL_BITS_MAX)
    })
}

/// Returns the lengths of a code, none longer than `max`. A single symbol has one bit.
fn code_lengths<const N: usize>(counts: &[u32; N], max: usize) -> [u8; N] {
    let mut lens = [0; N];
    let mut used: Vec<_> = (0..N).filter(|symbol| counts[*symbol] > 0).collect();
    used.sort_by_key(|symbol| (counts[*symbol], *symbol));
    if let [symbol] = used[..] {
        lens[symbol] = 1;
    }
    if used.len() < 2 {
        return lens;
    }
    let leaves: Vec<_> = used
        .iter()
        .map(|symbol| u64::from(counts[*symbol]))
        .collect();
    // The most frequent symbols, at the end, get the shortest codes.
    let mut symbols = used.into_iter().rev();
    for (bits, count) in (1_u8..).zip(length_counts(&parents(&leaves), max)) {
        for symbol in symbols.by_ref().take(count) {
            lens[symbol] = bits;
        }
    }
    lens
}

/// Returns the number of codes of each length from 1 bit on, to `max` bits.
fn length_counts(parents: &[usize], max: usize) -> Vec<usize> {
    let root = parents.len() - 1;
    let mut depths = vec![0; parents.len()];
    // Each inner node has two children. Those that are inner nodes are no codes.
    let mut counts = vec![0; max + 1];
    let mut inner = vec![0; parents.len() + 1];
    for node in (0..root).rev() {
        depths[node] = depths[parents[node]] + 1;
        inner[depths[node]] += 1;
    }
    for node in 0..=root {
        counts[(depths[node] + 1).min(max)] += 2;
    }
    for (depth, count) in inner.iter().enumerate() {
        counts[depth.min(max)] -= count;
    }
    // What is cut takes more room than there is. A code of the longest goes, and one of the next shorter ones makes two.
    let taken: usize = (1..=max).map(|bits| counts[bits] << (max - bits)).sum();
    for _ in 1 << max..taken {
        counts[max] -= 1;
        if let Some(bits) = (1..max).rev().find(|bits| counts[*bits] > 0) {
            counts[bits] -= 1;
            counts[bits + 1] += 2;
        }
    }
    counts.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_complete_and_no_longer_than_they_may_be() {
        let mut steep = [1_u32; 30];
        for symbol in 2..30 {
            steep[symbol] = steep[symbol - 1] + steep[symbol - 2];
        }
        let flat = [7; 30];
        for (counts, longest) in [(steep, 15), (flat, 5)] {
            let lens = code_lengths(&counts, BITS_MAX);
            assert_eq!(lens.iter().max(), Some(&longest));
            let used: u32 = lens.iter().map(|len| 1 << (15 - len)).sum();
            assert_eq!(used, 1 << 15);
            assert!(lens.iter().rev().is_sorted());
        }
        assert_eq!(code_lengths(&[0, 3, 0], BITS_MAX), [0, 1, 0]);
        assert_eq!(code_lengths(&[0, 0, 0], BITS_MAX), [0, 0, 0]);
    }
}
