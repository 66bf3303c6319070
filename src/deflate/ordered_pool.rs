//! A worker pool for one stream. Results come back in the order in which tasks were given.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

type PoolTask<T> = Box<dyn FnOnce() -> T + Send>;

/// Threads and their results. With one thread, the caller does all work itself.
pub(crate) struct OrderedPool<T> {
    threads: usize,
    tasks: Option<SyncSender<(u64, PoolTask<T>)>>,
    done: Receiver<(u64, T)>,
    done_in: Sender<(u64, T)>,
    /// Results that arrived before their turn.
    early: BTreeMap<u64, T>,
    given: u64,
    taken: u64,
    members: Vec<JoinHandle<()>>,
}

impl<T: Send + 'static> OrderedPool<T> {
    /// Creates a pool that starts its threads with the first task.
    pub(crate) fn new(threads: usize) -> Self {
        let (done_in, done) = channel();
        Self {
            threads,
            tasks: None,
            done,
            done_in,
            early: BTreeMap::new(),
            given: 0,
            taken: 0,
            members: Vec::new(),
        }
    }

    /// Returns whether a result must be taken before the next task is given.
    pub(crate) fn is_full(&self) -> bool {
        // With one thread a task is done when it was given. Keeping its result would only take memory.
        let most = if self.threads > 1 { self.threads } else { 0 };
        self.given - self.taken > most as u64
    }

    /// Gives a task.
    pub(crate) fn give(&mut self, task: impl FnOnce() -> T + Send + 'static) {
        let number = self.given;
        self.given += 1;
        if self.threads <= 1 {
            self.early.insert(number, task());
            return;
        }
        if self.tasks.is_none() {
            self.start();
        }
        if let Some(tasks) = &self.tasks {
            // The channel is open: the threads end only when this side drops it.
            let _ = tasks.send((number, Box::new(task)));
        }
    }

    fn start(&mut self) {
        let (tasks, waiting) = sync_channel::<(u64, PoolTask<T>)>(self.threads + 1);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..self.threads {
            let (waiting, done) = (Arc::clone(&waiting), self.done_in.clone());
            self.members.push(thread::spawn(move || {
                loop {
                    let next = waiting
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .recv();
                    let Ok((number, task)) = next else { return };
                    if done.send((number, task())).is_err() {
                        return;
                    }
                }
            }));
        }
        self.tasks = Some(tasks);
    }

    /// Waits for the next result. Returns `None` when all were taken.
    ///
    /// # Panics
    /// When a task panicked.
    pub(crate) fn take(&mut self) -> Option<T> {
        if self.taken == self.given {
            return None;
        }
        loop {
            if let Some(result) = self.early.remove(&self.taken) {
                self.taken += 1;
                return Some(result);
            }
            // Threads end only after this side, so one that has ended panicked and its result never comes.
            assert!(
                !self.members.iter().any(JoinHandle::is_finished),
                "a task ended without a result"
            );
            let wait = std::time::Duration::from_millis(500);
            if let Ok((number, result)) = self.done.recv_timeout(wait) {
                self.early.insert(number, result);
            }
        }
    }
}

impl<T> Drop for OrderedPool<T> {
    fn drop(&mut self) {
        // Dropping the sender ends the threads after the tasks that they have.
        self.tasks = None;
        for member in self.members.drain(..) {
            // `take` has reported a task that panicked already.
            let _ = member.join();
        }
    }
}
