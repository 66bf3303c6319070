//! Reads media into the staging folder: one pass over each, and every block that some set still needs.
//!
//! `staging` knows which blocks are needed. Nothing here decides about healing or committing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader, SetHeader};
use crate::volumes::blocks::header_at;
use crate::volumes::geometry::Geometry;
use crate::volumes::media::source::find_sources;
use crate::volumes::media::{MediaSource, ScanReport, Sighting, scan};
use crate::volumes::recovery::Presence;
use crate::volumes::slices::Slices;
use crate::volumes::staging::{BlockOutcome, Staging, open_every, sweep};

/// Staged bytes between two checkpoints.
const CHECKPOINT_BYTES: u64 = 256 << 20;
/// Most sets that are staged at a time.
pub const SETS_MAX: usize = 64;
/// Most different headers that one call distinguishes. No honest medium has more.
const HEADERS_MAX: usize = 4096;
/// Most damaged blocks that are held until a whole block shows what their header is worth: 4 MiB.
const EARLY_MAX: usize = 64;
/// When a staged set must go, sets without a catalog that have fewer blocks than this go first.
const FEW_BLOCKS: u64 = 64;

/// The result of [`read_media`] for one set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ReadMediaReport {
    /// Blocks that were new and are staged now.
    pub new_blocks: u64,
    /// Blocks that were staged already.
    pub known_blocks: u64,
    /// Parity blocks of complete groups or stripes. They are not kept.
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
    /// Blocks that were found whole.
    pub whole_blocks: u32,
    /// Blocks that were new.
    pub new_blocks: u32,
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
    read_media_noting(incoming_dir, paths, None, wanted, monitor)
}

/// Reads media as [`read_media`] does. `note` is kept with each set that is begun, from its first block on.
///
/// # Errors
/// As [`read_media`].
pub(crate) fn read_media_noting(
    incoming_dir: &Path,
    paths: &[PathBuf],
    note: Option<&[u8]>,
    wanted: &(dyn Fn(&SetId) -> bool + Sync),
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
        note,
        wanted,
        state: Mutex::new(SourceState {
            sets: sets.collect(),
            ..SourceState::default()
        }),
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
    let scanned = scan(&sources, &visit, monitor);
    monitor.finish();
    let mut state = media_reader
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let error = state.error.take();
    if error.is_none() {
        state.take_early()?;
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

struct Taking {
    set: Staging,
    absorbed: ReadMediaReport,
    met: Met,
    misfits: u64,
    since_checkpoint_bytes: u64,
    /// Whether slices of damaged blocks were kept.
    is_hurt: bool,
    /// Its rank in the order in which sets were begun in this call.
    order: u64,
}

/// What was found of a set.
struct Met {
    whole: Presence,
    new: BTreeMap<u16, u32>,
    sources: BTreeSet<usize>,
}

impl Met {
    fn new(geometry: &Geometry) -> Self {
        Self {
            whole: Presence::new(geometry),
            new: BTreeMap::new(),
            sources: BTreeSet::new(),
        }
    }

    fn any(&self, header: &SetHeader) -> bool {
        (1..=header.data_volumes + header.spare_volumes).any(|no| self.whole.seen(no))
    }

    fn read(&self, header: &SetHeader, is_wanted: bool, given: &GivenMedia<'_>) -> SetRead {
        let volumes = 1..=header.data_volumes + header.spare_volumes;
        let volumes = volumes
            .filter(|no| self.whole.seen(*no))
            .map(|volume_no| VolumeRead {
                volume_no,
                blocks: header.volume_blocks,
                whole_blocks: self.whole.count(volume_no),
                new_blocks: self.new.get(&volume_no).copied().unwrap_or(0),
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
struct GivenMedia<'a> {
    paths: &'a [PathBuf],
    sources: &'a [MediaSource],
}

impl GivenMedia<'_> {
    /// Returns the paths of these sources.
    fn named(&self, sources: &BTreeSet<usize>) -> Vec<PathBuf> {
        let sources = sources.iter().filter_map(|no| self.sources.get(*no));
        sources.map(|source| source.path.clone()).collect()
    }

    /// Returns the given paths that have one of these sources below them.
    fn holding(&self, sources: &BTreeSet<usize>) -> Vec<PathBuf> {
        let has = |path: &&PathBuf| {
            let mut sources = sources.iter().filter_map(|no| self.sources.get(*no));
            sources.any(|source| source.path.starts_with(path))
        };
        self.paths.iter().filter(has).cloned().collect()
    }
}

impl Taking {
    fn new(set: Staging) -> Self {
        Self {
            met: Met::new(set.geometry()),
            set,
            absorbed: ReadMediaReport::default(),
            misfits: 0,
            since_checkpoint_bytes: 0,
            is_hurt: false,
            order: 0,
        }
    }
}

impl Taking {
    fn count(&mut self, volume_no: u16, outcome: BlockOutcome) -> Result<(), VolumeError> {
        match outcome {
            BlockOutcome::Misfit => self.misfits += 1,
            BlockOutcome::Known => self.absorbed.known_blocks += 1,
            BlockOutcome::Spared => self.absorbed.spared_blocks += 1,
            BlockOutcome::Other => self.absorbed.other_blocks += 1,
            BlockOutcome::Part => self.since_checkpoint_bytes += BLOCK_BYTES as u64,
            BlockOutcome::New => {
                self.absorbed.new_blocks += 1;
                *self.met.new.entry(volume_no).or_default() += 1;
                self.since_checkpoint_bytes += BLOCK_BYTES as u64;
            }
        }
        // Checkpoints bound how many blocks a later start must hash again after a kill.
        if self.since_checkpoint_bytes >= CHECKPOINT_BYTES {
            self.since_checkpoint_bytes = 0;
            self.set.checkpoint()?;
        }
        Ok(())
    }

    fn take_damaged(
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
        self.met.whole.set_slices(place, slices);
        self.met.sources.insert(source_no);
        self.is_hurt |= outcome == BlockOutcome::Part;
        self.count(header.volume_no, outcome)
    }
}

/// The handling of blocks with one header.
enum HeaderSlot {
    Taking(Box<Taking>),
    /// The set is not wanted.
    Unwanted(Geometry, Met),
    /// Its numbers are not those of a set, or they belong to another set than the one with this id.
    Senseless,
    /// There is no room for it.
    Refused,
}

#[derive(Default)]
struct SourceState {
    sets: HashMap<SetHeader, HeaderSlot>,
    senseless: u64,
    /// Damaged blocks that came before the first whole block of their set.
    early: Vec<(BlockHeader, Vec<u8>, Slices, usize)>,
    begun: u64,
    given_up: Vec<SetId>,
    /// Sources that held a block.
    fruitful: BTreeSet<usize>,
    error: Option<VolumeError>,
}

struct MediaReader<'a> {
    incoming_dir: &'a Path,
    note: Option<&'a [u8]>,
    wanted: &'a (dyn Fn(&SetId) -> bool + Sync),
    state: Mutex<SourceState>,
}

impl MediaReader<'_> {
    /// Stages one whole block. Writing under the lock keeps the order simple and only fills the system's cache. Reading
    /// and hashing take most of the time and happen outside the lock.
    fn take(&self, header: &BlockHeader, block: &[u8], source_no: usize) -> ControlFlow<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.fruitful.insert(source_no);
        match self.try_take(&mut state, header, block, source_no) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                // The visitor cannot return an error, so the first one is kept and ends the scan.
                state.error.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Keeps what was read of a damaged block.
    fn take_damaged(
        &self,
        header: &BlockHeader,
        block: &[u8],
        slices: Slices,
        source_no: usize,
    ) -> ControlFlow<()> {
        if slices.is_none() {
            return ControlFlow::Continue(());
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = match state.sets.get_mut(&header.set) {
            Some(HeaderSlot::Taking(taking)) => {
                taking.take_damaged(header, block, slices, source_no)
            }
            Some(_) => Ok(()),
            None => {
                if state.early.len() < EARLY_MAX {
                    state
                        .early
                        .push((*header, block.to_vec(), slices, source_no));
                }
                Ok(())
            }
        };
        match taken {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                state.error.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    fn try_take(
        &self,
        state: &mut SourceState,
        header: &BlockHeader,
        block: &[u8],
        source_no: usize,
    ) -> Result<(), VolumeError> {
        if !state.sets.contains_key(&header.set) {
            // A forged medium could have a different header in every block. The limit bounds the memory for them.
            if state.sets.len() >= HEADERS_MAX {
                state.senseless += 1;
                return Ok(());
            }
            let slot = self.slot(state, &header.set, block)?;
            state.sets.insert(header.set, slot);
        }
        let taking = match state.sets.get_mut(&header.set) {
            Some(HeaderSlot::Taking(taking)) => taking,
            Some(HeaderSlot::Unwanted(geometry, met)) => {
                let place = (header.volume_no, header.block_no);
                if header_at(geometry, place) == *header {
                    met.whole.add(place);
                    met.sources.insert(source_no);
                }
                return Ok(());
            }
            Some(HeaderSlot::Senseless) => {
                state.senseless += 1;
                return Ok(());
            }
            Some(HeaderSlot::Refused) | None => return Ok(()),
        };
        let place = (header.volume_no, header.block_no);
        if header_at(taking.set.geometry(), place) == *header {
            if !taking.met.whole.seen(header.volume_no) {
                taking.set.begin_reading(header.volume_no)?;
            }
            taking.met.whole.add(place);
            taking.met.sources.insert(source_no);
        }
        let outcome = taking.set.take(header, block)?;
        taking.count(header.volume_no, outcome)
    }

    /// Decides how blocks are handled whose header was not met before.
    fn slot(
        &self,
        state: &mut SourceState,
        header: &SetHeader,
        block: &[u8],
    ) -> Result<HeaderSlot, VolumeError> {
        let Ok(geometry) = Geometry::from_header(header) else {
            return Ok(HeaderSlot::Senseless);
        };
        let set_id = header.set_id;
        // When another set with this id is known to be the right one, this header belongs to no set.
        let is_settled = state
            .takings()
            .any(|taking| taking.set.set_id() == set_id && taking.set.is_described());
        if is_settled {
            return Ok(HeaderSlot::Senseless);
        }
        if !(self.wanted)(&set_id) {
            let met = Met::new(&geometry);
            return Ok(HeaderSlot::Unwanted(geometry, met));
        }
        if state.takings().count() >= SETS_MAX && !state.make_room()? {
            return Ok(HeaderSlot::Refused);
        }
        let set = Staging::create(self.incoming_dir, block, geometry, self.note)?;
        let mut taking = Taking::new(set);
        state.begun += 1;
        taking.order = state.begun;
        Ok(HeaderSlot::Taking(Box::new(taking)))
    }
}

impl SourceState {
    fn takings(&self) -> impl Iterator<Item = &Taking> {
        self.sets.values().filter_map(|slot| match slot {
            HeaderSlot::Taking(taking) => Some(taking.as_ref()),
            _ => None,
        })
    }

    /// Removes the oldest set without a catalog: one with few blocks, or another one when there is none. A set that has
    /// its catalog is never removed here.
    fn make_room(&mut self) -> Result<bool, VolumeError> {
        let candidates = self.takings().filter(|taking| !taking.set.is_described());
        let oldest = candidates.min_by_key(|taking| {
            let is_large = taking.set.spooled_bytes() / BLOCK_BYTES as u64 >= FEW_BLOCKS;
            (
                is_large,
                taking.order,
                taking.set.begun(),
                taking.set.set_id(),
            )
        });
        let Some(header) = oldest.map(|taking| *taking.set.geometry().header()) else {
            return Ok(false);
        };
        if let Some(HeaderSlot::Taking(taking)) = self.sets.remove(&header) {
            self.given_up.push(header.set_id);
            taking.set.discard()?;
        }
        Ok(true)
    }

    /// Takes the damaged blocks that came before the first whole block of their set.
    fn take_early(&mut self) -> Result<(), VolumeError> {
        for (header, block, slices, source_no) in std::mem::take(&mut self.early) {
            if let Some(HeaderSlot::Taking(taking)) = self.sets.get_mut(&header.set) {
                taking.take_damaged(&header, &block, slices, source_no)?;
            }
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<(), VolumeError> {
        let changed = self.takings().filter(|taking| {
            let absorbed = &taking.absorbed;
            absorbed.new_blocks + absorbed.other_blocks > 0 || taking.is_hurt
        });
        for taking in changed {
            taking.set.checkpoint()?;
        }
        Ok(())
    }

    /// Records that all sets that were found were read as far as possible.
    fn read_to_end(&mut self) -> Result<(), VolumeError> {
        for slot in self.sets.values_mut() {
            if let HeaderSlot::Taking(taking) = slot {
                let met = &taking.met.whole;
                let volumes = 1..=taking.set.geometry().volume_count();
                let volumes: Vec<u16> = volumes.filter(|no| met.seen(*no)).collect();
                taking.set.read_to_end(volumes)?;
            }
        }
        Ok(())
    }

    fn report(
        self,
        scan: ScanReport,
        given: &GivenMedia<'_>,
        monitor: &dyn Monitor,
    ) -> Result<SetReadReport, VolumeError> {
        let fruitful = given.holding(&self.fruitful);
        let is_empty = |path: &&PathBuf| !fruitful.contains(path);
        let empty_paths = given.paths.iter().filter(is_empty).cloned().collect();
        let mut report = SetReadReport {
            sets: Vec::new(),
            unwanted: Vec::new(),
            refused: Vec::new(),
            read: Vec::new(),
            findings: Vec::new(),
            scan,
            empty_paths,
        };
        if self.senseless > 0 {
            let what = diagnostic!("volume.blocks_of_no_set", count = self.senseless);
            report.findings.push(Finding::damage(Subject::Media, what));
        }
        if !self.given_up.is_empty() {
            let what = diagnostic!("volume.sets_made_room", count = self.given_up.len());
            report.findings.push(Finding::note(Subject::Store, what));
        }
        let mut slots: Vec<(SetHeader, HeaderSlot)> = self.sets.into_iter().collect();
        // The order must not depend on the hash map.
        slots.sort_by_key(|(header, _)| (header.set_id, header.volume_blocks, header.data_volumes));
        for (header, slot) in slots {
            match slot {
                HeaderSlot::Senseless => {}
                HeaderSlot::Refused => report.refused.push(header.set_id),
                HeaderSlot::Unwanted(_, met) => {
                    report.read.push(met.read(&header, false, given));
                    report.unwanted.push(header.set_id);
                }
                HeaderSlot::Taking(taking) => report.add(*taking, &header, given)?,
            }
        }
        report.unwanted.dedup();
        report.refused.dedup();
        for finding in &report.findings {
            monitor.finding(finding);
        }
        Ok(report)
    }
}

impl SetReadReport {
    /// Adds a set. Of several that claim the same id only the likeliest counts. Once that one is certain, the others
    /// are removed.
    fn add(
        &mut self,
        taking: Taking,
        header: &SetHeader,
        given: &GivenMedia<'_>,
    ) -> Result<(), VolumeError> {
        if taking.misfits > 0 {
            let subject = Subject::Set(header.set_id.short().to_string());
            let what = diagnostic!("volume.blocks_that_do_not_fit", count = taking.misfits);
            self.findings.push(Finding::damage(subject, what));
        }
        let is_met = taking.met.any(header);
        let read = taking.met.read(header, true, given);
        let (set, absorbed) = (taking.set, taking.absorbed);
        match self.sets.last_mut() {
            Some((last, known)) if last.set_id() == header.set_id => {
                let subject = Subject::Set(header.set_id.short().to_string());
                let what = diagnostic!("volume.set_with_other_numbers");
                self.findings.push(Finding::damage(subject, what));
                let loser = if set.is_likelier_than(last) {
                    *known = absorbed;
                    self.read.pop();
                    self.read.push(read);
                    std::mem::replace(last, set)
                } else {
                    set
                };
                if last.is_described() {
                    loser.discard()?;
                }
            }
            _ if is_met => {
                self.sets.push((set, absorbed));
                self.read.push(read);
            }
            _ => {}
        }
        Ok(())
    }
}
