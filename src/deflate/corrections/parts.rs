//! Where the script is cut into parts, each of which has a coder and chances of its own.
//!
//! A change of the text changes the parts around it, and those behind are the same bytes again.

use super::super::token::Token;

/// Fewest bytes of a part.
const PART_BYTES_MIN: u32 = 512;
/// A part ends where its bytes, doubled for each zero that the place's hash begins with, are as many as this.
const PART_WEIGHT: u64 = 1 << 23;
/// Spreads tokens over 32 bits.
const SPREAD: u32 = 0x9e37_79b1;

/// Finds the places, by the last eight tokens that were coded.
#[derive(Clone, Copy, Default)]
pub(super) struct PartEnds {
    hash: u32,
}

impl PartEnds {
    /// Takes in a token. Returns whether a part of `taken` bytes ends behind it.
    ///
    /// Distances do not count, because bytes that were added before change those of many tokens. A rare place ends a
    /// short part, too, so that the parts behind a change soon end at the same places again.
    #[inline]
    pub(super) fn behind(&mut self, token: Token, taken: u32) -> bool {
        let value = if token.is_literal() {
            u32::from(token.byte())
        } else {
            256 + token.len()
        };
        self.hash = (self.hash << 4).wrapping_add(value.wrapping_mul(SPREAD));
        taken >= PART_BYTES_MIN && u64::from(taken) << self.hash.leading_zeros() >= PART_WEIGHT
    }
}
