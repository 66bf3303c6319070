//! `repair`: rebuilds volumes byte for byte as they were written, in a new place. It works on media alone, without a
//! store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::output;
use crate::base::path_text;
use crate::ops::Error;
use crate::ops::media::verify::{SetState, VerifyReport, verify_within};
use crate::ops::program::{Program, companions};
use crate::ops::space::Space;
use crate::volumes::media::ReadBack;
use crate::volumes::media::scan::RETRY_TIME;
use crate::volumes::media::{Carrier, CompanionFile};
use crate::volumes::{SetReader, VolumeForm, rebuild_with};

/// Options of `repair`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RepairOptions {
    /// Volumes to rebuild even when they are whole. Empty stands for every volume that is not whole.
    pub volumes: Vec<u16>,
    /// For how long bad sectors are tried again at most, in all.
    pub retry_time: Duration,
}

impl Default for RepairOptions {
    fn default() -> Self {
        Self {
            volumes: Vec::new(),
            retry_time: RETRY_TIME,
        }
    }
}

/// The result of `repair`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RepairReport {
    /// The state of the media before the repair.
    pub found: VerifyReport,
    /// One entry for each set that needed repair.
    pub sets: Vec<RepairedSet>,
}

/// The result of repairing one set.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RepairedSet {
    /// Id of the set.
    pub set_id: SetId,
    /// Volumes that are whole again, and their paths.
    #[serde(serialize_with = "path_text::numbered")]
    pub rebuilt: Vec<(u16, PathBuf)>,
    /// Volumes with missing blocks that nothing at hand brings back.
    pub not_recoverable: Vec<u16>,
}

impl RepairReport {
    /// Returns whether every set is whole now, including the new volumes.
    pub fn is_whole(&self) -> bool {
        self.sets.iter().all(|set| set.not_recoverable.is_empty())
    }

    /// Returns whether volumes that are not at hand would help.
    pub fn needs_volumes(&self) -> bool {
        self.found
            .sets
            .iter()
            .any(|set| set.state == SetState::NeedsVolumes)
    }
}

/// Returns what comes onto the volumes of a set that records programs: the running one, and the guide.
fn companions_for(set: &SetReader) -> Vec<CompanionFile> {
    let records = set
        .descriptor()
        .is_ok_and(|descriptor| !descriptor.programs().is_empty());
    let running = records.then(Program::running).and_then(Result::ok);
    companions(running.as_slice())
}

/// Rebuilds what is damaged or missing of every set found at or below `paths`, into folders in `to`.
///
/// # Errors
/// [`Error`] when there is no volume, `to` cannot be written, space is short, or a stop was asked for.
pub fn repair(
    paths: &[PathBuf],
    to: &Path,
    carrier: Carrier,
    options: &RepairOptions,
    monitor: &dyn Monitor,
) -> Result<RepairReport, Error> {
    output::try_folder(to, paths)?;
    let judged = verify_within(paths, options.retry_time, monitor)?;
    std::fs::create_dir_all(to).map_err(Error::io(to))?;
    let mut sets = Vec::new();
    for ((set, _), verdict) in judged.sets.iter().zip(&judged.report.sets) {
        let broken = verdict
            .volumes
            .iter()
            .filter(|each| each.outcome.present_blocks < each.blocks);
        let wanted: Vec<u16> = if options.volumes.is_empty() {
            broken.map(|each| each.outcome.volume_no).collect()
        } else {
            options.volumes.clone()
        };
        if wanted.is_empty() {
            continue;
        }
        if let Some(no) = wanted
            .iter()
            .find(|no| usize::from(**no) > verdict.volumes.len() || **no == 0)
        {
            return Err(Error::NoSuchVolume {
                volume_no: *no,
                volumes: verdict.volumes.len(),
            });
        }
        // Room for the volumes, and the same again for what is healed for them.
        let needed_bytes = 2 * verdict.volume_bytes * wanted.len() as u64;
        Space::in_folder(to, needed_bytes)?.check()?;
        let form = VolumeForm {
            carrier,
            limit_bytes: None,
            read_back: ReadBack::default(),
        };
        let report = rebuild_with(set, &wanted, &companions_for(set), to, form, monitor)?;
        sets.push(RepairedSet {
            set_id: verdict.set_id,
            rebuilt: report.rebuilt,
            not_recoverable: report.not_recoverable,
        });
    }
    Ok(RepairReport {
        found: judged.report,
        sets,
    })
}
