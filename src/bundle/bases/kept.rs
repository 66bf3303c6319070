//! Chunks that stay in the releases and are bases of new content that resembles them: a copy that was changed, the next
//! version beside the last one.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::marks::{MarkedChunks, OldChunk, marks_of};
use super::{chunks_in, each_frame, sparse_log_of};
use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::BundleError;
use crate::content::content_kind::ContentKind;
use crate::store::{FrameNeed, Store, StoreError};

/// New content for which dropped chunks are no bases is worth reading this many times as much of what is kept.
const KEPT_FACTOR: u64 = 4096;

/// Finds the chunks among `kept` that share marks with new content that has little in common with dropped chunks. What is
/// kept is only read when there is enough of such new content.
pub(super) fn resembling(
    store: &Store,
    content: &NewContent,
    kept: Vec<ChunkId>,
    monitor: &dyn Monitor,
) -> Result<MarkedChunks, BundleError> {
    let NewContent {
        marks,
        bytes,
        sparse_log,
        ..
    } = content;
    let sparse_log = *sparse_log;
    let mut found = MarkedChunks::new(sparse_log);
    if kept.is_empty() {
        return Ok(found);
    }
    let frames = store.frames_of(&mut kept.into_iter())?;
    let kept_bytes: u64 = frames.iter().map(|need| need.share_bytes).sum();
    if bytes * KEPT_FACTOR <= kept_bytes {
        return Ok(found);
    }
    let resembling = |need: &FrameNeed| -> Result<Vec<(OldChunk, Vec<u32>)>, StoreError> {
        let frame = match store.load_frame(need) {
            // Nothing of what is kept is carried, so that a damaged chunk of it is only no base.
            Err(StoreError::DamagedFrame { .. }) => return Ok(Vec::new()),
            loaded => loaded?,
        };
        let shared = chunks_in(&frame, &need.chunks).into_iter();
        let shared = shared.filter_map(|(id, plain)| {
            let mut marks_here = marks_of(plain, sparse_log);
            marks_here.retain(|mark| marks.contains(mark));
            let chunk = OldChunk::new(id, plain, need.class);
            (!marks_here.is_empty()).then_some((chunk, marks_here))
        });
        Ok(shared.collect())
    };
    each_frame(&frames, monitor, resembling, |marked| {
        for (chunk, marks) in marked {
            found.push(chunk, marks);
        }
        // Content that repeats itself often could fill any memory.
        match found.is_full() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(found.settled())
}

/// The new content that needs other bases than dropped chunks.
pub(super) struct NewContent {
    pub(super) marks: HashSet<u32>,
    /// Plain bytes.
    bytes: u64,
    /// Bytes in the store by content kind, estimated.
    pub(super) by_kind: [u64; ContentKind::ALL.len()],
    sparse_log: u32,
}

impl NewContent {
    /// Reads the new chunks and finds those that have little in common with `dropped`.
    pub(super) fn unlike(
        store: &Store,
        new: &[FrameNeed],
        dropped: &MarkedChunks,
        monitor: &dyn Monitor,
    ) -> Result<Self, BundleError> {
        let sparse_log = sparse_log_of(new);
        let mut wanted = Self {
            marks: HashSet::new(),
            bytes: 0,
            by_kind: [0; ContentKind::ALL.len()],
            sparse_log,
        };
        // The kind, plain bytes and estimated bytes in the store of what a frame has of it, and its marks.
        let unlike = |need: &FrameNeed| -> Result<(ContentKind, u64, u64, Vec<u32>), StoreError> {
            let frame = store.load_frame(need)?;
            let (mut bytes, mut marks) = (0, Vec::new());
            for (_, plain) in chunks_in(&frame, &need.chunks) {
                if !dropped.has_half_of(plain) {
                    bytes += plain.len() as u64;
                    marks.extend(marks_of(plain, sparse_log));
                }
            }
            // A frame has 128 MiB at most, so that the product fits.
            let stored = need.share_bytes * bytes / need.plain_bytes.max(1);
            Ok((need.class, bytes, stored, marks))
        };
        each_frame(new, monitor, unlike, |(class, bytes, stored, marks)| {
            wanted.marks.extend(marks);
            wanted.bytes += bytes;
            wanted.by_kind[usize::from(class as u8)] += stored;
            ControlFlow::Continue(())
        })?;
        Ok(wanted)
    }
}
