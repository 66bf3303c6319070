//! Which volumes would complete a set of which some were read.
//!
//! It assumes that a volume not seen yet is whole; when it is not, the next answer is another.

use crate::volumes::geometry::Geometry;
use crate::volumes::recovery::{Presence, RecoveryGoal, recover};

/// What receiving still needs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SetNeeds {
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
    /// Volumes among those asked for of which some was read already: their rest is needed.
    pub rest_of: Vec<u16>,
}

/// Says which volumes would reach the goal, given that every volume not seen yet is whole.
pub fn needs(geometry: &Geometry, start: &Presence, goal: &RecoveryGoal) -> SetNeeds {
    needs_with_rest(geometry, start, goal, &[])
}

/// The same when `half_read` volumes were not read to their end: what is not there of them was not looked at, and is no damage.
pub fn needs_with_rest(
    geometry: &Geometry,
    start: &Presence,
    goal: &RecoveryGoal,
    half_read: &[u16],
) -> SetNeeds {
    let now = recover(geometry, start);
    let is_lacking = |no: &u16| match goal {
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
            seen.into_iter().filter(is_lacking).collect()
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
    // Volumes with what is wanted come first; more never hurts.
    let is_wanted = |no: &u16| match goal {
        RecoveryGoal::Part(_) => is_lacking(no),
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
    // When all payload is wanted, the unseen volumes are alike to the stripes. When it is not, those without any of
    // it help by the stripes alone: as many as complete it in the worst order are as good as any.
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

/// How many of `volumes`, in this order, suffice; all of them do.
fn least_of(volumes: &[u16], completes: &dyn Fn(&[u16]) -> bool) -> usize {
    let counts: Vec<usize> = (1..=volumes.len()).collect();
    1 + counts.partition_point(|count| !completes(&volumes[..*count]))
}
