//! Computes the parity of a set that is being written: wide stripes onto the spare volumes, local groups on every
//! volume.
//!
//! It reads back blocks that were just written, which the system still has in memory, and trusts them. A stripe or group
//! is read once and in chunks, and its parity is written at once. Memory: 192 MiB of blocks at most, and the codes'
//! scratch of a few MiB a thread.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::block::{BLOCK_BYTES, BlockSize, HEADER_BYTES};
use crate::volumes::blocks::header_at;
use crate::volumes::geometry::Geometry;
use crate::volumes::media::VolumeWriter;
use crate::volumes::parity::{ErasureCode, ParityError, StreamingEncoder};
use crate::volumes::recovery::{Act, BlockPlace};

/// Most blocks in memory at a time, if they are full ones.
const BATCH_BLOCKS: usize = (192 << 20) / BLOCK_BYTES;
/// Most stripes or groups between two looks whether to stop.
const BATCH_ACTS: usize = 64;

/// Writes all wide parity. Neighbors are processed together, so that reads are near one another.
pub(super) fn encode_wide(
    geometry: &Geometry,
    writers: &[VolumeWriter],
    monitor: &dyn Monitor,
) -> Result<(), VolumeError> {
    let width = usize::from(geometry.header().stripe_width);
    let data = usize::from(geometry.header().data_volumes) * width;
    let parity = usize::from(geometry.header().spare_volumes) * width;
    let acts: Vec<Act> = (0..geometry.stripe_count()).map(Act::Wide).collect();
    encode_alike(geometry, writers, (data, parity), &acts, monitor)
}

/// Writes the local parity of all volumes.
pub(super) fn encode_local(
    geometry: &Geometry,
    writers: &[VolumeWriter],
    monitor: &dyn Monitor,
) -> Result<(), VolumeError> {
    let parity = usize::from(geometry.header().local_parity);
    // The first groups have `n` members, the later ones one less.
    let groups: Vec<u32> = (0..geometry.group_count()).collect();
    let members = |group: &u32| geometry.group_members(*group);
    for alike in groups.chunk_by(|a, b| members(a) == members(b)) {
        let of_volume = |volume_no| {
            let act = move |group: &u32| Act::Local {
                volume_no,
                group: *group,
            };
            alike.iter().map(act)
        };
        let acts: Vec<Act> = (1..=geometry.volume_count()).flat_map(of_volume).collect();
        let data = members(&alike[0]) as usize;
        encode_alike(geometry, writers, (data, parity), &acts, monitor)?;
    }
    Ok(())
}

/// Returns the code for counts that the geometry has checked.
pub(super) fn new_code(geometry: &Geometry, data: usize, parity: usize) -> ErasureCode {
    let code: Result<ErasureCode, ParityError> =
        ErasureCode::new(geometry.header().codec, data, parity);
    code.expect("the geometry allows only counts that the codes have")
}

/// Encodes acts of `data` + `parity` shards.
fn encode_alike(
    geometry: &Geometry,
    writers: &[VolumeWriter],
    (data, parity): (usize, usize),
    acts: &[Act],
    monitor: &dyn Monitor,
) -> Result<(), VolumeError> {
    let code = new_code(geometry, data, parity);
    // A thread holds a chunk, and the sum of the chunks before it.
    let held = code.chunk_shards().map_or(data + parity, |chunk| 2 * chunk);
    let threads = (BATCH_BLOCKS / held).clamp(1, rayon::current_num_threads());
    let encoder = || ActEncoder::new(geometry, writers, &code, (data, parity));
    let mut encoders: Vec<ActEncoder<'_>> =
        (0..threads.min(acts.len())).map(|_| encoder()).collect();
    for batch in acts.chunks(BATCH_ACTS) {
        monitor.check_stop()?;
        // As many threads as there are encoders take the next act each, in order.
        let next = AtomicUsize::new(0);
        encoders.par_iter_mut().try_for_each(|encoder| {
            while let Some(act) = batch.get(next.fetch_add(1, Ordering::Relaxed)) {
                encoder.encode(*act)?;
            }
            Ok::<_, VolumeError>(())
        })?;
        monitor.advance(((data + parity) * batch.len() * geometry.block_bytes()) as u64);
    }
    Ok(())
}

/// Encodes one stripe or group after the other, in memory of its own.
struct ActEncoder<'a> {
    geometry: &'a Geometry,
    writers: &'a [VolumeWriter],
    code: &'a ErasureCode,
    data: usize,
    parity: usize,
    /// `None` when the code needs all data shards at once.
    chunked: Option<(usize, StreamingEncoder)>,
    /// A chunk of data blocks, then the parity blocks.
    blocks: Vec<u8>,
}

impl<'a> ActEncoder<'a> {
    fn new(
        geometry: &'a Geometry,
        writers: &'a [VolumeWriter],
        code: &'a ErasureCode,
        (data, parity): (usize, usize),
    ) -> Self {
        let chunk = code.chunk_shards();
        let size = geometry.block_size();
        let streaming = |chunk| (chunk, StreamingEncoder::new(chunk, size.payload_bytes()));
        let chunked = chunk.map(streaming);
        let blocks = chunk.unwrap_or(data + parity);
        Self {
            geometry,
            writers,
            code,
            data,
            parity,
            chunked,
            blocks: vec![0; blocks * size.bytes()],
        }
    }

    fn encode(&mut self, act: Act) -> Result<(), VolumeError> {
        let places = act.places(self.geometry);
        let (data_places, parity_places) = places.split_at(self.data);
        let size = self.geometry.block_size();
        let block_bytes = size.bytes();
        let parity_bytes = self.parity * block_bytes;
        let made = if let Some((chunk, encoder)) = &mut self.chunked {
            for places in data_places.chunks(*chunk) {
                let blocks = &mut self.blocks[..places.len() * block_bytes];
                read_blocks(self.writers, block_bytes, places, blocks)?;
                encoder.add(&payloads(size, blocks));
            }
            // A chunk has room for the parity, and is not needed any more.
            let made = &mut self.blocks[..parity_bytes];
            encoder.finish(&mut payloads_mut(size, made));
            made
        } else {
            let (blocks, made) = self.blocks.split_at_mut(self.data * block_bytes);
            read_blocks(self.writers, block_bytes, data_places, blocks)?;
            let mut worker = self.code.worker();
            worker.encode(&payloads(size, blocks), &mut payloads_mut(size, made));
            made
        };
        for (block, place) in made.chunks_mut(block_bytes).zip(parity_places) {
            header_at(self.geometry, *place).seal(block);
            self.writers[usize::from(place.0) - 1].write_run(place.1, block)?;
        }
        Ok(())
    }
}

fn read_blocks(
    writers: &[VolumeWriter],
    block_bytes: usize,
    places: &[BlockPlace],
    blocks: &mut [u8],
) -> Result<(), VolumeError> {
    for ((volume_no, block_no), block) in places.iter().zip(blocks.chunks_mut(block_bytes)) {
        writers[usize::from(*volume_no) - 1].read_run(*block_no, block)?;
    }
    Ok(())
}

fn payloads(size: BlockSize, blocks: &[u8]) -> Vec<&[u8]> {
    let blocks = blocks.chunks(size.bytes());
    blocks.map(|block| &block[HEADER_BYTES..]).collect()
}

fn payloads_mut(size: BlockSize, blocks: &mut [u8]) -> Vec<&mut [u8]> {
    let blocks = blocks.chunks_mut(size.bytes());
    blocks.map(|block| &mut block[HEADER_BYTES..]).collect()
}
