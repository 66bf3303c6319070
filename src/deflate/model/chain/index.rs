//! Indexes earlier strings: the writer's hash chains, and a second set of chains that skips most of their candidates.
//!
//! Except on greedy levels, both depend on the text alone, so that strings ahead of the place are in them already.

use super::super::super::token::MATCH_MAX;
use super::super::Text;
use super::{ChainMatch, Family};
use std::marker::PhantomData;

/// Places that are kept: all within reach, and those inserted ahead.
const RING: usize = 1 << 16;
/// Strings that are inserted ahead at a time.
const BATCH: usize = 4096;
/// No older string in reach.
const NONE: u16 = u16::MAX;
/// Bytes that are hashed for the second set, and bits of the hash.
const DEEP: usize = 4;
const DEEP_BITS: u32 = 15;

/// Most strings within a match that are compared to find the one that leads farthest.
const OTHERS_MAX: usize = 31;

/// Most looks at candidates between two looks at ranks.
const RANK_LOOKS: usize = 16;

type Ring = Box<[u16; RING]>;

fn ring() -> Ring {
    vec![NONE; RING]
        .try_into()
        .expect("the length is that of the array")
}

/// Chains of strings with one hash, as distances to the next older one.
struct Links {
    /// Position of the newest string of each hash.
    head: Vec<u32>,
    back: Ring,
}

impl Links {
    fn new(bits: u32) -> Self {
        Self {
            head: vec![0; 1 << bits],
            back: ring(),
        }
    }

    /// Inserts the string at `position` as the newest of its hash. Returns the distance to the one before.
    #[inline]
    fn insert(&mut self, hash: usize, position: u32) -> u16 {
        let head = &mut self.head[hash];
        let back = position.wrapping_sub(*head);
        *head = position;
        // A distance that does not fit ends the chain, so that it never leads back to itself, not even 4 GiB later.
        let back = match u16::try_from(back) {
            Ok(back) if back > 0 => back,
            _ => NONE,
        };
        self.back[slot(position)] = back;
        back
    }

    /// Returns the distance from the string at `position` to the next older one.
    #[inline]
    fn back(&self, position: u32) -> usize {
        usize::from(self.back[slot(position)])
    }
}

/// Returns the index of a position in a ring.
#[inline]
fn slot(position: u32) -> usize {
    position as usize & (RING - 1)
}

/// A query for a match.
#[derive(Debug, Clone, Copy)]
pub(super) struct MatchQuery {
    /// The place, and its position.
    pub(super) at: usize,
    pub(super) position: u32,
    /// Only longer matches count.
    pub(super) least: usize,
    /// Most bytes that a match can have. Always more than `least`.
    pub(super) limit: usize,
    /// A match of this length ends the search. At most `limit`.
    pub(super) nice: usize,
    /// Reach of the first candidate, and of further ones. Neither exceeds the text before `at`.
    pub(super) first_reach: usize,
    pub(super) reach: usize,
    /// Candidates of the writer's chain that are looked at.
    pub(super) chain: usize,
}

/// Index of the strings of the text up to a place.
pub(super) struct StringIndex<F> {
    /// The writer's chains.
    links: Links,
    /// For each string, the number of strings on its chain before it, modulo 2^16.
    rank: Ring,
    /// Chains of strings of four bytes, when the writer hashes three.
    deep: Option<Links>,
    /// Position of the next string to insert.
    next: u32,
    /// Whether strings were left out that belong on chains all the same.
    gaps: bool,
    family: PhantomData<F>,
}

impl<F: Family> StringIndex<F> {
    /// Creates an empty index. `deep` is needed for [`StringIndex::search`].
    pub(super) fn new(deep: bool) -> Self {
        Self {
            links: Links::new(F::HASH_BITS),
            rank: ring(),
            deep: (deep && F::HASHED < DEEP).then(|| Links::new(DEEP_BITS)),
            next: 0,
            gaps: false,
            family: PhantomData,
        }
    }

    /// Clears the index. The string at `position` is the next.
    pub(super) fn begin(&mut self, position: u32) {
        self.links.head.fill(0);
        if let Some(deep) = &mut self.deep {
            deep.head.fill(0);
        }
        self.next = position;
        self.gaps = false;
    }

    /// Leaves out the strings before `position` that are not inserted yet.
    pub(super) fn pass_to(&mut self, position: u32) {
        self.next = position;
        self.gaps = true;
    }

    /// Goes back to insert the string at `position` and those behind it, if it was left out.
    pub(super) fn return_to(&mut self, position: u32) {
        if self.next.wrapping_sub(position).cast_signed() > 0 {
            self.next = position;
        }
    }

    /// Inserts all strings up to and including the one at `at`, for [`StringIndex::walk`].
    #[inline]
    pub(super) fn insert_to(&mut self, text: Text<'_>, at: usize) {
        let end = (at + 1).min((text.end + 1).saturating_sub(F::LEAST));
        let mut place = self.next.wrapping_sub(text.base) as usize;
        while place < end {
            self.links
                .insert(F::hash(four(text.bytes, place)), self.next);
            place += 1;
            self.next = self.next.wrapping_add(1);
        }
    }

    /// Inserts all strings that a search at `at` or at the next place needs, for [`StringIndex::search`].
    #[inline]
    pub(super) fn insert_around(&mut self, text: Text<'_>, at: usize) {
        let place = self.next.wrapping_sub(text.base) as usize;
        if place <= at + MATCH_MAX && place < text.end {
            self.insert_batch(text, place, at);
        }
    }

    #[inline(never)]
    fn insert_batch(&mut self, text: Text<'_>, from: usize, at: usize) {
        let end = (at + BATCH).min((text.end + 1).saturating_sub(F::LEAST));
        let whole = end.min((text.end + 1).saturating_sub(DEEP));
        let mut position = self.next;
        if from < whole {
            for bytes in text.bytes[from..whole + DEEP - 1].windows(DEEP) {
                let bytes = bytes.first_chunk().map_or([0; DEEP], |bytes| *bytes);
                self.insert(bytes, position);
                position = position.wrapping_add(1);
            }
        }
        for place in whole.max(from)..end {
            self.insert(four(text.bytes, place), position);
            position = position.wrapping_add(1);
        }
        self.next = position;
    }

    #[inline]
    fn insert(&mut self, bytes: [u8; DEEP], position: u32) {
        let back = self.links.insert(F::hash(bytes), position);
        let before = slot(position.wrapping_sub(u32::from(back)));
        self.rank[slot(position)] = self.rank[before].wrapping_add(1);
        if let Some(deep) = &mut self.deep {
            let hash = u32::from_le_bytes(bytes).wrapping_mul(0x9e37_79b1) >> (32 - DEEP_BITS);
            deep.insert(hash as usize, position);
        }
    }

    /// Searches as the writer does, candidate by candidate.
    pub(super) fn walk(&self, text: Text<'_>, wanted: &MatchQuery) -> ChainMatch {
        let MatchQuery { at, position, .. } = *wanted;
        let mut found = ChainMatch {
            len: wanted.least,
            dist: 0,
        };
        let mut dist = self.links.back(position);
        if dist > wanted.first_reach {
            return ChainMatch::default();
        }
        // The window covers everything within reach, so that one bounds check guards all comparisons.
        let window = &text.bytes[at - wanted.first_reach..at + wanted.limit];
        let here = wanted.first_reach;
        let mut tail = Tail::of(window, here, found.len);
        for _ in 0..wanted.chain {
            if tail.stands_at(window, here - dist) {
                let len = super::common(window, here - dist, here, wanted.limit);
                if len > found.len && F::takes(len, dist) {
                    found = ChainMatch { len, dist };
                    if len >= wanted.nice {
                        break;
                    }
                    tail = Tail::of(window, here, len);
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "at most 2^16")]
            let from = position.wrapping_sub(dist as u32);
            dist += self.links.back(from);
            if dist > wanted.reach {
                break;
            }
        }
        found.or_none()
    }

    /// Finds the match that [`StringIndex::walk`] finds, with fewer comparisons.
    ///
    /// A match longer than the best so far shares a string of four bytes with the text at each place within the best
    /// length. Any chain of these strings therefore leads to it, and the chain with the longest jump is the best. The
    /// rank of a better candidate says whether the writer would have reached it.
    pub(super) fn search(&self, text: Text<'_>, wanted: &MatchQuery) -> ChainMatch {
        if self.gaps {
            return self.walk(text, wanted);
        }
        let mut found = ChainMatch {
            len: wanted.least.max(DEEP - 1),
            dist: 0,
        };
        if wanted.limit > found.len && !self.leap(text, wanted, &mut found) {
            return self.walk(text, wanted);
        }
        if found.dist == 0 && wanted.least < DEEP - 1 {
            return self.nearest(text, wanted);
        }
        found.or_none()
    }

    /// Searches for a match longer than `found`, which has four bytes or more. Returns false when that would take too
    /// long.
    fn leap(&self, text: Text<'_>, wanted: &MatchQuery, found: &mut ChainMatch) -> bool {
        let MatchQuery { at, position, .. } = *wanted;
        let window = &text.bytes[at - wanted.first_reach..at + wanted.limit];
        let here = wanted.first_reach;
        let links = self.deep.as_ref().unwrap_or(&self.links);
        let own_rank = self.rank[slot(position)];
        let mut tail = Tail::of(window, here, found.len);
        let (mut ahead, mut dist) = farthest(links, position, found.len + 1);
        let (first, least) = (word(window, here), u32::MAX >> (8 * (DEEP - F::HASHED)));
        let looks_max = 2 * wanted.chain;
        let (mut looks, mut next_rank) = (0, 1);
        while dist <= wanted.first_reach {
            #[expect(clippy::cast_possible_truncation, reason = "at most 2^15")]
            let from = position.wrapping_sub(dist as u32);
            looks += 1;
            let stands = tail.stands_at(window, here - dist);
            if stands || looks == next_rank {
                next_rank = looks + looks.min(RANK_LOOKS);
                if (word(window, here - dist) ^ first) & least == 0 {
                    let rank = usize::from(own_rank.wrapping_sub(self.rank[slot(from)]));
                    if rank > wanted.chain || dist > wanted.reach && rank > 1 {
                        return true;
                    }
                }
            }
            if stands {
                let len = super::common(window, here - dist, here, wanted.limit);
                if len > found.len && F::takes(len, dist) {
                    *found = ChainMatch { len, dist };
                    if len >= wanted.nice {
                        return true;
                    }
                    tail = Tail::of(window, here, len);
                    let back;
                    (ahead, back) = farthest(links, from, len);
                    dist += back;
                    next_rank = looks + 1;
                    continue;
                }
            }
            dist += links.back(from.wrapping_add(ahead));
            if looks == looks_max {
                return false;
            }
        }
        true
    }

    /// Returns the nearest match of three bytes.
    fn nearest(&self, text: Text<'_>, wanted: &MatchQuery) -> ChainMatch {
        let three = &text.bytes[wanted.at..wanted.at + 3];
        let mut dist = self.links.back(wanted.position);
        let mut reach = wanted.first_reach;
        for _ in 0..wanted.chain {
            if dist > reach || dist > F::FAR {
                break;
            }
            if text.bytes[wanted.at - dist..].starts_with(three) {
                return ChainMatch { len: 3, dist };
            }
            #[expect(clippy::cast_possible_truncation, reason = "at most 2^15")]
            let from = wanted.position.wrapping_sub(dist as u32);
            dist += self.links.back(from);
            reach = wanted.reach;
        }
        ChainMatch::default()
    }
}

/// Finds, among the strings within `len` bytes from `position` on, the one whose next older string is farthest. Returns
/// its offset and the distance to the older string.
#[inline]
fn farthest(links: &Links, position: u32, len: usize) -> (u32, usize) {
    let mut best = (0, links.back(position));
    let others = len.saturating_sub(DEEP).min(OTHERS_MAX);
    for ahead in (1..).take(others) {
        let back = links.back(position.wrapping_add(ahead));
        if back > best.1 {
            best = (ahead, back);
        }
    }
    best
}

/// The last bytes of a match longer than `len`. Comparing them first rejects most candidates.
#[derive(Clone, Copy)]
struct Tail {
    offset: usize,
    bytes: u32,
    mask: u32,
}

impl Tail {
    #[inline]
    fn of(window: &[u8], here: usize, len: usize) -> Self {
        // Compares four bytes, or three when no match was found yet.
        let (offset, mask) = if len < 3 {
            (0, 0x00ff_ffff)
        } else {
            (len - 3, u32::MAX)
        };
        Self {
            offset,
            bytes: word(window, here + offset) & mask,
            mask,
        }
    }

    #[inline]
    fn stands_at(self, window: &[u8], place: usize) -> bool {
        word(window, place + self.offset) & self.mask == self.bytes
    }
}

/// Returns four bytes. Bytes behind the end are zeros.
#[inline]
fn four(bytes: &[u8], at: usize) -> [u8; 4] {
    if let Some(four) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        return *four;
    }
    let mut four = [0; 4];
    for (byte, from) in four.iter_mut().zip(bytes.get(at..).unwrap_or_default()) {
        *byte = *from;
    }
    four
}

/// Returns four bytes as a number.
#[inline]
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(four(bytes, at))
}
