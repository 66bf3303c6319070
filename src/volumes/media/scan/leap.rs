//! Passes over bytes that need not be read: blocks that are known, holes of files, and what lies behind all that is
//! needed.
//!
//! Known blocks are passed over only when the last of them has its header where it should be, so that whatever lies
//! there is read when a file is in pieces. When everything is complete, the rest is probed: a block and a header at a
//! time, at distances that no whole volume fits between (`order`). So a further set on the same medium is found, and a
//! seventh of the bytes is read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use memchr::memmem;

use crate::base::monitor::Monitor;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader, HEADER_BYTES, MAGIC};
use crate::volumes::media::MediaError;
use crate::volumes::media::scan::EMPTY_MIN;
use crate::volumes::media::scan::span::Walk;
use crate::volumes::media::surviving::ReadEffort;

const BLOCK: u64 = BLOCK_BYTES as u64;
/// Fewest known blocks that are worth a leap, if they are full ones: a drive reads 1 MiB in the time in which it finds
/// another place.
const LEAP_MIN: u32 = 16;
/// Blocks that are read before another try when something else lies where a known block should be.
const LEAP_PAUSE: u64 = 256;
/// The same in a stream, which cannot be probed and is not read on then: 64 MiB of something else.
const STREAM_EMPTY_MIN: u32 = 1024;

/// The stretches of a source that were passed over, for all threads that read it.
pub(super) struct PassedOver {
    state: Mutex<PassedState>,
    size: u64,
}

#[derive(Default)]
struct PassedState {
    /// Stretches by their beginning. A block is expected at the end of each.
    stretches: BTreeMap<u64, u64>,
    unread_bytes: u64,
    advanced_bytes: u64,
}

impl PassedOver {
    pub(super) fn new(size: u64) -> Self {
        Self {
            state: Mutex::default(),
            size,
        }
    }

    fn state(&self) -> MutexGuard<'_, PassedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the place where a thread goes on that would begin at `place`.
    pub(super) fn behind(&self, place: u64) -> u64 {
        let state = self.state();
        let before = state.stretches.range(..=place).next_back();
        before.map_or(place, |(_, end)| place.max(*end))
    }

    /// Returns the bytes that were not read. Holes are not among them.
    pub(super) fn unread_bytes(&self) -> u64 {
        self.state().unread_bytes.min(self.size)
    }

    /// Passes over bytes that are known, or over a hole.
    fn note(&self, stretch: Range<u64>, is_hole: bool, monitor: &dyn Monitor) {
        let mut state = self.state();
        let before = state.stretches.range(..=stretch.start).next_back();
        let known_to = before.map_or(0, |(_, end)| *end);
        let news = stretch.end.saturating_sub(stretch.start.max(known_to));
        state
            .stretches
            .insert(stretch.start, stretch.end.max(known_to));
        if !is_hole {
            state.unread_bytes += news;
        }
        drop(state);
        self.advance(news, monitor);
    }

    fn skip(&self, bytes: u64, monitor: &dyn Monitor) {
        self.state().unread_bytes += bytes;
        self.advance(bytes, monitor);
    }

    /// Advances the monitor, all in all by no more than the source has.
    pub(super) fn advance(&self, bytes: u64, monitor: &dyn Monitor) {
        let mut state = self.state();
        let news = bytes.min(self.size.saturating_sub(state.advanced_bytes));
        state.advanced_bytes += news;
        drop(state);
        monitor.advance(news);
    }
}

impl Walk<'_> {
    /// Returns the place behind a whole block and the known blocks that follow it.
    pub(super) fn leap_known(&mut self, at: u64, header: &BlockHeader) -> u64 {
        let size = header.set.block_size;
        let block = size.bytes() as u64;
        let behind = at + block;
        if self.is_stream || behind < self.leaps_from {
            return behind;
        }
        let scan = self.scan;
        let room = (scan.reader.size_bytes().saturating_sub(behind)) / block;
        let on_volume = u64::from(header.set.volume_blocks.saturating_sub(header.block_no + 1));
        let known = u64::from(scan.guide.known_behind(header));
        let blocks = known.min(room).min(on_volume);
        let Some(blocks) = u32::try_from(blocks)
            .ok()
            .filter(|blocks| *blocks >= LEAP_MIN * size.in_full_block())
        else {
            return behind;
        };
        // The last header may be in a bad sector. The one before it tells as much.
        let right = [blocks, blocks - 1]
            .into_iter()
            .find(|blocks| self.is_in_place(at + size.total(*blocks)));
        let Some(blocks) = right else {
            self.leaps_from = behind + LEAP_PAUSE * BLOCK;
            return behind;
        };
        let end = behind + size.total(blocks);
        scan.guide.passed_over(header, blocks, scan.source_no);
        scan.passed.note(behind..end, false, scan.monitor);
        end
    }

    /// Returns whether the header at this place is the one that follows from the last whole block.
    fn is_in_place(&mut self, place: u64) -> bool {
        let mut head = [0; HEADER_BYTES];
        let expected = self.neighbors.by_before(place);
        let read = self.scan.reader.read_at(place, &mut head);
        expected.is_some()
            && read.is_ok_and(|len| len == HEADER_BYTES)
            && BlockHeader::peek(&head) == expected
    }

    /// Returns where to go on behind an expected place that holds nothing.
    pub(super) fn leap_empty(&mut self, at: u64, end: u64) -> Result<u64, MediaError> {
        let scan = self.scan;
        if self.is_stream {
            let is_time = self.empty_places >= STREAM_EMPTY_MIN;
            let is_over = is_time && self.empty_places.is_power_of_two() && scan.guide.has_enough();
            return Ok(if is_over { end } else { at + 1 });
        }
        if self.window.bytes(at, at, 4)?.iter().all(|byte| *byte == 0) {
            let blocks = (scan.reader.next_data(at).saturating_sub(at)) / BLOCK;
            if blocks > 1 {
                let to = at + blocks * BLOCK;
                scan.passed.note(at..to, true, scan.monitor);
                return Ok(to);
            }
        }
        let is_time = self.empty_places >= EMPTY_MIN && self.empty_places.is_power_of_two();
        let is_first = matches!(scan.effort, ReadEffort::Past);
        if is_time && is_first && scan.guide.has_enough() {
            scan.enough.store(true, Ordering::Relaxed);
            return self.probe(at + 1, end);
        }
        Ok(at + 1)
    }

    /// Looks for blocks from `from` on. Returns the place where a volume that was met may begin, or the end.
    pub(super) fn probe(&mut self, from: u64, end: u64) -> Result<u64, MediaError> {
        let scan = self.scan;
        let mut bytes = vec![0; BLOCK_BYTES + HEADER_BYTES];
        let (mut at, mut searched_to) = (from, from);
        while at < end {
            scan.monitor.check_stop()?;
            let Some(len) = self.read_whole(at, &mut bytes) else {
                // A walk that reads past bad sectors finds out what lies here.
                return Ok(searched_to);
            };
            if let Some((index, header)) = first_header(&bytes[..len]) {
                let found = at + index as u64;
                let begins = found.saturating_sub(header.set.block_size.offset_of(header.block_no));
                let unsearched = (found - searched_to) / BLOCK * BLOCK;
                self.empty_places = 0;
                scan.enough.store(false, Ordering::Relaxed);
                return Ok(begins.max(found - unsearched));
            }
            scan.passed.advance(len as u64, scan.monitor);
            let next = scan.probes.next(at);
            searched_to = at + BLOCK;
            let unread = next.min(end).saturating_sub(at + len as u64);
            scan.passed.skip(unread, scan.monitor);
            at = next;
        }
        Ok(end.max(from))
    }

    /// Fills `bytes` up to the end of the source. Returns `None` when some of them cannot be read.
    fn read_whole(&self, at: u64, bytes: &mut [u8]) -> Option<usize> {
        let mut len = 0;
        while len < bytes.len() {
            match self.scan.reader.read_at(at + len as u64, &mut bytes[len..]) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        Some(len)
    }
}

/// Returns the first header among these bytes, and its place.
fn first_header(bytes: &[u8]) -> Option<(usize, BlockHeader)> {
    memmem::find_iter(bytes, &MAGIC).find_map(|at| Some((at, BlockHeader::peek(&bytes[at..])?)))
}
