//! Overlays a bundle on a store as one source of lists. It shows what releases need before their chunks are in the
//! store.
//!
//! It writes nothing. Memory: 256 MiB of lists at most, and 64 bytes a chunk of the bundle.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::ops::Deref;
use std::sync::Arc;

use crate::base::id::ChunkId;
use crate::base::limits::CostLimits;
use crate::base::monitor::{Monitor, Quiet};
use crate::bundle::{BundleError, Catalog, FramePlace};
use crate::content::content_kind::ContentKind;
use crate::content::frame::{Bases, Frame, FrameError, FrameHead, HEADER_BYTES};
use crate::content::index::prefix;
use crate::content::recipe::walk::Walker;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::{ReleaseRoot, walk};
use crate::ops::Error;
use crate::ops::receive::staged_set::StagedSet;
use crate::store::{ChunkBytes, ChunkSet, Store};

/// Most bytes of lists that are held. A bundle with more of them is judged only by the releases it depends on.
const LISTS_MAX_BYTES: usize = 256 << 20;

/// Returns the chunks that the requested releases need, because their frames may have others too. Returns `None` when
/// they cannot be determined. Everything in the frames is then taken. Memory: 16 bytes a chunk, and up to four times
/// that while they are gathered.
///
/// # Errors
/// [`Error`] when a list of the bundle cannot be read, or a stop was asked for.
pub(crate) fn needed_chunks(
    store: &Store,
    set: &StagedSet,
    roots: &[ReleaseRoot],
    monitor: &dyn Monitor,
) -> Result<Option<ChunkSet>, Error> {
    if !set.selection.is_narrow() {
        return Ok(None);
    }
    let mut both = OverlaySource::new(store);
    match both.read_lists(set, monitor) {
        // Putting the frames meets the same error and handles it.
        Err(error) if base_of(&error).is_some() => return Ok(None),
        other => other?,
    }
    let mut needed = ChunkSet::new();
    let mut walker = Walker::new(&both);
    for root in roots {
        monitor.check_stop()?;
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            needed.insert(id);
            Ok(())
        };
        // Taking too many chunks is harmless, but leaving out a needed one is not.
        if walk::release(&mut walker, root, &mut note).is_err() {
            return Ok(None);
        }
    }
    Ok(Some(needed.settled()))
}

/// Returns the old chunk that a frame depends on and that could not be read.
pub(crate) fn base_of(error: &Error) -> Option<ChunkId> {
    match error {
        Error::Bundle(BundleError::Frame {
            source: FrameError::Base(id),
            ..
        }) => Some(*id),
        _ => None,
    }
}

/// An overlay of a bundle on a store, as one source of lists.
pub(crate) struct OverlaySource<'a> {
    store: &'a Store,
    carried: HashSet<[u8; 16]>,
    /// Chunks besides lists that are held.
    pub(crate) wanted: HashSet<ChunkId>,
    held: HashMap<ChunkId, Arc<[u8]>>,
    held_bytes: usize,
}

impl<'a> OverlaySource<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self {
            store,
            carried: HashSet::new(),
            wanted: HashSet::new(),
            held: HashMap::new(),
            held_bytes: 0,
        }
    }

    /// Reads the requested content that the set carries.
    pub(crate) fn read(&mut self, set: &StagedSet, monitor: &dyn Monitor) -> Result<(), Error> {
        let store = self.store;
        monitor.start("check", set.selection.payload_bytes());
        let all = |_: &FramePlace| Ok(true);
        set.read_frames(all, store, monitor, |unpacked| {
            self.note(&unpacked.frame);
            Ok(())
        })?;
        monitor.finish();
        Ok(())
    }

    /// Reads only the lists among the requested content that it carries.
    pub(super) fn read_lists(
        &mut self,
        set: &StagedSet,
        monitor: &dyn Monitor,
    ) -> Result<(), Error> {
        let store = self.store;
        let has_lists = |place: &FramePlace| {
            let mut head = [0; HEADER_BYTES];
            let mut payload = set.staging.payload_reader(place.volume_no)?;
            payload.seek_to(place.offset);
            payload
                .read_exact(&mut head)
                .map_err(BundleError::Payload)?;
            let head = FrameHead::parse(&head).map_err(|source| BundleError::Frame {
                frame_no: place.frame_no,
                source,
            })?;
            // Lists are stored with the kind `Meta`, and each frame has one kind only.
            Ok(head.class == ContentKind::Meta)
        };
        set.read_frames(has_lists, store, &Quiet(monitor), |unpacked| {
            self.note(&unpacked.frame);
            Ok(())
        })
    }

    /// Reads what is staged of a set that the bundle depends on. Content that cannot be read counts as missing.
    pub(crate) fn read_waiting(
        &mut self,
        set: &StagedSet,
        catalog: &Catalog,
        monitor: &dyn Monitor,
    ) -> Result<(), Error> {
        // The frames are unpacked against this overlay, so what they add is collected apart and joined afterwards.
        let mut found = Self::new(self.store);
        let frames = set.depended_frames(catalog);
        set.read(&frames, self, monitor, |_, unpacked| {
            found.note(&unpacked.frame);
            Ok(())
        })?;
        self.carried.extend(found.carried);
        self.held.extend(found.held);
        self.held_bytes += found.held_bytes;
        Ok(())
    }

    /// Returns whether a chunk is held in memory.
    pub(super) fn holds(&self, id: &ChunkId) -> bool {
        self.held.contains_key(id)
    }

    /// Notes the chunks of a frame, and holds its lists.
    pub(super) fn note(&mut self, frame: &Frame) {
        for (id, range) in &frame.chunks {
            self.carried.insert(prefix(id));
            let is_held = frame.class == ContentKind::Meta || self.wanted.contains(id);
            // The limit is checked on real bytes, so a hostile bundle cannot fill the memory with lists.
            if is_held && self.held_bytes < LISTS_MAX_BYTES {
                self.held_bytes += range.len();
                self.held.insert(*id, frame.plain[range.clone()].into());
            }
        }
    }
}

impl Bases for OverlaySource<'_> {
    fn append(&self, id: &ChunkId, out: &mut Vec<u8>) -> bool {
        match self.held.get(id) {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                true
            }
            None => self.store.append(id, out),
        }
    }

    fn read_together(&self, ids: &[ChunkId]) -> HashMap<ChunkId, Box<[u8]>> {
        let others = ids.iter().filter(|id| !self.held.contains_key(*id));
        self.store
            .read_together(&others.copied().collect::<Vec<_>>())
    }
}

/// A chunk of the bundle or of the store.
pub(crate) enum OverlayBytes {
    Carried(Arc<[u8]>),
    Stored(ChunkBytes),
}

impl Deref for OverlayBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Carried(bytes) => bytes,
            Self::Stored(bytes) => bytes,
        }
    }
}

impl ChunkSource for OverlaySource<'_> {
    type Bytes = OverlayBytes;

    fn chunk(&self, id: &ChunkId) -> Result<OverlayBytes, RecipeError> {
        match self.held.get(id) {
            Some(bytes) => Ok(OverlayBytes::Carried(Arc::clone(bytes))),
            None => ChunkSource::chunk(self.store, id).map(OverlayBytes::Stored),
        }
    }

    fn prefetch(&self, ids: &[ChunkId]) {
        self.store.prefetch(ids);
    }

    fn contains(&self, id: &ChunkId) -> bool {
        self.carried.contains(&prefix(id)) || self.store.contains(id)
    }

    fn limits(&self) -> CostLimits {
        self.store.limits()
    }
}
