//! Tries a number of volumes: the stripes, local groups and pieces that fit on them.
//!
//! `plan` decides which numbers of volumes are tried.

use std::ops::Range;

use crate::base::id::SetId;
use crate::volumes::block::{BlockSize, ParityCodec, SetHeader, VOLUMES_MAX};
use crate::volumes::geometry::{GF8_SHARDS_MAX, Geometry, SET_BLOCKS_MAX, VOLUME_BLOCKS_MAX};
use crate::volumes::{SetPlan, SetRequest, VolumeError};

/// Approximate number of data blocks that a stripe takes from all volumes together.
const STRIPE_DATA_BLOCKS: u16 = 200;
/// Fewest blocks that a stripe of `gf16` takes from each volume.
const STRIPE_WIDTH_MIN: u16 = 12;
/// Most blocks of a planned stripe. With buffers for reading it takes 192 MiB of memory.
const STRIPE_BLOCKS_MAX: u16 = 3072;
/// Approximate number of protected blocks in a local group of `gf16`.
const GROUP_BLOCKS: u32 = 500;
/// Local parity of sets with spares, and of sets without, in percent of the protected blocks.
const LOCAL_PERCENT: f64 = 3.0;
const LOCAL_PERCENT_ALONE: f64 = 10.0;
/// Fewest parity blocks of a volume of small blocks that has any. Adjacent ones are lost together when a disc loses 64 KiB,
/// which are one error-correction unit or two, wherever they begin.
const SMALL_PARITY_MIN: u32 = 17;

/// Returns the blocks that hold this many bytes of payload.
pub(super) fn blocks_for(bytes: u64, size: BlockSize) -> u64 {
    bytes.div_ceil(size.payload_bytes() as u64)
}

/// A number of volumes that is being tried.
pub(super) struct VolumeLayout {
    block_size: BlockSize,
    codec: ParityCodec,
    data_volumes: u16,
    spare_volumes: u16,
    catalog_blocks: u32,
    volume_blocks_max: u32,
    /// Whether the medium has a size limit, so that room can be left over.
    bounded: bool,
}

impl VolumeLayout {
    pub(super) fn new(
        request: &SetRequest<'_>,
        block_size: BlockSize,
        data_volumes: u64,
        spare_volumes: u16,
        catalog_blocks: u64,
        usable: Option<u32>,
    ) -> Result<Self, VolumeError> {
        let volumes = data_volumes + u64::from(spare_volumes);
        let most = match (request.codec, spare_volumes) {
            (ParityCodec::Gf8, 1..) => GF8_SHARDS_MAX,
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
        let limit = u32::try_from(SET_BLOCKS_MAX / volumes)
            .expect("at most 2^31")
            .min(VOLUME_BLOCKS_MAX);
        let volume_blocks_max = usable.unwrap_or(limit).min(limit);
        let smallest = Geometry::volume_blocks_for(1, 1, 0) + catalog_blocks;
        if smallest > u64::from(volume_blocks_max) {
            return Err(VolumeError::MediumTooSmall {
                usable_blocks: volume_blocks_max,
                needed_blocks: smallest,
            });
        }
        Ok(Self {
            block_size,
            codec: request.codec,
            data_volumes,
            spare_volumes,
            catalog_blocks: u32::try_from(catalog_blocks).expect("fits the medium"),
            volume_blocks_max,
            bounded: usable.is_some(),
        })
    }

    /// Returns the least local parities to try, in the order of preference. A single volume accepts less parity rather
    /// than becoming two.
    pub(super) fn percents(&self, request: &SetRequest<'_>) -> Vec<f64> {
        match request.local_percent {
            Some(percent) => vec![percent.clamp(0.0, 100.0)],
            None if self.spare_volumes > 0 => vec![LOCAL_PERCENT],
            None if self.data_volumes == 1 => vec![LOCAL_PERCENT_ALONE, LOCAL_PERCENT],
            None => vec![LOCAL_PERCENT_ALONE],
        }
    }

    pub(super) fn try_plan(
        &self,
        request: &SetRequest<'_>,
        percent: f64,
    ) -> Result<Option<SetPlan>, VolumeError> {
        let room_blocks = self.most_data_blocks(percent);
        if room_blocks == 0 {
            let catalog = u64::from(self.catalog_blocks);
            return Err(VolumeError::MediumTooSmall {
                usable_blocks: self.volume_blocks_max,
                needed_blocks: Geometry::volume_blocks_for(1, 1, 1)
                    + catalog
                    + catalog.div_ceil(10),
            });
        }
        let room_bytes = u64::from(room_blocks) * self.block_size.payload_bytes() as u64;
        let largest = request
            .piece_bytes
            .iter()
            .enumerate()
            .max_by_key(|(_, bytes)| **bytes);
        if let Some((piece_no, bytes)) = largest.filter(|(_, bytes)| **bytes > room_bytes) {
            // A single volume carries more local parity. Two volumes may therefore have room where one does not.
            if self.data_volumes == 1 {
                return Ok(None);
            }
            return Err(VolumeError::PieceTooLarge {
                piece_no,
                bytes: *bytes,
                room_bytes,
            });
        }
        let Some(pieces) = balance(
            request.piece_bytes,
            usize::from(self.data_volumes),
            room_bytes,
        ) else {
            return Ok(None);
        };
        let sums = pieces
            .iter()
            .map(|range| request.piece_bytes[range.clone()].iter().sum());
        let data_blocks = blocks_for(sums.max().unwrap_or(0), self.block_size);
        let data_blocks = u32::try_from(data_blocks).expect("fits the medium");
        let data_blocks = data_blocks.max(self.least_data_blocks(percent));
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

    /// Returns the stripe width, and the data blocks rounded up to whole stripes.
    fn stripes(&self, data_blocks: u32) -> (u16, u32) {
        if self.spare_volumes == 0 {
            return (0, data_blocks);
        }
        let volumes = self.data_volumes + self.spare_volumes;
        let about = STRIPE_DATA_BLOCKS / self.data_volumes;
        let most = match self.codec {
            ParityCodec::Gf8 => about.min(255 / volumes),
            ParityCodec::Gf16 => about.max(STRIPE_WIDTH_MIN).min(STRIPE_BLOCKS_MAX / volumes),
        };
        let most = u16::try_from(data_blocks)
            .unwrap_or(u16::MAX)
            .min(most.max(1));
        // Among the widths near the widest, the one that wastes least is taken, and among equal ones the widest.
        let least = most - most / 4;
        (least..=most)
            .rev()
            .map(|width| (width, data_blocks.next_multiple_of(u32::from(width))))
            .min_by_key(|(_, rounded)| *rounded)
            .expect("at least one width")
    }

    /// Returns the fewest parity blocks of a volume that has any.
    fn least_parity(&self) -> u32 {
        match self.block_size {
            BlockSize::Small => SMALL_PARITY_MIN,
            BlockSize::Full => 1,
        }
    }

    /// Returns the fewest data blocks. A group has as many protected blocks as parity blocks at least.
    fn least_data_blocks(&self, percent: f64) -> u32 {
        let protected = if percent > 0.0 {
            self.least_parity()
        } else {
            0
        };
        protected.saturating_sub(self.catalog_blocks).max(1)
    }

    /// Returns the group's sizes for a ratio of parity to protected blocks.
    fn group(&self, protected: u32, ratio: f64) -> (u32, u32) {
        if ratio <= 0.0 {
            return (0, 0);
        }
        let parity_of = |data: u32, groups: u32| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let parity = (f64::from(data) * ratio - 1e-9).ceil() as u32;
            parity.max(self.least_parity().div_ceil(groups)).min(data)
        };
        let mut groups = protected.div_ceil(GROUP_BLOCKS);
        loop {
            let data = protected.div_ceil(groups);
            let parity = parity_of(data, groups);
            if self.codec == ParityCodec::Gf16 || data + parity <= GF8_SHARDS_MAX {
                return (data, parity);
            }
            // Groups of `gf8` are small. Growing by a share keeps the number of tries low.
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
            block_size: self.block_size,
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

    /// Returns the layout with as much local parity as the medium has room for.
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
        // Fills the last blocks, where a whole step does not fit any more.
        let (stripe_width, data_blocks) = self.stripes(data_blocks);
        let n = u32::from(best.local_data);
        let more = (u32::from(best.local_parity) + 1..=n)
            .take_while(|p| self.codec == ParityCodec::Gf16 || n + p <= GF8_SHARDS_MAX)
            .map_while(|p| self.header_with(stripe_width, self.catalog_blocks + data_blocks, n, p));
        Some(more.last().unwrap_or(best))
    }

    /// Returns the most data blocks of a volume with this much local parity.
    fn most_data_blocks(&self, percent: f64) -> u32 {
        // Binary search: `fits` always has a layout, or is 0, and `too_many` never has one.
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

/// Cuts the pieces into `parts` runs so that the largest run is as small as possible. Returns `None` when it exceeds
/// the limit.
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
    // Binary search for the smallest limit that still gives at most `parts` runs.
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
    // Fewer runs may suffice. The remaining volumes carry no pieces.
    best.resize(parts, piece_bytes.len()..piece_bytes.len());
    Some(best)
}
