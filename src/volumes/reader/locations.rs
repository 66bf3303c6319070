//! Where the blocks of a set lie on its sources.
//!
//! It keeps a place and a hash for each block, and reads nothing.

use std::collections::HashMap;

use crate::volumes::blocks::OTHERS_MAX;
use crate::volumes::recovery::BlockPlace;
use crate::volumes::slices::Slices;
use crate::volumes::staged_images::BlockHash;

/// Places are kept in pages of this many blocks, so that memory depends on the blocks found and not on a header's
/// claim.
const PAGE_BLOCKS: u32 = 1024;
const OFFSET_BITS: u32 = 44;
const NOWHERE: u64 = u64::MAX;
/// Most places of which other blocks are recorded.
const OTHER_PLACES_MAX: usize = 1 << 20;

/// What became of a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlacePut {
    /// It is kept.
    Kept,
    /// The same block is known from elsewhere, or enough others are.
    Known,
    /// It cannot be recorded.
    Refused,
}

/// The locations of blocks.
#[derive(Debug, Default)]
pub(super) struct Locations {
    pub(super) pages: HashMap<BlockPlace, Box<[(u64, BlockHash)]>>,
    /// Locations of other blocks that were found for a place. All have right hashes.
    pub(super) others: HashMap<BlockPlace, Vec<(u64, BlockHash)>>,
}

impl Locations {
    pub(super) fn page(&self, (volume_no, block_no): BlockPlace) -> (BlockPlace, usize) {
        let within = usize::try_from(block_no % PAGE_BLOCKS).expect("below a page's size");
        ((volume_no, block_no / PAGE_BLOCKS), within)
    }

    pub(super) fn put(
        &mut self,
        place: BlockPlace,
        source_no: usize,
        offset: u64,
        tag: BlockHash,
    ) -> PlacePut {
        let source_no = source_no as u64;
        if offset >> OFFSET_BITS != 0 || source_no >= 1 << (63 - OFFSET_BITS) {
            return PlacePut::Refused;
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
            return PlacePut::Kept;
        }
        if known_tag != tag && self.others.len() < OTHER_PLACES_MAX {
            let others = self.others.entry(place).or_default();
            if others.len() < OTHERS_MAX && others.iter().all(|(_, known)| *known != tag) {
                others.push((packed, tag));
                return PlacePut::Kept;
            }
        }
        PlacePut::Known
    }

    /// Puts another block in the place of the first.
    pub(super) fn promote(&mut self, place: BlockPlace, number: usize) {
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

    pub(super) fn other(&self, place: BlockPlace, number: usize) -> Option<(usize, u64)> {
        let (packed, _) = *self.others.get(&place)?.get(number.checked_sub(1)?)?;
        let source_no = usize::try_from(packed >> OFFSET_BITS).ok()?;
        Some((source_no, packed & ((1 << OFFSET_BITS) - 1)))
    }

    pub(super) fn get(&self, place: BlockPlace) -> Option<(usize, u64)> {
        let (page, within) = self.page(place);
        let (packed, _) = *self.pages.get(&page)?.get(within)?;
        let source_no = usize::try_from(packed >> OFFSET_BITS).ok()?;
        (packed != NOWHERE).then_some((source_no, packed & ((1 << OFFSET_BITS) - 1)))
    }
}

/// The locations of damaged blocks, and the slices that were read there.
pub(super) type PartLocations = HashMap<BlockPlace, Vec<(usize, u64, Slices)>>;
