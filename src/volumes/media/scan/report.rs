//! What a scan reports beside the blocks: numbers, and the stretches that could not be read.

use std::ops::Range;

/// Most gaps that a report lists. All are counted.
pub(super) const GAPS_LISTED_MAX: usize = 1000;
/// Most gaps of a source that are kept apart: 32 MiB. Beyond that, those near one another become one, which costs
/// another read of what lies between.
const GAPS_KEPT_MAX: usize = 1 << 20;

/// Newest gaps that may belong to a block at hand: those of a window, and of as many threads as there are.
const GAPS_RECENT: usize = 512;

/// A stretch of a source that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Index of the source.
    pub source_no: usize,
    /// The unreadable bytes.
    pub range: Range<u64>,
}

/// The result of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Bytes of the sources that were scanned. Holes of files count, and stretches that were passed over do not.
    pub bytes: u64,
    /// Whole blocks found, duplicates counted twice.
    pub whole_blocks: u64,
    /// Damaged blocks found.
    pub damaged_blocks: u64,
    /// Bytes that could not be read.
    pub unread_bytes: u64,
    /// Ranges of the unreadable bytes, joined and in order. Only the first thousand.
    pub gaps: Vec<Gap>,
    /// Indices of sources that could not be opened at all.
    pub unopened: Vec<usize>,
    /// Indices of streams that ended with an error. What came before counts.
    pub broken: Vec<usize>,
    /// Whether the visitor ended the scan.
    pub stopped: bool,
}

impl ScanReport {
    pub(super) fn has_blocks(&self) -> bool {
        self.whole_blocks > 0 || self.damaged_blocks > 0
    }

    /// Adds the result of another scan.
    pub fn join(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.whole_blocks += other.whole_blocks;
        self.damaged_blocks += other.damaged_blocks;
        self.unread_bytes += other.unread_bytes;
        let room = GAPS_LISTED_MAX.saturating_sub(self.gaps.len());
        self.gaps.extend(other.gaps.into_iter().take(room));
        self.unopened.extend(other.unopened);
        self.broken.extend(other.broken);
        self.stopped |= other.stopped;
    }
}

/// The unreadable bytes of one source, as threads find them.
#[derive(Default)]
pub(super) struct GapList {
    ranges: Vec<Range<u64>>,
}

impl GapList {
    /// Adds a range. Every byte may be added only once.
    pub(super) fn add(&mut self, range: Range<u64>) {
        self.ranges.push(range);
        if self.ranges.len() > GAPS_KEPT_MAX {
            let mut distance = 0;
            loop {
                self.join(distance);
                if self.ranges.len() <= GAPS_KEPT_MAX / 2 {
                    break;
                }
                distance = (2 * distance).max(1 << 16);
            }
        }
    }

    /// Returns whether some of these bytes are known to be unreadable. The newest gaps are those of the blocks at hand.
    pub(super) fn touches(&self, bytes: &Range<u64>) -> bool {
        let touches = |gap: &Range<u64>| gap.start < bytes.end && gap.end > bytes.start;
        self.ranges.iter().rev().take(GAPS_RECENT).any(touches)
    }

    /// Returns the ranges, joined and in order.
    pub(super) fn all(mut self) -> Vec<Range<u64>> {
        self.join(0);
        self.ranges
    }

    /// Joins ranges that are no farther apart than this.
    fn join(&mut self, distance: u64) {
        self.ranges
            .sort_unstable_by_key(|range| (range.start, range.end));
        let mut joined: Vec<Range<u64>> = Vec::new();
        for range in self.ranges.drain(..) {
            match joined.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(distance) => {
                    last.end = last.end.max(range.end);
                }
                _ => joined.push(range),
            }
        }
        self.ranges = joined;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_that_touch_are_one_and_all_are_in_order() {
        let mut gaps = GapList::default();
        for no in (0..100_000).rev() {
            gaps.add(no * 10..no * 10 + 2);
            gaps.add(no * 10 + 2..no * 10 + 3);
        }
        assert!(gaps.ranges.len() <= GAPS_KEPT_MAX);
        let first: Vec<_> = (0..1000).map(|no| no * 10..no * 10 + 3).collect();
        let all = gaps.all();
        assert_eq!((all.len(), &all[..1000]), (100_000, &first[..]));
    }
}
