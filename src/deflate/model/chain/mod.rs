//! Writers with one hash chain. zlib at levels 1 to 9 includes GNU gzip, pigz, Java and all others that call zlib. Go's
//! compress/flate up to 1.26 uses one at levels 2 to 9.
//!
//! The rules are those of zlib's deflate.c (`deflate_fast`, `deflate_slow`, `longest_match`) and of Go's deflate.go.
//! The hash is part of the rule, because colliding strings take up places in the chain. Chunked writers (pigz) call
//! [`Model::begin`] at each chunk.

use super::super::token::{MATCH_MAX, Token, WINDOW};
use super::{Model, Text, common};
use index::{MatchQuery, StringIndex};

mod chromium;
mod index;
mod settings;
mod zlib_ng;

pub(crate) use chromium::{ChromiumEra, chromium_model};
pub(crate) use settings::{filtered_zlib, zlib_memory, zlib_window};
pub(crate) use zlib_ng::{NgHash, lazy_zlib_ng};

/// Farthest match of zlib: the window less the longest match and four bytes.
const ZLIB_REACH: usize = WINDOW - (MATCH_MAX + 3 + 1);
/// A match of the least length that is farther away is not taken.
const TOO_FAR: usize = 4096;
const MASK: usize = WINDOW - 1;

/// The parameters of a level.
#[derive(Debug, Clone, Copy)]
struct ChainLevel {
    /// After a match of this length at the place before, the chain is searched to a quarter.
    good: usize,
    /// A match of this length is taken without a search at the next place. Greedy levels do not insert the strings of
    /// longer matches.
    lazy: usize,
    /// A match of this length ends the search.
    nice: usize,
    /// Most candidates that are compared.
    chain: usize,
    greedy: bool,
}

const fn level(good: usize, lazy: usize, nice: usize, chain: usize, greedy: bool) -> ChainLevel {
    ChainLevel {
        good,
        lazy,
        nice,
        chain,
        greedy,
    }
}

/// Levels 1 to 9 of zlib. Go's levels 2 to 9 have the same parameters.
const LEVELS: [ChainLevel; 9] = [
    level(4, 4, 8, 4, true),
    level(4, 5, 16, 8, true),
    level(4, 6, 32, 32, true),
    level(4, 4, 16, 16, false),
    level(8, 16, 32, 32, false),
    level(8, 16, 128, 128, false),
    level(8, 32, 128, 256, false),
    level(32, 128, 258, 1024, false),
    level(32, 258, 258, 4096, false),
];

/// The differences between the families. What a family does not say is as in zlib.
pub(crate) trait Family {
    /// The length of the shortest match. The text has as many bytes left at each string that is inserted.
    const LEAST: usize = 3;
    /// Bytes that are hashed, 3 or 4. Those behind the end of the text are zeros.
    const HASHED: usize = Self::LEAST;
    /// Bits of the hash.
    const HASH_BITS: u32;

    /// Returns the hash of the first [`Family::HASHED`] bytes.
    fn hash(bytes: [u8; 4]) -> usize;

    /// Returns the reach of the first candidate, and of further ones.
    #[inline]
    fn reach(text: &Text<'_>, at: usize) -> (usize, usize) {
        // The writer uses the window's first place as "none", so it is never a candidate.
        let known = (at - text.start).saturating_sub(1);
        (known.min(ZLIB_REACH), known.min(ZLIB_REACH - 1))
    }

    /// Returns whether a match is taken.
    #[inline]
    fn takes(_len: usize, _dist: usize) -> bool {
        true
    }

    /// Whether a good match at the place before shortens the chain.
    const SHORTENS: bool = true;

    /// A match of three bytes that is farther away is found and dropped.
    const FAR: usize = TOO_FAR;

    /// Longest match that is found and dropped wherever it is, on levels that are not greedy.
    const DROPPED: usize = 0;
}

/// zlib and all programs that call it.
pub(crate) struct Zlib;

impl Family for Zlib {
    const HASH_BITS: u32 = 15;

    #[inline]
    fn hash([a, b, c, _]: [u8; 4]) -> usize {
        (usize::from(a) << 10 ^ usize::from(b) << 5 ^ usize::from(c)) & 0x7fff
    }
}

/// zlib with a hash of 16 bits (`memLevel` 9), as in nginx, Apache and Perl.
pub(crate) struct ZlibWide;

impl Family for ZlibWide {
    const HASH_BITS: u32 = 16;

    #[inline]
    fn hash([a, b, c, _]: [u8; 4]) -> usize {
        (usize::from(a) << 12 ^ usize::from(b) << 6 ^ usize::from(c)) & 0xffff
    }
}

/// Go's compress/flate up to 1.26.
pub(crate) struct Go;

impl Family for Go {
    const LEAST: usize = 4;
    const HASH_BITS: u32 = 17;
    const SHORTENS: bool = false;

    #[inline]
    fn hash(bytes: [u8; 4]) -> usize {
        (u32::from_be_bytes(bytes).wrapping_mul(0x1e35_a7bd) >> 15) as usize
    }

    #[inline]
    fn reach(text: &Text<'_>, at: usize) -> (usize, usize) {
        // The writer moves its window by 32 KiB when its end is near and there is more input. Text before the new
        // beginning is out of reach.
        let known = at - text.start;
        let phase = text.position(at) as usize & MASK;
        let left = text.end - at;
        let moved = phase >= WINDOW - (MATCH_MAX + 3) && left > WINDOW - phase;
        let reach = known.min(if moved { phase } else { WINDOW });
        (reach, reach)
    }

    #[inline]
    fn takes(len: usize, dist: usize) -> bool {
        len > Self::LEAST || dist <= TOO_FAR
    }
}

/// A match. `len` 0 means none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ChainMatch {
    len: usize,
    dist: usize,
}

impl ChainMatch {
    /// Returns no match when `dist` is 0.
    #[inline]
    fn or_none(self) -> Self {
        if self.dist == 0 {
            Self::default()
        } else {
            self
        }
    }
}

/// The model of a writer with one hash chain.
pub(crate) struct Chain<F> {
    level: ChainLevel,
    index: StringIndex<F>,
    /// The match at the next place, found while searching there for a better one.
    ahead: Option<(u32, ChainMatch)>,
}

impl Chain<Zlib> {
    /// Returns the model of zlib at levels 1 to 9.
    pub(crate) fn zlib(level: u8) -> Self {
        Self::new(LEVELS[usize::from(level) - 1])
    }
}

impl Chain<ZlibWide> {
    /// Returns the model of zlib with `memLevel` 9 at levels 1 to 9.
    pub(crate) fn zlib_wide(level: u8) -> Self {
        Self::new(LEVELS[usize::from(level) - 1])
    }
}

impl Chain<Go> {
    /// Returns the model of Go at levels 2 to 9.
    pub(crate) fn go(level: u8) -> Self {
        Self::new(LEVELS[usize::from(level) - 1])
    }
}

impl<F: Family> Chain<F> {
    fn new(level: ChainLevel) -> Self {
        Self {
            level,
            index: StringIndex::new(!level.greedy),
            ahead: None,
        }
    }

    /// Searches for a match longer than `least` at `at`, whose string is inserted already.
    #[inline]
    fn search(&self, text: Text<'_>, at: usize, least: usize, chain: usize) -> ChainMatch {
        let limit = MATCH_MAX.min(text.end - at);
        if limit < F::LEAST || limit <= least {
            return ChainMatch::default();
        }
        let (first_reach, reach) = F::reach(&text, at);
        let wanted = MatchQuery {
            at,
            position: text.position(at),
            least,
            limit,
            nice: self.level.nice.min(limit),
            first_reach,
            reach,
            chain,
        };
        if self.level.greedy {
            self.index.walk(text, &wanted)
        } else {
            self.index.search(text, &wanted)
        }
    }

    /// Searches for a match at a place where nothing is known.
    fn search_afresh(&mut self, text: Text<'_>, at: usize) -> ChainMatch {
        if self.level.greedy {
            self.index.insert_to(text, at);
        } else {
            self.index.insert_around(text, at);
        }
        let found = self.search(text, at, F::LEAST - 1, self.level.chain);
        // zlib finds such a match and drops it.
        let is_dropped = found.len == 3 && found.dist > F::FAR || found.len <= F::DROPPED;
        if !self.level.greedy && is_dropped {
            return ChainMatch::default();
        }
        found
    }

    /// Searches for a longer match at the place behind `at`.
    #[inline]
    fn search_next(&mut self, text: Text<'_>, at: usize, here: ChainMatch) -> ChainMatch {
        if here.len >= self.level.lazy || text.end - at <= 1 {
            return ChainMatch::default();
        }
        self.index.insert_around(text, at + 1);
        let shorter = F::SHORTENS && here.len >= self.level.good;
        let chain = self.level.chain / if shorter { 4 } else { 1 };
        let found = self.search(text, at + 1, here.len, chain);
        if found.len <= F::DROPPED {
            return ChainMatch::default();
        }
        found
    }
}

impl<F: Family> Model for Chain<F> {
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize) {
        self.ahead = None;
        self.index.begin(text.position(dictionary));
        if self.level.greedy && at > dictionary {
            self.index.insert_to(text, at - 1);
        }
    }

    fn resume(&mut self, text: Text<'_>, at: usize) {
        self.ahead = None;
        let here = text.position(at);
        if F::LEAST > 3 {
            // Go never inserts the last three strings before a flush.
            self.index.insert_to(Text { end: at, ..text }, at);
            self.index.pass_to(here);
        } else if self.level.greedy {
            // zlib inserts the last two strings before a flush, even those within a match whose strings it did not
            // insert.
            let last = at.saturating_sub(2).max(text.start);
            self.index.return_to(text.position(last));
        }
    }

    #[inline]
    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let here = match self.ahead.take() {
            Some((position, found)) if position == text.position(at) => found,
            _ => self.search_afresh(text, at),
        };
        if here.len == 0 {
            return Token::literal(text.bytes[at]);
        }
        if !self.level.greedy {
            let next = self.search_next(text, at, here);
            if next.len > 0 {
                self.ahead = Some((text.position(at + 1), next));
                return Token::literal(text.bytes[at]);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 258 and 32768")]
        let token = Token::matched(here.len as u32, here.dist as u32);
        token
    }

    #[inline]
    fn follow(&mut self, text: Text<'_>, at: usize, token: Token) {
        if token.is_literal() {
            return;
        }
        self.ahead = None;
        // Greedy levels do not insert the strings of long matches.
        if self.level.greedy {
            let long = token.advance() > self.level.lazy;
            let near_end = F::LEAST == 3 && text.end - at < token.advance() + F::LEAST;
            if long || near_end {
                self.index.insert_to(text, at);
                self.index.pass_to(text.position(at + token.advance()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
