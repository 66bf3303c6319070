//! One window of the writer's input as its encoders see it, and the matches that they find there.

use super::super::super::token::{MATCH_MAX, Token, WINDOW};
use super::super::{Text, common};
use super::Era;

/// Bytes at the end of a window where no search begins.
pub(super) const MARGIN: usize = 11;
/// Most bytes by which a match of four is lengthened while candidates are compared.
const COMPARED_MAX: usize = 254;

/// A window of plain text and the text before it. Places are those of [`Text`].
#[derive(Clone, Copy)]
pub(super) struct PlainWindow<'a> {
    /// The text, to the end of the window.
    pub(super) bytes: &'a [u8],
    /// Where the window begins.
    pub(super) from: usize,
    /// The beginning of the text that the writer knows.
    pub(super) low: usize,
    base: u32,
}

impl<'a> PlainWindow<'a> {
    /// Returns the window of `text` from `from` to `to`. The writer knows the text from `low` on.
    pub(super) fn new(text: Text<'a>, low: usize, from: usize, to: usize) -> Self {
        Self {
            bytes: &text.bytes[..to],
            from,
            low,
            base: text.base,
        }
    }

    /// Returns the position of a place, as tables hold it.
    #[inline]
    pub(super) fn position(&self, at: usize) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
        self.base.wrapping_add(at as u32)
    }

    /// Returns the place at which searches end. `None` means that the window is too short for any.
    pub(super) fn limit(&self, margin: usize) -> Option<usize> {
        let long_enough = self.bytes.len() - self.from >= margin + 2;
        long_enough.then(|| self.bytes.len() - margin)
    }

    /// Returns the eight bytes at a place, the first one lowest. Bytes behind the end are zeros.
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

    /// Returns the place of a table's entry when it is at most `reach` bytes before `at`.
    #[inline]
    pub(super) fn within(&self, entry: u32, at: usize, reach: usize) -> Option<usize> {
        let dist = self.position(at).wrapping_sub(entry) as usize;
        if dist.wrapping_sub(1) < reach {
            at.checked_sub(dist)
        } else {
            None
        }
    }

    /// As [`Self::within`] with the reach of most searches, which is one byte less than a match could have.
    #[inline]
    pub(super) fn near(&self, entry: u32, at: usize) -> Option<usize> {
        self.within(entry, at, WINDOW - 1)
    }

    /// As [`Self::near`], when the four bytes there are `word`.
    #[inline]
    pub(super) fn matching(&self, entry: u32, at: usize, word: u32) -> Option<usize> {
        self.near(entry, at).filter(|from| self.holds(*from, word))
    }

    /// Returns whether the four bytes at a place are `word`.
    #[inline]
    pub(super) fn holds(&self, at: usize, word: u32) -> bool {
        let bytes = self.bytes.get(at..).and_then(<[u8]>::first_chunk);
        bytes.is_some_and(|bytes| u32::from_le_bytes(*bytes) == word)
    }

    /// Returns the length of a match of `at` with `before`, to the end of the window.
    #[inline]
    pub(super) fn common(&self, before: usize, at: usize) -> usize {
        match self.bytes.len().checked_sub(at) {
            Some(left) if before < at => common(self.bytes, before, at, left),
            _ => 0,
        }
    }

    /// Returns the length of a match of `at` with `before` whose first four bytes are known. Candidates are compared up
    /// to 258 bytes.
    #[inline]
    pub(super) fn compared(&self, before: usize, at: usize) -> usize {
        let left = (self.bytes.len() - at - 4).min(COMPARED_MAX);
        4 + common(self.bytes, before + 4, at + 4, left)
    }

    /// Counts the equal bytes before both places, down to `least` and to the beginning of the known text.
    #[inline]
    pub(super) fn backwards(&self, before: usize, at: usize, least: usize) -> usize {
        let most = (at - least).min(before.saturating_sub(self.low));
        let pairs = self.bytes[at - most..at]
            .iter()
            .zip(&self.bytes[before - most..before]);
        pairs.rev().take_while(|(a, b)| a == b).count()
    }
}

/// Returns the first four bytes.
#[inline]
pub(super) fn word(bytes: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the first four bytes")]
    let word = bytes as u32;
    word
}

/// Returns the hash of the first four bytes, in as many bits as are wanted.
#[inline]
pub(super) fn hash4(bytes: u64, bits: u32) -> usize {
    (word(bytes).wrapping_mul(2_654_435_761) >> (32 - bits)) as usize
}

/// Returns the hash of the first four bytes that Snappy uses.
#[inline]
pub(super) fn hash_snappy(bytes: u64, bits: u32) -> usize {
    (word(bytes).wrapping_mul(0x1e35_a7bd) >> (32 - bits)) as usize
}

/// Returns the hash of the first five bytes.
#[inline]
pub(super) fn hash5(bytes: u64, bits: u32) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a few bits")]
    let hash = ((bytes << 24).wrapping_mul(889_523_592_379) >> (64 - bits)) as usize;
    hash
}

/// Returns the hash of the first seven bytes.
#[inline]
pub(super) fn hash7(bytes: u64, bits: u32) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a few bits")]
    let hash = ((bytes << 8).wrapping_mul(58_295_818_150_454_627) >> (64 - bits)) as usize;
    hash
}

/// Returns a table on the heap, filled with a value.
pub(super) fn table<T: Clone, const N: usize>(with: T) -> Box<[T; N]> {
    match vec![with; N].into_boxed_slice().try_into() {
        Ok(table) => table,
        Err(_) => unreachable!("N entries"),
    }
}

/// The matches of a window. Literals between them are not listed.
#[derive(Default)]
pub(super) struct Matches {
    /// The position and the token of each.
    list: Vec<(u32, Token)>,
    /// Index of the next match.
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

    /// Adds a match of any length from 3 on. Long ones are cut so that the last piece has three bytes or more
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

    /// Returns the number of tokens of a window of `bytes` bytes.
    pub(super) fn token_count(&self, bytes: usize) -> usize {
        bytes.saturating_sub(self.covered) + self.list.len()
    }

    /// Returns the token at a position, a match or a literal. Positions must ascend.
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
