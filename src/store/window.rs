//! Collects new chunks and sorts them into frames by kind of content. Within a kind they keep their order.
//!
//! It does not compress. A window holds its plain bytes in one buffer, which returns to a pool when its last frame is
//! done. Fresh memory would cost more than the copy.

use std::sync::{Arc, Mutex, PoisonError};

use crate::base::id::ChunkId;
use crate::content::chunk::CHUNK_MAX;
use crate::content::content_kind::ContentKind;

type Pool = Arc<Mutex<Vec<Vec<u8>>>>;

struct WaitingChunk {
    id: ChunkId,
    class: ContentKind,
    offset: usize,
    len: usize,
}

/// Chunks that wait to be compressed.
pub(super) struct ChunkWindow {
    plain: Vec<u8>,
    members: Vec<WaitingChunk>,
    pool: Pool,
}

/// A planned frame: some chunks of one window, all of one kind.
pub(super) struct FramePlan {
    pub(super) class: ContentKind,
    members: Vec<usize>,
    window: Arc<ChunkWindow>,
}

impl ChunkWindow {
    pub(super) fn new(bytes: usize, pool: &Pool) -> Self {
        let reused = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let plain = reused.unwrap_or_else(|| Vec::with_capacity(bytes + CHUNK_MAX));
        Self {
            plain,
            members: Vec::new(),
            pool: Arc::clone(pool),
        }
    }

    pub(super) fn push(&mut self, id: ChunkId, class: ContentKind, plain: &[u8]) {
        self.members.push(WaitingChunk {
            id,
            class,
            offset: self.plain.len(),
            len: plain.len(),
        });
        self.plain.extend_from_slice(plain);
    }

    pub(super) fn bytes(&self) -> usize {
        self.plain.len()
    }

    /// Plans frames of about `frame_bytes` at most, in the order of kinds.
    pub(super) fn into_frames(self, frame_bytes: usize) -> Vec<FramePlan> {
        let window = Arc::new(self);
        let mut order: Vec<usize> = (0..window.members.len()).collect();
        order.sort_by_key(|at| window.members[*at].class);
        let mut frames: Vec<FramePlan> = Vec::new();
        let mut filled = 0;
        for at in order {
            let member = &window.members[at];
            match frames.last_mut() {
                Some(frame)
                    if frame.class == member.class && filled + member.len <= frame_bytes =>
                {
                    frame.members.push(at);
                    filled += member.len;
                }
                _ => {
                    let window = Arc::clone(&window);
                    frames.push(FramePlan {
                        class: member.class,
                        members: vec![at],
                        window,
                    });
                    filled = member.len;
                }
            }
        }
        frames
    }
}

impl FramePlan {
    /// Returns the chunks of the frame, in order.
    pub(super) fn chunks(&self) -> Vec<(ChunkId, &[u8])> {
        let chunk = |at: &usize| {
            let member = &self.window.members[*at];
            (
                member.id,
                &self.window.plain[member.offset..member.offset + member.len],
            )
        };
        self.members.iter().map(chunk).collect()
    }
}

impl Drop for ChunkWindow {
    fn drop(&mut self) {
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        self.pool
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(plain);
    }
}
