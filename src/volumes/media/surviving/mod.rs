//! Reads past bad sectors: what can be read is read, and the rest are gaps as small as a sector.
//!
//! The steps, each taken only where the one before failed:
//! 1. The whole piece, then each of its blocks.
//! 2. 32 KiB at a time, which a DVD corrects together, so that a good stretch is not asked 16 times.
//! 3. Sectors of 2 KiB. A sector that fails is tried twice more, as long as the source has time left for that.
//! 4. After 64 failed sectors in a row, only the first sector of each block and the last one of the piece. As soon as one
//!    is readable, the sectors before it are read from back to front up to the next bad one, and step 1 goes on.
//!
//! So a long unreadable stretch costs as many tries as it has blocks. A block is lost in step 4 although some of its
//! sectors are good only when its first sector is bad and another bad one follows the good ones.
//!
//! It knows nothing of blocks but their size.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
const FAILED_RUN_MAX: u32 = 64;
/// Further tries of a sector. A drive that errs once in twenty sectors errs once in 8000 with two of them.
const RETRIES: u32 = 2;
/// Time that the further tries of one source may take together. A drive needs up to ten seconds for a bad sector, and a
/// person waits at it.
const RETRY_TIME: Duration = Duration::from_mins(5);

/// The time that is left for further tries, for all threads that read a source.
#[derive(Debug)]
pub(super) struct RetryAllowance {
    left_ns: AtomicU64,
}

impl RetryAllowance {
    /// The whole time for one source.
    pub(super) fn new() -> Self {
        Self::of(RETRY_TIME)
    }

    fn of(time: Duration) -> Self {
        Self {
            left_ns: AtomicU64::new(in_ns(time)),
        }
    }

    fn is_spent(&self) -> bool {
        self.left_ns.load(Ordering::Relaxed) == 0
    }

    fn spend(&self, time: Duration) {
        let less = |left: u64| Some(left.saturating_sub(in_ns(time)));
        // The closure never refuses.
        let _ = self
            .left_ns
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

fn in_ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads a source from front to back, past bad sectors.
pub(super) struct SurvivingReader<'a> {
    reader: &'a dyn ReadAt,
    /// Blocks begin where an offset is this much above a multiple of 64 KiB.
    phase: u64,
    retries: &'a RetryAllowance,
    monitor: &'a dyn Monitor,
    /// Sectors that failed one after the other up to here, from one piece to the next.
    failed_run: Cell<u32>,
}

impl<'a> SurvivingReader<'a> {
    /// Begins anywhere in a source.
    pub(super) fn new(
        reader: &'a dyn ReadAt,
        phase: u64,
        retries: &'a RetryAllowance,
        monitor: &'a dyn Monitor,
    ) -> Self {
        Self {
            reader,
            phase,
            retries,
            monitor,
            failed_run: Cell::new(0),
        }
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
        self.failed_run.get() >= FAILED_RUN_MAX
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
        let Range { start, end } = self.range;
        let mut at = start;
        if !self.source.is_skipping() {
            at = self.attempt(start..end)?;
        }
        let mut skipped_from = at;
        while at < end {
            let block_end = step_end(at, BLOCK, self.source.phase).min(end);
            if self.source.is_skipping() {
                self.check_stop()?;
                let probe_end = step_end(at, SECTOR, 0).min(block_end);
                if self.attempt(at..probe_end)? < probe_end {
                    self.lose(at..block_end);
                    at = block_end;
                    continue;
                }
                self.regain_before(at, skipped_from)?;
                at = probe_end;
            }
            at = self.block(at..block_end)?;
            skipped_from = at;
            if at < block_end {
                self.lose(at..block_end);
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
        let mut at = self.attempt(block.clone())?;
        while at < block.end && !self.source.is_skipping() {
            let stretch_end = step_end(at, ECC_BYTES, 0).min(block.end);
            at = self.attempt(at..stretch_end)?;
            while at < stretch_end && !self.source.is_skipping() {
                let sector_end = step_end(at, SECTOR, 0).min(stretch_end);
                self.sector(at..sector_end)?;
                at = sector_end;
            }
        }
        Ok(at)
    }

    fn sector(&mut self, sector: Range<u64>) -> Result<(), Ended> {
        self.check_stop()?;
        if self.attempt(sector.clone())? == sector.end {
            return Ok(());
        }
        for _ in 0..RETRIES {
            if self.source.retries.is_spent() {
                break;
            }
            self.check_stop()?;
            let began = Instant::now();
            let reached = self.attempt(sector.clone());
            self.source.retries.spend(began.elapsed());
            if reached? == sector.end {
                return Ok(());
            }
        }
        self.lose(sector);
        let failed_run = &self.source.failed_run;
        failed_run.set(failed_run.get() + 1);
        Ok(())
    }

    /// Reads sectors from back to front, from `edge` to the next bad one or to `floor`. They were given up before.
    fn regain_before(&mut self, mut edge: u64, floor: u64) -> Result<(), Ended> {
        while edge > floor {
            self.check_stop()?;
            let from = ((edge - 1) / SECTOR * SECTOR).max(floor);
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

    /// Reads a stretch without further steps. Returns the end of what was read.
    fn attempt(&mut self, stretch: Range<u64>) -> Result<u64, Ended> {
        let source = self.source;
        let (len, error) = read_whole(source.reader, stretch.start, self.bytes(stretch.clone()));
        let reached = stretch.start + len as u64;
        if error.is_none() || len as u64 >= SECTOR {
            source.failed_run.set(0);
        }
        match error {
            Some(error) if is_gone(&error) => Err(Ended::Gone { at: stretch.start }),
            _ => Ok(reached),
        }
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

/// Returns the first multiple of `step`, moved by `phase`, that lies behind `at`.
fn step_end(at: u64, step: u64, phase: u64) -> u64 {
    at + step - (at + step - phase % step) % step
}

/// Fills `buf` as far as it can be read. Returns the bytes that were read, and the error when these are not all.
fn read_whole(reader: &dyn ReadAt, offset: u64, buf: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buf.len() {
        match reader.read_at(offset + filled as u64, &mut buf[filled..]) {
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

/// A test double that fails as media do.
#[cfg(test)]
pub(crate) mod faulty {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::AtomicUsize;

    /// Bytes with bad sectors. Every read that touches one fails.
    pub(crate) struct Faulty {
        pub(crate) bytes: Vec<u8>,
        pub(crate) bad: Vec<Range<u64>>,
        pub(crate) errno: Errno,
        pub(crate) reads: AtomicUsize,
        /// How often each of `bad` fails before it is read.
        fails: Mutex<Vec<u32>>,
    }

    impl Faulty {
        pub(crate) fn new(bytes: Vec<u8>, bad: Vec<Range<u64>>) -> Self {
            Self::failing_first(u32::MAX, bytes, bad)
        }

        /// Every bad sector fails in the first `fails` reads that touch it, and is good afterwards.
        pub(crate) fn failing_first(fails: u32, bytes: Vec<u8>, bad: Vec<Range<u64>>) -> Self {
            Self {
                bytes,
                fails: Mutex::new(vec![fails; bad.len()]),
                bad,
                errno: Errno::IO,
                reads: AtomicUsize::new(0),
            }
        }
    }

    impl ReadAt for Faulty {
        fn size_bytes(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let end = (offset + buf.len() as u64).min(self.size_bytes());
            let mut fails = self.fails.lock().expect("no test panics here");
            let mut is_bad = false;
            for (bad, left) in self.bad.iter().zip(fails.iter_mut()) {
                if *left > 0 && bad.start < end && offset < bad.end {
                    is_bad = true;
                    if *left < u32::MAX {
                        *left -= 1;
                    }
                }
            }
            if is_bad {
                return Err(self.errno.into());
            }
            let from = usize::try_from(offset).expect("test data are small");
            let part = &self.bytes[from..usize::try_from(end).expect("test data are small")];
            buf[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }
}

#[cfg(test)]
mod tests;
