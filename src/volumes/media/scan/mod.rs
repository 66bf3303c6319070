//! Finds blocks by their content on anything readable: volume files, images, devices, and cut or damaged copies of
//! these.
//!
//! It needs no name and no file system, and it keeps nothing. Every block is passed to a visitor and dropped. Of a block
//! that is not whole, the slices that were read are passed on, and its place follows from its neighbors when its header is
//! lost. Memory: about 2 MiB a thread, at most eight threads.

mod findings;
mod guide;
mod known;
mod leap;
mod neighbors;
mod order;
mod passes;
mod report;
mod span;

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader};
use crate::volumes::media::MediaError;
use crate::volumes::media::source::{AccessPattern, MediaSource};
use crate::volumes::media::surviving::ReadEffort;
use crate::volumes::slices::Slices;
pub(crate) use guide::{ReadsAll, ScanGuide};
use leap::PassedOver;
use order::{ProbeDistance, ReadingOrder};
use report::GapList;
pub use report::{Gap, ScanReport};

/// Bytes that one thread takes at a time from a source that several threads read.
const SEGMENT_BYTES: u64 = 8 << 20;
const THREADS_MAX: usize = 8;
/// Time for further tries of bad sectors, unless the caller says another. A drive needs up to ten seconds for a bad
/// sector, and a person waits at it.
pub(crate) const RETRY_TIME: Duration = Duration::from_mins(5);
/// Blocks are looked for in steps of full ones until one shows their size. Places of all blocks of a set are the same
/// distance from multiples of it, or of a small block.
const BLOCK: u64 = BLOCK_BYTES as u64;
/// Expected places without a block before the caller is asked whether it has enough.
const EMPTY_MIN: u32 = 32;

/// A block that was found.
#[derive(Debug, Clone, Copy)]
pub enum Sighting<'a> {
    /// Header and hash are right.
    Whole {
        /// The block's header.
        header: BlockHeader,
        /// The block, header included.
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
        /// The block. Bytes that could not be read are zero.
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

/// Scans sources one after the other, and then what could not be read of them, twice (`passes`). Advances the monitor's
/// current task by the bytes read. Bytes that cannot be read are a finding, and the scan continues.
///
/// # Errors
/// [`MediaError::Interrupted`] alone.
pub fn scan(
    sources: &[MediaSource],
    visit: &BlockVisitor<'_>,
    monitor: &dyn Monitor,
) -> Result<ScanReport, MediaError> {
    scan_guided(sources, visit, &ReadsAll, RETRY_TIME, monitor)
}

/// Scans as [`scan`] does, without what the guide says is known. Bad sectors are tried again for so long at most.
///
/// # Errors
/// [`MediaError::Interrupted`] alone.
pub(crate) fn scan_guided(
    sources: &[MediaSource],
    visit: &BlockVisitor<'_>,
    guide: &dyn ScanGuide,
    retry_time: Duration,
    monitor: &dyn Monitor,
) -> Result<ScanReport, MediaError> {
    passes::scan_sources(sources, visit, guide, retry_time, monitor)
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
    passes::scan_one(reader, source_no, access, visit, monitor)
}

/// One pass over one source.
struct Scan<'a> {
    reader: &'a dyn ReadAt,
    source_no: usize,
    visit: &'a BlockVisitor<'a>,
    guide: &'a dyn ScanGuide,
    effort: ReadEffort<'a>,
    monitor: &'a dyn Monitor,
    whole: AtomicU64,
    /// Places of damaged blocks, in this pass and before.
    damaged: Mutex<BTreeSet<u64>>,
    /// Places of whole blocks near the edges of segments. Two threads read such an edge, and an error of one may be none
    /// of the other.
    edges: Mutex<BTreeSet<u64>>,
    stopped: AtomicBool,
    gaps: Mutex<GapList>,
    /// What was given up without asking for each of its sectors.
    left_out: Mutex<GapList>,
    passed: PassedOver,
    probes: ProbeDistance,
    /// Whether the guide said that it has enough.
    enough: AtomicBool,
}

impl Scan<'_> {
    /// Reads the whole source for the first time. Returns where blocks lie, as distance from multiples of 64 KiB.
    fn run(&self, access: AccessPattern) -> Result<Option<u64>, MediaError> {
        let order = ReadingOrder::of(self.reader);
        let mut phase = None;
        for stretch in order.volumes {
            // A volume file begins with a block.
            let found = self.stretch(stretch.clone(), Some(stretch.start % BLOCK), access)?;
            phase = phase.or(found);
        }
        for stretch in order.rest {
            // Few bytes are read by far probes, and a volume between two of them is searched for by one thread.
            let is_probed = order.close.is_some() && self.guide.has_enough();
            self.probes.set(order.close.clone().filter(|_| is_probed));
            let access = if is_probed {
                AccessPattern::Sequential
            } else {
                access
            };
            let found = self.stretch(stretch, phase, access)?;
            phase = phase.or(found);
        }
        self.probes.set(None);
        Ok(phase)
    }

    /// Reads a stretch of the source. Returns where blocks lie in it.
    fn stretch(
        &self,
        bytes: Range<u64>,
        known_phase: Option<u64>,
        access: AccessPattern,
    ) -> Result<Option<u64>, MediaError> {
        if self.stopped.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let first = match access {
            AccessPattern::Parallel => {
                let next_segment = bytes.start / SEGMENT_BYTES * SEGMENT_BYTES + SEGMENT_BYTES;
                bytes.end.min(next_segment)
            }
            AccessPattern::Sequential => bytes.end,
        };
        self.enough
            .store(self.guide.has_enough(), Ordering::Relaxed);
        // The first segment shows the alignment of blocks, so that the other segments can begin at a block, too.
        let found = self.span(bytes.start..first, known_phase)?;
        let phase = found.map(|offset| offset % BLOCK).or(known_phase);
        self.rest(first..bytes.end, phase)?;
        Ok(phase)
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

    /// Passes on a block, unless an earlier pass did or a later one will know more of it.
    fn visit(&self, sighting: &Sighting<'_>) {
        let (Sighting::Whole { header, offset, .. } | Sighting::Damaged { header, offset, .. }) =
            *sighting;
        let block = offset..offset.saturating_add(header.block_bytes() as u64);
        let is_mine = match self.effort {
            ReadEffort::Past => matches!(sighting, Sighting::Whole { .. }) || !self.has_gap(&block),
            ReadEffort::Around { gaps, .. } => {
                let next = gaps.partition_point(|gap| gap.end <= block.start);
                gaps.get(next).is_some_and(|gap| gap.start < block.end)
            }
        };
        if !is_mine {
            return;
        }
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Sighting::Whole { .. } = sighting {
            let is_at_edge = offset / SEGMENT_BYTES != (offset + 2 * BLOCK) / SEGMENT_BYTES;
            let mut edges = self.edges.lock().unwrap_or_else(PoisonError::into_inner);
            if is_at_edge && !edges.insert(offset) {
                return;
            }
            self.whole.fetch_add(1, Ordering::Relaxed);
            damaged.remove(&offset);
        } else {
            damaged.insert(offset);
        }
        drop(damaged);
        if (self.visit)(sighting).is_break() {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn has_gap(&self, block: &Range<u64>) -> bool {
        let gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.touches(block)
    }
}

/// Notes the gaps in bytes of `starts`. Other bytes are of another span, which notes them.
fn note_gaps(list: &Mutex<GapList>, gaps: &[Range<u64>], starts: &Range<u64>) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    for gap in gaps {
        let own = gap.start.max(starts.start)..gap.end.min(starts.end);
        if !own.is_empty() {
            list.add(own);
        }
    }
}

#[cfg(test)]
mod tests;
