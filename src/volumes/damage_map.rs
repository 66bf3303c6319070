//! Maps the state of a set block by block, as data that the damage map is drawn from.
//!
//! `recovery` decides what heals, and `media::map` draws.

use crate::volumes::geometry::{Geometry, Role};
use crate::volumes::media::map::{CellState, DamageMap, MapRun, MapVolume, VolumeRole};
use crate::volumes::recovery::{Act, Presence, Recovery};
use crate::volumes::{Blocks, SetReader};

/// Maps a set as it was found. `recovery` is the result of [`SetReader::assess`].
pub fn damage_map(set: &SetReader, recovery: &Recovery) -> DamageMap {
    let geometry = set.geometry();
    let mut local = Presence::new(geometry);
    for step in &recovery.steps {
        if let Act::Local { .. } = step.act {
            for place in &step.healed {
                local.add(*place);
            }
        }
    }
    let title = set
        .descriptor()
        .map_or_else(|_| String::new(), |known| known.title.clone());
    let volumes = (1..=geometry.volume_count())
        .map(|volume_no| chart_volume(set, recovery, &local, volume_no))
        .collect();
    DamageMap {
        set_id: set.set_id(),
        title,
        volumes,
        needs: Some(set.needs()),
    }
}

fn chart_volume(
    set: &SetReader,
    recovery: &Recovery,
    local: &Presence,
    volume_no: u16,
) -> MapVolume {
    let geometry: &Geometry = set.geometry();
    let data = geometry.is_data_volume(volume_no);
    let given = set.presence().seen(volume_no);
    let described = set.descriptor().is_ok();
    let state = |block_no: u32| {
        let place = (volume_no, block_no);
        let copied = described && geometry.role(block_no) == Role::Superblock;
        if set.presence().has(place) {
            CellState::Intact
        } else if !given {
            // The state of the block is unknown, because its volume was not read.
            CellState::NotGiven
        } else if given && local.has(place) {
            CellState::HealedLocally
        } else if copied || recovery.after.has(place) {
            CellState::HealedBySet
        } else {
            CellState::Lost
        }
    };
    let mut runs: Vec<MapRun> = Vec::new();
    for block_no in 0..geometry.volume_blocks() {
        let state = state(block_no);
        match runs.last_mut() {
            Some(run) if run.state == state => run.blocks += 1,
            _ => runs.push(MapRun { blocks: 1, state }),
        }
    }
    let met = (0..geometry.volume_blocks()).filter(|block_no| {
        let place = (volume_no, *block_no);
        set.damaged().has(place) && !set.presence().has(place)
    });
    let label = (0..geometry.volume_blocks()).find_map(|block_no| {
        set.source_of((volume_no, block_no))
            .map(|path| path.display().to_string())
    });
    MapVolume {
        volume_no,
        role: if data {
            VolumeRole::Data
        } else {
            VolumeRole::Spare
        },
        label: label.unwrap_or_default(),
        runs,
        met_damaged_blocks: u32::try_from(met.count()).expect("counted in u32"),
    }
}
