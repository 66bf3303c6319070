//! Finds blocks by their content on anything readable: carrier files, images, devices, and cut or damaged copies of
//! these.
//!
//! It needs no name, file system or geometry, and it keeps nothing. Every block is passed to a visitor and dropped.
//! Memory: about 1 MiB a thread, at most eight threads.

mod known;

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader, HEADER_BYTES, MAGIC};
use crate::volumes::media::source::{AccessPattern, MediaSource};
use crate::volumes::media::surviving::{RetryAllowance, SurvivingReader};
use crate::volumes::media::{MediaError, window::SourceWindow};
use crate::volumes::slices::Slices;
use known::BlockBytes;

/// Bytes that one thread takes at a time from a source that several threads read.
const SEGMENT_BYTES: u64 = 8 << 20;
const THREADS_MAX: usize = 8;
const BLOCK: u64 = BLOCK_BYTES as u64;
/// Most blocks with a valid header and a wrong hash that a search tries in one segment. Honest damage never comes near.
/// Without a bound, a file of headers alone would cost a hash for every few bytes.
const SEARCH_HASHES_MAX: u32 = 4096;
/// Most gaps that a report lists. All are counted.
const GAPS_LISTED_MAX: usize = 1000;

/// A block that was found.
#[derive(Debug, Clone, Copy)]
pub enum Sighting<'a> {
    /// Header and hash are right.
    Whole {
        /// The block's header.
        header: BlockHeader,
        /// The block of 64 KiB, header included.
        block: &'a [u8],
        /// Index of the source.
        source_no: usize,
        /// Where in the source it begins, in bytes.
        offset: u64,
    },
    /// The hash is wrong, or some of the block could not be read. The place that the header claims is likely and not
    /// certain. Its numbers must not be trusted unless whole blocks of the same set have the same.
    Damaged {
        /// The block's header, which may be wrong.
        header: BlockHeader,
        /// Where the header comes from.
        origin: HeaderOrigin,
        /// The block of 64 KiB. Bytes that could not be read are zero.
        block: &'a [u8],
        /// The slices that were read and are not suspected of being wrong.
        slices: Slices,
        /// Index of the source.
        source_no: usize,
        /// Where in the source it begins, in bytes.
        offset: u64,
    },
}

/// Where the header of a damaged block comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderOrigin {
    /// It was read with the block.
    Read,
    /// It follows from the blocks before and behind it on the medium. The block's own hash is lost.
    Neighbors,
}

/// Called for every block that is found, from several threads and in any order. `Break` ends the scan.
pub(crate) type BlockVisitor<'a> = dyn Fn(&Sighting<'_>) -> ControlFlow<()> + Sync + 'a;

/// A stretch of a source that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Index of the source.
    pub source_no: usize,
    /// The unreadable bytes.
    pub range: Range<u64>,
}

/// The result of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Bytes of the sources that were scanned.
    pub bytes: u64,
    /// Whole blocks found, duplicates counted twice.
    pub whole_blocks: u64,
    /// Damaged blocks found.
    pub damaged_blocks: u64,
    /// Bytes that could not be read.
    pub unread_bytes: u64,
    /// Ranges of the unreadable bytes, joined and in order. Only the first thousand.
    pub gaps: Vec<Gap>,
    /// Indices of sources that could not be opened at all.
    pub unopened: Vec<usize>,
    /// Whether the visitor ended the scan.
    pub stopped: bool,
}

/// Scans sources one after the other. Advances the monitor's current task by the bytes read. Bytes that cannot be read
/// are a finding, and the scan continues.
///
/// # Errors
/// [`MediaError::Interrupted`] alone.
pub fn scan(
    sources: &[MediaSource],
    visit: &BlockVisitor<'_>,
    monitor: &dyn Monitor,
) -> Result<ScanReport, MediaError> {
    let mut report = ScanReport::default();
    for (source_no, source) in sources.iter().enumerate() {
        match source.open() {
            Ok(reader) => {
                let one = scan_reader(&reader, source_no, source.access, visit, monitor)?;
                report_gaps(&one, &source.path, monitor);
                report.join(one);
            }
            Err(error) => {
                let why = match error {
                    MediaError::Io { source, .. } => Arg::caught(source),
                    other => Arg::caught(other),
                };
                let subject = source.path.display().to_string();
                let what = diagnostic!("media.cannot_be_opened", why);
                monitor.finding(&Finding::damage(subject, what));
                report.unopened.push(source_no);
            }
        }
        if report.stopped {
            break;
        }
    }
    Ok(report)
}

/// Scans one reader. The visitor and the report receive `source_no`.
///
/// # Errors
/// [`MediaError::Interrupted`] alone.
pub fn scan_reader(
    reader: &dyn ReadAt,
    source_no: usize,
    access: AccessPattern,
    visit: &BlockVisitor<'_>,
    monitor: &dyn Monitor,
) -> Result<ScanReport, MediaError> {
    let scan = Scan {
        reader,
        source_no,
        visit,
        monitor,
        whole: AtomicU64::new(0),
        damaged: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        gaps: Mutex::new(Vec::new()),
        retries: RetryAllowance::new(),
    };
    let size = reader.size_bytes();
    let first = match access {
        AccessPattern::Parallel => size.min(SEGMENT_BYTES),
        AccessPattern::Sequential => size,
    };
    // The first segment shows the alignment of blocks, so that the other segments can begin at a block, too.
    let phase = scan.span(0..first, 0)?.map_or(0, |offset| offset % BLOCK);
    scan.rest(first..size, phase)?;
    Ok(scan.finish(size))
}

struct Scan<'a> {
    reader: &'a dyn ReadAt,
    source_no: usize,
    visit: &'a BlockVisitor<'a>,
    monitor: &'a dyn Monitor,
    whole: AtomicU64,
    damaged: AtomicU64,
    stopped: AtomicBool,
    gaps: Mutex<Vec<Range<u64>>>,
    retries: RetryAllowance,
}

/// The result of testing one place.
#[derive(PartialEq, Eq)]
enum ScannedPlace {
    Whole,
    Damaged,
    Nothing,
}

impl Scan<'_> {
    /// Scans `bytes` with several threads. Each takes the next segment in order, so that reads stay near one another.
    fn rest(&self, bytes: Range<u64>, phase: u64) -> Result<(), MediaError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let segments = (bytes.end - bytes.start).div_ceil(SEGMENT_BYTES);
        let next = AtomicU64::new(0);
        let work = || -> Result<(), MediaError> {
            loop {
                let segment_no = next.fetch_add(1, Ordering::Relaxed);
                if segment_no >= segments || self.stopped.load(Ordering::Relaxed) {
                    return Ok(());
                }
                // Every segment but the first begins `phase` later, at a block's beginning.
                let start = bytes.start + segment_no * SEGMENT_BYTES;
                let from = if segment_no == 0 {
                    start
                } else {
                    start + phase
                };
                // A segment ends where the next one begins, so no start of a block is tested twice or left out.
                let to = bytes.end.min(start + SEGMENT_BYTES + phase);
                if from < to {
                    self.span(from..to, phase)?;
                }
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = cores
            .min(THREADS_MAX)
            .min(usize::try_from(segments).unwrap_or(THREADS_MAX));
        // Plain threads instead of rayon's: a visitor may hold a lock while it works on rayon.
        std::thread::scope(|scope| {
            let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut outcome = work();
            for worker in workers {
                let one = worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                outcome = outcome.and(one);
            }
            outcome
        })
    }

    /// Visits every block that begins in `starts`. Returns the place of the first whole one.
    fn span(&self, starts: Range<u64>, phase: u64) -> Result<Option<u64>, MediaError> {
        let reader = SurvivingReader::new(self.reader, phase, &self.retries, self.monitor);
        let read = |offset: u64, buf: &mut [u8]| {
            self.monitor.check_stop()?;
            let gaps = reader.read(offset, buf)?;
            if !gaps.is_empty() {
                self.gaps
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .extend(gaps.iter().cloned());
            }
            self.monitor.advance(buf.len() as u64);
            Ok(gaps)
        };
        let mut window = SourceWindow::new(&read, starts.clone(), self.reader.size_bytes());
        let mut first = None;
        let mut hashes_left = SEARCH_HASHES_MAX;
        // A block is expected right behind a whole one, and at the start of a segment.
        let mut expected = true;
        let mut at = starts.start;
        while at < starts.end && !self.stopped.load(Ordering::Relaxed) {
            if !expected {
                match window.find(at, starts.end, &MAGIC)? {
                    Some(found) => at = found,
                    None => break,
                }
            }
            match self.judge(&mut window, at, expected, &mut hashes_left)? {
                ScannedPlace::Whole => {
                    first = first.or(Some(at));
                    at += BLOCK;
                    expected = true;
                }
                // A single bad block in a row of good ones is skipped without a search.
                ScannedPlace::Damaged | ScannedPlace::Nothing
                    if self.next_stands(&mut window, at)? =>
                {
                    at += BLOCK;
                    expected = true;
                }
                ScannedPlace::Damaged | ScannedPlace::Nothing => {
                    at += 1;
                    expected = false;
                }
            }
        }
        Ok(first)
    }

    fn judge(
        &self,
        window: &mut SourceWindow<'_>,
        at: u64,
        expected: bool,
        hashes_left: &mut u32,
    ) -> Result<ScannedPlace, MediaError> {
        let source_no = self.source_no;
        let block = window.bytes(at, at, BLOCK_BYTES)?;
        // Most places have no valid header. Only the others are worth a hash of 64 KiB.
        let Some(header) = BlockHeader::peek(block) else {
            return Ok(ScannedPlace::Nothing);
        };
        if !expected {
            if *hashes_left == 0 {
                return Ok(ScannedPlace::Nothing);
            }
            *hashes_left -= 1;
        }
        if let Some(header) = BlockHeader::open_mut(block) {
            self.whole.fetch_add(1, Ordering::Relaxed);
            self.visit(&Sighting::Whole {
                header,
                block,
                source_no,
                offset: at,
            });
            return Ok(ScannedPlace::Whole);
        }
        let block = block_at(window, at)?;
        if !block.has_header_bytes() {
            return Ok(ScannedPlace::Nothing);
        }
        self.damaged.fetch_add(1, Ordering::Relaxed);
        self.visit(&Sighting::Damaged {
            header,
            origin: HeaderOrigin::Read,
            block: block.padded(&mut Vec::new()),
            slices: block.known(),
            source_no,
            offset: at,
        });
        Ok(ScannedPlace::Damaged)
    }

    fn visit(&self, sighting: &Sighting<'_>) {
        if (self.visit)(sighting).is_break() {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether a valid block header stands one block behind `at`.
    fn next_stands(&self, window: &mut SourceWindow<'_>, at: u64) -> Result<bool, MediaError> {
        Ok(BlockHeader::peek(window.bytes(at, at + BLOCK, HEADER_BYTES)?).is_some())
    }

    fn finish(self, bytes: u64) -> ScanReport {
        let mut ranges = self
            .gaps
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        ranges.sort_by_key(|range| (range.start, range.end));
        let mut joined: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        ScanReport {
            bytes,
            whole_blocks: self.whole.into_inner(),
            damaged_blocks: self.damaged.into_inner(),
            unread_bytes: joined.iter().map(|range| range.end - range.start).sum(),
            gaps: joined
                .into_iter()
                .take(GAPS_LISTED_MAX)
                .map(|range| Gap {
                    source_no: self.source_no,
                    range,
                })
                .collect(),
            unopened: Vec::new(),
            stopped: self.stopped.into_inner(),
        }
    }
}

impl ScanReport {
    /// Adds the result of another scan.
    pub fn join(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.whole_blocks += other.whole_blocks;
        self.damaged_blocks += other.damaged_blocks;
        self.unread_bytes += other.unread_bytes;
        let room = GAPS_LISTED_MAX.saturating_sub(self.gaps.len());
        self.gaps.extend(other.gaps.into_iter().take(room));
        self.unopened.extend(other.unopened);
        self.stopped |= other.stopped;
    }
}

/// Returns what there is of a block at a place.
fn block_at<'a>(window: &'a mut SourceWindow<'_>, at: u64) -> Result<BlockBytes<'a>, MediaError> {
    let end = at + window.bytes(at, at, BLOCK_BYTES)?.len() as u64;
    let within = |place: u64| usize::try_from(place - at).expect("within a block");
    let gaps = window
        .gaps_in(at..end)
        .map(|gap| within(gap.start)..within(gap.end))
        .collect();
    Ok(BlockBytes::new(window.bytes(at, at, BLOCK_BYTES)?, gaps))
}

fn report_gaps(report: &ScanReport, path: &Path, monitor: &dyn Monitor) {
    if let Some(first) = report.gaps.first() {
        let what = diagnostic!(
            "media.gaps",
            bytes = report.unread_bytes,
            count = report.gaps.len(),
            offset = first.range.start
        );
        monitor.finding(&Finding::damage(path.display().to_string(), what));
    }
}

#[cfg(test)]
mod tests;
