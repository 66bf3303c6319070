//! Level 4: a table of places by a hash of four bytes, and one by a hash of seven (level4.go).

use super::super::super::token::WINDOW;
use super::window::{MARGIN, Matches, PlainWindow, hash4, hash7, table, word};
use super::{Era, LevelEncoder, WINDOW_BYTES, far};

const BITS: u32 = 15;
/// Bytes of text that the writer holds before it moves the last 32 KiB to the front.
const HISTORY_BYTES: usize = 5 * WINDOW_BYTES;

pub(super) struct Four {
    era: Era,
    short: Box<[u32; 1 << BITS]>,
    long: Box<[u32; 1 << BITS]>,
    /// The text in the writer's buffer. From 1.18 on the writer uses a distance as an index into it when it compares a
    /// match at the next place. Therefore the beginning of its buffer matters.
    history: Vec<u8>,
}

struct Level4Search {
    at: usize,
    next: usize,
    emitted: usize,
    bytes: u64,
}

impl Four {
    pub(super) fn new(era: Era) -> Self {
        Self {
            era,
            short: table(0),
            long: table(0),
            history: Vec::new(),
        }
    }

    #[inline]
    fn put(&mut self, window: &PlainWindow<'_>, at: usize) {
        let bytes = window.load(at);
        self.short[hash4(bytes, BITS)] = window.position(at);
        self.long[hash7(bytes, BITS)] = window.position(at);
    }

    /// Returns the next match of four bytes. `search.at` becomes its start.
    #[inline]
    fn search(
        &mut self,
        window: &PlainWindow<'_>,
        limit: usize,
        search: &mut Level4Search,
    ) -> Option<usize> {
        search.next = search.at;
        loop {
            let at = search.next;
            search.at = at;
            search.next = at + 1 + ((at - search.emitted) >> 6);
            if search.next > limit {
                return None;
            }
            let bytes = search.bytes;
            let position = window.position(at);
            let short = std::mem::replace(&mut self.short[hash4(bytes, BITS)], position);
            let long = std::mem::replace(&mut self.long[hash7(bytes, BITS)], position);
            search.bytes = window.load(search.next);
            if let Some(from) = window.matching(long, at, word(bytes)) {
                return Some(from);
            }
            if let Some(from) = window.matching(short, at, word(bytes)) {
                let long = self.long[hash7(search.bytes, BITS)];
                let Some(next) = window.matching(long, search.next, word(search.bytes)) else {
                    return Some(from);
                };
                if !self.prefers(window, (at, from), (search.next, next)) {
                    return Some(from);
                }
                search.at = search.next;
                return Some(next);
            }
        }
    }

    /// Returns whether the writer takes the second of two matches as the longer one.
    fn prefers(
        &self,
        window: &PlainWindow<'_>,
        here: (usize, usize),
        next: (usize, usize),
    ) -> bool {
        let len = window.common(here.1 + 4, here.0 + 4);
        if self.era < Era::From1_18_0 {
            return window.common(next.1 + 4, next.0 + 4) > len;
        }
        let dist = next.0 - next.1;
        let pairs = window.bytes[next.0 + 4..]
            .iter()
            .zip(self.history.get(dist + 4..).unwrap_or_default());
        pairs.take(len + 1).take_while(|(a, b)| a == b).count() > len
    }

    fn remember(&mut self, window: &PlainWindow<'_>) {
        let bytes = &window.bytes[window.from..];
        if self.history.len() + bytes.len() > HISTORY_BYTES {
            self.history
                .drain(..self.history.len().saturating_sub(WINDOW));
        }
        self.history.extend_from_slice(bytes);
    }
}

impl LevelEncoder for Four {
    fn forget(&mut self, position: u32) {
        self.short.fill(far(position));
        self.long.fill(far(position));
        self.history.clear();
    }

    fn age(&mut self, position: u32) {
        super::age(self.short.iter_mut(), position);
        super::age(self.long.iter_mut(), position);
    }

    fn encode(&mut self, window: &PlainWindow<'_>, matches: &mut Matches) {
        if self.era >= Era::From1_18_0 {
            self.remember(window);
        }
        let Some(limit) = window.limit(MARGIN) else {
            return;
        };
        let mut search = Level4Search {
            at: window.from,
            next: window.from,
            emitted: window.from,
            bytes: window.load(window.from),
        };
        while let Some(from) = self.search(window, limit, &mut search) {
            let len = 4 + window.common(from + 4, search.at + 4);
            let more = window.backwards(from, search.at, search.emitted);
            let (at, len) = (search.at - more, len + more);
            matches.add(window, self.era, at, len, search.at - from);
            search.emitted = at + len;
            search.at = search.emitted.max(search.next + 1);
            if search.at >= limit {
                if search.at + 8 < window.bytes.len() {
                    self.put(window, search.at);
                }
                return;
            }
            let mut within = search.next;
            while within + 1 < search.at {
                let bytes = window.load(within);
                let position = window.position(within);
                self.long[hash7(bytes, BITS)] = position;
                self.long[hash7(bytes >> 8, BITS)] = position.wrapping_add(1);
                self.short[hash4(bytes >> 8, BITS)] = position.wrapping_add(1);
                within += 3;
            }
            self.put(window, search.at - 1);
            search.bytes = window.load(search.at);
        }
    }
}
