//! The plan of a volume set: how many volumes of which layout, what stands on each, and what the set will bear.
//!
//! It computes and writes nothing.

use std::ops::Range;

use crate::block::{BLOCK_BYTES, Codec, PAYLOAD_BYTES, SetHeader, VOLUMES_MAX};
use crate::geometry::{GF8_SHARDS_MAX, Geometry, SET_BLOCKS_MAX};
use crate::id::SetId;
use crate::media::{Capacity, Carrier};
use crate::volumes::{VolumeError, likelihood};

/// Data blocks that a stripe takes from all volumes together, about.
const STRIPE_DATA_BLOCKS: u16 = 200;
/// Least blocks a stripe of `gf16` takes from each volume.
const STRIPE_WIDTH_MIN: u16 = 12;
/// Most blocks of a planned stripe: with buffers for reading it is 192 MiB of memory.
const STRIPE_BLOCKS_MAX: u16 = 3072;
/// Protected blocks of a local group of `gf16`, about.
const GROUP_BLOCKS: u32 = 500;
/// Local parity of sets with spares and of sets without, in percent of what it protects.
const LOCAL_PERCENT: f64 = 3.0;
const LOCAL_PERCENT_ALONE: f64 = 10.0;

/// What is to be laid out.
#[derive(Debug, Clone)]
pub struct SetRequest<'a> {
    /// Sizes of the pieces of payload in bytes. A piece never crosses volumes, and their order is kept.
    pub piece_bytes: &'a [u64],
    /// Most bytes that the catalog will have.
    pub catalog_bytes: u64,
    /// The medium.
    pub capacity: Capacity,
    /// What is put on it.
    pub carrier: Carrier,
    /// Spare volumes; `None` is one as soon as there are two data volumes.
    pub spare: Option<u16>,
    /// Least local parity in percent of what it protects; `None` is 3 on sets with spares and 10 on others.
    /// More is taken where room is left over, except that 0 means none at all.
    pub local_percent: Option<f64>,
    /// The code.
    pub codec: Codec,
}

/// What a set bears.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Guarantee {
    /// Any so many volumes may be gone, if the others are whole.
    pub any_volumes: u16,
    /// With no volume gone: one run of damage this long on every volume at once, in bytes.
    pub burst_everywhere_bytes: u64,
    /// One run of damage this long heals with the volume alone, in bytes; also what each volume still bears when as
    /// many volumes are gone as there are spares.
    pub burst_alone_bytes: u64,
    /// Scattered damage as a likelihood: volumes gone, and the percentage of bad blocks on the others at which the
    /// payload comes back with a chance of 99 %. For none gone, one gone, and as many as there are spares.
    pub scattered: Vec<(u16, f64)>,
}

/// The layout of a set that is to be written.
#[derive(Debug, Clone)]
pub struct SetPlan {
    pub(crate) header: SetHeader,
    geometry: Geometry,
    /// The medium it is for.
    pub capacity: Capacity,
    /// In what form volumes are written.
    pub carrier: Carrier,
    /// Pieces that each data volume carries, from volume 1 on.
    pub pieces: Vec<Range<usize>>,
    /// Sizes of all pieces in bytes.
    pub piece_bytes: Vec<u64>,
}

impl SetPlan {
    /// The layout. Its set id is zero: the id follows from the catalog, which is known when the set is written.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Payload of each data volume in bytes, from volume 1 on.
    pub fn payload_bytes(&self) -> Vec<u64> {
        self.pieces.iter().map(|range| self.piece_bytes[range.clone()].iter().sum()).collect()
    }

    /// Bytes of the blocks of each volume; file system and pages come on top.
    pub fn volume_bytes(&self) -> u64 {
        u64::from(self.header.volume_blocks) * BLOCK_BYTES as u64
    }

    /// Bytes of the blocks of all volumes.
    pub fn total_bytes(&self) -> u64 {
        self.volume_bytes() * u64::from(self.geometry.volume_count())
    }

    /// Most bytes that the catalog may have.
    pub fn catalog_room_bytes(&self) -> u64 {
        u64::from(self.header.catalog_blocks) * PAYLOAD_BYTES as u64
    }

    /// What the set will bear.
    pub fn guarantee(&self) -> Guarantee {
        guarantee(&self.geometry)
    }
}

/// What a set of this layout bears.
pub fn guarantee(geometry: &Geometry) -> Guarantee {
    // Damage of n - 1 blocks' length touches n blocks when it begins within one.
    let bytes = |blocks: u32| u64::from(blocks.saturating_sub(1)) * BLOCK_BYTES as u64;
    let spares = geometry.header().spare_volumes;
    let mut losses = vec![0, spares.min(1), spares];
    losses.dedup();
    Guarantee {
        any_volumes: spares,
        burst_everywhere_bytes: bytes(geometry.burst_blocks(0)),
        burst_alone_bytes: bytes(geometry.local_burst_blocks()),
        scattered: losses
            .into_iter()
            .map(|lost| (lost, likelihood::scattered_percent(geometry, lost)))
            .collect(),
    }
}

/// Lays out a set: the smallest number of data volumes that fits, payload balanced over them so that the largest is
/// as small as can be, and local parity in the room left over, up to one block for each block it protects.
///
/// # Errors
/// [`VolumeError::MediumTooSmall`], [`VolumeError::PieceTooLarge`], [`VolumeError::TooManyVolumes`].
pub fn plan(request: &SetRequest<'_>) -> Result<SetPlan, VolumeError> {
    let catalog_blocks = blocks_for(request.catalog_bytes).max(1);
    let usable = request.capacity.usable_blocks(request.carrier);
    let total: u64 = request.piece_bytes.iter().sum();
    let mut data_volumes = usable.map_or(1, |usable| {
        (blocks_for(total) / u64::from(usable.max(1))).max(1)
    });
    loop {
        let spare = request.spare.unwrap_or(u16::from(data_volumes >= 2));
        let layout = Layout::new(request, data_volumes, spare, catalog_blocks, usable)?;
        for percent in layout.percents(request) {
            if let Some(plan) = layout.try_plan(request, percent)? {
                return Ok(plan);
            }
        }
        data_volumes += 1;
    }
}

fn blocks_for(bytes: u64) -> u64 {
    bytes.div_ceil(PAYLOAD_BYTES as u64)
}

/// A number of volumes that is being tried.
struct Layout {
    codec: Codec,
    data_volumes: u16,
    spare_volumes: u16,
    catalog_blocks: u32,
    volume_blocks_max: u32,
    /// Whether the medium has an end, so that there is room to be left over.
    bounded: bool,
}

impl Layout {
    fn new(
        request: &SetRequest<'_>,
        data_volumes: u64,
        spare_volumes: u16,
        catalog_blocks: u64,
        usable: Option<u32>,
    ) -> Result<Self, VolumeError> {
        let volumes = data_volumes + u64::from(spare_volumes);
        let most = match (request.codec, spare_volumes) {
            (Codec::Gf8, 1..) => GF8_SHARDS_MAX,
            _ => u32::from(VOLUMES_MAX),
        };
        let too_many = VolumeError::TooManyVolumes {
            volumes: u32::try_from(volumes).unwrap_or(u32::MAX),
            most,
        };
        let data_volumes = match u16::try_from(data_volumes) {
            Ok(data_volumes) if volumes <= u64::from(most) => data_volumes,
            _ => return Err(too_many),
        };
        let limit = u32::try_from(SET_BLOCKS_MAX / volumes).expect("at most 2^31");
        let volume_blocks_max = usable.unwrap_or(limit).min(limit);
        let smallest = Geometry::volume_blocks_for(1, 1, 0) + catalog_blocks;
        if smallest > u64::from(volume_blocks_max) {
            return Err(VolumeError::MediumTooSmall {
                usable_blocks: volume_blocks_max,
                needed_blocks: smallest,
            });
        }
        Ok(Self {
            codec: request.codec,
            data_volumes,
            spare_volumes,
            catalog_blocks: u32::try_from(catalog_blocks).expect("fits the medium"),
            volume_blocks_max,
            bounded: usable.is_some(),
        })
    }

    /// Least local parity, in the order of preference. A single volume would rather have less of it than become two.
    fn percents(&self, request: &SetRequest<'_>) -> Vec<f64> {
        match request.local_percent {
            Some(percent) => vec![percent.clamp(0.0, 100.0)],
            None if self.spare_volumes > 0 => vec![LOCAL_PERCENT],
            None if self.data_volumes == 1 => vec![LOCAL_PERCENT_ALONE, LOCAL_PERCENT],
            None => vec![LOCAL_PERCENT_ALONE],
        }
    }

    fn try_plan(
        &self,
        request: &SetRequest<'_>,
        percent: f64,
    ) -> Result<Option<SetPlan>, VolumeError> {
        let room_blocks = self.most_data_blocks(percent);
        if room_blocks == 0 {
            let catalog = u64::from(self.catalog_blocks);
            return Err(VolumeError::MediumTooSmall {
                usable_blocks: self.volume_blocks_max,
                needed_blocks: Geometry::volume_blocks_for(1, 1, 1) + catalog + catalog.div_ceil(10),
            });
        }
        let room_bytes = u64::from(room_blocks) * PAYLOAD_BYTES as u64;
        let largest = request.piece_bytes.iter().enumerate().max_by_key(|(_, bytes)| **bytes);
        if let Some((piece_no, bytes)) = largest.filter(|(_, bytes)| **bytes > room_bytes) {
            // A single volume carries more local parity, so two may have room where one has not.
            if self.data_volumes == 1 {
                return Ok(None);
            }
            return Err(VolumeError::PieceTooLarge { piece_no, bytes: *bytes, room_bytes });
        }
        let Some(pieces) = balance(request.piece_bytes, usize::from(self.data_volumes), room_bytes)
        else {
            return Ok(None);
        };
        let sums = pieces.iter().map(|range| request.piece_bytes[range.clone()].iter().sum());
        let data_blocks = blocks_for(sums.max().unwrap_or(0)).max(1);
        let data_blocks = u32::try_from(data_blocks).expect("fits the medium");
        let Some(header) = self.fill(data_blocks, percent) else {
            return Ok(None);
        };
        Ok(Some(SetPlan {
            geometry: Geometry::from_header(&header)?,
            header,
            capacity: request.capacity,
            carrier: request.carrier,
            pieces,
            piece_bytes: request.piece_bytes.to_vec(),
        }))
    }

    /// The stripe width and the data blocks rounded up to whole stripes.
    fn stripes(&self, data_blocks: u32) -> (u16, u32) {
        if self.spare_volumes == 0 {
            return (0, data_blocks);
        }
        let volumes = self.data_volumes + self.spare_volumes;
        let about = STRIPE_DATA_BLOCKS / self.data_volumes;
        let most = match self.codec {
            Codec::Gf8 => about.min(255 / volumes),
            Codec::Gf16 => about.max(STRIPE_WIDTH_MIN).min(STRIPE_BLOCKS_MAX / volumes),
        };
        let most = u16::try_from(data_blocks).unwrap_or(u16::MAX).min(most.max(1));
        // Of the widths near the widest, the one that wastes least; among equals the widest.
        let least = most - most / 4;
        (least..=most)
            .rev()
            .map(|width| (width, data_blocks.next_multiple_of(u32::from(width))))
            .min_by_key(|(_, rounded)| *rounded)
            .expect("at least one width")
    }

    /// The group's sizes for a ratio of parity to protected blocks.
    fn group(&self, protected: u32, ratio: f64) -> (u32, u32) {
        if ratio <= 0.0 {
            return (0, 0);
        }
        let parity_of = |data: u32| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let parity = (f64::from(data) * ratio - 1e-9).ceil() as u32;
            parity.clamp(1, data)
        };
        let mut groups = protected.div_ceil(GROUP_BLOCKS);
        loop {
            let data = protected.div_ceil(groups);
            let parity = parity_of(data);
            if self.codec == Codec::Gf16 || data + parity <= GF8_SHARDS_MAX {
                return (data, parity);
            }
            groups += 1 + groups / 16;
        }
    }

    fn header(&self, data_blocks: u32, ratio: f64) -> Option<SetHeader> {
        let (stripe_width, data_blocks) = self.stripes(data_blocks);
        let protected = self.catalog_blocks.checked_add(data_blocks)?;
        let (local_data, local_parity) = self.group(protected, ratio);
        self.header_with(stripe_width, protected, local_data, local_parity)
    }

    fn header_with(&self, stripe_width: u16, protected: u32, n: u32, p: u32) -> Option<SetHeader> {
        let volume_blocks = Geometry::volume_blocks_for(protected, n, p);
        (volume_blocks <= u64::from(self.volume_blocks_max)).then(|| SetHeader {
            set_id: SetId([0; 16]),
            codec: self.codec,
            data_volumes: self.data_volumes,
            spare_volumes: self.spare_volumes,
            stripe_width,
            local_data: u16::try_from(n).expect("a group has at most 1024 blocks"),
            local_parity: u16::try_from(p).expect("a group has at most 1024 blocks"),
            catalog_blocks: self.catalog_blocks,
            volume_blocks: u32::try_from(volume_blocks).expect("just compared"),
        })
    }

    /// The layout with as much local parity as the medium has room for.
    fn fill(&self, data_blocks: u32, percent: f64) -> Option<SetHeader> {
        let least = self.header(data_blocks, percent / 100.0)?;
        if !self.bounded || least.local_parity == 0 {
            return Some(least);
        }
        let steps = (0..=500_u32).rev().map(|step| f64::from(step) / 500.0);
        let best = steps
            .take_while(|ratio| *ratio > percent / 100.0)
            .find_map(|ratio| self.header(data_blocks, ratio))
            .unwrap_or(least);
        // The last blocks, where a whole step more does not fit.
        let (stripe_width, data_blocks) = self.stripes(data_blocks);
        let n = u32::from(best.local_data);
        let more = (u32::from(best.local_parity) + 1..=n)
            .take_while(|p| self.codec == Codec::Gf16 || n + p <= GF8_SHARDS_MAX)
            .map_while(|p| {
                self.header_with(stripe_width, self.catalog_blocks + data_blocks, n, p)
            });
        Some(more.last().unwrap_or(best))
    }

    /// Most data blocks of a volume with this much local parity.
    fn most_data_blocks(&self, percent: f64) -> u32 {
        let (mut fits, mut too_many) = (0, self.volume_blocks_max);
        while too_many - fits > 1 {
            let middle = fits + (too_many - fits) / 2;
            match self.header(middle, percent / 100.0) {
                Some(_) => fits = middle,
                None => too_many = middle,
            }
        }
        fits
    }
}

/// Cuts the pieces into `parts` runs so that the largest run is as small as can be; `None` when it exceeds the limit.
fn balance(piece_bytes: &[u64], parts: usize, limit_bytes: u64) -> Option<Vec<Range<usize>>> {
    let cut = |limit: u64| {
        let mut runs = Vec::with_capacity(parts);
        let (mut start, mut sum) = (0, 0_u64);
        for (at, bytes) in piece_bytes.iter().enumerate() {
            if sum + bytes > limit {
                runs.push(start..at);
                (start, sum) = (at, 0);
                if *bytes > limit || runs.len() == parts {
                    return None;
                }
            }
            sum += bytes;
        }
        runs.push(start..piece_bytes.len());
        Some(runs)
    };
    let mut best = cut(limit_bytes)?;
    let (mut low, mut high) = (0, limit_bytes);
    while low < high {
        let middle = low + (high - low) / 2;
        match cut(middle) {
            Some(runs) => {
                best = runs;
                high = middle;
            }
            None => low = middle + 1,
        }
    }
    best.resize(parts, piece_bytes.len()..piece_bytes.len());
    Some(best)
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
            codec: Codec::Gf16,
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
        assert_eq!((plan.header.data_volumes, plan.header.spare_volumes), (4, 1));
        let sizes = plan.payload_bytes();
        assert_eq!(sizes.iter().sum::<u64>(), 337_500_000);
        assert!(sizes.iter().all(|bytes| *bytes <= 90_000_000), "{sizes:?}");
        assert!(plan.header.stripe_width >= 37);
        let guarantee = plan.guarantee();
        assert_eq!(guarantee.any_volumes, 1);
        assert!(guarantee.burst_everywhere_bytes > 15_000_000, "{guarantee:?}");
        assert!(guarantee.burst_alone_bytes > 2_500_000, "{guarantee:?}");
        assert!(guarantee.scattered[0].1 > 5.0 && guarantee.scattered[1].1 > 0.5, "{guarantee:?}");
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert!(matches!(
            plan(&request(&[5_000_000, 200_000_000], 100)),
            Err(VolumeError::PieceTooLarge { piece_no: 1, .. })
        ));
        let small = SetRequest { catalog_bytes: 1 << 30, ..request(&[1], 100) };
        assert!(matches!(plan(&small), Err(VolumeError::MediumTooSmall { .. })));
        let pieces = vec![90_000_000; 1100];
        assert!(matches!(
            plan(&request(&pieces, 100)),
            Err(VolumeError::TooManyVolumes { .. })
        ));
        let gf8 = SetRequest { codec: Codec::Gf8, ..request(&pieces[..300], 100) };
        assert!(matches!(plan(&gf8), Err(VolumeError::TooManyVolumes { most: 255, .. })));
    }

    #[test]
    fn a_disk_without_size_is_one_volume_as_large_as_needed() {
        let pieces = [1 << 30; 30];
        let usb = SetRequest { capacity: "usb".parse().unwrap(), ..request(&pieces, 1) };
        let plan = plan(&usb).unwrap();
        assert_eq!(plan.geometry().volume_count(), 1);
        let share = plan.volume_bytes() * 100 / (30 << 30);
        assert!((110..112).contains(&share), "{share}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_plan_fits_its_medium_and_carries_all_pieces_in_order(
            pieces in proptest::collection::vec(0_u64..6_000_000, 0..60), megabytes in 14_u64..60,
            spare in proptest::option::of(0_u16..4), local in proptest::option::of(0.0..30.0), gf8: bool,
        ) {
            let codec = if gf8 { Codec::Gf8 } else { Codec::Gf16 };
            let request = SetRequest { spare, local_percent: local, codec, ..request(&pieces, megabytes) };
            let plan = plan(&request).unwrap();
            let usable = request.capacity.usable_blocks(Carrier::Folders).unwrap();
            prop_assert!(plan.geometry().volume_blocks() <= usable);
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
