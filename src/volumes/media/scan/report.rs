//! What a scan reports beside the blocks: numbers, and the stretches that could not be read.

use std::ops::Range;

/// Most gaps that a report lists. All are counted.
pub(super) const GAPS_LISTED_MAX: usize = 1000;
/// Gaps that are kept before those far behind are dropped. Threads find gaps out of order.
const GAPS_KEPT_MAX: usize = 16 * GAPS_LISTED_MAX;

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
    /// Whether the visitor ended the scan.
    pub stopped: bool,
}

impl ScanReport {
    /// Adds the result of another scan.
    pub fn join(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.whole_blocks += other.whole_blocks;
        self.damaged_blocks += other.damaged_blocks;
        self.unread_bytes += other.unread_bytes;
        let room = GAPS_LISTED_MAX.saturating_sub(self.gaps.len());
        self.gaps.extend(other.gaps.into_iter().take(room));
        self.unopened.extend(other.unopened);
        self.stopped |= other.stopped;
    }
}

/// The unreadable bytes of one source, as threads find them.
#[derive(Default)]
pub(super) struct GapList {
    /// All of them.
    pub(super) unread_bytes: u64,
    ranges: Vec<Range<u64>>,
}

impl GapList {
    /// Adds a range. Every byte may be added only once.
    pub(super) fn add(&mut self, range: Range<u64>) {
        self.unread_bytes += range.end - range.start;
        self.ranges.push(range);
        if self.ranges.len() > GAPS_KEPT_MAX {
            self.join();
            self.ranges.truncate(GAPS_KEPT_MAX / 2);
        }
    }

    /// Returns the first ranges, joined and in order.
    pub(super) fn listed(mut self) -> Vec<Range<u64>> {
        self.join();
        self.ranges.truncate(GAPS_LISTED_MAX);
        self.ranges
    }

    fn join(&mut self) {
        self.ranges
            .sort_unstable_by_key(|range| (range.start, range.end));
        let mut joined: Vec<Range<u64>> = Vec::new();
        for range in self.ranges.drain(..) {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
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
    fn all_gaps_are_counted_and_the_first_ones_listed() {
        let mut gaps = GapList::default();
        for no in (0..100_000).rev() {
            gaps.add(no * 10..no * 10 + 2);
            gaps.add(no * 10 + 2..no * 10 + 3);
        }
        assert_eq!(gaps.unread_bytes, 300_000);
        assert!(gaps.ranges.len() <= GAPS_KEPT_MAX);
        let first: Vec<_> = (0..1000).map(|no| no * 10..no * 10 + 3).collect();
        assert_eq!(gaps.listed(), first);
    }
}
