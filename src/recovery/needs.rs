//! Which volumes would complete a set of which some were read.
//!
//! It assumes that a volume not seen yet is whole; when it is not, the next answer is another.

use crate::geometry::Geometry;
use crate::recovery::{Presence, recover};

/// What receiving still needs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Needs {
    /// Everything can be brought back with what is there.
    pub complete: bool,
    /// Volumes to ask for next: data volumes that were not seen yet, and spares only when those do not suffice.
    pub ask_for: Vec<u16>,
    /// Volumes not seen yet, data and spare: any `at_least` of them will do.
    pub any_of: Vec<u16>,
    /// How many of `any_of` are needed; `None` when not even all of them suffice.
    pub at_least: Option<u16>,
    /// Volumes that were seen and miss blocks nothing at hand brings back: another copy of one of them helps too.
    pub damaged: Vec<u16>,
}

/// Says which volumes would complete the payload, given that every volume not seen yet is whole.
pub fn needs(geometry: &Geometry, start: &Presence) -> Needs {
    let now = recover(geometry, start);
    let data = |no: &u16| *no <= geometry.header().data_volumes;
    let missing = |no: &u16| now.volumes[usize::from(*no) - 1].missing_data_blocks > 0;
    let (seen, unseen): (Vec<u16>, Vec<u16>) =
        (1..=geometry.volume_count()).partition(|no| start.seen(*no));
    let complete = now.payload_complete;
    let mut needs = Needs {
        complete,
        ask_for: Vec::new(),
        any_of: Vec::new(),
        at_least: complete.then_some(0),
        damaged: if complete {
            Vec::new()
        } else {
            seen.into_iter().filter(missing).collect()
        },
    };
    if complete {
        return needs;
    }
    let completes = |count: usize| {
        let mut more = now.after.clone();
        unseen[..count].iter().for_each(|no| more.add_volume(*no));
        recover(geometry, &more).payload_complete
    };
    // The unseen volumes are alike to the stripes, and data volumes come first in the list; more never hurts.
    if completes(unseen.len()) {
        let counts: Vec<usize> = (1..=unseen.len()).collect();
        let least = 1 + counts.partition_point(|count| !completes(*count));
        let data_unseen = unseen.iter().filter(|no| data(no)).count();
        let ask = least.max(data_unseen).min(unseen.len());
        needs.ask_for = unseen[..ask].to_vec();
        needs.at_least = u16::try_from(least).ok();
    } else {
        needs.ask_for = unseen.iter().copied().filter(data).collect();
    }
    needs.any_of = unseen;
    needs
}
