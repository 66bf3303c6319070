//! Indexes strings as zlib-ng does, and searches its chains.
//!
//! The rules are those of `insert_string_tpl.h` and `match_tpl.h`. The search compares wider strings the longer the best
//! match is. At the levels that end early, a candidate that passes and is no longer ends the search.

use super::super::super::token::{MATCH_MAX, WINDOW};
use super::super::chain::NgHash;
use super::super::{Text, common};

const HASH_BITS: u32 = 16;
const RING: usize = 1 << 16;
/// No older string in reach.
const NONE: u16 = u16::MAX;
/// Text this far back is out of reach.
const FAR: u32 = 1 << 17;
/// Bytes that are hashed, and the length of the shortest match.
pub(super) const LEAST: usize = 4;
/// Farthest match: the window less the longest match and four bytes.
pub(super) const REACH: usize = WINDOW - (MATCH_MAX + 3 + 1);

/// A match. `len` 1 is a literal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct NgMatch {
    pub(super) len: usize,
    pub(super) dist: usize,
}

/// How long a search goes on.
#[derive(Clone, Copy)]
pub(super) struct SearchEffort {
    /// Most candidates that are looked at.
    pub(super) chain: usize,
    /// A match of this length ends the search.
    pub(super) nice: usize,
    /// Whether a candidate that passes without being longer ends the search.
    pub(super) ends_early: bool,
}

/// Chains of the strings that were inserted.
pub(super) struct NgIndex {
    hash: NgHash,
    /// Position of the newest string of each hash.
    head: Vec<u32>,
    /// Distances to the next older string.
    back: Vec<u16>,
    /// Position behind the last string that was inserted.
    next: u32,
}

impl NgIndex {
    pub(super) fn new(hash: NgHash) -> Self {
        Self {
            hash,
            head: vec![0; 1 << HASH_BITS],
            back: vec![NONE; RING],
            next: 0,
        }
    }

    pub(super) fn begin(&mut self, position: u32) {
        self.head.fill(position.wrapping_sub(FAR));
        // A place can be searched whose string was left out, when the writer went on otherwise than was predicted. What
        // stands there must not come from a stream before.
        self.back.fill(NONE);
        self.next = position;
    }

    /// Returns whether the string at `position` was inserted, or left out before one that was.
    pub(super) fn is_behind(&self, position: u32) -> bool {
        self.next.wrapping_sub(position).cast_signed() > 0
    }

    /// Inserts the string at `at` unless one behind it was inserted before.
    pub(super) fn insert(&mut self, text: Text<'_>, at: usize) {
        let position = text.position(at);
        if self.is_behind(position) {
            return;
        }
        let hash = self.hash.of(four(text.bytes, at));
        let head = &mut self.head[hash];
        let back = position.wrapping_sub(*head);
        *head = position;
        // A distance that does not fit ends the chain, so that it never leads back to itself.
        self.back[position as usize % RING] = match u16::try_from(back) {
            Ok(back) if back > 0 => back,
            _ => NONE,
        };
        self.next = position.wrapping_add(1);
    }

    /// Inserts the strings at the places of a range.
    pub(super) fn insert_all(&mut self, text: Text<'_>, places: std::ops::Range<usize>) {
        for place in places {
            self.insert(text, place);
        }
    }

    /// Searches for a match of up to `ahead` bytes at `at`, whose string is inserted.
    pub(super) fn search(
        &self,
        text: Text<'_>,
        at: usize,
        ahead: usize,
        effort: SearchEffort,
    ) -> Option<NgMatch> {
        let ahead = ahead.min(MATCH_MAX).min(text.end - at);
        // The window's first place stands for "none".
        let known = (at - text.start).saturating_sub(1);
        let mut reach = known.min(REACH);
        let mut found = NgMatch { len: 2, dist: 0 };
        let bytes = &text.bytes[..text.end];
        let mut dist = 0;
        for _ in 0..effort.chain {
            #[expect(clippy::cast_possible_truncation, reason = "at most 2^15")]
            let from = text.position(at).wrapping_sub(dist as u32);
            dist += usize::from(self.back[from as usize % RING]);
            if dist > reach || found.len >= ahead {
                break;
            }
            reach = known.min(REACH - 1);
            let width = match found.len {
                ..4 => 2,
                4..8 => 4,
                _ => 8,
            };
            let alike = |place: usize| bytes[place - dist..][..width] == bytes[place..][..width];
            if !alike(at + found.len + 1 - width) || !alike(at) {
                continue;
            }
            let len = common(text.bytes, at - dist, at, ahead);
            if len > found.len {
                found = NgMatch { len, dist };
                if len >= effort.nice {
                    break;
                }
            } else if effort.ends_early {
                break;
            }
        }
        (found.len >= LEAST).then_some(found)
    }

    /// Returns the distance of the newest string with the hash of the one at `at`, and puts that one in its place.
    pub(super) fn replace(&mut self, text: Text<'_>, at: usize) -> u32 {
        let hash = self.hash.of(four(text.bytes, at));
        let before = std::mem::replace(&mut self.head[hash], text.position(at));
        text.position(at).wrapping_sub(before)
    }
}

/// Returns four bytes. Bytes behind the end are zeros.
fn four(bytes: &[u8], at: usize) -> [u8; LEAST] {
    let mut four = [0; LEAST];
    for (to, from) in four.iter_mut().zip(bytes.get(at..).unwrap_or_default()) {
        *to = *from;
    }
    four
}
