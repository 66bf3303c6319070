//! zlib-ng's levels 3 to 6, with its default (`deflate_medium.c`). It takes a match, looks for the next one behind it, and
//! moves the beginning of that one to the left when nothing but a literal is left of the first.

use super::super::super::token::Token;
use super::super::chain::NgHash;
use super::super::{Model, Text};
use super::index::{LEAST, NgIndex, NgMatch, REACH, SearchEffort};
use super::{NEAR, WINDOW_END, WINDOW_STEP, matched};

/// A match that has grown to the left ends at this length.
const GROWN_MAX: usize = 256;
/// Searches of levels 3 to 6, and the longest matches whose strings are inserted.
const LEVELS: [(SearchEffort, usize); 4] = [
    (effort(6, 16, true), 16 * 6),
    (effort(24, 32, true), 16 * 12),
    (effort(32, 32, false), 16 * 16),
    (effort(128, 128, false), 16 * 16),
];

const fn effort(chain: usize, nice: usize, ends_early: bool) -> SearchEffort {
    SearchEffort {
        chain,
        nice,
        ends_early,
    }
}

/// A match at a place, or a literal: `found.len` 1.
#[derive(Clone, Copy)]
struct PlacedMatch {
    at: usize,
    found: NgMatch,
    /// The first place whose string is not inserted with the match before.
    origin: usize,
}

/// The model of zlib-ng's levels 3 to 6.
pub(crate) struct NgMedium {
    index: NgIndex,
    effort: SearchEffort,
    /// Whether the match behind is looked for.
    looks_ahead: bool,
    /// Of a longer match, only the last string is inserted.
    inserted: usize,
    /// Position at which the writer's window begins.
    window: u32,
    /// What comes next, with its position and that of its origin.
    planned: Option<(u32, u32, NgMatch)>,
}

const LITERAL: NgMatch = NgMatch { len: 1, dist: 0 };

impl NgMedium {
    /// Returns the model of levels 3 to 6.
    pub(crate) fn new(hash: NgHash, level: u8) -> Self {
        let (effort, inserted) = LEVELS[usize::from(level) - 3];
        Self::with(hash, effort, inserted)
    }

    /// Returns the model of level 4 of version 2.0.
    pub(crate) fn early_level_4(hash: NgHash) -> Self {
        Self {
            looks_ahead: true,
            ..Self::with(hash, effort(16, 16, true), 16 * 4)
        }
    }

    fn with(hash: NgHash, effort: SearchEffort, inserted: usize) -> Self {
        Self {
            index: NgIndex::new(hash),
            effort,
            looks_ahead: !effort.ends_early,
            inserted,
            window: 0,
            planned: None,
        }
    }

    /// Moves the window as far as the writer does before it looks at `at`. Returns the bytes that it has ahead.
    fn take_text(&mut self, text: Text<'_>, at: usize) -> u32 {
        let position = text.position(at);
        let left = u32::try_from(text.end - at).unwrap_or(u32::MAX);
        let ahead = |window: u32| {
            let filled = (2 * WINDOW_STEP).saturating_sub(position.wrapping_sub(window));
            filled.min(left)
        };
        if ahead(self.window) >= NEAR {
            return ahead(self.window);
        }
        if position.wrapping_sub(self.window) >= WINDOW_END {
            self.window = self.window.wrapping_add(WINDOW_STEP);
        }
        // After a miss the window may be far behind.
        if position.wrapping_sub(self.window) > WINDOW_END {
            self.window = position.wrapping_sub(WINDOW_STEP);
        }
        // What was planned is forgotten. Its string is inserted already, so it is not found again.
        if let Some((planned, origin, found)) = &mut self.planned
            && *planned == position
        {
            (*origin, *found) = (position, LITERAL);
        }
        ahead(self.window)
    }

    fn search(&mut self, text: Text<'_>, at: usize, ahead: usize) -> PlacedMatch {
        let mut placed = PlacedMatch {
            at,
            found: LITERAL,
            origin: at,
        };
        if ahead >= LEAST && text.end - at >= LEAST {
            self.index.insert(text, at);
            if let Some(found) = self.index.search(text, at, ahead, self.effort) {
                placed.found = found;
            }
        }
        placed
    }

    /// Inserts the strings within a match (`insert_match`).
    fn insert_within(&mut self, text: Text<'_>, taken: &PlacedMatch, ahead: usize) {
        let len = taken.found.len;
        if ahead <= len + LEAST || len < LEAST {
            return;
        }
        let end = taken.at + len;
        if len > self.inserted {
            self.index.insert(text, end - 1);
            return;
        }
        let inserted = if taken.at + 1 < taken.origin {
            taken.origin..end
        } else if end > taken.origin {
            taken.at + 1..end
        } else {
            taken.at + 1..taken.origin + 1
        };
        self.index.insert_all(text, inserted);
    }

    /// Moves the beginning of `next` to the left when one literal at most is left of `taken` (`fizzle_matches`).
    fn grow_left(&self, text: Text<'_>, taken: &mut PlacedMatch, next: &mut PlacedMatch) {
        let dist = next.found.dist;
        let in_window = |place: usize| text.position(place).wrapping_sub(self.window) as usize;
        let from = in_window(next.at).saturating_sub(dist);
        let len = taken.found.len;
        if len <= 1 || len > 1 + from || dist > taken.at + 1 - text.start {
            return;
        }
        if text.bytes[taken.at + 1 - dist] != text.bytes[taken.at + 1] {
            return;
        }
        let limit = in_window(next.at).saturating_sub(REACH);
        let mut moved = 0;
        while next.at - moved > text.start + dist
            && text.bytes[next.at - moved - 1 - dist] == text.bytes[next.at - moved - 1]
            && moved < len
            && in_window(next.at) - moved > limit
            && next.found.len + moved < GROWN_MAX
            && from - moved > 1
        {
            moved += 1;
        }
        if moved == 0 || len - moved > 1 {
            return;
        }
        next.origin += 1;
        next.at -= moved;
        next.found.len += moved;
        taken.found.len -= moved;
    }
}

impl Model for NgMedium {
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize) {
        self.index.begin(text.position(dictionary));
        self.index.insert_all(text, dictionary..at);
        self.window = text.position(dictionary);
        self.planned = None;
    }

    fn resume(&mut self, _text: Text<'_>, _at: usize) {
        self.planned = None;
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        // What is taken away whole gives no token, and another turn of the writer. What comes then is a match.
        loop {
            let ahead = self.take_text(text, at);
            let mut taken = match self.planned.take() {
                Some((position, origin, found)) if position == text.position(at) => PlacedMatch {
                    at,
                    found,
                    origin: at + origin.wrapping_sub(position) as usize,
                },
                _ => self.search(text, at, ahead as usize),
            };
            taken.found.len = taken.found.len.min(text.end - at);
            self.insert_within(text, &taken, ahead as usize);
            let behind = at + taken.found.len;
            let in_window = text.position(behind).wrapping_sub(self.window);
            if self.looks_ahead && ahead > NEAR && in_window < WINDOW_END && behind < text.end {
                let mut next = self.search(text, behind, ahead as usize);
                if next.found.len >= LEAST {
                    self.grow_left(text, &mut taken, &mut next);
                }
                let [position, origin] = [next.at, next.origin].map(|place| text.position(place));
                self.planned = Some((position, origin, next.found));
            }
            match taken.found.len {
                0 => {}
                1 => return Token::literal(text.bytes[at]),
                _ => return matched(taken.found),
            }
        }
    }

    fn follow(&mut self, text: Text<'_>, at: usize, token: Token) {
        let behind = text
            .position(at)
            .wrapping_add(u32::try_from(token.advance()).unwrap_or(0));
        if self
            .planned
            .is_some_and(|(position, ..)| position != behind)
        {
            self.planned = None;
        }
    }
}
