//! Level 3: a table of the last two places by a hash of five bytes, of four up to 1.15.10 (level3.go).

use super::super::super::token::WINDOW;
use super::window::{MARGIN, Matches, PlainWindow, hash_snappy, hash4, hash5, table, word};
use super::{Era, LevelEncoder, far};

const BITS: u32 = 16;
/// Bits of the hash up to 1.14.2.
const FIRST_BITS: u32 = 15;
/// How far a search looks back.
const REACH: usize = WINDOW - 4;

/// The versions of this level.
const FIRST: u8 = 0;
const FROM_1_14_3: u8 = 1;
const FROM_1_15_11: u8 = 2;

pub(super) struct Three {
    era: Era,
    /// The last place and the one before.
    table: Box<[[u32; 2]; 1 << BITS]>,
}

struct Level3Search {
    at: usize,
    next: usize,
    emitted: usize,
    bytes: u64,
}

#[inline]
fn hash<const VERSION: u8>(bytes: u64) -> usize {
    match VERSION {
        FIRST => hash_snappy(bytes, FIRST_BITS),
        FROM_1_14_3 => hash4(bytes, BITS),
        _ => hash5(bytes, BITS),
    }
}

impl Three {
    pub(super) fn new(era: Era) -> Self {
        Self {
            era,
            table: table([0; 2]),
        }
    }

    /// Inserts a place and returns the two that were there.
    #[inline]
    fn put<const VERSION: u8>(&mut self, bytes: u64, position: u32) -> [u32; 2] {
        let entry = &mut self.table[hash::<VERSION>(bytes)];
        let before = *entry;
        *entry = [position, before[0]];
        before
    }

    /// Returns the next match of four bytes.
    #[inline]
    fn search<const VERSION: u8>(
        &mut self,
        window: &PlainWindow<'_>,
        limit: usize,
        search: &mut Level3Search,
    ) -> Option<usize> {
        let skip = if VERSION == FROM_1_15_11 { 7 } else { 6 };
        search.next = search.at;
        loop {
            let at = search.next;
            search.at = at;
            search.next = at + 1 + ((at - search.emitted) >> skip);
            if search.next > limit {
                return None;
            }
            let bytes = search.bytes;
            search.bytes = window.load(search.next);
            let entries = self.put::<VERSION>(bytes, window.position(at));
            // When the last place is out of reach, so is the one before.
            let Some(last) = window.within(entries[0], at, REACH) else {
                continue;
            };
            if window.holds(last, word(bytes)) {
                let earlier = window.within(entries[1], at, REACH);
                let earlier = earlier.filter(|earlier| window.holds(*earlier, word(bytes)));
                return Some(match earlier {
                    Some(earlier) if longer(window, at, earlier, last) => earlier,
                    _ => last,
                });
            }
            let earlier = window.within(entries[1], at, REACH - 1);
            if let Some(earlier) = earlier.filter(|earlier| window.holds(*earlier, word(bytes))) {
                return Some(earlier);
            }
        }
    }

    /// Inserts places within a match of `len` bytes that ends at `at`. Returns a match of four bytes that begins there.
    #[inline]
    fn turn<const VERSION: u8>(
        &mut self,
        window: &PlainWindow<'_>,
        at: usize,
        len: usize,
    ) -> Option<usize> {
        let step = match VERSION {
            FIRST => usize::MAX,
            FROM_1_14_3 => 5,
            _ => 6,
        };
        if VERSION == FIRST {
            self.put::<VERSION>(
                window.load(at.saturating_sub(3)),
                window.position(at).wrapping_sub(3),
            );
        } else {
            let mut within = at - len + 2;
            while within + 5 < at {
                self.put::<VERSION>(window.load(within), window.position(within));
                within += step;
            }
        }
        let bytes = window.load(at - 2);
        let position = window.position(at);
        self.put::<VERSION>(bytes, position.wrapping_sub(2));
        self.put::<VERSION>(bytes >> 8, position.wrapping_sub(1));
        let bytes = bytes >> 16;
        let entries = self.put::<VERSION>(bytes, position);
        let last = window.within(entries[0], at, REACH - 1)?;
        if window.holds(last, word(bytes)) {
            // The first versions do not find the older place here.
            return (VERSION != FIRST).then_some(last);
        }
        let earlier = window.within(entries[1], at, REACH - 1)?;
        window.holds(earlier, word(bytes)).then_some(earlier)
    }

    fn run<const VERSION: u8>(&mut self, window: &PlainWindow<'_>, matches: &mut Matches) {
        let (margin, hashed) = if VERSION == FROM_1_15_11 {
            (MARGIN, 8)
        } else {
            (MARGIN - 4, 4)
        };
        let Some(limit) = window.limit(margin) else {
            return;
        };
        let mut search = Level3Search {
            at: window.from,
            next: window.from,
            emitted: window.from,
            bytes: window.load(window.from),
        };
        while let Some(mut from) = self.search::<VERSION>(window, limit, &mut search) {
            loop {
                let len = 4 + window.common(from + 4, search.at + 4);
                let more = window.backwards(from, search.at, search.emitted);
                let (at, len) = (search.at - more, len + more);
                let dist = search.at - from;
                matches.add(window, self.era, at, len, dist);
                search.emitted = at + len;
                search.at = search.emitted.max(search.next + 1);
                if search.at >= limit {
                    let end = search.emitted - dist;
                    if end + hashed < window.bytes.len() {
                        self.put::<VERSION>(window.load(end), window.position(end));
                    }
                    return;
                }
                match self.turn::<VERSION>(window, search.at, len) {
                    Some(next) => from = next,
                    None => break,
                }
            }
            search.at += 1;
            search.bytes = window.load(search.at);
        }
    }
}

/// Returns whether `a` gives a longer match than `b`.
#[inline]
fn longer(window: &PlainWindow<'_>, at: usize, a: usize, b: usize) -> bool {
    window.common(a + 4, at + 4) > window.common(b + 4, at + 4)
}

impl LevelEncoder for Three {
    fn forget(&mut self, position: u32) {
        self.table.fill([far(position); 2]);
    }

    fn age(&mut self, position: u32) {
        super::age(self.table.as_flattened_mut().iter_mut(), position);
    }

    fn encode(&mut self, window: &PlainWindow<'_>, matches: &mut Matches) {
        if self.era >= Era::From1_15_11 {
            self.run::<FROM_1_15_11>(window, matches);
        } else if self.era >= Era::From1_14_3 {
            self.run::<FROM_1_14_3>(window, matches);
        } else {
            self.run::<FIRST>(window, matches);
        }
    }
}
