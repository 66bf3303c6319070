//! Limits what opening the streams of one item may cost. What one stream taught serves the next ones. Streams that keep
//! coming to nothing are tried less and less.
//!
//! Long gzip streams are looked at on other threads, each by itself. Their cost is not counted here, because the result
//! would depend on their order.

use std::cell::Cell;
use std::time::Duration;

use super::open_options::OpenOptions;
use crate::deflate::Experience;
use crate::recode::Guesses;

/// Time before which no stream is given up for being slow.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that may be read for streams that are then kept as they came.
const VAIN_FREE_BYTES: u64 = 32 << 20;
/// Once those bytes are used up, one stream in this many is still looked at, because the writer may change within an
/// item.
const VAIN_AGAIN: u32 = 16;

/// The effort spent on the streams of one item.
pub(super) struct ItemEffort {
    experience: Experience,
    guesses: Guesses,
    /// Bytes that may still be read in vain.
    vain_left: Cell<u64>,
    /// Streams passed over since the last one that was looked at.
    passed: Cell<u32>,
    /// Processor time that streams took, and the plain bytes that they gave.
    spent: Cell<Duration>,
    plain_bytes: Cell<u64>,
}

impl ItemEffort {
    pub(super) fn new(options: &OpenOptions) -> Self {
        let (experience, vain_left) = match options.seconds_per_gb {
            Some(_) => (Experience::default(), VAIN_FREE_BYTES),
            None => (Experience::unlimited(), u64::MAX),
        };
        Self {
            experience,
            guesses: Guesses::default(),
            vain_left: Cell::new(vain_left),
            passed: Cell::default(),
            spent: Cell::default(),
            plain_bytes: Cell::default(),
        }
    }

    pub(super) fn experience(&self) -> &Experience {
        &self.experience
    }

    pub(super) fn guesses(&self) -> &Guesses {
        &self.guesses
    }

    /// Returns whether the next stream is to be looked at.
    pub(super) fn allows(&self) -> bool {
        if self.vain_left.get() > 0 {
            return true;
        }
        let passed = (self.passed.get() + 1) % VAIN_AGAIN;
        self.passed.set(passed);
        passed == 0
    }

    /// Returns whether the streams of the item are opened fast enough, this one included.
    pub(super) fn is_fast(&self, spent: Duration, plain_bytes: u64, seconds_per_gb: u64) -> bool {
        is_fast(
            self.spent.get() + spent,
            self.plain_bytes.get().saturating_add(plain_bytes),
            seconds_per_gb,
        )
    }

    /// Records that a stream was looked at. `bytes` is the total of packed and plain bytes that this took.
    pub(super) fn looked(&self, spent: Duration, plain_bytes: u64, bytes: u64, was_opened: bool) {
        self.spent.set(self.spent.get() + spent);
        let all = self.plain_bytes.get().saturating_add(plain_bytes);
        self.plain_bytes.set(all);
        let left = self.vain_left.get();
        if left == u64::MAX {
            return;
        }
        self.vain_left.set(if was_opened {
            left.saturating_add(plain_bytes).min(VAIN_FREE_BYTES)
        } else {
            left.saturating_sub(bytes)
        });
    }
}

/// Returns whether an analysis goes on that has given `plain_bytes` after `spent`.
pub(super) fn is_fast(spent: Duration, plain_bytes: u64, seconds_per_gb: u64) -> bool {
    let allowed = u128::from(plain_bytes) * u128::from(seconds_per_gb) / 1_000_000;
    spent < PATIENCE || spent.as_millis() <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_nothing_is_tried_now_and_then_and_success_brings_trust_back() {
        let effort = ItemEffort::new(&OpenOptions::default());
        let vain = |effort: &ItemEffort| {
            let tried = effort.allows();
            if tried {
                effort.looked(Duration::ZERO, 20_000, 30_000, false);
            }
            tried
        };
        let tried = (0..10_000).filter(|_| vain(&effort)).count();
        let free = usize::try_from(VAIN_FREE_BYTES).unwrap_or_default() / 30_000;
        assert!((free..free + 1000).contains(&tried), "{tried}");
        while !effort.allows() {}
        effort.looked(Duration::ZERO, VAIN_FREE_BYTES, 1, true);
        assert!((0..free).all(|_| vain(&effort)));
    }

    #[test]
    fn whoever_sets_no_time_sets_no_effort_either() {
        let options = OpenOptions {
            seconds_per_gb: None,
            ..OpenOptions::default()
        };
        let effort = ItemEffort::new(&options);
        for _ in 0..9 {
            effort.looked(Duration::MAX / 100, 0, u64::MAX / 2, false);
            assert!(effort.allows());
        }
    }
}
