//! Solves groups and stripes slice by slice, where there are not enough whole blocks.
//!
//! A slice that was read is trusted until the hash of its block says otherwise. Then the slices of that block count as
//! unknown, and in the end every slice that had a part in it, so that only whole blocks are left.

use std::sync::{Mutex, PoisonError};

use super::{Healer, Solved};
use crate::volumes::VolumeError;
use crate::volumes::block::{BlockHeader, HEADER_BYTES};
use crate::volumes::blocks::{header_at, read_whole};
use crate::volumes::parity::{ErasureCode, Shard, Worker};
use crate::volumes::recovery::{Act, BlockPlace, Presence, RecoveryStep};
use crate::volumes::slices::{Slices, bytes_of};

/// Blocks that turned out to be less than was thought, and the slices that are left of each.
pub(super) type Lost = Mutex<Vec<(BlockPlace, Slices)>>;

/// What is known of one block of an act.
struct KnownBlock {
    bytes: Vec<u8>,
    slices: Slices,
    is_whole: bool,
}

impl Healer<'_> {
    /// Solves one step for the given slices. It gives nothing when some block cannot be read as it was before.
    pub(super) fn solve_slices(
        &self,
        step: &RecoveryStep,
        slices: Slices,
        presence: &Presence,
        lost: &Lost,
    ) -> Result<Solved, VolumeError> {
        let places = step.act.places(self.blocks.geometry());
        let Some(known) = self.read_known(&places, presence, lost)? else {
            return Ok(Solved::default());
        };
        let wanted: Vec<usize> = (0..places.len())
            .filter(|at| step.healed.contains(&places[*at]) || step.improved.contains(&places[*at]))
            .collect();
        let mut outs: Vec<(usize, Vec<u8>, Slices)> = wanted
            .into_iter()
            .map(|at| (at, known[at].bytes.clone(), known[at].slices))
            .collect();
        // Blocks of which nothing was read have no bytes yet.
        for (_, bytes, _) in &mut outs {
            bytes.resize(self.blocks.geometry().block_bytes(), 0);
        }
        let code = self
            .codes
            .get(&Self::shape(self.blocks.geometry(), step.act));
        let mut worker = code.map(ErasureCode::worker);
        for slice in slices.iter() {
            self.solve_slice(step.act, worker.as_mut(), &known, &mut outs, slice);
        }
        self.keep(step, &places, &known, outs, lost)
    }

    /// Reads whatever is known of the blocks of an act. Returns `None` when some is less than `presence` says.
    fn read_known(
        &self,
        places: &[BlockPlace],
        presence: &Presence,
        lost: &Lost,
    ) -> Result<Option<Vec<KnownBlock>>, VolumeError> {
        let mut known = Vec::with_capacity(places.len());
        let mut is_less = false;
        for place in places {
            let slices = presence.slices(*place);
            let is_whole = presence.has(*place);
            let mut bytes = Vec::new();
            let read = if slices.is_none() {
                slices
            } else {
                bytes.resize(self.blocks.geometry().block_bytes(), 0);
                if !is_whole {
                    self.blocks.read_slices(*place, &mut bytes)?.and(slices)
                } else if read_whole(self.blocks, *place, &mut bytes) {
                    slices
                } else {
                    Slices::NONE
                }
            };
            if read != slices {
                is_less = true;
                push(lost, *place, read);
            }
            known.push(KnownBlock {
                bytes,
                slices: read,
                is_whole,
            });
        }
        Ok((!is_less).then_some(known))
    }

    /// Computes one slice of the blocks in `outs` that lack it, if enough blocks of the act have it.
    fn solve_slice(
        &self,
        act: Act,
        worker: Option<&mut Worker<'_>>,
        known: &[KnownBlock],
        outs: &mut [(usize, Vec<u8>, Slices)],
        slice: usize,
    ) {
        let geometry = self.blocks.geometry();
        let needed = act.needed(geometry);
        // The header is not part of the code.
        let range = bytes_of(slice).start.max(HEADER_BYTES)..bytes_of(slice).end;
        // Whole blocks come first, because their hashes were checked.
        let mut having: Vec<usize> = (0..known.len())
            .filter(|at| known[*at].slices.has(slice))
            .collect();
        having.sort_by_key(|at| !known[*at].is_whole);
        if having.len() < needed {
            return;
        }
        having.truncate(needed);
        let lacking = outs.iter_mut().filter(|(_, _, slices)| !slices.has(slice));
        // Without a code, all blocks of the act are the same.
        let Some(worker) = worker else {
            for (_, bytes, slices) in lacking {
                bytes[range.clone()].copy_from_slice(&known[having[0]].bytes[range.clone()]);
                slices.add(slice);
            }
            return;
        };
        let mut shards: Vec<Shard<'_>> = known.iter().map(|_| Shard::Lost).collect();
        for at in having {
            shards[at] = Shard::Have(&known[at].bytes[range.clone()]);
        }
        let mut is_any = false;
        for (at, bytes, slices) in lacking {
            shards[*at] = Shard::Want(&mut bytes[range.clone()]);
            slices.add(slice);
            is_any = true;
        }
        if is_any {
            let (data, parity) = shards.split_at_mut(needed);
            worker
                .restore(data, parity)
                .expect("as many shards are given as are needed");
        }
    }

    /// Writes what a step gave. When a complete block does not match its own hash, some slice of the act is wrong, and
    /// nothing of it is kept: a block without a hash of its own could not tell.
    fn keep(
        &self,
        step: &RecoveryStep,
        places: &[BlockPlace],
        known: &[KnownBlock],
        mut outs: Vec<(usize, Vec<u8>, Slices)>,
        lost: &Lost,
    ) -> Result<Solved, VolumeError> {
        let geometry = self.blocks.geometry();
        let mut solved = Solved::default();
        for (at, bytes, slices) in &mut outs {
            let expected = Some(header_at(geometry, places[*at]));
            let has_hash =
                slices.is_all(geometry.block_size()) && BlockHeader::peek(bytes) == expected;
            if has_hash && BlockHeader::open_mut(bytes) != expected {
                distrust(
                    step.act,
                    places[*at],
                    places,
                    known,
                    known[*at].slices,
                    lost,
                );
                return Ok(solved);
            }
        }
        for (at, mut bytes, slices) in outs {
            let place = places[at];
            if !slices.is_all(geometry.block_size()) {
                if slices != known[at].slices {
                    self.images.write_slices(place, &bytes, slices)?;
                    solved.improved.push((place, slices));
                }
                continue;
            }
            let expected = header_at(geometry, place);
            // A block that was read with its header has its own hash. Without one, the block is sealed anew.
            if BlockHeader::peek(&bytes) != Some(expected) {
                expected.seal(&mut bytes);
            }
            self.images.write(place, &bytes)?;
            self.monitor.advance(geometry.block_bytes() as u64);
            solved.healed.push(place);
        }
        Ok(solved)
    }
}

/// Takes back trust in slices after a block came out with a wrong hash: first in the block's own, except for the one
/// with its header, and when these are not to blame, in those of every damaged block of the act.
fn distrust(
    act: Act,
    place: BlockPlace,
    places: &[BlockPlace],
    known: &[KnownBlock],
    own: Slices,
    lost: &Lost,
) {
    let head = Slices::from_bits(1);
    if let Act::Join(_) = act {
        push(lost, place, Slices::NONE);
    } else if own != head && own.has(0) {
        push(lost, place, head);
    } else {
        for (each, known) in places.iter().zip(known) {
            if !known.is_whole && !known.slices.is_none() {
                push(lost, *each, Slices::NONE);
            }
        }
    }
}

fn push(lost: &Lost, place: BlockPlace, slices: Slices) {
    lost.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((place, slices));
}
