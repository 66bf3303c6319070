//! Carries out a recovery: reads the remaining blocks, solves groups and stripes, and writes the restored blocks into
//! the staging folder.
//!
//! `recovery` decides what can be restored. Every shard is checked by its hash before it is used, because a wrong one
//! would give a wrong block with a right hash. Memory: 192 MiB of blocks and the codes' scratch.

mod slices;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use self::slices::Lost;
use crate::base::monitor::Monitor;
use crate::volumes::VolumeError;
use crate::volumes::block::{BLOCK_BYTES, HEADER_BYTES, ParityCodec};
use crate::volumes::blocks::{Blocks, header_at, read_whole};
use crate::volumes::encode::new_code;
use crate::volumes::geometry::{Geometry, Role};
use crate::volumes::parity::{ErasureCode, Shard, Worker};
use crate::volumes::recovery::{
    Act, BlockPlace, Presence, Recovery, RecoveryGoal, RecoveryStep, recover,
};
use crate::volumes::slices::Slices;
use crate::volumes::staged_images::StagedImages;

/// Most blocks in memory at a time, if they are full ones.
const BATCH_BLOCKS: usize = (192 << 20) / BLOCK_BYTES;
/// Most acts that are solved at a time.
const BATCH_ACTS: usize = 256;

/// The result of healing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct HealReport {
    /// Blocks copied from the catalog of another volume.
    pub copied_blocks: u64,
    /// Blocks that local parity restored.
    pub local_blocks: u64,
    /// Blocks that the stripes restored.
    pub wide_blocks: u64,
    /// Blocks that were present before and could not be read again.
    pub lost_again: Vec<(u16, u32)>,
}

/// Heals the blocks that the goal needs into `images`, as far as possible. Updates `presence`: healed blocks are added,
/// and blocks that cannot be read again are removed. `blocks` must read the staging folder first.
pub(crate) fn heal(
    blocks: &dyn Blocks,
    presence: &mut Presence,
    images: &StagedImages,
    goal: &RecoveryGoal,
    monitor: &dyn Monitor,
) -> Result<HealReport, VolumeError> {
    let geometry = blocks.geometry();
    let mut report = HealReport::default();
    loop {
        let recovery: Recovery = recover(geometry, presence);
        let steps = recovery.steps_for(geometry, presence, goal);
        if steps.is_empty() {
            return Ok(report);
        }
        let healed_bytes = steps
            .iter()
            .map(|step| step.healed.len() * geometry.block_bytes())
            .sum::<usize>();
        monitor.start("healing", healed_bytes as u64);
        let mut healer = Healer {
            blocks,
            images,
            codes: BTreeMap::new(),
            monitor,
        };
        let mut failed = Vec::new();
        for alike in steps.chunk_by(|a, b| batch_key(a) == batch_key(b)) {
            healer.run(alike, presence, &mut failed, &mut report)?;
            // Later steps may depend on blocks that turned out to be missing, so everything is scheduled anew.
            if !failed.is_empty() {
                break;
            }
        }
        monitor.finish();
        let done = failed.is_empty();
        for (place, slices) in failed {
            if presence.remove(place) {
                report.lost_again.push(place);
            }
            presence.set_slices(place, slices);
        }
        if done {
            return Ok(report);
        }
    }
}

/// Steps with the same key do not depend on one another.
fn batch_key(step: &RecoveryStep) -> (u32, u8) {
    let kind = match step.act {
        Act::CopyCatalog(_) | Act::Join(_) => 0,
        Act::Local { .. } => 1,
        Act::Wide(_) => 2,
    };
    (step.round, kind)
}

/// What a step gave.
#[derive(Debug, Default)]
struct Solved {
    healed: Vec<BlockPlace>,
    /// Blocks that are not complete, and all of their known slices.
    improved: Vec<(BlockPlace, Slices)>,
}

struct Healer<'a> {
    blocks: &'a dyn Blocks,
    images: &'a StagedImages,
    /// Codes by their counts of data and parity shards. Local groups have two different counts.
    codes: BTreeMap<(usize, usize), ErasureCode>,
    monitor: &'a dyn Monitor,
}

impl Healer<'_> {
    fn shape(geometry: &Geometry, act: Act) -> (usize, usize) {
        let header = geometry.header();
        let parity = match act {
            Act::CopyCatalog(_) | Act::Join(_) => return (1, 0),
            Act::Local { .. } => usize::from(header.local_parity),
            Act::Wide(_) => usize::from(header.spare_volumes) * usize::from(header.stripe_width),
        };
        (act.needed(geometry), parity)
    }

    fn run(
        &mut self,
        steps: &[RecoveryStep],
        presence: &mut Presence,
        failed: &mut Vec<(BlockPlace, Slices)>,
        report: &mut HealReport,
    ) -> Result<(), VolumeError> {
        let geometry = self.blocks.geometry();
        for step in steps {
            let shape = Self::shape(geometry, step.act);
            if shape.1 > 0 {
                self.codes
                    .entry(shape)
                    .or_insert_with(|| new_code(geometry, shape.0, shape.1));
            }
        }
        // Upper bound of the blocks that are read and written.
        let blocks = |step: &RecoveryStep| match step.slices {
            None => step.act.needed(geometry) + step.healed.len(),
            Some(_) => step.act.places(geometry).len() + step.healed.len() + step.improved.len(),
        };
        let most = steps.iter().map(blocks).max();
        let batch = (BATCH_BLOCKS / most.unwrap_or(1).max(1)).clamp(1, BATCH_ACTS);
        for steps in steps.chunks(batch) {
            self.monitor.check_stop()?;
            let lost = Mutex::new(Vec::new());
            let now: &Presence = presence;
            let solved: Vec<Solved> = steps
                .par_iter()
                .map(|step| match step.slices {
                    None => self.solve(step, now, &lost),
                    Some(slices) => self.solve_slices(step, slices, now, &lost),
                })
                .collect::<Result<_, VolumeError>>()?;
            failed.extend(lost.into_inner().unwrap_or_else(PoisonError::into_inner));
            for (step, solved) in steps.iter().zip(solved) {
                let count = solved.healed.len() as u64;
                match step.act {
                    Act::CopyCatalog(_) | Act::Join(_) => report.copied_blocks += count,
                    Act::Local { .. } => report.local_blocks += count,
                    Act::Wide(_) => report.wide_blocks += count,
                }
                for place in solved.healed {
                    presence.add(place);
                }
                for (place, slices) in solved.improved {
                    presence.set_slices(place, slices);
                }
            }
        }
        Ok(())
    }

    /// Solves one step for whole blocks. It gives nothing when too many of the needed shards could not be read.
    fn solve(
        &self,
        step: &RecoveryStep,
        presence: &Presence,
        lost: &Lost,
    ) -> Result<Solved, VolumeError> {
        let geometry = self.blocks.geometry();
        let places = step.act.places(geometry);
        let needed = step.act.needed(geometry);
        let Some(read) = self.read_shards(&places, needed, presence, lost) else {
            return Ok(Solved::default());
        };
        let mut outs: Vec<(BlockPlace, Vec<u8>)> = step
            .healed
            .iter()
            .map(|place| (*place, vec![0; geometry.block_bytes()]))
            .collect();
        if let Act::CopyCatalog(_) = step.act {
            let (_, block) = &read[0];
            for (_, out) in &mut outs {
                out.copy_from_slice(block);
            }
        } else {
            let code = &self.codes[&Self::shape(geometry, step.act)];
            restore(&mut code.worker(), &places, needed, &read, &mut outs);
        }
        for (place, block) in &mut outs {
            // Only the payload was restored. The header follows from the place and is sealed anew.
            header_at(geometry, *place).seal(block);
            self.images.write(*place, block)?;
            self.monitor.advance(geometry.block_bytes() as u64);
        }
        Ok(Solved {
            healed: step.healed.clone(),
            improved: Vec::new(),
        })
    }

    /// Reads as many shards as are needed, in the order of the code. Returns `None` when there are fewer.
    fn read_shards(
        &self,
        places: &[BlockPlace],
        needed: usize,
        presence: &Presence,
        lost: &Lost,
    ) -> Option<Vec<(usize, Vec<u8>)>> {
        let mut read = Vec::with_capacity(needed);
        let block_bytes = self.blocks.geometry().block_bytes();
        let mut block = vec![0; block_bytes];
        for (index, place) in places.iter().enumerate() {
            if read.len() == needed {
                break;
            }
            if !presence.has(*place) {
                continue;
            }
            if read_whole(self.blocks, *place, &mut block) {
                read.push((index, std::mem::replace(&mut block, vec![0; block_bytes])));
            } else {
                lost.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((*place, Slices::NONE));
            }
        }
        (read.len() == needed).then_some(read)
    }
}

/// Most ways to solve one group or stripe that are tried for one block.
const OPINIONS_MAX: usize = 24;

/// Cost of a block in the slow code, in blocks of the fast one.
const SLOW_CODE_COST: u32 = 16;

/// How parity is used to compute a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HealAction {
    /// By the block's group.
    Local,
    /// By the block's stripe.
    Wide,
    /// By both, leaving out one volume or one block in turn, because one of them may be wrong.
    Around,
}

/// Returns the versions of the block at `place` that parity gives, each different one once. `read` gives the blocks
/// that may be used. Blocks that are `is_doubtful` are used only when there are too few others. `budget` counts the
/// blocks that the code processes.
pub(crate) fn opinions(
    geometry: &Geometry,
    place: BlockPlace,
    way: HealAction,
    read: &dyn Fn(BlockPlace) -> Option<Vec<u8>>,
    is_doubtful: &dyn Fn(BlockPlace) -> bool,
    budget: &mut u32,
) -> Vec<Vec<u8>> {
    let mut answers: Vec<Vec<u8>> = Vec::new();
    for act in acts_of(geometry, place) {
        let is_asked = match act {
            Act::Local { .. } => way != HealAction::Wide,
            _ => way != HealAction::Local,
        };
        if !is_asked {
            continue;
        }
        let shape = Healer::shape(geometry, act);
        let cost = match geometry.header().codec {
            ParityCodec::Gf8 => SLOW_CODE_COST,
            ParityCodec::Gf16 => 1,
        };
        let cost = u32::try_from(shape.0)
            .unwrap_or(u32::MAX)
            .saturating_mul(cost);
        let places = act.places(geometry);
        let Some(wanted) = places.iter().position(|each| *each == place) else {
            continue;
        };
        if shape.1 == 0 {
            continue;
        }
        let mut there: Vec<(usize, Vec<u8>)> = Vec::new();
        for doubtful in [false, true] {
            let more = places
                .iter()
                .enumerate()
                .filter(|(index, each)| *index != wanted && is_doubtful(**each) == doubtful);
            if there.len() < shape.0 {
                there.extend(more.filter_map(|(index, each)| Some((index, read(*each)?))));
            }
        }
        if there.len() < shape.0 {
            continue;
        }
        let code = new_code(geometry, shape.0, shape.1);
        let mut worker = code.worker();
        let most = if way == HealAction::Around {
            OPINIONS_MAX
        } else {
            1
        };
        for left_out in ways(&places, &there, shape.0).into_iter().take(most) {
            if *budget < cost {
                return answers;
            }
            *budget -= cost;
            let mut shards: Vec<Shard<'_>> = places.iter().map(|_| Shard::Lost).collect();
            let used = there.iter().filter(|(index, _)| !left_out.contains(index));
            for (index, block) in used.take(shape.0) {
                shards[*index] = Shard::Have(&block[HEADER_BYTES..]);
            }
            let mut out = vec![0; geometry.block_bytes()];
            shards[wanted] = Shard::Want(&mut out[HEADER_BYTES..]);
            let (data, parity) = shards.split_at_mut(shape.0);
            if worker.restore(data, parity).is_err() {
                continue;
            }
            header_at(geometry, place).seal(&mut out);
            if !answers.contains(&out) {
                answers.push(out);
            }
        }
    }
    answers
}

/// Returns the group and the stripe of a block.
pub(crate) fn acts_of(geometry: &Geometry, (volume_no, block_no): BlockPlace) -> Vec<Act> {
    let mut acts = Vec::new();
    if let Some(group) = geometry.group_of(block_no) {
        acts.push(Act::Local { volume_no, group });
    }
    if let Role::Data(index) = geometry.role(block_no)
        && let Some(stripe) = geometry.stripe_of(index)
    {
        acts.push(Act::Wide(stripe));
    }
    acts
}

/// Returns the shards to leave out when these blocks exist and `needed` are used: nothing, one volume, or one block.
fn ways(places: &[BlockPlace], there: &[(usize, Vec<u8>)], needed: usize) -> Vec<Vec<usize>> {
    let mut ways = vec![Vec::new()];
    let spare = there.len() - needed;
    let taken: Vec<usize> = there.iter().take(needed).map(|(index, _)| *index).collect();
    let mut volumes: Vec<u16> = taken.iter().map(|index| places[*index].0).collect();
    volumes.dedup();
    for volume_no in volumes {
        let of_volume: Vec<usize> = there
            .iter()
            .map(|(index, _)| *index)
            .filter(|index| places[*index].0 == volume_no)
            .collect();
        if of_volume.len() <= spare {
            ways.push(of_volume);
        }
    }
    if spare > 0 {
        // Parity is forged as often as data, and there is less of it.
        ways.extend(taken.iter().rev().map(|index| vec![*index]));
    }
    ways.truncate(OPINIONS_MAX);
    ways
}

fn restore(
    worker: &mut Worker<'_>,
    places: &[BlockPlace],
    data: usize,
    read: &[(usize, Vec<u8>)],
    outs: &mut [(BlockPlace, Vec<u8>)],
) {
    let mut shards: Vec<Shard<'_>> = places.iter().map(|_| Shard::Lost).collect();
    for (index, block) in read {
        shards[*index] = Shard::Have(&block[HEADER_BYTES..]);
    }
    for (place, block) in outs {
        let index = places.iter().position(|known| known == place);
        shards[index.expect("a step heals its own places")] =
            Shard::Want(&mut block[HEADER_BYTES..]);
    }
    let (data_shards, parity_shards) = shards.split_at_mut(data);
    worker
        .restore(data_shards, parity_shards)
        .expect("as many shards were read as are needed");
}
