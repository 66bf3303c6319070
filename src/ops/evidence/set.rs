//! Evidence of one volume set: who signed it, the state of its volumes, what was healed, and what it carries.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::content::release::ReleaseName;
use crate::oci::image::{Digest, Images, Platform};
use crate::ops::Error;
use crate::ops::media::verify::{ItemOnMedia, SetState, SetVerdict};
use crate::ops::receive::{FailedSet, ProgressState, SetProgress};
use crate::ops::trust::SetSigners;
use crate::store::Store;
use crate::volumes::Blocks;
use crate::volumes::SetReader;

/// Most stretches of bad blocks of a volume that are named.
const STRETCHES_MAX: usize = 20;

/// The state of a set, in the words of the command that judged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceState {
    /// Every block of every volume is present.
    Whole,
    /// All data is present and undamaged.
    DataWhole,
    /// Data is damaged or missing, and everything at hand suffices to bring it back.
    Recoverable,
    /// Data is missing that more volumes would bring back.
    NeedsVolumes,
    /// Data is missing, and no volume of the set brings it back.
    Lost,
    /// Its releases are in the store.
    Received,
    /// Its releases were in the store before.
    AlreadyHere,
    /// None of its releases is for the requested platforms.
    NotAsked,
    /// The store is missing a release that the set depends on.
    NeedsBase,
    /// The site does not take it.
    Refused,
    /// It could not be received.
    Failed,
}

/// A stretch of bad blocks: the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BadBlocks {
    /// Number of the first block.
    pub first: u32,
    /// Number of the last block.
    pub last: u32,
}

/// The state of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VolumeEvidence {
    /// Its number.
    pub volume_no: u16,
    /// Whether it is a spare volume.
    pub spare: bool,
    /// Whether this command read it.
    pub was_read: bool,
    /// Blocks of a volume.
    pub blocks: u32,
    /// Blocks that were read whole.
    pub whole_blocks: u32,
    /// Stretches of blocks that are not whole, when they are known. At most 20.
    pub bad: Vec<BadBlocks>,
    /// Blocks that the parity of the volume restores. `None` when that is not known of each volume.
    pub local_blocks: Option<u32>,
    /// Blocks that the other volumes restore.
    pub wide_blocks: Option<u32>,
    /// Blocks that a second copy replaces.
    pub copied_blocks: Option<u32>,
    /// Blocks that nothing restores.
    pub missing_blocks: Option<u32>,
}

/// Blocks of a set that were healed while it was received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HealedBlocks {
    /// By the parity of their volume.
    pub local: u64,
    /// By the other volumes.
    pub wide: u64,
    /// By a second copy.
    pub copied: u64,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImageEvidence {
    /// Its names.
    pub names: Vec<String>,
    /// Digest of its manifest.
    pub digest: Digest,
    /// The platform that it runs on.
    pub platform: Option<Platform>,
}

/// A release.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct ReleaseEvidence {
    /// Its name.
    pub name: String,
    /// Its id. `None` when it is not in the store.
    pub id: Option<String>,
    /// Its items, when the media say them.
    pub items: Vec<ItemOnMedia>,
    /// Its images, when it is in the store.
    pub images: Vec<ImageEvidence>,
}

/// Evidence of a set.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SetEvidence {
    /// Its id.
    pub set_id: SetId,
    /// The hash that its signatures bind, in hex. `None` when superblock or catalog are not known.
    pub root: Option<String>,
    /// Its title. Empty when it is not known.
    pub title: String,
    /// Data volumes.
    pub data_volumes: u16,
    /// Spare volumes.
    pub spare_volumes: u16,
    /// Its state.
    pub state: EvidenceState,
    /// Who signed it.
    pub signed: SetSigners,
    /// Its volumes, as far as they were judged or read.
    pub volumes: Vec<VolumeEvidence>,
    /// What was healed while it was received.
    pub healed: HealedBlocks,
    /// Volumes with blocks that have a right hash and a wrong content.
    pub wrong_volumes: Vec<u16>,
    /// Items that are lost.
    pub lost_items: Vec<String>,
    /// Why it is not taken, or was not received. In JSON it is a message in English.
    #[serde(rename = "why", serialize_with = "in_words")]
    pub error: Option<Arc<Error>>,
    /// The releases that it carries.
    pub releases: Vec<ReleaseEvidence>,
}

fn in_words<S: Serializer>(error: &Option<Arc<Error>>, serializer: S) -> Result<S::Ok, S::Error> {
    match error {
        Some(error) => serializer.collect_str(&error.diagnose()),
        None => serializer.serialize_none(),
    }
}

impl SetEvidence {
    pub(super) fn of_verdict(verdict: &SetVerdict, reader: &SetReader) -> Self {
        let volume = |volume: &crate::ops::media::verify::VolumeVerdict| {
            let outcome = &volume.outcome;
            VolumeEvidence {
                volume_no: outcome.volume_no,
                spare: volume.spare,
                was_read: volume.at_hand,
                blocks: volume.blocks,
                whole_blocks: outcome.present_blocks,
                bad: if volume.at_hand {
                    bad_blocks(reader, outcome.volume_no)
                } else {
                    Vec::new()
                },
                local_blocks: Some(outcome.local_blocks),
                wide_blocks: Some(outcome.wide_blocks),
                copied_blocks: Some(outcome.copied_blocks),
                missing_blocks: Some(outcome.missing_blocks),
            }
        };
        let releases = verdict.releases.iter().map(|release| ReleaseEvidence {
            name: release.name.clone(),
            items: release.items.clone(),
            ..ReleaseEvidence::default()
        });
        Self {
            set_id: verdict.set_id,
            root: reader.root_hex(),
            title: verdict.title.clone(),
            data_volumes: verdict.data_volumes,
            spare_volumes: verdict.spare_volumes,
            state: match verdict.state {
                SetState::Whole => EvidenceState::Whole,
                SetState::DataWhole => EvidenceState::DataWhole,
                SetState::Recoverable => EvidenceState::Recoverable,
                SetState::NeedsVolumes => EvidenceState::NeedsVolumes,
                SetState::Lost => EvidenceState::Lost,
            },
            signed: verdict.signed.clone(),
            volumes: verdict.volumes.iter().map(volume).collect(),
            healed: HealedBlocks::default(),
            wrong_volumes: verdict.wrong_volumes.clone(),
            lost_items: verdict.lost_items.clone(),
            error: None,
            releases: releases.collect(),
        }
    }

    pub(super) fn of_progress(progress: &SetProgress) -> Self {
        let volumes = progress.volumes_read.iter().map(|read| VolumeEvidence {
            volume_no: read.volume_no,
            spare: read.volume_no > progress.data_volumes,
            was_read: true,
            blocks: read.blocks,
            whole_blocks: read.whole_blocks,
            bad: Vec::new(),
            local_blocks: None,
            wide_blocks: None,
            copied_blocks: None,
            missing_blocks: None,
        });
        let state = match progress.state {
            _ if progress.refused.is_some() => EvidenceState::Refused,
            ProgressState::Complete => EvidenceState::Received,
            ProgressState::AlreadyHere => EvidenceState::AlreadyHere,
            ProgressState::NotAsked => EvidenceState::NotAsked,
            ProgressState::NeedsVolumes => EvidenceState::NeedsVolumes,
            ProgressState::NeedsBase => EvidenceState::NeedsBase,
            ProgressState::Damaged => EvidenceState::Lost,
        };
        let release = |name: &String| ReleaseEvidence {
            name: name.clone(),
            ..ReleaseEvidence::default()
        };
        Self {
            set_id: progress.set_id,
            root: progress.root.clone(),
            title: progress.title.clone(),
            data_volumes: progress.data_volumes,
            spare_volumes: progress.spare_volumes,
            state,
            signed: progress.signed.clone(),
            volumes: volumes.collect(),
            healed: HealedBlocks {
                local: progress.healed_by.local_blocks,
                wide: progress.healed_by.wide_blocks,
                copied: progress.healed_by.copied_blocks,
            },
            wrong_volumes: progress.wrong_volumes.clone(),
            lost_items: progress.lost_items.clone(),
            error: progress.refused.clone(),
            releases: progress.releases.iter().map(release).collect(),
        }
    }

    pub(super) fn of_failed(failed: &FailedSet) -> Self {
        Self {
            set_id: failed.set_id,
            root: None,
            title: failed.title.clone(),
            data_volumes: 0,
            spare_volumes: 0,
            state: EvidenceState::Failed,
            signed: SetSigners::default(),
            volumes: Vec::new(),
            healed: HealedBlocks::default(),
            wrong_volumes: Vec::new(),
            lost_items: Vec::new(),
            error: Some(Arc::clone(&failed.error)),
            releases: Vec::new(),
        }
    }

    /// Takes what a later call says of the same set. Volumes that earlier calls read stay, at their best.
    pub(super) fn follow(&mut self, later: Self) {
        let mut volumes: BTreeMap<u16, VolumeEvidence> = BTreeMap::new();
        for volume in self.volumes.drain(..).chain(later.volumes) {
            let known = volumes.get(&volume.volume_no);
            if known.is_none_or(|known| known.whole_blocks <= volume.whole_blocks) {
                volumes.insert(volume.volume_no, volume);
            }
        }
        // A set that is in keeps what the call said that brought it in.
        let was_received = self.state == EvidenceState::Received;
        if !was_received || later.state != EvidenceState::AlreadyHere {
            let before = std::mem::take(&mut self.healed);
            let (known_root, known_signed) = (self.root.take(), std::mem::take(&mut self.signed));
            *self = Self {
                volumes: Vec::new(),
                root: later.root.or(known_root),
                signed: if later.signed.is_none() {
                    known_signed
                } else {
                    later.signed
                },
                healed: HealedBlocks {
                    local: before.local + later.healed.local,
                    wide: before.wide + later.healed.wide,
                    copied: before.copied + later.healed.copied,
                },
                data_volumes: later.data_volumes.max(self.data_volumes),
                spare_volumes: later.spare_volumes.max(self.spare_volumes),
                releases: if later.releases.is_empty() {
                    std::mem::take(&mut self.releases)
                } else {
                    later.releases
                },
                ..later
            };
        }
        self.volumes = volumes.into_values().collect();
    }

    pub(super) fn note_images(&mut self, store: &Store, monitor: &dyn Monitor) {
        // A set that is not in says nothing of a release in the store that has the same name.
        if !matches!(
            self.state,
            EvidenceState::Received | EvidenceState::AlreadyHere
        ) {
            return;
        }
        for release in &mut self.releases {
            let name = release.name.parse::<ReleaseName>().ok();
            let Some(root) = name.and_then(|name| crate::ops::release(store, &name).ok()) else {
                continue;
            };
            release.id = Some(root.id().to_string());
            if let Ok(images) = Images::find(store, &root, monitor) {
                let one = |image: &crate::oci::image::Image| ImageEvidence {
                    names: image.references.clone(),
                    digest: image.manifest.digest.clone(),
                    platform: image.platform.clone(),
                };
                release.images = images.images().iter().map(one).collect();
            }
        }
    }
}

/// Returns the stretches of a volume's blocks that are not whole.
fn bad_blocks(reader: &SetReader, volume_no: u16) -> Vec<BadBlocks> {
    let mut stretches: Vec<BadBlocks> = Vec::new();
    for block_no in 0..reader.geometry().volume_blocks() {
        if reader.presence().has((volume_no, block_no)) {
            continue;
        }
        let is_full = stretches.len() == STRETCHES_MAX;
        match stretches.last_mut() {
            Some(stretch) if stretch.last + 1 == block_no => stretch.last = block_no,
            _ if is_full => break,
            _ => stretches.push(BadBlocks {
                first: block_no,
                last: block_no,
            }),
        }
    }
    stretches
}
