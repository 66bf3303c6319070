//! Huffman codes of literals: their lengths, their description and the choice between a new code and that of the block
//! before.
//!
//! The format is in RFC 8878, 4.2. Which code is taken, and how long codes are cut to 11 bits, decides bytes.

use super::bits::BitSink;
use super::fse::{CoderState, Coding, StateTable, SymbolCounts, floor_log};

/// Longest code, in bits.
const BITS_MAX: u32 = 11;
/// A part of literals is compressed to a fifteenth less, or not at all: a shift.
const GAIN_SHIFT: usize = 4;
/// Largest table of weights, as a power of two.
const WEIGHT_LOG_MAX: u32 = 6;
/// Weights that can be given without compression.
const PLAIN_WEIGHTS: usize = 128;

/// A code for bytes.
#[derive(Debug, Clone)]
struct ByteCode {
    /// Bits and length of each byte's code. A length of 0 stands for a byte without code.
    codes: [(u16, u8); 256],
    /// Longest code.
    bits: u8,
    /// Bytes up to the last that has a code.
    symbols: usize,
}

/// What becomes of literals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PackedLiterals {
    /// They do not get short enough.
    Plain,
    /// They are all the same.
    Same,
    Packed {
        bytes: Vec<u8>,
        /// Whether the code is that of the block before.
        is_old_code: bool,
    },
}

/// The code that blocks share.
#[derive(Debug, Clone, Default)]
pub(super) struct LiteralCoder {
    last: Option<Box<ByteCode>>,
    may_reuse: bool,
}

impl LiteralCoder {
    /// The next blocks need a new code.
    pub(super) fn forget(&mut self) {
        self.may_reuse = false;
    }

    /// The next blocks may take the code of the last that was compressed.
    pub(super) fn remember(&mut self) {
        self.may_reuse = true;
    }

    /// Compresses literals, in four streams or in one.
    pub(super) fn pack(&mut self, literals: &[u8], in_four: bool) -> PackedLiterals {
        if !self.may_reuse {
            self.last = None;
        }
        let mut counts = [0_u32; 256];
        for byte in literals {
            counts[usize::from(*byte)] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(0) as usize;
        let len = literals.len();
        let limit = len - (len >> GAIN_SHIFT);
        if most == len {
            return if len == 1 {
                PackedLiterals::Plain
            } else {
                PackedLiterals::Same
            };
        }
        if most == 1 || most < len >> 7 {
            return PackedLiterals::Plain;
        }
        let code = ByteCode::of(&counts, len);
        if let Some(old) = self.last.as_ref().filter(|old| old.covers(&counts))
            && (old.bytes_of(&counts) <= code.bytes_of(&counts) || limit <= 12)
        {
            let mut bytes = Vec::new();
            let fits = old.write(literals, in_four, &mut bytes);
            return match fits && bytes.len() < limit {
                true => PackedLiterals::Packed {
                    bytes,
                    is_old_code: true,
                },
                false => PackedLiterals::Plain,
            };
        }
        let mut bytes = Vec::new();
        if !code.describe(&mut bytes)
            || !code.write(literals, in_four, &mut bytes)
            || bytes.len() >= limit
        {
            return PackedLiterals::Plain;
        }
        self.last = Some(Box::new(code));
        PackedLiterals::Packed {
            bytes,
            is_old_code: false,
        }
    }
}

impl ByteCode {
    /// Makes the code of literals of which at least two differ.
    fn of(counts: &[u32; 256], len: usize) -> Self {
        let symbols = counts.iter().rposition(|count| *count > 0).unwrap_or(0) + 1;
        let mut sorted: Vec<(u32, u8)> = (0..=255_u8)
            .zip(counts)
            .filter(|(_, count)| **count > 0)
            .map(|(byte, count)| (*count, byte))
            .collect();
        sorted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let mut lengths = tree_lengths(&sorted);
        let most = limit_bits(len as u32, symbols as u32);
        let bits = cut_lengths(&sorted, &mut lengths, most);
        let mut codes = [(0, 0); 256];
        let mut of_length = [0_u16; BITS_MAX as usize + 2];
        for ((_, byte), length) in sorted.iter().zip(&lengths) {
            codes[usize::from(*byte)].1 = *length;
            of_length[usize::from(*length)] += 1;
        }
        // Long codes come first.
        let mut next = [0_u16; BITS_MAX as usize + 2];
        let mut code = 0;
        for length in (1..=usize::from(bits)).rev() {
            next[length] = code;
            code = (code + of_length[length]) >> 1;
        }
        for (code, length) in &mut codes {
            if *length > 0 {
                *code = next[usize::from(*length)];
                next[usize::from(*length)] += 1;
            }
        }
        Self {
            codes,
            bits,
            symbols,
        }
    }

    fn covers(&self, counts: &[u32; 256]) -> bool {
        let mut all = counts.iter().zip(&self.codes);
        all.all(|(count, (_, length))| *count == 0 || *length > 0)
    }

    /// Returns how many bytes literals take.
    fn bytes_of(&self, counts: &[u32; 256]) -> u32 {
        let each = counts.iter().zip(&self.codes);
        let bits: u32 = each
            .map(|(count, (_, length))| count * u32::from(*length))
            .sum();
        (bits + 7) >> 3
    }

    /// Appends the code (RFC 8878, 4.2.1). Returns whether that can be done.
    fn describe(&self, out: &mut Vec<u8>) -> bool {
        let count = self.symbols - 1;
        let weight = |length: u8| match length {
            0 => 0,
            length => self.bits + 1 - length,
        };
        let mut weights: Vec<u8> = self.codes[..count]
            .iter()
            .map(|(_, length)| weight(*length))
            .collect();
        if let Some(packed) = pack_weights(&weights)
            && packed.len() < self.symbols >> 1
        {
            out.push(packed.len() as u8);
            out.extend_from_slice(&packed);
            return true;
        }
        if count > PLAIN_WEIGHTS {
            return false;
        }
        out.push((127 + count) as u8);
        weights.push(0);
        let pairs = weights.chunks_exact(2);
        out.extend(pairs.map(|pair| (pair[0] << 4) | pair[1]));
        true
    }

    /// Appends coded literals. Returns whether their lengths can be stated.
    fn write(&self, literals: &[u8], in_four: bool, out: &mut Vec<u8>) -> bool {
        if !in_four {
            self.write_stream(literals, out);
            return true;
        }
        let lengths_at = out.len();
        out.extend_from_slice(&[0; 6]);
        for (no, part) in literals.chunks(literals.len().div_ceil(4)).enumerate() {
            let begin = out.len();
            self.write_stream(part, out);
            let Ok(length) = u16::try_from(out.len() - begin) else {
                return false;
            };
            if no < 3 {
                let at = lengths_at + 2 * no;
                out[at..at + 2].copy_from_slice(&length.to_le_bytes());
            }
        }
        true
    }

    fn write_stream(&self, literals: &[u8], out: &mut Vec<u8>) {
        let mut sink = BitSink::new(out);
        for byte in literals.iter().rev() {
            let (code, length) = self.codes[usize::from(*byte)];
            sink.push(code.into(), length.into());
        }
        sink.finish();
    }
}

/// Returns the lengths of codes for symbols that are sorted by falling counts.
fn tree_lengths(sorted: &[(u32, u8)]) -> Vec<u8> {
    let leaves = sorted.len();
    // Nodes: leaves in their order, then joints in the order in which they are made.
    let mut counts: Vec<u32> = sorted.iter().map(|(count, _)| *count).collect();
    let mut parents = vec![0; 2 * leaves];
    let (mut leaf, mut joint) = (leaves, leaves);
    while counts.len() < 2 * leaves - 1 {
        let mut sum = 0;
        for _ in 0..2 {
            let of_leaf = leaf.checked_sub(1).map(|last| counts[last]);
            let of_joint = counts.get(joint).copied();
            // Of equal ones a joint comes first.
            let is_leaf = match (of_leaf, of_joint) {
                (Some(of_leaf), Some(of_joint)) => of_leaf < of_joint,
                (of_leaf, _) => of_leaf.is_some(),
            };
            let node = if is_leaf {
                leaf -= 1;
                leaf
            } else {
                joint += 1;
                joint - 1
            };
            sum += counts[node];
            parents[node] = counts.len();
        }
        counts.push(sum);
    }
    let root = counts.len() - 1;
    let mut lengths = vec![0_u8; counts.len()];
    for node in (leaves..root).rev() {
        lengths[node] = lengths[parents[node]] + 1;
    }
    for node in 0..leaves {
        lengths[node] = lengths[parents[node]] + 1;
    }
    lengths.truncate(leaves);
    lengths
}

/// Returns how long codes may be.
fn limit_bits(len: u32, symbols: u32) -> u32 {
    let least = (floor_log(len) + 1).min(floor_log(symbols - 1).wrapping_add(2));
    let most = BITS_MAX.min(floor_log(len - 1) - 1);
    most.max(least).clamp(5, BITS_MAX)
}

/// Cuts lengths to `most` bits, and lengthens others for it. Returns the longest.
fn cut_lengths(sorted: &[(u32, u8)], lengths: &mut [u8], most: u32) -> u8 {
    let most = most as u8;
    let mut at = lengths.len() - 1;
    let longest = lengths[at];
    if longest <= most {
        return longest;
    }
    let shift = u32::from(longest - most);
    let mut debt = 0_i64;
    while lengths[at] > most {
        debt += (1_i64 << shift) - (1_i64 << (longest - lengths[at]));
        lengths[at] = most;
        at -= 1;
    }
    while lengths[at] == most {
        at -= 1;
    }
    debt >>= shift;
    // The last symbol whose code is so many bits shorter than the longest.
    let mut last_of = [None; BITS_MAX as usize + 2];
    let mut current = most;
    for place in (0..=at).rev() {
        if lengths[place] < current {
            current = lengths[place];
            last_of[usize::from(most - current)] = Some(place);
        }
    }
    while debt > 0 {
        let mut rank = debt.ilog2() as usize + 1;
        while rank > 1 {
            // A rank beyond the table has no symbol.
            let high = last_of.get(rank).copied().flatten();
            let low = last_of.get(rank - 1).copied().flatten();
            match (high, low) {
                (None, _) => {}
                (Some(_), None) => break,
                (Some(high), Some(low)) if sorted[high].0 <= 2 * sorted[low].0 => break,
                _ => {}
            }
            rank -= 1;
        }
        while rank <= BITS_MAX as usize && last_of[rank].is_none() {
            rank += 1;
        }
        let Some(place) = last_of.get(rank).copied().flatten() else {
            break;
        };
        debt -= 1 << (rank - 1);
        if last_of[rank - 1].is_none() {
            last_of[rank - 1] = Some(place);
        }
        lengths[place] += 1;
        last_of[rank] = place
            .checked_sub(1)
            .filter(|next| usize::from(most - lengths[*next]) == rank);
    }
    while debt < 0 {
        let place = match last_of[1] {
            Some(place) => place + 1,
            None => {
                while lengths[at] == most {
                    at -= 1;
                }
                at + 1
            }
        };
        lengths[place] -= 1;
        last_of[1] = Some(place);
        debt += 1;
    }
    most
}

/// Compresses weights with two states in turn. Returns `None` where that does not make them shorter.
fn pack_weights(weights: &[u8]) -> Option<Vec<u8>> {
    if weights.len() < 2 {
        return None;
    }
    let histogram = SymbolCounts::of(weights.iter().copied());
    if histogram.most == histogram.total || histogram.most == 1 {
        return None;
    }
    let source_bits = floor_log(histogram.total - 1) + 1;
    let log = histogram.log(source_bits, WEIGHT_LOG_MAX);
    let table = StateTable::of(&histogram, log)?;
    let mut out = Vec::new();
    table.describe(&mut out);
    let coding = Coding::Table(&table);
    let (last, rest) = weights.split_last()?;
    let (second, rest) = rest.split_last()?;
    let mut sink = BitSink::new(&mut out);
    // The first weight is read with the first state.
    let mut states = [
        CoderState::new(coding, *last),
        CoderState::new(coding, *second),
    ];
    for (no, weight) in rest.iter().rev().enumerate() {
        states[no % 2].code(*weight, &mut sink);
    }
    let [of_last, of_second] = states;
    let (first, second) = match weights.len() % 2 {
        1 => (of_last, of_second),
        _ => (of_second, of_last),
    };
    second.finish(&mut sink);
    first.finish(&mut sink);
    sink.finish();
    (out.len() < weights.len()).then_some(out)
}
