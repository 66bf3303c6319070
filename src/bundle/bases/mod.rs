//! Chooses the old chunks that a solid frame is compressed against. Candidates are chunks that the recipient has and
//! the releases no longer need, and chunks that stay for new content that resembles no other. Those that share most
//! with the frame win, whatever their files were called.
//!
//! A chunk is represented by its [`marks`]. Moved, renamed and differently cut content is therefore found, as well as
//! content that changed in place. Memory: 8 bytes a mark, 32 MiB at most for either kind of candidates, 48 bytes an old
//! chunk, and 16 bytes for each mark of new content that resembles nothing that was dropped.

mod far;
mod kept;
mod marks;
mod names;
mod partners;

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use rayon::prelude::*;

use self::kept::NewContent;
use self::marks::{MarkedChunks, OldChunk, marks_of};
use self::partners::partners;
use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::programs::Programs;
use crate::bundle::{BundleError, Have};
use crate::content::content_kind::ContentKind;
use crate::content::frame::{BASES_MAX, Frame};
use crate::content::recipe::RecipeError;
use crate::content::recipe::walk::Walker;
use crate::content::references::Layout;
use crate::content::release::{ReleaseRoot, walk};
use crate::store::{FrameNeed, Store, StoreError};

/// Most marks of all old chunks together.
const MARKS_MAX: u64 = 1 << 22;
/// One position in 2^8 is a mark, or fewer when there is much content.
const SPARSE_LOG: u32 = 8;
/// Old chunks of one kind are all taken when they have no more bytes than this.
const SMALL_BYTES: usize = 16 << 20;

/// Frames of the store that are read at a time.
const FRAMES_AT_ONCE: usize = 8;

/// Votes of a chunk of an old file that is like the new one, at about the same place.
const PARTNER_VOTES: u32 = 1 << 16;

/// The old chunks that may be bases.
pub(super) struct OldChunks {
    /// Chunks that the releases no longer need. By content kind, and within a kind in the order in which the old
    /// releases need them.
    dropped: MarkedChunks,
    /// Chunks that the releases still need, as far as `new` content resembles them and nothing that was dropped.
    kept: MarkedChunks,
    /// The files of machine code that these and the new chunks belong to.
    programs: Programs,
}

/// Returns the newest of the recipient's releases of each name. Older ones have little that is closer, and the bundle
/// should depend on as few releases as possible.
pub(super) fn newest(have: &Have) -> impl Iterator<Item = &ReleaseRoot> {
    have.releases()
        .chunk_by(|one, other| {
            one.name.name() == other.name.name() && one.name.arch() == other.name.arch()
        })
        .filter_map(<[_]>::first)
}

impl OldChunks {
    /// Reads the chunks of the recipient's newest release of each name, or a part of them when the store is far away.
    /// `is_needed` says of a chunk that the recipient has whether the `releases` still need it. `new` are the chunks that
    /// the bundle carries.
    ///
    /// # Errors
    /// [`BundleError`] when the store cannot provide them.
    pub(super) fn of(
        store: &Store,
        (releases, have): (&[ReleaseRoot], &Have),
        new: &[FrameNeed],
        is_needed: impl Fn(&ChunkId) -> bool,
        monitor: &dyn Monitor,
    ) -> Result<Self, BundleError> {
        let (mut ids, mut kept): (Vec<ChunkId>, Vec<ChunkId>) = (Vec::new(), Vec::new());
        let mut walker = Walker::new(store);
        for root in newest(have) {
            let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
                if have.contains(id) {
                    if !is_needed(id) {
                        ids.push(*id);
                    } else if !have.is_waiting(id) {
                        kept.push(*id);
                    }
                }
                Ok(())
            };
            walk::release(&mut walker, root, &mut note)?;
        }
        let (dropped, kept) = if store.is_shared() {
            far::old_chunks(store, (releases, have), new, (ids, kept), monitor)?
        } else {
            let dropped = dropped(store, ids, monitor)?;
            let kept = match kept.is_empty() {
                true => MarkedChunks::new(dropped.sparse_log),
                false => {
                    let content = NewContent::unlike(store, new, &dropped, monitor)?;
                    kept::resembling(store, &content, kept, monitor)?
                }
            };
            (dropped, kept)
        };
        Ok(Self {
            dropped,
            kept,
            programs: Programs::default(),
        })
    }

    /// Finds the files of machine code in `releases` that are to be compared with old ones. `needs` are the frames with
    /// the new chunks.
    ///
    /// # Errors
    /// [`BundleError`] when a list cannot be read, or a stop was asked for.
    pub(super) fn find_programs(
        &mut self,
        store: &Store,
        releases: &[ReleaseRoot],
        have: &Have,
        needs: &[FrameNeed],
        monitor: &dyn Monitor,
    ) -> Result<(), BundleError> {
        let old = self.dropped.chunks.iter().chain(&self.kept.chunks);
        let old = old.filter(|old| old.class.is_code());
        let code = needs.iter().filter(|need| need.class.is_code());
        let new: Vec<ChunkId> = code.flat_map(|need| &need.chunks).copied().collect();
        let old: Vec<ChunkId> = old.map(|old| old.id).collect();
        // Without both there is nothing to compare.
        if !old.is_empty() && !new.is_empty() {
            let wanted = old.into_iter().chain(new).collect();
            let roots = releases.iter().chain(newest(have));
            self.programs = Programs::of(store, roots, &wanted, monitor)?;
        }
        Ok(())
    }

    /// Says what the bytes of these chunks, one behind the other, are.
    pub(super) fn layout(&self, chunks: &[(ChunkId, usize)], bytes: &[u8]) -> Layout {
        self.programs.layout(chunks, bytes)
    }

    /// Returns the bases for `chunks` of `class`, of up to `limit_bytes` together, in the order of the old chunks. Only
    /// those for which `is_there` returns true.
    pub(super) fn best_for(
        &self,
        class: ContentKind,
        chunks: &[(ChunkId, &[u8])],
        limit_bytes: usize,
        is_there: impl Fn(&ChunkId) -> bool,
    ) -> Vec<ChunkId> {
        let dropped = &self.dropped;
        let found: Vec<_> = chunks
            .par_iter()
            .map(|(_, plain)| {
                let is_like_none = !self.kept.chunks.is_empty() && !dropped.has_half_of(plain);
                let kept = if is_like_none {
                    self.kept.like(plain)
                } else {
                    Vec::new()
                };
                (dropped.like(plain), kept)
            })
            .collect();
        let mut votes: BTreeMap<usize, u32> = BTreeMap::new();
        let of_class = self.of_class(class);
        let bytes_of = |number: usize| dropped.chunks[number].bytes as usize;
        if of_class.clone().map(bytes_of).sum::<usize>() <= SMALL_BYTES {
            votes.extend(of_class.clone().map(|number| (number, 1)));
        }
        let likes = found.iter().map(|(of_dropped, _)| &of_dropped[..]);
        let code = &dropped.chunks[of_class.clone()];
        for number in partners(&self.programs, dropped, code, chunks.iter().zip(likes)) {
            *votes.entry(of_class.start + number).or_default() += PARTNER_VOTES;
        }
        for (of_dropped, of_kept) in found {
            for (number, count) in of_dropped {
                let number = number as usize;
                *votes.entry(number).or_default() += 2 * count;
                // The content at the edges of a chunk may continue in the next old chunk.
                for beside in [number.wrapping_sub(1), number + 1] {
                    if beside < dropped.chunks.len() {
                        *votes.entry(beside).or_default() += 1;
                    }
                }
            }
            for (number, count) in of_kept {
                *votes
                    .entry(dropped.chunks.len() + number as usize)
                    .or_default() += 2 * count;
            }
        }
        self.within_limits(votes, limit_bytes, is_there)
    }

    /// Returns the chunks with the most votes that fit a frame, in order. Numbers behind the dropped chunks are those of
    /// kept ones.
    fn within_limits(
        &self,
        votes: BTreeMap<usize, u32>,
        limit_bytes: usize,
        is_there: impl Fn(&ChunkId) -> bool,
    ) -> Vec<ChunkId> {
        let (dropped, kept) = (&self.dropped.chunks, &self.kept.chunks);
        let chunk = |number: usize| {
            dropped
                .get(number)
                .unwrap_or_else(|| &kept[number - dropped.len()])
        };
        let mut ranked: Vec<(usize, u32)> = votes.into_iter().collect();
        ranked.retain(|(number, _)| is_there(&chunk(*number).id));
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked.truncate(BASES_MAX);
        let mut bytes = 0;
        ranked.retain(|(number, _)| {
            bytes += chunk(*number).bytes as usize;
            bytes <= limit_bytes
        });
        ranked.sort_unstable();
        ranked.iter().map(|(number, _)| chunk(*number).id).collect()
    }

    fn of_class(&self, class: ContentKind) -> std::ops::Range<usize> {
        let chunks = &self.dropped.chunks;
        let start = chunks.partition_point(|old| (old.class as u8) < class as u8);
        let end = chunks.partition_point(|old| old.class as u8 <= class as u8);
        start..end
    }
}

/// Reads the chunks with these ids and marks them, by content kind.
fn dropped(
    store: &Store,
    ids: Vec<ChunkId>,
    monitor: &dyn Monitor,
) -> Result<MarkedChunks, BundleError> {
    let mut frames = store.frames_of(&mut ids.into_iter())?;
    frames.sort_by_key(|need| need.class as u8);
    let mut old = MarkedChunks::new(sparse_log_of(&frames));
    let sparse_log = old.sparse_log;
    let marked = |need: &FrameNeed| -> Result<Vec<(OldChunk, Vec<u32>)>, StoreError> {
        let frame = store.load_frame(need)?;
        let wanted = chunks_in(&frame, &need.chunks).into_iter();
        let chunk = |(id, plain)| {
            let chunk = OldChunk::new(id, plain, need.class);
            (chunk, marks_of(plain, sparse_log))
        };
        Ok(wanted.map(chunk).collect())
    };
    each_frame(&frames, monitor, marked, |marked| {
        for (chunk, marks) in marked {
            old.push(chunk, marks);
        }
        ControlFlow::Continue(())
    })?;
    Ok(old.settled())
}

/// Does `work` for each frame, on every core, and hands on what comes of it in the order of the frames. Ends early when
/// `take` breaks off.
fn each_frame<T: Send>(
    frames: &[FrameNeed],
    monitor: &dyn Monitor,
    work: impl Fn(&FrameNeed) -> Result<T, StoreError> + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) -> Result<(), BundleError> {
    for frames in frames.chunks(FRAMES_AT_ONCE) {
        monitor.check_stop()?;
        let done: Vec<Result<T, StoreError>> = frames.par_iter().map(&work).collect();
        for each in done {
            if take(each?).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Returns how sparse the marks of the needed chunks are.
fn sparse_log_of(frames: &[FrameNeed]) -> u32 {
    sparse_log(4 * frames.iter().map(|need| need.share_bytes).sum::<u64>())
}

/// Returns how sparse the marks of so much content are. Fewer positions become marks until all marks fit the stated
/// memory.
fn sparse_log(plain_bytes: u64) -> u32 {
    let mut sparse_log = SPARSE_LOG;
    while plain_bytes >> sparse_log > MARKS_MAX {
        sparse_log += 1;
    }
    sparse_log
}

/// Returns those of a frame's chunks that are wanted, in the order of the latter.
fn chunks_in<'a>(frame: &'a Frame, wanted: &[ChunkId]) -> Vec<(ChunkId, &'a [u8])> {
    let places: HashMap<&ChunkId, _> = frame.chunks.iter().map(|(id, range)| (id, range)).collect();
    wanted
        .iter()
        .filter_map(|id| Some((*id, &frame.plain[(*places.get(id)?).clone()])))
        .collect()
}
