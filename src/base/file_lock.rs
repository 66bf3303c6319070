//! Locks on open files, by flock(2), that end when they are dropped.
//!
//! Such a lock belongs to the open file, which a child process shares with its parent until it runs another program.
//! Closing the file of a process that starts programs on other threads would therefore leave the lock for that long,
//! and whoever takes it next would be refused. So it is unlocked before it is closed.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

/// The time between two tries of one that waits.
const STEP: Duration = Duration::from_millis(5);

/// An open file or folder and its lock.
#[derive(Debug)]
pub struct FileLock(File);

impl FileLock {
    /// Locks the file beside others that share the lock.
    pub(crate) fn shared(file: File) -> Result<Self, TryLockError> {
        file.try_lock_shared()?;
        Ok(Self(file))
    }

    /// Locks the file for this holder alone.
    pub(crate) fn exclusive(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }

    /// Locks the file for this holder alone, and waits for others. Gives up after `patience`.
    pub(crate) fn exclusive_within(file: File, patience: Duration) -> io::Result<Self> {
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if begun.elapsed() > patience => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(STEP),
            }
        }
    }

    /// Locks the file for this holder alone, and waits for others as long as it takes.
    pub(crate) fn exclusive_at_last(file: File) -> io::Result<Self> {
        file.lock()?;
        Ok(Self(file))
    }

    /// Locks the file for this holder alone, or returns `None` when another has it. Where the file system has no locks,
    /// nobody is kept out.
    pub(crate) fn exclusive_where_possible(file: File) -> Option<Self> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => None,
            Ok(()) | Err(TryLockError::Error(_)) => Some(Self(file)),
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // An error leaves the lock to the close that follows.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What a child process has until it runs another program.
    fn inherited(lock: &FileLock) -> File {
        lock.0.try_clone().unwrap()
    }

    #[test]
    fn a_lock_ends_with_its_holder_and_not_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let open = || File::create(&path).unwrap();
        let taken: [fn(File) -> FileLock; 5] = [
            |file| FileLock::shared(file).unwrap(),
            |file| FileLock::exclusive(file).unwrap(),
            |file| FileLock::exclusive_within(file, Duration::ZERO).unwrap(),
            |file| FileLock::exclusive_at_last(file).unwrap(),
            |file| FileLock::exclusive_where_possible(file).unwrap(),
        ];
        for take in taken {
            let held = take(open());
            let child = inherited(&held);
            assert!(matches!(
                FileLock::exclusive(open()),
                Err(TryLockError::WouldBlock)
            ));
            drop(held);
            drop(FileLock::exclusive(open()).unwrap());
            drop(child);
        }
    }

    #[test]
    fn others_are_kept_out_meanwhile() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let open = || File::create(&path).unwrap();
        let reader = FileLock::shared(open()).unwrap();
        drop(FileLock::shared(open()).unwrap());
        assert!(FileLock::exclusive(open()).is_err());
        drop(reader);

        let writer = FileLock::exclusive(open()).unwrap();
        assert!(FileLock::shared(open()).is_err());
        assert!(FileLock::exclusive_where_possible(open()).is_none());
        let late = FileLock::exclusive_within(open(), Duration::ZERO).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        drop(writer);
        // A folder is locked as a file is.
        drop(FileLock::exclusive(File::open(dir.path()).unwrap()).unwrap());
    }
}
