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

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;
use std::time::Instant;

use rustix::io::Errno;

use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::BLOCK_BYTES;
use crate::volumes::media::MediaError;
use crate::volumes::slices::SLICE_BYTES;

const BLOCK: u64 = BLOCK_BYTES as u64;
/// The sector of discs, which is a slice of a block. Smaller sectors of other media are read four or so at a time.
const SECTOR: u64 = SLICE_BYTES as u64;
/// What a DVD reads and corrects together: 16 sectors.
const ECC_BYTES: u64 = 16 * SECTOR;
/// Failed sectors in a row that are all asked: two blocks. More is a scratch and not scattered damage.
const FAILED_BYTES_MAX: u64 = 2 * BLOCK;
/// Further tries of a sector. A drive that errs once in twenty sectors errs once in 8000 with two of them.
const RETRIES: u32 = 2;
/// Failed blocks in a row after which stretches are skipped the first time, and the longest of these.
const FAILURES_MAX: u32 = 2;
const SKIP_MAX_BYTES: u64 = 16 << 20;

pub(super) use self::allowance::RetryAllowance;

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

/// Why a piece is not read to its end.
enum Ended {
    /// The medium is gone. Nothing from here on is worth a try.
    Gone { at: u64 },
    /// The person stopped it.
    Interrupted(MediaError),
}

/// The bytes that are read at once.
struct Piece<'a> {
    source: &'a SurvivingReader<'a>,
    range: Range<u64>,
    buf: &'a mut [u8],
    gaps: Vec<Range<u64>>,
}

impl Piece<'_> {
    fn read(&mut self) -> Result<(), Ended> {
        match self.source.effort {
            ReadEffort::Past => self.read_past(),
            ReadEffort::Around { .. } => self.read_around(),
        }
    }

    /// Reads on behind the block of every error.
    fn read_past(&mut self) -> Result<(), Ended> {
        let Range { start, end } = self.range;
        let source = self.source;
        let mut at = start;
        while at < end {
            self.check_stop()?;
            let skipped = source.skip_to.get().min(end);
            if at < skipped {
                self.lose(at..skipped);
                at = skipped;
                continue;
            }
            let failed = source.failed_run.get();
            let to = match failed {
                0 => end,
                _ => step_end(at, BLOCK, source.phase).min(end),
            };
            let reached = self.attempt(at..to)?;
            // Where some of a block can be read, damage is scattered, and no more than the block is left out.
            let failed = if reached - at < SECTOR { failed } else { 0 };
            at = reached;
            if at < to {
                let skip = match failed.checked_sub(FAILURES_MAX) {
                    None => 0,
                    Some(more) => (BLOCK << more.min(8)).min(SKIP_MAX_BYTES),
                };
                source.failed_run.set(failed.saturating_add(1));
                source.skip_to.set(step_end(at, BLOCK, source.phase) + skip);
            } else {
                source.failed_run.set(0);
            }
        }
        Ok(())
    }

    /// Reads in ever smaller steps.
    fn read_around(&mut self) -> Result<(), Ended> {
        let Range { start, end } = self.range;
        let mut at = start;
        if !self.source.is_skipping() && !self.source.failed_before(&self.range) {
            at = self.attempt(start..end)?;
        }
        let mut skipped_from = at;
        while at < end {
            let block_end = step_end(at, BLOCK, self.source.phase).min(end);
            if self.source.is_skipping() {
                self.check_stop()?;
                let probe_end = step_end(at, self.source.sector, 0).min(block_end);
                let probe = at..probe_end;
                let reached = match self.source.retries() {
                    Some(retries) if self.source.failed_before(&probe) => {
                        self.retry(probe, retries)?
                    }
                    _ => self.attempt(probe)?,
                };
                if reached < probe_end {
                    self.leave_out(at..block_end);
                    at = block_end;
                    continue;
                }
                self.regain_before(at, skipped_from)?;
                at = probe_end;
            }
            at = self.block(at..block_end)?;
            skipped_from = at;
            if at < block_end {
                self.leave_out(at..block_end);
                at = block_end;
            }
        }
        if self.source.is_skipping() {
            self.regain_before(end, skipped_from)?;
        }
        Ok(())
    }

    /// Reads a block in ever smaller steps. Returns its end, or the place from which on too many sectors failed.
    fn block(&mut self, block: Range<u64>) -> Result<u64, Ended> {
        if block.is_empty() {
            return Ok(block.end);
        }
        self.check_stop()?;
        let source = self.source;
        let mut at = block.start;
        if !source.failed_before(&block) {
            at = self.attempt(block.clone())?;
        }
        while at < block.end && !source.is_skipping() {
            let stretch = at..step_end(at, ECC_BYTES, 0).min(block.end);
            // The second time, what failed in a larger piece may be good. The third time, sectors failed.
            if source.retries().is_none() || !source.failed_before(&stretch) {
                at = self.attempt(stretch.clone())?;
            }
            let mut is_bad = false;
            while at < stretch.end && !source.is_skipping() {
                let sector = at..step_end(at, source.sector, 0).min(stretch.end);
                at = sector.end;
                let left_out = source.earlier_left_out();
                let waits = left_out.is_some_and(|earlier| !earlier.is_last_time);
                if is_bad && waits && source.was_left_out(&sector) {
                    self.leave_out(sector);
                } else {
                    is_bad |= !self.sector(sector)?;
                }
            }
        }
        Ok(at)
    }

    /// Reads a sector, as often as it is worth. Returns whether it is good.
    fn sector(&mut self, sector: Range<u64>) -> Result<bool, Ended> {
        self.check_stop()?;
        let source = self.source;
        let is_known = source.retries().is_some() && source.failed_before(&sector);
        if !is_known && self.attempt(sector.clone())? == sector.end {
            return Ok(true);
        }
        if let Some(retries) = source.retries() {
            let tries = match source.earlier_left_out() {
                None => RETRIES,
                // It is asked for the first time, or was tried again before.
                Some(_) => u32::from(source.was_left_out(&sector)),
            };
            for _ in 0..tries {
                self.check_stop()?;
                if self.retry(sector.clone(), retries)? == sector.end {
                    return Ok(true);
                }
            }
        }
        self.lose(sector);
        let failed_run = &source.failed_run;
        failed_run.set(failed_run.get() + 1);
        Ok(false)
    }

    /// Reads sectors from back to front, from `edge` to the next bad one or to `floor`. They were given up before.
    fn regain_before(&mut self, mut edge: u64, floor: u64) -> Result<(), Ended> {
        while edge > floor {
            self.check_stop()?;
            let sector = self.source.sector;
            let from = ((edge - 1) / sector * sector).max(floor);
            if self.attempt(from..edge)? < edge {
                // Some of its bytes may have been read, and the gap says that none were.
                self.bytes(from..edge).fill(0);
                break;
            }
            if let Some(last) = self.gaps.last_mut() {
                last.end = from;
            }
            edge = from;
        }
        self.gaps.retain(|gap| !gap.is_empty());
        Ok(())
    }

    /// Reads a stretch once more, in the time that is left for that. Returns the end of what was read.
    fn retry(&mut self, stretch: Range<u64>, retries: &RetryAllowance) -> Result<u64, Ended> {
        if retries.is_spent() {
            return Ok(stretch.start);
        }
        let began = Instant::now();
        let reached = self.attempt(stretch);
        retries.spend(began.elapsed());
        reached
    }

    /// Reads a stretch without further steps. Returns the end of what was read.
    fn attempt(&mut self, stretch: Range<u64>) -> Result<u64, Ended> {
        let source = self.source;
        let is_small = stretch.end - stretch.start <= ECC_BYTES;
        let is_uncached = is_small && matches!(source.effort, ReadEffort::Around { .. });
        let out = self.bytes(stretch.clone());
        let (len, error) = read_whole(source.reader, is_uncached, stretch.start, out);
        let reached = stretch.start + len as u64;
        if error.is_none() || len as u64 >= source.sector {
            source.failed_run.set(0);
        }
        match error {
            Some(error) if is_gone(&error) => Err(Ended::Gone { at: stretch.start }),
            _ => Ok(reached),
        }
    }

    /// Gives up a stretch without asking for each of its sectors.
    fn leave_out(&mut self, range: Range<u64>) {
        self.source.left_out.borrow_mut().push(range.clone());
        self.lose(range);
    }

    fn lose(&mut self, range: Range<u64>) {
        self.bytes(range.clone()).fill(0);
        match self.gaps.last_mut() {
            // Adjacent gaps are joined, so that a long scratch is one gap.
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.gaps.push(range),
        }
    }

    fn bytes(&mut self, range: Range<u64>) -> &mut [u8] {
        let within = |at: u64| {
            usize::try_from(at - self.range.start).expect("a piece is smaller than memory")
        };
        let within = within(range.start)..within(range.end);
        &mut self.buf[within]
    }

    fn check_stop(&self) -> Result<(), Ended> {
        let stop = self.source.monitor.check_stop();
        stop.map_err(|error| Ended::Interrupted(error.into()))
    }
}

/// Returns whether some of these bytes are in stretches that are in order.
fn touches(stretches: &[Range<u64>], bytes: &Range<u64>) -> bool {
    let next = stretches.partition_point(|stretch| stretch.end <= bytes.start);
    stretches
        .get(next)
        .is_some_and(|stretch| stretch.start < bytes.end)
}

/// Returns the first multiple of `step`, moved by `phase`, that lies behind `at`.
fn step_end(at: u64, step: u64, phase: u64) -> u64 {
    at + step - (at + step - phase % step) % step
}

/// Fills `buf` as far as it can be read. Returns the bytes that were read, and the error when these are not all.
fn read_whole(
    reader: &dyn ReadAt,
    is_uncached: bool,
    offset: u64,
    buf: &mut [u8],
) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buf.len() {
        let (at, out) = (offset + filled as u64, &mut buf[filled..]);
        let read = if is_uncached {
            reader.read_uncached_at(at, out)
        } else {
            reader.read_at(at, out)
        };
        match read {
            Ok(0) => return (filled, Some(io::ErrorKind::UnexpectedEof.into())),
            Ok(len) => filled += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

/// Returns whether the medium itself is gone (removed, unplugged). Then no part of it is worth another try.
fn is_gone(error: &io::Error) -> bool {
    let gone = [Errno::NODEV, Errno::NXIO, Errno::NOMEDIUM, Errno::STALE];
    gone.iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
pub(crate) mod faulty;
#[cfg(test)]
mod tests;
