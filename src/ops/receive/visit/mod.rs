//! `visit`: what a person with one drive is told: what the disc in it is, and which one to put in next.
//!
//! It reads little and writes nothing but the log of visits. `receive` takes in the discs.

mod disc;
pub mod log;

use std::collections::BTreeSet;

use super::{ProgressState, SetProgress};
pub use disc::{Disc, DiscRole, FoundInDrive, identify};

/// What brings a set nearer to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VisitStep {
    /// A volume is needed.
    Insert {
        /// Its number.
        volume: u16,
        /// Why this one.
        why: Why,
    },
    /// A release is needed that the bundle depends on.
    Base,
    /// No volume is left. Another copy of a damaged one helps, or a top-up from the vendor.
    TopUp,
}

/// Why a volume is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// Reading it was broken off.
    Rest,
    /// It holds data. So many volumes are still needed, this one included.
    Data {
        /// The count.
        needed: u16,
    },
    /// It is a spare, and takes the place of what is missing or damaged elsewhere.
    Spare {
        /// Volumes still needed, this one included.
        needed: u16,
    },
    /// Even all volumes that are left do not complete the set. Each makes the top-up smaller.
    NotEnough,
}

/// Decides what a set needs next, when the person does not have the `missing` volumes. Data volumes come first, and a
/// volume that was read to its end is never asked for.
pub fn next_step(set: &SetProgress, missing: &BTreeSet<u16>) -> VisitStep {
    let needs = &set.needs;
    if set.state == ProgressState::NeedsBase || needs.complete {
        return VisitStep::Base;
    }
    let is_there = |volume: &&u16| !missing.contains(volume);
    if let Some(volume) = needs.rest_of.iter().find(is_there) {
        let (volume, why) = (*volume, Why::Rest);
        return VisitStep::Insert { volume, why };
    }
    let others = needs.any_of.iter();
    let others = others.filter(|volume| !needs.ask_for.contains(volume));
    let left: Vec<u16> = needs.ask_for.iter().chain(others).copied().collect();
    let left: Vec<u16> = left.iter().filter(is_there).copied().collect();
    let Some(volume) = left.first().copied() else {
        return VisitStep::TopUp;
    };
    let why = match needs.at_least {
        Some(needed) if usize::from(needed) <= left.len() => {
            if volume <= set.data_volumes {
                Why::Data { needed }
            } else {
                Why::Spare { needed }
            }
        }
        _ => Why::NotEnough,
    };
    VisitStep::Insert { volume, why }
}
