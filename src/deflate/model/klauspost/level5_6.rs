//! Levels 5 and 6: a table of places by a hash of four bytes, and one of the last two places by a hash of seven
//! (level5.go, level6.go).
//!
//! The first candidate that matches is taken, in this order: by seven bytes here, by four bytes here, by seven bytes at
//! the next place when that gives a longer match. Then a match that continues behind the end is searched for, then one
//! that begins earlier. Few places within matches are inserted.

use super::window::{MARGIN, Matches, PlainWindow, hash4, hash7, table, word};
use super::{Era, LevelEncoder, far};

const BITS: u32 = 15;
/// Most bytes that are compared for a candidate.
const COMPARED_MAX: usize = 258;
/// Level 5 searches behind the end of matches shorter than this.
const END_CHECK: usize = 30;

/// Level 5 or 6.
pub(super) struct Level56<const SIX: bool> {
    era: Era,
    short: Box<[u32; 1 << BITS]>,
    /// The last place and the one before.
    long: Box<[[u32; 2]; 1 << BITS]>,
}

/// A match that may still grow: `len` bytes at `at` that equal those at `from`.
#[derive(Clone, Copy)]
struct GrowingMatch {
    at: usize,
    from: usize,
    /// 0 means at least four bytes, not compared further yet.
    len: usize,
}

/// The place of a search.
struct Level56Search {
    /// The place.
    at: usize,
    /// The next place when nothing is found here.
    next: usize,
    /// Where the last match ended.
    emitted: usize,
    /// Eight bytes at `at` (the last one may be missing).
    bytes: u64,
    /// Distance of the last match.
    repeat: usize,
}

impl<const SIX: bool> Level56<SIX> {
    pub(super) fn new(era: Era) -> Self {
        Self {
            era,
            short: table(0),
            long: table([0; 2]),
        }
    }

    #[inline]
    fn put_long(&mut self, hash: usize, position: u32) {
        let entry = &mut self.long[hash];
        *entry = [position, entry[0]];
    }

    #[inline]
    fn put(&mut self, window: &PlainWindow<'_>, at: usize) {
        let bytes = window.load(at);
        self.short[hash4(bytes, BITS)] = window.position(at);
        self.put_long(hash7(bytes, BITS), window.position(at));
    }

    /// Returns the next match of four bytes or more.
    #[inline]
    fn search(
        &mut self,
        window: &PlainWindow<'_>,
        limit: usize,
        search: &mut Level56Search,
    ) -> Option<GrowingMatch> {
        let skip = if SIX { 7 } else { 6 };
        search.next = search.at;
        loop {
            let (short_hash, long_hash) = (hash4(search.bytes, BITS), hash7(search.bytes, BITS));
            search.at = search.next;
            search.next = search.at + 1 + ((search.at - search.emitted) >> skip);
            if search.next > limit {
                return None;
            }
            let (short, long) = (self.short[short_hash], self.long[long_hash]);
            let position = window.position(search.at);
            self.short[short_hash] = position;
            self.put_long(long_hash, position);
            let next_bytes = window.load(search.next);
            if let Some(found) = self.here(window, search, short, long, next_bytes) {
                return Some(found);
            }
            search.bytes = next_bytes;
        }
    }

    /// Returns a match at this place or at the next.
    #[inline]
    fn here(
        &mut self,
        window: &PlainWindow<'_>,
        search: &Level56Search,
        short: u32,
        long: [u32; 2],
        next_bytes: u64,
    ) -> Option<GrowingMatch> {
        let at = search.at;
        let bytes = word(search.bytes);
        if let Some(from) = window.near(long[0], at) {
            let earlier = window.near(long[1], at);
            if window.holds(from, bytes) {
                self.put_next(window, search.next, next_bytes);
                let found = GrowingMatch { at, from, len: 0 };
                return Some(
                    match earlier.filter(|earlier| window.holds(*earlier, bytes)) {
                        Some(earlier) => longer(window, found, earlier),
                        None => found,
                    },
                );
            }
            if let Some(from) = earlier.filter(|earlier| window.holds(*earlier, bytes)) {
                self.put_next(window, search.next, next_bytes);
                return Some(GrowingMatch { at, from, len: 0 });
            }
        }
        let from = window.near(short, at)?;
        if !window.holds(from, bytes) {
            return None;
        }
        let len = window.compared(from, at);
        let next_long = self.put_next(window, search.next, next_bytes);
        let found = GrowingMatch { at, from, len };
        Some(next_place(
            window, search, found, next_bytes, next_long, SIX,
        ))
    }

    /// Inserts the next place and returns its older entries by seven bytes.
    #[inline]
    fn put_next(&mut self, window: &PlainWindow<'_>, next: usize, bytes: u64) -> [u32; 2] {
        let position = window.position(next);
        let hash = hash7(bytes, BITS);
        let before = self.long[hash];
        self.short[hash4(bytes, BITS)] = position;
        self.long[hash] = [position, before[0]];
        before
    }

    /// Searches for a match that continues behind the end of the one found, from 1.12.2 on.
    #[inline]
    fn end_check(
        &self,
        window: &PlainWindow<'_>,
        limit: usize,
        found: GrowingMatch,
    ) -> GrowingMatch {
        let end = found.at + found.len;
        if self.era < Era::From1_12_2 || end >= limit || !SIX && found.len >= END_CHECK {
            return found;
        }
        let skip = if self.era < Era::From1_15_10 { 0 } else { 2 };
        let entries = self.long[hash7(window.load(end), BITS)];
        let at = found.at + skip;
        let mut best = found;
        for entry in &entries[..if SIX { 2 } else { 1 }] {
            // As in the writer, the second candidate is tried behind the first one's length, but at the place of the
            // original match.
            let dist = window.position(found.at + best.len).wrapping_sub(*entry);
            if dist < 1 << 15 && dist > 0 {
                let from = at
                    .checked_sub(dist as usize)
                    .filter(|from| *from >= window.low);
                let len = from.map_or(0, |from| window.common(from, at));
                if let Some(from) = from.filter(|_| len > best.len) {
                    best = GrowingMatch { at, from, len };
                }
            } else if dist.cast_signed() >= 1 << 15 && best.at == found.at && best.len == found.len
            {
                break;
            }
        }
        best
    }

    /// Inserts some places within a match of `len` bytes that ends at `end`, and its last place.
    fn put_within(&mut self, window: &PlainWindow<'_>, end: usize, len: usize) {
        let mut at = (end + 1).saturating_sub(len);
        if at + 1 < end {
            let bytes = window.load(at);
            let position = window.position(at);
            self.short[hash4(bytes, BITS)] = position;
            self.put_long(hash7(bytes, BITS), position);
            self.put_long(hash7(bytes >> 8, BITS), position.wrapping_add(1));
            self.short[hash4(bytes >> 16, BITS)] = position.wrapping_add(2);
            at += 4;
            while at + 1 < end {
                let bytes = window.load(at);
                let position = window.position(at);
                self.put_long(hash7(bytes, BITS), position);
                self.short[hash4(bytes >> 8, BITS)] = position.wrapping_add(1);
                at += 3;
            }
        }
        self.put(window, end - 1);
    }

    /// Inserts every place by seven bytes and every second one by four, as level 6 does.
    fn put_all_within(&mut self, window: &PlainWindow<'_>, from: usize, end: usize) {
        let mut at = from;
        while at + 1 < end {
            let bytes = window.load(at);
            let position = window.position(at);
            // The later place must be inserted last: with equal hashes the entries keep this order.
            self.short[hash4(bytes, BITS)] = position;
            self.put_long(hash7(bytes, BITS), position);
            self.put_long(hash7(bytes >> 8, BITS), position.wrapping_add(1));
            at += 2;
        }
    }

    /// Inserts the rest of the window in level 6, when the last match ended near its end.
    fn put_rest(&mut self, window: &PlainWindow<'_>, from: usize) {
        let mut at = from;
        while at + 8 < window.bytes.len() {
            self.put(window, at);
            at += 2;
        }
    }
}

/// Returns the longer one of a match and one from another place. Returns the first when they are equal.
#[inline]
fn longer(window: &PlainWindow<'_>, found: GrowingMatch, from: usize) -> GrowingMatch {
    let len = window.compared(found.from, found.at);
    let other = window.compared(from, found.at);
    if other > len {
        return GrowingMatch {
            from,
            len: other,
            ..found
        };
    }
    GrowingMatch { len, ..found }
}

/// Returns a match at the next place when it is longer than the one by four bytes here.
#[inline]
fn next_place(
    window: &PlainWindow<'_>,
    search: &Level56Search,
    found: GrowingMatch,
    next_bytes: u64,
    long: [u32; 2],
    six: bool,
) -> GrowingMatch {
    let mut best = found;
    if six
        && let Some(from) = (found.at + 1).checked_sub(search.repeat)
        && window.holds(from, word(search.bytes >> 8))
    {
        let len = window.compared(from, found.at + 1);
        if len > best.len {
            let at = found.at + 1;
            return GrowingMatch { at, from, len };
        }
    }
    let at = search.next;
    let Some(from) = window.near(long[0], at) else {
        return best;
    };
    let earlier = window.near(long[1], at);
    for from in [Some(from), earlier].into_iter().flatten() {
        if window.holds(from, word(next_bytes)) {
            let len = window.compared(from, at);
            if len > best.len {
                best = GrowingMatch { at, from, len };
                if !six {
                    return best;
                }
            }
        }
    }
    best
}

impl<const SIX: bool> LevelEncoder for Level56<SIX> {
    fn forget(&mut self, position: u32) {
        self.short.fill(far(position));
        self.long.fill([far(position); 2]);
    }

    fn age(&mut self, position: u32) {
        super::age(self.short.iter_mut(), position);
        super::age(self.long.as_flattened_mut().iter_mut(), position);
    }

    fn encode(&mut self, window: &PlainWindow<'_>, matches: &mut Matches) {
        let Some(limit) = window.limit(MARGIN) else {
            return;
        };
        let mut search = Level56Search {
            at: window.from,
            next: window.from,
            emitted: window.from,
            bytes: window.load(window.from),
            repeat: 1,
        };
        while let Some(mut found) = self.search(window, limit, &mut search) {
            if found.len == 0 {
                found.len = 4 + window.common(found.from + 4, found.at + 4);
            } else if found.len == COMPARED_MAX {
                found.len += window.common(found.from + COMPARED_MAX, found.at + COMPARED_MAX);
            }
            let found = self.end_check(window, limit, found);
            let more = window.backwards(found.from, found.at, search.emitted);
            let (at, len) = (found.at - more, found.len + more);
            search.repeat = found.at - found.from;
            matches.add(window, self.era, at, len, search.repeat);
            search.emitted = at + len;
            search.at = search.emitted.max(search.next + 1);
            if search.at >= limit {
                if SIX {
                    self.put_rest(window, search.next + 1);
                }
                return;
            }
            if SIX {
                self.put_all_within(window, search.next + 1, search.at);
            } else {
                self.put_within(window, search.at, len);
            }
            search.bytes = window.load(search.at);
        }
    }
}
