//! Decides which lost blocks of a set can be restored, in which order, and which other volumes would help.
//!
//! It works on bitmaps and reads no block. `volumes::heal` carries out the schedule, so that the promise and the result
//! come from the same computation.
//!
//! The codes work byte by byte across the blocks of a group or stripe. A damaged block is therefore missing only in the
//! slices that are not known, and each slice of a group or stripe is solved by itself.

mod needs;
mod presence;
mod schedule;

use std::ops::Range;

pub(crate) use needs::needs_with_rest;
pub use needs::{SetNeeds, needs};
pub(crate) use presence::BlockPlace;
pub use presence::{Bits, Presence};
pub use schedule::recover;

use crate::volumes::geometry::Geometry;
use crate::volumes::slices::Slices;

/// One act of recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Takes a catalog block from another volume. It is the same on all volumes.
    CopyCatalog(u32),
    /// Solves a local group of one volume.
    Local {
        /// The volume.
        volume_no: u16,
        /// The group.
        group: u32,
    },
    /// Solves a stripe.
    Wide(u32),
    /// Puts a block together from damaged copies of it, of which every slice is known.
    Join(BlockPlace),
}

impl Act {
    /// Returns the places of the act's shards in the order of the code, data shards first.
    pub fn places(self, geometry: &Geometry) -> Vec<BlockPlace> {
        match self {
            Self::CopyCatalog(index) => {
                let place = geometry.catalog_place(index);
                (1..=geometry.volume_count())
                    .map(|volume_no| (volume_no, place))
                    .collect()
            }
            Self::Local { volume_no, group } => geometry
                .group_places(group)
                .map(|place| (volume_no, place))
                .collect(),
            Self::Wide(stripe) => (1..=geometry.volume_count())
                .flat_map(|volume_no| {
                    geometry
                        .stripe_places(stripe)
                        .map(move |place| (volume_no, place))
                })
                .collect(),
            Self::Join(place) => vec![place],
        }
    }

    /// Returns how many shards must be present so that all others can be computed.
    pub fn needed(self, geometry: &Geometry) -> usize {
        match self {
            Self::CopyCatalog(_) | Self::Join(_) => 1,
            Self::Local { group, .. } => geometry.group_members(group) as usize,
            Self::Wide(_) => {
                usize::from(geometry.header().data_volumes)
                    * usize::from(geometry.header().stripe_width)
            }
        }
    }
}

/// An act and the blocks that it restores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryStep {
    /// The act.
    pub act: Act,
    /// The restored blocks.
    pub healed: Vec<BlockPlace>,
    /// Blocks that get some slices and are not complete afterwards.
    pub improved: Vec<BlockPlace>,
    /// The slices that are solved, each by itself. `None` when there are enough whole blocks for all of them.
    pub slices: Option<Slices>,
    /// Steps of one round and kind do not depend on one another.
    pub round: u32,
}

/// The goal of a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryGoal {
    /// The payload of all data volumes, and one copy of the catalog.
    Payload,
    /// Only these blocks of payload, and one copy of the catalog.
    Part(Presence),
    /// Every block of these volumes. Superblocks are written anew and need no recovery.
    Volumes(Vec<u16>),
}

/// The state of one volume after recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct VolumeOutcome {
    /// The volume.
    pub volume_no: u16,
    /// Blocks that are present.
    pub present_blocks: u32,
    /// Superblocks and catalog blocks that other copies replace.
    pub copied_blocks: u32,
    /// Blocks that local parity restores.
    pub local_blocks: u32,
    /// Blocks that the stripes restore.
    pub wide_blocks: u32,
    /// Blocks that nothing available restores.
    pub missing_blocks: u32,
    /// Those of them that hold payload or wide parity.
    pub missing_data_blocks: u32,
}

/// Everything that recovery can do with the present blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Acts in the order in which they become possible.
    pub steps: Vec<RecoveryStep>,
    /// The present blocks after all steps.
    pub after: Presence,
    /// The state of each volume, from volume 1 on.
    pub volumes: Vec<VolumeOutcome>,
    /// Whether all payload and the catalog are present in the end.
    pub payload_complete: bool,
    /// Whether every block of every volume is present in the end.
    pub set_complete: bool,
}

impl Recovery {
    /// Returns the steps that the goal needs, in order, each with only the wanted blocks.
    pub fn steps_for(
        &self,
        geometry: &Geometry,
        start: &Presence,
        goal: &RecoveryGoal,
    ) -> Vec<RecoveryStep> {
        let mut wanted = wanted_blocks(geometry, goal);
        let mut now = self.after.clone();
        let mut kept = Vec::new();
        for step in self.steps.iter().rev() {
            for place in &step.healed {
                now.remove(*place);
            }
            let of_use = |places: &[BlockPlace]| -> Vec<BlockPlace> {
                let places = places.iter().copied();
                places.filter(|place| wanted.has(*place)).collect()
            };
            let (healed, improved) = (of_use(&step.healed), of_use(&step.improved));
            if healed.is_empty() && improved.is_empty() {
                continue;
            }
            if step.slices.is_none() {
                want_inputs(geometry, step.act, start, &now, &mut wanted);
                kept.push(RecoveryStep {
                    healed,
                    improved,
                    ..*step
                });
            } else {
                // Which block gives which slice is decided when the step is carried out, so all of them are wanted. Every
                // block that it completes is checked, too: the hash of one tells of a wrong slice in another.
                for place in step.act.places(geometry) {
                    if !start.has(place) {
                        wanted.add(place);
                    }
                }
                kept.push(step.clone());
            }
        }
        kept.reverse();
        kept
    }

    /// Returns whether the goal is reached in the end.
    pub fn reaches(&self, geometry: &Geometry, goal: &RecoveryGoal) -> bool {
        match goal {
            RecoveryGoal::Payload => self.payload_complete,
            RecoveryGoal::Part(_) => self.after.covers(&wanted_blocks(geometry, goal)),
            RecoveryGoal::Volumes(volumes) => volumes.iter().all(|no| {
                let volume = self.volumes.get(usize::from(*no).wrapping_sub(1));
                volume.is_some_and(|volume| volume.missing_blocks == 0)
            }),
        }
    }

    /// Returns whether these bytes of a data volume's payload are present in the end.
    pub(crate) fn has_payload(
        &self,
        geometry: &Geometry,
        volume_no: u16,
        range: Range<u64>,
    ) -> bool {
        let mut blocks = geometry.blocks_of_payload(range);
        blocks.all(|index| self.after.has((volume_no, geometry.data_place(index))))
    }

    /// Returns the volumes that still lack blocks in the end.
    pub fn volumes_missing(&self) -> Vec<u16> {
        let missing = self
            .volumes
            .iter()
            .filter(|volume| volume.missing_blocks > 0);
        missing.map(|volume| volume.volume_no).collect()
    }
}

fn wanted_blocks(geometry: &Geometry, goal: &RecoveryGoal) -> Presence {
    let mut wanted = Presence::new(geometry);
    match goal {
        RecoveryGoal::Payload => {
            for index in 0..geometry.catalog_blocks() {
                wanted.add((1, geometry.catalog_place(index)));
            }
            for volume_no in 1..=geometry.header().data_volumes {
                for index in 0..geometry.data_blocks() {
                    wanted.add((volume_no, geometry.data_place(index)));
                }
            }
        }
        RecoveryGoal::Part(blocks) => {
            wanted = blocks.clone();
            for index in 0..geometry.catalog_blocks() {
                wanted.add((1, geometry.catalog_place(index)));
            }
        }
        RecoveryGoal::Volumes(volumes) => {
            for volume_no in volumes {
                wanted.add_volume(*volume_no);
            }
        }
    }
    wanted
}

/// Marks as wanted as many healed blocks as the act needs beyond those that were present from the start.
fn want_inputs(
    geometry: &Geometry,
    act: Act,
    start: &Presence,
    now: &Presence,
    wanted: &mut Presence,
) {
    let places = act.places(geometry);
    let there = places.iter().filter(|place| start.has(**place)).count();
    let short = act.needed(geometry).saturating_sub(there);
    let already = places
        .iter()
        .filter(|place| !start.has(**place) && now.has(**place) && wanted.has(**place));
    let short = short.saturating_sub(already.count());
    let healed_before: Vec<BlockPlace> = places
        .iter()
        .copied()
        .filter(|place| !start.has(*place) && now.has(*place) && !wanted.has(*place))
        .take(short)
        .collect();
    for place in healed_before {
        wanted.add(place);
    }
}
