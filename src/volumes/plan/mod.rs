//! The plan of a volume set: the number and layout of volumes, the content of each, and the damage that the set
//! survives.
//!
//! It computes and writes nothing.

mod layout;

use std::ops::Range;

use self::layout::{VolumeLayout, blocks_for};
use crate::volumes::VolumeError;
use crate::volumes::bare_head::BareHead;
use crate::volumes::block::{BlockSize, ParityCodec, SetHeader};
use crate::volumes::geometry::{Geometry, GeometryError};
use crate::volumes::guarantee::{Guarantee, guarantee};
use crate::volumes::media::{Capacity, Carrier, MediaKind};

/// What a set must hold, and on which media.
#[derive(Debug, Clone)]
pub struct SetRequest<'a> {
    /// Sizes of the pieces of payload in bytes. A piece never crosses volumes, and their order is kept.
    pub piece_bytes: &'a [u64],
    /// Most bytes that the catalog will have.
    pub catalog_bytes: u64,
    /// The medium.
    pub capacity: Capacity,
    /// The form in which volumes are written.
    pub carrier: Carrier,
    /// Spare volumes. `None` means one as soon as there are two data volumes.
    pub spare: Option<u16>,
    /// Least local parity in percent of the protected blocks. `None` means 3 on sets with spares and 10 on others. More
    /// is used where room is left over, except that 0 means none at all.
    pub local_percent: Option<f64>,
    /// The code.
    pub codec: ParityCodec,
    /// The size of blocks. `None` means small ones for sets up to [`SMALL_SET_BYTES`].
    pub block_size: Option<BlockSize>,
}

/// Most bytes of payload and catalog of a set that gets small blocks. With more, full blocks take little longer volumes
/// and less time.
pub const SMALL_SET_BYTES: u64 = 4 << 20;

impl SetRequest<'_> {
    /// Returns the size of blocks that it asks for.
    fn block_size(&self) -> BlockSize {
        let payload: u64 = self.piece_bytes.iter().sum();
        let is_small = payload.saturating_add(self.catalog_bytes) <= SMALL_SET_BYTES;
        self.block_size.unwrap_or(match is_small {
            true => BlockSize::Small,
            false => BlockSize::Full,
        })
    }
}

/// The layout of a set to be written.
#[derive(Debug, Clone)]
pub struct SetPlan {
    pub(crate) header: SetHeader,
    pub(super) geometry: Geometry,
    /// The medium it is for.
    pub capacity: Capacity,
    /// The form in which volumes are written.
    pub carrier: Carrier,
    /// Pieces that each data volume carries, from volume 1 on.
    pub pieces: Vec<Range<usize>>,
    /// Sizes of all pieces in bytes.
    pub piece_bytes: Vec<u64>,
}

impl SetPlan {
    /// Plans a bare bundle: one volume as long as it must be, without parity.
    ///
    /// # Errors
    /// [`VolumeError::Geometry`] when it is longer than any volume.
    pub(crate) fn bare(piece_bytes: &[u64], catalog_bytes: u64) -> Result<Self, VolumeError> {
        let payload = piece_bytes.iter().sum();
        let too_long = GeometryError::VolumeBlocks(u32::MAX);
        let header = BareHead::numbers_of(catalog_bytes, payload).ok_or(too_long)?;
        Ok(Self {
            geometry: Geometry::from_header(&header)?,
            header,
            capacity: Capacity::of(MediaKind::Usb),
            carrier: Carrier::Folders,
            pieces: std::iter::once(0..piece_bytes.len()).collect(),
            piece_bytes: piece_bytes.to_vec(),
        })
    }

    /// Returns the layout. Its set id is zero, because the id follows from the catalog, which is known when the set is
    /// written.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Returns the payload of each data volume in bytes, from volume 1 on.
    pub fn payload_bytes(&self) -> Vec<u64> {
        self.pieces
            .iter()
            .map(|range| self.piece_bytes[range.clone()].iter().sum())
            .collect()
    }

    /// Returns the bytes of the blocks of each volume. File system and pages come on top.
    pub fn volume_bytes(&self) -> u64 {
        self.header.volume_bytes()
    }

    /// Returns the bytes of the blocks of all volumes.
    pub fn total_bytes(&self) -> u64 {
        self.volume_bytes() * u64::from(self.geometry.volume_count())
    }

    /// Returns the most bytes that the catalog may have.
    pub(crate) fn catalog_room_bytes(&self) -> u64 {
        u64::from(self.header.catalog_blocks - 1) * self.header.block_size.payload_bytes() as u64
    }

    /// Returns the damage that the set will survive.
    pub fn guarantee(&self) -> Guarantee {
        guarantee(&self.geometry)
    }
}

/// Lays out a set on the smallest number of data volumes that fits. The payload is balanced so that the largest volume
/// is as small as possible. Local parity fills the remaining room, up to one block for each protected block.
///
/// # Errors
/// [`VolumeError::MediumTooSmall`], [`VolumeError::PieceTooLarge`], [`VolumeError::TooManyVolumes`].
pub fn plan(request: &SetRequest<'_>) -> Result<SetPlan, VolumeError> {
    // The first block of the catalog area repeats the descriptor, so that local parity protects it.
    let size = request.block_size();
    let catalog_blocks = 1 + blocks_for(request.catalog_bytes, size);
    let usable = request.capacity.usable_blocks(request.carrier);
    let usable = usable.map(|blocks| blocks.saturating_mul(size.in_full_block()));
    let total: u64 = request.piece_bytes.iter().sum();
    // No fewer volumes can hold the payload, so the search begins here and not at 1.
    let mut data_volumes = usable.map_or(1, |usable| {
        (blocks_for(total, size) / u64::from(usable.max(1))).max(1)
    });
    loop {
        let spare = request.spare.unwrap_or(u16::from(data_volumes >= 2));
        let layout = VolumeLayout::new(request, size, data_volumes, spare, catalog_blocks, usable)?;
        for percent in layout.percents(request) {
            if let Some(plan) = layout.try_plan(request, percent)? {
                return Ok(plan);
            }
        }
        data_volumes += 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn request(piece_bytes: &[u64], megabytes: u64) -> SetRequest<'_> {
        SetRequest {
            piece_bytes,
            catalog_bytes: 500_000,
            capacity: Capacity::exact(megabytes * 1_000_000),
            carrier: Carrier::Folders,
            spare: None,
            local_percent: None,
            codec: ParityCodec::Gf16,
            block_size: None,
        }
    }

    #[test]
    fn a_small_payload_takes_one_volume_and_fills_it_with_parity() {
        let plan = plan(&request(&[10_000_000], 100)).unwrap();
        let header = plan.header;
        assert_eq!((header.data_volumes, header.spare_volumes), (1, 0));
        assert_eq!(header.local_data, header.local_parity);
        assert!(plan.volume_bytes() < 100_000_000);
    }

    #[test]
    fn a_full_volume_has_less_parity_before_it_becomes_two() {
        let plan = plan(&request(&[90_000_000], 100)).unwrap();
        assert_eq!(plan.geometry().volume_count(), 1);
        assert!(plan.header.local_parity >= 15, "{:?}", plan.header);
    }

    #[test]
    fn volumes_are_balanced_and_have_a_spare() {
        let pieces = [7_500_000; 45];
        let plan = plan(&request(&pieces, 100)).unwrap();
        assert_eq!(
            (plan.header.data_volumes, plan.header.spare_volumes),
            (4, 1)
        );
        let sizes = plan.payload_bytes();
        assert_eq!(sizes.iter().sum::<u64>(), 337_500_000);
        assert!(sizes.iter().all(|bytes| *bytes <= 90_000_000), "{sizes:?}");
        assert!(plan.header.stripe_width >= 37);
        let guarantee = plan.guarantee();
        assert_eq!(guarantee.any_volumes, 1);
        assert!(
            guarantee.burst_everywhere_bytes > 15_000_000,
            "{guarantee:?}"
        );
        assert!(guarantee.burst_alone_bytes > 2_500_000, "{guarantee:?}");
        assert!(
            guarantee.scattered[0].1 > 5.0 && guarantee.scattered[1].1 > 0.5,
            "{guarantee:?}"
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert!(matches!(
            plan(&request(&[5_000_000, 200_000_000], 100)),
            Err(VolumeError::PieceTooLarge { piece_no: 1, .. })
        ));
        let small = SetRequest {
            catalog_bytes: 1 << 30,
            ..request(&[1], 100)
        };
        assert!(matches!(
            plan(&small),
            Err(VolumeError::MediumTooSmall { .. })
        ));
        let pieces = vec![90_000_000; 1100];
        assert!(matches!(
            plan(&request(&pieces, 100)),
            Err(VolumeError::TooManyVolumes { .. })
        ));
        let gf8 = SetRequest {
            codec: ParityCodec::Gf8,
            ..request(&pieces[..300], 100)
        };
        assert!(matches!(
            plan(&gf8),
            Err(VolumeError::TooManyVolumes { most: 255, .. })
        ));
    }

    #[test]
    fn a_disk_without_size_is_one_volume_as_large_as_needed() {
        let pieces = [1 << 30; 30];
        let usb = SetRequest {
            capacity: "usb".parse().unwrap(),
            ..request(&pieces, 1)
        };
        let plan = plan(&usb).unwrap();
        assert_eq!(plan.geometry().volume_count(), 1);
        let share = plan.volume_bytes() * 100 / (30 << 30);
        assert!((110..112).contains(&share), "{share}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_plan_fits_its_medium_and_carries_all_pieces_in_order(
            pieces in proptest::collection::vec(0_u64..6_000_000, 0..60), megabytes in 20_u64..60,
            spare in proptest::option::of(0_u16..4), local in proptest::option::of(0.0..30.0), gf8: bool,
        ) {
            let codec = if gf8 { ParityCodec::Gf8 } else { ParityCodec::Gf16 };
            let request = SetRequest { spare, local_percent: local, codec, ..request(&pieces, megabytes) };
            let plan = plan(&request).unwrap();
            let usable = request.capacity.usable_blocks(Carrier::Folders).unwrap();
            prop_assert!(plan.volume_bytes() <= BlockSize::Full.total(usable));
            let mut next = 0;
            for (range, bytes) in plan.pieces.iter().zip(plan.payload_bytes()) {
                prop_assert_eq!(range.start, next);
                next = range.end;
                prop_assert!(bytes <= plan.geometry().volume_payload_bytes());
            }
            prop_assert_eq!(next, pieces.len());
            prop_assert_eq!(plan.pieces.len(), usize::from(plan.header.data_volumes));
        }
    }
}
