//! The writer libdeflate (<https://github.com/ebiggers/libdeflate>), levels 1 to 9, versions 1.6 to 1.25.
//!
//! The rules were taken from its `lib/deflate_compress.c`. The writer has all input at once and knows no dictionaries.
//! For each block it chooses the shortest match that it takes from the number of different literals. Levels 10 to 12 (8
//! and 9 before 1.9) choose tokens by their cost in bits. There is no model of them here.

mod chains;
mod pairs;
#[cfg(test)]
mod tests;

use self::chains::{Chains, HashMatch};
use self::pairs::Pairs;
use super::super::token::Token;
use super::{Model, Text};

/// Versions with the same output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LibdeflateEra {
    /// 1.6 to 1.8. A match of any length and distance is taken, and the next must be longer.
    Early,
    /// 1.9 to 1.18. Debian 12 has 1.14.
    Middle,
    /// From 1.19 on. As before, but short inputs may have short matches.
    Late,
}

/// The parameters of a level.
#[derive(Debug, Clone, Copy)]
struct ParseRules {
    era: LibdeflateEra,
    /// Places after a match that are searched for a better one.
    ahead: u32,
    /// Most candidates of a search.
    depth: u32,
    /// A match of this length ends the search.
    nice: u32,
    /// Farthest match of three bytes.
    near: u32,
}

impl ParseRules {
    fn of(level: u8, era: LibdeflateEra) -> Self {
        // (ahead, depth, nice). `deflate_compress_greedy` does not look ahead, `lazy` looks one place ahead, `lazy2`
        // two.
        let (ahead, depth, nice) = match (level, era) {
            (..=1, _) => (0, 2, 8),
            (2, _) => (0, 6, 10),
            (3, _) => (0, 12, 14),
            (4, LibdeflateEra::Early) => (0, 24, 24),
            (4, _) => (0, 16, 30),
            (5, LibdeflateEra::Early) => (1, 20, 30),
            (5, _) => (1, 16, 30),
            (6, LibdeflateEra::Early) => (1, 40, 65),
            (6, _) => (1, 35, 65),
            (7, _) | (_, LibdeflateEra::Early) => (1, 100, 130),
            (8, _) => (2, 300, 258),
            (9.., _) => (2, 600, 258),
        };
        let near = match (era, ahead) {
            (LibdeflateEra::Early, _) => u32::MAX,
            (_, 0) => 4096,
            _ => 8192,
        };
        Self {
            era,
            ahead,
            depth,
            nice,
            near,
        }
    }

    /// Returns the length of the shortest match for a number of different literals (`choose_min_match_len`). Few
    /// different literals are cheap.
    fn shortest(&self, literals: usize) -> u32 {
        let len = match literals {
            0..=5 => 9,
            6..=7 => 8,
            8..=9 => 7,
            10..=15 => 6,
            16..=44 => 5,
            45..=79 => 4,
            _ => 3,
        };
        match self.depth {
            0..=4 => len.min(4),
            5..=9 => len.min(5),
            10..=15 => len.min(7),
            _ => len,
        }
    }

    /// Returns whether a match one or two places ahead is better than the current one.
    fn better(&self, next: HashMatch, current: HashMatch, places: u32) -> bool {
        if next.dist == 0 {
            return false;
        }
        if self.era == LibdeflateEra::Early {
            return next.len > current.len;
        }
        let gain = 4 * (i64::from(next.len) - i64::from(current.len))
            + i64::from(log2(current.dist))
            - i64::from(log2(next.dist));
        next.len >= current.len && gain > if places == 1 { 2 } else { 6 }
    }
}

fn log2(dist: u32) -> u32 {
    31 - dist.max(1).leading_zeros()
}

/// The literals of the block so far, and the shortest match that follows from them.
struct Block {
    /// Position at which it began.
    begin: u32,
    /// Bytes from `begin` to the place where `shortest` is chosen anew.
    renew: u32,
    shortest: u32,
    literals: [u32; 256],
}

impl Block {
    /// Starts the block that begins at `at` (`calculate_min_match_len`).
    fn begin(rules: &ParseRules, text: Text<'_>, at: usize) -> Self {
        let shortest = if rules.era == LibdeflateEra::Early
            || (rules.era == LibdeflateEra::Late && text.end - at < 512)
        {
            3
        } else {
            let mut used = [false; 256];
            for byte in &text.bytes[at..text.end.min(at + 4096)] {
                used[usize::from(*byte)] = true;
            }
            rules.shortest(used.iter().filter(|used| **used).count())
        };
        Self {
            begin: text.position(at),
            renew: 10_000,
            shortest,
            literals: [0; 256],
        }
    }

    /// Chooses the shortest match anew when it is time (`recalculate_min_match_len`). Greedy levels never do.
    fn renew(&mut self, rules: &ParseRules, position: u32) {
        let bytes = position.wrapping_sub(self.begin);
        if bytes < self.renew || rules.ahead == 0 || rules.era == LibdeflateEra::Early {
            return;
        }
        let rare = self
            .literals
            .iter()
            .map(|count| u64::from(*count))
            .sum::<u64>()
            >> 10;
        let used = self
            .literals
            .iter()
            .filter(|count| u64::from(**count) > rare)
            .count();
        self.shortest = rules.shortest(used);
        self.renew = self.renew.saturating_add(bytes);
    }
}

/// A match that was found ahead and will be used there.
#[derive(Clone, Copy)]
struct Pending {
    position: u32,
    found: HashMatch,
}

/// Model of levels 2 to 9, and of level 1 before 1.9.
struct Chained {
    rules: ParseRules,
    chains: Chains,
    block: Block,
    pending: Option<Pending>,
}

impl Chained {
    fn new(rules: ParseRules) -> Self {
        Self {
            rules,
            chains: Chains::new(),
            block: Block {
                begin: 0,
                renew: 0,
                shortest: 3,
                literals: [0; 256],
            },
            pending: None,
        }
    }

    /// Returns the match at `at` when the writer would consider it.
    fn current(&mut self, text: Text<'_>, at: usize) -> Option<HashMatch> {
        self.block.renew(&self.rules, text.position(at));
        let shortest = self.block.shortest;
        let found = self
            .chains
            .find(text, at, shortest - 1, self.rules.nice, self.rules.depth);
        let worth = found.len >= shortest
            && found.dist > 0
            && (found.len > 3 || found.dist <= self.rules.near);
        worth.then_some(found)
    }
}

impl Model for Chained {
    fn begin(&mut self, text: Text<'_>, at: usize, _dictionary: usize) {
        self.chains.begin(text.position(at));
        self.block(text, at);
    }

    fn block(&mut self, text: Text<'_>, at: usize) {
        self.pending = None;
        self.block = Block::begin(&self.rules, text, at);
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let literal = Token::literal(text.bytes[at]);
        let position = text.position(at);
        let current = match self.pending.take() {
            Some(pending) if pending.position == position => pending.found,
            Some(pending) if pending.position == position.wrapping_add(1) => {
                self.pending = Some(pending);
                return literal;
            }
            _ => match self.current(text, at) {
                Some(found) => found,
                None => return literal,
            },
        };
        let rules = self.rules;
        let nice = rules
            .nice
            .min(u32::try_from(text.end - at).unwrap_or(u32::MAX));
        if current.len < nice {
            for places in 1..=rules.ahead {
                let ahead = at + places as usize;
                let least = if rules.era == LibdeflateEra::Early {
                    current.len
                } else {
                    current.len - 1
                };
                let found = self
                    .chains
                    .find(text, ahead, least, rules.nice, rules.depth >> places);
                if rules.better(found, current, places) {
                    self.pending = Some(Pending {
                        position: text.position(ahead),
                        found,
                    });
                    return literal;
                }
            }
        }
        Token::matched(current.len, current.dist)
    }

    fn follow(&mut self, text: Text<'_>, at: usize, token: Token) {
        if token.is_literal() {
            self.block.literals[usize::from(token.byte())] += 1;
            return;
        }
        self.pending = None;
        self.chains.insert_before(text, at + token.advance());
    }
}

/// Returns the model of a level from 1 to 9.
pub(crate) fn model(level: u8, era: LibdeflateEra) -> Box<dyn Model + Send> {
    if level <= 1 && era != LibdeflateEra::Early {
        return Box::new(Pairs::new());
    }
    Box::new(Chained::new(ParseRules::of(level, era)))
}
