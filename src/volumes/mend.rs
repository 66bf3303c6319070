//! Finds blocks of a payload stretch that are wrong although their hashes are right, and puts the right ones in place.
//!
//! The caller knows when a stretch is right. Other copies are tried first, and then versions that parity gives. The
//! work is bounded: a fixed number of choices for each stretch, and a budget for each set.

use std::collections::HashSet;
use std::ops::Range;

use crate::volumes::blocks::{copies_of, read_whole};
use crate::volumes::choices::{choices, stretch};
use crate::volumes::heal::{HealAction, acts_of, opinions};
use crate::volumes::recovery::{Act, BlockPlace};
use crate::volumes::{Staging, VolumeError};

/// Most different blocks of one place that are tried.
const CANDIDATES_MAX: usize = 12;
/// Budget of solving groups and stripes for one set in one call: blocks that the code processes, 24 GiB of them.
pub(crate) const OPINIONS_BUDGET: u32 = 400_000;

/// The outcome for a stretch of payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// It was right.
    Right,
    /// It is right now, because other blocks replaced wrong ones.
    Mended,
    /// It is wrong, and nothing available makes it right.
    Wrong,
    /// Some of it is missing.
    Incomplete,
}

impl Staging {
    /// Makes a stretch of a data volume's payload right, if that is possible. `is_right` checks all of its bytes.
    /// `instead` says that the stretch must change although it is right in itself, so another version is searched for.
    ///
    /// # Errors
    /// When the staging folder cannot be read or written.
    pub fn mend(
        &mut self,
        volume_no: u16,
        range: Range<u64>,
        instead: bool,
        is_right: &dyn Fn(&[u8]) -> bool,
        budget: &mut u32,
    ) -> Result<Mended, VolumeError> {
        let places = self.places_of(volume_no, range.clone());
        let view = self.view();
        let mut candidates: Vec<Vec<Vec<u8>>> = places
            .iter()
            .map(|place| copies_of(&view, self.presence().has(*place), *place))
            .collect();
        if candidates.iter().any(Vec::is_empty) {
            return Ok(Mended::Incomplete);
        }
        let stays = places.iter().all(|place| self.presence().has(*place)) && !instead;
        let bytes_of = |candidates: &[Vec<Vec<u8>>], choice: &[usize]| -> Vec<u8> {
            stretch(&range, candidates, choice)
        };
        let first = vec![0; places.len()];
        if !instead && is_right(&bytes_of(&candidates, &first)) {
            if !stays {
                self.settle(&places, &range, &candidates, &first)?;
                return Ok(Mended::Mended);
            }
            return Ok(Mended::Right);
        }
        let search = |candidates: &[Vec<Vec<u8>>]| {
            let mut choices = choices(candidates).into_iter();
            choices.find(|choice| is_right(&bytes_of(candidates, choice)))
        };
        if let Some(choice) = search(&candidates) {
            self.settle(&places, &range, &candidates, &choice)?;
            return Ok(Mended::Mended);
        }
        if instead {
            return Ok(Mended::Wrong);
        }
        let read = |place: BlockPlace| {
            let mut block = vec![0; self.geometry().block_bytes()];
            if self.presence().has(place) && read_whole(&view, place, &mut block) {
                return Some(block);
            }
            copies_of(&view, false, place).into_iter().next()
        };
        let doubtful: HashSet<BlockPlace> = places.iter().copied().collect();
        let is_doubtful = |place: BlockPlace| doubtful.contains(&place);
        // Cheap and likely ways come first: the volume's own parity, then the stripes, then ways around wrong parity.
        let mut differing: HashSet<BlockPlace> = HashSet::new();
        for way in [HealAction::Local, HealAction::Wide, HealAction::Around] {
            let mut found = false;
            for (place, known) in places.iter().zip(&mut candidates) {
                let is_worth_it = differing.contains(place) || self.was_healed(*place);
                if way == HealAction::Around && !is_worth_it {
                    continue;
                }
                for answer in opinions(self.geometry(), *place, way, &read, &is_doubtful, budget) {
                    if known.len() < CANDIDATES_MAX && !known.contains(&answer) {
                        known.push(answer);
                        differing.insert(*place);
                        found = true;
                    }
                }
            }
            if let Some(choice) = search(&candidates).filter(|_| found) {
                self.settle(&places, &range, &candidates, &choice)?;
                return Ok(Mended::Mended);
            }
        }
        Ok(Mended::Wrong)
    }

    /// Removes the blocks of a wrong stretch. They count as lost until another copy or parity restores them. Blocks
    /// that came from media are kept aside, because most of them may be right. So is the parity that restored some of
    /// them.
    ///
    /// # Errors
    /// When the staging folder cannot be read or written.
    pub(crate) fn doubt(&mut self, volume_no: u16, range: Range<u64>) -> Result<(), VolumeError> {
        let mut places = self.places_of(volume_no, range);
        let healed: Vec<BlockPlace> = places
            .iter()
            .copied()
            .filter(|place| self.was_healed(*place))
            .collect();
        for place in healed {
            for act in acts_of(self.geometry(), place) {
                let needed = act.needed(self.geometry());
                let parity = act.places(self.geometry()).into_iter().skip(needed);
                places.extend(parity.filter(|place| self.presence().has(*place)));
                debug_assert!(!matches!(act, Act::CopyCatalog(_)));
            }
        }
        places.sort_unstable();
        places.dedup();
        for place in places {
            self.doubt_block(place)?;
        }
        self.checkpoint()
    }

    fn places_of(&self, volume_no: u16, range: Range<u64>) -> Vec<BlockPlace> {
        let indexes = self.geometry().blocks_of_payload(range);
        indexes
            .map(|index| (volume_no, self.geometry().data_place(index)))
            .collect()
    }

    fn settle(
        &mut self,
        places: &[BlockPlace],
        range: &Range<u64>,
        candidates: &[Vec<Vec<u8>>],
        choice: &[usize],
    ) -> Result<(), VolumeError> {
        let payload = self.geometry().block_payload_bytes() as u64;
        let last = places.len().saturating_sub(1);
        for (at, ((place, blocks), chosen)) in places.iter().zip(candidates).zip(choice).enumerate()
        {
            // A block at an end of the stretch is shared with a neighboring stretch, for which another copy may be the
            // right one.
            let is_shared = at == 0 && !range.start.is_multiple_of(payload)
                || at == last && !range.end.is_multiple_of(payload);
            self.put_right(*place, &blocks[*chosen], is_shared)?;
        }
        Ok(())
    }
}
