//! Finds volume sets on any mix of sources and reads them as they are. Several damaged copies together count as one
//! better copy.
//!
//! It heals nothing (see `heal` and `rebuild`). Of each block it keeps only the place and the hash: 24 bytes a block.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader, BlockKind, HEADER_BYTES, SetHeader};
use crate::volumes::blocks::{Blocks, OTHERS_MAX, copies_of, header_at};
use crate::volumes::choices::right_choice;
use crate::volumes::described::{Described, describe, liars, read_descriptor};
use crate::volumes::geometry::Geometry;
use crate::volumes::join::{DamagedCopy, join};
use crate::volumes::media::scan::scan_reader;
use crate::volumes::media::source::{FileReader, find_sources};
use crate::volumes::media::{MediaSource, ScanReport, Sighting, scan};
use crate::volumes::recovery::{
    BlockPlace, Presence, Recovery, RecoveryGoal, SetNeeds, needs, recover,
};
use crate::volumes::slices::{Slices, bytes_of};
use crate::volumes::staged_images::{BlockHash, tag_of};
use crate::volumes::{PayloadReader, SetDescriptor, VolumeError};

/// Most different headers that one discovery distinguishes. No honest medium has more.
const HEADERS_MAX: usize = 1024;
/// Places are kept in pages of this many blocks, so that memory depends on the blocks found and not on a header's
/// claim.
const PAGE_BLOCKS: u32 = 1024;
const OFFSET_BITS: u32 = 44;
const NOWHERE: u64 = u64::MAX;
/// Most damaged blocks of which slices are recorded, and most copies of one.
const PARTS_MAX: usize = 1 << 21;
const COPIES_MAX: usize = 3;
/// Most hashes that joining the copies of one block takes.
const JOIN_BUDGET: u32 = 1 << 10;
/// Most damaged blocks that are held until a whole block shows what their header is worth.
const EARLY_MAX: usize = 4096;
/// Most places of which other blocks are recorded.
const OTHER_PLACES_MAX: usize = 1 << 20;

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

/// One set, as found on its sources.
#[derive(Debug)]
pub struct SetReader {
    geometry: Geometry,
    presence: Presence,
    damaged: Presence,
    locations: Locations,
    parts: Parts,
    described: Option<Described>,
    descriptor: Option<SetDescriptor>,
    sources: Arc<Vec<MediaSource>>,
    readers: Arc<Vec<OnceLock<Option<FileReader>>>>,
    /// Number of whole blocks found, duplicates counted twice.
    sightings: u64,
}

/// The locations of blocks.
#[derive(Debug, Default)]
struct Locations {
    pages: HashMap<BlockPlace, Box<[(u64, BlockHash)]>>,
    /// Locations of other blocks that were found for a place. All have right hashes.
    others: HashMap<BlockPlace, Vec<(u64, BlockHash)>>,
}

impl Locations {
    fn page(&self, (volume_no, block_no): BlockPlace) -> (BlockPlace, usize) {
        let within = usize::try_from(block_no % PAGE_BLOCKS).expect("below a page's size");
        ((volume_no, block_no / PAGE_BLOCKS), within)
    }

    fn put(&mut self, place: BlockPlace, source_no: usize, offset: u64, tag: BlockHash) -> bool {
        let source_no = source_no as u64;
        if offset >> OFFSET_BITS != 0 || source_no >= 1 << (63 - OFFSET_BITS) {
            return false;
        }
        let packed = source_no << OFFSET_BITS | offset;
        let (page, within) = self.page(place);
        let slots = self
            .pages
            .entry(page)
            .or_insert_with(|| vec![(NOWHERE, [0; 16]); PAGE_BLOCKS as usize].into_boxed_slice());
        let (known, known_tag) = slots[within];
        if known == NOWHERE {
            slots[within] = (packed, tag);
        } else if known_tag != tag && self.others.len() < OTHER_PLACES_MAX {
            let others = self.others.entry(place).or_default();
            if others.len() < OTHERS_MAX && others.iter().all(|(_, known)| *known != tag) {
                others.push((packed, tag));
            }
        }
        true
    }

    /// Puts another block in the place of the first.
    fn promote(&mut self, place: BlockPlace, number: usize) {
        let (page, within) = self.page(place);
        let slot = self
            .pages
            .get_mut(&page)
            .and_then(|slots| slots.get_mut(within));
        let other = number
            .checked_sub(1)
            .and_then(|at| self.others.get_mut(&place)?.get_mut(at));
        if let (Some(slot), Some(other)) = (slot, other) {
            std::mem::swap(slot, other);
        }
    }

    fn other(&self, place: BlockPlace, number: usize) -> Option<(usize, u64)> {
        let (packed, _) = *self.others.get(&place)?.get(number.checked_sub(1)?)?;
        let source_no = usize::try_from(packed >> OFFSET_BITS).ok()?;
        Some((source_no, packed & ((1 << OFFSET_BITS) - 1)))
    }

    fn get(&self, place: BlockPlace) -> Option<(usize, u64)> {
        let (page, within) = self.page(place);
        let (packed, _) = *self.pages.get(&page)?.get(within)?;
        let source_no = usize::try_from(packed >> OFFSET_BITS).ok()?;
        (packed != NOWHERE).then_some((source_no, packed & ((1 << OFFSET_BITS) - 1)))
    }
}

/// The locations of damaged blocks, and the slices that were read there.
type Parts = HashMap<BlockPlace, Vec<(usize, u64, Slices)>>;

/// What the scan collects for one header.
struct HeaderGroup {
    geometry: Geometry,
    presence: Presence,
    damaged: Presence,
    locations: Locations,
    parts: Parts,
    sightings: u64,
    misplaced: u64,
}

impl HeaderGroup {
    fn damaged(&mut self, header: &BlockHeader, source_no: usize, offset: u64, slices: Slices) {
        let place = (header.volume_no, header.block_no);
        if self.geometry.kind(place.0, place.1) != header.kind {
            return;
        }
        self.damaged.add(place);
        if slices.is_none() || self.parts.len() >= PARTS_MAX && !self.parts.contains_key(&place) {
            return;
        }
        let copies = self.parts.entry(place).or_default();
        if copies.len() < COPIES_MAX {
            copies.push((source_no, offset, slices));
        }
    }

    /// Finds out whether the slices that were not read are zeros.
    fn guess(&mut self, header: &BlockHeader, block: &[u8], slices: Slices) {
        let place = (header.volume_no, header.block_no);
        if slices.is_none() || slices.is_all() || self.presence.has(place) {
            return;
        }
        let copy = DamagedCopy {
            bytes: block.to_vec(),
            slices,
        };
        if join(&[copy], header, &mut 1).is_some() {
            self.presence.set_slices(place, Slices::ALL);
        }
    }
}

#[derive(Default)]
struct Gatherings {
    by_header: HashMap<SetHeader, Option<HeaderGroup>>,
    /// Damaged blocks that came before the first whole block of their set.
    early: Vec<(BlockHeader, usize, u64, Slices)>,
    /// Whole blocks whose numbers are not those of a set, or that came after too many other headers.
    senseless: u64,
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
                    parts: Parts::new(),
                    sightings: 0,
                    misplaced: 0,
                })
        });
        slot.as_mut()
    }

    fn whole(&mut self, header: &BlockHeader, block: &[u8], source_no: usize, offset: u64) {
        let Some(gathering) = self.of(&header.set) else {
            self.senseless += 1;
            return;
        };
        gathering.sightings += 1;
        let place = (header.volume_no, header.block_no);
        if gathering.geometry.kind(place.0, place.1) != header.kind {
            gathering.misplaced += 1;
        } else if let Some(tag) = tag_of(block)
            && gathering.locations.put(place, source_no, offset, tag)
        {
            gathering.presence.add(place);
        }
    }

    /// Records a damaged block. Its header is only trusted when whole blocks have the same.
    fn damaged(
        &mut self,
        header: &BlockHeader,
        block: &[u8],
        source_no: usize,
        offset: u64,
        slices: Slices,
    ) {
        match self.by_header.get_mut(&header.set) {
            Some(Some(gathering)) => {
                gathering.damaged(header, source_no, offset, slices);
                gathering.guess(header, block, slices);
            }
            None if self.early.len() < EARLY_MAX => {
                self.early.push((*header, source_no, offset, slices));
            }
            _ => {}
        }
    }

    /// Records the damaged blocks that came before the first whole block of their set.
    fn take_early(&mut self) {
        for (header, source_no, offset, slices) in std::mem::take(&mut self.early) {
            if let Some(Some(gathering)) = self.by_header.get_mut(&header.set) {
                gathering.damaged(&header, source_no, offset, slices);
            }
        }
    }
}

/// Finds all volume sets at or below `paths`: folders of volumes, carrier files, images, devices, in any mix.
///
/// # Errors
/// [`VolumeError::Media`] when a path is missing or a stop was asked for. Damage is reported as findings.
pub fn discover(paths: &[PathBuf], monitor: &dyn Monitor) -> Result<Discovery, VolumeError> {
    let sources = Arc::new(find_sources(paths, monitor)?);
    monitor.start("scan", sources.iter().map(|source| source.bytes).sum());
    let gatherings = Mutex::new(Gatherings::default());
    let met: Vec<AtomicU64> = sources.iter().map(|_| AtomicU64::new(0)).collect();
    let visit = |sighting: &Sighting<'_>| {
        let (Sighting::Whole { source_no, .. } | Sighting::Damaged { source_no, .. }) = sighting;
        if let Some(met) = met.get(*source_no) {
            met.fetch_add(1, Ordering::Relaxed);
        }
        let mut gatherings = gatherings.lock().unwrap_or_else(PoisonError::into_inner);
        match sighting {
            Sighting::Whole {
                header,
                block,
                source_no,
                offset,
            } => {
                gatherings.whole(header, block, *source_no, *offset);
            }
            Sighting::Damaged {
                header,
                block,
                slices,
                source_no,
                offset,
                ..
            } => gatherings.damaged(header, block, *source_no, *offset, *slices),
        }
        ControlFlow::Continue(())
    };
    let report = scan(&sources, &visit, monitor)?;
    monitor.finish();
    let mut gatherings = gatherings
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    gatherings.take_early();
    let (sets, findings) = sort_out(gatherings, &sources);
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

/// Returns the facts of the set on one volume, as names and values, or `None` when there are none. It only reads the
/// first blocks.
pub(crate) fn facts_of(path: &Path, monitor: &dyn Monitor) -> Option<Vec<(String, String)>> {
    /// Catalog and data lie before the next superblock. The first superblock is the first block.
    const LOOK_BYTES: u64 = 4 << 20;
    let sources = find_sources(&[path.to_owned()], monitor).ok()?;
    let found: Mutex<Option<Vec<(String, String)>>> = Mutex::new(None);
    let visit = |sighting: &Sighting<'_>| {
        let Sighting::Whole { header, block, .. } = sighting else {
            return ControlFlow::Continue(());
        };
        if header.kind != BlockKind::Superblock {
            return ControlFlow::Continue(());
        }
        let descriptor = Geometry::from_header(&header.set)
            .ok()
            .and_then(|geometry| {
                SetDescriptor::from_superblock(&geometry, block.get(HEADER_BYTES..)?)
            });
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        *found = descriptor.map(|descriptor| descriptor.facts);
        ControlFlow::Break(())
    };
    let source = sources.iter().find(|source| source.bytes > 0)?;
    let reader = Beginning {
        reader: source.open().ok()?,
        bytes: source.bytes.min(LOOK_BYTES),
    };
    scan_reader(&reader, 0, source.access, &visit, monitor).ok()?;
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The first bytes of a source, as a reader.
struct Beginning {
    reader: FileReader,
    bytes: u64,
}

impl ReadAt for Beginning {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = left.min(buf.len());
        self.reader.read_at(offset, &mut buf[..most])
    }
}

fn sort_out(
    gatherings: Gatherings,
    sources: &Arc<Vec<MediaSource>>,
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
    let readers: Arc<Vec<_>> = Arc::new(sources.iter().map(|_| OnceLock::new()).collect());
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

impl SetReader {
    /// Returns the set's id.
    pub fn set_id(&self) -> SetId {
        self.geometry.header().set_id
    }

    /// Returns which blocks were found whole.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Returns which blocks were found damaged. Whole copies of some of them may have been found elsewhere.
    pub fn damaged(&self) -> &Presence {
        &self.damaged
    }

    /// Computes what can be recovered.
    pub fn assess(&self) -> Recovery {
        recover(&self.geometry, &self.presence)
    }

    /// Returns what would complete the payload.
    pub fn needs(&self) -> SetNeeds {
        needs(&self.geometry, &self.presence, &RecoveryGoal::Payload)
    }

    /// Returns the set's descriptor.
    ///
    /// # Errors
    /// [`VolumeError::NoSuperblock`].
    pub fn descriptor(&self) -> Result<&SetDescriptor, VolumeError> {
        self.descriptor.as_ref().ok_or(VolumeError::NoSuperblock {
            set_id: self.set_id(),
        })
    }

    /// Returns the catalog, assembled from any copies of its blocks and checked by its hash and the set's id.
    ///
    /// # Errors
    /// [`VolumeError::CatalogIncomplete`], [`VolumeError::NoSuperblock`], [`VolumeError::Forged`].
    pub fn catalog(&self) -> Result<Vec<u8>, VolumeError> {
        match &self.described {
            Some(described) => Ok(described.catalog.clone()),
            None => Ok(describe(self, &self.presence)?.catalog),
        }
    }

    /// Checks whether a stretch of a data volume's payload is right. `is_right` checks all of its bytes. Another block
    /// that was found for one of its places may be the right one. Otherwise its blocks count as damaged from now on.
    /// Returns `None` when some of it is missing.
    pub(crate) fn judge(
        &mut self,
        volume_no: u16,
        range: Range<u64>,
        is_right: &dyn Fn(&[u8]) -> bool,
    ) -> Option<bool> {
        let indexes = self.geometry.blocks_of_payload(range.clone());
        let places: Vec<BlockPlace> = indexes
            .map(|index| (volume_no, self.geometry.data_place(index)))
            .collect();
        if places.iter().any(|place| !self.presence.has(*place)) {
            return None;
        }
        let candidates: Vec<Vec<Vec<u8>>> = places
            .iter()
            .map(|place| copies_of(self, true, *place))
            .collect();
        if candidates.iter().any(Vec::is_empty) {
            return None;
        }
        match right_choice(&range, &candidates, is_right) {
            Some(choice) => {
                let mut is_first = true;
                for ((place, number), blocks) in places.iter().zip(choice).zip(&candidates) {
                    if number > 0 {
                        is_first = false;
                        self.promote(*place, &blocks[number]);
                    }
                }
                Some(is_first)
            }
            None => {
                for place in places {
                    self.presence.remove(place);
                    self.damaged.add(place);
                }
                Some(false)
            }
        }
    }

    fn promote(&mut self, place: BlockPlace, block: &[u8]) {
        let mut other = vec![0; block.len()];
        for number in 1..=OTHERS_MAX {
            if matches!(self.read_other(place, number, &mut other), Ok(true)) && other == block {
                self.locations.promote(place, number);
                return;
            }
        }
    }

    /// Removes superblocks and catalog blocks that do not match the set's id, and returns their places.
    pub(crate) fn take_out_liars(&mut self) -> Vec<BlockPlace> {
        let Some(described) = &self.described else {
            return Vec::new();
        };
        let places = liars(self, &self.presence, described).unwrap_or_default();
        for place in &places {
            self.presence.remove(*place);
            self.damaged.add(*place);
        }
        places
    }

    /// Returns a reader of a data volume's payload as it was found, without healing.
    ///
    /// # Errors
    /// [`VolumeError::NoSuperblock`].
    pub fn payload_reader(&self, volume_no: u16) -> Result<PayloadReader<'_>, VolumeError> {
        let bytes = self.descriptor()?.payload_bytes[usize::from(volume_no) - 1];
        Ok(PayloadReader::new(self, volume_no, bytes))
    }

    /// Returns the file or device on which the block was found.
    pub(crate) fn source_of(&self, place: BlockPlace) -> Option<&Path> {
        let (source_no, _) = self.locations.get(place)?;
        Some(&self.sources.get(source_no)?.path)
    }
}

impl Blocks for SetReader {
    fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    fn read_raw(&self, place: BlockPlace, block: &mut [u8]) -> Result<bool, VolumeError> {
        match self.locations.get(place) {
            Some(location) => self.read_at(location, block),
            None => Ok(false),
        }
    }

    fn read_other(
        &self,
        place: BlockPlace,
        number: usize,
        block: &mut [u8],
    ) -> Result<bool, VolumeError> {
        match self.locations.other(place, number) {
            Some(location) => self.read_at(location, block),
            None => Ok(false),
        }
    }

    fn read_slices(&self, place: BlockPlace, block: &mut [u8]) -> Result<Slices, VolumeError> {
        let copies = self.read_copies(place);
        let expected = header_at(&self.geometry, place);
        let mut budget = JOIN_BUDGET;
        if let Some(whole) = join(&copies, &expected, &mut budget) {
            block.copy_from_slice(&whole);
            return Ok(Slices::ALL);
        }
        let mut known = Slices::NONE;
        for copy in copies.iter().filter(|copy| !copy.slices.is_all()) {
            for slice in copy.slices.and(known.others()).iter() {
                block[bytes_of(slice)].copy_from_slice(&copy.bytes[bytes_of(slice)]);
                known.add(slice);
            }
        }
        // All slices that do not make the block right prove nothing.
        Ok(if known.is_all() { Slices::NONE } else { known })
    }
}

impl SetReader {
    /// Decides which slices of damaged blocks are known. A copy of which every slice was read has a wrong one, so it
    /// counts only together with other copies.
    fn know_parts(&mut self) {
        let mut block = vec![0; BLOCK_BYTES];
        for (place, copies) in &self.parts {
            if self.presence.has(*place) {
                continue;
            }
            // A single copy was tried by itself when it was found.
            let known = match copies[..] {
                [(_, _, slices)] if slices.is_all() => Slices::NONE,
                [(_, _, slices)] if !self.presence.slices(*place).is_all() => slices,
                [_] => Slices::ALL,
                _ => self.read_slices(*place, &mut block).unwrap_or(Slices::NONE),
            };
            self.presence.set_slices(*place, known);
        }
    }

    /// Reads the damaged copies of a block again.
    fn read_copies(&self, place: BlockPlace) -> Vec<DamagedCopy> {
        let locations = self.parts.get(&place).map_or(&[][..], Vec::as_slice);
        let read = |(source_no, offset, slices): &(usize, u64, Slices)| {
            let mut copy = DamagedCopy {
                bytes: vec![0; BLOCK_BYTES],
                slices: Slices::NONE,
            };
            for slice in slices.iter() {
                let range = bytes_of(slice);
                let at = (*source_no, *offset + range.start as u64);
                if matches!(self.read_at(at, &mut copy.bytes[range]), Ok(true)) {
                    copy.slices.add(slice);
                }
            }
            copy
        };
        locations.iter().map(read).collect()
    }

    fn read_at(
        &self,
        (source_no, offset): (usize, u64),
        block: &mut [u8],
    ) -> Result<bool, VolumeError> {
        let source = &self.sources[source_no];
        let reader = self.readers[source_no].get_or_init(|| source.open().ok());
        let Some(reader) = reader else {
            return Ok(false);
        };
        let mut done = 0;
        while done < block.len() {
            match reader.read_at(offset + done as u64, &mut block[done..]) {
                Ok(0) => return Ok(false),
                Ok(len) => done += len,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(VolumeError::io(&source.path)(error)),
            }
        }
        Ok(true)
    }
}
