//! Places blocks whose header is lost by the blocks before and behind them on the source: whole ones, or headers that agree.
//!
//! Blocks of a volume lie one after the other. A block that lies k blocks behind a whole one has its number plus k, unless
//! something else stands between. It knows places and headers. `span` finds them.

use std::collections::VecDeque;

use crate::volumes::block::{BlockHeader, BlockSize, SetHeader};
use crate::volumes::geometry::Geometry;
use crate::volumes::slices::{self, Slices};

/// Most blocks that wait for a header behind them: 1 MiB of full ones.
const WAITING_MAX: usize = 16;

/// A block without a readable header, of which some slices are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LostHeader {
    /// Where on the source it begins.
    pub(super) offset: u64,
    /// The block, with zeros for what is not known.
    pub(super) bytes: Vec<u8>,
    pub(super) slices: Slices,
    /// Why there is no header.
    pub(super) cause: LossCause,
}

impl LostHeader {
    /// Cuts it into blocks of this size. While the size was not known, the place of a full block was taken for one.
    /// Parts that have a header were found by it.
    fn cut(self, size: BlockSize) -> Vec<Self> {
        if self.bytes.len() <= size.bytes() {
            return vec![self];
        }
        let parts = (0_usize..).zip(self.bytes.chunks_exact(size.bytes()));
        let part = |(number, bytes): (usize, &[u8])| {
            let bits = self.slices.bits() >> (number * slices::count_of(size));
            let mut slices = Slices::from_bits(bits).and(Slices::all(size));
            slices.remove(0);
            let is_lost = !slices.is_none() && BlockHeader::peek(bytes).is_none();
            is_lost.then(|| Self {
                offset: self.offset + (number * size.bytes()) as u64,
                bytes: bytes.to_vec(),
                slices,
                cause: self.cause,
            })
        };
        parts.filter_map(part).collect()
    }
}

/// Why there is no header where a block is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LossCause {
    /// The sector could not be read, or it reads as zeros. A drive does both.
    Drive,
    /// There are other bytes. A damaged block may lie there, or something that never was a block.
    OtherBytes,
}

/// A block whose header follows from its neighbors.
pub(super) type Placed = (BlockHeader, LostHeader);

struct Waiting {
    lost: LostHeader,
    by_before: Option<BlockHeader>,
}

/// What is known of the blocks around the place that a walk over a source has reached.
#[derive(Default)]
pub(super) struct Neighbors {
    /// The last whole block and its place, or a damaged one whose header agrees with another, while nothing speaks
    /// against blocks that follow it.
    before: Option<(u64, BlockHeader)>,
    /// The last header of a damaged block and its place, while there is nothing before.
    damaged_before: Option<(u64, BlockHeader)>,
    /// Blocks without a header since then, in order.
    waiting: VecDeque<Waiting>,
    /// The place where the walk begins when it is known that a block begins there. It moves on with blocks that wait.
    begins_at: Option<u64>,
    layout: Option<(SetHeader, Option<Geometry>)>,
}

impl Neighbors {
    /// Begins a walk. `begins_at` is a place where a block certainly begins.
    pub(super) fn new(begins_at: Option<u64>) -> Self {
        Self {
            begins_at,
            ..Self::default()
        }
    }

    /// Returns whether a block without a header at this place may be placed now or later.
    pub(super) fn may_place(&mut self, offset: u64, cause: LossCause) -> bool {
        cause == LossCause::Drive
            || self.begins_at == Some(offset)
            || self.by_before(offset).is_some()
    }

    /// Takes a block without a header. Returns one that has waited long enough and is placed by the block before alone.
    ///
    /// Where other bytes stand for so long, nothing behind is placed by the block before any
    /// more.
    pub(super) fn wait(&mut self, lost: LostHeader) -> Option<Placed> {
        let by_before = self
            .by_before(lost.offset)
            .filter(|header| header.block_bytes() == lost.bytes.len());
        if self.begins_at == Some(lost.offset) {
            self.begins_at = Some(lost.offset + lost.bytes.len() as u64);
        }
        self.waiting.push_back(Waiting { lost, by_before });
        if self.waiting.len() <= WAITING_MAX {
            return None;
        }
        let oldest = self.waiting.pop_front()?;
        if oldest.lost.cause == LossCause::OtherBytes {
            self.before = None;
            self.begins_at = None;
            return None;
        }
        oldest.by_before.map(|header| (header, oldest.lost))
    }

    /// Takes a whole block. Returns the blocks before it that it places or confirms.
    pub(super) fn meet_whole(&mut self, offset: u64, header: &BlockHeader) -> Vec<Placed> {
        self.begin_at(offset, header)
    }

    /// Places what waits, and what follows, by this header.
    fn begin_at(&mut self, offset: u64, header: &BlockHeader) -> Vec<Placed> {
        self.damaged_before = None;
        self.before = Some((offset, *header));
        let mut placed = Vec::new();
        while let Some(one) = self.waiting.pop_front() {
            for lost in one.lost.cut(header.set.block_size) {
                // The whole block is the one before now, and places what lies in front of it as well.
                let by_behind = self.by_before(lost.offset);
                if let Some(found) = by_behind.filter(|_| lost.offset < offset)
                    && one.by_before.is_none_or(|said| said == found)
                    && lost.bytes.len() == found.block_bytes()
                {
                    placed.push((found, lost));
                }
            }
        }
        placed
    }

    /// Takes a header that could be read in a block that is not whole. Returns the blocks that it confirms.
    pub(super) fn meet_damaged(&mut self, offset: u64, header: &BlockHeader) -> Vec<Placed> {
        match self.by_before(offset) {
            Some(expected) if expected == *header => self.placed_by_before(|_| true),
            // One damaged header proves nothing. Two that agree are as good as a whole block: on a medium where every block
            // is hurt there may be no other.
            None => {
                let earlier = self.damaged_before.replace((offset, *header));
                self.before = earlier;
                if self.by_before(offset) == Some(*header) {
                    return self.begin_at(offset, header);
                }
                self.before = None;
                Vec::new()
            }
            Some(_) => {
                self.before = None;
                self.waiting.clear();
                Vec::new()
            }
        }
    }

    /// Ends the walk at a place where a block was expected. Takes the header there, if one can be read. Returns the blocks
    /// that it confirms or, without one, those that nothing speaks against.
    pub(super) fn end(&mut self, offset: u64, header: Option<&BlockHeader>) -> Vec<Placed> {
        match header {
            Some(header) => self.meet_damaged(offset, header),
            None => self.placed_by_before(|lost| lost.cause == LossCause::Drive),
        }
    }

    /// Returns whether blocks wait for a header behind them.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn placed_by_before(&mut self, is_sure: impl Fn(&LostHeader) -> bool) -> Vec<Placed> {
        self.waiting
            .drain(..)
            .filter(|one| is_sure(&one.lost))
            .filter_map(|one| Some((one.by_before?, one.lost)))
            .collect()
    }

    /// Returns the header of the block at this place as it follows from the last whole block.
    pub(super) fn by_before(&mut self, offset: u64) -> Option<BlockHeader> {
        let (anchor, header) = self.before?;
        let distance = offset.abs_diff(anchor);
        let block = header.block_bytes() as u64;
        if !distance.is_multiple_of(block) {
            return None;
        }
        let blocks = u32::try_from(distance / block).ok()?;
        let block_no = if offset < anchor {
            header.block_no.checked_sub(blocks)?
        } else {
            header.block_no.checked_add(blocks)?
        };
        if block_no >= header.set.volume_blocks {
            return None;
        }
        let kind = self
            .layout_of(&header.set)?
            .kind(header.volume_no, block_no);
        Some(BlockHeader {
            block_no,
            kind,
            ..header
        })
    }

    fn layout_of(&mut self, set: &SetHeader) -> Option<&Geometry> {
        if self.layout.as_ref().is_none_or(|(of, _)| of != set) {
            self.layout = Some((*set, Geometry::from_header(set).ok()));
        }
        self.layout.as_ref()?.1.as_ref()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::id::SetId;
    use crate::volumes::block::{BLOCK_BYTES, BlockKind, ParityCodec};

    const BLOCK: u64 = BLOCK_BYTES as u64;

    fn whole(block_no: u32) -> BlockHeader {
        let set = SetHeader {
            set_id: SetId([1; 16]),
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
        BlockHeader {
            set,
            volume_no: 1,
            block_no,
            kind: Geometry::from_header(&set).unwrap().kind(1, block_no),
        }
    }

    fn lost(place: u64, cause: LossCause) -> LostHeader {
        LostHeader {
            offset: place * BLOCK + 7,
            bytes: vec![0; BLOCK_BYTES],
            slices: Slices::from_bits(2),
            cause,
        }
    }

    fn numbers(placed: &[Placed]) -> Vec<(u32, u64)> {
        placed
            .iter()
            .map(|(header, lost)| (header.block_no, lost.offset / BLOCK))
            .collect()
    }

    use LossCause::{Drive, OtherBytes};

    #[test]
    fn blocks_between_two_whole_ones_are_placed_and_have_the_kind_of_their_place() {
        let mut neighbors = Neighbors::new(None);
        assert!(neighbors.meet_whole(7, &whole(248)).is_empty());
        for (place, cause) in [(1, Drive), (2, OtherBytes)] {
            assert!(neighbors.may_place(place * BLOCK + 7, cause));
            assert_eq!(neighbors.wait(lost(place, cause)), None);
        }
        let placed = neighbors.meet_whole(3 * BLOCK + 7, &whole(251));
        assert_eq!(numbers(&placed), [(249, 1), (250, 2)]);
        assert_eq!(placed[0].0.kind, BlockKind::Data);
        assert_eq!(placed[1].0.kind, BlockKind::Superblock);
        assert!(!neighbors.is_waiting());
    }

    #[test]
    fn a_contrary_header_drops_what_waits() {
        let other = BlockHeader {
            volume_no: 1,
            ..whole(700)
        };
        let mut neighbors = Neighbors::new(None);
        neighbors.meet_whole(7, &whole(10));
        neighbors.wait(lost(1, Drive));
        assert!(neighbors.meet_whole(2 * BLOCK + 7, &other).is_empty());
        neighbors.wait(lost(3, Drive));
        assert!(neighbors.meet_damaged(4 * BLOCK + 7, &other).is_empty());
        assert!(!neighbors.is_waiting());
        // A shifted one is contrary, too.
        neighbors.meet_whole(7, &whole(10));
        neighbors.wait(lost(1, Drive));
        assert!(neighbors.meet_whole(2 * BLOCK + 8, &whole(12)).is_empty());
    }

    #[test]
    fn the_next_whole_block_alone_places_what_has_none_before() {
        let mut neighbors = Neighbors::new(Some(3 * BLOCK + 7));
        assert!(!neighbors.may_place(2 * BLOCK + 7, OtherBytes));
        assert!(neighbors.may_place(3 * BLOCK + 7, OtherBytes));
        for place in [3, 4, 5] {
            neighbors.wait(lost(place, Drive));
        }
        assert!(neighbors.meet_damaged(6 * BLOCK + 7, &whole(2)).is_empty());
        // There is no block before the first.
        let placed = neighbors.meet_whole(6 * BLOCK + 7, &whole(2));
        assert_eq!(numbers(&placed), [(0, 4), (1, 5)]);
    }

    #[test]
    fn without_one_behind_the_one_before_is_trusted_to_the_end_of_its_volume() {
        let mut neighbors = Neighbors::new(None);
        neighbors.meet_whole(7, &whole(997));
        for (place, cause) in [(1, Drive), (2, Drive), (3, Drive)] {
            neighbors.wait(lost(place, cause));
        }
        let placed = neighbors.end(4 * BLOCK + 7, None);
        assert_eq!(numbers(&placed), [(998, 1), (999, 2)]);
        neighbors.meet_whole(7, &whole(3));
        neighbors.wait(lost(1, OtherBytes));
        assert!(neighbors.end(2 * BLOCK + 7, None).is_empty());
        neighbors.wait(lost(1, OtherBytes));
        let placed = neighbors.end(2 * BLOCK + 7, Some(&whole(5)));
        assert_eq!(numbers(&placed), [(4, 1)]);
    }

    #[test]
    fn few_wait_and_other_bytes_end_the_trust() {
        let mut neighbors = Neighbors::new(None);
        neighbors.meet_whole(7, &whole(0));
        let mut placed = Vec::new();
        for place in 1..=100 {
            placed.extend(neighbors.wait(lost(place, Drive)));
            assert!(neighbors.waiting.len() <= WAITING_MAX);
        }
        placed.extend(neighbors.end(101 * BLOCK + 7, None));
        let all: Vec<_> = (1..=100).map(|place| (place, u64::from(place))).collect();
        assert_eq!(numbers(&placed), all);

        neighbors.meet_whole(7, &whole(0));
        let mut taken = 0;
        for place in 1..=100 {
            if neighbors.may_place(place * BLOCK + 7, OtherBytes) {
                assert_eq!(neighbors.wait(lost(place, OtherBytes)), None);
                taken += 1;
            }
        }
        assert_eq!(taken, WAITING_MAX + 1);
    }

    #[test]
    fn numbers_that_make_no_set_place_nothing() {
        let mut odd = whole(10);
        odd.set.catalog_blocks = u32::MAX;
        let mut neighbors = Neighbors::new(None);
        neighbors.meet_whole(7, &odd);
        neighbors.wait(lost(1, Drive));
        odd.block_no = 12;
        assert!(neighbors.meet_whole(2 * BLOCK + 7, &odd).is_empty());
    }
}
