//! Codes tokens that were predicted wrongly, or not at all.

use super::super::coder::{BitTree, Chance, SignedNumbers, SymbolCoder};
use super::super::codes::{distance_base, distance_symbol};
use super::super::token::Token;

/// Adaptive models for matches that are written out.
#[derive(Default)]
pub(crate) struct MatchCorrections {
    slot: BitTree<5>,
    length: BitTree<8>,
    odd: Chance,
}

impl MatchCorrections {
    /// Codes a match, distance first. A reader passes any literal as a placeholder.
    pub(crate) fn code<C: SymbolCoder>(&mut self, coder: &mut C, token: Token) -> Token {
        let (slot, more) = if token.is_literal() {
            (0, 0)
        } else {
            let slot = distance_symbol(token.dist());
            (slot, token.dist() - distance_base(slot).0)
        };
        let slot = u32::try_from(slot).expect("30 symbols");
        let slot = self.slot.code(coder, slot).min(29);
        let (base, extra) = distance_base(slot as usize);
        let dist = base + coder.even(more, extra);
        let len = self.length.code(coder, token.len().saturating_sub(3)) + 3;
        self.form(coder, len.min(258), dist, token.is_odd())
    }

    /// Codes which of its two forms a match of 258 bytes has.
    pub(crate) fn form<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        len: u32,
        dist: u32,
        odd: bool,
    ) -> Token {
        if len == 258 && coder.bit(&mut self.odd, odd) {
            return Token::odd(dist);
        }
        Token::matched(len, dist)
    }
}

/// Adaptive models for tokens.
#[derive(Default)]
pub(super) struct TokenCorrections {
    /// Whether the token was missed. Indexed by the prediction and the last three outcomes.
    missed: [[Chance; 8]; 16],
    /// The last three outcomes.
    history: usize,
    to_literal: [Chance; 16],
    same_distance: [Chance; 16],
    length_change: SignedNumbers,
    written_out: MatchCorrections,
}

impl TokenCorrections {
    /// Returns models that have learned nothing, behind the same tokens.
    pub(super) fn afresh(&self) -> Self {
        Self {
            history: self.history,
            ..Self::default()
        }
    }

    #[inline]
    pub(super) fn code<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        predicted: Token,
        token: Token,
        literal: Token,
    ) -> Token {
        let context = if predicted.is_literal() {
            0
        } else {
            let near = usize::from(predicted.dist() <= 4096);
            1 + 2 * (predicted.len().min(130).ilog2() as usize).min(6) + near
        };
        let missed = coder.bit(&mut self.missed[context][self.history], token != predicted);
        self.history = (self.history << 1 | usize::from(missed)) & 7;
        if !missed {
            return predicted;
        }
        if !predicted.is_literal() {
            if coder.bit(&mut self.to_literal[context], token.is_literal()) {
                return literal;
            }
            let same = token.dist() == predicted.dist();
            if coder.bit(&mut self.same_distance[context], same) {
                let change = token.len().cast_signed() - predicted.len().cast_signed();
                let change = self.length_change.code(coder, change);
                let len = predicted
                    .len()
                    .cast_signed()
                    .saturating_add(change)
                    .clamp(3, 258);
                let (len, dist) = (len.cast_unsigned(), predicted.dist());
                return self.written_out.form(coder, len, dist, token.is_odd());
            }
        }
        self.written_out.code(coder, token)
    }
}
