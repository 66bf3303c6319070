//! Fills long files on several threads while `restore` continues with the next entries.
//!
//! Files are made and get their metadata on the thread that orders them. Only bytes are written here. The memory is
//! what rebuilding needs for each of up to [`POOL_MAX`] files.

use std::fs::File;
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};

use super::fill;
use crate::base::monitor::Monitor;
use crate::content::recipe::{ChunkSource, Content};
use crate::content::release::Meta;
use crate::files::LayoutError;
use crate::files::lookahead::CancelMonitor;

/// Shorter files are not worth a thread.
pub(super) const POOL_BYTES_MIN: u64 = 1 << 20;
/// Files that are filled at the same time.
const POOL_MAX: usize = 4;

/// A file that was made and is still empty.
pub(super) struct Order {
    pub(super) file: File,
    /// The folder that it is in, and its name there.
    pub(super) parent: OwnedFd,
    pub(super) name: Vec<u8>,
    /// Its path, for messages.
    pub(super) path: PathBuf,
    /// Its path below the item.
    pub(super) below: Vec<u8>,
    pub(super) meta: Meta,
    pub(super) content: Content,
}

type Filled = (Order, Result<(), LayoutError>);

/// How long to wait for a filled file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Until there is room for another order.
    ForRoom,
    /// Until every order is done.
    ForAll,
}

/// Threads that fill files.
pub(super) struct WorkerPool {
    orders: Sender<Order>,
    filled: Receiver<Filled>,
    in_hand: usize,
    workers: usize,
}

impl WorkerPool {
    /// Orders a file to be filled.
    pub(super) fn give(&mut self, order: Order) {
        self.in_hand += 1;
        // The pool lives as long as this handle.
        let _ = self.orders.send(order);
    }

    /// Returns a filled file, or `None` when there is none and nothing to wait for.
    pub(super) fn take(&mut self, wait: Wait) -> Option<Filled> {
        if self.in_hand == 0 {
            return None;
        }
        let filled = if wait == Wait::ForRoom && self.in_hand <= self.workers {
            self.filled.try_recv().ok()
        } else {
            self.filled.recv().ok()
        };
        self.in_hand -= usize::from(filled.is_some());
        filled
    }
}

/// Runs `work` with a pool. When it fails, files in progress are left unfinished.
pub(super) fn with<S: ChunkSource, T>(
    source: &S,
    monitor: &dyn Monitor,
    work: impl FnOnce(&mut WorkerPool) -> Result<T, LayoutError>,
) -> Result<T, LayoutError> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let workers = workers.min(POOL_MAX);
    let (orders, taken) = mpsc::channel::<Order>();
    let (done, filled) = mpsc::channel::<Filled>();
    let (taken, over) = (Mutex::new(taken), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let (done, taken, over) = (done.clone(), &taken, &over);
            scope.spawn(move || {
                let wanted = CancelMonitor { monitor, over };
                loop {
                    let order = taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(mut order) = order else {
                        return;
                    };
                    let path = order.path.clone();
                    let content = order.content;
                    let outcome = fill(source, &mut order.file, &path, &content, &wanted);
                    if done.send((order, outcome)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut pool = WorkerPool {
            orders,
            filled,
            in_hand: 0,
            workers,
        };
        let outcome = work(&mut pool);
        over.store(outcome.is_err(), Ordering::Release);
        outcome
    })
}
