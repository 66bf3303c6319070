//! What the passes over a source say of it.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::base::diagnostic::{Arg, Diagnostic, diagnostic};
use crate::base::finding::{Finding, Severity};
use crate::base::monitor::Monitor;
use crate::volumes::bare_head::BareHead;
use crate::volumes::media::MediaError;

use super::BLOCK;
use super::report::ScanReport;

/// Reports a source that could not be opened.
pub(super) fn report_unopened(path: &Path, error: MediaError, monitor: &dyn Monitor) {
    let what = diagnostic!("media.cannot_be_opened", why = cause_of(error));
    monitor.finding(&Finding::damage(path.display().to_string(), what));
}

/// Returns what the system said.
pub(super) fn cause_of(error: MediaError) -> Arg {
    match error {
        MediaError::Io { source, .. } => Arg::caught(source),
        other => Arg::caught(other),
    }
}

/// Reports a stream that ended with an error behind so many bytes.
pub(super) fn report_broken(
    has_blocks: bool,
    bytes: u64,
    path: &Path,
    error: io::Error,
    monitor: &dyn Monitor,
) {
    let what = diagnostic!("media.stream_broken", bytes, why = Arg::caught(error));
    report_foreign(has_blocks, path, what, monitor);
}

/// Reports something of a packed file. Without any block it is no damage: other files may lie beside volumes.
pub(super) fn report_foreign(
    has_blocks: bool,
    path: &Path,
    what: Diagnostic,
    monitor: &dyn Monitor,
) {
    let severity = if has_blocks {
        Severity::Damage
    } else {
        Severity::Note
    };
    let subject = path.display().to_string();
    monitor.finding(&Finding::new(severity, subject, what));
}

/// Says which parts of a bare bundle are damaged or missing, as bytes of its file.
pub(super) fn report_bare(
    head: &BareHead,
    file_bytes: Option<u64>,
    damaged: &BTreeSet<u64>,
    path: &Path,
    monitor: &dyn Monitor,
) {
    let report = |what| monitor.finding(&Finding::damage(path.display().to_string(), what));
    let whole = head.content_bytes();
    if let Some(bytes) = file_bytes.filter(|bytes| *bytes < whole) {
        report(diagnostic!("media.bare_cut", bytes, whole));
    }
    let pieces = damaged.iter().filter_map(|offset| {
        let block_no = u32::try_from(offset / BLOCK).ok()?;
        head.piece(block_no)
    });
    let pieces: Vec<_> = pieces.collect();
    if let Some(first) = pieces.first() {
        let (from, to) = (first.range.start, first.range.end);
        let count = pieces.len();
        report(diagnostic!("media.bare_changed", count, from, to));
    }
}

/// Reports how much could not be read, and where the first of it is.
pub(super) fn report_gaps(report: &ScanReport, path: &Path, monitor: &dyn Monitor) {
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
