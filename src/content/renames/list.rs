//! The list of renames, as frames carry it.

use std::collections::HashMap;

use super::names::{Name, TextPart, each_part};
use crate::content::bindiff::{push_varint, read_varint};

/// A name whose new name is not the one that it had last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rename {
    /// Names since the last rename that are called what they were called last.
    pub(super) gap: u64,
    pub(super) new: Name,
}

/// All renames of a frame, in the order of its bases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames {
    pub(super) list: Vec<Rename>,
}

/// Marks the last letter of a name.
const LAST_LETTER: u8 = 0x80;

impl Renames {
    /// Returns the number of renames.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Reads a list: how many, all gaps, all names. `None` when that is not what it is.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let count = usize::try_from(read_varint(&mut bytes).ok()?).ok()?;
        // A rename takes at least two bytes.
        if count > bytes.len() / 2 {
            return None;
        }
        let mut gaps = Vec::with_capacity(count);
        for _ in 0..count {
            gaps.push(read_varint(&mut bytes).ok()?);
        }
        let mut list = Vec::with_capacity(count);
        for gap in gaps {
            let length = 1 + bytes.iter().position(|byte| *byte & LAST_LETTER != 0)?;
            let (letters, rest) = bytes.split_at_checked(length)?;
            let plain: Vec<u8> = letters.iter().map(|byte| byte & !LAST_LETTER).collect();
            let new = Name::of(&plain)?;
            list.push(Rename { gap, new });
            bytes = rest;
        }
        bytes.is_empty().then_some(Self { list })
    }

    /// Writes the list as [`Self::decode`] reads it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        push_varint(&mut out, self.list.len() as u64);
        for rename in &self.list {
            push_varint(&mut out, rename.gap);
        }
        for rename in &self.list {
            out.extend_from_slice(rename.new.letters());
            if let Some(last) = out.last_mut() {
                *last |= LAST_LETTER;
            }
        }
        out
    }

    /// Returns the old bytes with their new names. `None` when those are more than `limit_bytes`, or when there are
    /// fewer names than the renames are for. Takes some bytes for each different name, and `into` as room for the result.
    pub fn apply(&self, old: &[u8], limit_bytes: usize, into: Vec<u8>) -> Option<Vec<u8>> {
        let mut left = self.list.iter();
        let mut next = left.next();
        let mut passed = 0;
        let mut renamed = Renamed::new(into);
        each_part(old, |part| {
            renamed.push(part, |_, likely| {
                if let Some(rename) = next
                    && rename.gap == passed
                {
                    (next, passed) = (left.next(), 0);
                    return rename.new;
                }
                passed += 1;
                likely
            });
            renamed.bytes.len() <= limit_bytes
        });
        let is_whole = next.is_none() && renamed.bytes.len() <= limit_bytes;
        is_whole.then_some(renamed.bytes)
    }
}

/// Old bytes with new names, as far as they are known.
pub(super) struct Renamed {
    pub(super) bytes: Vec<u8>,
    /// What each old name was called last.
    last: HashMap<Name, Name>,
}

impl Renamed {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            last: HashMap::new(),
        }
    }

    /// Appends a part of old bytes. `choose` is given a name and what it was called last, and returns what it is
    /// called here.
    pub(super) fn push(&mut self, part: TextPart<'_>, choose: impl FnOnce(Name, Name) -> Name) {
        match part {
            TextPart::Other(bytes) => self.bytes.extend_from_slice(bytes),
            TextPart::Name(name) => {
                let last = self.last.entry(name).or_insert(name);
                *last = choose(name, *last);
                self.bytes.extend_from_slice(last.letters());
            }
        }
    }
}
