//! Brings what a checkout writes to the disk while it goes on, so that the sync at its end finds little left to do.
//!
//! It promises nothing and reports no error: only the sync at the end counts. It takes one thread, which waits for the
//! disk nearly all of its time.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use crate::base::finding::Finding;
use crate::base::monitor::Monitor;

/// Bytes after which the next sync begins. The last ones are left to the sync at the end.
const STEP_BYTES: u64 = 48 << 20;

/// Counts the bytes that are written, and passes everything on to the monitor of the operation.
pub(super) struct EarlySync<'a> {
    monitor: &'a dyn Monitor,
    written: AtomicU64,
    /// Wakes the thread, which ends with this. `None` where there is too little to write.
    wake: Option<SyncSender<()>>,
}

impl<'a> EarlySync<'a> {
    /// Starts for about `bytes` on the file system of a file or folder.
    pub(super) fn start(there: impl AsFd, bytes: u64, monitor: &'a dyn Monitor) -> Self {
        match there.as_fd().try_clone_to_owned() {
            Ok(there) => Self::calling(bytes, monitor, move || {
                let _ = rustix::fs::syncfs(&there);
            }),
            Err(_) => Self::calling(0, monitor, || {}),
        }
    }

    fn calling(bytes: u64, monitor: &'a dyn Monitor, sync: impl Fn() + Send + 'static) -> Self {
        let (wake, woken) = sync_channel(1);
        // The thread is not waited for. A slow disk would otherwise hold up an operation that was stopped.
        let thread = std::thread::Builder::new().name("early sync".to_owned());
        let is_started = bytes >= 2 * STEP_BYTES
            && thread
                .spawn(move || woken.iter().for_each(|()| sync()))
                .is_ok();
        Self {
            monitor,
            written: AtomicU64::new(0),
            wake: is_started.then_some(wake),
        }
    }
}

impl Monitor for EarlySync<'_> {
    fn start(&self, task: &str, total_bytes: u64) {
        self.monitor.start(task, total_bytes);
    }

    fn advance(&self, bytes: u64) {
        self.monitor.advance(bytes);
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if let Some(wake) = &self.wake
            && before / STEP_BYTES != before.saturating_add(bytes) / STEP_BYTES
        {
            // A sync that waits to begin already covers these bytes, too.
            let _ = wake.try_send(());
        }
    }

    fn finish(&self) {
        self.monitor.finish();
    }

    fn finding(&self, finding: &Finding) {
        self.monitor.finding(finding);
    }

    fn stop_asked(&self) -> bool {
        self.monitor.stop_asked()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::base::monitor::Recording;

    #[test]
    fn a_sync_begins_at_every_step_and_the_monitor_hears_of_every_byte() {
        let monitor = Recording::default();
        let (called, calls) = channel();
        let early = EarlySync::calling(3 * STEP_BYTES, &monitor, move || {
            let _ = called.send(());
        });
        early.start("check out", 3 * STEP_BYTES);
        early.advance(STEP_BYTES - 1);
        assert!(calls.try_recv().is_err());
        for _ in 0..3 {
            early.advance(STEP_BYTES);
            calls.recv().unwrap();
        }
        drop(early);
        assert!(calls.recv().is_err(), "the thread ends");
        assert_eq!(monitor.bytes.into_inner(), 4 * STEP_BYTES - 1);
        assert_eq!(*monitor.tasks.lock().unwrap(), ["check out"]);
    }

    #[test]
    fn little_is_left_to_the_sync_at_the_end() {
        let monitor = Recording::default();
        let early = EarlySync::calling(2 * STEP_BYTES - 1, &monitor, || panic!("not worth it"));
        early.advance(2 * STEP_BYTES - 1);
        assert!(early.wake.is_none());
    }
}
