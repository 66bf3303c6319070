//! What is known of a block that is not whole: the slices that were read, without those that a drive may have invented.
//!
//! It judges bytes and gaps. `scan` finds blocks and hashes them.

use std::ops::Range;

use crate::volumes::block::{BlockSize, HEADER_BYTES};
use crate::volumes::slices::{self, SLICE_BYTES, Slices, bytes_of};

/// A block's place on a source: its bytes as far as they reach, and the parts of them that could not be read.
pub(super) struct BlockBytes<'a> {
    bytes: &'a [u8],
    /// Parts of the block that could not be read, in order.
    gaps: Vec<Range<usize>>,
    size: BlockSize,
}

impl<'a> BlockBytes<'a> {
    /// Takes the bytes at a place, at most a block of this size, and the ranges of them that could not be read.
    pub(super) fn new(bytes: &'a [u8], gaps: Vec<Range<usize>>, size: BlockSize) -> Self {
        Self { bytes, gaps, size }
    }

    /// Returns whether every byte of the header was read.
    pub(super) fn has_header_bytes(&self) -> bool {
        self.bytes.len() >= HEADER_BYTES
            && self
                .gaps
                .first()
                .is_none_or(|gap| gap.start >= HEADER_BYTES)
    }

    /// Returns the slices that were read. The block's hash is wrong.
    ///
    /// A drive may give zeros, or another sector, instead of an error. Where nothing else explains the wrong hash, a
    /// slice of zeros or one that repeats another slice is not taken for known. Payload may have such slices too.
    pub(super) fn known(&self) -> Slices {
        let count = slices::count_of(self.size);
        let mut known = Slices::all(self.size);
        for gap in &self.gaps {
            for slice in gap.start / SLICE_BYTES..gap.end.div_ceil(SLICE_BYTES).min(count) {
                known.remove(slice);
            }
        }
        for slice in self.bytes.len() / SLICE_BYTES..count {
            known.remove(slice);
        }
        if self.gaps.is_empty() && self.bytes.len() == self.size.bytes() {
            known = known.without(self.suspects());
        }
        known
    }

    /// Returns whether the slice that should begin with the header is zero.
    pub(super) fn begins_with_zeros(&self) -> bool {
        self.bytes.get(bytes_of(0)).is_some_and(is_zero)
    }

    /// Returns the slices of zeros and those that occur twice.
    fn suspects(&self) -> Slices {
        let slice = |no: usize| &self.bytes[bytes_of(no)];
        let mut suspects = Slices::NONE;
        let mut others: Vec<usize> = Vec::with_capacity(slices::count_of(self.size));
        for no in 0..slices::count_of(self.size) {
            if is_zero(slice(no)) {
                suspects.add(no);
            } else {
                others.push(no);
            }
        }
        others.sort_unstable_by_key(|no| slice(*no));
        for pair in others.windows(2) {
            if slice(pair[0]) == slice(pair[1]) {
                suspects.add(pair[0]);
                suspects.add(pair[1]);
            }
        }
        suspects
    }

    /// Returns the bytes as a whole block, with zeros behind the end of the source.
    pub(super) fn padded<'b>(&self, room: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        if self.bytes.len() == self.size.bytes() {
            return self.bytes;
        }
        room.clear();
        room.extend_from_slice(self.bytes);
        room.resize(self.size.bytes(), 0);
        room
    }
}

/// Returns whether a slice is all zeros. Comparing is many times faster than a loop, and media hold many zeros.
fn is_zero(slice: &[u8]) -> bool {
    slice == [0; SLICE_BYTES]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::single_range_in_vec_init)]
    use super::*;
    use crate::volumes::block::BLOCK_BYTES;

    fn block() -> Vec<u8> {
        (0..BLOCK_BYTES)
            .map(|at| u8::try_from((at / SLICE_BYTES + at) % 251 + 1).expect("below 252"))
            .collect()
    }

    fn lost(known: Slices) -> Vec<usize> {
        Slices::all(BlockSize::Full).without(known).iter().collect()
    }

    #[test]
    fn slices_that_a_gap_touches_are_not_known() {
        let bytes = block();
        let of = |gaps: Vec<Range<usize>>| BlockBytes::new(&bytes, gaps, BlockSize::Full);
        assert_eq!(lost(of(vec![2047..2049]).known()), [0, 1]);
        assert_eq!(lost(of(vec![0..1, 65_535..65_536]).known()), [0, 31]);
        assert!(of(vec![0..BLOCK_BYTES]).known().is_none());
        assert!(of(vec![64..100]).has_header_bytes());
        assert!(!of(vec![63..100]).has_header_bytes());
        assert!(!BlockBytes::new(&bytes[..63], vec![], BlockSize::Full).has_header_bytes());
    }

    #[test]
    fn behind_the_end_nothing_is_known_and_zeros_stand_there() {
        let bytes = block();
        let cut = BlockBytes::new(&bytes[..5000], vec![], BlockSize::Full);
        assert_eq!(cut.known().iter().collect::<Vec<_>>(), [0, 1]);
        let mut room = vec![9; 3];
        let padded = cut.padded(&mut room);
        assert_eq!(padded.len(), BLOCK_BYTES);
        assert_eq!(padded[..5000], bytes[..5000]);
        assert!(padded[5000..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn zeros_and_repeated_slices_are_suspects_only_where_no_gap_explains_the_hash() {
        let mut bytes = block();
        bytes[bytes_of(4)].fill(0);
        bytes.copy_within(bytes_of(9), bytes_of(20).start);
        assert_eq!(
            lost(BlockBytes::new(&bytes, vec![], BlockSize::Full).known()),
            [4, 9, 20]
        );
        let with_gap = BlockBytes::new(&bytes, vec![2048..4096], BlockSize::Full);
        assert_eq!(lost(with_gap.known()), [1]);
    }
}
