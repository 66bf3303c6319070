//! Looks at streams on every core before the unpacker reaches them: computes their hashes and opens them.
//!
//! The unpacker takes results by place and in its own order, so its output does not depend on threads. It looks itself
//! at a stream that has no result yet. At most as many streams as there are workers are in progress, or done and not
//! taken. Each of them has two spools.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

use crate::base::monitor::Monitor;

/// Shorter streams are not worth a thread.
pub(super) const AHEAD_BYTES_MIN: u64 = 1 << 20;

/// Returns how many streams are looked at together.
pub(super) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Results by place. `K` names a place, and `V` is what was found there.
pub(super) struct Lookahead<K, V> {
    inner: Mutex<LookaheadState<K, V>>,
    changed: Condvar,
    /// Set when no more results are needed.
    over: AtomicBool,
}

struct LookaheadState<K, V> {
    /// Places that the unpacker reached first.
    passed: HashSet<K>,
    /// Streams in progress, in the order of the finder.
    slots: BTreeMap<u64, (K, SlotState<V>)>,
    next: u64,
}

enum SlotState<V> {
    InHand,
    Done(V),
}

/// Ends the work when the unpacker is done, on success and on failure.
pub(super) struct CancelOnDrop<'a, K, V>(&'a Lookahead<K, V>);

impl<K, V> Drop for CancelOnDrop<'_, K, V> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Release);
        // Without the lock, a worker between its check and its wait would miss the wake-up.
        drop(self.0.inner.lock());
        self.0.changed.notify_all();
    }
}

/// Also reports a stop when the result is no longer needed.
pub(super) struct CancelMonitor<'a> {
    pub(super) monitor: &'a dyn Monitor,
    pub(super) over: &'a AtomicBool,
}

impl Monitor for CancelMonitor<'_> {
    fn advance(&self, bytes: u64) {
        self.monitor.advance(bytes);
    }

    fn stop_asked(&self) -> bool {
        self.over.load(Ordering::Acquire) || self.monitor.stop_asked()
    }
}

impl<K: Eq + Hash + Clone, V> Lookahead<K, V> {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::new(LookaheadState {
                passed: HashSet::new(),
                slots: BTreeMap::new(),
                next: 0,
            }),
            changed: Condvar::new(),
            over: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, LookaheadState<K, V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts workers on what `finder` finds, in its order.
    pub(super) fn start<'scope, 'env, T, I, F>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        finder: &'env Mutex<I>,
        look: F,
        monitor: &'env dyn Monitor,
    ) -> CancelOnDrop<'env, K, V>
    where
        I: Iterator<Item = (K, T)> + Send,
        F: Fn(T, &dyn Monitor) -> V + Send + Clone + 'scope,
        K: Send,
        V: Send,
    {
        for _ in 0..workers() {
            let look = look.clone();
            scope.spawn(move || {
                while let Some((number, task)) = self.next_task(finder) {
                    let wanted = CancelMonitor {
                        monitor,
                        over: &self.over,
                    };
                    let turn = Slot {
                        ahead: self,
                        number,
                    };
                    turn.done(look(task, &wanted));
                }
            });
        }
        CancelOnDrop(self)
    }

    fn next_task<T, I: Iterator<Item = (K, T)>>(&self, finder: &Mutex<I>) -> Option<(u64, T)> {
        // The worker that holds the finder also takes the next slot, so that tasks are numbered in the finder's order.
        let mut finder = finder.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = self.lock();
        while inner.slots.len() >= workers() && !self.is_over() {
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(inner);
        while !self.is_over() {
            let (place, task) = finder.next()?;
            let mut inner = self.lock();
            if inner.passed.contains(&place) {
                continue;
            }
            let number = inner.next;
            inner.next += 1;
            inner.slots.insert(number, (place, SlotState::InHand));
            return Some((number, task));
        }
        None
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Waits for the result of the worker at `place` and returns it. Returns `None` when no worker is there.
    pub(super) fn take(&self, place: &K) -> Option<V> {
        let mut inner = self.lock();
        let found = inner.slots.iter().find(|(_, (at, _))| at == place);
        let Some(number) = found.map(|(number, _)| *number) else {
            inner.passed.insert(place.clone());
            return None;
        };
        while matches!(inner.slots.get(&number), Some((_, SlotState::InHand))) {
            inner = self
                .changed
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let slot = inner.slots.remove(&number);
        // The unpacker passed everything that comes earlier without asking for it.
        inner
            .slots
            .retain(|at, (_, slot)| *at > number || matches!(slot, SlotState::InHand));
        drop(inner);
        self.changed.notify_all();
        match slot {
            Some((_, SlotState::Done(found))) => Some(found),
            _ => None,
        }
    }
}

/// A task in progress. When it ends without a result, nobody is left waiting for one.
struct Slot<'a, K, V> {
    ahead: &'a Lookahead<K, V>,
    number: u64,
}

impl<K: Eq + Hash + Clone, V> Slot<'_, K, V> {
    fn done(self, found: V) {
        if let Some((_, slot)) = self.ahead.lock().slots.get_mut(&self.number) {
            *slot = SlotState::Done(found);
        }
    }
}

impl<K, V> Drop for Slot<'_, K, V> {
    fn drop(&mut self) {
        let mut inner = self
            .ahead
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, SlotState::InHand)) = inner.slots.get(&self.number) {
            inner.slots.remove(&self.number);
        }
        drop(inner);
        self.ahead.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::monitor::Silent;

    #[test]
    fn results_come_by_place_in_any_order_and_what_nobody_takes_holds_nobody_up() {
        for taken in [
            (0..200).collect(),
            (0..200).step_by(7).collect(),
            Vec::new(),
        ] {
            let ahead: Lookahead<u32, u32> = Lookahead::new();
            let finder = Mutex::new((0..100_u32).map(|n| (2 * n, n)));
            std::thread::scope(|scope| {
                let _cancel_on_drop = ahead.start(scope, &finder, |n, _| n, &Silent);
                for place in taken {
                    // Either no worker was there before, or the result is right.
                    assert!(ahead.take(&place).is_none_or(|found| found * 2 == place));
                }
            });
        }
    }

    #[test]
    fn a_worker_hears_that_nobody_waits_any_more() {
        let ahead: Lookahead<u32, bool> = Lookahead::new();
        let finder = Mutex::new((0..3_u32).map(|n| (n, ())));
        std::thread::scope(|scope| {
            let look = |(), monitor: &dyn Monitor| {
                while !monitor.stop_asked() {
                    std::thread::yield_now();
                }
                true
            };
            let _cancel_on_drop = ahead.start(scope, &finder, look, &Silent);
        });
    }
}
