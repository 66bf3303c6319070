//! Which blocks of a set are present, as bitmaps, and which slices of damaged blocks are known.
//!
//! It does not know what that means for other blocks.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::volumes::block::BlockSize;
use crate::volumes::geometry::Geometry;
use crate::volumes::slices::{SLICE_BYTES, Slices};

/// One bit for each block of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    count: u32,
}

impl Bits {
    /// Creates a bitmap of zeros for `len` blocks.
    pub fn new(len: u32) -> Self {
        Self {
            words: vec![0; len.div_ceil(64) as usize],
            count: 0,
        }
    }

    /// Creates a bitmap of ones for `len` blocks.
    fn full(len: u32) -> Self {
        let mut words = vec![u64::MAX; len.div_ceil(64) as usize];
        if let Some(last) = words.last_mut()
            && !len.is_multiple_of(64)
        {
            *last = (1 << (len % 64)) - 1;
        }
        Self { words, count: len }
    }

    /// Returns whether the bit is set, and `false` beyond the end.
    pub fn get(&self, at: u32) -> bool {
        self.words
            .get(at as usize / 64)
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Sets a bit and returns whether it was clear.
    pub fn set(&mut self, at: u32) -> bool {
        let (word, bit) = (&mut self.words[at as usize / 64], 1 << (at % 64));
        let fresh = *word & bit == 0;
        *word |= bit;
        self.count += u32::from(fresh);
        fresh
    }

    /// Clears a bit and returns whether it was set.
    pub fn clear(&mut self, at: u32) -> bool {
        let was = self.get(at);
        if was {
            self.words[at as usize / 64] &= !(1 << (at % 64));
            self.count -= 1;
        }
        was
    }

    /// Returns how many bits are set.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Returns how many bits of `range` are set.
    fn count_in(&self, range: Range<u32>) -> u32 {
        let (first, end) = (range.start / 64, range.end.div_ceil(64));
        let word = |at: u32| {
            let mut word = self.words.get(at as usize).copied().unwrap_or(0);
            if at == first {
                word &= u64::MAX << (range.start % 64);
            }
            if at + 1 == end && !range.end.is_multiple_of(64) {
                word &= (1 << (range.end % 64)) - 1;
            }
            word.count_ones()
        };
        (first..end).map(word).sum()
    }

    /// Returns whether every bit that is set in `other` is set here.
    fn covers(&self, other: &Self) -> bool {
        let word = |at: usize| self.words.get(at).copied().unwrap_or(0);
        let mut others = other.words.iter().enumerate();
        others.all(|(at, wanted)| wanted & !word(at) == 0)
    }

    /// Returns the words, lowest bit first.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Creates a bitmap from the words that [`Self::words`] gave. Returns `None` when they are not exactly `len` bits.
    pub(crate) fn from_words(words: Vec<u64>, len: u32) -> Option<Self> {
        let tail = len % 64;
        let spill = words
            .last()
            .is_some_and(|last| tail != 0 && last >> tail != 0);
        if words.len() != len.div_ceil(64) as usize || spill {
            return None;
        }
        let count = words.iter().map(|word| word.count_ones()).sum();
        Some(Self { words, count })
    }
}

/// A place in a set: volume number and block number.
pub(crate) type BlockPlace = (u16, u32);

/// Which blocks of a set are present. A volume without present blocks takes no memory.
///
/// A block is present when all of it is there and its hash is right. Of other blocks some slices may be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    volumes: Vec<Option<Bits>>,
    volume_blocks: u32,
    block_size: BlockSize,
    /// The known slices of blocks that are not present.
    parts: BTreeMap<BlockPlace, Slices>,
}

impl Presence {
    /// Creates one without any blocks.
    pub fn new(geometry: &Geometry) -> Self {
        Self {
            volumes: vec![None; usize::from(geometry.volume_count())],
            volume_blocks: geometry.volume_blocks(),
            block_size: geometry.block_size(),
            parts: BTreeMap::new(),
        }
    }

    fn bits(&self, volume_no: u16) -> Option<&Bits> {
        self.volumes
            .get(usize::from(volume_no).checked_sub(1)?)?
            .as_ref()
    }

    /// Returns whether the block is present.
    pub fn has(&self, (volume_no, block_no): BlockPlace) -> bool {
        self.bits(volume_no).is_some_and(|bits| bits.get(block_no))
    }

    /// Returns whether anything of the volume is there: a block or a part of one.
    pub fn seen(&self, volume_no: u16) -> bool {
        self.count(volume_no) > 0 || self.has_parts(volume_no)
    }

    /// Returns the known slices of a block: all of them when it is present.
    pub fn slices(&self, place: BlockPlace) -> Slices {
        if self.has(place) {
            return Slices::all(self.block_size);
        }
        self.parts.get(&place).copied().unwrap_or(Slices::NONE)
    }

    /// Replaces the known slices of a block that is not present. It does not become present, because its hash was not
    /// checked.
    pub fn set_slices(&mut self, place: BlockPlace, slices: Slices) {
        if slices.is_none() || self.has(place) {
            self.parts.remove(&place);
        } else {
            self.parts.insert(place, slices);
        }
    }

    /// Returns the blocks of which only some slices are known, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (BlockPlace, Slices)> {
        self.parts.iter().map(|(place, slices)| (*place, *slices))
    }

    /// Returns the bytes of the volume that are known: present blocks, and slices of others.
    pub(crate) fn known_bytes(&self, volume_no: u16) -> u64 {
        let parts = self.parts.range((volume_no, 0)..=(volume_no, u32::MAX));
        let slices: u64 = parts.map(|(_, slices)| u64::from(slices.count())).sum();
        self.block_size.total(self.count(volume_no)) + slices * SLICE_BYTES as u64
    }

    /// Returns whether the volume has such blocks.
    pub(crate) fn has_parts(&self, volume_no: u16) -> bool {
        let mut parts = self.parts.range((volume_no, 0)..=(volume_no, u32::MAX));
        parts.next().is_some()
    }

    /// Returns how many blocks of the volume are present.
    pub fn count(&self, volume_no: u16) -> u32 {
        self.bits(volume_no).map_or(0, Bits::count)
    }

    /// Returns how many blocks of the volume in these places are present.
    pub(crate) fn count_in(&self, volume_no: u16, places: Range<u32>) -> u32 {
        self.bits(volume_no).map_or(0, |bits| bits.count_in(places))
    }

    /// Adds a block, and returns whether it was missing before.
    ///
    /// # Panics
    /// When the set has no such place.
    pub fn add(&mut self, (volume_no, block_no): BlockPlace) -> bool {
        assert!(
            volume_no > 0 && block_no < self.volume_blocks,
            "a place of the set"
        );
        self.parts.remove(&(volume_no, block_no));
        self.volumes[usize::from(volume_no) - 1]
            .get_or_insert_with(|| Bits::new(self.volume_blocks))
            .set(block_no)
    }

    /// Removes a block, and returns whether it was present before.
    pub fn remove(&mut self, (volume_no, block_no): BlockPlace) -> bool {
        let slot = usize::from(volume_no)
            .checked_sub(1)
            .and_then(|at| self.volumes.get_mut(at));
        slot.and_then(Option::as_mut)
            .is_some_and(|bits| bits.clear(block_no))
    }

    /// Adds every block of the volume.
    pub fn add_volume(&mut self, volume_no: u16) {
        self.parts.retain(|(no, _), _| *no != volume_no);
        self.volumes[usize::from(volume_no) - 1] = Some(Bits::full(self.volume_blocks));
    }

    /// Returns whether every block of `other` is present here.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let mut volumes = (1..).zip(&other.volumes).map(|(no, _)| no);
        volumes.all(|no| self.covers_volume(other, no))
    }

    /// Returns whether every block of this volume in `other` is present here.
    pub(crate) fn covers_volume(&self, other: &Self, volume_no: u16) -> bool {
        match (self.bits(volume_no), other.bits(volume_no)) {
            (_, None) => true,
            (None, Some(wanted)) => wanted.count() == 0,
            (Some(own), Some(wanted)) => own.covers(wanted),
        }
    }

    /// Returns the bitmap of a volume, or `None` when none of its blocks is present.
    pub fn volume(&self, volume_no: u16) -> Option<&Bits> {
        self.bits(volume_no)
    }

    /// Replaces the bitmap of a volume.
    pub(crate) fn set_volume(&mut self, volume_no: u16, bits: Bits) {
        self.parts
            .retain(|(no, block_no), _| *no != volume_no || !bits.get(*block_no));
        self.volumes[usize::from(volume_no) - 1] = Some(bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_within_any_range() {
        for len in [1, 63, 64, 65, 200] {
            let full = Bits::full(len);
            let mut third = Bits::new(len);
            (0..len).step_by(3).for_each(|at| {
                third.set(at);
            });
            assert_eq!(
                Bits::from_words(full.words().to_vec(), len).as_ref(),
                Some(&full)
            );
            for start in 0..len {
                for end in start..=len {
                    assert_eq!(full.count_in(start..end), end - start);
                    let slow = (start..end).filter(|at| third.get(*at)).count();
                    assert_eq!(third.count_in(start..end) as usize, slow, "{start}..{end}");
                }
            }
        }
    }
}
