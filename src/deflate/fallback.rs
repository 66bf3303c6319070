//! Codes the tokens of a writer without a model. A match is coded by its candidate in the window, newest first.
//!
//! A candidate is a place whose bytes match for longer than those of all newer ones. Every place is inserted.

use super::coder::{Chance, Number, SymbolCoder};
use super::corrections::tokens::MatchCorrections;
use super::model::{Text, common};
use super::token::{MATCH_MAX, MATCH_MIN, Token, WINDOW};

const MASK: usize = WINDOW - 1;
const HASH_BITS: u32 = 15;
/// Places of one hash that are looked at.
const DEPTH: usize = 128;
/// Candidates that are distinguished.
const CANDIDATES: usize = 24;
/// Distance from which short matches are rarely worth it.
const FAR: usize = 4096;

#[derive(Clone, Copy, Default)]
struct Candidate {
    len: usize,
    dist: usize,
}

/// The adaptive models.
struct Choices {
    matched: Vec<Chance>,
    taken: Vec<Chance>,
    shortened: Vec<Chance>,
    shorter: Number,
    written_out: MatchCorrections,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            matched: vec![Chance::default(); 4 * 16 * 4 * 4],
            taken: vec![Chance::default(); 32 * 16 * 2 * 3],
            shortened: vec![Chance::default(); 16],
            shorter: Number::default(),
            written_out: MatchCorrections::default(),
        }
    }
}

/// The adaptive models and the hash chains.
pub(crate) struct Fallback {
    head: Vec<u32>,
    prev: Vec<u16>,
    /// Position of the next string to insert.
    next: Option<u32>,
    choices: Choices,
    /// Whether the last tokens were matches.
    history: usize,
    /// The candidates at the next place.
    ahead: Option<(u32, Vec<Candidate>)>,
    here: Vec<Candidate>,
}

impl Fallback {
    pub(crate) fn new() -> Self {
        Self {
            head: vec![0; 1 << HASH_BITS],
            prev: vec![0; WINDOW],
            next: None,
            choices: Choices::default(),
            history: 0,
            ahead: None,
            here: Vec::new(),
        }
    }

    /// Forgets what was learned, but not the text.
    pub(crate) fn begin_anew(&mut self) {
        self.choices = Choices::default();
    }

    fn insert_to(&mut self, text: Text<'_>, at: usize) {
        let mut position = self
            .next
            .unwrap_or_else(|| text.position(at.saturating_sub(WINDOW).max(text.start)));
        let mut place = position.wrapping_sub(text.base) as usize;
        if place > at + 1 {
            // After a jump back or far ahead the chains begin anew.
            place = at.saturating_sub(WINDOW).max(text.start);
            position = text.position(place);
        }
        while place <= at && place + MATCH_MIN <= text.bytes.len() {
            let head = &mut self.head[hash(text.bytes, place)];
            let back = position.wrapping_sub(*head);
            self.prev[position as usize & MASK] = u16::try_from(back).unwrap_or(0);
            *head = position;
            place += 1;
            position = position.wrapping_add(1);
        }
        self.next = Some(position);
    }

    fn find(&mut self, text: Text<'_>, at: usize, found: &mut Vec<Candidate>) {
        found.clear();
        let limit = MATCH_MAX.min(text.end.saturating_sub(at));
        if limit < MATCH_MIN {
            return;
        }
        self.insert_to(text, at);
        let position = text.position(at) as usize;
        let reach = (at - text.start).min(WINDOW);
        let mut dist = 0;
        let mut best = MATCH_MIN - 1;
        for _ in 0..DEPTH {
            let back = usize::from(self.prev[position.wrapping_sub(dist) & MASK]);
            dist += back;
            if back == 0 || dist > reach {
                return;
            }
            if text.bytes[at - dist + best] != text.bytes[at + best] {
                continue;
            }
            let len = common(text.bytes, at - dist, at, limit);
            if len > best {
                best = len;
                found.push(Candidate { len, dist });
                if len == limit || found.len() == CANDIDATES {
                    return;
                }
            }
        }
    }

    /// Codes the token at `at`.
    pub(crate) fn code<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        text: Text<'_>,
        at: usize,
        token: Token,
    ) -> Token {
        let mut here = std::mem::take(&mut self.here);
        match self.ahead.take() {
            Some((position, found)) if position == text.position(at) => here = found,
            _ => self.find(text, at, &mut here),
        }
        let mut next = Vec::new();
        if at + 1 < text.end {
            self.find(text, at + 1, &mut next);
        }
        let coded = self.choose(coder, text.bytes[at], &here, &next, token);
        if coded.is_literal() {
            self.ahead = Some((text.position(at + 1), next));
        }
        self.here = here;
        self.history = (self.history << 1 | usize::from(!coded.is_literal())) & 3;
        coded
    }

    fn choose<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        byte: u8,
        here: &[Candidate],
        next: &[Candidate],
        token: Token,
    ) -> Token {
        let longest = here.last().copied().unwrap_or_default();
        let longest_next = next.last().map_or(0, |candidate| candidate.len);
        let versus = match longest_next {
            len if len > longest.len + 1 => 3,
            len if len == longest.len + 1 => 2,
            len if len == longest.len => 1,
            _ => 0,
        };
        let far = usize::from(longest.dist > FAR) + 2 * usize::from(here.len() > 4);
        let context = ((versus * 16 + bucket(longest.len)) * 4 + far) * 4 + self.history;
        let matched = coder.bit(&mut self.choices.matched[context], !token.is_literal());
        if !matched {
            return Token::literal(byte);
        }
        for (back, candidate) in here.iter().rev().enumerate() {
            let below = here
                .len()
                .checked_sub(back + 2)
                .map_or(0, |below| here[below].len);
            let gain = (candidate.len - below).min(3) - 1;
            let far = usize::from(candidate.dist > FAR);
            let context = ((back.min(31) * 16 + bucket(candidate.len)) * 2 + far) * 3 + gain;
            let taken =
                token.dist() as usize == candidate.dist && token.len() as usize <= candidate.len;
            if !coder.bit(&mut self.choices.taken[context], !taken) {
                return self.length_of(coder, *candidate, token);
            }
        }
        self.choices.written_out.code(coder, token)
    }

    fn length_of<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        candidate: Candidate,
        token: Token,
    ) -> Token {
        let len = u32::try_from(candidate.len).expect("at most 258");
        let dist = u32::try_from(candidate.dist).expect("at most 32768");
        let less = len.saturating_sub(token.len());
        if !coder.bit(&mut self.choices.shortened[bucket(candidate.len)], less > 0) {
            return self
                .choices
                .written_out
                .form(coder, len, dist, token.is_odd());
        }
        let less = self
            .choices
            .shorter
            .code(coder, less.saturating_sub(1))
            .saturating_add(1);
        Token::matched(len.saturating_sub(less).max(3), dist)
    }
}

fn hash(bytes: &[u8], at: usize) -> usize {
    let [a, b, c] = bytes[at..]
        .first_chunk::<3>()
        .map_or([0; 3], |first| *first);
    let three = u32::from(a) | u32::from(b) << 8 | u32::from(c) << 16;
    (three.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

/// Returns the class of a length, one of sixteen.
fn bucket(len: usize) -> usize {
    match len {
        0..=10 => len,
        11..=14 => 11,
        15..=22 => 12,
        23..=54 => 13,
        55..=257 => 14,
        _ => 15,
    }
}
