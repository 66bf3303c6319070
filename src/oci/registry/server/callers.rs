//! The table of connections. When it is full, an idle one makes room for the next.
//!
//! A connection is busy from the head of a request to the end of its answer. Otherwise it is idle: before its first
//! request, between two, and while a part of a head has come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<CallerTable>);

#[derive(Debug, Default)]
struct CallerTable {
    next: u64,
    callers: HashMap<u64, Caller>,
}

#[derive(Debug)]
struct Caller {
    /// Requests in progress.
    requests: usize,
    /// The time when it became idle.
    since: Instant,
    /// Tells its task to end.
    end: Arc<Notify>,
}

impl Callers {
    /// Adds a connection, which is known as long as the returned value lives.
    pub(super) fn join(self: &Arc<Self>) -> Connection {
        let mut table = self.table();
        let no = table.next;
        table.next += 1;
        let end = Arc::new(Notify::new());
        let caller = Caller {
            requests: 0,
            since: Instant::now(),
            end: Arc::clone(&end),
        };
        table.callers.insert(no, caller);
        drop(table);
        Connection {
            callers: Arc::clone(self),
            no,
            end,
        }
    }

    /// Ends the connection that has been idle longest. Returns false when all are busy.
    pub(super) fn end_idle(&self) -> bool {
        let mut table = self.table();
        let idle = table.callers.iter().filter(|(_, each)| each.requests == 0);
        let Some(no) = idle.min_by_key(|(_, each)| each.since).map(|(no, _)| *no) else {
            return false;
        };
        if let Some(caller) = table.callers.remove(&no) {
            caller.end.notify_one();
        }
        true
    }

    fn table(&self) -> MutexGuard<'_, CallerTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    callers: Arc<Callers>,
    no: u64,
    end: Arc<Notify>,
}

impl Connection {
    /// Marks the connection as busy for a request, as long as the returned value lives.
    pub(super) fn busy(&self) -> Busy {
        if let Some(caller) = self.callers.table().callers.get_mut(&self.no) {
            caller.requests += 1;
        }
        Busy {
            callers: Arc::clone(&self.callers),
            no: self.no,
        }
    }

    /// Returns when the connection has to make room.
    pub(super) async fn ended(&self) {
        self.end.notified().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.callers.table().callers.remove(&self.no);
    }
}

/// A request in progress.
#[derive(Debug)]
pub(crate) struct Busy {
    callers: Arc<Callers>,
    no: u64,
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(caller) = self.callers.table().callers.get_mut(&self.no) {
            caller.requests -= 1;
            caller.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_idle_for_longest_makes_room_and_a_busy_one_never() {
        let callers = Arc::new(Callers::default());
        let [first, second, third] = [callers.join(), callers.join(), callers.join()];
        let busy = first.busy();
        let is_told = |connection: &Connection| {
            let told = tokio::task::unconstrained(connection.end.notified());
            let mut told = std::pin::pin!(told);
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            told.as_mut().poll(&mut context).is_ready()
        };
        assert!(callers.end_idle());
        assert!(is_told(&second) && !is_told(&first) && !is_told(&third));
        drop(third);
        assert!(!callers.end_idle(), "the only one left is busy");
        drop(busy);
        assert!(callers.end_idle());
        assert!(is_told(&first));
    }
}
