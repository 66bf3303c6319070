//! Finds the runs of old bytes that new bytes consist of, with the search of bsdiff.
//!
//! Along the new bytes, an alignment with the old ones stays until another one explains [`SLACK_BYTES`] more of the
//! following bytes. Then both are extended towards each other while at least half of the bytes agree.

use super::index::{AHEAD_PLACES, OldBytesIndex};

/// Bytes more that another alignment must explain to be chosen. Fewer cost more to encode than they save. The value was
/// measured and matters little.
const SLACK_BYTES: usize = 14;
/// Where this many bytes match, places that cannot change the choice are passed over.
const LONG_BYTES: usize = 1024;
/// Bytes compared for each new byte on average. Real content takes far fewer.
const WORK_PER_BYTE: u64 = 512;
/// After so many places without a choice, those that follow are read ahead.
const FAILED_PLACES: usize = 3;
/// Extending an alignment backwards ends when this many more bytes differ than agree.
const GIVE_UP_BYTES: isize = 64;

/// A step of a script. Places in the new bytes are `at`, in the old bytes `from`.
pub(crate) struct AlignedRun {
    pub(crate) at: usize,
    pub(crate) from: usize,
    pub(crate) copied: usize,
    pub(crate) literals: usize,
    pub(super) seek: i64,
}

/// An alignment: the new bytes from `at` on match the old ones from `from` on.
#[derive(Debug, Clone, Copy, Default)]
struct Alignment {
    at: usize,
    from: usize,
}

impl Alignment {
    /// Returns the old place of a new one.
    fn old_place(self, new_place: usize) -> Option<usize> {
        (new_place + self.from).checked_sub(self.at)
    }
}

/// Finds the runs of `new`, in order. Returns `None` when that takes too long.
pub(super) fn runs(
    index: &OldBytesIndex<'_>,
    new: &[u8],
    emit: &mut dyn FnMut(AlignedRun),
) -> Option<()> {
    let mut search = AlignSearch {
        index,
        new,
        work_left: WORK_PER_BYTE * (new.len() as u64 + 1024),
    };
    let mut current = Alignment::default();
    let mut scan = 0;
    while scan < new.len() {
        match search.next(current, scan)? {
            NextStretch::GoesOn { until } => scan = until,
            NextStretch::Changes { to, until } => {
                current = search.change(current, to, emit);
                scan = until;
            }
            NextStretch::Nothing => break,
        }
    }
    let end = Alignment {
        at: new.len(),
        from: current.from,
    };
    search.change(current, end, emit);
    Some(())
}

/// The decision for the following bytes.
enum NextStretch {
    /// The current alignment explains everything up to here.
    GoesOn { until: usize },
    /// Another alignment is better.
    Changes { to: Alignment, until: usize },
    /// No better alignment follows.
    Nothing,
}

struct AlignSearch<'a> {
    index: &'a OldBytesIndex<'a>,
    new: &'a [u8],
    work_left: u64,
}

impl AlignSearch<'_> {
    fn agrees(&self, alignment: Alignment, place: usize) -> bool {
        alignment
            .old_place(place)
            .and_then(|from| self.index.old.get(from))
            == self.new.get(place)
    }

    /// Finds the next place from `scan` on where the choice is clear: `current` explains as much as any other
    /// alignment, or another one explains more by more than the slack.
    fn next(&mut self, current: Alignment, mut scan: usize) -> Option<NextStretch> {
        let new = self.new;
        // Bytes of scan..counted that agree under the current alignment.
        let mut agreeing = 0_usize;
        let mut counted = scan;
        let mut read_until = scan + FAILED_PLACES;
        while scan < new.len() {
            if scan >= read_until {
                self.index.read_ahead(&new[scan..]);
                read_until = scan + AHEAD_PLACES;
            }
            if self.work_left == 0 {
                return None;
            }
            let found =
                self.index
                    .longest(&new[scan..], current.old_place(scan), &mut self.work_left);
            let end = scan + found.bytes;
            while counted < end {
                agreeing += usize::from(self.agrees(current, counted));
                counted += 1;
            }
            if found.bytes == agreeing && agreeing > 0 {
                return Some(NextStretch::GoesOn { until: end });
            }
            if found.bytes > agreeing + SLACK_BYTES {
                let to = Alignment {
                    at: scan,
                    from: found.from,
                };
                return Some(NextStretch::Changes { to, until: end });
            }
            if found.bytes >= LONG_BYTES && agreeing < found.bytes {
                // Up to the next byte that disagrees, the comparison would come out the same each time.
                while self.agrees(current, scan) {
                    agreeing -= 1;
                    scan += 1;
                }
            }
            if scan < counted {
                agreeing -= usize::from(self.agrees(current, scan));
            }
            scan += 1;
            counted = counted.max(scan);
        }
        Some(NextStretch::Nothing)
    }

    /// Ends `current` somewhere before `next` and returns `next`, extended backwards as far as it pays.
    fn change(
        &self,
        current: Alignment,
        next: Alignment,
        emit: &mut dyn FnMut(AlignedRun),
    ) -> Alignment {
        let mut forward = self.forward(current, next.at);
        let mut backward = self.backward(current.at, next);
        let between = next.at - current.at;
        if forward + backward > between {
            let overlap = forward + backward - between;
            let kept = self.split(current, next, current.at + forward - overlap, overlap);
            forward = forward - overlap + kept;
            backward -= kept;
        }
        let begin = Alignment {
            at: next.at - backward,
            from: next.from - backward,
        };
        let from_end = current.from + forward;
        emit(AlignedRun {
            at: current.at,
            from: current.from,
            copied: forward,
            literals: begin.at - current.at - forward,
            seek: begin.from as i64 - from_end as i64,
        });
        begin
    }

    /// Returns how far to extend `current`: to where the surplus of agreeing bytes is largest.
    fn forward(&self, current: Alignment, end: usize) -> usize {
        let pairs = self.new[current.at..end]
            .iter()
            .zip(&self.index.old[current.from..]);
        let (mut score, mut best, mut length) = (0_isize, 0_isize, 0);
        for (number, (new, old)) in pairs.enumerate() {
            score += if new == old { 1 } else { -1 };
            if score > best {
                (best, length) = (score, number + 1);
            }
        }
        length
    }

    /// Returns how far to extend `next` backwards, at most to `begin`.
    fn backward(&self, begin: usize, next: Alignment) -> usize {
        if next.at == self.new.len() {
            return 0;
        }
        let new = self.new[begin..next.at].iter().rev();
        let old = self.index.old[..next.from].iter().rev();
        let (mut score, mut best, mut length) = (0_isize, 0_isize, 0);
        for (number, (new, old)) in new.zip(old).enumerate() {
            score += if new == old { 1 } else { -1 };
            if score > best {
                (best, length) = (score, number + 1);
            }
            if score < best - GIVE_UP_BYTES {
                break;
            }
        }
        length
    }

    /// Returns how many of `overlap` bytes from `at` on the first of two alignments keeps.
    fn split(&self, first: Alignment, second: Alignment, at: usize, overlap: usize) -> usize {
        let (mut score, mut best, mut kept) = (0_isize, 0_isize, 0);
        for number in 0..overlap {
            score += isize::from(self.agrees(first, at + number))
                - isize::from(self.agrees(second, at + number));
            if score > best {
                (best, kept) = (score, number + 1);
            }
        }
        kept
    }
}
