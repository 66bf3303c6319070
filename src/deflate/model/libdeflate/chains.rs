//! How libdeflate finds matches on levels 2 to 9: chains by a hash of four bytes, and one place for each hash of three.
//!
//! The rules were taken from its `lib/hc_matchfinder.h`. Every position is inserted, except for the last four of the
//! input.

use super::super::super::token::MATCH_MAX;
use super::super::{Text, common};

/// Positions are held relative to a base. The current ones are 32768 to 65535, those of the window before are below,
/// and 0 is out of reach.
const WINDOW: u32 = 1 << 15;

/// A match. `dist` 0 means that nothing was found.
#[derive(Clone, Copy)]
pub(super) struct HashMatch {
    pub(super) len: u32,
    pub(super) dist: u32,
}

/// Hash tables and chains.
pub(super) struct Chains {
    three: Box<[u16; 1 << 15]>,
    four: Box<[u16; 1 << 16]>,
    /// The position before with the same hash of four bytes, indexed by position modulo the window.
    next: Box<[u16; 1 << 15]>,
    /// The entries of the three-byte table before each of the last four insertions. A second search at such a place
    /// needs them.
    replaced: [u16; 4],
    /// Position that is held as 32768.
    base: u32,
    /// The first position not inserted.
    fresh: u32,
}

impl Chains {
    pub(super) fn new() -> Self {
        Self {
            three: Box::new([0; 1 << 15]),
            four: Box::new([0; 1 << 16]),
            next: Box::new([0; 1 << 15]),
            replaced: [0; 4],
            base: 0,
            fresh: 0,
        }
    }

    /// Clears the tables. The input begins at `position`, which the writer inserts under hash 0 whatever its bytes are.
    pub(super) fn begin(&mut self, position: u32) {
        self.forget(position);
        self.put(0, 0);
    }

    fn forget(&mut self, position: u32) {
        self.three.fill(0);
        self.four.fill(0);
        self.next.fill(0);
        self.replaced = [0; 4];
        self.base = position;
        self.fresh = position;
    }

    /// Inserts the next position.
    #[inline(always)]
    fn put(&mut self, three: usize, four: usize) {
        let offset = self.fresh.wrapping_sub(self.base);
        let offset = if offset < WINDOW {
            offset
        } else {
            self.slide()
        };
        #[expect(clippy::cast_possible_truncation, reason = "less than 2^16")]
        let held = (WINDOW + offset) as u16;
        self.replaced[(offset & 3) as usize] = self.three[three];
        self.three[three] = held;
        self.next[(offset & (WINDOW - 1)) as usize] = self.four[four];
        self.four[four] = held;
        self.fresh = self.fresh.wrapping_add(1);
    }

    /// Makes the next position the base and returns its offset.
    #[cold]
    fn slide(&mut self) -> u32 {
        let tables: [&mut [u16]; 4] = [
            &mut *self.three,
            &mut *self.four,
            &mut *self.next,
            &mut self.replaced,
        ];
        for table in tables {
            for held in table {
                *held = held.saturating_sub(1 << 15);
            }
        }
        self.base = self.fresh;
        0
    }

    /// Inserts all positions before `to` that are not inserted yet.
    pub(super) fn insert_before(&mut self, text: Text<'_>, to: usize) {
        let mut count = text.position(to).wrapping_sub(self.fresh);
        if count == 0 || count > 1 << 31 {
            return;
        }
        if count > WINDOW {
            // Whole blocks passed without a query, so only the last window is inserted.
            count = WINDOW.min(u32::try_from(to - text.start).unwrap_or(WINDOW));
            self.forget(text.position(to).wrapping_sub(count));
        }
        let from = to.saturating_sub(count as usize).max(text.start);
        let to = to.min(text.end.saturating_sub(4));
        for window in text.bytes.get(from..to + 3).unwrap_or_default().windows(4) {
            let word = u32::from_le_bytes([window[0], window[1], window[2], window[3]]);
            self.put(hash(word & 0xff_ffff, 15), hash(word, 16));
        }
    }

    /// Returns the longest match at `at` of more than `least` bytes among `depth` candidates, or the first of `nice`
    /// bytes (`hc_matchfinder_longest_match`).
    #[inline]
    pub(super) fn find(
        &mut self,
        text: Text<'_>,
        at: usize,
        least: u32,
        nice: u32,
        depth: u32,
    ) -> HashMatch {
        let mut best = HashMatch {
            len: least,
            dist: 0,
        };
        if text.end < at + 5 {
            return best;
        }
        self.insert_before(text, at + 1);
        let limit = MATCH_MAX.min(text.end - at);
        #[expect(clippy::cast_possible_truncation, reason = "258 at most")]
        let nice = nice.min(limit as u32);
        let search = ChainSearch {
            bytes: text.bytes,
            at,
            limit,
            nice,
        };
        let offset = text.position(at).wrapping_sub(self.base);
        let mut walk = Candidates {
            next: &self.next,
            held: WINDOW.wrapping_add(offset),
            reach: (WINDOW - 1).min(u32::try_from(at - text.start).unwrap_or(WINDOW - 1)),
            node: self.next[(offset & (WINDOW - 1)) as usize],
            left: depth,
        };
        if best.len < 4 {
            let three = walk.dist(self.replaced[(offset & 3) as usize]);
            if three == 0 {
                return best;
            }
            if best.len < 3 && (search.word(at - three as usize) ^ search.word(at)) & 0xff_ffff == 0
            {
                best = HashMatch {
                    len: 3,
                    dist: three,
                };
            }
        }
        search.longest(&mut walk, best)
    }
}

#[inline]
fn hash(word: u32, bits: u32) -> usize {
    (word.wrapping_mul(0x1e35_a7bd) >> (32 - bits)) as usize
}

/// Candidates, newest first.
struct Candidates<'a> {
    next: &'a [u16; 1 << 15],
    /// The current candidate, as tables hold it.
    held: u32,
    /// Farthest candidate.
    reach: u32,
    node: u16,
    left: u32,
}

impl Candidates<'_> {
    /// Returns the distance of a table's entry, or 0 when it is out of reach.
    #[inline]
    fn dist(&self, node: u16) -> u32 {
        let dist = self.held.wrapping_sub(u32::from(node));
        if dist > self.reach { 0 } else { dist }
    }

    /// Returns the distance of the current candidate.
    #[inline]
    fn here(&self) -> u32 {
        self.dist(self.node)
    }

    /// Advances to the next candidate. Returns its distance, or 0 when there is none or enough were compared.
    #[inline]
    fn step(&mut self) -> u32 {
        self.node = self.next[usize::from(self.node & 0x7fff)];
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { 0 } else { self.here() }
    }
}

/// A place for which a match is searched.
struct ChainSearch<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Longest match.
    limit: usize,
    nice: u32,
}

impl ChainSearch<'_> {
    #[inline]
    fn word(&self, at: usize) -> u32 {
        self.bytes[at..]
            .first_chunk()
            .map_or(0, |chunk| u32::from_le_bytes(*chunk))
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "258 at most")]
    fn len(&self, dist: u32) -> u32 {
        common(self.bytes, self.at - dist as usize, self.at, self.limit) as u32
    }

    #[inline]
    fn longest(&self, walk: &mut Candidates<'_>, mut best: HashMatch) -> HashMatch {
        let word = self.word(self.at);
        let mut dist = walk.here();
        if best.len < 4 {
            while dist > 0 && self.word(self.at - dist as usize) != word {
                dist = walk.step();
            }
            if dist == 0 {
                return best;
            }
            best = HashMatch {
                len: self.len(dist),
                dist,
            };
            if best.len >= self.nice {
                return best;
            }
            dist = walk.step();
        }
        while dist > 0 && best.len < self.nice {
            let from = self.at - dist as usize;
            let last = best.len as usize - 3;
            if self.word(from + last) == self.word(self.at + last) && self.word(from) == word {
                let len = self.len(dist);
                if len > best.len {
                    best = HashMatch { len, dist };
                }
            }
            dist = walk.step();
        }
        best
    }
}
