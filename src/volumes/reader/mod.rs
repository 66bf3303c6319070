//! Finds volume sets on any mix of sources and reads them as they are. Several damaged copies together count as one
//! better copy.
//!
//! It heals nothing (see `heal` and `rebuild`). Of each block it keeps only the place and the hash: 24 bytes a block.

mod discover;
mod glimpse;
mod locations;
mod spools;

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::base::id::SetId;
use crate::base::read_at::ReadAt;
use crate::base::signing::Signature;
use crate::volumes::block::{BlockSize, HEADER_BYTES};
use crate::volumes::blocks::{Blocks, OTHERS_MAX, copies_of, header_at};
use crate::volumes::choices::right_choice;
use crate::volumes::described::{Described, describe, forged_blocks};
use crate::volumes::geometry::Geometry;
use crate::volumes::join::{DamagedCopy, join};
use crate::volumes::media::{AccessPattern, MediaSource};
use crate::volumes::recovery::{
    BlockPlace, Presence, Recovery, RecoveryGoal, SetNeeds, needs, recover,
};
use crate::volumes::signatures::{self, SetSignatures, wrong_superblocks};
use crate::volumes::slices::{self, Slices, bytes_of};
use crate::volumes::{PayloadReader, SetDescriptor, VolumeError};

pub(crate) use self::discover::discover_contents;
pub use self::discover::{Discovery, discover, discover_within};
pub(crate) use self::glimpse::{Glimpse, facts_of, glimpse};
use self::locations::{Locations, PartLocations};

/// Most hashes that joining the copies of all blocks takes when a set is found: 16 GiB of blocks.
const JOIN_BUDGET: u32 = 1 << 18;

/// One set, as found on its sources.
#[derive(Debug)]
pub struct SetReader {
    geometry: Geometry,
    presence: Presence,
    damaged: Presence,
    locations: Locations,
    parts: PartLocations,
    described: Option<Described>,
    descriptor: Option<SetDescriptor>,
    sources: Arc<Vec<MediaSource>>,
    readers: Arc<Vec<OnceLock<Option<OpenSource>>>>,
    /// Number of whole blocks found, duplicates counted twice.
    sightings: u64,
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

    /// Returns whether several threads may read its sources.
    pub(crate) fn is_parallel(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.all(|source| source.access == AccessPattern::Parallel)
    }

    /// Returns whether a stretch of a data volume's payload is right as it lies there. Where it is not, [`Self::judge`]
    /// knows more. Overwrites `bytes`.
    pub(crate) fn stands(
        &self,
        volume_no: u16,
        range: &Range<u64>,
        bytes: &mut Vec<u8>,
        is_right: &dyn Fn(&[u8]) -> bool,
    ) -> bool {
        let indexes = self.geometry.blocks_of_payload(range.clone());
        let block_payload = self.geometry.block_size().payload_bytes();
        bytes.resize(indexes.len() * block_payload, 0);
        for (index, payload) in indexes.zip(bytes.chunks_mut(block_payload)) {
            let place = (volume_no, self.geometry.data_place(index));
            // What makes the stretch right makes its blocks right, so they are not hashed again.
            let found = self.locations.get(place);
            let found = found.filter(|_| self.presence.has(place));
            let read = found.map(|(source_no, offset)| {
                self.read_at((source_no, offset + HEADER_BYTES as u64), payload)
            });
            if !matches!(read, Some(Ok(true))) {
                return false;
            }
        }
        let skip = usize::try_from(range.start % block_payload as u64).unwrap_or(usize::MAX);
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let stretch = bytes.get(skip..).and_then(|rest| rest.get(..length));
        stretch.is_some_and(is_right)
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
    pub(crate) fn remove_forged_blocks(&mut self) -> Vec<BlockPlace> {
        let Some(described) = &self.described else {
            return Vec::new();
        };
        let mut places = forged_blocks(self, &self.presence, described).unwrap_or_default();
        places.extend(wrong_superblocks(self, &self.presence, described));
        places.sort_unstable();
        places.dedup();
        for place in &places {
            self.presence.remove(*place);
            self.damaged.add(*place);
        }
        places
    }

    /// Returns who signed the set. Nobody did as long as catalog and descriptor are not known.
    pub fn signatures(&self) -> SetSignatures {
        let described = self.described.as_ref();
        described.map_or_else(SetSignatures::default, |described| {
            signatures::of_set(self, &self.presence, described)
        })
    }

    /// Returns the set's root in hex, when catalog and descriptor are known.
    pub fn root_hex(&self) -> Option<String> {
        self.described.as_ref().map(Described::root_hex)
    }

    /// Returns the statement and the signatures that its volumes were written with.
    pub(crate) fn signatures_written(&self) -> (String, Vec<Signature>) {
        let described = self.described.as_ref();
        described.map_or_else(Default::default, |described| {
            signatures::written(self, &self.presence, described)
        })
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
        // Only what was joined when the set was found is joined again. Other tries would cost as much each time.
        let size = self.geometry.block_size();
        if self.presence.slices(place).is_all(size) {
            let expected = header_at(&self.geometry, place);
            let whole = join(&copies, &expected, &mut { JOIN_BUDGET });
            return Ok(match whole {
                Some(whole) => {
                    block.copy_from_slice(&whole);
                    Slices::all(size)
                }
                None => Slices::NONE,
            });
        }
        Ok(unite(&copies, size, block))
    }
}

impl SetReader {
    /// Decides which slices of damaged blocks are known. A copy of which every slice was read has a wrong one, so it
    /// counts only together with other copies.
    fn know_parts(&mut self) {
        let mut budget = JOIN_BUDGET;
        let size = self.geometry.block_size();
        let mut block = vec![0; size.bytes()];
        for (place, locations) in &self.parts {
            // A single copy was tried by itself when it was found.
            let known = match locations[..] {
                [(_, _, slices)] if slices.is_all(size) => Slices::NONE,
                [(_, _, slices)] if !self.presence.slices(*place).is_all(size) => slices,
                [_] => continue,
                _ if self.presence.has(*place) => continue,
                _ => {
                    let copies = self.read_copies(*place);
                    let expected = header_at(&self.geometry, *place);
                    match join(&copies, &expected, &mut budget) {
                        Some(_) => Slices::all(size),
                        None => unite(&copies, size, &mut block),
                    }
                }
            };
            self.presence.set_slices(*place, known);
        }
    }

    /// Reads the damaged copies of a block again.
    fn read_copies(&self, place: BlockPlace) -> Vec<DamagedCopy> {
        let locations = self.parts.get(&place).map_or(&[][..], Vec::as_slice);
        let read = |(source_no, offset, slices): &(usize, u64, Slices)| {
            let mut copy = DamagedCopy {
                bytes: vec![0; self.geometry.block_bytes()],
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
        let reader = self.readers[source_no].get_or_init(|| source.open().ok().map(OpenSource));
        let Some(reader) = reader else {
            return Ok(false);
        };
        let mut done = 0;
        while done < block.len() {
            match reader.0.read_at(offset + done as u64, &mut block[done..]) {
                Ok(0) => return Ok(false),
                Ok(len) => done += len,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(VolumeError::io(&source.path)(error)),
            }
        }
        Ok(true)
    }
}

/// A source that stays open.
pub(super) struct OpenSource(pub(super) Arc<dyn ReadAt>);

impl fmt::Debug for OpenSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("OpenSource")
    }
}

/// Copies the slices that the copies know into `block` and returns them. All slices of a block that could not be joined
/// prove nothing.
fn unite(copies: &[DamagedCopy], size: BlockSize, block: &mut [u8]) -> Slices {
    let mut known = Slices::NONE;
    for copy in copies.iter().filter(|copy| !copy.slices.is_all(size)) {
        slices::copy(copy.slices.without(known), &copy.bytes, block);
        known = known.or(copy.slices);
    }
    if known.is_all(size) {
        Slices::NONE
    } else {
        known
    }
}
