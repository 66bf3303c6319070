//! miniz and its Rust port miniz_oxide at level 1, which works unlike its other levels.
//!
//! The rules are those of miniz_oxide's `core.rs` (`compress_fast`). The writer goes on from 4096 bytes to 4096 bytes. A
//! table holds the last place of each hash of three bytes, without any place within a match.

use super::super::token::{MATCH_MAX, MATCH_MIN, Token, WINDOW};
use super::{Model, Text, common};

/// Bytes that the writer takes at a time. No match crosses their end.
const STEP_BYTES: usize = 4096;
const TABLE_BITS: u32 = 12;
/// So many bytes before the end of a step no search begins.
const MARGIN: usize = 4;
/// A match of the least length that is this far away is not taken.
const TOO_FAR: usize = 8192;

/// The model of miniz's level 1.
pub(crate) struct QuickMiniz {
    /// The writer's places modulo 2^16, the last of each hash.
    table: Vec<u16>,
    /// Position at which the writer began.
    origin: u32,
    /// Position from which the steps are counted.
    steps: u32,
    /// Whether steps are counted from each block anew.
    restarts: bool,
}

impl QuickMiniz {
    pub(crate) fn new(restarts: bool) -> Self {
        Self {
            restarts,
            table: vec![0; 1 << TABLE_BITS],
            origin: 0,
            steps: 0,
        }
    }

    fn find(&mut self, text: Text<'_>, at: usize) -> Option<Token> {
        let position = text.position(at);
        let in_step = position.wrapping_sub(self.steps) as usize % STEP_BYTES;
        let ahead = (STEP_BYTES - in_step).min(text.end - at);
        if ahead < MARGIN {
            return None;
        }
        let three = &text.bytes[at..at + MATCH_MIN];
        let number = three
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | usize::from(*byte));
        let own = position.wrapping_sub(self.origin).to_le_bytes();
        let own = u16::from_le_bytes([own[0], own[1]]);
        let entry = &mut self.table[(number ^ number >> 17) & ((1 << TABLE_BITS) - 1)];
        let dist = usize::from(own.wrapping_sub(*entry));
        *entry = own;
        let reach = (at - text.start).min(WINDOW - ahead);
        if dist == 0 || dist > reach || &text.bytes[at - dist..at - dist + MATCH_MIN] != three {
            return None;
        }
        let len = common(text.bytes, at - dist, at, ahead.min(MATCH_MAX));
        if len == MATCH_MIN && dist >= TOO_FAR {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 258 and 32768")]
        let token = Token::matched(len as u32, dist as u32);
        Some(token)
    }
}

impl Model for QuickMiniz {
    /// The writer does not use dictionaries.
    fn begin(&mut self, text: Text<'_>, at: usize, _dictionary: usize) {
        self.table.fill(0);
        self.origin = text.position(at);
        self.steps = self.origin;
    }

    /// The writer gives out a block through a small buffer, and takes its input anew when that was full.
    fn block(&mut self, text: Text<'_>, at: usize) {
        if self.restarts {
            self.steps = text.position(at);
        }
    }

    fn resume(&mut self, text: Text<'_>, at: usize) {
        self.steps = text.position(at);
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let found = self.find(text, at);
        found.unwrap_or_else(|| Token::literal(text.bytes[at]))
    }

    fn follow(&mut self, _text: Text<'_>, _at: usize, _token: Token) {}
}
