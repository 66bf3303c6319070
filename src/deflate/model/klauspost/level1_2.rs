//! Levels 1 and 2: one table of places by a hash of five bytes, of four up to 1.15.10 (level1.go, level2.go).
//!
//! Every second or third place is searched, and fewer the longer nothing is found. Level 2 has a larger table and
//! inserts places within matches, too.

use super::super::super::token::WINDOW;
use super::window::{MARGIN, Matches, PlainWindow, hash_snappy, hash4, hash5, table, word};
use super::{Era, LevelEncoder, far};

/// Level 1 or 2. `BITS`, the size of the hash, is part of the level.
pub(super) struct Quick<const TWO: bool, const SIZE: usize> {
    era: Era,
    table: Box<[u32; SIZE]>,
}

/// Level 1.
pub(super) type Level1 = Quick<false, { 1 << 15 }>;
/// Level 2.
pub(super) type Level2 = Quick<true, { 1 << 17 }>;

/// The place of a search.
struct Level12Search {
    at: usize,
    /// The next place to search. Places before it are never searched again.
    next: usize,
    emitted: usize,
    bytes: u64,
}

impl<const TWO: bool, const SIZE: usize> Quick<TWO, SIZE> {
    pub(super) fn new(era: Era) -> Self {
        Self {
            era,
            table: table(0),
        }
    }

    #[inline]
    fn hash<const NEW: bool>(bytes: u64) -> usize {
        let bits = SIZE.trailing_zeros();
        match (NEW, TWO) {
            (true, _) => hash5(bytes, bits),
            (false, true) => hash4(bytes, bits),
            (false, false) => hash_snappy(bytes, bits),
        }
    }

    /// Returns the next match of four bytes. `search.at` becomes its start.
    #[inline]
    fn search<const NEW: bool>(
        &mut self,
        window: &PlainWindow<'_>,
        limit: usize,
        search: &mut Level12Search,
    ) -> Option<usize> {
        let mut bytes = search.bytes;
        loop {
            let hash = Self::hash::<NEW>(bytes);
            let at = search.at;
            search.next = at + 2 + ((at - search.emitted) >> 5);
            if search.next > limit {
                return None;
            }
            let entry = std::mem::replace(&mut self.table[hash], window.position(at));
            let found = window.matching(entry, at, word(bytes));
            bytes = window.load(search.next);
            let hash = Self::hash::<NEW>(bytes);
            if found.is_some() {
                self.table[hash] = window.position(search.next);
                return found;
            }
            search.at = search.next;
            search.next += 1;
            let entry = std::mem::replace(&mut self.table[hash], window.position(search.at));
            let found = window.matching(entry, search.at, word(bytes));
            if found.is_some() {
                if !TWO {
                    // The writer inserts the next place under the hash of this one.
                    self.table[hash] = window.position(search.next);
                }
                return found;
            }
            bytes >>= 8;
            search.at = search.next;
        }
    }

    /// Inserts three places of every seven within a match of `len` bytes that ends at `end`.
    fn put_within<const NEW: bool>(&mut self, window: &PlainWindow<'_>, end: usize, len: usize) {
        let mut at = end - len + 2;
        while at + 5 < end {
            let bytes = window.load(at);
            let position = window.position(at);
            for (skip, bytes) in [(0, bytes), (2, bytes >> 16), (4, bytes >> 32)] {
                // The writer has only four bytes of the third place. A hash of five bytes takes the last one as zero.
                self.table[Self::hash::<NEW>(bytes)] = position.wrapping_add(skip);
            }
            at += 7;
        }
    }

    /// Inserts places around the end of a match. Returns a match of four bytes that begins there.
    #[inline]
    fn turn<const NEW: bool>(&mut self, window: &PlainWindow<'_>, at: usize) -> Option<usize> {
        let bytes = window.load(at - 2);
        let position = window.position(at);
        self.table[Self::hash::<NEW>(bytes)] = position.wrapping_sub(2);
        if TWO {
            self.table[Self::hash::<NEW>(bytes >> 8)] = position.wrapping_sub(1);
        }
        let entry = std::mem::replace(&mut self.table[Self::hash::<NEW>(bytes >> 16)], position);
        let from = window.within(entry, at, WINDOW)?;
        window.holds(from, word(bytes >> 16)).then_some(from)
    }

    fn run<const NEW: bool>(&mut self, window: &PlainWindow<'_>, matches: &mut Matches) {
        let Some(limit) = window.limit(MARGIN) else {
            return;
        };
        let mut search = Level12Search {
            at: window.from,
            next: window.from,
            emitted: window.from,
            bytes: window.load(window.from),
        };
        while let Some(mut from) = self.search::<NEW>(window, limit, &mut search) {
            loop {
                let len = 4 + window.common(from + 4, search.at + 4);
                let more = window.backwards(from, search.at, search.emitted);
                let (at, len) = (search.at - more, len + more);
                matches.add(window, self.era, at, len, search.at - from);
                search.emitted = at + len;
                search.at = search.emitted.max(search.next + 1);
                if search.at >= limit {
                    let hashed = if NEW { 8 } else { 4 };
                    if search.at + len + hashed < window.bytes.len() {
                        let hash = Self::hash::<NEW>(window.load(search.at));
                        self.table[hash] = window.position(search.at);
                    }
                    return;
                }
                if TWO {
                    self.put_within::<NEW>(window, search.at, len);
                }
                match self.turn::<NEW>(window, search.at) {
                    Some(next) => from = next,
                    None => break,
                }
            }
            search.at += 1;
            search.bytes = window.load(search.at);
        }
    }
}

impl<const TWO: bool, const SIZE: usize> LevelEncoder for Quick<TWO, SIZE> {
    fn forget(&mut self, position: u32) {
        self.table.fill(far(position));
    }

    fn age(&mut self, position: u32) {
        super::age(self.table.iter_mut(), position);
    }

    fn encode(&mut self, window: &PlainWindow<'_>, matches: &mut Matches) {
        if self.era >= Era::From1_15_11 {
            self.run::<true>(window, matches);
        } else {
            self.run::<false>(window, matches);
        }
    }
}
