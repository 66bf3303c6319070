//! `verify`: what is damaged or missing on media, and what would help. It works on media alone, without a store.
//!
//! It changes nothing. `repair` and `receive` act on the result.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rayon::prelude::*;
use serde::Serialize;

use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::path_text;
use crate::base::size::total;
use crate::bundle::{Catalog, FramePlace, check_frame};
use crate::ops::Error;
use crate::ops::trust::{SetSigners, TrustedKeys};
use crate::volumes::media::scan::RETRY_TIME;
use crate::volumes::media::{MediaSource, is_rescue_map};
use crate::volumes::recovery::{Recovery, SetNeeds, VolumeOutcome};
use crate::volumes::{Blocks, Discovery, SetReader, discover_within, guarantee};

/// Most bytes of frames that are compared at a time, or one frame.
const FRAMES_BYTES_MAX: usize = 128 << 20;

/// The result of reading the media.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct VerifyReport {
    /// The sets, the one with the most blocks first.
    pub sets: Vec<SetVerdict>,
    /// Bytes that were read.
    pub scanned_bytes: u64,
    /// Bytes that could not be read.
    pub unread_bytes: u64,
    /// Problems of the media themselves.
    pub findings: Vec<Finding>,
    /// Named paths without a block of any volume.
    #[serde(serialize_with = "path_text::all")]
    pub without_volume: Vec<PathBuf>,
    /// Whether every volume at hand is whole, and every named path holds one. A disc that was just burned must meet
    /// this, however many other volumes the set has.
    pub at_hand_whole: bool,
}

/// The state of a volume set, judged by what is at hand.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SetVerdict {
    /// Id of the set.
    pub set_id: SetId,
    /// Its title. Empty when no superblock is left.
    pub title: String,
    /// Program that wrote it.
    pub created_by: String,
    /// Releases it carries.
    pub releases: Vec<ReleaseOnMedia>,
    /// Data volumes (K).
    pub data_volumes: u16,
    /// Spare volumes (M).
    pub spare_volumes: u16,
    /// Bytes of the blocks of a volume.
    pub volume_bytes: u64,
    /// Bytes of the payload. 0 when no superblock is left.
    pub payload_bytes: u64,
    /// Longest burst that a volume heals on its own.
    pub burst_alone_bytes: u64,
    /// The state of the set.
    pub state: SetState,
    /// Whether every volume of it that is at hand is whole.
    pub at_hand_whole: bool,
    /// Its volumes, from volume 1 on.
    pub volumes: Vec<VolumeVerdict>,
    /// What would help when something is missing.
    pub needs: SetNeeds,
    /// Items with missing bytes that nothing at hand brings back, when they are known.
    pub lost_items: Vec<String>,
    /// Volumes with blocks that have a right hash but do not hold what was packed. They count as damaged.
    pub wrong_volumes: Vec<u16>,
    /// Who signed it.
    pub signed: SetSigners,
}

impl VerifyReport {
    /// Adds the names that a site gave the keys of signers.
    pub fn name_signers(&mut self, trusted: &TrustedKeys) {
        self.sets
            .iter_mut()
            .for_each(|set| set.signed.name(trusted));
    }
}

/// A release as the catalog describes it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ReleaseOnMedia {
    /// Its name.
    pub name: String,
    /// Its items. Empty when the catalog is not readable.
    pub items: Vec<ItemOnMedia>,
}

/// An item as the catalog describes it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ItemOnMedia {
    /// Name, as far as it is text.
    pub name: String,
    /// Bytes when restored.
    pub bytes: u64,
}

/// The state of a set, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetState {
    /// Every block of every volume is present.
    Whole,
    /// All data is present and undamaged. Something else is damaged or not at hand.
    DataWhole,
    /// Data is damaged or missing, and everything at hand suffices to bring it back.
    Recoverable,
    /// Data is missing that volumes not at hand would bring back.
    NeedsVolumes,
    /// Data is missing, and even all volumes not at hand would not bring it back.
    Lost,
}

/// The state of a volume.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct VolumeVerdict {
    /// Whether any block of it was found.
    pub at_hand: bool,
    /// Whether it is a spare volume.
    pub spare: bool,
    /// Blocks of a volume.
    pub blocks: u32,
    /// Blocks that were only found with a wrong hash.
    pub damaged_blocks: u32,
    /// The counts.
    #[serde(flatten)]
    pub outcome: VolumeOutcome,
}

/// A set as found, for operations that act on it after it was judged.
#[derive(Debug)]
#[non_exhaustive]
pub struct JudgedSets {
    /// The report.
    pub report: VerifyReport,
    /// The sets in the same order, and what recovery can do for each.
    pub sets: Vec<(SetReader, Recovery)>,
}

/// Reads all media at or below `paths` and judges every set found.
///
/// # Errors
/// [`Error::NoVolumes`] when there is none. An error when a path is missing or a stop was asked for.
pub fn verify(paths: &[PathBuf], monitor: &dyn Monitor) -> Result<JudgedSets, Error> {
    verify_within(paths, RETRY_TIME, monitor)
}

/// Does the same. Bad sectors are tried again for so long at most, in all.
///
/// # Errors
/// As [`verify`].
pub fn verify_within(
    paths: &[PathBuf],
    retry_time: Duration,
    monitor: &dyn Monitor,
) -> Result<JudgedSets, Error> {
    let Discovery {
        sets,
        findings,
        scan,
        sources,
        met_blocks,
    } = discover_within(paths, retry_time, monitor)?;
    if sets.is_empty() {
        return Err(Error::no_volumes(paths));
    }
    let mut judged = Vec::new();
    let (mut wrong, mut signed) = (Vec::new(), Vec::new());
    let mut findings = findings;
    for mut set in sets {
        // Superblocks with a wrong signature are taken out below.
        signed.push(SetSigners::of(&set.signatures()));
        let volumes = wrong_volumes(&mut set, monitor)?;
        for volume_no in &volumes {
            let subject = Subject::Volume {
                set: set.set_id().short().to_string(),
                volume_no: *volume_no,
            };
            let finding = Finding::damage(subject, diagnostic!("volume.wrong_blocks"));
            monitor.finding(&finding);
            findings.push(finding);
        }
        wrong.push(volumes);
        judged.push((set.assess(), set));
    }
    let sets: Vec<(SetReader, Recovery)> = judged
        .into_iter()
        .map(|(recovery, set)| (set, recovery))
        .collect();
    let verdicts: Vec<SetVerdict> = sets
        .iter()
        .zip(wrong.into_iter().zip(signed))
        .map(|((set, recovery), (wrong, signed))| SetVerdict {
            signed,
            ..judge(set, recovery, wrong)
        })
        .collect();
    let without_volume = without_volume(paths, &sources, &met_blocks);
    let report = VerifyReport {
        at_hand_whole: without_volume.is_empty()
            && scan.unopened.is_empty()
            && scan.broken.is_empty()
            && verdicts.iter().all(|set| set.at_hand_whole),
        without_volume,
        sets: verdicts,
        scanned_bytes: scan.bytes,
        unread_bytes: scan.unread_bytes,
        findings,
    };
    Ok(JudgedSets { report, sets })
}

/// Compares the frames at hand with the catalog. Where one does not match, another copy of its blocks may replace them.
/// Otherwise they count as damaged. Returns the volumes with wrong blocks.
fn wrong_volumes(set: &mut SetReader, monitor: &dyn Monitor) -> Result<Vec<u16>, Error> {
    let mut wrong: BTreeSet<u16> = set
        .remove_forged_blocks()
        .into_iter()
        .map(|place| place.0)
        .collect();
    let known = set.catalog().ok().zip(set.descriptor().ok());
    let known = known.and_then(|(catalog, descriptor)| {
        let catalog = Catalog::from_bytes(&catalog).ok()?;
        Some(catalog.places(&descriptor.payload_bytes))
    });
    let places = known.unwrap_or_default();
    let bytes = places
        .iter()
        .map(|place| u64::from(place.entry.stored_bytes));
    monitor.start("compare", total(bytes));
    for place in doubtful(set, &places, monitor)? {
        monitor.check_stop()?;
        let is_right = |bytes: &[u8]| check_frame(bytes, place).is_ok();
        if set.judge(place.volume_no, place.range(), &is_right) == Some(false) {
            wrong.insert(place.volume_no);
        }
        monitor.advance(u64::from(place.entry.stored_bytes));
    }
    monitor.finish();
    Ok(wrong.into_iter().collect())
}

/// Compares all frames as they lie there, several at a time where the media allow it. Returns those that are not whole
/// or do not match.
fn doubtful<'p>(
    set: &SetReader,
    places: &'p [FramePlace],
    monitor: &dyn Monitor,
) -> Result<Vec<&'p FramePlace>, Error> {
    let bytes_of = |place: &FramePlace| place.entry.stored_bytes as usize;
    let largest = places.iter().map(bytes_of).max().unwrap_or(0);
    let most = if set.is_parallel() {
        rayon::current_num_threads()
    } else {
        1
    };
    let threads = (FRAMES_BYTES_MAX / largest.max(1)).clamp(1, most);
    let mut buffers = vec![Vec::new(); threads];
    let (next, others) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    buffers
        .par_iter_mut()
        .try_for_each(|buffer| -> Result<(), Error> {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(place) = places.get(at) else {
                    return Ok(());
                };
                monitor.check_stop()?;
                let is_right = |bytes: &[u8]| check_frame(bytes, place).is_ok();
                if set.stands(place.volume_no, &place.range(), buffer, &is_right) {
                    monitor.advance(u64::from(place.entry.stored_bytes));
                } else {
                    let mut others = others.lock().unwrap_or_else(PoisonError::into_inner);
                    others.insert(at);
                }
            }
        })?;
    let others = others.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(others.into_iter().map(|at| &places[at]).collect())
}

/// Returns the paths below which no block was met.
pub(super) fn without_volume(
    paths: &[PathBuf],
    sources: &[MediaSource],
    met_blocks: &[u64],
) -> Vec<PathBuf> {
    let without = paths.iter().filter(|path| {
        let mut below = sources.iter().zip(met_blocks);
        !below.any(|(source, met)| *met > 0 && source.is_below(path))
    });
    // A file that was named twice, or is in a folder that was named too, is read once.
    let without =
        without.filter(|path| !is_read_elsewhere(path, paths, sources) && !is_rescue_map(path));
    without.cloned().collect()
}

fn is_read_elsewhere(path: &Path, paths: &[PathBuf], sources: &[MediaSource]) -> bool {
    let is_source = sources.iter().any(|source| source.is_below(path));
    let Ok(real) = path.canonicalize() else {
        return false;
    };
    let named_again = paths
        .iter()
        .filter(|other| other.as_path() != path)
        .filter_map(|other| other.canonicalize().ok())
        .any(|other| real.starts_with(&other));
    !is_source && named_again
}

fn judge(set: &SetReader, recovery: &Recovery, wrong_volumes: Vec<u16>) -> SetVerdict {
    let geometry = set.geometry();
    let header = geometry.header();
    let needs = set.needs();
    let volumes: Vec<VolumeVerdict> = recovery
        .volumes
        .iter()
        .map(|outcome| VolumeVerdict {
            at_hand: set.presence().seen(outcome.volume_no),
            spare: !geometry.is_data_volume(outcome.volume_no),
            blocks: header.volume_blocks,
            damaged_blocks: damaged_blocks(set, outcome.volume_no),
            outcome: *outcome,
        })
        .collect();
    let descriptor = set.descriptor().ok();
    let catalog = catalog_of(set);
    SetVerdict {
        set_id: set.set_id(),
        title: descriptor
            .map(|each| each.title.clone())
            .unwrap_or_default(),
        created_by: descriptor
            .map(|each| each.created_by.clone())
            .unwrap_or_default(),
        releases: releases(set),
        data_volumes: header.data_volumes,
        spare_volumes: header.spare_volumes,
        volume_bytes: header.volume_bytes(),
        payload_bytes: descriptor.map_or(0, |each| each.payload_bytes.iter().sum()),
        burst_alone_bytes: guarantee(geometry).burst_alone_bytes,
        state: state(set, recovery, &needs, &volumes),
        at_hand_whole: wrong_volumes.is_empty()
            && volumes
                .iter()
                .all(|volume| !volume.at_hand || volume.outcome.present_blocks == volume.blocks),
        lost_items: match (&catalog, descriptor) {
            (Some(catalog), Some(descriptor)) if !recovery.payload_complete => catalog
                .lost_items(&descriptor.payload_bytes, |volume_no, range| {
                    recovery.has_payload(geometry, volume_no, range)
                }),
            _ => Vec::new(),
        },
        volumes,
        needs,
        wrong_volumes,
        signed: SetSigners::default(),
    }
}

fn catalog_of(set: &SetReader) -> Option<Catalog> {
    Catalog::from_bytes(&set.catalog().ok()?).ok()
}

/// Returns the releases of a set. Without a catalog only their names are known.
pub(super) fn releases(set: &SetReader) -> Vec<ReleaseOnMedia> {
    let Some(catalog) = catalog_of(set) else {
        let names = set.descriptor().map(|each| each.releases.clone());
        return names
            .unwrap_or_default()
            .into_iter()
            .map(|name| ReleaseOnMedia {
                name,
                items: Vec::new(),
            })
            .collect();
    };
    releases_in(&catalog)
}

/// Returns the releases that a catalog names.
pub(super) fn releases_in(catalog: &Catalog) -> Vec<ReleaseOnMedia> {
    let item = |item: &crate::bundle::CatalogItem| ItemOnMedia {
        name: String::from_utf8_lossy(&item.name).into_owned(),
        bytes: item.bytes,
    };
    let release = |each: &crate::bundle::CatalogRelease| ReleaseOnMedia {
        name: each.name.clone(),
        items: each.items.iter().map(item).collect(),
    };
    catalog.releases.iter().map(release).collect()
}

fn damaged_blocks(set: &SetReader, volume_no: u16) -> u32 {
    if !set.damaged().seen(volume_no) {
        return 0;
    }
    let count = (0..set.geometry().volume_blocks())
        .filter(|block_no| set.damaged().has((volume_no, *block_no)))
        .filter(|block_no| !set.presence().has((volume_no, *block_no)))
        .count();
    u32::try_from(count).expect("counted from a u32 range")
}

fn state(
    set: &SetReader,
    recovery: &Recovery,
    needs: &SetNeeds,
    volumes: &[VolumeVerdict],
) -> SetState {
    let geometry = set.geometry();
    let whole = |volume: &VolumeVerdict| volume.outcome.present_blocks == volume.blocks;
    let data_whole = || {
        (1..=geometry.header().data_volumes).all(|volume_no| {
            (0..geometry.data_blocks())
                .all(|index| set.presence().has((volume_no, geometry.data_place(index))))
        })
    };
    if volumes.iter().all(whole) {
        SetState::Whole
    } else if recovery.payload_complete && data_whole() {
        SetState::DataWhole
    } else if recovery.payload_complete {
        SetState::Recoverable
    } else if needs.at_least.is_some() {
        SetState::NeedsVolumes
    } else {
        SetState::Lost
    }
}
