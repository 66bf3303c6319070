//! Blobs that have to be put together (of chunks, or by compressing them again) are made once, into files without names, and
//! sent from there to everyone who asks, while they are being made already.
//!
//! Sits between the writers and the source, and compares digests: once for each blob. The files go with the process; they take
//! at most half of the room that is free when serving begins. What does not fit is made for each who asks. A few are made at a
//! time: one a core.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::cached_blob::{CachedBlob, PIECE_BYTES, SlotWriter, wait};
use super::pressure::Pressure;
use crate::base::fs::free_space_bytes;
use crate::base::monitor::Monitor;
use crate::base::spooled_temp;
use crate::content::recipe::BoxError;
use crate::oci::image::{Digest, DigestHasher};
use crate::oci::registry::BlobSource;

#[derive(Default)]
struct Work {
    slots: HashMap<Digest, Arc<CachedBlob>>,
    /// What is to be made: what is asked for in front of what may be.
    waiting: VecDeque<Digest>,
    /// Bytes that may still be kept.
    room_bytes: u64,
    /// Blobs that are made past the files just now.
    direct: usize,
    /// Blobs that came out as their digests once, past the files.
    proved: HashSet<Digest>,
    is_closed: bool,
}

/// A source that makes nothing twice, as far as there is room.
pub struct CachedSource<'a> {
    source: &'a dyn BlobSource,
    folder: Option<PathBuf>,
    work: Mutex<Work>,
    news: Condvar,
    /// Those who wait for their turn to be given a blob past the files.
    makers_wanted: Arc<Pressure>,
}

/// How a blob reaches one who asks.
pub(super) enum Delivery {
    /// From the file that it is, or was, made into.
    Slot(Arc<CachedBlob>),
    /// Straight from the source, a few at a time.
    Direct,
}

/// How many blobs are made at a time.
pub fn makers() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4))
}

impl<'a> CachedSource<'a> {
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
            makers_wanted: Arc::default(),
        }
    }

    /// Makes what is asked for, until it is closed.
    pub fn make_all(&self, monitor: &dyn Monitor) {
        while let Some((digest, slot)) = self.next() {
            let mut out = SlotWriter {
                slot: &slot,
                hasher: DigestHasher::like(&digest),
                monitor,
            };
            let bytes = self.source.bytes(&digest).unwrap_or(0);
            let made = self.source.write(&digest, 0..bytes, &mut out, monitor);
            let got = out.hasher.finish();
            let end = made.map_err(|error| error.to_string());
            let end = end.and_then(|()| compare(&got, &digest));
            if end.is_err() {
                // Whoever asks next begins anew.
                let mut work = self.work();
                work.slots.remove(&digest);
                work.room_bytes = work.room_bytes.saturating_add(bytes);
            }
            slot.end(end);
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

    /// The place of a blob, which is made when nobody has; `None` when it cannot be kept.
    fn slot(&self, digest: &Digest, is_urgent: bool) -> Option<Arc<CachedBlob>> {
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

    /// Makes a blob, or gives one that is at hand, for one who asks.
    fn directly(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BoxError> {
        let is_whole = Some(range.end - range.start) == self.source.bytes(digest);
        let waits = self.makers_wanted.held_up();
        let mut work = self.work();
        while work.direct >= makers() {
            monitor.check_stop()?;
            work = wait(&self.news, work);
        }
        work.direct += 1;
        drop(waits);
        let is_proof = is_whole && !work.proved.contains(digest);
        drop(work);
        let mut hashed = CheckedWriter {
            out,
            hasher: is_proof.then(|| DigestHasher::like(digest)),
        };
        let outcome = self.source.write(digest, range, &mut hashed, monitor);
        let hasher = hashed.hasher;
        self.work().direct -= 1;
        self.news.notify_all();
        outcome?;
        if let Some(hasher) = hasher {
            compare(&hasher.finish(), digest)?;
            self.work().proved.insert(digest.clone());
        }
        Ok(())
    }

    /// How this blob reaches one who asks for it now.
    pub(super) fn way(&self, digest: &Digest) -> Delivery {
        let is_made = self.folder.is_some() && self.source.is_made(digest);
        let slot = is_made.then(|| self.slot(digest, true)).flatten();
        slot.map_or(Delivery::Direct, Delivery::Slot)
    }

    /// Those who are held up by one who goes this way and does not get on.
    pub(super) fn makers_pressure(&self, way: &Delivery) -> Option<&Pressure> {
        match way {
            Delivery::Slot(_) => None,
            Delivery::Direct => Some(&self.makers_wanted),
        }
    }

    /// Writes a part of a blob. Of a whole one the last bytes may have been written when it turns out to be another; then this
    /// is an error.
    ///
    /// # Errors
    /// When the blob cannot be read, is not that of its digest, or `out` takes no more.
    pub(super) fn write(
        &self,
        way: &Delivery,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BoxError> {
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

/// Hashes what it passes on, when that is asked for.
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
    use crate::base::monitor::Silent;

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
