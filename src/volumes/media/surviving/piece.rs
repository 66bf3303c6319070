//! One piece that is read past bad sectors, in the steps that [`super`] states.

use std::io;
use std::ops::Range;
use std::time::Instant;

use rustix::io::Errno;

use super::{BLOCK, ReadEffort, RetryAllowance, SECTOR, SurvivingReader};
use crate::base::read_at::ReadAt;
use crate::volumes::media::MediaError;

/// What a DVD reads and corrects together: 16 sectors.
const ECC_BYTES: u64 = 16 * SECTOR;
/// Further tries of a sector. A drive that errs once in twenty sectors errs once in 8000 with two of them.
const RETRIES: u32 = 2;
/// Failed blocks in a row after which stretches are skipped the first time, and the longest of these.
const FAILURES_MAX: u32 = 2;
const SKIP_MAX_BYTES: u64 = 16 << 20;

/// Why a piece is not read to its end.
pub(super) enum Ended {
    /// The medium is gone. Nothing from here on is worth a try.
    Gone { at: u64 },
    /// The person stopped it.
    Interrupted(MediaError),
}

/// The bytes that are read at once.
pub(super) struct Piece<'a> {
    pub(super) source: &'a SurvivingReader<'a>,
    pub(super) range: Range<u64>,
    pub(super) buf: &'a mut [u8],
    pub(super) gaps: Vec<Range<u64>>,
}

impl Piece<'_> {
    pub(super) fn read(&mut self) -> Result<(), Ended> {
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

    pub(super) fn lose(&mut self, range: Range<u64>) {
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
