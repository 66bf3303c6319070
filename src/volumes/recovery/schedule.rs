//! Computes the steps of a recovery: catalog copies, local groups and stripes in turn, in whole blocks and in slices.

use super::{Act, BlockPlace, Presence, Recovery, RecoveryStep, VolumeOutcome};
use crate::volumes::geometry::Geometry;
use crate::volumes::slices::{SLICES, Slices};

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
            let size = self.geometry.block_size();
            let after = before.or(slices.unwrap_or(Slices::all(size)));
            if after.is_all(size) {
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
        for slice in Slices::all(self.geometry.block_size()).iter() {
            if having[slice] >= needed {
                slices.add(slice);
            }
        }
        slices
    }

    fn join_copies(&mut self) {
        let parts = self.now.parts();
        let known: Vec<BlockPlace> = parts
            .filter(|(_, slices)| slices.is_all(self.geometry.block_size()))
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
