//! How the library reports while it works: tasks with counts, findings, and requests to stop.
//!
//! The library never prints. The command line shows what a monitor receives.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::base::finding::Finding;

/// The person or program asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

impl Interrupted {
    /// Returns the interruption that a reader or writer passed on.
    pub fn of_io(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<Interrupted> for io::Error {
    fn from(stop: Interrupted) -> Self {
        // `ErrorKind::Interrupted` stands for a call to be made again.
        Self::other(stop)
    }
}

/// Listens to long operations. One task runs at a time for each operation.
pub trait Monitor: Send + Sync {
    /// Begins a task. `total_bytes` is 0 when it is not known.
    fn start(&self, task: &str, total_bytes: u64) {
        let _ = (task, total_bytes);
    }

    /// Counts more bytes of the current task as done. Called from any thread.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }

    /// Ends the current task.
    fn finish(&self) {}

    /// Reports a problem. The operation goes on.
    fn finding(&self, finding: &Finding) {
        let _ = finding;
    }

    /// Returns whether the operation should stop soon and leave things tidy.
    fn stop_asked(&self) -> bool {
        false
    }

    /// Fails when the operation should stop. Every long loop calls `monitor.check_stop()?`.
    ///
    /// # Errors
    /// [`Interrupted`] once a stop was asked for.
    fn check_stop(&self) -> Result<(), Interrupted> {
        if self.stop_asked() {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }
}

/// Ignores everything and never asks to stop.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Monitor for Silent {}

/// Passes on only the request to stop. It serves work whose bytes the current task does not count.
#[derive(Clone, Copy)]
pub(crate) struct Quiet<'a>(pub &'a dyn Monitor);

impl Monitor for Quiet<'_> {
    fn stop_asked(&self) -> bool {
        self.0.stop_asked()
    }
}

/// Records what it receives, for tests.
#[derive(Debug, Default)]
pub struct Recording {
    /// Tasks in the order they began.
    pub tasks: Mutex<Vec<String>>,
    /// Bytes that all tasks together reported as done.
    pub bytes: AtomicU64,
    /// Findings in the order they came.
    pub findings: Mutex<Vec<Finding>>,
    /// Set to true to ask the operation to stop.
    pub stop: AtomicBool,
}

impl Monitor for Recording {
    fn start(&self, task: &str, _total_bytes: u64) {
        if let Ok(mut tasks) = self.tasks.lock() {
            tasks.push(task.to_owned());
        }
    }

    fn advance(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn finding(&self, finding: &Finding) {
        if let Ok(mut findings) = self.findings.lock() {
            findings.push(finding.clone());
        }
    }

    fn stop_asked(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
