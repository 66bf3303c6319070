//! Finds volume sets on any mix of sources, in one scan.
//!
//! It sorts blocks by the set that they claim. `SetReader` reads a set that was found.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::block::{BlockHeader, SetHeader};
use crate::volumes::described::{describe, read_descriptor};
use crate::volumes::early::EarlyBlocks;
use crate::volumes::geometry::Geometry;
use crate::volumes::join::{DamagedCopy, join};
use crate::volumes::media::scan::{RETRY_TIME, ReadsAll, ScanGuide, scan_guided};
use crate::volumes::media::source::{find_sources, is_pipe};
use crate::volumes::media::{MediaSource, ScanReport, Sighting};
use crate::volumes::recovery::Presence;
use crate::volumes::slices::Slices;
use crate::volumes::staged_images::tag_of;

use super::locations::{Locations, PartLocations, PlacePut};
use super::spools::Spools;
use super::{OpenSource, SetReader};

/// Most different headers that one discovery distinguishes. No honest medium has more.
const HEADERS_MAX: usize = 1024;
/// Most damaged blocks of which slices are recorded, and most copies of one.
const PARTS_MAX: usize = 1 << 21;
const COPIES_MAX: usize = 3;
/// Most damaged blocks that are held until others show what their header is worth.
const EARLY_MAX: usize = 4096;

/// The result of a discovery.
#[derive(Debug)]
pub struct Discovery {
    /// The sets, the one with most blocks first.
    pub sets: Vec<SetReader>,
    /// Problems with the sources.
    pub findings: Vec<Finding>,
    /// The sources that were scanned.
    pub sources: Arc<Vec<MediaSource>>,
    /// The result of the scan.
    pub scan: ScanReport,
    /// Number of blocks found in each source, damaged ones included.
    pub met_blocks: Vec<u64>,
}

/// What the scan collects for one header.
struct HeaderGroup {
    geometry: Geometry,
    presence: Presence,
    damaged: Presence,
    locations: Locations,
    parts: PartLocations,
    sightings: u64,
    misplaced: u64,
    /// Catalog blocks from the first one on that were found on any volume.
    catalog_found: u32,
}

impl HeaderGroup {
    /// Returns whether enough was found to say what the set holds.
    fn tells_its_content(&mut self) -> bool {
        let volumes = || 1..=self.geometry.volume_count();
        while self.catalog_found < self.geometry.catalog_blocks() {
            let place = self.geometry.catalog_place(self.catalog_found);
            if !volumes().any(|no| self.presence.has((no, place))) {
                return false;
            }
            self.catalog_found += 1;
        }
        let places = self.geometry.superblocks();
        volumes().any(|no| places.iter().any(|place| self.presence.has((no, *place))))
    }

    /// Records a damaged block. Returns whether its place is kept.
    fn damaged(
        &mut self,
        header: &BlockHeader,
        source_no: usize,
        offset: u64,
        slices: Slices,
    ) -> bool {
        let place = (header.volume_no, header.block_no);
        if self.geometry.kind(place.0, place.1) != header.kind {
            return false;
        }
        self.damaged.add(place);
        if slices.is_none() || self.parts.len() >= PARTS_MAX && !self.parts.contains_key(&place) {
            return false;
        }
        let copies = self.parts.entry(place).or_default();
        // A later pass over a source knows more than an earlier one.
        let earlier = copies
            .iter_mut()
            .find(|(no, at, _)| (*no, *at) == (source_no, offset));
        if let Some((_, _, known)) = earlier {
            *known = slices;
            return false;
        }
        let is_kept = copies.len() < COPIES_MAX;
        if is_kept {
            copies.push((source_no, offset, slices));
        }
        is_kept
    }

    /// Finds out whether the slices that were not read are zeros.
    fn guess(&mut self, header: &BlockHeader, block: &[u8], slices: Slices) {
        let place = (header.volume_no, header.block_no);
        if slices.is_none() || slices.is_all(header.set.block_size) || self.presence.has(place) {
            return;
        }
        let copy = DamagedCopy {
            bytes: block.to_vec(),
            slices,
        };
        if join(&[copy], header, &mut 1).is_some() {
            let all = Slices::all(header.set.block_size);
            self.presence.set_slices(place, all);
        }
    }
}

struct Gatherings {
    by_header: HashMap<SetHeader, Option<HeaderGroup>>,
    /// Damaged blocks that came before anything showed what their set is: source, place and slices.
    early: EarlyBlocks<(usize, u64, Slices)>,
    /// Whole blocks whose numbers are not those of a set, or that came after too many other headers.
    senseless: u64,
}

impl Default for Gatherings {
    fn default() -> Self {
        Self {
            by_header: HashMap::new(),
            early: EarlyBlocks::new(EARLY_MAX),
            senseless: 0,
        }
    }
}

impl Gatherings {
    fn of(&mut self, header: &SetHeader) -> Option<&mut HeaderGroup> {
        // A forged medium could have a different header in every block. The limit bounds the memory for them.
        if !self.by_header.contains_key(header) && self.by_header.len() >= HEADERS_MAX {
            return None;
        }
        let slot = self.by_header.entry(*header).or_insert_with(|| {
            Geometry::from_header(header)
                .ok()
                .map(|geometry| HeaderGroup {
                    presence: Presence::new(&geometry),
                    damaged: Presence::new(&geometry),
                    geometry,
                    locations: Locations::default(),
                    parts: PartLocations::new(),
                    sightings: 0,
                    misplaced: 0,
                    catalog_found: 0,
                })
        });
        slot.as_mut()
    }

    /// Records a whole block. Returns whether its place is kept.
    fn whole(&mut self, header: &BlockHeader, block: &[u8], source_no: usize, offset: u64) -> bool {
        let Some(gathering) = self.of(&header.set) else {
            self.senseless += 1;
            return false;
        };
        gathering.sightings += 1;
        let place = (header.volume_no, header.block_no);
        if gathering.geometry.kind(place.0, place.1) != header.kind {
            gathering.misplaced += 1;
        } else if let Some(tag) = tag_of(block) {
            let put = gathering.locations.put(place, source_no, offset, tag);
            if put != PlacePut::Refused {
                gathering.presence.add(place);
            }
            return put == PlacePut::Kept;
        }
        false
    }

    /// Records a damaged block. Its header is only trusted when a whole block or another damaged one has the same.
    /// Returns whether its place is kept.
    fn damaged(
        &mut self,
        header: &BlockHeader,
        block: &[u8],
        source_no: usize,
        offset: u64,
        slices: Slices,
    ) -> bool {
        match self.by_header.get_mut(&header.set) {
            Some(Some(gathering)) => {
                let is_kept = gathering.damaged(header, source_no, offset, slices);
                gathering.guess(header, block, slices);
                is_kept
            }
            Some(None) => false,
            None => {
                let is_agreed = self.early.hold(header, (source_no, offset, slices));
                if is_agreed
                    && !slices.is_all(header.set.block_size)
                    && self.of(&header.set).is_some()
                {
                    let early = self.early.take(&header.set);
                    self.take_each(early);
                }
                true
            }
        }
    }

    /// Records all damaged blocks that came before their set was known.
    fn take_all_early(&mut self) {
        let early: Vec<_> = self.early.take_all().collect();
        self.take_each(early);
    }

    fn take_each(&mut self, early: Vec<(BlockHeader, (usize, u64, Slices))>) {
        for (header, (source_no, offset, slices)) in early {
            if let Some(Some(gathering)) = self.by_header.get_mut(&header.set) {
                gathering.damaged(&header, source_no, offset, slices);
            }
        }
    }
}

/// Passes over the rest of each volume as soon as it is known what its set holds.
struct ContentsGuide<'a> {
    gatherings: &'a Mutex<Gatherings>,
}

impl ContentsGuide<'_> {
    fn gatherings(&self) -> MutexGuard<'_, Gatherings> {
        self.gatherings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl ScanGuide for ContentsGuide<'_> {
    fn known_behind(&self, header: &BlockHeader) -> u32 {
        let mut gatherings = self.gatherings();
        let group = gatherings.by_header.get_mut(&header.set);
        let is_told = group
            .and_then(Option::as_mut)
            .map(HeaderGroup::tells_its_content);
        if is_told == Some(true) { u32::MAX } else { 0 }
    }

    fn passed_over(&self, _header: &BlockHeader, _blocks: u32, _source_no: usize) {}

    fn has_enough(&self) -> bool {
        let mut gatherings = self.gatherings();
        let mut groups = gatherings.by_header.values_mut().flatten().peekable();
        groups.peek().is_some() && groups.all(HeaderGroup::tells_its_content)
    }
}

/// Finds all volume sets at or below `paths`: folders of volumes, carrier files, images, devices, in any mix.
///
/// # Errors
/// [`VolumeError::Media`] when a path is missing or a stop was asked for. Damage is reported as findings.
pub fn discover(paths: &[PathBuf], monitor: &dyn Monitor) -> Result<Discovery, VolumeError> {
    discover_within(paths, RETRY_TIME, monitor)
}

/// Finds volume sets as [`discover`] does. Bad sectors are tried again for so long at most, in all.
///
/// # Errors
/// As [`discover`].
pub fn discover_within(
    paths: &[PathBuf],
    retry_time: Duration,
    monitor: &dyn Monitor,
) -> Result<Discovery, VolumeError> {
    discover_to(paths, DiscoveryDepth::Blocks, retry_time, monitor)
}

/// Finds volume sets as [`discover`] does, but reads no more than tells which volumes are there and what their sets
/// hold. Most blocks are not looked for.
///
/// # Errors
/// As [`discover`].
pub(crate) fn discover_contents(
    paths: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<Discovery, VolumeError> {
    let found = discover_to(paths, DiscoveryDepth::Contents, RETRY_TIME, monitor)?;
    let tells = |set: &SetReader| set.described.is_some();
    // A catalog with wrong blocks may have right ones further on.
    let has_rest = || found.scan.bytes < bytes_of(&found.sources);
    // What came through a pipe was read whole, and does not come again.
    let is_lasting = || !paths.iter().any(|path| is_pipe(path));
    if !found.sets.iter().all(tells) && is_lasting() && has_rest() {
        return discover(paths, monitor);
    }
    Ok(found)
}

fn bytes_of(sources: &[MediaSource]) -> u64 {
    sources.iter().map(|source| source.bytes).sum()
}

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DiscoveryDepth {
    /// Every block.
    Blocks,
    /// What each set holds, and which volumes are there.
    Contents,
}

fn discover_to(
    paths: &[PathBuf],
    depth: DiscoveryDepth,
    retry_time: Duration,
    monitor: &dyn Monitor,
) -> Result<Discovery, VolumeError> {
    let sources = Arc::new(find_sources(paths, monitor)?);
    monitor.start("scan", bytes_of(&sources));
    let gatherings = Mutex::new(Gatherings::default());
    let spools = Spools::new(&sources);
    let met: Vec<AtomicU64> = sources.iter().map(|_| AtomicU64::new(0)).collect();
    let visit = |sighting: &Sighting<'_>| {
        let (Sighting::Whole { source_no, .. } | Sighting::Damaged { source_no, .. }) = sighting;
        if let Some(met) = met.get(*source_no) {
            met.fetch_add(1, Ordering::Relaxed);
        }
        let mut gatherings = gatherings.lock().unwrap_or_else(PoisonError::into_inner);
        let (Sighting::Whole { block, offset, .. } | Sighting::Damaged { block, offset, .. }) =
            sighting;
        let Some(offset) = spools.place_of(*source_no, *offset) else {
            return ControlFlow::Break(());
        };
        let is_kept = match sighting {
            Sighting::Whole { header, .. } => gatherings.whole(header, block, *source_no, offset),
            Sighting::Damaged { header, slices, .. } => {
                gatherings.damaged(header, block, *source_no, offset, *slices)
            }
        };
        if is_kept && spools.keep(*source_no, block).is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let contents = ContentsGuide {
        gatherings: &gatherings,
    };
    let guide: &dyn ScanGuide = match depth {
        DiscoveryDepth::Blocks => &ReadsAll,
        DiscoveryDepth::Contents => &contents,
    };
    let report = scan_guided(&sources, &visit, guide, retry_time, monitor)?;
    monitor.finish();
    let readers = spools.into_readers()?;
    let mut gatherings = gatherings
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    gatherings.take_all_early();
    let (sets, findings) = sort_out(gatherings, &sources, readers);
    for finding in &findings {
        monitor.finding(finding);
    }
    Ok(Discovery {
        sets,
        findings,
        sources,
        scan: report,
        met_blocks: met.into_iter().map(AtomicU64::into_inner).collect(),
    })
}

fn sort_out(
    gatherings: Gatherings,
    sources: &Arc<Vec<MediaSource>>,
    readers: Vec<OnceLock<Option<OpenSource>>>,
) -> (Vec<SetReader>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut senseless = gatherings.senseless;
    let mut all: Vec<(SetHeader, HeaderGroup)> = Vec::new();
    for (header, gathering) in gatherings.by_header {
        match gathering {
            Some(gathering) => all.push((header, gathering)),
            None => senseless += 1,
        }
    }
    if senseless > 0 {
        let what = diagnostic!("volume.senseless_blocks");
        findings.push(Finding::damage(Subject::Media, what));
    }
    // Equal counts must not leave the order to the hash map.
    all.sort_by_key(|(header, gathering)| {
        (
            std::cmp::Reverse(gathering.sightings),
            header.set_id,
            header.volume_blocks,
        )
    });
    let readers = Arc::new(readers);
    let mut sets: Vec<SetReader> = Vec::new();
    for (header, gathering) in all {
        if gathering.misplaced > 0 {
            let what = diagnostic!("volume.blocks_of_wrong_kind", count = gathering.misplaced);
            findings.push(Finding::damage(subject(header.set_id), what));
        }
        let mut set = SetReader {
            geometry: gathering.geometry,
            presence: gathering.presence,
            damaged: gathering.damaged,
            locations: gathering.locations,
            parts: gathering.parts,
            described: None,
            descriptor: None,
            sources: Arc::clone(sources),
            readers: Arc::clone(&readers),
            sightings: gathering.sightings,
        };
        set.know_parts();
        set.described = describe(&set, &set.presence).ok();
        set.descriptor = match &set.described {
            Some(described) => Some(described.descriptor.clone()),
            None => read_descriptor(&set, &set.presence).ok(),
        };
        // Of sets that claim the same id the one that matches it counts, or else the one with the most blocks.
        let rival = sets.iter_mut().find(|each| each.set_id() == header.set_id);
        let Some(rival) = rival else {
            sets.push(set);
            continue;
        };
        if set.described.is_some() && rival.described.is_none() {
            std::mem::swap(rival, &mut set);
        }
        let what = diagnostic!("volume.blocks_with_other_numbers", count = set.sightings);
        findings.push(Finding::damage(subject(header.set_id), what));
    }
    (sets, findings)
}

fn subject(set_id: SetId) -> Subject {
    Subject::Set(set_id.short().to_string())
}
