//! Writers with one hash chain: zlib (and GNU gzip, pigz, Java and all who call zlib) at levels 1 to 9, Go's compress/flate up to
//! 1.26 at levels 2 to 9.
//!
//! The rules are those of zlib's deflate.c (`deflate_fast`, `deflate_slow`, `longest_match`) and of Go's deflate.go. Which
//! hash is used is part of the rule: strings that collide take up places in the chain. Chunked writers (pigz) call
//! [`Model::begin`] at each chunk.

use super::super::token::{MATCH_MAX, Token, WINDOW};
use super::{Model, Text, common};

/// Farthest match of zlib: the window less the longest match and three bytes.
const ZLIB_REACH: usize = WINDOW - (MATCH_MAX + 3 + 1);
/// A match of the least length farther away than this is not worth its bits.
const TOO_FAR: usize = 4096;
const MASK: usize = WINDOW - 1;

/// What makes a level.
#[derive(Debug, Clone, Copy)]
struct Level {
    /// A match of this length at the place before quarters the chain.
    good: usize,
    /// A match of this length is taken without a look at the next place. On greedy levels: longer ones are not inserted.
    lazy: usize,
    /// A match of this length ends the search.
    nice: usize,
    /// Candidates that are looked at.
    chain: usize,
    greedy: bool,
}

const fn level(good: usize, lazy: usize, nice: usize, chain: usize, greedy: bool) -> Level {
    Level {
        good,
        lazy,
        nice,
        chain,
        greedy,
    }
}

/// zlib's levels 1 to 9.
const ZLIB: [Level; 9] = [
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

/// Go's levels 2 to 9.
const GO: [Level; 8] = [
    level(4, 5, 16, 8, true),
    level(4, 6, 32, 32, true),
    level(4, 4, 16, 16, false),
    level(8, 16, 32, 32, false),
    level(8, 16, 128, 128, false),
    level(8, 32, 128, 256, false),
    level(32, 128, 258, 1024, false),
    level(32, 258, 258, 4096, false),
];

/// What tells one family from the other.
pub(crate) trait Family {
    /// Bytes that are hashed, and the shortest match.
    const LEAST: usize;
    /// Bits of the hash.
    const HASH_BITS: u32;

    fn hash(bytes: &[u8], at: usize) -> usize;

    /// Farthest first candidate, and farthest further one.
    fn reach(text: &Text<'_>, at: usize) -> (usize, usize);

    /// Whether a search for something longer than `found` at `at` begins with that length and a shorter chain.
    const BUILDS_ON: bool;
}

/// zlib and all who call it.
pub(crate) struct Zlib;

impl Family for Zlib {
    const LEAST: usize = 3;
    const HASH_BITS: u32 = 15;
    const BUILDS_ON: bool = true;

    #[inline]
    fn hash(bytes: &[u8], at: usize) -> usize {
        let [a, b, c] = bytes[at..]
            .first_chunk::<3>()
            .map_or([0; 3], |first| *first);
        (usize::from(a) << 10 ^ usize::from(b) << 5 ^ usize::from(c)) & 0x7fff
    }

    #[inline]
    fn reach(text: &Text<'_>, at: usize) -> (usize, usize) {
        // The first place of the window counts as "none".
        let known = (at - text.start).saturating_sub(1);
        (known.min(ZLIB_REACH), known.min(ZLIB_REACH - 1))
    }
}

/// Go's compress/flate up to 1.26.
pub(crate) struct Go;

impl Family for Go {
    const LEAST: usize = 4;
    const HASH_BITS: u32 = 17;
    const BUILDS_ON: bool = false;

    #[inline]
    fn hash(bytes: &[u8], at: usize) -> usize {
        let four = bytes[at..]
            .first_chunk::<4>()
            .map_or(0, |first| u32::from_be_bytes(*first));
        (four.wrapping_mul(0x1e35_a7bd) >> 15) as usize
    }

    #[inline]
    fn reach(text: &Text<'_>, at: usize) -> (usize, usize) {
        // The writer's window is moved by 32 KiB when its end comes near and there is more to read: what lay before
        // the new beginning is out of reach.
        let known = at - text.start;
        let phase = text.position(at) as usize & MASK;
        let left = text.end - at;
        let moved = phase >= WINDOW - (MATCH_MAX + 3) && left > WINDOW - phase;
        let reach = known.min(if moved { phase } else { WINDOW });
        (reach, reach)
    }
}

/// A match, or `len` 0.
#[derive(Clone, Copy, Default)]
struct Found {
    len: usize,
    dist: usize,
}

/// The model.
pub(crate) struct Chain<F> {
    level: Level,
    /// Position of the newest string of each hash.
    head: Vec<u32>,
    /// How far before each place of the window the next older string of its hash is; 0: farther than any match.
    prev: Box<[u16; WINDOW]>,
    /// Position of the next string to insert.
    next: u32,
    /// What was found at the next place while looking for something better there.
    ahead: Option<(u32, Found)>,
    family: std::marker::PhantomData<F>,
}

impl Chain<Zlib> {
    /// zlib at level 1 to 9.
    pub(crate) fn zlib(level: u8) -> Self {
        Self::new(ZLIB[usize::from(level) - 1])
    }
}

impl Chain<Go> {
    /// Go at level 2 to 9.
    pub(crate) fn go(level: u8) -> Self {
        Self::new(GO[usize::from(level) - 2])
    }
}

impl<F: Family> Chain<F> {
    fn new(level: Level) -> Self {
        Self {
            level,
            head: vec![0; 1 << F::HASH_BITS],
            prev: vec![0; WINDOW]
                .try_into()
                .expect("the length is that of the array"),
            next: 0,
            ahead: None,
            family: std::marker::PhantomData,
        }
    }

    /// Inserts all strings up to and with the one at `at`.
    #[inline]
    fn insert_to(&mut self, text: Text<'_>, at: usize) {
        let end = (at + 1).min((text.end + 1).saturating_sub(F::LEAST));
        let mut place = self.next.wrapping_sub(text.base) as usize;
        if place >= end {
            return;
        }
        let mut position = self.next;
        while place < end {
            let head = &mut self.head[F::hash(text.bytes, place)];
            let back = position.wrapping_sub(*head);
            self.prev[position as usize & MASK] = u16::try_from(back).unwrap_or(0);
            *head = position;
            place += 1;
            position = position.wrapping_add(1);
        }
        self.next = position;
    }

    /// Looks for a match longer than `least` at `at`, whose string is inserted.
    #[inline]
    fn search(&self, text: Text<'_>, at: usize, least: usize, chain: usize) -> Found {
        let limit = MATCH_MAX.min(text.end - at);
        if limit < F::LEAST || limit <= least {
            return Found::default();
        }
        let nice = self.level.nice.min(limit);
        let (first_reach, reach) = F::reach(&text, at);
        let position = text.position(at) as usize;
        let mut dist = usize::from(self.prev[position & MASK]);
        if dist == 0 || dist > first_reach {
            return Found::default();
        }
        // All that is in reach, so that one comparison guards each look at it.
        let window = &text.bytes[at - first_reach..at + limit];
        let here = first_reach;
        let mut found = Found {
            len: least,
            dist: 0,
        };
        let mut tail = Tail::of(window, here, least);
        for _ in 0..chain {
            if tail.stands_at(window, here - dist) {
                let len = common(window, here - dist, here, limit);
                if len > found.len && (F::BUILDS_ON || len > F::LEAST || dist <= TOO_FAR) {
                    found = Found { len, dist };
                    if len >= nice {
                        break;
                    }
                    tail = Tail::of(window, here, len);
                }
            }
            let back = usize::from(self.prev[position.wrapping_sub(dist) & MASK]);
            dist += back;
            if back == 0 || dist > reach {
                break;
            }
        }
        if found.dist == 0 {
            Found::default()
        } else {
            found
        }
    }

    /// Looks for a match at a place where nothing is known.
    fn search_afresh(&mut self, text: Text<'_>, at: usize) -> Found {
        self.insert_to(text, at);
        let found = self.search(text, at, F::LEAST - 1, self.level.chain);
        let drops = F::BUILDS_ON && !self.level.greedy;
        if drops && found.len == F::LEAST && found.dist > TOO_FAR {
            return Found::default();
        }
        found
    }
}

/// The last bytes of a match that would be longer than `len`: most candidates are told off by them.
#[derive(Clone, Copy)]
struct Tail {
    offset: usize,
    bytes: u32,
    mask: u32,
}

impl Tail {
    #[inline]
    fn of(window: &[u8], here: usize, len: usize) -> Self {
        // Four bytes, or the three of a match that is the first.
        let (offset, mask) = if len < 3 {
            (0, 0x00ff_ffff)
        } else {
            (len - 3, u32::MAX)
        };
        Self {
            offset,
            bytes: four(window, here + offset) & mask,
            mask,
        }
    }

    #[inline]
    fn stands_at(self, window: &[u8], place: usize) -> bool {
        four(window, place + self.offset) & self.mask == self.bytes
    }
}

/// Four bytes; zeros behind the end.
#[inline]
fn four(window: &[u8], at: usize) -> u32 {
    match window.get(at..at + 4) {
        Some(bytes) => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        None => window[at..]
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u32::from(*byte)),
    }
}

impl<F: Family> Model for Chain<F> {
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize) {
        self.next = text.position(dictionary);
        self.ahead = None;
        // What the tables hold lies before the dictionary; `Text::start` keeps matches from reaching there.
        if at > dictionary {
            self.head.fill(0);
            self.insert_to(text, at - 1);
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
        let mut next = Found::default();
        if !self.level.greedy && here.len < self.level.lazy && text.end - at - 1 > 0 {
            self.insert_to(text, at + 1);
            if F::BUILDS_ON {
                let shorter = here.len >= self.level.good;
                let chain = if shorter {
                    self.level.chain / 4
                } else {
                    self.level.chain
                };
                next = self.search(text, at + 1, here.len, chain);
            } else if text.end - at - 1 > here.len {
                next = self.search(text, at + 1, F::LEAST - 1, self.level.chain);
            }
        }
        if next.len > here.len {
            self.ahead = Some((text.position(at + 1), next));
            return Token::literal(text.bytes[at]);
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 258 and 32768")]
        let token = Token::matched(here.len as u32, here.dist as u32);
        token
    }

    #[inline]
    fn follow(&mut self, text: Text<'_>, at: usize, token: Token) {
        if !token.is_literal() {
            self.ahead = None;
            // Greedy levels do not insert what lies in long matches.
            if self.level.greedy {
                let long = token.advance() > self.level.lazy;
                let near_end = F::LEAST == 3 && text.end - at < token.advance() + F::LEAST;
                if long || near_end {
                    self.insert_to(text, at);
                    self.next = text.position(at + token.advance());
                }
            }
        }
    }
}
