//! Caches blobs that have to be rebuilt from chunks or compressed again. Each is made once into an unnamed file, and is
//! sent from there to every client, also while it is still being made.
//!
//! The cache is between the writers and the source, and compares digests, once for each blob. The files are removed
//! with the process. They take at most half of the room that is free when serving begins. A blob that does not fit is
//! made for each request. Two to four blobs are made at a time, one a core.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::cached_blob::{CachedBlob, NotMade, PIECE_BYTES, SlotWriter, wait};
use super::pressure::Pressure;
use crate::base::backend::BackendError;
use crate::base::fs::free_space_bytes;
use crate::base::monitor::Monitor;
use crate::base::spooled_temp;
use crate::oci::image::{Digest, DigestHasher};
use crate::oci::registry::BlobSource;

#[derive(Default)]
struct Work {
    slots: HashMap<Digest, Arc<CachedBlob>>,
    /// Blobs to be made. Requested ones come before those that are made ahead.
    waiting: VecDeque<Digest>,
    /// Bytes that may still be cached.
    room_bytes: u64,
    /// Blobs that are being made without a file now.
    direct: usize,
    /// Blobs that were made without a file once and matched their digests.
    proved: HashSet<Digest>,
    is_closed: bool,
}

/// A source that makes nothing twice, as far as there is room.
pub(crate) struct CachedSource<'a> {
    source: &'a dyn BlobSource,
    folder: Option<PathBuf>,
    work: Mutex<Work>,
    news: Condvar,
    /// Requests that wait for a maker of a blob without a file.
    makers_wanted: Arc<Pressure>,
}

/// The way in which a client gets a blob.
pub(super) enum Delivery {
    /// From the file that it is, or was, made into.
    Slot(Arc<CachedBlob>),
    /// Directly from the source, a few at a time.
    Direct,
}

/// Returns how many blobs are made at a time.
pub(crate) fn makers() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4))
}

impl<'a> CachedSource<'a> {
    /// Keeps files in `folder`. Without one nothing is cached.
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
            makers_wanted: Arc::default(),
        }
    }

    /// Makes requested blobs until the cache is closed.
    pub(crate) fn make_all(&self, monitor: &dyn Monitor) {
        while let Some((digest, slot)) = self.next() {
            let mut out = SlotWriter {
                slot: &slot,
                hasher: DigestHasher::like(&digest),
                monitor,
            };
            let bytes = self.source.bytes(&digest).unwrap_or(0);
            let made = self.source.write(&digest, 0..bytes, &mut out, monitor);
            let got = out.hasher.finish();
            let end = made.map_err(NotMade::from);
            let end = end.and_then(|()| compare(&got, &digest).map_err(NotMade::Failed));
            if end.is_err() {
                // The next request starts again.
                let mut work = self.work();
                work.slots.remove(&digest);
                work.room_bytes = work.room_bytes.saturating_add(bytes);
            }
            slot.end(end);
        }
    }

    /// Makes these blobs when no others are requested.
    pub fn make_ahead<'d>(&self, digests: impl Iterator<Item = &'d Digest>) {
        for digest in digests {
            if self.source.is_made(digest) {
                self.slot(digest, false);
            }
        }
    }

    /// Stops making blobs after those in progress.
    pub fn close(&self) {
        self.work().is_closed = true;
        self.news.notify_all();
    }

    fn next(&self) -> Option<(Digest, Arc<CachedBlob>)> {
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

    /// Returns the cached file of a blob, which is made when it does not exist. Returns `None` when it cannot be
    /// cached.
    fn slot(&self, digest: &Digest, is_urgent: bool) -> Option<Arc<CachedBlob>> {
        let folder = self.folder.as_ref()?;
        let bytes = self.source.bytes(digest)?;
        let mut work = self.work();
        if let Some(slot) = work.slots.get(digest).cloned() {
            let place = work.waiting.iter().position(|waiting| waiting == digest);
            // A client waits for the blob now, so it overtakes those that are made ahead.
            if let Some(place) = place.filter(|_| is_urgent) {
                work.waiting.remove(place);
                work.waiting.push_front(digest.clone());
            }
            return Some(slot);
        }
        // The room is reserved before the blob is made, so parallel requests cannot exceed it together.
        let room_bytes = work.room_bytes.checked_sub(bytes)?;
        let file = spooled_temp::nameless_file(folder).ok()?;
        let slot = Arc::new(CachedBlob::new(file));
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

    /// Makes a blob, or returns one that is at hand, for one client.
    fn directly(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BackendError> {
        let is_whole = Some(range.end - range.start) == self.source.bytes(digest);
        let waits = self.makers_wanted.held_up();
        let mut work = self.work();
        // Each takes the memory of a rebuild, so no more run at once than there are makers.
        while work.direct >= makers() {
            monitor.check_stop()?;
            work = wait(&self.news, work);
        }
        work.direct += 1;
        drop(waits);
        // Only a whole blob can be compared with its digest, and once is enough.
        let is_proof = is_whole && !work.proved.contains(digest);
        drop(work);
        let mut hashed = CheckedWriter {
            out,
            hasher: is_proof.then(|| DigestHasher::like(digest)),
        };
        let outcome = self.source.write(digest, range, &mut hashed, monitor);
        let hasher = hashed.hasher;
        // The place is given back on failure too, so the outcome is looked at afterwards.
        self.work().direct -= 1;
        self.news.notify_all();
        outcome?;
        if let Some(hasher) = hasher {
            compare(&hasher.finish(), digest)?;
            self.work().proved.insert(digest.clone());
        }
        Ok(())
    }

    /// Returns the way in which a client gets this blob now.
    pub(super) fn way(&self, digest: &Digest) -> Delivery {
        let is_made = self.folder.is_some() && self.source.is_made(digest);
        let slot = is_made.then(|| self.slot(digest, true)).flatten();
        slot.map_or(Delivery::Direct, Delivery::Slot)
    }

    /// Returns the requests that are held up by a client of this delivery that makes no progress.
    pub(super) fn makers_pressure(&self, way: &Delivery) -> Option<&Pressure> {
        match way {
            Delivery::Slot(_) => None,
            Delivery::Direct => Some(&self.makers_wanted),
        }
    }

    /// Writes a part of a blob. For a whole blob, the last bytes may already have been written when it turns out to be
    /// wrong. That is an error.
    ///
    /// # Errors
    /// An error when the blob cannot be read, does not match its digest, or `out` takes no more.
    pub(super) fn write(
        &self,
        way: &Delivery,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BackendError> {
        match way {
            Delivery::Slot(slot) => slot.follow(range, out, monitor),
            Delivery::Direct => self.directly(digest, range, out, monitor),
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn compare(got: &Digest, digest: &Digest) -> Result<(), String> {
    if got == digest {
        Ok(())
    } else {
        Err("the bytes are not those of the digest".to_owned())
    }
}

/// Passes bytes on, and hashes them on request.
struct CheckedWriter<'o> {
    out: &'o mut dyn Write,
    hasher: Option<DigestHasher>,
}

impl Write for CheckedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE_BYTES)];
        if let Some(hasher) = &mut self.hasher {
            hasher.update(piece);
        }
        self.out.write_all(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::base::monitor::{Recording, Silent};

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
        ) -> Result<(), BackendError> {
            self.made.fetch_add(1, Ordering::Relaxed);
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            for piece in self.blob[range].chunks(10_000) {
                out.write_all(piece)?;
            }
            Ok(())
        }
    }

    /// Requests the blob five times at once, and parts of it.
    fn ask_all(
        source: &Counting,
        digest: &Digest,
        folder: Option<&Path>,
    ) -> Vec<Result<Vec<u8>, String>> {
        let kept = CachedSource::new(source, folder);
        let answers = std::thread::scope(|scope| {
            let kept = &kept;
            scope.spawn(|| kept.make_all(&Silent));
            let all = source.blob.len() as u64;
            let ask = |range: Range<u64>| {
                scope.spawn(move || {
                    let mut out = Vec::new();
                    let way = kept.way(digest);
                    let outcome = kept.write(&way, digest, range, &mut out, &Silent);
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
    fn a_stop_of_the_maker_is_one_for_all_who_wait() {
        let folder = tempfile::tempdir().unwrap();
        let source = Counting {
            blob: vec![1; 100_000],
            made: AtomicUsize::new(0),
        };
        let stopped = Recording::default();
        stopped.stop.store(true, Ordering::Relaxed);
        let kept = CachedSource::new(&source, Some(folder.path()));
        std::thread::scope(|scope| {
            scope.spawn(|| kept.make_all(&stopped));
            let slot = kept.slot(&Digest::of(&source.blob), true).unwrap();
            let outcome = slot.follow(0..100_000, &mut Vec::new(), &Silent);
            assert!(matches!(outcome, Err(BackendError::Interrupted(_))));
            kept.close();
        });
    }

    #[test]
    fn what_is_made_wrong_is_told_to_all_who_wait_for_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let source = Counting {
            blob: vec![1; 100_000],
            made: AtomicUsize::new(0),
        };
        let kept = CachedSource::new(&source, Some(folder.path()));
        std::thread::scope(|scope| {
            scope.spawn(|| kept.make_all(&Silent));
            let digest = Digest::of(b"other");
            let slot = kept.slot(&digest, true).unwrap();
            let error = slot
                .follow(0..100_000, &mut Vec::new(), &Silent)
                .unwrap_err();
            assert!(error.to_string().contains("digest"));
            kept.close();
        });
        assert!(kept.work().slots.is_empty());
    }
}
