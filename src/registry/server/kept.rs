//! Blobs that cost much to make (gzip layers that are kept as recipes) are made once, into files without names, and sent from
//! there to everyone who asks, while they are being made already.
//!
//! Sits between the writers and the source. The files go with the process; they take at most half of the room that is free when
//! serving begins. What does not fit is made for each who asks. A few are made at a time: one a core.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::image::{Digest, Sha256};
use crate::layouts::spool;
use crate::media::free_space_bytes;
use crate::monitor::Monitor;
use crate::recipe::BoxError;
use crate::registry::BlobSource;

/// Bytes read from a kept blob at a time.
const PIECE_BYTES: usize = 256 << 10;
/// How often those who wait look whether a stop was asked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A blob that is kept, or being made.
struct Slot {
    file: File,
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    /// Bytes in the file.
    bytes: u64,
    /// Whether the blob is whole, or why it never will be.
    end: Option<Result<(), String>>,
}

#[derive(Default)]
struct Work {
    slots: HashMap<Digest, Arc<Slot>>,
    /// What is to be made: what is asked for in front of what may be.
    waiting: VecDeque<Digest>,
    /// Bytes that may still be kept.
    room_bytes: u64,
    /// Blobs that are made past the files just now.
    direct: usize,
    is_closed: bool,
}

/// A source that makes nothing twice, as far as there is room.
pub struct Kept<'a> {
    source: &'a dyn BlobSource,
    folder: Option<PathBuf>,
    work: Mutex<Work>,
    news: Condvar,
}

/// How many blobs are made at a time.
pub fn makers() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4))
}

impl<'a> Kept<'a> {
    /// Keeps files in `folder`; without one nothing is kept.
    pub fn new(source: &'a dyn BlobSource, folder: Option<&Path>) -> Self {
        let room_bytes = folder.and_then(|folder| free_space_bytes(folder).ok());
        Self {
            source,
            folder: folder.map(Path::to_owned),
            work: Mutex::new(Work {
                room_bytes: room_bytes.unwrap_or(0) / 2,
                ..Work::default()
            }),
            news: Condvar::new(),
        }
    }

    /// Makes what is asked for, until it is closed.
    pub fn make_all(&self, monitor: &dyn Monitor) {
        while let Some((digest, slot)) = self.next() {
            let mut out = SlotWriter {
                slot: &slot,
                hasher: Sha256::default(),
                monitor,
            };
            let bytes = self.source.bytes(&digest).unwrap_or(0);
            let made = self.source.write(&digest, 0..bytes, &mut out, monitor);
            let got = out.hasher.finish();
            let end = match made {
                Err(error) => Err(error.to_string()),
                Ok(()) if got != digest => Err("the bytes are not those of the digest".to_owned()),
                Ok(()) => Ok(()),
            };
            if end.is_err() {
                // Whoever asks next begins anew.
                let mut work = self.work();
                work.slots.remove(&digest);
                work.room_bytes = work.room_bytes.saturating_add(bytes);
            }
            slot.state().end = Some(end);
            slot.more.notify_all();
        }
    }

    /// Makes these when nobody asks for others.
    pub fn make_ahead<'d>(&self, digests: impl Iterator<Item = &'d Digest>) {
        for digest in digests {
            if self.source.is_made(digest) {
                self.slot(digest, false);
            }
        }
    }

    /// No more is made: those who make end with what they are at.
    pub fn close(&self) {
        self.work().is_closed = true;
        self.news.notify_all();
    }

    fn next(&self) -> Option<(Digest, Arc<Slot>)> {
        let mut work = self.work();
        loop {
            if work.is_closed {
                return None;
            }
            if let Some(digest) = work.waiting.pop_front() {
                let slot = work.slots.get(&digest).cloned();
                if let Some(slot) = slot {
                    return Some((digest, slot));
                }
            } else {
                work = self.news.wait(work).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// The place of a blob, which is made when nobody has; `None` when it cannot be kept.
    fn slot(&self, digest: &Digest, is_urgent: bool) -> Option<Arc<Slot>> {
        let folder = self.folder.as_ref()?;
        let bytes = self.source.bytes(digest)?;
        let mut work = self.work();
        if let Some(slot) = work.slots.get(digest).cloned() {
            let place = work.waiting.iter().position(|waiting| waiting == digest);
            if let Some(place) = place.filter(|_| is_urgent) {
                work.waiting.remove(place);
                work.waiting.push_front(digest.clone());
            }
            return Some(slot);
        }
        let room_bytes = work.room_bytes.checked_sub(bytes)?;
        let file = spool::nameless_file(folder).ok()?;
        let slot = Arc::new(Slot {
            file,
            state: Mutex::default(),
            more: Condvar::new(),
        });
        work.room_bytes = room_bytes;
        work.slots.insert(digest.clone(), slot.clone());
        if is_urgent {
            work.waiting.push_front(digest.clone());
        } else {
            work.waiting.push_back(digest.clone());
        }
        drop(work);
        self.news.notify_one();
        Some(slot)
    }

    /// Makes a blob, or gives one that costs little, for one who asks.
    fn directly(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BoxError> {
        let mut work = self.work();
        while work.direct >= makers() {
            monitor.check_stop()?;
            work = wait(&self.news, work);
        }
        work.direct += 1;
        drop(work);
        let outcome = self.source.write(digest, range, out, monitor);
        self.work().direct -= 1;
        self.news.notify_all();
        outcome
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<'g, T>(news: &Condvar, guard: MutexGuard<'g, T>) -> MutexGuard<'g, T> {
    let (guard, _) = news
        .wait_timeout(guard, LOOK_EVERY)
        .unwrap_or_else(PoisonError::into_inner);
    guard
}

impl BlobSource for Kept<'_> {
    fn bytes(&self, digest: &Digest) -> Option<u64> {
        self.source.bytes(digest)
    }

    fn is_made(&self, digest: &Digest) -> bool {
        self.source.is_made(digest)
    }

    fn write(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BoxError> {
        let is_made = self.folder.is_some() && self.source.is_made(digest);
        match is_made.then(|| self.slot(digest, true)).flatten() {
            Some(slot) => slot.follow(range, out, monitor),
            None => self.directly(digest, range, out, monitor),
        }
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what is there, and waits for more as it is made.
    fn follow(
        &self,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BoxError> {
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
        Ok(())
    }

    /// Waits until there are bytes behind `at`; returns how many there are in all.
    fn wait_beyond(&self, at: u64, monitor: &dyn Monitor) -> Result<u64, BoxError> {
        let mut state = self.state();
        loop {
            match &state.end {
                Some(Err(why)) => return Err(why.clone().into()),
                _ if state.bytes > at => return Ok(state.bytes),
                Some(Ok(())) => return Err("it is shorter than it is said to be".into()),
                None => {}
            }
            monitor.check_stop()?;
            state = wait(&self.more, state);
        }
    }
}

struct SlotWriter<'a> {
    slot: &'a Slot,
    hasher: Sha256,
    monitor: &'a dyn Monitor,
}

impl Write for SlotWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.monitor.stop_asked() {
            return Err(io::Error::other("stopped"));
        }
        let at = self.slot.state().bytes;
        self.slot.file.write_all_at(bytes, at)?;
        self.hasher.update(bytes);
        self.slot.state().bytes = at + bytes.len() as u64;
        self.slot.more.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::monitor::Silent;

    struct Counting {
        blob: Vec<u8>,
        made: AtomicUsize,
    }

    impl BlobSource for Counting {
        fn bytes(&self, _: &Digest) -> Option<u64> {
            Some(self.blob.len() as u64)
        }

        fn is_made(&self, _: &Digest) -> bool {
            true
        }

        fn write(
            &self,
            _: &Digest,
            range: Range<u64>,
            out: &mut dyn Write,
            _: &dyn Monitor,
        ) -> Result<(), BoxError> {
            self.made.fetch_add(1, Ordering::Relaxed);
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            for piece in self.blob[range].chunks(10_000) {
                out.write_all(piece)?;
            }
            Ok(())
        }
    }

    /// Asks for the blob five times at once, and for parts of it.
    fn ask_all(
        source: &Counting,
        digest: &Digest,
        folder: Option<&Path>,
    ) -> Vec<Result<Vec<u8>, String>> {
        let kept = Kept::new(source, folder);
        let answers = std::thread::scope(|scope| {
            let kept = &kept;
            scope.spawn(|| kept.make_all(&Silent));
            let all = source.blob.len() as u64;
            let ask = |range: Range<u64>| {
                scope.spawn(move || {
                    let mut out = Vec::new();
                    let outcome = kept.write(digest, range, &mut out, &Silent);
                    outcome.map(|()| out).map_err(|error| error.to_string())
                })
            };
            let asked = [
                ask(0..all),
                ask(0..all),
                ask(5..all),
                ask(all - 1..all),
                ask(0..all),
            ];
            let answers = asked.map(|asked| asked.join().unwrap());
            kept.close();
            answers
        });
        answers.into()
    }

    #[test]
    fn a_blob_is_made_once_for_all_who_ask() {
        let folder = tempfile::tempdir().unwrap();
        let blob: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let digest = Digest::of(&blob);
        let source = Counting {
            blob,
            made: AtomicUsize::new(0),
        };
        for (folder, made) in [(Some(folder.path()), 1), (None, 5)] {
            source.made.store(0, Ordering::Relaxed);
            let answers = ask_all(&source, &digest, folder);
            let last = source.blob.len() - 1;
            for (answer, from) in answers.iter().zip([0, 0, 5, last, 0]) {
                assert!(answer.as_ref().unwrap() == &source.blob[from..]);
            }
            assert_eq!(source.made.load(Ordering::Relaxed), made);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_made_wrong_is_told_to_all_who_wait_for_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let source = Counting {
            blob: vec![1; 100_000],
            made: AtomicUsize::new(0),
        };
        let kept = Kept::new(&source, Some(folder.path()));
        std::thread::scope(|scope| {
            scope.spawn(|| kept.make_all(&Silent));
            let digest = Digest::of(b"other");
            let slot = kept.slot(&digest, true).unwrap();
            let mut state = slot.state();
            while state.end.is_none() {
                state = wait(&slot.more, state);
            }
            assert!(state.end.as_ref().is_some_and(Result::is_err));
            drop(state);
            let error = slot
                .follow(0..100_000, &mut Vec::new(), &Silent)
                .unwrap_err();
            assert!(error.to_string().contains("digest"));
            kept.close();
        });
        assert!(kept.work().slots.is_empty());
    }
}
