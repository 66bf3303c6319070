//! zlib-ng 2.x at levels 1 to 6: Fedora from 40 on, .NET, Bun. Levels 7 to 9 are chains ([`super::chain`]).
//!
//! The rules are those of its `deflate_quick.c`, `deflate_fast.c` and `deflate_medium.c`.

mod index;
mod medium;

pub(crate) use medium::NgMedium;

use super::super::token::{MATCH_MAX, Token};
use super::chain::{NgHash, lazy_zlib_ng};
use super::{Model, Text, common};
use index::{LEAST, NgIndex, NgMatch, REACH, SearchEffort};

/// Versions of zlib-ng that write the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ZlibNgEra {
    From2_0,
    From2_1,
    From2_2,
}

/// Returns the model of a level, 1 to 9.
pub(crate) fn model(era: ZlibNgEra, level: u8) -> Box<dyn Model + Send> {
    let hash = match era {
        ZlibNgEra::From2_0 | ZlibNgEra::From2_1 => NgHash::Crc,
        ZlibNgEra::From2_2 => NgHash::Multiplied,
    };
    match (level, era) {
        (1, _) => Box::new(NgQuick::new(hash)),
        (2, _) | (3, ZlibNgEra::From2_0) => Box::new(NgFast::new(hash, level)),
        (4, ZlibNgEra::From2_0) => Box::new(NgMedium::early_level_4(hash)),
        (3..=6, _) => Box::new(NgMedium::new(hash, level)),
        _ => lazy_zlib_ng(hash, level, era != ZlibNgEra::From2_0),
    }
}

/// Returns a match as a token.
fn matched(found: NgMatch) -> Token {
    #[expect(clippy::cast_possible_truncation, reason = "at most 258 and 32768")]
    let token = Token::matched(found.len as u32, found.dist as u32);
    token
}

/// The writer takes more text when it has fewer than this many bytes ahead.
const NEAR: u32 = 262;
/// Then it moves its window on by this many bytes.
const WINDOW_STEP: u32 = 1 << 15;
/// Place in the window behind which it has too little ahead.
const WINDOW_END: u32 = 2 * WINDOW_STEP - NEAR;

/// Level 1: the last string of each hash, without those within matches.
pub(crate) struct NgQuick {
    index: NgIndex,
    /// Position at which the writer's window begins.
    window: u32,
}

impl NgQuick {
    pub(crate) fn new(hash: NgHash) -> Self {
        Self {
            index: NgIndex::new(hash),
            window: 0,
        }
    }

    fn find(&mut self, text: Text<'_>, at: usize) -> Option<NgMatch> {
        if text.position(at).wrapping_sub(self.window) > WINDOW_END {
            self.window = self.window.wrapping_add(WINDOW_STEP);
            // Taking more text inserts the string before.
            if at > text.start {
                self.index.replace(text, at - 1);
            }
        }
        let ahead = (text.end - at).min(MATCH_MAX);
        if ahead < LEAST {
            return None;
        }
        let dist = self.index.replace(text, at) as usize;
        let known = at - text.start;
        // Without a string of the hash, the writer looks at the beginning of its window.
        let dist = if dist > known { known } else { dist };
        if dist == 0 || dist > REACH {
            return None;
        }
        let len = common(text.bytes, at - dist, at, ahead);
        (len >= LEAST).then_some(NgMatch { len, dist })
    }
}

impl Model for NgQuick {
    fn begin(&mut self, text: Text<'_>, at: usize, _dictionary: usize) {
        self.index.begin(text.position(at));
        self.window = text.position(at);
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let found = self.find(text, at);
        found.map_or_else(|| Token::literal(text.bytes[at]), matched)
    }

    fn follow(&mut self, _text: Text<'_>, _at: usize, _token: Token) {}
}

/// Level 2, and 3 of version 2.0: greedy, along chains.
pub(crate) struct NgFast {
    index: NgIndex,
    effort: SearchEffort,
    /// Of a longer match, only the last string is inserted.
    inserted: usize,
}

impl NgFast {
    pub(crate) fn new(hash: NgHash, level: u8) -> Self {
        let (chain, nice, inserted) = if level < 3 { (4, 8, 4) } else { (32, 32, 6) };
        Self {
            index: NgIndex::new(hash),
            effort: SearchEffort {
                chain,
                nice,
                ends_early: true,
            },
            inserted,
        }
    }
}

impl Model for NgFast {
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize) {
        self.index.begin(text.position(dictionary));
        self.index.insert_all(text, dictionary..at);
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let ahead = text.end - at;
        if ahead >= LEAST {
            self.index.insert(text, at);
            if let Some(found) = self.index.search(text, at, ahead, self.effort) {
                return matched(found);
            }
        }
        Token::literal(text.bytes[at])
    }

    fn follow(&mut self, text: Text<'_>, at: usize, token: Token) {
        if token.is_literal() {
            return;
        }
        let end = at + token.advance();
        if token.advance() <= self.inserted && text.end - end >= LEAST {
            self.index.insert_all(text, at + 1..end);
        } else {
            self.index.insert(text, end - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the tokens of a text, matches as `(len,dist)`.
    fn tokens(level: u8, bytes: &[u8]) -> String {
        let mut model = model(ZlibNgEra::From2_2, level);
        let text = Text {
            bytes,
            base: 1 << 16,
            start: 0,
            end: bytes.len(),
        };
        model.begin(text, 0, 0);
        let mut out = Vec::new();
        model.run(text, 0, bytes.len(), bytes.len(), usize::MAX, &mut out);
        let words = out.iter().map(|token| match token.len() {
            0 => char::from(token.byte()).to_string(),
            len => format!("({len},{})", token.dist()),
        });
        words.collect()
    }

    #[test]
    fn matches_have_four_bytes_and_level_1_knows_the_first_place() {
        for level in 2..=6 {
            assert_eq!(tokens(level, b"-abc?abc!"), "-abc?abc!", "{level}");
            assert_eq!(tokens(level, b"-abcd?abcd!"), "-abcd?(4,5)!", "{level}");
            assert_eq!(tokens(level, b"abcdabcd"), "abcdabcd", "{level}");
        }
        assert_eq!(tokens(1, b"abcdabcd"), "abcd(4,4)");
        // The strings within the first match are not in the table of level 1.
        assert_eq!(
            tokens(1, b"-abcdefg?abcdefg!bcdefg"),
            "-abcdefg?(7,8)!(6,15)"
        );
    }

    #[test]
    fn a_match_grows_to_the_left_over_all_but_a_literal_of_the_one_before() {
        // "1234" is found first. The longer match behind it begins with its "234".
        let rest: Vec<u8> = (0..300_u16).flat_map(u16::to_be_bytes).collect();
        let text = [&b"-1234=x234abcdefgh!1234abcdefgh+"[..], &rest].concat();
        assert!(tokens(4, &text).starts_with("-1234=x234abcdefgh!(4,18)(8,13)+"));
        assert!(tokens(6, &text).starts_with("-1234=x234abcdefgh!1(11,13)+"));
    }
}
