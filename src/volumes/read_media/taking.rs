//! One set that blocks are taken for, and what was found of it in this call.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::volumes::VolumeError;
use crate::volumes::block::{BlockHeader, SetHeader};
use crate::volumes::geometry::Geometry;
use crate::volumes::media::MediaSource;
use crate::volumes::recovery::Presence;
use crate::volumes::slices::Slices;
use crate::volumes::staging::{BlockOutcome, Staging};

use super::{ReadMediaReport, SetRead, VolumeRead};

/// Staged bytes between two checkpoints.
const CHECKPOINT_BYTES: u64 = 256 << 20;

pub(super) struct Taking {
    pub(super) set: Staging,
    pub(super) absorbed: ReadMediaReport,
    pub(super) met: Met,
    pub(super) misfits: u64,
    pub(super) since_checkpoint_bytes: u64,
    /// Whether slices of damaged blocks were kept.
    pub(super) is_hurt: bool,
    /// Its rank in the order in which sets were begun in this call.
    pub(super) order: u64,
    /// Volumes for which it was asked whether the set is complete.
    pub(super) asked_of: BTreeSet<u16>,
    /// The staged bytes when that was found out last.
    pub(super) judged_at: Option<u64>,
    pub(super) is_complete: bool,
}

/// What was found of a set.
pub(super) struct Met {
    pub(super) whole: Presence,
    pub(super) new: BTreeMap<u16, u32>,
    pub(super) new_parts: BTreeMap<u16, u32>,
    pub(super) known: BTreeMap<u16, u32>,
    pub(super) sources: BTreeSet<usize>,
}

impl Met {
    pub(super) fn new(geometry: &Geometry) -> Self {
        Self {
            whole: Presence::new(geometry),
            new: BTreeMap::new(),
            new_parts: BTreeMap::new(),
            known: BTreeMap::new(),
            sources: BTreeSet::new(),
        }
    }

    pub(super) fn any(&self, header: &SetHeader) -> bool {
        (1..=header.data_volumes + header.spare_volumes).any(|no| self.whole.seen(no))
    }

    pub(super) fn read(
        &self,
        header: &SetHeader,
        is_wanted: bool,
        given: &GivenMedia<'_>,
    ) -> SetRead {
        let volumes = 1..=header.data_volumes + header.spare_volumes;
        let volumes = volumes
            .filter(|no| self.whole.seen(*no))
            .map(|volume_no| VolumeRead {
                volume_no,
                blocks: header.volume_blocks,
                volume_bytes: header.volume_bytes(),
                whole_blocks: self.whole.count(volume_no),
                read_bytes: self.whole.known_bytes(volume_no),
                new_blocks: self.new.get(&volume_no).copied().unwrap_or(0),
                new_parts: self.new_parts.get(&volume_no).copied().unwrap_or(0),
                known_blocks: self.known.get(&volume_no).copied().unwrap_or(0),
            });
        SetRead {
            header: *header,
            is_wanted,
            volumes: volumes.collect(),
            paths: given.holding(&self.sources),
            sources: given.named(&self.sources),
        }
    }
}

/// The given paths, and the sources below them.
pub(super) struct GivenMedia<'a> {
    pub(super) paths: &'a [PathBuf],
    pub(super) sources: &'a [MediaSource],
}

impl GivenMedia<'_> {
    /// Returns the paths of these sources.
    pub(super) fn named(&self, sources: &BTreeSet<usize>) -> Vec<PathBuf> {
        let sources = sources.iter().filter_map(|no| self.sources.get(*no));
        sources.map(|source| source.path.clone()).collect()
    }

    /// Returns the given paths that have one of these sources below them.
    pub(super) fn holding(&self, sources: &BTreeSet<usize>) -> Vec<PathBuf> {
        let has = |path: &&PathBuf| {
            let mut sources = sources.iter().filter_map(|no| self.sources.get(*no));
            sources.any(|source| source.is_below(path))
        };
        self.paths.iter().filter(has).cloned().collect()
    }
}

impl Taking {
    pub(super) fn new(set: Staging) -> Self {
        Self {
            met: Met::new(set.geometry()),
            set,
            absorbed: ReadMediaReport::default(),
            misfits: 0,
            since_checkpoint_bytes: 0,
            is_hurt: false,
            order: 0,
            asked_of: BTreeSet::new(),
            judged_at: None,
            is_complete: false,
        }
    }
}

impl Taking {
    pub(super) fn count(
        &mut self,
        volume_no: u16,
        outcome: BlockOutcome,
    ) -> Result<(), VolumeError> {
        let block_bytes = self.set.geometry().block_bytes() as u64;
        match outcome {
            BlockOutcome::Misfit => self.misfits += 1,
            BlockOutcome::Known => self.absorbed.known_blocks += 1,
            BlockOutcome::Spared => self.absorbed.spared_blocks += 1,
            BlockOutcome::Other => self.absorbed.other_blocks += 1,
            BlockOutcome::Part => {
                *self.met.new_parts.entry(volume_no).or_default() += 1;
                self.since_checkpoint_bytes += block_bytes;
            }
            BlockOutcome::New => {
                self.absorbed.new_blocks += 1;
                *self.met.new.entry(volume_no).or_default() += 1;
                self.since_checkpoint_bytes += block_bytes;
            }
        }
        // Checkpoints bound how many blocks a later start must hash again after a kill.
        if self.since_checkpoint_bytes >= CHECKPOINT_BYTES {
            self.since_checkpoint_bytes = 0;
            self.set.checkpoint()?;
        }
        Ok(())
    }

    pub(super) fn take_damaged(
        &mut self,
        header: &BlockHeader,
        block: &[u8],
        slices: Slices,
        source_no: usize,
    ) -> Result<(), VolumeError> {
        let outcome = self.set.take_damaged(header, block, slices)?;
        if outcome == BlockOutcome::Misfit {
            // A damaged header proves nothing, so it is no misfit of the set's.
            return Ok(());
        }
        if !self.met.whole.seen(header.volume_no) {
            self.set.begin_reading(header.volume_no)?;
        }
        let place = (header.volume_no, header.block_no);
        // Of a block with all slices and a wrong hash nothing is known.
        if !slices.is_all(header.set.block_size) {
            self.met.whole.set_slices(place, slices);
        }
        self.met.sources.insert(source_no);
        self.is_hurt |= outcome == BlockOutcome::Part;
        self.count(header.volume_no, outcome)
    }
}
