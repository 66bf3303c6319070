//! One window of the writer's input, as its encoders see it, and the matches that they find there.

use super::super::super::token::{MATCH_MAX, Token, WINDOW};
use super::super::{Text, common};
use super::Era;

/// Bytes at the end of a window that no search begins in.
pub(super) const MARGIN: usize = 11;
/// Most bytes by which a match of four is lengthened while candidates are compared.
const COMPARED_MAX: usize = 254;

/// A window of plain text and what lies before it. Places are those of [`Text`].
#[derive(Clone, Copy)]
pub(super) struct PlainWindow<'a> {
    /// The text, to the end of the window.
    pub(super) bytes: &'a [u8],
    /// Where the window begins.
    pub(super) from: usize,
    /// Where the text begins that the writer remembers.
    pub(super) low: usize,
    base: u32,
}

impl<'a> PlainWindow<'a> {
    /// The window of `text` from `from` to `to`; the writer knows what is from `low` on.
    pub(super) fn new(text: Text<'a>, low: usize, from: usize, to: usize) -> Self {
        Self {
            bytes: &text.bytes[..to],
            from,
            low,
            base: text.base,
        }
    }

    /// Position of a place, as tables hold it.
    #[inline]
    pub(super) fn position(&self, at: usize) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
        self.base.wrapping_add(at as u32)
    }

    /// Where searches end; `None`: the window is too short for any.
    pub(super) fn limit(&self, margin: usize) -> Option<usize> {
        let long_enough = self.bytes.len() - self.from >= margin + 2;
        long_enough.then(|| self.bytes.len() - margin)
    }

    /// The eight bytes at a place, the first one lowest; zeros behind the end.
    #[inline]
    pub(super) fn load(&self, at: usize) -> u64 {
        match self.bytes.get(at..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => self.load_last(at),
        }
    }

    #[cold]
    fn load_last(&self, at: usize) -> u64 {
        let last = self.bytes.get(at..).unwrap_or_default();
        last.iter()
            .rev()
            .fold(0, |bytes, byte| bytes << 8 | u64::from(*byte))
    }

    /// The place that a table's entry means, when it is at most `reach` bytes before `at`.
    #[inline]
    pub(super) fn within(&self, entry: u32, at: usize, reach: usize) -> Option<usize> {
        let dist = self.position(at).wrapping_sub(entry) as usize;
        if dist.wrapping_sub(1) < reach {
            at.checked_sub(dist)
        } else {
            None
        }
    }

    /// The same with the reach of most searches: one byte less than a match could have.
    #[inline]
    pub(super) fn near(&self, entry: u32, at: usize) -> Option<usize> {
        self.within(entry, at, WINDOW - 1)
    }

    /// The same, when four bytes there are `word`.
    #[inline]
    pub(super) fn matching(&self, entry: u32, at: usize, word: u32) -> Option<usize> {
        self.near(entry, at).filter(|from| self.holds(*from, word))
    }

    /// Whether four bytes at a place are `word`.
    #[inline]
    pub(super) fn holds(&self, at: usize, word: u32) -> bool {
        let bytes = self.bytes.get(at..).and_then(<[u8]>::first_chunk);
        bytes.is_some_and(|bytes| u32::from_le_bytes(*bytes) == word)
    }

    /// Length of a match of `at` with `before`, to the end of the window.
    #[inline]
    pub(super) fn common(&self, before: usize, at: usize) -> usize {
        match self.bytes.len().checked_sub(at) {
            Some(left) if before < at => common(self.bytes, before, at, left),
            _ => 0,
        }
    }

    /// Length of a match of `at` with `before` of which four bytes are known; candidates are compared up to 258 bytes.
    #[inline]
    pub(super) fn compared(&self, before: usize, at: usize) -> usize {
        let left = (self.bytes.len() - at - 4).min(COMPARED_MAX);
        4 + common(self.bytes, before + 4, at + 4, left)
    }

    /// How many bytes before both places are the same, down to `least` and to what is known.
    #[inline]
    pub(super) fn backwards(&self, before: usize, at: usize, least: usize) -> usize {
        let most = (at - least).min(before.saturating_sub(self.low));
        let pairs = self.bytes[at - most..at]
            .iter()
            .zip(&self.bytes[before - most..before]);
        pairs.rev().take_while(|(a, b)| a == b).count()
    }
}

/// The first four bytes.
#[inline]
pub(super) fn word(bytes: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the first four bytes")]
    let word = bytes as u32;
    word
}

/// Hash of the first four bytes, in as many bits as are wanted.
#[inline]
pub(super) fn hash4(bytes: u64, bits: u32) -> usize {
    (word(bytes).wrapping_mul(2_654_435_761) >> (32 - bits)) as usize
}

/// The hash of Snappy.
#[inline]
pub(super) fn hash_snappy(bytes: u64, bits: u32) -> usize {
    (word(bytes).wrapping_mul(0x1e35_a7bd) >> (32 - bits)) as usize
}

/// Hash of the first five bytes.
#[inline]
pub(super) fn hash5(bytes: u64, bits: u32) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a few bits")]
    let hash = ((bytes << 24).wrapping_mul(889_523_592_379) >> (64 - bits)) as usize;
    hash
}

/// Hash of the first seven bytes.
#[inline]
pub(super) fn hash7(bytes: u64, bits: u32) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a few bits")]
    let hash = ((bytes << 8).wrapping_mul(58_295_818_150_454_627) >> (64 - bits)) as usize;
    hash
}

/// A table of zeros or such, on the heap.
pub(super) fn table<T: Clone, const N: usize>(with: T) -> Box<[T; N]> {
    match vec![with; N].into_boxed_slice().try_into() {
        Ok(table) => table,
        Err(_) => unreachable!("N entries"),
    }
}

/// What is found in a window: matches only, literals lie between.
#[derive(Default)]
pub(super) struct Matches {
    /// Position, and the token.
    list: Vec<(u32, Token)>,
    /// The one that comes next.
    next: usize,
    /// Bytes within matches.
    covered: usize,
}

impl Matches {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.next = 0;
        self.covered = 0;
    }

    /// Adds a match of 3 to 258 bytes.
    #[inline]
    pub(super) fn put(&mut self, position: u32, len: usize, dist: usize) {
        if (3..=MATCH_MAX).contains(&len) && (1..=WINDOW).contains(&dist) {
            #[expect(clippy::cast_possible_truncation, reason = "just looked at")]
            self.list
                .push((position, Token::matched(len as u32, dist as u32)));
        }
    }

    /// Adds a match of any length from 3 on. Long ones are cut so that three bytes or more are left for the last piece
    /// (`AddMatchLong` in token.go).
    #[inline]
    pub(super) fn add(
        &mut self,
        window: &PlainWindow<'_>,
        era: Era,
        at: usize,
        len: usize,
        dist: usize,
    ) {
        self.covered += len;
        let mut at = at;
        let mut left = len;
        while left > MATCH_MAX {
            let piece = if left > MATCH_MAX + 3 && era >= Era::From1_15_0 {
                MATCH_MAX
            } else {
                MATCH_MAX - 3
            };
            self.put(window.position(at), piece, dist);
            at += piece;
            left -= piece;
        }
        self.put(window.position(at), left, dist);
    }

    /// Tokens of a window of `bytes` bytes.
    pub(super) fn token_count(&self, bytes: usize) -> usize {
        bytes.saturating_sub(self.covered) + self.list.len()
    }

    /// The token at a position that is none of those before: a match, or a literal.
    #[inline]
    pub(super) fn token(&mut self, position: u32, byte: u8) -> Token {
        while let Some((place, token)) = self.list.get(self.next) {
            if *place == position {
                return *token;
            }
            if place.wrapping_sub(position).cast_signed() > 0 {
                break;
            }
            self.next += 1;
        }
        Token::literal(byte)
    }
}
