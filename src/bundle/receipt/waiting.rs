//! Sets that wait at a site because something of them is lacking: which of their frames are there whole.
//!
//! Frames are told by number, so that a few bytes say it; what is in them, the vendor that packed the set remembers.

use serde::{Deserialize, Serialize};
use wincode::{SchemaRead, SchemaWrite};

use super::{SHORT_ID_BYTES, from_hex, hex};
use crate::base::id::SetId;

/// Most runs of frames of a set. What is in more pieces is told as less than is there.
pub const RUNS_MAX: usize = 4096;

/// Frames of a set that waits.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct FramesWaiting {
    /// First bytes of the set's id, 8 to 16.
    pub set: Vec<u8>,
    /// Its frames that are there, ascending.
    pub frames: Vec<FrameRange>,
}

/// Frames `first`, `first + 1`, ...
#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct FrameRange {
    /// First frame, from 0.
    pub first: u32,
    /// How many, at least 1.
    pub count: u32,
}

/// Such a set in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingJson {
    /// The set: the first bytes of its id, 8 to 16, as hex.
    pub set: String,
    /// Runs of frames that are there: first and how many.
    pub frames: Vec<(u32, u32)>,
}

impl FramesWaiting {
    /// Says it of a set, by the numbers of its frames, ascending. `None` when there is no frame.
    pub fn new(set: &SetId, frames: impl IntoIterator<Item = u32>) -> Option<Self> {
        let mut runs: Vec<FrameRange> = Vec::new();
        for frame in frames {
            let count = runs.len();
            match runs.last_mut() {
                Some(run) if frame == run.first + run.count => run.count += 1,
                _ if count == RUNS_MAX => break,
                _ => runs.push(FrameRange {
                    first: frame,
                    count: 1,
                }),
            }
        }
        (!runs.is_empty()).then(|| Self {
            set: set.as_bytes().to_vec(),
            frames: runs,
        })
    }

    /// Whether this is that set: as far as its id is given here.
    pub fn is(&self, set: &SetId) -> bool {
        self.set.len() >= SHORT_ID_BYTES && set.as_bytes().starts_with(&self.set)
    }

    /// The set's id as far as it is known, as hex.
    pub fn set_hex(&self) -> String {
        hex(&self.set)
    }

    /// Whether a frame is there.
    pub fn has(&self, frame: u32) -> bool {
        let at = self.frames.partition_point(|run| run.first <= frame);
        let run = at.checked_sub(1).and_then(|at| self.frames.get(at));
        run.is_some_and(|run| frame - run.first < run.count)
    }

    pub(super) fn is_sound(&self) -> bool {
        let mut next = 0;
        let ascends = |run: &FrameRange| {
            let fits = run.count > 0 && run.first >= next;
            match run.first.checked_add(run.count) {
                Some(end) => next = end,
                None => return false,
            }
            fits
        };
        (SHORT_ID_BYTES..=SetId::BYTES).contains(&self.set.len())
            && self.frames.len() <= RUNS_MAX
            && self.frames.iter().all(ascends)
    }

    pub(super) fn to_json(&self) -> WaitingJson {
        WaitingJson {
            set: hex(&self.set),
            frames: self
                .frames
                .iter()
                .map(|run| (run.first, run.count))
                .collect(),
        }
    }

    pub(super) fn from_json(json: &WaitingJson) -> Option<Self> {
        let runs = json.frames.iter();
        Some(Self {
            set: from_hex(&json.set)?,
            frames: runs
                .map(|&(first, count)| FrameRange { first, count })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn frames_become_runs_and_are_found_in_them() {
        let numbers = [0, 1, 2, 5, 7, 8];
        let waiting = FramesWaiting::new(&SetId([1; 16]), numbers).unwrap();
        assert!(waiting.is_sound());
        assert_eq!(waiting.frames.len(), 3);
        for frame in 0..12 {
            assert_eq!(waiting.has(frame), numbers.contains(&frame), "{frame}");
        }
        assert_eq!(FramesWaiting::new(&SetId([1; 16]), []), None);
        let odd = FramesWaiting::new(&SetId([1; 16]), (0..20_000).step_by(2)).unwrap();
        assert!(odd.is_sound() && odd.frames.len() == RUNS_MAX);
    }
}
