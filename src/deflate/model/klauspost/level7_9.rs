//! Levels 7 to 9: a hash chain with a search at the next place, as in zlib, but with its own rules (deflate.go).
//!
//! The writer's window has 64 KiB. When it is full, the writer processes all but the last 262 bytes and slides the
//! window by 32 KiB. No match reaches before the window. The model does the same and therefore never needs corrections
//! during a run.

use super::super::super::token::{MATCH_MAX, Token, WINDOW};
use super::super::{Model, Text, common};
use super::costs::Costs;
use super::window::{Matches, PlainWindow, hash4, table};
use super::{AGE_SHIFT, Era, age, far};

const HASH_BITS: u32 = 17;
const MASK: usize = WINDOW - 1;
/// Shortest match.
const LEAST: usize = 4;
/// The writer stops this many bytes before the end of its window, except at the end of its input.
const MARGIN: usize = LEAST + MATCH_MAX;
/// Offset in its window at which the window slides.
const SLIDE: u32 = 2 * SLIDES_BY - 262;
/// Bytes by which it slides.
const SLIDES_BY: u32 = 32 * 1024;
/// Places at the end that are not inserted.
const UNHASHED: usize = LEAST - 1;
/// Old versions take a match of the least length only within this distance.
const TOO_FAR: usize = 4096;

/// The parameters of a level.
#[derive(Debug, Clone, Copy)]
struct LazyLevel {
    /// A match of this length is taken without a search at the next place.
    lazy: usize,
    /// A match of this length ends the search.
    nice: usize,
    /// Most candidates that are compared.
    chain: usize,
}

const fn level(lazy: usize, nice: usize, chain: usize) -> LazyLevel {
    LazyLevel { lazy, nice, chain }
}

/// Levels 7 to 9 up to 1.13, and from 1.14.2 on.
const FIRST: [LazyLevel; 3] = [level(8, 24, 16), level(16, 24, 64), level(258, 258, 4096)];
const LATER: [LazyLevel; 3] = [level(12, 16, 24), level(30, 40, 64), level(258, 258, 1024)];

/// Levels 7 to 9.
pub(super) struct Lazy {
    level: LazyLevel,
    era: Era,
    /// Whether the level compares the bits that matches save, as level 9 does.
    weighs: bool,
    head: Box<[u32; 1 << HASH_BITS]>,
    /// The place before with the same hash, indexed by the last bits of the distance from `start`.
    chain: Box<[u32; WINDOW]>,
    matches: Matches,
    /// Positions: the beginning of the run, the writer's window, and the next place in it.
    start: u32,
    window: u32,
    index: u32,
    /// Whether the place before `index` waits for the result here.
    pending: bool,
    /// The match at the place before.
    len: usize,
    dist: usize,
    /// The first candidate of the chain at `index`.
    first: u32,
    /// Literals since the last match. Wraps around, as the writer's counter does.
    idle: u16,
    costs: Costs,
}

/// A match: its length and distance.
type LazyMatch = (usize, usize);

impl Lazy {
    pub(super) fn new(number: u8, era: Era) -> Self {
        let place = usize::from(number.clamp(7, 9) - 7);
        let later = era >= Era::From1_14_2;
        Self {
            level: if later { LATER[place] } else { FIRST[place] },
            era,
            weighs: later && place == 2,
            head: table(0),
            chain: table(0),
            matches: Matches::default(),
            start: 0,
            window: 0,
            index: 0,
            pending: false,
            len: LEAST - 1,
            dist: 0,
            first: 0,
            idle: 0,
            costs: Costs::new(),
        }
    }

    fn restart(&mut self, start: u32, index: u32) {
        self.head.fill(far(start));
        self.chain.fill(far(start));
        self.matches.clear();
        self.start = start;
        self.window = start;
        self.index = index;
        self.pending = false;
        self.len = LEAST - 1;
        self.dist = 0;
        self.first = far(start);
        self.idle = 0;
    }

    fn hash(&self, window: &PlainWindow<'_>, at: usize) -> usize {
        let bytes = window.load(at);
        if self.era >= Era::From1_14_2 {
            return hash4(bytes, HASH_BITS);
        }
        hash4(bytes.swap_bytes() >> 32, HASH_BITS)
    }

    fn slot(&self, position: u32) -> usize {
        position.wrapping_sub(self.start) as usize & MASK
    }

    /// Inserts a place and returns the one before with the same hash.
    #[inline]
    fn insert(&mut self, window: &PlainWindow<'_>, at: usize) -> u32 {
        let position = window.position(at);
        let hash = self.hash(window, at);
        let before = std::mem::replace(&mut self.head[hash], position);
        let slot = self.slot(position);
        self.chain[slot] = before;
        before
    }

    /// Returns the position up to which tokens are known.
    fn done(&self) -> u32 {
        self.index.wrapping_sub(u32::from(self.pending))
    }

    /// Runs the writer until it has passed `at`.
    fn reach(&mut self, text: Text<'_>, at: usize) {
        let position = text.position(at);
        while at < text.end && position.wrapping_sub(self.done()).cast_signed() >= 0 {
            let before = self.index;
            if self.index.wrapping_sub(self.window) >= SLIDE {
                self.window = self.window.wrapping_add(SLIDES_BY);
            }
            let low = self.window.wrapping_sub(text.base) as usize;
            let from = self.index.wrapping_sub(text.base) as usize;
            if low <= from && from <= at + 1 && from - low <= 2 * WINDOW {
                self.step(text, low, from);
            }
            if self.index == before {
                // The text between was dropped, so the run starts anew here.
                self.restart(position, position);
                self.step(text, at, at);
                return;
            }
        }
    }

    /// Processes the window from `from` on.
    fn step(&mut self, text: Text<'_>, low: usize, from: usize) {
        let to = text.end.min(low + 2 * WINDOW);
        let window = PlainWindow::new(text, low, low, to);
        if (window.position(to) ^ self.index) >> AGE_SHIFT != 0 {
            age(self.head.iter_mut(), self.index);
            age(self.chain.iter_mut(), self.index);
        }
        if self.weighs && from < to {
            self.costs.set(&window.bytes[from..], self.era);
        }
        self.matches.clear();
        let last = to == text.end;
        let mut at = from;
        while to - at >= MARGIN || last && at < to {
            at = self.turn(&window, at).min(to);
        }
        if last {
            self.pending = false;
        }
        self.index = window.position(at);
    }

    /// Does what the writer does at a place and returns the next place.
    fn turn(&mut self, window: &PlainWindow<'_>, at: usize) -> usize {
        let insert_end = window.bytes.len().saturating_sub(UNHASHED);
        if at < insert_end {
            self.first = self.insert(window, at);
        }
        let before = (self.len, self.dist);
        let left = window.bytes.len() - at;
        let reach = (at - window.low).min(WINDOW);
        (self.len, self.dist) = (LEAST - 1, 0);
        if left > before.0
            && before.0 < self.level.lazy
            && let Some(from) = window.within(self.first, at, reach)
        {
            (self.len, self.dist) = self.search(window, at, from, reach);
        }
        if before.0 >= LEAST && self.len <= before.0 {
            return self.take(window, at, before, reach, insert_end);
        }
        if self.len >= LEAST {
            self.idle = 0;
        }
        if !self.pending {
            self.pending = true;
            return at + 1;
        }
        self.idle = self.idle.wrapping_add(1);
        self.skip(window, at + 1, insert_end)
    }

    /// Skips places after a long search without a match.
    fn skip(&mut self, window: &PlainWindow<'_>, from: usize, insert_end: usize) -> usize {
        let later = self.era >= Era::From1_14_2;
        let idle = usize::from(self.idle);
        let count = match (later, idle.saturating_sub(self.level.chain)) {
            (true, 0) => return from,
            (true, over) => 1 + over / 64,
            (false, _) if idle < 32 => return from,
            (false, _) => idle / 32,
        };
        let mut at = from;
        for _ in 0..count {
            if at + 1 >= window.bytes.len() {
                break;
            }
            if later && at < insert_end {
                self.first = self.insert(window, at);
            }
            at += 1;
        }
        self.pending = false;
        at
    }

    /// Returns the match that the chain gives, from `first` on.
    fn search(&self, window: &PlainWindow<'_>, at: usize, first: usize, reach: usize) -> LazyMatch {
        let look = (window.bytes.len() - at).min(MATCH_MAX);
        let nice = self.level.nice.min(look);
        // The slice holds every byte that a match may touch. `at` is at `reach` in it.
        let bytes = &window.bytes[at - reach..at + look];
        let position = window.position(at);
        let slot = self.slot(position);
        let mut best = (LEAST - 1, 0);
        let mut gain = if self.era >= Era::From1_15_15 { 4 } else { 0 };
        let mut end = four(bytes, reach);
        let mut dist = at - first;
        for _ in 0..self.level.chain {
            let from = reach - dist;
            // A longer match must also have the four bytes at the end of the best one.
            if four(bytes, from + best.0 - (LEAST - 1)) == end {
                let len = common(bytes, from, reach, look);
                if len > best.0 && self.takes(&bytes[reach..reach + len], dist, &mut gain) {
                    best = (len, dist);
                    if len >= nice {
                        break;
                    }
                    end = four(bytes, reach + len - (LEAST - 1));
                }
            }
            let before = self.chain[slot.wrapping_sub(dist) & MASK];
            let next = position.wrapping_sub(before) as usize;
            if dist >= reach || next.wrapping_sub(1) >= reach {
                break;
            }
            dist = next;
        }
        best
    }

    /// Returns whether the writer takes a match that is longer than all before.
    #[inline]
    fn takes(&self, bytes: &[u8], dist: usize, gain: &mut i32) -> bool {
        if !self.weighs {
            return self.era >= Era::From1_14_2 || bytes.len() > LEAST || dist <= TOO_FAR;
        }
        let new = self.costs.saved(bytes, dist, self.era);
        if new > *gain {
            *gain = new;
            return true;
        }
        false
    }

    /// Takes the match of the place before, or a longer one that continues where it ends.
    fn take(
        &mut self,
        window: &PlainWindow<'_>,
        at: usize,
        before: LazyMatch,
        reach: usize,
        insert_end: usize,
    ) -> usize {
        let (mut len, dist, literals) = if self.era >= Era::From1_15_15 {
            self.end_check(window, at, before, reach, insert_end)
        } else if self.era >= Era::From1_14_2 {
            self.first_end_check(window, at, before, reach, insert_end)
        } else {
            (before.0, before.1, 0)
        };
        for at in at + 1..=at + literals {
            if at < insert_end {
                self.first = self.insert(window, at);
            }
        }
        let from = at - 1 + literals;
        len = len.min(window.bytes.len() - from);
        self.matches.put(window.position(from), len, dist);
        for at in from + 2..(from + len).min(insert_end) {
            self.insert(window, at);
        }
        self.pending = false;
        self.len = LEAST - 1;
        if self.era >= Era::From1_14_2 {
            self.idle = 0;
        }
        from + len
    }

    /// Does the end check of 1.14.2 to 1.15.14.
    fn first_end_check(
        &self,
        window: &PlainWindow<'_>,
        at: usize,
        before: LazyMatch,
        reach: usize,
        insert_end: usize,
    ) -> (usize, usize, usize) {
        let none = (before.0, before.1, 0);
        let (from, end) = (at - 1, at - 1 + before.0);
        if end + 2 >= insert_end {
            return none;
        }
        let dist = window
            .position(end - 2)
            .wrapping_sub(self.head[self.hash(window, end - 2)]) as usize;
        if dist == 0 || dist + 2 > reach {
            return none;
        }
        let look = (window.bytes.len() - at).min(MATCH_MAX);
        let len = common(window.bytes, from - dist, from, look);
        if len > before.0 { (len, dist, 0) } else { none }
    }

    /// Does the end check from 1.15.15 on. The first two bytes may differ and become literals. Returns the length, the
    /// distance, and the number of such literals.
    fn end_check(
        &self,
        window: &PlainWindow<'_>,
        at: usize,
        before: LazyMatch,
        reach: usize,
        insert_end: usize,
    ) -> (usize, usize, usize) {
        let none = (before.0, before.1, 0);
        let (from, end) = (at - 1, at - 1 + before.0);
        if before.0 >= MATCH_MAX - 2 || end >= insert_end {
            return none;
        }
        let dist = window
            .position(end)
            .wrapping_sub(self.head[self.hash(window, end)]) as usize;
        if dist == 0 || dist == before.1 || dist + 4 > reach {
            return none;
        }
        let look = (window.bytes.len() - at).min(MATCH_MAX + 2) - 2;
        let mut len = common(window.bytes, from + 2 - dist, from + 2, look);
        if len <= before.0 {
            return none;
        }
        for skipped in [2, 1] {
            let place = from + skipped - 1;
            if len >= MATCH_MAX || window.bytes[place] != window.bytes[place - dist] {
                return (len, dist, skipped);
            }
            len += 1;
        }
        (len, dist, 0)
    }
}

/// Returns four bytes at a place.
#[inline]
fn four(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

impl Model for Lazy {
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize) {
        self.restart(text.position(dictionary), text.position(at));
        let window = PlainWindow::new(text, dictionary, dictionary, at);
        for place in dictionary..at.saturating_sub(UNHASHED) {
            self.insert(&window, place);
        }
    }

    fn block(&mut self, text: Text<'_>, at: usize) {
        self.reach(text, at);
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        self.reach(text, at);
        self.matches.token(text.position(at), text.bytes[at])
    }

    fn follow(&mut self, _text: Text<'_>, _at: usize, _token: Token) {}
}
