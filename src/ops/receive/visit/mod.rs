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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SetId;
    use crate::ops::receive::HealedBy;
    use crate::ops::trust::SetSigners;
    use crate::volumes::recovery::SetNeeds;

    /// A set of four data volumes and two spares, of which nothing has come.
    fn fresh() -> SetProgress {
        SetProgress {
            set_id: SetId([1; 16]),
            title: "shop:1.0".to_owned(),
            releases: Vec::new(),
            data_volumes: 4,
            block_bytes: 65_536,
            spare_volumes: 2,
            state: ProgressState::NeedsVolumes,
            new_blocks: 0,
            healed_blocks: 0,
            healed_by: HealedBy::default(),
            root: None,
            needs: SetNeeds {
                complete: false,
                ask_for: vec![1, 2, 3, 4],
                any_of: vec![1, 2, 3, 4, 5, 6],
                at_least: Some(4),
                ..SetNeeds::nothing()
            },
            volumes: Vec::new(),
            lacking: None,
            lost_items: Vec::new(),
            left_out: None,
            committed: Vec::new(),
            volumes_read: Vec::new(),
            wrong_volumes: Vec::new(),
            doubtful_volumes: Vec::new(),
            helped_by: Vec::new(),
            beside: false,
            room: None,
            signed: SetSigners::default(),
            refused: None,
        }
    }

    /// The number of the volume that is asked for, and why.
    fn asked(set: &SetProgress, missing: &[u16]) -> Option<(u16, Why)> {
        match next_step(set, &missing.iter().copied().collect()) {
            VisitStep::Insert { volume, why } => Some((volume, why)),
            _ => None,
        }
    }

    #[test]
    fn data_comes_first_and_spares_take_the_place_of_what_is_missing() {
        let mut set = fresh();
        assert_eq!(asked(&set, &[]), Some((1, Why::Data { needed: 4 })));
        assert_eq!(asked(&set, &[1]), Some((2, Why::Data { needed: 4 })));
        // Three came, and the fourth is not there.
        (set.needs.ask_for, set.needs.any_of) = (vec![4], vec![4, 5, 6]);
        set.needs.at_least = Some(1);
        assert_eq!(asked(&set, &[]), Some((4, Why::Data { needed: 1 })));
        assert_eq!(asked(&set, &[4]), Some((5, Why::Spare { needed: 1 })));
        assert_eq!(asked(&set, &[4, 5]), Some((6, Why::Spare { needed: 1 })));
        assert_eq!(next_step(&set, &(4..=6).collect()), VisitStep::TopUp);
    }

    #[test]
    fn the_rest_of_a_disc_comes_before_all_others() {
        let mut set = fresh();
        set.needs.rest_of = vec![3];
        assert_eq!(asked(&set, &[]), Some((3, Why::Rest)));
        assert_eq!(asked(&set, &[3]), Some((1, Why::Data { needed: 4 })));
    }

    #[test]
    fn what_does_not_suffice_is_still_asked_for_and_said_to_be_too_little() {
        let mut set = fresh();
        // Of six volumes three are not there.
        let asked_with = |set: &SetProgress| asked(set, &[1, 2, 3]);
        assert_eq!(asked_with(&set), Some((4, Why::NotEnough)));
        // Not even all of them would do.
        set.needs.at_least = None;
        assert_eq!(asked(&set, &[]), Some((1, Why::NotEnough)));
        (set.needs.ask_for, set.needs.any_of) = (Vec::new(), Vec::new());
        set.state = ProgressState::Damaged;
        assert_eq!(next_step(&set, &BTreeSet::new()), VisitStep::TopUp);
    }

    #[test]
    fn a_set_that_waits_for_a_release_asks_for_no_volume() {
        let mut set = fresh();
        set.state = ProgressState::NeedsBase;
        assert_eq!(next_step(&set, &BTreeSet::new()), VisitStep::Base);
        let mut set = fresh();
        set.needs = SetNeeds::nothing();
        assert_eq!(next_step(&set, &BTreeSet::new()), VisitStep::Base);
    }
}
