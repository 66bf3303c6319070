//! Reads media into the staging folder: one pass over each, and every block that some set still needs.
//!
//! `staging` knows which blocks are needed. Nothing here decides about healing or committing.

mod guide;
mod sorting;
mod taking;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::base::finding::Finding;
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::block::SetHeader;
use crate::volumes::media::scan::{RETRY_TIME, ReadsAll, ScanGuide, scan_guided};
use crate::volumes::media::source::find_sources;
use crate::volumes::media::{ScanReport, Sighting};
use crate::volumes::staging::{Staging, open_every, sweep};

use self::sorting::{HeaderSlot, MediaReader, SourceState};
use self::taking::{GivenMedia, Taking};

/// Most sets that are staged at a time.
pub const SETS_MAX: usize = 64;

/// The result of [`read_media`] for one set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ReadMediaReport {
    /// Blocks that were new and are staged now.
    pub new_blocks: u64,
    /// Blocks that were staged already.
    pub known_blocks: u64,
    /// Blocks that are not needed and not kept: parity of complete groups or stripes, and the rest of a complete set.
    pub spared_blocks: u64,
    /// Blocks for a place that has another block. Both hashes are right.
    pub other_blocks: u64,
}

/// A volume that [`read_media`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct VolumeRead {
    /// Its number.
    pub volume_no: u16,
    /// Blocks of a volume.
    pub blocks: u32,
    /// Bytes of these.
    pub volume_bytes: u64,
    /// Blocks that were found whole, and known blocks.
    pub whole_blocks: u32,
    /// Bytes of the whole blocks, and of the known slices of damaged ones.
    pub read_bytes: u64,
    /// Blocks that were new.
    pub new_blocks: u32,
    /// Damaged blocks of which something new was read.
    pub new_parts: u32,
    /// Blocks among the whole ones that were passed over, because they are staged or not needed.
    pub known_blocks: u32,
}

/// A set that [`read_media`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRead {
    /// Its numbers.
    pub header: SetHeader,
    /// Whether it is wanted.
    pub is_wanted: bool,
    /// Its volumes.
    pub volumes: Vec<VolumeRead>,
    /// Paths among those given on which it was found.
    pub paths: Vec<PathBuf>,
    /// Files and devices on which it was found.
    pub sources: Vec<PathBuf>,
}

/// The result of [`read_media`].
#[derive(Debug)]
pub struct SetReadReport {
    /// The sets that were found, and the result for each.
    pub sets: Vec<(Staging, ReadMediaReport)>,
    /// Sets that were found and are not wanted.
    pub unwanted: Vec<SetId>,
    /// Sets that were found and not begun, because too many are staged already.
    pub refused: Vec<SetId>,
    /// What was found of each set, unwanted ones included.
    pub read: Vec<SetRead>,
    /// Problems with the media.
    pub findings: Vec<Finding>,
    /// The result of the scan.
    pub scan: ScanReport,
    /// Paths among those given that hold no block of any set.
    pub empty_paths: Vec<PathBuf>,
}

/// Stages every block at or below `paths` that a set still needs, in one pass over them. New sets are begun if `wanted`
/// accepts them. At most [`SETS_MAX`] sets are staged in the end, and the oldest without a catalog are removed to make
/// room.
///
/// # Errors
/// When a path is missing, the staging folder cannot be written, or a stop was asked for. Blocks that were staged by
/// then stay and are found again.
pub fn read_media(
    incoming_dir: &Path,
    paths: &[PathBuf],
    wanted: &(dyn Fn(&SetId) -> bool + Sync),
    monitor: &dyn Monitor,
) -> Result<SetReadReport, VolumeError> {
    let request = MediaRequest {
        note: None,
        wanted,
        extent: MediaExtent::Needed,
        retry_time: RETRY_TIME,
    };
    read_media_for(incoming_dir, paths, &request, monitor)
}

/// What is wanted of media.
pub(crate) struct MediaRequest<'a> {
    /// Is kept with each set that is begun, from its first block on.
    pub(crate) note: Option<&'a [u8]>,
    /// Sets that may be begun.
    pub(crate) wanted: &'a (dyn Fn(&SetId) -> bool + Sync),
    /// How much is read.
    pub(crate) extent: MediaExtent,
    /// For how long bad sectors are tried again at most.
    pub(crate) retry_time: Duration,
}

/// How much of the media is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaExtent {
    /// What is not known and may be needed.
    Needed,
    /// Everything, because what is staged turned out wrong.
    All,
}

/// Reads media as [`read_media`] does.
///
/// # Errors
/// As [`read_media`].
pub(crate) fn read_media_for(
    incoming_dir: &Path,
    paths: &[PathBuf],
    request: &MediaRequest<'_>,
    monitor: &dyn Monitor,
) -> Result<SetReadReport, VolumeError> {
    let sources = find_sources(paths, monitor)?;
    sweep(incoming_dir)?;
    let known = open_every(incoming_dir)?.into_iter();
    let sets = known.map(|set| {
        (
            *set.geometry().header(),
            HeaderSlot::Taking(Box::new(Taking::new(set))),
        )
    });
    let media_reader = MediaReader {
        incoming_dir,
        note: request.note,
        wanted: request.wanted,
        state: Mutex::new(SourceState::new(sets.collect())),
    };
    monitor.start("read", sources.iter().map(|source| source.bytes).sum());
    let visit = |sighting: &Sighting<'_>| match sighting {
        Sighting::Whole {
            header,
            block,
            source_no,
            ..
        } => media_reader.take(header, block, *source_no),
        Sighting::Damaged {
            header,
            block,
            slices,
            source_no,
            ..
        } => media_reader.take_damaged(header, block, *slices, *source_no),
    };
    let guide: &dyn ScanGuide = match request.extent {
        MediaExtent::Needed => &media_reader,
        MediaExtent::All => &ReadsAll,
    };
    let scanned = scan_guided(&sources, &visit, guide, request.retry_time, monitor);
    monitor.finish();
    let mut state = media_reader
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let error = state.error.take();
    if error.is_none() {
        state.take_all_early()?;
    }
    // The checkpoint is written even after a stop or on a full disk, because the staged blocks are worth keeping.
    let checkpoint = state.checkpoint();
    if let Some(error) = error {
        return Err(error);
    }
    checkpoint?;
    let scan = scanned?;
    state.read_to_end()?;
    let given = GivenMedia {
        paths,
        sources: &sources,
    };
    state.report(scan, &given, monitor)
}
