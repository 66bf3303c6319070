//! Chooses which old frames of a store in a bucket are read for bases, because each costs a request and its bytes.
//!
//! Frames that are on the local disk are read as those of a folder are. Others come in the order in which their names
//! promise something, and only as long as what is read turns out to be like what is new. Memory: 4 bytes a mark of new
//! content, 16 MiB at most, and what `names` states.

use std::cmp::Reverse;
use std::collections::HashSet;

use rayon::prelude::*;

use super::kept::{self, NewContent};
use super::marks::{MarkedChunks, OldChunk, marks_of};
use super::names::{NameMatch, OldNames};
use super::{chunks_in, newest, sparse_log, sparse_log_of};
use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::{BundleError, Have};
use crate::content::content_kind::ContentKind;
use crate::content::index::prefix;
use crate::content::release::ReleaseRoot;
use crate::store::{FrameFacts, FrameGroup, FrameNeed, Store, StoreError};

/// Old bytes that may be read in vain, as one part in so many of what is new of their kind.
const VAIN_PART: u64 = 8;
/// The same of old bytes that were like what is new.
const LIKE_PART: u64 = 4;
/// The first frame of a kind is read when it has no more bytes than this, or than what is new of the kind.
const FIRST_BYTES: u64 = 4 << 20;
/// A frame is like what is new when it has one in so many of its marks in common with it.
const LIKE_MARKS: usize = 16;
/// Where dropped chunks are that are most like new content: a changed file is mostly where it was.
const DROPPED_ORDER: [NameMatch; 3] = [NameMatch::SamePath, NameMatch::Version, NameMatch::Sibling];
/// The same of chunks that are kept. What a file keeps of itself is hardly like the rest of it.
const KEPT_ORDER: [NameMatch; 3] = [NameMatch::Version, NameMatch::Sibling, NameMatch::SamePath];
/// Plain bytes of a chunk, to estimate how many marks there will be.
const CHUNK_BYTES: u64 = 64 << 10;

/// The less, the more a frame promises.
type Promise = (usize, Reverse<usize>);

/// What an old frame is compared with, and what was read for it.
struct LikeSearch {
    /// Sorted.
    marks: Vec<u32>,
    sparse_log: u32,
    kinds: [KindSearch; ContentKind::ALL.len()],
}

/// What is new of a kind of content, and what was read for it, in stored bytes.
#[derive(Debug, Default, Clone, Copy)]
struct KindSearch {
    new_bytes: u64,
    like_bytes: u64,
    vain_bytes: u64,
}

impl KindSearch {
    /// Returns whether another frame is worth its bytes. What is read in vain exceeds its bound by one frame at most.
    fn pays(&self, frame_bytes: u64) -> bool {
        // Nothing is known of a kind before one frame of it was read.
        if self.like_bytes + self.vain_bytes == 0 {
            return self.new_bytes > 0 && frame_bytes <= self.new_bytes.max(FIRST_BYTES);
        }
        self.vain_bytes <= self.new_bytes / VAIN_PART + self.like_bytes / LIKE_PART
    }
}

impl LikeSearch {
    fn new(mut marks: Vec<u32>, sparse_log: u32) -> Self {
        marks.sort_unstable();
        marks.dedup();
        Self {
            marks,
            sparse_log,
            kinds: [KindSearch::default(); ContentKind::ALL.len()],
        }
    }

    fn kind(&mut self, class: ContentKind) -> &mut KindSearch {
        &mut self.kinds[usize::from(class as u8)]
    }

    /// Returns whether a mark in sixteen of these chunks is one of new content.
    fn is_like(&self, marked: &[Vec<u32>]) -> bool {
        let shared = marked.iter().flatten();
        let shared = shared.filter(|mark| self.marks.binary_search(mark).is_ok());
        let all: usize = marked.iter().map(Vec::len).sum();
        all > 0 && shared.count() * LIKE_MARKS >= all
    }

    /// Reads a frame with old chunks, when that is cheap or pays. The chunks come with all of their marks.
    fn read(
        &mut self,
        store: &Store,
        group: &FrameGroup,
    ) -> Result<Option<ReadChunks>, BundleError> {
        let facts = match store.facts_of_group(group) {
            // Nothing of what is old is carried, so that a damaged chunk of it is only no base.
            Err(StoreError::DamagedFrame { .. }) => return Ok(None),
            facts => facts?,
        };
        let FrameFacts {
            class,
            stored_bytes,
        } = facts;
        if !group.is_near && !self.kind(class).pays(stored_bytes) {
            return Ok(None);
        }
        let frame = match store.load_group(group) {
            Err(StoreError::DamagedFrame { .. }) => return Ok(None),
            loaded => loaded?,
        };
        let wanted: HashSet<&ChunkId> = group.chunks.iter().collect();
        // What lies side by side in a frame does so in files, too.
        let here = frame.chunks.iter().filter(|(id, _)| wanted.contains(id));
        let chunks: Vec<(ChunkId, &[u8])> = here
            .map(|(id, range)| (*id, &frame.plain[range.clone()]))
            .collect();
        let sparse_log = self.sparse_log;
        let marks: Vec<Vec<u32>> = chunks
            .par_iter()
            .map(|(_, plain)| marks_of(plain, sparse_log))
            .collect();
        if !group.is_near {
            let is_like = self.is_like(&marks);
            let kind = self.kind(class);
            match is_like {
                true => kind.like_bytes += stored_bytes,
                false => kind.vain_bytes += stored_bytes,
            }
        }
        let old = chunks
            .iter()
            .map(|(id, plain)| OldChunk::new(*id, plain, class));
        Ok(Some(ReadChunks {
            class,
            chunks: old.zip(marks).collect(),
        }))
    }
}

/// The chunks of a frame that were asked for.
struct ReadChunks {
    class: ContentKind,
    chunks: Vec<(OldChunk, Vec<u32>)>,
}

/// Reads those of the old chunks that are near, and those that are probably like `new`. Returns dropped and kept ones.
pub(super) fn old_chunks(
    store: &Store,
    (releases, have): (&[ReleaseRoot], &Have),
    new: &[FrameNeed],
    (dropped, kept): (Vec<ChunkId>, Vec<ChunkId>),
    monitor: &dyn Monitor,
) -> Result<(MarkedChunks, MarkedChunks), BundleError> {
    let dropped = store.groups_of(&mut dropped.into_iter())?;
    let (near, far): (Vec<_>, Vec<_>) = store
        .groups_of(&mut kept.into_iter())?
        .into_iter()
        .partition(|group| group.is_near);
    let is_far = !far.is_empty() || dropped.iter().any(|group| !group.is_near);
    let names = match is_far {
        true => {
            let new_ids = new
                .iter()
                .flat_map(|need| &need.chunks)
                .map(prefix)
                .collect();
            let asked = far.iter().chain(&dropped).flat_map(|group| &group.chunks);
            let asked: HashSet<[u8; 16]> = asked.map(prefix).collect();
            let is_asked = |id: &ChunkId| asked.contains(&prefix(id));
            let old = newest(have);
            Some(OldNames::of(
                store, releases, old, &new_ids, is_asked, monitor,
            )?)
        }
        false => None,
    };
    let dropped = self::dropped(store, new, dropped, names.as_ref(), monitor)?;
    let content = NewContent::unlike(store, new, &dropped, monitor)?;
    let near = near.into_iter().flat_map(|group| group.chunks).collect();
    let mut found = kept::resembling(store, &content, near, monitor)?;
    if let Some(names) = &names {
        kept_far(store, content, far, names, &mut found, monitor)?;
    }
    Ok((dropped, found.settled()))
}

/// Reads dropped chunks and marks them, by content kind.
fn dropped(
    store: &Store,
    new: &[FrameNeed],
    groups: Vec<FrameGroup>,
    names: Option<&OldNames>,
    monitor: &dyn Monitor,
) -> Result<MarkedChunks, BundleError> {
    let count: usize = groups.iter().map(|group| group.chunks.len()).sum();
    // Both sides have marks at the same places, as many as the side with more bytes allows.
    let sparse_log = sparse_log(count as u64 * CHUNK_BYTES).max(sparse_log_of(new));
    let mut search = LikeSearch::new(Vec::new(), sparse_log);
    if groups.iter().any(|group| !group.is_near) {
        search = of_new(store, new, sparse_log, monitor)?;
    }
    let mut order: Vec<(bool, Promise, usize, FrameGroup)> = groups
        .into_iter()
        .enumerate()
        .map(|(turn, group)| {
            let promise = promise(names, &group, &DROPPED_ORDER);
            (!group.is_near, promise, turn, group)
        })
        .collect();
    order.sort_by_key(|(is_far, promise, turn, _)| (*is_far, *promise, *turn));
    let mut read = Vec::new();
    for (_, _, turn, group) in &order {
        monitor.check_stop()?;
        if let Some(chunks) = search.read(store, group)? {
            read.push((chunks.class as u8, *turn, chunks));
        }
    }
    read.sort_unstable_by_key(|(class, turn, _)| (*class, *turn));
    let mut old = MarkedChunks::new(sparse_log);
    for (chunk, marks) in read.into_iter().flat_map(|(_, _, read)| read.chunks) {
        old.push(chunk, marks);
    }
    Ok(old.settled())
}

/// Returns the first of `order` that the names of some of a frame's chunks have, as its place, and how many chunks have it.
fn promise(names: Option<&OldNames>, group: &FrameGroup, order: &[NameMatch]) -> Promise {
    let of_chunk = |id: &ChunkId| names.map_or(NameMatch::None, |names| names.of_chunk(id));
    let matches = group.chunks.iter().map(of_chunk);
    let count = |how: &NameMatch| matches.clone().filter(|other| other == how).count();
    let counts = order.iter().map(count).enumerate();
    let first = counts.into_iter().find(|(_, count)| *count > 0);
    let (turn, count) = first.unwrap_or((order.len(), 0));
    (turn, Reverse(count))
}

/// Reads the new frames for what old ones are compared with. They are packed later, from the local disk.
fn of_new(
    store: &Store,
    new: &[FrameNeed],
    sparse_log: u32,
    monitor: &dyn Monitor,
) -> Result<LikeSearch, BundleError> {
    let mut marks = Vec::new();
    for need in new {
        monitor.check_stop()?;
        let frame = store.load_frame(need)?;
        let marked = chunks_in(&frame, &need.chunks).into_par_iter();
        marks.par_extend(marked.flat_map_iter(|(_, plain)| marks_of(plain, sparse_log)));
    }
    let mut search = LikeSearch::new(marks, sparse_log);
    for need in new {
        search.kind(need.class).new_bytes += need.share_bytes;
    }
    Ok(search)
}

/// Adds to `found` those kept chunks of far frames that are like new content.
fn kept_far(
    store: &Store,
    content: NewContent,
    groups: Vec<FrameGroup>,
    names: &OldNames,
    found: &mut MarkedChunks,
    monitor: &dyn Monitor,
) -> Result<(), BundleError> {
    let NewContent { marks, by_kind, .. } = content;
    let mut search = LikeSearch::new(marks.into_iter().collect(), found.sparse_log);
    for (kind, bytes) in search.kinds.iter_mut().zip(by_kind) {
        kind.new_bytes = bytes;
    }
    let mut order: Vec<(Promise, FrameGroup)> = groups
        .into_iter()
        .map(|group| (promise(Some(names), &group, &KEPT_ORDER), group))
        .filter(|((turn, _), _)| *turn < KEPT_ORDER.len())
        .collect();
    // The sort is stable: what promises the same stays in the order of the old release.
    order.sort_by_key(|(promise, _)| *promise);
    for (_, group) in &order {
        monitor.check_stop()?;
        if found.is_full() {
            break;
        }
        let Some(read) = search.read(store, group)? else {
            continue;
        };
        for (chunk, mut marks) in read.chunks {
            marks.retain(|mark| search.marks.binary_search(mark).is_ok());
            if !marks.is_empty() {
                found.push(chunk, marks);
            }
        }
    }
    Ok(())
}
