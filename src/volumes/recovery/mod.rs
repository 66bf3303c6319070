//! Decides which lost blocks of a set can be restored, in which order, and which other volumes would help.
//!
//! It works on bitmaps and reads no block. `volumes::heal` carries out the schedule, so that the promise and the result
//! come from the same computation.
//!
//! The codes work byte by byte across the blocks of a group or stripe. A damaged block is therefore missing only in the
//! slices that are not known, and each slice of a group or stripe is solved by itself.

mod needs;
mod presence;

use std::ops::Range;

pub(crate) use needs::needs_with_rest;
pub use needs::{SetNeeds, needs};
pub(crate) use presence::BlockPlace;
pub use presence::{Bits, Presence};

use crate::volumes::geometry::Geometry;
use crate::volumes::slices::{SLICES, Slices};

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

/// Computes everything that recovery can do: catalog copies, local groups and stripes in turn, until nothing more is
/// restored.
pub fn recover(geometry: &Geometry, start: &Presence) -> Recovery {
    let mut state = RecoveryState {
        geometry,
        now: start.clone(),
        steps: Vec::new(),
    };
    state.join_copies();
    for round in 1.. {
        let before = state.steps.len();
        state.copy_catalog(round);
        state.solve_groups(round);
        state.solve_stripes(round);
        if state.steps.len() == before {
            break;
        }
    }
    finish(geometry, start, state)
}

struct RecoveryState<'a> {
    geometry: &'a Geometry,
    now: Presence,
    steps: Vec<RecoveryStep>,
}

impl RecoveryState<'_> {
    /// Applies an act when it is possible and restores something, whole blocks or slices of them.
    fn try_act(&mut self, act: Act, places: &[BlockPlace], round: u32) {
        let missing: Vec<BlockPlace> = places
            .iter()
            .copied()
            .filter(|place| !self.now.has(*place))
            .collect();
        if missing.is_empty() {
            return;
        }
        let needed = act.needed(self.geometry);
        let slices = if places.len() - missing.len() >= needed {
            None
        } else {
            Some(self.solvable(&missing, places.len(), needed))
        };
        let (mut healed, mut improved) = (Vec::new(), Vec::new());
        for place in missing {
            let before = self.now.slices(place);
            let after = before.or(slices.unwrap_or(Slices::ALL));
            if after.is_all() {
                self.now.add(place);
                healed.push(place);
            } else if after != before {
                self.now.set_slices(place, after);
                improved.push(place);
            }
        }
        if !healed.is_empty() || !improved.is_empty() {
            self.steps.push(RecoveryStep {
                act,
                healed,
                improved,
                slices,
                round,
            });
        }
    }

    /// Returns the slices that enough of an act's `count` blocks have. `missing` are those that are not whole.
    fn solvable(&self, missing: &[BlockPlace], count: usize, needed: usize) -> Slices {
        let mut having = [count - missing.len(); SLICES];
        for place in missing {
            for slice in self.now.slices(*place).iter() {
                having[slice] += 1;
            }
        }
        let mut slices = Slices::NONE;
        for (slice, having) in having.into_iter().enumerate() {
            if having >= needed {
                slices.add(slice);
            }
        }
        slices
    }

    fn join_copies(&mut self) {
        let parts = self.now.parts();
        let known: Vec<BlockPlace> = parts
            .filter(|(_, slices)| slices.is_all())
            .map(|(place, _)| place)
            .collect();
        for place in known {
            self.now.add(place);
            self.steps.push(RecoveryStep {
                act: Act::Join(place),
                healed: vec![place],
                improved: Vec::new(),
                slices: Some(Slices::NONE),
                round: 0,
            });
        }
    }

    fn copy_catalog(&mut self, round: u32) {
        for index in 0..self.geometry.catalog_blocks() {
            let act = Act::CopyCatalog(index);
            self.try_act(act, &act.places(self.geometry), round);
        }
    }

    fn solve_groups(&mut self, round: u32) {
        let whole = self.geometry.volume_blocks();
        for volume_no in 1..=self.geometry.volume_count() {
            let count = self.now.count(volume_no);
            let has_parts = self.now.has_parts(volume_no);
            // Groups of an empty volume lack every shard, and groups of a complete one need nothing.
            if count == 0 && !has_parts || count == whole {
                continue;
            }
            for group in 0..self.geometry.group_count() {
                let act = Act::Local { volume_no, group };
                let lost = self
                    .geometry
                    .group_places(group)
                    .filter(|place| !self.now.has((volume_no, *place)))
                    .count();
                let parity = usize::from(self.geometry.header().local_parity);
                if lost > 0 && (lost <= parity || has_parts) {
                    self.try_act(act, &act.places(self.geometry), round);
                }
            }
        }
    }

    fn solve_stripes(&mut self, round: u32) {
        let volumes = self.geometry.volume_count();
        let whole = self.geometry.volume_blocks();
        let parity = usize::from(self.geometry.header().spare_volumes)
            * usize::from(self.geometry.header().stripe_width);
        // Complete volumes are skipped without testing their bits. On most sets nearly all volumes are complete.
        let hurt: Vec<u16> = (1..=volumes)
            .filter(|no| self.now.count(*no) < whole)
            .collect();
        let parts = self.now.parts().count() as u64;
        let there: u64 = (1..=volumes).map(|no| u64::from(self.now.count(no))).sum();
        // Every stripe needs the same number of shards. With fewer blocks in all, no stripe can be solved.
        if hurt.is_empty() || there + parts < Act::Wide(0).needed(self.geometry) as u64 {
            return;
        }
        for stripe in 0..self.geometry.stripe_count() {
            let lost: usize = self
                .geometry
                .stripe_places(stripe)
                .map(|place| {
                    hurt.iter()
                        .filter(|no| !self.now.has((**no, place)))
                        .count()
                })
                .sum();
            if lost > 0 && (lost <= parity || parts > 0) {
                let act = Act::Wide(stripe);
                self.try_act(act, &act.places(self.geometry), round);
            }
        }
    }
}

fn finish(geometry: &Geometry, start: &Presence, state: RecoveryState<'_>) -> Recovery {
    let RecoveryState {
        now: after, steps, ..
    } = state;
    // Lost superblocks are made anew from any copy of the descriptor, and the first catalog block has one, too.
    let described = after.has((1, geometry.catalog_place(0)))
        || (1..=geometry.volume_count()).any(|volume_no| {
            let mut places = geometry.superblocks().into_iter();
            places.any(|place| start.has((volume_no, place)))
        });
    let mut volumes: Vec<VolumeOutcome> = (1..=geometry.volume_count())
        .map(|volume_no| outcome(geometry, start, &after, volume_no, described))
        .collect();
    for step in &steps {
        for (volume_no, _) in &step.healed {
            let volume = &mut volumes[usize::from(*volume_no) - 1];
            match step.act {
                Act::CopyCatalog(_) | Act::Join(_) => volume.copied_blocks += 1,
                // A volume of which nothing was found is restored by the stripes first.
                Act::Local { .. } if start.seen(*volume_no) => volume.local_blocks += 1,
                Act::Local { .. } | Act::Wide(_) => volume.wide_blocks += 1,
            }
        }
    }
    let data = usize::from(geometry.header().data_volumes);
    let catalog =
        (0..geometry.catalog_blocks()).all(|index| after.has((1, geometry.catalog_place(index))));
    Recovery {
        payload_complete: catalog
            && volumes[..data]
                .iter()
                .all(|volume| volume.missing_data_blocks == 0),
        set_complete: volumes.iter().all(|volume| volume.missing_blocks == 0),
        steps,
        after,
        volumes,
    }
}

fn outcome(
    geometry: &Geometry,
    start: &Presence,
    after: &Presence,
    volume_no: u16,
    described: bool,
) -> VolumeOutcome {
    let lost_superblocks: u32 = geometry
        .superblocks()
        .iter()
        .map(|place| u32::from(!after.has((volume_no, *place))))
        .sum();
    let copied = if described { lost_superblocks } else { 0 };
    // The data blocks are contiguous except for superblocks. They are counted by words, because one block may claim a
    // volume of 8 TiB.
    let area = geometry.data_place(0)..geometry.data_place(geometry.data_blocks() - 1) + 1;
    let strangers = geometry
        .superblocks()
        .iter()
        .map(|place| u32::from(area.contains(place) && after.has((volume_no, *place))))
        .sum::<u32>();
    let missing_data = geometry.data_blocks() - (after.count_in(volume_no, area) - strangers);
    VolumeOutcome {
        volume_no,
        present_blocks: start.count(volume_no),
        copied_blocks: copied,
        local_blocks: 0,
        wide_blocks: 0,
        missing_blocks: geometry.volume_blocks() - after.count(volume_no) - copied,
        missing_data_blocks: missing_data,
    }
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
            } else {
                // Which block gives which slice is decided when the step is carried out, so all of them are wanted.
                for place in step.act.places(geometry) {
                    if !start.has(place) {
                        wanted.add(place);
                    }
                }
            }
            kept.push(RecoveryStep {
                healed,
                improved,
                ..*step
            });
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
