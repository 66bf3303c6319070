//! Finds blocks by their content on anything readable: volume files, images, devices, and cut or damaged copies of
//! these.
//!
//! It needs no name and no file system, and it keeps nothing. Every block is passed to a visitor and dropped. Of a block
//! that is not whole, the slices that were read are passed on, and its place follows from its neighbors when its header is
//! lost. Memory: about 2 MiB a thread, at most eight threads.

mod guide;
mod known;
mod leap;
mod neighbors;
mod report;
mod span;

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader};
use crate::volumes::media::MediaError;
use crate::volumes::media::source::{AccessPattern, MediaSource};
use crate::volumes::media::surviving::RetryAllowance;
use crate::volumes::slices::Slices;
pub(crate) use guide::{ReadsAll, ScanGuide};
use leap::PassedOver;
use report::GapList;
pub use report::{Gap, ScanReport};

/// Bytes that one thread takes at a time from a source that several threads read.
const SEGMENT_BYTES: u64 = 8 << 20;
const THREADS_MAX: usize = 8;
const BLOCK: u64 = BLOCK_BYTES as u64;

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
    scan_guided(sources, visit, &ReadsAll, monitor)
}

/// Scans as [`scan`] does, without what the guide says is known.
///
/// # Errors
/// [`MediaError::Interrupted`] alone.
pub(crate) fn scan_guided(
    sources: &[MediaSource],
    visit: &BlockVisitor<'_>,
    guide: &dyn ScanGuide,
    monitor: &dyn Monitor,
) -> Result<ScanReport, MediaError> {
    let mut report = ScanReport::default();
    for (source_no, source) in sources.iter().enumerate() {
        match source.open() {
            Ok(reader) => {
                let one =
                    Scan::new(&reader, source_no, visit, guide, monitor).run(source.access)?;
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
    Scan::new(reader, source_no, visit, &ReadsAll, monitor).run(access)
}

struct Scan<'a> {
    reader: &'a dyn ReadAt,
    source_no: usize,
    visit: &'a BlockVisitor<'a>,
    guide: &'a dyn ScanGuide,
    monitor: &'a dyn Monitor,
    whole: AtomicU64,
    damaged: AtomicU64,
    stopped: AtomicBool,
    gaps: Mutex<GapList>,
    passed: PassedOver,
    retries: RetryAllowance,
}

impl<'a> Scan<'a> {
    fn new(
        reader: &'a dyn ReadAt,
        source_no: usize,
        visit: &'a BlockVisitor<'a>,
        guide: &'a dyn ScanGuide,
        monitor: &'a dyn Monitor,
    ) -> Self {
        Self {
            reader,
            source_no,
            visit,
            guide,
            monitor,
            whole: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            gaps: Mutex::new(GapList::default()),
            passed: PassedOver::new(reader.size_bytes()),
            retries: RetryAllowance::new(),
        }
    }

    fn run(self, access: AccessPattern) -> Result<ScanReport, MediaError> {
        let size = self.reader.size_bytes();
        let first = match access {
            AccessPattern::Parallel => size.min(SEGMENT_BYTES),
            AccessPattern::Sequential => size,
        };
        // The first segment shows the alignment of blocks, so that the other segments can begin at a block, too.
        let phase = self.span(0..first, None)?.map(|offset| offset % BLOCK);
        self.rest(first..size, phase)?;
        Ok(self.finish(size))
    }

    /// Scans `bytes` with several threads. Each takes the next segment in order, so that reads stay near one another.
    fn rest(&self, bytes: Range<u64>, phase: Option<u64>) -> Result<(), MediaError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let later = phase.unwrap_or(0);
        let segments = (bytes.end - bytes.start).div_ceil(SEGMENT_BYTES);
        let next = AtomicU64::new(0);
        let work = || -> Result<(), MediaError> {
            loop {
                let segment_no = next.fetch_add(1, Ordering::Relaxed);
                if segment_no >= segments || self.stopped.load(Ordering::Relaxed) {
                    return Ok(());
                }
                // Every segment but the first begins so much later, at a block's beginning.
                let start = bytes.start + segment_no * SEGMENT_BYTES;
                let from = if segment_no == 0 {
                    start
                } else {
                    start + later
                };
                // A segment ends where the next one begins, so no start of a block is tested twice or left out.
                let to = bytes.end.min(start + SEGMENT_BYTES + later);
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

    fn visit(&self, sighting: &Sighting<'_>) {
        if (self.visit)(sighting).is_break() {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    /// Notes the gaps in bytes of `starts`. Other bytes are of another span, which notes them.
    fn note_gaps(&self, gaps: &[Range<u64>], starts: &Range<u64>) {
        let mut list = self
            .gaps
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for gap in gaps {
            let own = gap.start.max(starts.start)..gap.end.min(starts.end);
            if !own.is_empty() {
                list.add(own);
            }
        }
    }

    fn finish(self, bytes: u64) -> ScanReport {
        let gaps = self
            .gaps
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let source_no = self.source_no;
        ScanReport {
            bytes: bytes - self.passed.unread_bytes(),
            whole_blocks: self.whole.into_inner(),
            damaged_blocks: self.damaged.into_inner(),
            unread_bytes: gaps.unread_bytes,
            gaps: gaps
                .listed()
                .into_iter()
                .map(|range| Gap { source_no, range })
                .collect(),
            unopened: Vec::new(),
            stopped: self.stopped.into_inner(),
        }
    }
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
