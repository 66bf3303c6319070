//! A moving part of the plain text around the current place.

use std::io::{self, Read};

use super::model::BEHIND;

/// Position of the first byte, so that tables of zeros point to no place within reach.
pub(crate) const FIRST: u64 = 1 << 16;
/// Bytes that are dropped at a time.
const DROP_BYTES: usize = 512 * 1024;
/// Bytes that are read at a time.
const READ_BYTES: usize = 64 * 1024;

/// A part of the plain text. Positions count from [`FIRST`], places are indices into `bytes`.
pub(crate) struct Stretch {
    pub(crate) bytes: Vec<u8>,
    /// Position of `bytes[0]`.
    base: u64,
    /// Whether the plain text ends with `bytes`.
    pub(crate) at_end: bool,
}

impl Stretch {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            base: FIRST,
            at_end: false,
        }
    }

    /// Returns the position of `bytes[0]`, as [`super::model::Text::base`] needs it.
    #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
    pub(crate) fn base(&self) -> u32 {
        self.base as u32
    }

    /// Returns the text between two positions as a part of its own, with the first position at the beginning.
    pub(crate) fn copy(&self, begin: u64, end: u64, mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        bytes.extend_from_slice(&self.bytes[self.place(begin)..self.place(end)]);
        Self {
            bytes,
            base: begin,
            at_end: false,
        }
    }

    /// Returns the place of a position, or 0 for one that was dropped.
    pub(crate) fn place(&self, position: u64) -> usize {
        usize::try_from(position.saturating_sub(self.base)).unwrap_or(usize::MAX)
    }

    /// Returns the position behind the last byte.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Drops the text too far before `position`.
    pub(crate) fn drop_before(&mut self, position: u64) {
        let keep = self.place(position).saturating_sub(BEHIND);
        if keep >= DROP_BYTES {
            self.bytes.drain(..keep);
            self.base += keep as u64;
        }
    }

    /// Reads until there are `ahead` bytes behind `position`, or to the end.
    pub(crate) fn read_ahead(
        &mut self,
        source: &mut dyn Read,
        position: u64,
        ahead: usize,
    ) -> io::Result<()> {
        while !self.at_end && self.end() < position + ahead as u64 {
            let before = self.bytes.len();
            self.bytes.resize(before + READ_BYTES, 0);
            let read = loop {
                match source.read(&mut self.bytes[before..]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            self.bytes.truncate(before + *read.as_ref().unwrap_or(&0));
            self.at_end = read? == 0;
        }
        Ok(())
    }
}
