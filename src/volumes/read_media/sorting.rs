//! Sorts the blocks of a scan by the sets that they claim, and decides which sets are staged.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::block::{BlockHeader, SetHeader};
use crate::volumes::blocks::header_at;
use crate::volumes::early::EarlyBlocks;
use crate::volumes::geometry::Geometry;
use crate::volumes::media::{ScanReport, is_rescue_map};
use crate::volumes::slices::Slices;
use crate::volumes::staging::Staging;

use super::taking::{GivenMedia, Met, Taking};
use super::{SETS_MAX, SetReadReport};

/// Most different headers that one call distinguishes. No honest medium has more.
const HEADERS_MAX: usize = 4096;
/// Most damaged blocks that are held until others show what their header is worth: 4 MiB.
const EARLY_MAX: usize = 64;
/// When a staged set must go, sets without a catalog that have fewer blocks than this go first.
const FEW_BLOCKS: u64 = 64;

/// The handling of blocks with one header.
pub(super) enum HeaderSlot {
    Taking(Box<Taking>),
    /// The set is not wanted.
    Unwanted(Box<(Geometry, Met)>),
    /// Its numbers are not those of a set, or they belong to another set than the one with this id.
    Senseless,
    /// There is no room for it.
    Refused,
}

/// What is kept of a damaged block that came early.
pub(super) struct EarlyBlock {
    block: Vec<u8>,
    slices: Slices,
    source_no: usize,
}

pub(super) struct SourceState {
    pub(super) sets: HashMap<SetHeader, HeaderSlot>,
    pub(super) senseless: u64,
    /// Damaged blocks that came before anything showed what their set is.
    pub(super) early: EarlyBlocks<EarlyBlock>,
    pub(super) begun: u64,
    pub(super) given_up: Vec<SetId>,
    /// Sources that held a block.
    pub(super) fruitful: BTreeSet<usize>,
    pub(super) error: Option<VolumeError>,
}

pub(super) struct MediaReader<'a> {
    pub(super) incoming_dir: &'a Path,
    pub(super) note: Option<&'a [u8]>,
    pub(super) wanted: &'a (dyn Fn(&SetId) -> bool + Sync),
    pub(super) state: Mutex<SourceState>,
}

impl MediaReader<'_> {
    /// Stages one whole block. Writing under the lock keeps the order simple and only fills the system's cache. Reading
    /// and hashing take most of the time and happen outside the lock.
    pub(super) fn take(
        &self,
        header: &BlockHeader,
        block: &[u8],
        source_no: usize,
    ) -> ControlFlow<()> {
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
    pub(super) fn take_damaged(
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
        match self.try_take_damaged(&mut state, header, block, slices, source_no) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                state.error.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    fn try_take_damaged(
        &self,
        state: &mut SourceState,
        header: &BlockHeader,
        block: &[u8],
        slices: Slices,
        source_no: usize,
    ) -> Result<(), VolumeError> {
        match state.sets.get_mut(&header.set) {
            Some(HeaderSlot::Taking(taking)) => {
                state.fruitful.insert(source_no);
                return taking.take_damaged(header, block, slices, source_no);
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let early = EarlyBlock {
            block: block.to_vec(),
            slices,
            source_no,
        };
        let is_agreed = state.early.hold(header, early);
        // Of a block with all slices and a wrong hash nothing is known, so it is no reason to begin a set.
        if !is_agreed || slices.is_all(header.set.block_size) || state.sets.len() >= HEADERS_MAX {
            return Ok(());
        }
        // The set's numbers are kept in a whole block. There is none, so one is made from the header.
        let slot = self.slot(state, &header.set, &header.empty_block())?;
        state.sets.insert(header.set, slot);
        state.take_early(&header.set)
    }

    pub(super) fn try_take(
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
            Some(HeaderSlot::Unwanted(unwanted)) => {
                let (geometry, met) = unwanted.as_mut();
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
    pub(super) fn slot(
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
            return Ok(HeaderSlot::Unwanted(Box::new((geometry, met))));
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
    pub(super) fn new(sets: HashMap<SetHeader, HeaderSlot>) -> Self {
        Self {
            sets,
            senseless: 0,
            early: EarlyBlocks::new(EARLY_MAX),
            begun: 0,
            given_up: Vec::new(),
            fruitful: BTreeSet::new(),
            error: None,
        }
    }

    pub(super) fn takings(&self) -> impl Iterator<Item = &Taking> {
        self.sets.values().filter_map(|slot| match slot {
            HeaderSlot::Taking(taking) => Some(taking.as_ref()),
            _ => None,
        })
    }

    /// Removes the oldest set without a catalog: one with few blocks, or another one when there is none. A set that has
    /// its catalog is never removed here.
    pub(super) fn make_room(&mut self) -> Result<bool, VolumeError> {
        let candidates = self.takings().filter(|taking| !taking.set.is_described());
        let oldest = candidates.min_by_key(|taking| {
            let is_large = taking.set.staged_blocks() >= FEW_BLOCKS;
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

    /// Takes the damaged blocks of a set that came before it was begun.
    fn take_early(&mut self, set: &SetHeader) -> Result<(), VolumeError> {
        let early = self.early.take(set);
        self.take_each(early)
    }

    /// Takes all damaged blocks that came before their set was begun.
    pub(super) fn take_all_early(&mut self) -> Result<(), VolumeError> {
        let early: Vec<_> = self.early.take_all().collect();
        self.take_each(early)
    }

    fn take_each(&mut self, early: Vec<(BlockHeader, EarlyBlock)>) -> Result<(), VolumeError> {
        for (header, early) in early {
            if let Some(HeaderSlot::Taking(taking)) = self.sets.get_mut(&header.set) {
                self.fruitful.insert(early.source_no);
                taking.take_damaged(&header, &early.block, early.slices, early.source_no)?;
            }
        }
        Ok(())
    }

    pub(super) fn checkpoint(&self) -> Result<(), VolumeError> {
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
    pub(super) fn read_to_end(&mut self) -> Result<(), VolumeError> {
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

    pub(super) fn report(
        self,
        scan: ScanReport,
        given: &GivenMedia<'_>,
        monitor: &dyn Monitor,
    ) -> Result<SetReadReport, VolumeError> {
        let fruitful = given.holding(&self.fruitful);
        let is_empty = |path: &&PathBuf| !fruitful.contains(path) && !is_rescue_map(path);
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
                HeaderSlot::Unwanted(unwanted) => {
                    let met = &unwanted.1;
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
    pub(super) fn add(
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
