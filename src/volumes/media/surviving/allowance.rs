//! The time for further tries of bad sectors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The time that is left, for all sources of a call and all threads that read them.
#[derive(Debug)]
pub(in crate::volumes::media) struct RetryAllowance {
    left_ns: AtomicU64,
}

impl RetryAllowance {
    /// Begins with this time.
    pub(in crate::volumes::media) fn of(time: Duration) -> Self {
        Self {
            left_ns: AtomicU64::new(in_ns(time)),
        }
    }

    pub(in crate::volumes::media) fn is_spent(&self) -> bool {
        self.left_ns.load(Ordering::Relaxed) == 0
    }

    pub(super) fn spend(&self, time: Duration) {
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
