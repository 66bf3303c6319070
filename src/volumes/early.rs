//! Damaged blocks that came before a whole block showed what their header is worth.
//!
//! On a scratched disc every block may be hurt. Two headers that agree are then as good as a whole block: a sector is
//! read right or not at all, and damage does not make the same numbers twice. It holds blocks, and does not know what
//! they are for. Memory: as many blocks as the caller allows, the oldest of which go first.

use std::collections::VecDeque;

use crate::volumes::block::{BlockHeader, SetHeader};
use crate::volumes::blocks::header_at;
use crate::volumes::geometry::Geometry;

/// Damaged blocks, each with what the caller keeps of it.
#[derive(Debug)]
pub(super) struct EarlyBlocks<T> {
    held: VecDeque<(BlockHeader, T)>,
    held_max: usize,
}

impl<T> EarlyBlocks<T> {
    /// Holds so many blocks at most.
    pub(super) fn new(held_max: usize) -> Self {
        Self {
            held: VecDeque::new(),
            held_max,
        }
    }

    /// Holds a block. Returns whether its header and an earlier one name two places of the same set.
    pub(super) fn hold(&mut self, header: &BlockHeader, kept: T) -> bool {
        let is_agreed = self.held.iter().any(|(other, _)| agree(header, other));
        if self.held.len() >= self.held_max {
            self.held.pop_front();
        }
        self.held.push_back((*header, kept));
        is_agreed
    }

    /// Returns whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes out the blocks of one set, in order.
    pub(super) fn take(&mut self, set: &SetHeader) -> Vec<(BlockHeader, T)> {
        let (own, others) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|(header, _)| header.set == *set);
        self.held = others;
        VecDeque::into(own)
    }

    /// Takes out all blocks, in order.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = (BlockHeader, T)> {
        std::mem::take(&mut self.held).into_iter()
    }
}

/// Returns whether two headers name two places of one set, and each block has the kind of its place.
pub(super) fn agree(one: &BlockHeader, other: &BlockHeader) -> bool {
    let place = |header: &BlockHeader| (header.volume_no, header.block_no);
    if one.set != other.set || place(one) == place(other) {
        return false;
    }
    Geometry::from_header(&one.set).is_ok_and(|geometry| {
        [one, other]
            .iter()
            .all(|header| header_at(&geometry, place(header)) == **header)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SetId;
    use crate::volumes::block::{BlockKind, BlockSize, ParityCodec};

    fn header(set_id: u8, block_no: u32) -> BlockHeader {
        let set = SetHeader {
            set_id: SetId([set_id; 16]),
            block_size: BlockSize::Full,
            codec: ParityCodec::Gf16,
            data_volumes: 1,
            spare_volumes: 0,
            stripe_width: 0,
            local_data: 9,
            local_parity: 1,
            catalog_blocks: 1,
            volume_blocks: 1000,
        };
        let geometry = Geometry::from_header(&set).expect("numbers of a set");
        header_at(&geometry, (1, block_no))
    }

    #[test]
    fn two_places_of_one_set_agree() {
        let mut early = EarlyBlocks::new(4);
        assert!(!early.hold(&header(1, 10), 'a'));
        assert!(!early.hold(&header(2, 11), 'b'));
        // The same place once more proves nothing.
        assert!(!early.hold(&header(1, 10), 'c'));
        assert!(early.hold(&header(1, 12), 'd'));
        let taken = early.take(&header(1, 0).set).into_iter();
        assert_eq!(taken.map(|(_, kept)| kept).collect::<String>(), "acd");
        assert_eq!(early.take_all().count(), 1);
        assert!(early.is_empty());
    }

    #[test]
    fn a_wrong_kind_or_other_numbers_do_not_agree() {
        let mut odd = header(1, 12);
        odd.kind = BlockKind::WideParity;
        assert!(!agree(&header(1, 10), &odd));
        let mut odd = header(1, 12);
        odd.set.local_data = 8;
        assert!(!agree(&header(1, 10), &odd));
        // Numbers that make no set.
        let mut pair = [header(1, 10), header(1, 12)];
        pair.iter_mut()
            .for_each(|header| header.set.catalog_blocks = u32::MAX);
        assert!(!agree(&pair[0], &pair[1]));
    }

    #[test]
    fn few_are_held_and_the_oldest_go() {
        let mut early = EarlyBlocks::new(3);
        for number in 0..100 {
            assert!(!early.hold(&header(number, 10), number));
        }
        assert!(early.hold(&header(99, 11), 100));
        let left = early.take_all().map(|(_, kept)| kept);
        assert_eq!(left.collect::<Vec<_>>(), [98, 99, 100]);
    }
}
