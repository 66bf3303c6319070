//! A window that slides over a source. It reads ahead in pieces, keeps a little behind, and finds a pattern.
//!
//! It knows nothing of blocks. The given function reads past bad sectors, and the window remembers which bytes are
//! missing.

use std::collections::VecDeque;
use std::ops::Range;

use memchr::memmem;

use crate::volumes::block::BLOCK_BYTES;
use crate::volumes::media::MediaError;

/// Small enough that bytes are still in the cache when they are hashed.
const PIECE_BYTES: usize = 256 * 1024;

/// What was read into a buffer.
pub(super) struct FilledBuffer {
    /// Ranges of the source that could not be read, in order.
    pub(super) gaps: Vec<Range<u64>>,
    /// Bytes of the buffer that count. Fewer than there is room for at the end of a stream alone.
    pub(super) bytes: usize,
}

/// Fills the buffer with the source's bytes at an offset. Offsets follow one another.
pub(super) type Fill<'a> = dyn Fn(u64, &mut [u8]) -> Result<FilledBuffer, MediaError> + 'a;

/// The bytes of a source around a place that only moves forward, also past bytes that are not read.
pub(super) struct SourceWindow<'a> {
    fill: &'a Fill<'a>,
    /// Offset in the source of `buf[0]`.
    start: u64,
    /// Valid up to `filled`. Bytes behind that are stale.
    buf: Vec<u8>,
    filled: usize,
    /// Unreadable ranges of the source that reach into the window, in order.
    gaps: VecDeque<Range<u64>>,
    /// Reading ahead ends here. More is read only on request.
    ahead_end: u64,
    /// Where the source ends, as far as that is known.
    size: u64,
}

impl<'a> SourceWindow<'a> {
    /// Opens a window that will move over `span` of a source of `size` bytes.
    pub(super) fn new(fill: &'a Fill<'a>, span: Range<u64>, size: u64) -> Self {
        Self {
            fill,
            start: span.start,
            buf: vec![0; PIECE_BYTES + 3 * BLOCK_BYTES],
            filled: 0,
            gaps: VecDeque::new(),
            ahead_end: span.end,
            size,
        }
    }

    /// Returns up to `len` bytes (at most a block) at `at`, fewer at the end of the source. Bytes from `keep` on, at
    /// most a block before `at`, stay available.
    pub(super) fn bytes(
        &mut self,
        keep: u64,
        at: u64,
        len: usize,
    ) -> Result<&mut [u8], MediaError> {
        let end = self.size.min(at.saturating_add(len as u64));
        if at >= end {
            return Ok(&mut []);
        }
        self.reach(keep, end)?;
        let end = end.min(self.size);
        if at >= end {
            return Ok(&mut []);
        }
        Ok(&mut self.buf[in_memory(at - self.start)..in_memory(end - self.start)])
    }

    /// Returns the parts of `range` that could not be read. The range must be part of the window.
    pub(super) fn gaps_in(&self, range: Range<u64>) -> impl Iterator<Item = Range<u64>> + '_ {
        debug_assert!(range.start >= self.start && range.end <= self.start + self.filled as u64);
        self.gaps
            .iter()
            .map(move |gap| gap.start.max(range.start)..gap.end.min(range.end))
            .filter(|part| !part.is_empty())
    }

    /// Returns the first place in `from..to` where `pattern` begins.
    pub(super) fn find(
        &mut self,
        from: u64,
        to: u64,
        pattern: &[u8; 4],
    ) -> Result<Option<u64>, MediaError> {
        let mut at = from;
        while at < to && at + 4 <= self.size {
            self.reach(at, at + 4)?;
            if at + 4 > self.size {
                break;
            }
            // A pattern that begins before `to` ends at most three bytes behind it. The rest is left to the next search.
            let searched = self.filled.min(in_memory(to + 3 - self.start));
            let have = &self.buf[in_memory(at - self.start)..searched];
            if let Some(index) = memmem::find(have, pattern) {
                let found = at + index as u64;
                return Ok((found < to).then_some(found));
            }
            // The last three bytes are searched again, because a pattern may begin in them.
            at += have.len() as u64 - 3;
        }
        Ok(None)
    }

    /// Makes `keep..end` part of the window.
    fn reach(&mut self, keep: u64, end: u64) -> Result<(), MediaError> {
        let have_end = self.start + self.filled as u64;
        if end <= have_end {
            return Ok(());
        }
        if keep > have_end {
            // What lies between was passed over.
            self.start = keep;
            self.filled = 0;
            self.gaps.clear();
            return self.reach(keep, end);
        }
        let keep = keep.max(self.start);
        self.buf
            .copy_within(in_memory(keep - self.start)..self.filled, 0);
        self.filled = in_memory(have_end - keep);
        self.start = keep;
        while self.gaps.front().is_some_and(|gap| gap.end <= keep) {
            self.gaps.pop_front();
        }
        // Reading ahead stops at the segment's end, whose following bytes another thread reads.
        let ahead = self.ahead_end.min(have_end + PIECE_BYTES as u64);
        let filled = in_memory(end.max(ahead).min(self.size) - self.start);
        let wanted = filled.saturating_sub(self.filled);
        let read = (self.fill)(have_end, &mut self.buf[self.filled..self.filled + wanted])?;
        self.gaps.extend(read.gaps);
        self.filled += read.bytes;
        if read.bytes < wanted {
            self.size = self.start + self.filled as u64;
        }
        Ok(())
    }

    /// Where the source ends, as far as that is known. The end of a stream shows when it is reached.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

/// Converts a distance inside the window, which always fits into memory.
fn in_memory(distance: u64) -> usize {
    usize::try_from(distance).expect("the window is smaller than memory")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_and_patterns_are_found_across_the_edges_of_pieces() {
        let size = 3 * PIECE_BYTES + 1000;
        let mut data: Vec<u8> = (0..size).map(|i| u8::try_from(i % 200).unwrap()).collect();
        let places = [PIECE_BYTES - 2, 2 * PIECE_BYTES - 1, size - 4];
        for place in places {
            data[place..place + 4].copy_from_slice(&[255, 254, 253, 252]);
        }
        let fill = |offset: u64, buf: &mut [u8]| {
            let from = usize::try_from(offset).unwrap();
            buf.copy_from_slice(&data[from..from + buf.len()]);
            Ok(FilledBuffer {
                gaps: Vec::new(),
                bytes: buf.len(),
            })
        };
        let mut window = SourceWindow::new(&fill, 0..size as u64, size as u64);
        let mut at = 0;
        for place in places {
            let found = window.find(at, size as u64, &[255, 254, 253, 252]).unwrap();
            assert_eq!(found, Some(place as u64));
            at = place as u64 + 1;
            let len = BLOCK_BYTES.min(size - place);
            assert_eq!(
                window
                    .bytes(place as u64, place as u64, BLOCK_BYTES)
                    .unwrap(),
                &data[place..place + len]
            );
        }
        assert_eq!(
            window.find(at, size as u64, &[255, 254, 253, 252]).unwrap(),
            None
        );
    }

    #[test]
    fn a_stream_ends_where_it_has_no_more_bytes() {
        for len in [0, 3, 4, 1000, PIECE_BYTES, PIECE_BYTES + BLOCK_BYTES + 5] {
            let fill = |offset: u64, buf: &mut [u8]| {
                let from = usize::try_from(offset).unwrap();
                let bytes = buf.len().min(len - from);
                buf[..bytes].fill(7);
                Ok(FilledBuffer {
                    gaps: Vec::new(),
                    bytes,
                })
            };
            let mut window = SourceWindow::new(&fill, 0..u64::MAX, u64::MAX);
            let mut at = 0;
            while !window.bytes(at, at, BLOCK_BYTES).unwrap().is_empty() {
                assert_eq!(window.find(at, at + 9, &[1, 2, 3, 4]).unwrap(), None);
                at += BLOCK_BYTES as u64;
            }
            assert_eq!(window.size(), len as u64);
            assert_eq!(window.find(at, at + 9, &[7; 4]).unwrap(), None);
        }
    }

    #[test]
    fn gaps_are_known_as_long_as_their_bytes_are_in_the_window() {
        let fill = |offset: u64, buf: &mut [u8]| {
            let end = offset + buf.len() as u64;
            let bad = [1000..3000, 70_000..70_001, 600_000..700_000];
            let inside = bad.map(|gap: Range<u64>| gap.start.max(offset)..gap.end.min(end));
            Ok(FilledBuffer {
                gaps: inside.into_iter().filter(|gap| !gap.is_empty()).collect(),
                bytes: buf.len(),
            })
        };
        let mut window = SourceWindow::new(&fill, 0..1 << 20, 1 << 20);
        window.bytes(0, 0, BLOCK_BYTES).unwrap();
        let gaps: Vec<_> = window.gaps_in(2000..80_000).collect();
        assert_eq!(gaps, [2000..3000, 70_000..70_001]);
        for at in (0..1 << 20).step_by(BLOCK_BYTES) {
            let len = window.bytes(at, at, BLOCK_BYTES).unwrap().len() as u64;
            let missing: u64 = window.gaps_in(at..at + len).map(|g| g.end - g.start).sum();
            let all = (600_000..700_000).filter(|byte| (at..at + len).contains(byte));
            let before = (1000..3000).chain(70_000..70_001);
            let all = all.chain(before.filter(|byte| (at..at + len).contains(byte)));
            assert_eq!(missing, all.count() as u64, "block at {at}");
        }
        assert!(window.gaps.len() <= 2);
    }
}
