//! Level 1 of libdeflate from 1.9 on: the last two places of each hash of four bytes, of which the longer match is
//! taken.
//!
//! The rules were taken from its `lib/ht_matchfinder.h`.

use super::super::super::token::{MATCH_MAX, Token};
use super::super::{Model, Text, common};

/// A match of this length ends the search.
const NICE: u32 = 32;
/// Farthest match.
const REACH: u32 = (1 << 15) - 1;

/// Model of level 1.
pub(super) struct Pairs {
    /// Positions by hash, newest first. A stream's first position is 2^16, so that 0 is out of reach.
    table: Vec<[u32; 2]>,
    /// The first position not inserted.
    fresh: u32,
}

impl Pairs {
    pub(super) fn new() -> Self {
        Self {
            table: vec![[0; 2]; 1 << 15],
            fresh: 0,
        }
    }

    /// Inserts the next position and returns the entries under its hash.
    #[inline]
    fn put(&mut self, hash: usize) -> [u32; 2] {
        let before = self.table[hash];
        self.table[hash] = [self.fresh, before[0]];
        self.fresh = self.fresh.wrapping_add(1);
        before
    }

    /// Inserts all positions before `to` that are not inserted yet.
    fn insert_before(&mut self, text: Text<'_>, to: usize) {
        let mut count = text.position(to).wrapping_sub(self.fresh);
        if count == 0 || count > 1 << 31 {
            return;
        }
        if count > REACH + 1 {
            count = (REACH + 1).min(u32::try_from(to - text.start).unwrap_or(REACH));
            self.fresh = text.position(to).wrapping_sub(count);
        }
        let from = to.saturating_sub(count as usize).max(text.start);
        let to = to.min(text.end.saturating_sub(4));
        for at in from..to {
            self.put(hash(word(text.bytes, at)));
        }
    }

    /// Returns the length and distance of the longer of two matches, or of the first that is long enough.
    #[expect(clippy::cast_possible_truncation, reason = "258 at most")]
    fn longest(text: Text<'_>, at: usize, candidates: [u32; 2]) -> (u32, u32) {
        let here = text.position(at);
        let limit = MATCH_MAX.min(text.end - at);
        let reach = REACH.min(u32::try_from(at - text.start).unwrap_or(REACH));
        let mut best = (0, 0);
        for candidate in candidates {
            let dist = here.wrapping_sub(candidate);
            if dist == 0 || dist > reach || best.0 >= NICE.min(limit as u32) {
                break;
            }
            let from = at - dist as usize;
            if word(text.bytes, from) == word(text.bytes, at) {
                let len = common(text.bytes, from, at, limit) as u32;
                if len > best.0 {
                    best = (len, dist);
                }
            }
        }
        best
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

#[inline]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x1e35_a7bd) >> 17) as usize
}

impl Model for Pairs {
    fn begin(&mut self, text: Text<'_>, at: usize, _dictionary: usize) {
        self.table
            .fill([text.position(at).wrapping_sub(1 << 16); 2]);
        self.fresh = text.position(at);
        // The writer inserts the first position under hash 0, whatever its bytes are.
        self.put(0);
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        self.insert_before(text, at);
        let literal = Token::literal(text.bytes[at]);
        if text.end < at + 5 || self.fresh != text.position(at) {
            return literal;
        }
        let candidates = self.put(hash(word(text.bytes, at)));
        let (len, dist) = Self::longest(text, at, candidates);
        if len < 4 {
            return literal;
        }
        Token::matched(len, dist)
    }

    fn follow(&mut self, text: Text<'_>, at: usize, token: Token) {
        self.insert_before(text, at + token.advance());
    }
}
