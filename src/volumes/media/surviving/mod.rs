//! Reads past bad sectors: what can be read is read, and the rest are gaps.
//!
//! A medium is read up to five times ([`ReadEffort`]). The first time, an error costs the rest of its block. After several
//! in a row ever longer stretches are skipped, so that a scratch holds nobody up. The second and third time it is read
//! around the gaps that are left, in these steps, each taken only where the one before failed or is known to fail:
//! 1. The whole piece, then each of its blocks.
//! 2. 32 KiB at a time, which a DVD corrects together, so that a good stretch is not asked 16 times.
//! 3. Sectors of 2 KiB, or of the device's size where it is larger. The third time, a sector that fails is tried again,
//!    as long as there is time left for that.
//! 4. After 128 KiB of failed sectors in a row, only the first sector of each block and the last one of the piece. As
//!    soon as one is readable, the sectors before it are read from back to front up to the next bad one, and step 1
//!    goes on.
//!
//! So a long unreadable stretch costs as many tries as it has blocks. In step 4 the good sectors of a block are left out
//! when its first sector is bad and another bad one follows them. What was left out is asked for in the time that the
//! third time left: the fourth time the first sector of every 32 KiB and, where it is good, those behind it, and the
//! fifth time each sector.
//!
//! It knows nothing of blocks but their size.

mod allowance;
mod piece;

use std::cell::{Cell, RefCell};
use std::ops::Range;

use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::BLOCK_BYTES;
use crate::volumes::media::MediaError;
use crate::volumes::slices::SLICE_BYTES;

const BLOCK: u64 = BLOCK_BYTES as u64;
/// The sector of discs, which is a slice of a block. Smaller sectors of other media are read four or so at a time.
const SECTOR: u64 = SLICE_BYTES as u64;
/// Failed sectors in a row that are all asked: two blocks. More is a scratch and not scattered damage.
const FAILED_BYTES_MAX: u64 = 2 * BLOCK;

pub(super) use self::allowance::RetryAllowance;
use self::piece::{Ended, Piece};

/// How hard it is tried to read.
#[derive(Clone, Copy)]
pub(super) enum ReadEffort<'a> {
    /// Past errors quickly.
    Past,
    /// Around the gaps that an earlier time left, in order, sector by sector.
    Around {
        gaps: &'a [Range<u64>],
        /// The time for further tries of bad sectors. `None` when there are none now.
        retries: Option<&'a RetryAllowance>,
        /// What of the gaps was left out so far. `None` when more may be left out now.
        left_out: Option<UnaskedStretches<'a>>,
    },
}

/// Stretches whose sectors were given up without asking for each of them.
#[derive(Clone, Copy)]
pub(super) struct UnaskedStretches<'a> {
    pub(super) stretches: &'a [Range<u64>],
    /// Whether each sector is asked for now, also where one before it in its 32 KiB is bad.
    pub(super) is_last_time: bool,
}

/// Reads a source from front to back, past bad sectors.
pub(super) struct SurvivingReader<'a> {
    reader: &'a dyn ReadAt,
    /// Blocks begin where an offset is this much above a multiple of 64 KiB.
    phase: u64,
    effort: ReadEffort<'a>,
    monitor: &'a dyn Monitor,
    /// Bytes that are asked for at least.
    sector: u64,
    /// Sectors that failed one after the other up to here, from one piece to the next. The first time, blocks.
    failed_run: Cell<u32>,
    /// The first time, nothing before this place is read.
    skip_to: Cell<u64>,
    /// What was given up without asking for each of its sectors. Some of it may have been read after all.
    left_out: RefCell<Vec<Range<u64>>>,
}

impl<'a> SurvivingReader<'a> {
    /// Begins anywhere in a source.
    pub(super) fn new(
        reader: &'a dyn ReadAt,
        phase: u64,
        effort: ReadEffort<'a>,
        monitor: &'a dyn Monitor,
    ) -> Self {
        // Where slices do not lie on sectors of 2 KiB, smaller sectors lose fewer of them.
        let least = if phase.is_multiple_of(SECTOR) {
            SECTOR
        } else {
            512
        };
        let sector = match reader.sector_bytes() {
            1 => SECTOR,
            bytes => bytes.max(least),
        };
        Self {
            reader,
            phase,
            effort,
            monitor,
            sector,
            failed_run: Cell::new(0),
            skip_to: Cell::new(0),
            left_out: RefCell::default(),
        }
    }

    /// Returns what was given up so far without asking for each of its sectors. Some of it may have been read after all.
    pub(super) fn left_out(&self) -> Vec<Range<u64>> {
        self.left_out.take()
    }

    /// Reads `buf` at `offset`. Bytes that cannot be read are zeros in `buf` and a returned gap, in bytes of the source.
    /// Gaps are in order and never touch.
    ///
    /// # Errors
    /// [`MediaError::Interrupted`] alone. A drive may take long at bad sectors, so the stop is checked at each of them.
    pub(super) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<Vec<Range<u64>>, MediaError> {
        let mut piece = Piece {
            source: self,
            range: offset..offset + buf.len() as u64,
            buf,
            gaps: Vec::new(),
        };
        match piece.read() {
            Ok(()) => {}
            Err(Ended::Gone { at }) => piece.lose(at..piece.range.end),
            Err(Ended::Interrupted(error)) => return Err(error),
        }
        Ok(piece.gaps)
    }

    fn is_skipping(&self) -> bool {
        let failed_bytes = u64::from(self.failed_run.get()) * self.sector;
        self.earlier_left_out().is_none() && failed_bytes >= FAILED_BYTES_MAX
    }

    /// Returns whether an earlier time could not read some of these bytes.
    fn failed_before(&self, range: &Range<u64>) -> bool {
        match self.effort {
            ReadEffort::Past => false,
            ReadEffort::Around { gaps, .. } => touches(gaps, range),
        }
    }

    fn earlier_left_out(&self) -> Option<UnaskedStretches<'_>> {
        match self.effort {
            ReadEffort::Past => None,
            ReadEffort::Around { left_out, .. } => left_out,
        }
    }

    fn was_left_out(&self, range: &Range<u64>) -> bool {
        let earlier = self.earlier_left_out();
        earlier.is_some_and(|earlier| touches(earlier.stretches, range))
    }

    fn retries(&self) -> Option<&RetryAllowance> {
        match self.effort {
            ReadEffort::Past => None,
            ReadEffort::Around { retries, .. } => retries,
        }
    }
}

/// Returns whether some of these bytes are in stretches that are in order.
fn touches(stretches: &[Range<u64>], bytes: &Range<u64>) -> bool {
    let next = stretches.partition_point(|stretch| stretch.end <= bytes.start);
    stretches
        .get(next)
        .is_some_and(|stretch| stretch.start < bytes.end)
}

#[cfg(test)]
pub(crate) mod faulty;
#[cfg(test)]
mod tests;
