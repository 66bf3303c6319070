//! The place and the protection of every block of a volume set, computed from the numbers in any block header.
//!
//! It is pure arithmetic and holds no blocks. `recovery` knows which blocks are lost.

use crate::volumes::block::{BlockKind, BlockSize, ParityCodec, SetHeader, VOLUMES_MAX};

/// Superblocks of each volume.
pub(crate) const SUPERBLOCKS: u32 = 5;
/// Most blocks of a whole set: 128 TiB of full ones. The limit bounds every bitmap before it is allocated.
pub(crate) const SET_BLOCKS_MAX: u64 = 1 << 31;
/// Most blocks of one volume: 8 TiB of full ones, which the usual file systems can hold as one image.
pub(crate) const VOLUME_BLOCKS_MAX: u32 = 1 << 27;
/// Most blocks of one stripe, data and parity of all volumes together, so that a stripe fits in 256 MiB.
pub(crate) const STRIPE_SHARDS_MAX: u32 = 4096;
/// Most blocks of one local group, parity included.
pub(crate) const GROUP_SHARDS_MAX: u32 = 1024;
/// Most blocks of a stripe or group under the code `gf8`.
pub(crate) const GF8_SHARDS_MAX: u32 = 255;

/// Says why the numbers of a header do not make a volume set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// More volumes than a set may have, or none.
    #[error("{0} volumes: a set has 1 to {VOLUMES_MAX}")]
    Volumes(u32),
    /// Too few blocks for superblocks and one protected block, or too many for any medium.
    #[error("volumes of {0} blocks make no set")]
    VolumeBlocks(u32),
    /// A stripe with more blocks than its code or memory allows, or spares without stripes.
    #[error("stripes of {width} blocks a volume do not fit this code and number of volumes")]
    Stripe {
        /// Blocks a stripe takes from each volume.
        width: u16,
    },
    /// A local group that its code or memory does not allow.
    #[error("local groups of {data} + {parity} blocks do not fit this code")]
    Group {
        /// Protected blocks of a group.
        data: u16,
        /// Its parity blocks.
        parity: u16,
    },
    /// Catalog, data and local parity do not fill the volume exactly.
    #[error("catalog, data and local parity do not fill the volume exactly")]
    Layout,
}

/// The role of a place on a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One of the five superblocks.
    Superblock,
    /// Catalog block with this index.
    Catalog(u32),
    /// Data block (wide parity on spare volumes) with this index in the data area.
    Data(u32),
    /// Local parity block with this index.
    LocalParity(u32),
}

/// The checked layout of a set, which follows completely from [`SetHeader`].
///
/// Places without a superblock are numbered in order from 0: catalog blocks, then data blocks, then local parity
/// blocks. These numbers are called *slots*. Slot `r` belongs to local group `r mod G`, parity slots too. Therefore any
/// run of `p * G` slots hits no group more than `p` times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    header: SetHeader,
    data_blocks: u32,
    group_count: u32,
    stripe_count: u32,
    superblocks: [u32; 5],
}

/// Returns the places of the superblocks on a volume of `volume_blocks` blocks, which must be at least 5.
fn superblock_places(volume_blocks: u32) -> [u32; 5] {
    let quarter = volume_blocks / 4;
    let half = volume_blocks / 2;
    [
        0,
        quarter,
        half,
        half + (volume_blocks - half) / 2,
        volume_blocks - 1,
    ]
}

impl Geometry {
    /// Checks the numbers of a header and computes the layout.
    ///
    /// # Errors
    /// [`GeometryError`] for numbers that no writer of this format makes.
    pub fn from_header(header: &SetHeader) -> Result<Self, GeometryError> {
        let volumes = u32::from(header.data_volumes) + u32::from(header.spare_volumes);
        if header.data_volumes == 0 || volumes > u32::from(VOLUMES_MAX) {
            return Err(GeometryError::Volumes(volumes));
        }
        let blocks = header.volume_blocks;
        let fits = (SUPERBLOCKS + 2..=VOLUME_BLOCKS_MAX).contains(&blocks);
        if !fits || u64::from(blocks) * u64::from(volumes) > SET_BLOCKS_MAX {
            return Err(GeometryError::VolumeBlocks(blocks));
        }
        let width = u32::from(header.stripe_width);
        let stripe_max = match header.codec {
            ParityCodec::Gf16 => STRIPE_SHARDS_MAX,
            ParityCodec::Gf8 => GF8_SHARDS_MAX,
        };
        // Both factors are below 2^16, so the product fits into 32 bits.
        if (header.spare_volumes == 0) != (width == 0) || width * volumes > stripe_max {
            return Err(GeometryError::Stripe {
                width: header.stripe_width,
            });
        }
        let (n, p) = (u32::from(header.local_data), u32::from(header.local_parity));
        let group_max = match header.codec {
            ParityCodec::Gf16 => GROUP_SHARDS_MAX,
            ParityCodec::Gf8 => GF8_SHARDS_MAX,
        };
        if p > n || n + p > group_max {
            return Err(GeometryError::Group {
                data: header.local_data,
                parity: header.local_parity,
            });
        }
        let slots = blocks - SUPERBLOCKS;
        let group_count = if p == 0 { 0 } else { slots.div_ceil(n + p) };
        let protected = slots
            .checked_sub(p * group_count)
            .ok_or(GeometryError::Layout)?;
        let data_blocks = protected
            .checked_sub(header.catalog_blocks)
            .ok_or(GeometryError::Layout)?;
        // The group count was computed from all slots. The protected blocks alone must need the same number of groups.
        let fills = p == 0 || protected.div_ceil(n) == group_count;
        let whole_stripes = width == 0 || data_blocks.is_multiple_of(width);
        if header.catalog_blocks == 0 || data_blocks == 0 || !fills || !whole_stripes {
            return Err(GeometryError::Layout);
        }
        Ok(Self {
            header: *header,
            data_blocks,
            group_count,
            stripe_count: data_blocks.checked_div(width).unwrap_or(0),
            superblocks: superblock_places(blocks),
        })
    }

    /// Returns the blocks of a volume that holds `protected` catalog and data blocks in local groups of `n` + `p`.
    pub(crate) fn volume_blocks_for(protected: u32, n: u32, p: u32) -> u64 {
        let groups = if p == 0 { 0 } else { protected.div_ceil(n) };
        u64::from(SUPERBLOCKS) + u64::from(protected) + u64::from(p) * u64::from(groups)
    }

    /// Returns the indices of the data blocks that hold the bytes `range` of a volume's payload.
    pub fn blocks_of_payload(&self, range: std::ops::Range<u64>) -> std::ops::Range<u32> {
        let block_payload = self.block_payload_bytes() as u64;
        let index = |bytes: u64| u32::try_from(bytes / block_payload).unwrap_or(u32::MAX);
        let end = range.end.max(range.start).saturating_add(block_payload - 1);
        index(range.start).min(self.data_blocks)..index(end).min(self.data_blocks)
    }

    /// Returns the numbers that every block of the set repeats.
    pub fn header(&self) -> &SetHeader {
        &self.header
    }

    /// Returns the size of the set's blocks.
    pub fn block_size(&self) -> BlockSize {
        self.header.block_size
    }

    /// Returns the bytes of a block, header included.
    pub fn block_bytes(&self) -> usize {
        self.header.block_size.bytes()
    }

    /// Returns the bytes of payload in a block.
    pub(crate) fn block_payload_bytes(&self) -> usize {
        self.header.block_size.payload_bytes()
    }

    /// Returns the number of data and spare volumes together. Volume numbers run from 1 to it.
    pub fn volume_count(&self) -> u16 {
        self.header.data_volumes + self.header.spare_volumes
    }

    /// Returns whether the volume holds payload and not wide parity.
    pub fn is_data_volume(&self, volume_no: u16) -> bool {
        volume_no <= self.header.data_volumes
    }

    /// Returns the blocks of each volume.
    pub fn volume_blocks(&self) -> u32 {
        self.header.volume_blocks
    }

    /// Returns the catalog blocks of each volume.
    pub fn catalog_blocks(&self) -> u32 {
        self.header.catalog_blocks
    }

    /// Returns the data blocks of each volume (wide parity on spare volumes).
    pub fn data_blocks(&self) -> u32 {
        self.data_blocks
    }

    /// Returns the catalog and data blocks of each volume, which local groups protect.
    pub fn protected_blocks(&self) -> u32 {
        self.header.catalog_blocks + self.data_blocks
    }

    /// Returns the local groups of each volume, or 0 without local parity.
    pub fn group_count(&self) -> u32 {
        self.group_count
    }

    /// Returns the stripes of the set, or 0 without spares.
    pub(crate) fn stripe_count(&self) -> u32 {
        self.stripe_count
    }

    /// Returns the payload that one data volume can hold, in bytes.
    pub(crate) fn volume_payload_bytes(&self) -> u64 {
        u64::from(self.data_blocks) * self.block_payload_bytes() as u64
    }

    /// Returns the five places of superblocks, ascending.
    pub fn superblocks(&self) -> [u32; 5] {
        self.superblocks
    }

    /// Returns the role of `block_no`, which must be below [`Self::volume_blocks`].
    pub fn role(&self, block_no: u32) -> Role {
        assert!(
            block_no < self.header.volume_blocks,
            "a place on the volume"
        );
        let mut slot = block_no;
        for place in self.superblocks {
            if place == block_no {
                return Role::Superblock;
            }
            slot -= u32::from(place < block_no);
        }
        if slot < self.header.catalog_blocks {
            Role::Catalog(slot)
        } else if slot < self.protected_blocks() {
            Role::Data(slot - self.header.catalog_blocks)
        } else {
            Role::LocalParity(slot - self.protected_blocks())
        }
    }

    /// Returns the kind that the header of the block at this place must name.
    pub fn kind(&self, volume_no: u16, block_no: u32) -> BlockKind {
        match self.role(block_no) {
            Role::Superblock => BlockKind::Superblock,
            Role::Catalog(_) => BlockKind::Catalog,
            Role::Data(_) if self.is_data_volume(volume_no) => BlockKind::Data,
            Role::Data(_) => BlockKind::WideParity,
            Role::LocalParity(_) => BlockKind::LocalParity,
        }
    }

    fn slot_place(&self, slot: u32) -> u32 {
        let mut block_no = slot;
        for place in self.superblocks {
            block_no += u32::from(block_no >= place);
        }
        block_no
    }

    /// Returns the place of a catalog block.
    pub fn catalog_place(&self, index: u32) -> u32 {
        debug_assert!(index < self.header.catalog_blocks);
        self.slot_place(index)
    }

    /// Returns the place of a data block.
    pub fn data_place(&self, index: u32) -> u32 {
        debug_assert!(index < self.data_blocks);
        self.slot_place(self.header.catalog_blocks + index)
    }

    /// Returns the places of a stripe's blocks on a volume, in the order of its shards. They are the same on every
    /// volume.
    pub(crate) fn stripe_places(&self, stripe: u32) -> impl Iterator<Item = u32> + '_ {
        (0..u32::from(self.header.stripe_width))
            .map(move |turn| self.data_place(stripe + turn * self.stripe_count))
    }

    /// Returns the stripe of a data block, or `None` without spares.
    pub(crate) fn stripe_of(&self, data_index: u32) -> Option<u32> {
        (self.stripe_count > 0).then(|| data_index % self.stripe_count)
    }

    /// Returns the local group of the block at this place. Returns `None` for superblocks and without local parity.
    pub fn group_of(&self, block_no: u32) -> Option<u32> {
        if self.group_count == 0 {
            return None;
        }
        let slot = match self.role(block_no) {
            Role::Superblock => return None,
            Role::Catalog(index) => index,
            Role::Data(index) => self.header.catalog_blocks + index,
            Role::LocalParity(index) => self.protected_blocks() + index,
        };
        Some(slot % self.group_count)
    }

    /// Returns the protected blocks of a local group: `n`, or one less in some groups.
    pub(crate) fn group_members(&self, group: u32) -> u32 {
        debug_assert!(group < self.group_count);
        (self.protected_blocks() - group).div_ceil(self.group_count)
    }

    /// Returns the places of a local group's blocks in the order of its shards: its members first, then its `p` parity
    /// blocks.
    pub fn group_places(&self, group: u32) -> impl Iterator<Item = u32> + '_ {
        let shards = self.group_members(group) + u32::from(self.header.local_parity);
        (0..shards).map(move |turn| self.slot_place(group + turn * self.group_count))
    }

    /// Returns the guaranteed length of a run of bad blocks, anywhere on a volume, that heals with that volume alone.
    pub fn local_burst_blocks(&self) -> u32 {
        u32::from(self.header.local_parity) * self.group_count
    }

    /// Returns the guaranteed length of a run of bad blocks on every other volume at once that heals when `lost` whole
    /// volumes are missing. It is 0 when more volumes are missing than there are spares.
    pub fn burst_blocks(&self, lost: u16) -> u32 {
        let local = self.local_burst_blocks();
        let Some(spares_left) = self.header.spare_volumes.checked_sub(lost) else {
            return 0;
        };
        let volumes_left = u32::from(self.volume_count() - lost);
        let width = u32::from(self.header.stripe_width);
        let wide = u32::from(spares_left) * width / volumes_left * self.stripe_count;
        // A run at the same place of every volume can hit a catalog block on all of them, and then only local parity
        // restores it. That works after the data around it is whole, if no group lost more than `p` catalog blocks.
        let catalog_heals = self.group_count > 0
            && self.header.catalog_blocks.div_ceil(self.group_count)
                <= u32::from(self.header.local_parity);
        if catalog_heals {
            local.max(wide)
        } else {
            local
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SetId;
    use proptest::prelude::*;

    pub(crate) fn header(k: u16, m: u16, w: u16, n: u16, p: u16, c: u32, d: u32) -> SetHeader {
        let blocks = Geometry::volume_blocks_for(c + d, u32::from(n), u32::from(p));
        SetHeader {
            set_id: SetId([1; 16]),
            block_size: BlockSize::Full,
            codec: ParityCodec::Gf16,
            data_volumes: k,
            spare_volumes: m,
            stripe_width: w,
            local_data: n,
            local_parity: p,
            catalog_blocks: c,
            volume_blocks: u32::try_from(blocks).expect("small"),
        }
    }

    #[test]
    fn the_smallest_set_has_one_catalog_and_one_data_block() {
        let geometry = Geometry::from_header(&header(1, 0, 0, 1, 0, 1, 1)).expect("valid");
        assert_eq!(geometry.volume_blocks(), 7);
        assert_eq!(geometry.superblocks(), [0, 1, 3, 5, 6]);
        assert_eq!(geometry.catalog_place(0), 2);
        assert_eq!(geometry.data_place(0), 4);
    }

    #[test]
    fn nonsense_is_refused() {
        let good = header(4, 2, 6, 10, 2, 3, 60);
        assert!(Geometry::from_header(&good).is_ok());
        let refused: [fn(&mut SetHeader); 9] = [
            |h| h.data_volumes = 0,
            |h| h.spare_volumes = 1023,
            |h| h.volume_blocks = 5,
            |h| h.volume_blocks = u32::MAX,
            |h| h.volume_blocks += 1,
            |h| h.stripe_width = 7,
            |h| h.stripe_width = 1000,
            |h| h.local_parity = 11,
            |h| h.catalog_blocks = u32::MAX,
        ];
        for spoil in refused {
            let mut bad = good;
            spoil(&mut bad);
            assert!(Geometry::from_header(&bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_place_has_one_role_and_every_block_one_group_and_stripe(
            k in 1u16..6, m in 0u16..4, w in 1u16..5, s in 1u32..40, n in 1u16..20, p in 0u16..8, c in 1u32..6,
        ) {
            let (w, d) = if m == 0 { (0, s) } else { (w, s * u32::from(w)) };
            let p = p.min(n);
            let geometry = Geometry::from_header(&header(k, m, w, n, p, c, d)).expect("valid");
            prop_assert_eq!(geometry.data_blocks(), d);
            let mut in_groups = vec![0; geometry.volume_blocks() as usize];
            for group in 0..geometry.group_count() {
                for place in geometry.group_places(group) {
                    in_groups[place as usize] += 1;
                    prop_assert_eq!(geometry.group_of(place), Some(group));
                }
                prop_assert!(geometry.group_members(group) <= u32::from(n));
            }
            for stripe in 0..geometry.stripe_count() {
                for place in geometry.stripe_places(stripe) {
                    let Role::Data(index) = geometry.role(place) else { panic!("data") };
                    prop_assert_eq!(geometry.stripe_of(index), Some(stripe));
                }
            }
            for block_no in 0..geometry.volume_blocks() {
                let place = match geometry.role(block_no) {
                    Role::Superblock => continue,
                    Role::Catalog(index) => geometry.catalog_place(index),
                    Role::Data(index) => geometry.data_place(index),
                    Role::LocalParity(index) => geometry.slot_place(geometry.protected_blocks() + index),
                };
                prop_assert_eq!(place, block_no);
                prop_assert_eq!(in_groups[block_no as usize], u32::from(p > 0));
            }
        }

        #[test]
        fn arbitrary_headers_never_panic(k: u16, m: u16, w: u16, n: u16, p: u16, c: u32, blocks: u32, small: bool) {
            let shrink = |value: u16| if small { value % 32 } else { value };
            let header = SetHeader {
                data_volumes: shrink(k), spare_volumes: shrink(m), stripe_width: shrink(w),
                local_data: shrink(n), local_parity: shrink(p),
                volume_blocks: blocks, catalog_blocks: if small { c % 64 } else { c },
                ..header(1, 0, 0, 1, 0, 1, 1)
            };
            if let Ok(geometry) = Geometry::from_header(&header) {
                let _ = (geometry.burst_blocks(0), geometry.role(blocks - 1), geometry.burst_blocks(u16::MAX));
            }
        }
    }
}
