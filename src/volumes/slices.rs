//! The slices of a block: its sectors as a disc has them, so that one bad sector does not cost the whole block.
//!
//! A set of slices says which bytes of a damaged block are known. It knows neither media nor codes.

use std::ops::Range;

use crate::volumes::block::{BLOCK_BYTES, BlockSize, HEADER_BYTES};

/// Bytes of a slice, which are the bytes of a sector on discs.
pub const SLICE_BYTES: usize = 2048;
/// Slices of a full block. No block has more.
pub const SLICES: usize = BLOCK_BYTES / SLICE_BYTES;

/// Which slices of a block are known. Slice 0 begins with the block's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slices(u32);

impl Slices {
    /// No slice.
    pub const NONE: Self = Self(0);

    /// Returns every slice of a block of this size.
    pub const fn all(size: BlockSize) -> Self {
        Self(u32::MAX >> (SLICES - count_of(size)))
    }

    /// Returns the slices whose bits are set, the lowest bit for slice 0.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Returns one bit for each slice, the lowest for slice 0.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Returns whether a slice is known, and `false` beyond the last one.
    pub fn has(self, slice: usize) -> bool {
        slice < SLICES && self.0 >> slice & 1 == 1
    }

    /// Adds a slice.
    ///
    /// # Panics
    /// When a block has no such slice.
    pub fn add(&mut self, slice: usize) {
        assert!(slice < SLICES, "a slice of a block");
        self.0 |= 1 << slice;
    }

    /// Removes a slice.
    ///
    /// # Panics
    /// When a block has no such slice.
    pub fn remove(&mut self, slice: usize) {
        assert!(slice < SLICES, "a slice of a block");
        self.0 &= !(1 << slice);
    }

    /// Returns the slices of either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the slices of both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the slices that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns the number of slices.
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Returns whether no slice is known.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Returns whether every slice of a block of this size is known.
    pub fn is_all(self, size: BlockSize) -> bool {
        self == Self::all(size)
    }

    /// Returns the numbers of the slices in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..SLICES).filter(move |slice| self.has(*slice))
    }
}

/// Returns the number of slices of a block of this size.
pub const fn count_of(size: BlockSize) -> usize {
    size.bytes() / SLICE_BYTES
}

/// Returns the bytes of a slice within its block.
pub fn bytes_of(slice: usize) -> Range<usize> {
    slice * SLICE_BYTES..(slice + 1) * SLICE_BYTES
}

/// Copies these slices from one block to another.
pub(crate) fn copy(slices: Slices, from: &[u8], to: &mut [u8]) {
    for slice in slices.iter() {
        to[bytes_of(slice)].copy_from_slice(&from[bytes_of(slice)]);
    }
}

/// Returns whether two blocks have the same bytes in these slices.
pub(crate) fn agree(slices: Slices, one: &[u8], other: &[u8]) -> bool {
    slices
        .iter()
        .all(|slice| one[bytes_of(slice)] == other[bytes_of(slice)])
}

/// Returns the bytes of a slice within the block's payload. Slice 0 is shorter by the header. Every slice begins and ends at
/// a multiple of 64 bytes, as the codes require.
pub fn payload_of(slice: usize) -> Range<usize> {
    let bytes = bytes_of(slice);
    bytes.start.saturating_sub(HEADER_BYTES)..bytes.end - HEADER_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_the_payload_in_steps_of_the_codes() {
        let mut at = 0;
        for slice in 0..SLICES {
            let range = payload_of(slice);
            assert_eq!(range.start, at);
            assert!(range.start.is_multiple_of(64) && range.end.is_multiple_of(64));
            at = range.end;
        }
        assert_eq!(at, BLOCK_BYTES - HEADER_BYTES);
    }

    #[test]
    fn sets_of_slices_add_up() {
        let mut known = Slices::NONE;
        known.add(0);
        known.add(31);
        assert_eq!(known.iter().collect::<Vec<_>>(), [0, 31]);
        let all = Slices::all(BlockSize::Full);
        assert!(known.or(all.without(known)).is_all(BlockSize::Full));
        assert!(known.and(all.without(known)).is_none());
        assert_eq!(Slices::all(BlockSize::Small).bits(), 0b11);
        assert!(!all.is_all(BlockSize::Small));
        known.remove(0);
        assert!(!known.has(0) && known.has(31) && !known.has(32));
        assert_eq!(known.count(), 1);
    }
}
