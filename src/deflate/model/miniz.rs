//! miniz and its Rust port miniz_oxide at levels 2 to 10: cargo, ripgrep and most programs that use the crate flate2.
//!
//! The rules are those of miniz_oxide's `core.rs` (`compress_normal`, `find_match`). Every string is on a chain. The
//! chain is looked at in groups of three candidates, and each group costs a probe. Level 1 is another writer
//! ([`QuickMiniz`](super::quick_miniz::QuickMiniz)).

use super::super::token::{MATCH_MAX, MATCH_MIN, Token, WINDOW};
use super::{Model, Text, common};

const HASH_BITS: u32 = 15;
const RING: usize = 1 << 16;
/// No older string in reach.
const NONE: u16 = u16::MAX;
/// A match of the least length that is this far away is not taken.
const TOO_FAR: usize = 8192;
/// A match of this length is taken without a search at the next place, and from this length on there are fewer probes.
const LONG: usize = 128;
const GOOD: usize = 32;
/// Candidates that one probe is good for.
const GROUP: usize = 3;
/// Probes of levels 0 to 10, as the writer counts them.
const PROBES: [usize; 11] = [0, 1, 6, 32, 16, 32, 128, 256, 512, 768, 1500];
/// The last level without a search at the next place.
const GREEDY_LAST: u8 = 3;

#[derive(Clone, Copy, Default)]
struct MinizMatch {
    len: usize,
    dist: usize,
}

/// The model of miniz.
pub(crate) struct Miniz {
    greedy: bool,
    /// Groups of candidates of a first search, and of one for a match longer than [`GOOD`].
    probes: [usize; 2],
    /// Position of the newest string of each hash, and distances to the next older ones.
    head: Vec<u32>,
    back: Vec<u16>,
    /// Position of the next string to insert.
    next: u32,
    /// Position at which the writer began. It counts its own places modulo 2^16 and takes 0 for "none".
    origin: u32,
    /// The match at the next place, found while searching there for a better one.
    ahead: Option<(u32, MinizMatch)>,
}

impl Miniz {
    /// Returns the model of levels 2 to 10.
    pub(crate) fn new(level: u8) -> Self {
        let probes = PROBES[usize::from(level)];
        Self {
            greedy: level <= GREEDY_LAST,
            probes: [probes.div_ceil(GROUP), (probes / 4).div_ceil(GROUP)],
            head: vec![0; 1 << HASH_BITS],
            back: vec![NONE; RING],
            next: 0,
            origin: 0,
            ahead: None,
        }
    }

    fn insert_to(&mut self, text: Text<'_>, at: usize) {
        let end = (at + 1).min((text.end + 1).saturating_sub(MATCH_MIN));
        let mut place = self.next.wrapping_sub(text.base) as usize;
        while place < end {
            let [a, b, c] = [0, 1, 2].map(|ahead| usize::from(text.bytes[place + ahead]));
            let head = &mut self.head[(a << 10 ^ b << 5 ^ c) & ((1 << HASH_BITS) - 1)];
            let back = self.next.wrapping_sub(*head);
            *head = self.next;
            // A distance that does not fit ends the chain, so that it never leads back to itself.
            self.back[self.next as usize % RING] = match u16::try_from(back) {
                Ok(back) if back > 0 => back,
                _ => NONE,
            };
            place += 1;
            self.next = self.next.wrapping_add(1);
        }
    }

    /// Searches for a match longer than `least` (2 or more) at `at`.
    fn search(&mut self, text: Text<'_>, at: usize, least: usize) -> MinizMatch {
        let ahead = MATCH_MAX.min(text.end - at);
        let mut found = MinizMatch {
            len: least,
            dist: 0,
        };
        if ahead > least {
            self.insert_to(text, at);
            self.walk(text, at, ahead, &mut found);
        }
        let far = found.len == MATCH_MIN && found.dist >= TOO_FAR;
        // The writer drops a match that begins where its ring does, too.
        let place = text.position(at).wrapping_sub(self.origin) as usize % WINDOW;
        if far || place == found.dist || found.dist == 0 {
            return MinizMatch::default();
        }
        found
    }

    fn walk(&self, text: Text<'_>, at: usize, ahead: usize, found: &mut MinizMatch) {
        let position = text.position(at);
        let reach = (at - text.start).min(WINDOW - ahead);
        let mut probes = self.probes[usize::from(found.len >= GOOD)];
        let bytes = &text.bytes[..at + ahead];
        let two = |place: usize| [bytes[place], bytes[place + 1]];
        let mut tail = two(at + found.len - 1);
        let mut dist = 0;
        while probes > 0 {
            probes -= 1;
            for _ in 0..GROUP {
                #[expect(clippy::cast_possible_truncation, reason = "at most 2^15")]
                let from = position.wrapping_sub(dist as u32);
                dist += usize::from(self.back[from as usize % RING]);
                #[expect(clippy::cast_possible_truncation, reason = "modulo 2^16")]
                let own = position.wrapping_sub(dist as u32).wrapping_sub(self.origin) as u16;
                if dist > reach || own == 0 {
                    return;
                }
                if two(at - dist + found.len - 1) != tail {
                    continue;
                }
                // A candidate that ends alike ends its group, whether it begins alike or not.
                if two(at - dist) == two(at) {
                    let len = common(text.bytes, at - dist, at, ahead);
                    if len > found.len {
                        *found = MinizMatch { len, dist };
                        if len >= ahead {
                            return;
                        }
                        tail = two(at + len - 1);
                    }
                }
                break;
            }
        }
    }
}

impl Model for Miniz {
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize) {
        self.head.fill(0);
        self.ahead = None;
        self.next = text.position(dictionary);
        self.origin = self.next;
        if at > dictionary {
            self.insert_to(text, at - 1);
        }
    }

    fn resume(&mut self, _text: Text<'_>, _at: usize) {
        self.ahead = None;
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let here = match self.ahead.take() {
            Some((position, found)) if position == text.position(at) => found,
            _ => self.search(text, at, MATCH_MIN - 1),
        };
        if here.len == 0 {
            return Token::literal(text.bytes[at]);
        }
        if !self.greedy && here.len < LONG && text.end - at > 1 {
            let next = self.search(text, at + 1, here.len);
            if next.len > 0 {
                self.ahead = Some((text.position(at + 1), next));
                return Token::literal(text.bytes[at]);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 258 and 32768")]
        let token = Token::matched(here.len as u32, here.dist as u32);
        token
    }

    fn follow(&mut self, _text: Text<'_>, _at: usize, token: Token) {
        if !token.is_literal() {
            self.ahead = None;
        }
    }
}
