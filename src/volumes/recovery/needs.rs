//! Computes which volumes would complete a set that was read in part.
//!
//! It assumes that volumes not read yet are whole. When one is not, the next answer differs.

use crate::volumes::geometry::Geometry;
use crate::volumes::recovery::{Presence, RecoveryGoal, recover};

/// What receiving a set still needs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct SetNeeds {
    /// Whether everything can be restored from the present blocks.
    pub complete: bool,
    /// Volumes to ask for next: data volumes that were not read yet, and spares only when those do not suffice.
    pub ask_for: Vec<u16>,
    /// Volumes that were not read yet, data and spare. Any `at_least` of them suffice.
    pub any_of: Vec<u16>,
    /// How many of `any_of` are needed. `None` when all of them together do not suffice.
    pub at_least: Option<u16>,
    /// Volumes that were read and lack blocks which nothing available restores. Another copy of one of them also helps.
    pub damaged: Vec<u16>,
    /// Volumes among those asked for that were read in part. Their rest is needed.
    pub rest_of: Vec<u16>,
}

impl SetNeeds {
    /// Returns the needs of a set that is done with.
    pub(crate) fn nothing() -> Self {
        Self {
            complete: true,
            ask_for: Vec::new(),
            any_of: Vec::new(),
            at_least: Some(0),
            damaged: Vec::new(),
            rest_of: Vec::new(),
        }
    }
}

/// Computes which volumes would reach the goal, assuming that every volume not read yet is whole.
pub fn needs(geometry: &Geometry, start: &Presence, goal: &RecoveryGoal) -> SetNeeds {
    needs_with_rest(geometry, start, goal, &[])
}

/// Computes the needs when `half_read` volumes were not read to their end. Their missing blocks were not read yet and
/// do not count as damage.
pub(crate) fn needs_with_rest(
    geometry: &Geometry,
    start: &Presence,
    goal: &RecoveryGoal,
    half_read: &[u16],
) -> SetNeeds {
    let now = recover(geometry, start);
    let is_missing = |no: &u16| match goal {
        RecoveryGoal::Part(blocks) => !now.after.covers_volume(blocks, *no),
        _ => now.volumes[usize::from(*no) - 1].missing_data_blocks > 0,
    };
    let (seen, unseen): (Vec<u16>, Vec<u16>) =
        (1..=geometry.volume_count()).partition(|no| start.seen(*no) && !half_read.contains(no));
    let complete = now.reaches(geometry, goal);
    let mut needs = SetNeeds {
        complete,
        ask_for: Vec::new(),
        any_of: Vec::new(),
        at_least: complete.then_some(0),
        damaged: if complete {
            Vec::new()
        } else {
            seen.into_iter().filter(is_missing).collect()
        },
        rest_of: Vec::new(),
    };
    if complete {
        return needs;
    }
    let completes = |volumes: &[u16]| {
        let mut more = now.after.clone();
        volumes.iter().for_each(|no| more.add_volume(*no));
        recover(geometry, &more).reaches(geometry, goal)
    };
    needs.rest_of = unseen
        .iter()
        .copied()
        .filter(|no| start.seen(*no))
        .collect();
    // Volumes with wanted blocks come first. The order never makes the answer wrong, because more volumes never hurt.
    let is_wanted = |no: &u16| match goal {
        RecoveryGoal::Part(_) => is_missing(no),
        _ => geometry.is_data_volume(*no),
    };
    let (mut order, others): (Vec<u16>, Vec<u16>) = unseen.iter().copied().partition(is_wanted);
    let wanted = order.len();
    order.extend(others);
    if !completes(&order) {
        needs.ask_for = order[..wanted].to_vec();
        needs.any_of = unseen;
        return needs;
    }
    let least = least_of(&order, &completes);
    needs.ask_for = order[..least.max(wanted)].to_vec();
    // When all payload is wanted, the stripes treat all unread volumes alike. Otherwise volumes without wanted blocks
    // only help by the stripes. A count that completes the set in the worst order is valid for any order.
    let any = match goal {
        RecoveryGoal::Part(_) => {
            order.reverse();
            least_of(&order, &completes)
        }
        _ => least,
    };
    if matches!(goal, RecoveryGoal::Part(_)) && any > needs.ask_for.len() {
        needs.any_of.clone_from(&needs.ask_for);
        needs.at_least = u16::try_from(needs.ask_for.len()).ok();
    } else {
        needs.any_of = unseen;
        needs.at_least = u16::try_from(any).ok();
    }
    needs
}

/// Returns how many of `volumes`, in this order, suffice. All of them together do.
fn least_of(volumes: &[u16], completes: &dyn Fn(&[u16]) -> bool) -> usize {
    let counts: Vec<usize> = (1..=volumes.len()).collect();
    1 + counts.partition_point(|count| !completes(&volumes[..*count]))
}
