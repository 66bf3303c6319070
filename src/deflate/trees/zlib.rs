//! Headers of zlib (trees.c): a Huffman code from a heap. Ties go to the flatter tree, and overlong codes are shortened
//! afterwards.
//!
//! GNU gzip, pigz and all other programs that call zlib build the same.

use super::super::codes::Histogram;
use super::super::header::DynamicHeader;
use super::{Lengths, assemble, used, write_run};

/// Most symbols of a code.
const SYMBOLS_MAX: usize = 286;
const NODES_MAX: usize = 2 * SYMBOLS_MAX + 1;

/// Builds the header of a block.
pub(crate) fn header(histogram: &Histogram) -> DynamicHeader {
    let mut lengths = Lengths {
        lit: [0; 286],
        dist: [0; 30],
    };
    code(&histogram.lit, 15, &mut lengths.lit);
    code(&histogram.dist, 15, &mut lengths.dist);
    let lit_count = used(&lengths.lit, 257);
    let dist_count = used(&lengths.dist, 1);
    let mut ops = Vec::with_capacity(lit_count + dist_count);
    write_run(&lengths.lit[..lit_count], &mut ops);
    write_run(&lengths.dist[..dist_count], &mut ops);
    assemble(&lengths, lit_count, dist_count, ops, cl_tree)
}

/// Lengths of the code length code.
pub(crate) fn cl_tree(counts: &[u32; 19]) -> [u8; 19] {
    let mut lens = [0; 19];
    code(counts, 7, &mut lens);
    lens
}

struct Heap {
    /// Nodes. Indices from 1 on are a heap, lightest first.
    nodes: [usize; NODES_MAX],
    len: usize,
    weight: [u32; NODES_MAX],
    depth: [u16; NODES_MAX],
}

impl Heap {
    fn lighter(&self, one: usize, other: usize) -> bool {
        let (weight, than) = (self.weight[one], self.weight[other]);
        weight < than || weight == than && self.depth[one] <= self.depth[other]
    }

    /// Moves the node at `place` down until the heap order holds.
    fn sift(&mut self, mut place: usize) {
        let node = self.nodes[place];
        let mut child = 2 * place;
        while child <= self.len {
            if child < self.len && self.lighter(self.nodes[child + 1], self.nodes[child]) {
                child += 1;
            }
            if self.lighter(node, self.nodes[child]) {
                break;
            }
            self.nodes[place] = self.nodes[child];
            place = child;
            child *= 2;
        }
        self.nodes[place] = node;
    }
}

/// Lengths of the code for symbols that occur `counts` times, at most `bits_max` bits.
fn code(counts: &[u32], bits_max: usize, lens: &mut [u8]) {
    lens.fill(0);
    let mut heap = Heap {
        nodes: [0; NODES_MAX],
        len: 0,
        weight: [0; NODES_MAX],
        depth: [0; NODES_MAX],
    };
    let mut last = None;
    for (symbol, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        heap.len += 1;
        heap.nodes[heap.len] = symbol;
        heap.weight[symbol] = *count;
        last = Some(symbol);
    }
    // A code needs at least two symbols, so that a code of one symbol has a bit.
    while heap.len < 2 {
        let symbol = match last {
            Some(last) if last >= 2 => 0,
            Some(last) => last + 1,
            None => 0,
        };
        if last.is_none_or(|last| last < 2) {
            last = Some(symbol);
        }
        heap.len += 1;
        heap.nodes[heap.len] = symbol;
        heap.weight[symbol] = 1;
    }
    for place in (1..=heap.len / 2).rev() {
        heap.sift(place);
    }
    let mut parent = [0_usize; NODES_MAX];
    // Nodes in the order in which they left the heap.
    let mut left = Vec::with_capacity(2 * heap.len);
    let mut node = counts.len();
    loop {
        let one = heap.nodes[1];
        heap.nodes[1] = heap.nodes[heap.len];
        heap.len -= 1;
        heap.sift(1);
        let other = heap.nodes[1];
        left.extend([one, other]);
        heap.weight[node] = heap.weight[one].saturating_add(heap.weight[other]);
        heap.depth[node] = heap.depth[one].max(heap.depth[other]) + 1;
        parent[one] = node;
        parent[other] = node;
        heap.nodes[1] = node;
        node += 1;
        heap.sift(1);
        if heap.len < 2 {
            break;
        }
    }
    let root = heap.nodes[1];
    assign(counts.len(), &left, root, &parent, bits_max, lens);
}

/// Gives every leaf one bit more than its parent, or fewer where there is no room.
fn assign(
    symbol_count: usize,
    left: &[usize],
    root: usize,
    parent: &[usize; NODES_MAX],
    bits_max: usize,
    lens: &mut [u8],
) {
    let mut bits_of = [0_usize; NODES_MAX];
    let mut count = [0_usize; 17];
    let mut overflow = 0_usize;
    bits_of[root] = 0;
    for node in left.iter().rev() {
        let mut bits = bits_of[parent[*node]] + 1;
        if bits > bits_max {
            bits = bits_max;
            overflow += 1;
        }
        bits_of[*node] = bits;
        if *node < symbol_count {
            count[bits] += 1;
        }
    }
    let shortened = overflow > 0;
    while overflow > 0 {
        let mut bits = bits_max - 1;
        while count[bits] == 0 {
            bits -= 1;
        }
        count[bits] -= 1;
        count[bits + 1] += 2;
        count[bits_max] -= 1;
        overflow = overflow.saturating_sub(2);
    }
    let mut leaves = left.iter().filter(|node| **node < symbol_count);
    if shortened {
        for bits in (1..=bits_max).rev() {
            for node in leaves.by_ref().take(count[bits]) {
                bits_of[*node] = bits;
            }
        }
    }
    for node in left.iter().filter(|node| **node < symbol_count) {
        lens[*node] = u8::try_from(bits_of[*node]).expect("at most 15");
    }
}
