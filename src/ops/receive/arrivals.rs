//! The chunks of a set while its frames are put into the store, so that contents are proved as their frames are unpacked
//! and no frame is unpacked a second time.
//!
//! One side puts frames and hands each over. The other reads contents in order and waits for what has not come. It reads
//! nothing before the lists of the set were checked. Chunks that came too early are read from the store, which is asked
//! to publish what it has then. Memory: the lists of the set, and [`HELD_BYTES`] of frames.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::{Deref, Range};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::base::id::ChunkId;
use crate::base::limits::CostLimits;
use crate::base::monitor::{Monitor, Quiet};
use crate::content::frame::Frame;
use crate::content::index::prefix;
use crate::content::recipe::rebuild::BlobKeeper;
use crate::content::recipe::{Blob, ChunkSource, ReadyBytes, RecipeError};
use crate::content::release::{Item, ReleaseRoot, walk};
use crate::ops::Error;
use crate::ops::proof::{self, ProvedBlobs};
use crate::ops::receive::overlay::{OverlayBytes, OverlaySource};
use crate::ops::receive::restorable;
use crate::ops::receive::staged_set::StagedSet;
use crate::ops::unpack_limits;
use crate::store::Store;

/// Plain bytes of frames that are held. The frames of a bundle are ordered by kind within stretches of 128 MiB, so that a
/// reader needs all frames of one stretch at a time.
const HELD_BYTES: usize = 192 << 20;

/// The lists of a set, checked: everything that has to be known before contents are rebuilt.
pub(super) struct CheckedLists<'a>(OverlaySource<'a>);

impl<'a> CheckedLists<'a> {
    /// Reads and checks the lists that the set carries. Returns `None` when they are wrong, or when some have not come
    /// with the set and are not in the store. The releases are then judged from the store, which says what is wrong.
    pub(super) fn read(
        store: &'a Store,
        set: &StagedSet,
        roots: &[ReleaseRoot],
        monitor: &dyn Monitor,
    ) -> Option<Self> {
        let mut lists = OverlaySource::new(store);
        lists.read_lists(set, monitor).ok()?;
        restorable::check(&lists, roots).ok()?;
        for root in roots {
            // Rebuilding a hostile stream could take any amount of time.
            unpack_limits::check(&lists, |walker, visitor| {
                walk::release(walker, root, visitor)
            })
            .ok()?;
        }
        Some(Self(lists))
    }
}

/// A frame with chunks that were not read yet.
struct HeldFrame {
    frame: Arc<Frame>,
    is_read: Vec<bool>,
    unread: usize,
}

#[derive(Default)]
struct ArrivalState {
    frames: BTreeMap<u64, HeldFrame>,
    next_no: u64,
    bytes: usize,
    /// Frame and number in it of each chunk that is held.
    places: HashMap<ChunkId, (u64, usize)>,
    /// Frames whose chunks were all read. They go first.
    read: VecDeque<u64>,
    /// Chunks that were held, and that the store does not list yet.
    gone: HashSet<[u8; 16]>,
    /// What readers wait for.
    waiting: Vec<ChunkId>,
    /// Whether a reader waits for one that is gone.
    wants_commit: bool,
    /// Whether no more frames come.
    has_ended: bool,
    /// Whether nobody reads any more.
    is_alone: bool,
}

impl ArrivalState {
    /// Returns a chunk and notes that it was read.
    fn take(&mut self, id: &ChunkId) -> Option<HeldBytes> {
        let (number, at) = *self.places.get(id)?;
        let held = self.frames.get_mut(&number)?;
        if !std::mem::replace(&mut held.is_read[at], true) {
            held.unread -= 1;
            if held.unread == 0 {
                self.read.push_back(number);
            }
        }
        Some(HeldBytes {
            range: held.frame.chunks[at].1.clone(),
            frame: Arc::clone(&held.frame),
        })
    }

    fn insert(&mut self, frame: Frame) {
        let number = self.next_no;
        self.next_no += 1;
        for (at, (id, _)) in frame.chunks.iter().enumerate() {
            self.places.insert(*id, (number, at));
        }
        self.bytes += frame.plain.len();
        let held = HeldFrame {
            is_read: vec![false; frame.chunks.len()],
            unread: frame.chunks.len(),
            frame: Arc::new(frame),
        };
        self.frames.insert(number, held);
    }

    fn remove(&mut self, number: u64) {
        let Some(held) = self.frames.remove(&number) else {
            return;
        };
        self.bytes -= held.frame.plain.len();
        for (id, _) in &held.frame.chunks {
            // The same chunk may have come once more, in a later frame.
            if self.places.get(id).is_some_and(|place| place.0 == number) {
                self.places.remove(id);
                self.gone.insert(prefix(id));
            }
        }
    }

    /// Returns whether a reader waits for what is not held.
    fn is_awaited(&self) -> bool {
        self.waiting.iter().any(|id| !self.places.contains_key(id))
    }

    fn oldest(&mut self) -> Option<u64> {
        let read = self.read.pop_front();
        read.or_else(|| self.frames.first_key_value().map(|(number, _)| *number))
    }
}

/// The chunks of a set on their way into a store. No thread of the pool that unpacks frames may read them, since it would
/// wait for itself.
pub(super) struct Arrivals<'a> {
    store: &'a Store,
    lists: &'a OverlaySource<'a>,
    held_bytes: usize,
    state: Mutex<ArrivalState>,
    moved: Condvar,
}

impl<'a> Arrivals<'a> {
    pub(super) fn new(store: &'a Store, lists: &'a CheckedLists<'a>) -> Self {
        Self {
            store,
            lists: &lists.0,
            held_bytes: HELD_BYTES,
            state: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, ArrivalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, ArrivalState>) -> MutexGuard<'s, ArrivalState> {
        let waited = self.moved.wait(state);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a frame that was put. Waits while more than enough is held and the reader has work. Returns whether the
    /// writer is to commit, since the reader needs a chunk that is not held any more.
    pub(super) fn add(&self, frame: Frame) -> bool {
        let mut state = self.state();
        if state.is_alone {
            return false;
        }
        state.insert(frame);
        self.moved.notify_all();
        while state.bytes > self.held_bytes {
            let is_busy = state.read.is_empty() && !state.is_alone && !state.is_awaited();
            // With a single frame there is nothing to wait for: it was not read because it has just come.
            if is_busy && state.frames.len() > 1 {
                state = self.wait(state);
            } else if let Some(number) = state.oldest() {
                state.remove(number);
            } else {
                break;
            }
        }
        std::mem::take(&mut state.wants_commit)
    }

    /// Says that everything that was put can be read from the store.
    pub(super) fn committed(&self) {
        self.state().gone.clear();
        self.moved.notify_all();
    }

    /// Returns a guard. No frames come after it is dropped.
    pub(super) fn until_the_last(&self) -> impl Drop + '_ {
        AtEnd(move || {
            self.state().has_ended = true;
            self.moved.notify_all();
        })
    }

    /// Rebuilds the contents of the releases from what arrives, and returns whether all of them came out right. Caches
    /// streams on the way.
    pub(super) fn prove(
        &self,
        roots: &[ReleaseRoot],
        keeper: &dyn BlobKeeper,
        monitor: &dyn Monitor,
    ) -> Result<bool, Error> {
        let _alone = AtEnd(|| {
            let mut state = self.state();
            state.is_alone = true;
            state.frames.clear();
            state.bytes = 0;
            self.moved.notify_all();
        });
        let known = ProvedBlobs::of_contents(self.store)?;
        let mut items: Vec<Item> = Vec::new();
        for root in roots {
            let Ok(of_root) = root.read_items(self) else {
                return Ok(false);
            };
            items.extend(of_root);
        }
        let items: Vec<&Item> = items.iter().collect();
        let failed = proof::in_turn(self, &known, &items, keeper, &Quiet(monitor))?;
        Ok(failed.is_empty())
    }

    /// Returns a chunk that is held. Waits for one that is neither held nor in the store, unless none come any more.
    fn held(&self, id: &ChunkId, take: bool) -> Option<HeldBytes> {
        let mut state = self.state();
        loop {
            if state.places.contains_key(id) {
                let held = take.then(|| state.take(id)).flatten();
                if !state.read.is_empty() {
                    self.moved.notify_all();
                }
                return held;
            }
            if state.has_ended || self.store.contains(id) {
                return None;
            }
            if state.gone.contains(&prefix(id)) {
                state.wants_commit = true;
            }
            state.waiting.push(*id);
            self.moved.notify_all();
            state = self.wait(state);
            let at = state.waiting.iter().position(|each| each == id);
            at.map(|at| state.waiting.swap_remove(at));
        }
    }
}

struct AtEnd<F: Fn()>(F);

impl<F: Fn()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A part of a frame that is held.
pub(super) struct HeldBytes {
    frame: Arc<Frame>,
    range: Range<usize>,
}

/// A chunk of a list, of a frame that was just put, or of the store.
pub(super) enum ArrivedBytes {
    Held(HeldBytes),
    Other(OverlayBytes),
}

impl Deref for ArrivedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Held(held) => &held.frame.plain[held.range.clone()],
            Self::Other(bytes) => bytes,
        }
    }
}

impl ChunkSource for Arrivals<'_> {
    type Bytes = ArrivedBytes;

    fn chunk(&self, id: &ChunkId) -> Result<ArrivedBytes, RecipeError> {
        if !self.lists.holds(id)
            && let Some(held) = self.held(id, true)
        {
            return Ok(ArrivedBytes::Held(held));
        }
        self.lists.chunk(id).map(ArrivedBytes::Other)
    }

    /// Waits until the chunks can be read.
    fn prefetch(&self, ids: &[ChunkId]) {
        for id in ids {
            if !self.lists.holds(id) {
                self.held(id, false);
            }
        }
        let stored: Vec<ChunkId> = {
            let state = self.state();
            let stored = ids.iter().filter(|id| !state.places.contains_key(id));
            stored.copied().collect()
        };
        self.store.prefetch(&stored);
    }

    fn contains(&self, id: &ChunkId) -> bool {
        self.lists.contains(id)
    }

    fn ready(&self, blob: &Blob) -> Option<Box<dyn ReadyBytes + '_>> {
        self.store.ready(blob)
    }

    fn limits(&self) -> CostLimits {
        self.store.limits()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::base::monitor::Silent;
    use crate::content::content_kind::ContentKind;
    use crate::store::WriteOptions;

    const CHUNK: usize = 1000;

    /// A frame of four chunks that no other frame has.
    fn frame(number: u8) -> Frame {
        let plain: Vec<u8> = (0..4_u8)
            .flat_map(|at| vec![number ^ (at << 6); CHUNK])
            .collect();
        let chunks = plain.chunks(CHUNK).enumerate();
        let chunks = chunks.map(|(at, bytes)| (ChunkId::of(bytes), at * CHUNK..(at + 1) * CHUNK));
        Frame {
            class: ContentKind::Other,
            chunks: chunks.collect(),
            plain: plain.clone().into(),
        }
    }

    fn ids(number: u8) -> Vec<ChunkId> {
        let frame = frame(number);
        frame.chunks.into_iter().map(|(id, _)| id).collect()
    }

    /// Puts `frames` one after the other while `read` runs, and returns how often the writer committed before the end.
    fn follow(frames: &[u8], held_frames: usize, read: impl Fn(&Arrivals<'_>) + Sync) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("store")).unwrap();
        let lists = CheckedLists(OverlaySource::new(&store));
        let mut arrivals = Arrivals::new(&store, &lists);
        arrivals.held_bytes = held_frames * 4 * CHUNK;
        let mut commits = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                read(&arrivals);
                arrivals.state().is_alone = true;
                arrivals.moved.notify_all();
            });
            let _last = arrivals.until_the_last();
            let mut writer = store.writer(&WriteOptions::default(), &Silent).unwrap();
            for number in frames {
                let frame = frame(*number);
                writer.put_frame(&frame, None, |_| true).unwrap();
                if arrivals.add(frame) {
                    writer.commit().unwrap();
                    arrivals.committed();
                    commits += 1;
                }
            }
            writer.finish().unwrap();
        });
        commits
    }

    fn read(arrivals: &Arrivals<'_>, number: u8) {
        let frame = frame(number);
        for (id, range) in &frame.chunks {
            assert_eq!(&*arrivals.chunk(id).unwrap(), &frame.plain[range.clone()]);
        }
    }

    #[test]
    fn what_is_read_in_order_is_read_as_it_comes() {
        let frames: Vec<u8> = (0..40).collect();
        let commits = follow(&frames, 2, |arrivals| {
            frames.iter().for_each(|number| read(arrivals, *number));
        });
        assert_eq!(commits, 0, "nothing had to come from the store");
    }

    #[test]
    fn what_came_too_early_is_read_from_the_store() {
        let frames: Vec<u8> = (0..40).collect();
        let commits = follow(&frames, 2, |arrivals| {
            // The first wait lets the frames before it pass.
            read(arrivals, 20);
            read(arrivals, 3);
            assert!(arrivals.store.contains(&ids(3)[0]), "it is listed by now");
            read(arrivals, 39);
            read(arrivals, 0);
        });
        assert!((1..=2).contains(&commits), "{commits}");
    }

    #[test]
    fn what_does_not_come_is_missing_and_what_nobody_reads_stops_nobody() {
        follow(&[1, 2, 3, 4, 5], 1, |arrivals| {
            arrivals.prefetch(&ids(50));
            assert!(matches!(
                arrivals.chunk(&ids(50)[0]),
                Err(RecipeError::Missing(_))
            ));
            read(arrivals, 2);
        });
        follow(&[1, 2, 3, 4, 5], 1, |_| {});
    }
}
