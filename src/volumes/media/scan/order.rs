//! The order in which a source is read for the first time: the volume files that its directory names, then the rest.
//!
//! The directory of a disc is a hint. What it does not name is read all the same, as long as something is needed. When
//! everything is complete the rest is probed, behind the last file as closely as on any medium, and elsewhere at a
//! distance that a drive gains from.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::base::read_at::ReadAt;
use crate::volumes::media::iso_files::IsoFiles;

use super::BLOCK;

/// Blocks of the smallest volume of full blocks. Of any such volume that lies in one piece, a probe at this distance meets
/// a header. A smaller one may lie between two probes.
const CLOSE_BLOCKS: u64 = 7;
/// Blocks between probes where a directory says what lies there: 8 MiB. A drive reads 1 MiB in the time in which it
/// finds another place.
const FAR_BLOCKS: u64 = 128;
/// Bytes behind the last file that are probed closely. A second session begins there.
const BEHIND_BYTES: u64 = 64 << 20;

/// The stretches of a source in the order in which they are read.
pub(super) struct ReadingOrder {
    /// Stretches of volume files.
    pub(super) volumes: Vec<Range<u64>>,
    /// All other bytes.
    pub(super) rest: Vec<Range<u64>>,
    /// Where probes stay close. `None` stands for everywhere.
    pub(super) close: Option<Range<u64>>,
}

impl ReadingOrder {
    /// Reads the directory of a source, if it has one.
    pub(super) fn of(reader: &dyn ReadAt) -> Self {
        let size = reader.size_bytes();
        let files = IsoFiles::of(reader).filter(|files| !files.volumes.is_empty());
        let volumes = files
            .as_ref()
            .map_or_else(Vec::new, |each| each.volumes.clone());
        let mut rest = Vec::new();
        let mut behind = 0;
        for stretch in &volumes {
            rest.push(behind..stretch.start);
            behind = stretch.end;
        }
        rest.push(behind..size);
        rest.retain(|stretch| !stretch.is_empty());
        Self {
            volumes,
            rest,
            close: files.map(|files| files.end..files.end.saturating_add(BEHIND_BYTES)),
        }
    }
}

/// How far apart probes are.
#[derive(Debug, Default)]
pub(super) struct ProbeDistance {
    /// Where they stay close. `None` stands for everywhere.
    close: Mutex<Option<Range<u64>>>,
}

impl ProbeDistance {
    /// Sets where probes stay close. Only one thread may probe meanwhile, because a volume that is met is searched back
    /// to the last probe.
    pub(super) fn set(&self, close: Option<Range<u64>>) {
        *self.close.lock().unwrap_or_else(PoisonError::into_inner) = close;
    }

    /// Returns the place of the probe that follows the one at `at`.
    pub(super) fn next(&self, at: u64) -> u64 {
        let close = self.close.lock().unwrap_or_else(PoisonError::into_inner);
        let near = at + CLOSE_BLOCKS * BLOCK;
        let far = at + FAR_BLOCKS * BLOCK;
        match close.as_ref() {
            Some(close) if at >= close.end => far,
            // The close stretch is not leapt into.
            Some(close) if at < close.start => far.min(close.start.max(near)),
            _ => near,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_close_behind_the_last_file_alone() {
        let distance = ProbeDistance::default();
        assert_eq!(distance.next(BLOCK), 8 * BLOCK);
        distance.set(Some(200 * BLOCK..400 * BLOCK));
        assert_eq!(distance.next(0), 128 * BLOCK);
        assert_eq!(distance.next(128 * BLOCK), 200 * BLOCK);
        assert_eq!(distance.next(199 * BLOCK), 206 * BLOCK);
        assert_eq!(distance.next(200 * BLOCK), 207 * BLOCK);
        assert_eq!(distance.next(401 * BLOCK), 529 * BLOCK);
    }
}
