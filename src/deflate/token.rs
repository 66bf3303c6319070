//! Tokens of deflate (RFC 1951): a literal byte, or a match of a length at a distance.

/// Shortest match.
pub(crate) const MATCH_MIN: usize = 3;
/// Longest match.
pub(crate) const MATCH_MAX: usize = 258;
/// Farthest match.
pub(crate) const WINDOW: usize = 32 * 1024;

/// Marks a match of 258 bytes that is written as length 227 + 31, which no common writer does.
const ODD: u32 = 1 << 31;

/// A literal or a match, in 32 bits. A literal is its byte. A match has its length above 16 bits of distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Token(u32);

impl Token {
    /// Returns the literal of a byte.
    pub(crate) fn literal(byte: u8) -> Self {
        Self(u32::from(byte))
    }

    /// Returns a match of `len` bytes (3 to 258) from `dist` bytes (1 to 32768) before.
    pub(crate) fn matched(len: u32, dist: u32) -> Self {
        debug_assert!((3..=258).contains(&len) && (1..=32768).contains(&dist));
        Self(len << 16 | dist)
    }

    /// Returns a match of 258 bytes in its odd form.
    pub(crate) fn odd(dist: u32) -> Self {
        Self(ODD | 258 << 16 | dist)
    }

    pub(crate) fn is_literal(self) -> bool {
        self.0 < 1 << 16
    }

    /// Returns whether it is a match in its odd form.
    pub(crate) fn is_odd(self) -> bool {
        self.0 & ODD != 0
    }

    /// Returns the byte of a literal.
    pub(crate) fn byte(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// Returns the length of a match, or 0 for a literal.
    pub(crate) fn len(self) -> u32 {
        (self.0 & !ODD) >> 16
    }

    /// Returns the distance of a match.
    pub(crate) fn dist(self) -> u32 {
        self.0 & 0xffff
    }

    /// Returns the bytes of plain text that it stands for.
    pub(crate) fn advance(self) -> usize {
        if self.is_literal() {
            1
        } else {
            self.len() as usize
        }
    }
}
