//! Go's compress/flate up to 1.26 at level 1, which works unlike its other levels.
//!
//! The rules are those of Go's deflatefast.go, and of `encSpeed` in its deflate.go. The writer fills a window of 65535
//! bytes and searches it for matches with one table. It takes larger steps while it finds none. The model runs the
//! writer's algorithm over a whole window and answers by place. It never adapts to other choices.

use super::super::token::{MATCH_MAX, Token, WINDOW};
use super::{Model, Text, common, next_window};

/// Bytes of a window.
const WINDOW_BYTES: usize = 65535;
/// A last window shorter than this is written without matches, and the table is cleared.
const TINY: usize = 128;
/// Bytes at the end of a window where no search begins.
const MARGIN: usize = 15;
const TABLE_BITS: u32 = 14;
/// Shortest match.
const LEAST: usize = 4;
/// Number of searches without a match after which the step grows by a byte.
const PATIENCE: usize = 32;
/// Text this far back is out of reach.
const FAR: u32 = 1 << 17;
/// Old entries are removed once in this many bytes (as a shift), so that none is ever taken for a new one.
const AGE_SHIFT: u32 = 30;

/// The model of Go's level 1.
pub(crate) struct QuickGo {
    /// Position of the last string of each hash.
    table: Vec<u32>,
    /// Matches of the current window with their positions, and the index of the next one.
    matches: Vec<(u32, Token)>,
    next: usize,
    /// Position at which the current window begins, and its bytes.
    start: u32,
    bytes: u32,
    /// Bytes of the window before. The writer keeps a copy of that window alone.
    kept: usize,
}

impl QuickGo {
    pub(crate) fn new() -> Self {
        Self {
            table: vec![0; 1 << TABLE_BITS],
            matches: Vec::new(),
            next: 0,
            start: 0,
            bytes: 0,
            kept: 0,
        }
    }

    fn forget(&mut self, position: u32) {
        self.table.fill(position.wrapping_sub(FAR));
        self.bytes = 0;
        self.kept = 0;
    }

    /// Runs the writer until its window includes `at`.
    fn reach(&mut self, text: Text<'_>, at: usize) {
        while let Some(from) = next_window(&text, at, self.start, self.bytes) {
            self.window(text, from);
        }
    }

    fn window(&mut self, text: Text<'_>, from: usize) {
        let to = text.end.min(from + WINDOW_BYTES);
        let start = text.position(from);
        if (start ^ self.start) >> AGE_SHIFT != 0 {
            for entry in &mut self.table {
                if start.wrapping_sub(*entry) > FAR {
                    *entry = start.wrapping_sub(FAR);
                }
            }
        }
        self.matches.clear();
        self.next = 0;
        self.kept = self.bytes as usize;
        if to - from < TINY {
            self.forget(start);
        } else {
            self.encode(text, from, to);
        }
        self.start = start;
        #[expect(clippy::cast_possible_truncation, reason = "a window is small")]
        let bytes = (to - from) as u32;
        self.bytes = bytes;
    }

    /// Finds the matches of a window of at least [`TINY`] bytes.
    fn encode(&mut self, text: Text<'_>, from: usize, to: usize) {
        let limit = to - MARGIN;
        let mut covered = 0;
        let mut at = from;
        while let Some((place, candidate)) = self.next_match(text, at, limit) {
            at = place;
            let mut candidate = Some(candidate);
            while let Some(before) = candidate {
                let len = self.length(text, from, before, at, to);
                self.put(text.position(at), len, at - before);
                covered += len;
                at += len;
                if at >= limit {
                    break;
                }
                self.enter(text, at - 1);
                candidate = self.enter(text, at);
            }
            if at >= limit {
                break;
            }
            at += 1;
        }
        let bytes = to - from;
        // A window is written without matches when they save less than a sixteenth of the tokens.
        if bytes - covered + self.matches.len() > bytes - bytes / 16 {
            self.matches.clear();
        }
    }

    /// Returns the next match from `at` on, and the place that it copies from.
    fn next_match(&mut self, text: Text<'_>, at: usize, limit: usize) -> Option<(usize, usize)> {
        let mut at = at;
        let mut skip = PATIENCE;
        loop {
            let step = skip / PATIENCE;
            skip += step;
            if at + step > limit {
                return None;
            }
            if let Some(before) = self.enter(text, at) {
                return Some((at, before));
            }
            at += step;
        }
    }

    /// Inserts the string at `at`. Returns the place that was there before, when it matches.
    #[inline]
    fn enter(&mut self, text: Text<'_>, at: usize) -> Option<usize> {
        let word = word(text.bytes, at)?;
        let position = text.position(at);
        let entry = &mut self.table[(word.wrapping_mul(0x1e35_a7bd) >> (32 - TABLE_BITS)) as usize];
        let dist = position.wrapping_sub(*entry) as usize;
        *entry = position;
        if dist.wrapping_sub(1) >= WINDOW {
            return None;
        }
        let before = at.checked_sub(dist)?;
        (self::word(text.bytes, before) == Some(word)).then_some(before)
    }

    /// Returns the length of a match of four bytes or more.
    fn length(&self, text: Text<'_>, from: usize, before: usize, at: usize, to: usize) -> usize {
        // The writer no longer has the text before the last window. Only its table still refers to it.
        if before + LEAST + self.kept < from {
            return LEAST;
        }
        let limit = (to - at).min(MATCH_MAX) - LEAST;
        LEAST + common(text.bytes, before + LEAST, at + LEAST, limit)
    }

    fn put(&mut self, position: u32, len: usize, dist: usize) {
        #[expect(clippy::cast_possible_truncation, reason = "at most 258 and 32768")]
        self.matches
            .push((position, Token::matched(len as u32, dist as u32)));
    }
}

/// Returns four bytes as a number.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

impl Model for QuickGo {
    /// The writer does not use dictionaries at this level.
    fn begin(&mut self, text: Text<'_>, at: usize, _dictionary: usize) {
        self.forget(text.position(at));
        self.matches.clear();
        self.start = text.position(at);
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let position = text.position(at);
        if position.wrapping_sub(self.start) >= self.bytes {
            self.reach(text, at);
        }
        while let Some((place, token)) = self.matches.get(self.next) {
            if *place == position {
                return *token;
            }
            if place.wrapping_sub(position).cast_signed() > 0 {
                break;
            }
            self.next += 1;
        }
        Token::literal(text.bytes[at])
    }

    fn follow(&mut self, _text: Text<'_>, _at: usize, _token: Token) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn whole(bytes: &[u8]) -> Text<'_> {
        Text {
            bytes,
            base: 1 << 16,
            start: 0,
            end: bytes.len(),
        }
    }

    /// Returns the number of literals before the first match, and the rest: matches as (len, dist), literals as (1, 0).
    fn tokens(bytes: &[u8]) -> (usize, Vec<(u32, u32)>) {
        let mut model = QuickGo::new();
        let mut out = Vec::new();
        model.begin(whole(bytes), 0, 0);
        let end = bytes.len();
        model.run(whole(bytes), 0, end, end, usize::MAX, &mut out);
        let literals = out.iter().take_while(|token| token.is_literal()).count();
        let rest = out[literals..].iter().map(|token| {
            if token.is_literal() {
                (1, 0)
            } else {
                (token.len(), token.dist())
            }
        });
        (literals, rest.collect())
    }

    #[test]
    fn looks_grow_rarer_while_nothing_is_found() {
        // Each place up to 32, each second one to 64, each third to 97. 101 is the first that was inserted before.
        let bytes: Vec<u8> = (0..100).chain(0..100).collect();
        assert_eq!(tokens(&bytes), (101, vec![(99, 100)]));
    }

    #[test]
    fn short_windows_and_small_gains_are_written_as_they_are() {
        assert_eq!(tokens(&[b'a'; 127]), (127, vec![]));
        assert_eq!(tokens(&[b'a'; 128]), (1, vec![(127, 1)]));
        let zeros_before = |zeros| [vec![0; zeros], (1..=240).collect()].concat();
        assert_eq!(tokens(&zeros_before(10)), (250, vec![]));
        let (literals, rest) = tokens(&zeros_before(30));
        assert_eq!((literals, rest[0], rest.len()), (1, (29, 1), 241));
    }

    #[test]
    fn matches_reach_over_the_beginning_of_a_window() {
        let (_, rest) = tokens(&[0; 70000]);
        // 254 matches, two literals too near to the end, and the last inserted place.
        assert_eq!(rest[253], (258, 1));
        assert_eq!(rest[254..258], [(1, 0), (1, 0), (258, 260), (258, 1)]);
    }

    #[test]
    fn any_tokens_can_be_followed() {
        let bytes: Vec<u8> = (0..200_000_u32)
            .map(|place| (place.wrapping_mul(place) >> 11).to_le_bytes()[0] & 7)
            .collect();
        for (begin, end, jump) in [(0, 200_000, 1), (1000, 199_990, 258), (70_000, 140_000, 7)] {
            let text = Text {
                end,
                start: begin,
                ..whole(&bytes)
            };
            let mut model = QuickGo::new();
            model.begin(text, begin, begin);
            let mut at = begin;
            while at < end {
                let predicted = model.predict(text, at);
                assert!(at + predicted.advance() <= end);
                assert!(predicted.is_literal() || predicted.dist() as usize <= at - begin);
                let token = if at.is_multiple_of(3) || at + jump > end || jump < 3 {
                    Token::literal(0)
                } else {
                    Token::matched(u32::try_from(jump).unwrap(), 1)
                };
                model.follow(text, at, token);
                at += token.advance();
            }
        }
    }
}
