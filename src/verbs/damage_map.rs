//! Turns a judged set into the picture that `verify --map` draws.

use std::collections::HashSet;

use crate::media::map::{CellState, DamageMap, MapRun, MapVolume, VolumeRole};
use crate::recovery::{Act, Place, Recovery};
use crate::volumes::{Blocks, SetReader};

/// How every block of a set fares, volume by volume.
pub fn damage_map(set: &SetReader, recovery: &Recovery) -> DamageMap {
    let geometry = set.geometry();
    let mut alone: HashSet<Place> = HashSet::new();
    for step in &recovery.steps {
        if matches!(step.act, Act::Local { .. }) {
            alone.extend(&step.healed);
        }
    }
    let state = |place: Place| {
        if set.presence().has(place) {
            CellState::Intact
        } else if !set.presence().seen(place.0) {
            // What a volume that is not at hand holds is only lost when it is needed.
            if recovery.payload_complete { CellState::NotGiven } else { lost_or(place, recovery) }
        } else if alone.contains(&place) {
            CellState::HealedLocally
        } else if recovery.after.has(place) || geometry.superblocks().contains(&place.1) {
            CellState::HealedBySet
        } else {
            CellState::Lost
        }
    };
    let volumes = (1..=geometry.volume_count()).map(|volume_no| MapVolume {
        volume_no,
        role: if geometry.is_data_volume(volume_no) { VolumeRole::Data } else { VolumeRole::Spare },
        label: label(set, volume_no),
        runs: runs((0..geometry.volume_blocks()).map(|block_no| state((volume_no, block_no)))),
        met_damaged_blocks: super::verify::damaged_blocks(set, volume_no),
    });
    DamageMap {
        set_id: set.set_id(),
        title: set.descriptor().map(|each| each.title.clone()).unwrap_or_default(),
        volumes: volumes.collect(),
    }
}

fn lost_or(place: Place, recovery: &Recovery) -> CellState {
    if recovery.after.has(place) { CellState::HealedBySet } else { CellState::Lost }
}

/// The first file or device that a block of the volume was found on.
fn label(set: &SetReader, volume_no: u16) -> String {
    (0..set.geometry().volume_blocks())
        .find_map(|block_no| set.source_of((volume_no, block_no)))
        .and_then(|path| path.parent().filter(|_| path.extension().is_none_or(|e| e != "iso")).or(Some(path)))
        .and_then(|path| path.file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn runs(states: impl Iterator<Item = CellState>) -> Vec<MapRun> {
    let mut runs: Vec<MapRun> = Vec::new();
    for state in states {
        match runs.last_mut() {
            Some(run) if run.state == state => run.blocks += 1,
            _ => runs.push(MapRun { blocks: 1, state }),
        }
    }
    runs
}
