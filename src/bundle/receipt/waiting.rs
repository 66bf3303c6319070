//! Staged sets of a site that are incomplete, and which of their frames are present whole.
//!
//! Frames are given by number, which takes only a few bytes. The vendor that packed the set remembers what is in them.

use serde::{Deserialize, Serialize};
use wincode::{SchemaRead, SchemaWrite};

use super::{SHORT_ID_BYTES, from_hex, hex};
use crate::base::id::SetId;

/// Most runs of frames of a set. When there are more runs, fewer frames are reported than are present.
pub(crate) const RUNS_MAX: usize = 4096;

/// The frames of a staged set.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct FramesWaiting {
    /// First bytes of the set's id, 8 to 16.
    pub set: Vec<u8>,
    /// Its frames that are present, ascending.
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

/// A staged set in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingJson {
    /// The set: the first bytes of its id, 8 to 16, as hex.
    pub set: String,
    /// Runs of frames that are present: the first and the count.
    pub frames: Vec<(u32, u32)>,
}

impl FramesWaiting {
    /// Describes a set by the numbers of its frames, ascending. Returns `None` when there is no frame.
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

    /// Returns whether this is that set, as far as its id is given here.
    pub fn is(&self, set: &SetId) -> bool {
        self.set.len() >= SHORT_ID_BYTES && set.as_bytes().starts_with(&self.set)
    }

    /// Returns the known part of the set's id as hex.
    pub(crate) fn set_hex(&self) -> String {
        hex(&self.set)
    }

    /// Returns whether a frame is present.
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
