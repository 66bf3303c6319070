//! Computes the parity of a set that is being written: wide stripes onto the spare volumes, local groups on every
//! volume.
//!
//! It reads back blocks that were just written, which the system still has in memory, and trusts them. Memory: 192 MiB
//! of blocks at most, and the codes' scratch of a few MiB a thread.

use rayon::prelude::*;

use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::block::{BLOCK_BYTES, HEADER_BYTES};
use crate::volumes::blocks::header_at;
use crate::volumes::geometry::Geometry;
use crate::volumes::media::VolumeWriter;
use crate::volumes::parity::{ErasureCode, ParityError};
use crate::volumes::recovery::Act;

/// Most blocks in memory at a time.
const BATCH_BLOCKS: usize = (192 << 20) / BLOCK_BYTES;
/// Most stripes or groups that are solved at a time. Longer runs gain nothing.
const BATCH_ACTS: usize = 64;

/// Writes all wide parity. Stripes are processed in batches of neighbors, so that reads are runs.
pub(super) fn encode_wide(
    geometry: &Geometry,
    writers: &[VolumeWriter],
    monitor: &dyn Monitor,
) -> Result<(), VolumeError> {
    let width = usize::from(geometry.header().stripe_width);
    let data = usize::from(geometry.header().data_volumes) * width;
    let parity = usize::from(geometry.header().spare_volumes) * width;
    let code = new_code(geometry, data, parity);
    let shards = data + parity;
    let mut buffer = Buffer::new(shards);
    for stripes in batches(geometry.stripe_count(), shards) {
        let acts: Vec<Act> = stripes.map(Act::Wide).collect();
        encode_batch(geometry, writers, &code, &acts, data, &mut buffer, monitor)?;
    }
    Ok(())
}

/// Writes the local parity of one volume.
pub(super) fn encode_local(
    geometry: &Geometry,
    writers: &[VolumeWriter],
    volume_no: u16,
    monitor: &dyn Monitor,
) -> Result<(), VolumeError> {
    let parity = usize::from(geometry.header().local_parity);
    let most = usize::from(geometry.header().local_data) + parity;
    let mut buffer = Buffer::new(most);
    let mut code: Option<(usize, ErasureCode)> = None;
    for groups in batches(geometry.group_count(), most) {
        // The first groups have `n` members, the later ones one less.
        let sizes = |group: &u32| geometry.group_members(*group);
        let groups: Vec<u32> = groups.collect();
        for alike in groups.chunk_by(|a, b| sizes(a) == sizes(b)) {
            let data = sizes(&alike[0]) as usize;
            let code = match &mut code {
                Some((known, code)) if *known == data => code,
                slot => &mut slot.insert((data, new_code(geometry, data, parity))).1,
            };
            let acts: Vec<Act> = alike
                .iter()
                .map(|group| Act::Local {
                    volume_no,
                    group: *group,
                })
                .collect();
            encode_batch(geometry, writers, code, &acts, data, &mut buffer, monitor)?;
        }
    }
    Ok(())
}

/// Returns the code for counts that the geometry has checked.
pub(super) fn new_code(geometry: &Geometry, data: usize, parity: usize) -> ErasureCode {
    let code: Result<ErasureCode, ParityError> =
        ErasureCode::new(geometry.header().codec, data, parity);
    code.expect("the geometry allows only counts that the codes have")
}

/// Cuts `0..count` into runs that fit in memory.
fn batches(count: u32, shards: usize) -> impl Iterator<Item = std::ops::Range<u32>> {
    let acts = (BATCH_BLOCKS / shards).clamp(1, BATCH_ACTS);
    let step = u32::try_from(acts).expect("at most 64");
    (0..count)
        .step_by(acts)
        .map(move |first| first..(first + step).min(count))
}

/// Memory for one batch, kept from batch to batch.
struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    fn new(shards: usize) -> Self {
        let acts = (BATCH_BLOCKS / shards).clamp(1, BATCH_ACTS);
        Self {
            bytes: vec![0; shards * acts * BLOCK_BYTES],
        }
    }
}

/// Encodes acts of one shape. Shard `i` of all acts is contiguous in memory. Adjacent stripes and groups have adjacent
/// blocks, so it is read and written as one run.
fn encode_batch(
    geometry: &Geometry,
    writers: &[VolumeWriter],
    code: &ErasureCode,
    acts: &[Act],
    data: usize,
    buffer: &mut Buffer,
    monitor: &dyn Monitor,
) -> Result<(), VolumeError> {
    monitor.check_stop()?;
    let places: Vec<Vec<_>> = acts.iter().map(|act| act.places(geometry)).collect();
    let shards = places[0].len();
    let run_bytes = acts.len() * BLOCK_BYTES;
    let (data_bytes, rest) = buffer.bytes.split_at_mut(data * run_bytes);
    let parity_bytes = &mut rest[..(shards - data) * run_bytes];
    // All acts have the same shape, so one shard index gives a run of places.
    let run_of = |shard: usize| -> Vec<_> { places.iter().map(|places| places[shard]).collect() };

    data_bytes
        .par_chunks_mut(run_bytes)
        .enumerate()
        .try_for_each(|(shard, run)| {
            for_each_run(&run_of(shard), |(volume_no, first), part| {
                writers[usize::from(volume_no) - 1].read_run(first, &mut run[part])
            })
        })?;
    let mut by_act: Vec<Vec<&mut [u8]>> = acts.iter().map(|_| Vec::new()).collect();
    for run in parity_bytes.chunks_mut(run_bytes) {
        for (act, block) in by_act.iter_mut().zip(run.chunks_mut(BLOCK_BYTES)) {
            act.push(block);
        }
    }
    by_act.par_iter_mut().enumerate().for_each_init(
        || code.worker(),
        |worker, (at, blocks)| {
            let offset = at * BLOCK_BYTES + HEADER_BYTES;
            let payload = offset..(at + 1) * BLOCK_BYTES;
            let sources: Vec<&[u8]> = data_bytes
                .chunks(run_bytes)
                .map(|run| &run[payload.clone()])
                .collect();
            let mut outs: Vec<&mut [u8]> = blocks
                .iter_mut()
                .map(|block| &mut block[HEADER_BYTES..])
                .collect();
            worker.encode(&sources, &mut outs);
            for (block, place) in blocks.iter_mut().zip(&places[at][data..]) {
                header_at(geometry, *place).seal(block);
            }
        },
    );
    parity_bytes
        .par_chunks(run_bytes)
        .enumerate()
        .try_for_each(|(shard, run)| {
            for_each_run(&run_of(data + shard), |(volume_no, first), part| {
                writers[usize::from(volume_no) - 1].write_run(first, &run[part])
            })
        })?;
    monitor.advance((shards * run_bytes) as u64);
    Ok(())
}

/// Calls `act` for every run of adjacent blocks, with its first place and its bytes. Superblocks interrupt runs.
fn for_each_run<E>(
    places: &[(u16, u32)],
    mut act: impl FnMut((u16, u32), std::ops::Range<usize>) -> Result<(), E>,
) -> Result<(), E> {
    let mut at = 0;
    for run in places.chunk_by(|a, b| a.1 + 1 == b.1) {
        let end = at + run.len() * BLOCK_BYTES;
        act(run[0], at..end)?;
        at = end;
    }
    Ok(())
}
