//! The passes over sources: everything once, then around what could not be read, then bad sectors again and sectors that
//! were left out for some time.
//!
//! All sources are read once before anything is tried again, so that a drive that gives up for good has given the most
//! by then. What a pass found was passed on by its end. A stream comes once, so it has the first pass alone.

use std::collections::BTreeSet;
use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::bare_head::BareHead;
use crate::volumes::media::MediaError;
use crate::volumes::media::images::OpenStream;
use crate::volumes::media::source::{AccessPattern, MediaSource, is_pipe};
use crate::volumes::media::surviving::{ReadEffort, RetryAllowance, UnaskedStretches};
use crate::volumes::media::text_mode::TextMode;

use super::findings::{
    cause_of, report_bare, report_broken, report_foreign, report_gaps, report_unopened,
};
use super::guide::{ReadsAll, ScanGuide};
use super::leap::PassedOver;
use super::order::ProbeDistance;
use super::report::{GAPS_LISTED_MAX, Gap, GapList, ScanReport};
use super::{BLOCK, BlockVisitor, RETRY_TIME, Scan, Sighting};

/// Blocks around a gap that are read with it, so that blocks without a header find their place.
const AROUND_BLOCKS: u64 = 2;
/// Stretches that are read again before the caller is asked whether it has enough.
const ASK_AFTER: usize = 256;

/// What the passes have found of a source so far.
struct SourcePasses {
    source_no: usize,
    report: ScanReport,
    /// What could not be read.
    gaps: Vec<Range<u64>>,
    /// What of it was given up without asking for each of its sectors.
    left_out: Vec<Range<u64>>,
    /// Where blocks lie, as distance from multiples of 64 KiB.
    phase: Option<u64>,
    /// Places of damaged blocks.
    damaged: BTreeSet<u64>,
    /// Places of whole blocks near the edges of segments.
    edges: BTreeSet<u64>,
    /// The head of a bare bundle, and the bytes of its file when they are known.
    bare: Option<(Arc<BareHead>, Option<u64>)>,
}

/// A pass over what could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AgainPass {
    /// Around the bad sectors.
    Around,
    /// Bad sectors are tried again.
    BadSectors,
    /// Of what was left out, one sector of every 32 KiB and those behind a good one.
    LeftOut,
    /// Every sector that was left out.
    EverySector,
}

/// What all passes need.
struct Passes<'a> {
    visit: &'a BlockVisitor<'a>,
    guide: &'a dyn ScanGuide,
    monitor: &'a dyn Monitor,
}

/// Scans sources in all passes.
pub(super) fn scan_sources(
    sources: &[MediaSource],
    visit: &BlockVisitor<'_>,
    guide: &dyn ScanGuide,
    retry_time: Duration,
    monitor: &dyn Monitor,
) -> Result<ScanReport, MediaError> {
    // Blocks in a packed file are whole by chance. Their parts lie anywhere, so what looks damaged says nothing.
    let only_whole = |sighting: &Sighting<'_>| match sighting {
        Sighting::Damaged { .. } => ControlFlow::Continue(()),
        Sighting::Whole { .. } => visit(sighting),
    };
    let passes = |source: &MediaSource| Passes {
        visit: match source.form.packed() {
            Some(_) => &only_whole,
            None => visit,
        },
        // Who sends something through a pipe waits until all of it is taken.
        guide: if is_pipe(&source.path) {
            &ReadsAll
        } else {
            guide
        },
        monitor,
    };
    let (mut unopened, mut broken) = (Vec::new(), Vec::new());
    let mut found = Vec::new();
    for (source_no, source) in sources.iter().enumerate() {
        let passes = passes(source);
        let opened = if source.is_stream() {
            match source.open_stream() {
                Ok(mut stream) => {
                    let (read, error) = passes.stream(&mut stream, source_no)?;
                    if let Some(error) = error {
                        report_broken(
                            read.has_blocks(),
                            read.report.bytes,
                            &source.path,
                            error,
                            monitor,
                        );
                        if read.has_blocks() {
                            broken.push(source_no);
                        }
                    }
                    Ok(read)
                }
                // It was opened before, so what cannot be read is what it is packed as.
                Err(error) if !is_pipe(&source.path) => {
                    let (bytes, why) = (0_u64, cause_of(error));
                    let what = diagnostic!("media.stream_broken", bytes, why);
                    report_foreign(false, &source.path, what, monitor);
                    Ok(SourcePasses::new(source_no))
                }
                Err(error) => Err(error),
            }
        } else {
            match source.open() {
                Ok(reader) => {
                    let mut read = passes.first(&*reader, source_no, source.access)?;
                    let bare = source.form.bare();
                    read.bare = bare.map(|(head, bytes)| (Arc::clone(head), Some(bytes)));
                    Ok(read)
                }
                Err(error) => Err(error),
            }
        };
        match opened {
            Ok(read) => found.push(read),
            Err(error) => {
                report_unopened(&source.path, error, monitor);
                unopened.push(source_no);
            }
        }
        if is_stopped(&found) {
            break;
        }
    }
    let retries = RetryAllowance::of(retry_time);
    for pass in AgainPass::ALL {
        let waiting = || found.iter().filter(|each| pass.is_due(each, &retries));
        let gaps = || waiting().flat_map(|each| &each.gaps);
        let bytes = gaps().map(|gap| gap.end - gap.start).sum();
        if bytes == 0 || is_stopped(&found) || guide.has_enough() {
            break;
        }
        monitor.finish();
        if pass == AgainPass::Around {
            monitor.start("read around errors", bytes);
        } else {
            if pass == AgainPass::BadSectors {
                let (count, seconds) = (gaps().count(), retry_time.as_secs());
                let what = diagnostic!("media.tried_again", bytes, count, seconds);
                monitor.finding(&Finding::note(Subject::Media, what));
            }
            monitor.start("try again", bytes);
        }
        for each in found.iter_mut() {
            // A disc that was taken out meanwhile cannot be opened, and its gaps stay.
            let source = &sources[each.source_no];
            if pass.is_due(each, &retries)
                && let Ok(reader) = source.open()
            {
                passes(source).again(&*reader, each, pass, &retries)?;
            }
        }
    }
    let mut report = ScanReport {
        unopened,
        broken,
        ..ScanReport::default()
    };
    for each in found {
        let source = &sources[each.source_no];
        if let Some((head, file_bytes)) = &each.bare {
            report_bare(head, *file_bytes, &each.damaged, &source.path, monitor);
        }
        let mut one = each.finish();
        report_gaps(&one, &source.path, monitor);
        // A few blocks without any line end are whole.
        let looks_damaged = one.damaged_blocks > one.whole_blocks;
        if looks_damaged && let Some(mode) = text_mode_of(source) {
            let what = match mode {
                TextMode::Added => diagnostic!("media.text_mode_added"),
                TextMode::Removed => diagnostic!("media.text_mode_removed"),
            };
            monitor.finding(&Finding::damage(source.path.display().to_string(), what));
        }
        if let Some(kind) = source.form.packed()
            && (one.whole_blocks == 0 || one.damaged_blocks > 0)
        {
            let what = diagnostic!("media.packed", kind = kind.name());
            report_foreign(one.has_blocks(), &source.path, what, monitor);
            one.damaged_blocks = 0;
        }
        report.join(one);
    }
    Ok(report)
}

/// Scans one reader in all passes.
pub(super) fn scan_one(
    reader: &dyn ReadAt,
    source_no: usize,
    access: AccessPattern,
    visit: &BlockVisitor<'_>,
    monitor: &dyn Monitor,
) -> Result<ScanReport, MediaError> {
    let passes = Passes {
        visit,
        guide: &ReadsAll,
        monitor,
    };
    let retries = RetryAllowance::of(RETRY_TIME);
    let mut found = passes.first(reader, source_no, access)?;
    for pass in AgainPass::ALL {
        if pass.is_due(&found, &retries) && !found.report.stopped {
            passes.again(reader, &mut found, pass, &retries)?;
        }
    }
    Ok(found.finish())
}

fn is_stopped(found: &[SourcePasses]) -> bool {
    found.iter().any(|each| each.report.stopped)
}

impl AgainPass {
    const ALL: [Self; 4] = [
        Self::Around,
        Self::BadSectors,
        Self::LeftOut,
        Self::EverySector,
    ];

    /// Returns whether there is anything for it to read in a source, and time left for that.
    fn is_due(self, found: &SourcePasses, retries: &RetryAllowance) -> bool {
        match self {
            Self::Around => !found.gaps.is_empty(),
            Self::BadSectors => !found.gaps.is_empty() && !retries.is_spent(),
            Self::LeftOut | Self::EverySector => !found.left_out.is_empty() && !retries.is_spent(),
        }
    }
}

impl Passes<'_> {
    fn first(
        &self,
        reader: &dyn ReadAt,
        source_no: usize,
        access: AccessPattern,
    ) -> Result<SourcePasses, MediaError> {
        let mut found = SourcePasses::new(source_no);
        let size = reader.size_bytes();
        let scan = self.scan(reader, &mut found, ReadEffort::Past, size);
        let phase = scan.run(access)?;
        found.report.bytes = size - scan.passed.unread_bytes();
        let gaps = take(scan, &mut found);
        (found.gaps, found.phase) = (gaps, phase);
        Ok(found)
    }

    /// Reads a stream from front to back. Returns the error that ended it too.
    fn stream(
        &self,
        stream: &mut OpenStream,
        source_no: usize,
    ) -> Result<(SourcePasses, Option<io::Error>), MediaError> {
        let mut found = SourcePasses::new(source_no);
        let nothing = Vec::new();
        let scan = self.scan(&nothing, &mut found, ReadEffort::Past, 0);
        let (bytes, mut error) = scan.stream(stream)?;
        found.report.bytes = bytes;
        found.bare = stream.bare.clone().map(|head| (head, None));
        if let Some((_, file_bytes)) = &mut found.bare
            && let Some(cut) = error.take_if(|error| error.kind() == io::ErrorKind::UnexpectedEof)
        {
            // It says itself how many bytes there are.
            drop(cut);
            *file_bytes = Some(stream.taken().load(Ordering::Relaxed));
        }
        take(scan, &mut found);
        Ok((found, error))
    }

    /// Reads what could not be read, and the blocks around it.
    fn again(
        &self,
        reader: &dyn ReadAt,
        found: &mut SourcePasses,
        pass: AgainPass,
        retries: &RetryAllowance,
    ) -> Result<(), MediaError> {
        let gaps = std::mem::take(&mut found.gaps);
        let left_out = std::mem::take(&mut found.left_out);
        let size = reader.size_bytes();
        let effort = ReadEffort::Around {
            gaps: &gaps,
            retries: (pass != AgainPass::Around).then_some(retries),
            left_out: match pass {
                AgainPass::Around | AgainPass::BadSectors => None,
                AgainPass::LeftOut | AgainPass::EverySector => Some(UnaskedStretches {
                    stretches: &left_out,
                    is_last_time: pass == AgainPass::EverySector,
                }),
            },
        };
        let gap_bytes = gaps.iter().map(|gap| gap.end - gap.start).sum();
        let scan = self.scan(reader, found, effort, gap_bytes);
        let mut left = Vec::new();
        for (number, (stretch, last_gap)) in (1..).zip(stretches(&gaps, size)) {
            let is_over = scan.stopped.load(std::sync::atomic::Ordering::Relaxed)
                || number % ASK_AFTER == 0 && self.guide.has_enough();
            if is_over {
                left.extend_from_slice(&gaps[last_gap..]);
                break;
            }
            scan.span(stretch, found.phase)?;
        }
        let mut now = take(scan, found);
        now.append(&mut left);
        found.gaps = now;
        Ok(())
    }

    fn scan<'s>(
        &'s self,
        reader: &'s dyn ReadAt,
        found: &mut SourcePasses,
        effort: ReadEffort<'s>,
        progress_bytes: u64,
    ) -> Scan<'s> {
        Scan {
            reader,
            source_no: found.source_no,
            visit: self.visit,
            guide: self.guide,
            effort,
            monitor: self.monitor,
            whole: AtomicU64::new(0),
            damaged: Mutex::new(std::mem::take(&mut found.damaged)),
            edges: Mutex::new(std::mem::take(&mut found.edges)),
            stopped: AtomicBool::new(false),
            gaps: Mutex::new(GapList::default()),
            left_out: Mutex::new(GapList::default()),
            passed: PassedOver::new(progress_bytes),
            probes: ProbeDistance::default(),
            enough: AtomicBool::new(false),
        }
    }
}

/// Adds the result of a pass to what is known of the source. Returns its gaps.
fn take(scan: Scan<'_>, found: &mut SourcePasses) -> Vec<Range<u64>> {
    found.report.whole_blocks += scan.whole.into_inner();
    found.report.stopped |= scan.stopped.into_inner();
    found.damaged = scan
        .damaged
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    found.edges = scan
        .edges
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let [gaps, left_out] = [scan.gaps, scan.left_out].map(|list| {
        list.into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .all()
    });
    // What was read after all is no gap.
    found.left_out = left_out
        .into_iter()
        .flat_map(|stretch| parts_of(&gaps, &stretch))
        .collect();
    gaps
}

/// Returns the parts of gaps that are in a stretch.
fn parts_of(gaps: &[Range<u64>], stretch: &Range<u64>) -> Vec<Range<u64>> {
    let first = gaps.partition_point(|gap| gap.end <= stretch.start);
    gaps[first..]
        .iter()
        .take_while(|gap| gap.start < stretch.end)
        .map(|gap| gap.start.max(stretch.start)..gap.end.min(stretch.end))
        .collect()
}

/// Returns the stretches that are read again, each with the index of its first gap.
fn stretches(gaps: &[Range<u64>], size: u64) -> Vec<(Range<u64>, usize)> {
    let around = AROUND_BLOCKS * BLOCK;
    let mut stretches: Vec<(Range<u64>, usize)> = Vec::new();
    for (index, gap) in gaps.iter().enumerate() {
        let stretch = gap.start.saturating_sub(around)..gap.end.saturating_add(around).min(size);
        match stretches.last_mut() {
            Some((last, _)) if last.end >= stretch.start => last.end = stretch.end,
            _ => stretches.push((stretch, index)),
        }
    }
    stretches
}

impl SourcePasses {
    fn new(source_no: usize) -> Self {
        Self {
            source_no,
            report: ScanReport::default(),
            gaps: Vec::new(),
            left_out: Vec::new(),
            phase: None,
            damaged: BTreeSet::new(),
            edges: BTreeSet::new(),
            bare: None,
        }
    }

    fn has_blocks(&self) -> bool {
        self.report.whole_blocks > 0 || !self.damaged.is_empty()
    }

    fn finish(self) -> ScanReport {
        let Self {
            source_no,
            mut report,
            gaps,
            damaged,
            ..
        } = self;
        report.damaged_blocks = damaged.len() as u64;
        report.unread_bytes = gaps.iter().map(|gap| gap.end - gap.start).sum();
        let listed = gaps.into_iter().take(GAPS_LISTED_MAX);
        report.gaps = listed.map(|range| Gap { source_no, range }).collect();
        report
    }
}

/// Returns what a copy as text did to a source, if it was copied so.
fn text_mode_of(source: &MediaSource) -> Option<TextMode> {
    let reader = (!source.is_stream()).then(|| source.open().ok())??;
    TextMode::of(&*reader)
}
