//! Which blocks of a medium need not be read: those that are staged, parity of complete groups and stripes, and all
//! blocks of sets that are complete or were committed.
//!
//! A staged block is whole. Whether its content is right shows when the set is complete, and then its media are read
//! again without any of this.

use std::sync::PoisonError;

use crate::volumes::block::BlockHeader;
use crate::volumes::blocks::header_at;
use crate::volumes::media::scan::ScanGuide;
use crate::volumes::recovery::BlockPlace;

use super::sorting::{HeaderSlot, MediaReader};
use super::taking::{Met, Taking};

impl ScanGuide for MediaReader<'_> {
    fn known_behind(&self, header: &BlockHeader) -> u32 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (header.volume_no, header.block_no);
        match state.sets.get_mut(&header.set) {
            Some(HeaderSlot::Taking(taking))
                if header_at(taking.set.geometry(), place) == *header =>
            {
                taking.known_behind(header)
            }
            Some(HeaderSlot::Unwanted(unwanted)) if header_at(&unwanted.0, place) == *header => {
                u32::MAX
            }
            _ => 0,
        }
    }

    fn passed_over(&self, header: &BlockHeader, blocks: u32, source_no: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |block_no| (header.volume_no, block_no);
        let first = header.block_no + 1;
        let passed = first..first.saturating_add(blocks);
        match state.sets.get_mut(&header.set) {
            Some(HeaderSlot::Taking(taking)) => {
                taking.met.sources.insert(source_no);
                for block_no in passed {
                    if !taking.met.pass_over(place(block_no)) {
                        continue;
                    }
                    if taking.set.presence().has(place(block_no)) {
                        taking.absorbed.known_blocks += 1;
                    } else {
                        taking.absorbed.spared_blocks += 1;
                    }
                }
            }
            Some(HeaderSlot::Unwanted(unwanted)) => {
                let met = &mut unwanted.1;
                met.sources.insert(source_no);
                for block_no in passed {
                    met.pass_over(place(block_no));
                }
            }
            _ => {}
        }
    }

    fn has_enough(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.early.is_empty() {
            return false;
        }
        let mut any = false;
        for (header, slot) in &mut state.sets {
            match slot {
                HeaderSlot::Taking(taking) if taking.met.any(header) => {
                    any = true;
                    if !taking.is_complete() {
                        return false;
                    }
                }
                HeaderSlot::Unwanted(..) => any = true,
                HeaderSlot::Refused => return false,
                HeaderSlot::Taking(_) | HeaderSlot::Senseless => {}
            }
        }
        any
    }
}

impl Met {
    /// Counts a block that was passed over. Returns whether it was not met before.
    fn pass_over(&mut self, place: BlockPlace) -> bool {
        let is_new = self.whole.add(place);
        if is_new {
            *self.known.entry(place.0).or_default() += 1;
        }
        is_new
    }
}

impl Taking {
    /// Returns how many blocks right behind this one are staged or not needed.
    fn known_behind(&mut self, header: &BlockHeader) -> u32 {
        let volume_no = header.volume_no;
        let behind = header.block_no + 1..self.set.geometry().volume_blocks();
        // Each block of a fresh volume comes here, so the costly question comes once a volume.
        if self.asked_of.insert(volume_no) && self.is_complete() {
            return u32::MAX;
        }
        let mut known = behind.clone();
        let is_known = |block_no: &u32| self.set.is_known((volume_no, *block_no));
        let count = known.by_ref().take_while(is_known).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        // A wrong catalog is found out by other copies alone.
        if count > 0 && self.set.is_described() {
            count
        } else {
            0
        }
    }

    /// Returns whether nothing more is needed of the set.
    fn is_complete(&mut self) -> bool {
        let staged = self.set.staged_bytes();
        if self.judged_at != Some(staged) {
            self.judged_at = Some(staged);
            self.is_complete = self.set.is_described() && self.set.needs().complete;
        }
        self.is_complete
    }
}
