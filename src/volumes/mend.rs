//! Finds out which blocks of a stretch of payload are wrong, though their hashes are right, and puts the right ones in place.
//!
//! Whoever calls knows when a stretch is right; here other copies are tried, and then what parity says. The work is bounded:
//! so many ways for a stretch and so many for a set are tried, and no more.

use std::collections::HashSet;
use std::ops::Range;

use crate::volumes::block::{BLOCK_BYTES, PAYLOAD_BYTES};
use crate::volumes::blocks::{copies_of, read_whole};
use crate::volumes::choices::{choices, stretch};
use crate::volumes::heal::{HealAction, acts_of, opinions};
use crate::volumes::recovery::{Act, BlockPlace};
use crate::volumes::{Staging, VolumeError};

/// Different blocks of one place that are tried.
const CANDIDATES_MAX: usize = 12;
/// What solving groups and stripes may cost for one set in one call: blocks that go through the code, 24 GiB of them.
pub const OPINIONS_BUDGET: u32 = 400_000;

/// What became of a stretch of payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// It was right.
    Right,
    /// It is right now: other blocks stand in the place of wrong ones.
    Mended,
    /// It is wrong, and nothing at hand makes it right.
    Wrong,
    /// Not all of it is here.
    Incomplete,
}

impl Staging {
    /// Makes a stretch of a data volume's payload right, if that can be done: `is_right` is asked for all of its bytes.
    /// `instead` says that it is not to stay as it is, though it is right in itself: another one is looked for.
    ///
    /// # Errors
    /// When the spool cannot be read or written.
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
            let mut block = vec![0; BLOCK_BYTES];
            if self.presence().has(place) && read_whole(&view, place, &mut block) {
                return Some(block);
            }
            copies_of(&view, false, place).into_iter().next()
        };
        let doubtful: HashSet<BlockPlace> = places.iter().copied().collect();
        let is_doubtful = |place: BlockPlace| doubtful.contains(&place);
        // What is cheap and likely comes first: the volume's own parity, then the stripes, then ways around wrong parity.
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

    /// Takes out the blocks of a stretch that is wrong: they count as lost until another copy or parity brings them, and what
    /// came from media is kept apart, for most of it may be right. So is the parity that brought some of them back.
    ///
    /// # Errors
    /// When the spool cannot be read or written.
    pub fn doubt(&mut self, volume_no: u16, range: Range<u64>) -> Result<(), VolumeError> {
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
        let payload = PAYLOAD_BYTES as u64;
        let last = places.len().saturating_sub(1);
        for (at, ((place, blocks), chosen)) in places.iter().zip(candidates).zip(choice).enumerate()
        {
            // A block at an end of the stretch belongs to another one, too, for which another copy may be the right one.
            let is_shared = at == 0 && !range.start.is_multiple_of(payload)
                || at == last && !range.end.is_multiple_of(payload);
            self.put_right(*place, &blocks[*chosen], is_shared)?;
        }
        Ok(())
    }
}
