//! Counts those who are held up by clients that do not read, and lets as many of these clients give way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Those who wait for one limited resource.
#[derive(Debug, Default)]
pub(super) struct Pressure(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    waiting: usize,
    /// Those who gave way for a waiter that still waits.
    giving: usize,
}

impl Pressure {
    /// Registers a waiter, as long as the returned value lives.
    pub(super) fn held_up(self: &Arc<Self>) -> HeldUp {
        self.counts().waiting += 1;
        HeldUp(Arc::clone(self))
    }

    /// Returns whether there is a waiter for whom nobody gave way yet.
    pub(super) fn is_on(&self) -> bool {
        let counts = self.counts();
        counts.waiting > counts.giving
    }

    /// Gives way for one waiter. Returns false when enough others did.
    pub(super) fn give_way(&self) -> bool {
        let mut counts = self.counts();
        let is_needed = counts.waiting > counts.giving;
        counts.giving += usize::from(is_needed);
        is_needed
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registered waiter.
#[derive(Debug)]
pub(super) struct HeldUp(Arc<Pressure>);

impl Drop for HeldUp {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        counts.waiting -= 1;
        counts.giving = counts.giving.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gives_way_for_each_who_waits() {
        let pressure = Arc::new(Pressure::default());
        assert!(!pressure.is_on() && !pressure.give_way());
        let one = pressure.held_up();
        let other = pressure.held_up();
        assert!(pressure.give_way() && pressure.is_on() && pressure.give_way());
        assert!(!pressure.is_on() && !pressure.give_way());
        drop(one);
        assert!(!pressure.is_on(), "somebody gave way for the other");
        drop(other);
        let _third = pressure.held_up();
        assert!(pressure.give_way());
    }
}
