//! Estimates, as level 9 does, how many bits a match saves.

use super::super::super::codes::{distance_base, distance_symbol};
use super::super::super::token::WINDOW;
use super::super::super::trees::go;
use super::Era;

/// Bytes of the window that are counted, from 1.18.2 on.
const COUNTED: usize = 32 * 1024;
/// Most bits of a literal.
const BITS_MAX: usize = 15;

/// Bits of a literal, by a code for the window's bytes.
pub(super) struct Costs([u8; 256]);

impl Costs {
    pub(super) fn new() -> Self {
        Self([0; 256])
    }

    /// Computes a code for the rest of a window. Counts have 16 bits, as in the writer.
    pub(super) fn set(&mut self, bytes: &[u8], era: Era) {
        let mut counts = [0_u32; 256];
        let counted = match era {
            Era::From1_18_2 | Era::Go1_27 => bytes.len().min(COUNTED),
            _ => bytes.len(),
        };
        for byte in &bytes[..counted] {
            counts[usize::from(*byte)] += 1;
        }
        for count in &mut counts {
            *count &= 0xffff;
        }
        go::limited(&counts, BITS_MAX, &mut self.0);
        if era >= Era::Go1_27 {
            for cost in &mut self.0 {
                *cost = (*cost).max(1);
            }
        }
    }

    /// Returns the bits that a match for `bytes` saves.
    #[inline]
    pub(super) fn saved(&self, bytes: &[u8], dist: usize, era: Era) -> i32 {
        let literals: i32 = bytes
            .iter()
            .map(|byte| i32::from(self.0[usize::from(*byte)]))
            .sum();
        let base = if era >= Era::From1_15_15 { 3 } else { 6 };
        literals - distance_extra(dist) - base - length_extra(bytes.len())
    }
}

/// Returns the extra bits of a distance as the writer counts them: those of the next symbol, and six for the farthest.
fn distance_extra(dist: usize) -> i32 {
    match u32::try_from(dist + 1) {
        Ok(next) if dist < WINDOW => distance_base(distance_symbol(next)).1.cast_signed(),
        _ => 6,
    }
}

/// Returns the extra bits of a length.
fn length_extra(len: usize) -> i32 {
    match len {
        ..11 | 258.. => 0,
        _ => (len - 3).ilog2().cast_signed() - 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_bits_are_those_of_deflate() {
        assert_eq!(
            [10, 11, 18, 19, 130, 131, 257, 258].map(length_extra),
            [0, 1, 1, 2, 4, 5, 5, 0]
        );
        assert_eq!(
            [1, 3, 4, 24576, 32767, 32768].map(distance_extra),
            [0, 0, 1, 13, 13, 6]
        );
    }

    #[test]
    fn a_rare_byte_costs_more() {
        let mut costs = Costs::new();
        costs.set(b"aaaaaaaabbbbccd", Era::From1_15_15);
        // Literals of 1, 2, 3 and 3 bits.
        assert_eq!(costs.saved(b"abcd", 1, Era::From1_15_15), 9 - 3);
        assert_eq!(costs.saved(b"abcx", 1, Era::From1_14_2), 6 - 6);
    }
}
