//! The history of a store: what came and what went out, when, from whom and where to.
//!
//! One line for each operation is added after the operation has committed its work. A kill in between leaves the release
//! without a line, except for `receive`, whose next call adds it. A line that cannot be written is told and stops
//! nothing, and nothing depends on what the lines say.

mod chain;
mod csv;
mod entry;
#[cfg(test)]
mod tests;

use serde::Serialize;

use self::chain::Audit;
pub use self::chain::{HistoryLine, HistoryMark};
pub use self::csv::to_csv;
pub use self::entry::{HistoryEntry, HistoryEvent, HistoryRelease, HistorySigner};
use crate::base::backend::BackendError;
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::{Finding, Subject};
use crate::base::monitor::Monitor;
use crate::ops::{Error, Releases};
use crate::store::{Store, StoreError, StoredHistory};

/// The history of a store.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct HistoryReport {
    /// The lines that were asked for, the oldest first.
    pub lines: Vec<HistoryLine>,
    /// The last line of all.
    pub last: Option<HistoryMark>,
    /// Whether no line is missing or changed.
    pub is_intact: bool,
    /// What is missing or changed.
    pub findings: Vec<Finding>,
}

impl HistoryReport {
    /// Reads a history from the bytes of its only file and of the note of its last line.
    pub fn of_bytes(lines: &[u8], head: &[u8]) -> Self {
        Self::of(Audit::of(&StoredHistory {
            files: vec![(1, lines.to_vec())],
            head: Some(head.to_vec()),
            is_bounded: false,
            may_lack_note: false,
        }))
    }

    fn of(audit: Audit) -> Self {
        Self {
            lines: audit.lines,
            last: audit.last,
            is_intact: audit.findings.is_empty(),
            findings: audit.findings,
        }
    }
}

/// Reads the history of a store, or the lines about one release. `release` is a whole name, or a name without version,
/// which stands for all its versions.
///
/// # Errors
/// [`Error::Store`] when it cannot be read.
pub fn read(store: &Store, release: Option<&str>) -> Result<HistoryReport, Error> {
    let mut report = HistoryReport::of(audit_and_note(store)?);
    if let Some(asked) = release {
        let is_meant = |name: &str| {
            let rest = name.strip_prefix(asked);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@']))
        };
        report.lines.retain(|line| {
            let mut names = line.entry.releases.iter().map(|release| &release.name);
            names.any(|name| is_meant(name))
        });
    }
    Ok(report)
}

/// Returns what is missing or changed in the history of a store.
///
/// # Errors
/// [`Error::Store`] when it cannot be read.
pub(crate) fn audit(store: &Store) -> Result<Vec<Finding>, Error> {
    Ok(audit_and_note(store)?.findings)
}

/// Reads all lines. What this machine has seen of a history that others add to, it can compare later.
fn audit_and_note(store: &Store) -> Result<Audit, Error> {
    let audit = Audit::of(&store.history()?);
    if let (Some(last), true) = (&audit.last, audit.findings.is_empty()) {
        store.keep_history_note(&last.note());
    }
    Ok(audit)
}

/// Returns whether the history says that a set came with these very releases.
pub(crate) fn has_arrival(store: &Store, like: &HistoryEntry) -> bool {
    let Ok(stored) = store.history() else {
        return false;
    };
    let lines = Audit::of(&stored).lines;
    let is_same = |line: &HistoryLine| {
        line.entry.event.is_arrival() == Some(true)
            && line.entry.set == like.set
            && line.entry.releases.len() == like.releases.len()
            && line
                .entry
                .releases
                .iter()
                .zip(&like.releases)
                .all(|(one, other)| one.id == other.id)
    };
    lines.iter().any(is_same)
}

/// Adds a line to the history of a store.
pub(crate) fn append(store: &Store, entry: &HistoryEntry) -> Result<(), StoreError> {
    store.add_history(|end| chain::next(end, entry))
}

/// Adds a line for what was just committed. When it cannot be written, that is only told: the work is done.
pub(crate) fn note<R: Releases>(store: &R, entry: &HistoryEntry, monitor: &dyn Monitor) {
    if let Err(error) = store.add_history(entry) {
        let why = match error {
            BackendError::Interrupted(stop) => Arg::caught(stop),
            BackendError::Failed(cause) => Arg::innermost(cause.as_ref()),
        };
        let what = diagnostic!("history.not_written", why);
        monitor.finding(&Finding::note(Subject::Store, what));
    }
}
