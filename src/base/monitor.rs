//! How the library speaks while it works: tasks with counts, findings, and the question whether to stop.
//!
//! The library never prints; the command line shows what it hears here.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::base::finding::Finding;

/// The person or program asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Listens to long operations. One task runs at a time for each operation.
pub trait Monitor: Send + Sync {
    /// A stretch of work begins. `total_bytes` is 0 when it is not known.
    fn start(&self, task: &str, total_bytes: u64) {
        let _ = (task, total_bytes);
    }

    /// More bytes of the current task are done. Called from any thread.
    fn advance(&self, bytes: u64) {
        let _ = bytes;
    }

    /// The current task ended.
    fn finish(&self) {}

    /// Something is not as it should be; the operation goes on.
    fn finding(&self, finding: &Finding) {
        let _ = finding;
    }

    /// Whether the operation should stop soon, leaving things tidy.
    fn stop_asked(&self) -> bool {
        false
    }

    /// Errs when the operation should stop: `monitor.check_stop()?` in every long loop.
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

/// Hears everything and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Monitor for Silent {}

/// Passes the wish to stop on and says nothing: for work whose bytes are not those that the task counts.
#[derive(Clone, Copy)]
pub struct Quiet<'a>(pub &'a dyn Monitor);

impl Monitor for Quiet<'_> {
    fn stop_asked(&self) -> bool {
        self.0.stop_asked()
    }
}

/// Keeps what it hears, for tests.
#[derive(Debug, Default)]
pub struct Recording {
    /// Tasks in the order they began.
    pub tasks: Mutex<Vec<String>>,
    /// Bytes that all tasks together said they did.
    pub bytes: AtomicU64,
    /// Findings in the order they came.
    pub findings: Mutex<Vec<Finding>>,
    /// Set it to ask the operation to stop.
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
