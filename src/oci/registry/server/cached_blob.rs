//! A blob that is being made, or was made, into an unnamed file, and is sent from there meanwhile.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::backend::BackendError;
use crate::base::monitor::{Interrupted, Monitor};
use crate::oci::image::DigestHasher;

/// Bytes that are written, read and hashed together. Short pieces are still in the core's own cache the second time.
pub(super) const PIECE_BYTES: usize = 256 << 10;
/// Interval in which waiting threads check for a stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A blob that is cached or being made.
pub(super) struct CachedBlob {
    file: File,
    state: Mutex<BlobState>,
    more: Condvar,
}

/// The reason why a blob was not made, for everyone who waits for it.
#[derive(Debug, Clone)]
pub(super) enum NotMade {
    /// A stop was asked for.
    Stopped(Interrupted),
    /// It cannot be read, or is not what its digest says.
    Failed(String),
}

impl From<BackendError> for NotMade {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Interrupted(stop) => Self::Stopped(stop),
            BackendError::Failed(cause) => Self::Failed(cause.to_string()),
        }
    }
}

impl From<NotMade> for BackendError {
    fn from(error: NotMade) -> Self {
        match error {
            NotMade::Stopped(stop) => stop.into(),
            NotMade::Failed(why) => why.into(),
        }
    }
}

#[derive(Default)]
struct BlobState {
    /// Bytes in the file.
    bytes: u64,
    /// Whether the blob is whole, or the reason why it never will be.
    end: Option<Result<(), NotMade>>,
}

impl CachedBlob {
    /// Starts with an empty file.
    pub(super) fn new(file: File) -> Self {
        Self {
            file,
            state: Mutex::default(),
            more: Condvar::new(),
        }
    }

    /// Records the result of making it.
    pub(super) fn end(&self, end: Result<(), NotMade>) {
        self.state().end = Some(end);
        self.more.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, BlobState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes on the bytes that are there, and waits for more as they are made. At the end waits for the result of the
    /// check.
    pub(super) fn follow(
        &self,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BackendError> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut at = range.start;
        while at < range.end {
            let there = self.wait_beyond(at, monitor)?.min(range.end);
            while at < there {
                let count = usize::try_from(there - at)
                    .unwrap_or(PIECE_BYTES)
                    .min(PIECE_BYTES);
                self.file.read_exact_at(&mut piece[..count], at)?;
                out.write_all(&piece[..count])?;
                at += count as u64;
            }
        }
        self.wait_until(monitor, |state| match &state.end {
            None => Some(Ok(())).filter(|_| at < state.bytes),
            Some(Ok(())) => Some(Ok(())),
            Some(Err(why)) => Some(Err(why.clone().into())),
        })
    }

    /// Waits until there are bytes beyond `at`. Returns the total number of bytes.
    fn wait_beyond(&self, at: u64, monitor: &dyn Monitor) -> Result<u64, BackendError> {
        self.wait_until(monitor, |state| match &state.end {
            Some(Err(why)) => Some(Err(why.clone().into())),
            _ if state.bytes > at => Some(Ok(state.bytes)),
            Some(Ok(())) => Some(Err("it is shorter than it is said to be".into())),
            None => None,
        })
    }

    fn wait_until<T>(
        &self,
        monitor: &dyn Monitor,
        answer: impl Fn(&BlobState) -> Option<Result<T, BackendError>>,
    ) -> Result<T, BackendError> {
        let mut state = self.state();
        loop {
            if let Some(answer) = answer(&state) {
                return answer;
            }
            monitor.check_stop()?;
            state = wait(&self.more, state);
        }
    }
}

/// Writes a blob into its file, and hashes it.
pub(super) struct SlotWriter<'a> {
    pub(super) slot: &'a CachedBlob,
    pub(super) hasher: DigestHasher,
    pub(super) monitor: &'a dyn Monitor,
}

impl Write for SlotWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.monitor.check_stop()?;
        let piece = &bytes[..bytes.len().min(PIECE_BYTES)];
        let at = self.slot.state().bytes;
        self.hasher.update(piece);
        self.slot.file.write_all_at(piece, at)?;
        self.slot.state().bytes = at + piece.len() as u64;
        self.slot.more.notify_all();
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits for a while, or until there is news.
pub(super) fn wait<'g, T>(news: &Condvar, guard: MutexGuard<'g, T>) -> MutexGuard<'g, T> {
    let (guard, _) = news
        .wait_timeout(guard, LOOK_EVERY)
        .unwrap_or_else(PoisonError::into_inner);
    guard
}
